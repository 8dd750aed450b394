"""The decision table as a whole: its order, what destroys, who took a nonce, who testifies.

The conditions of its rows are in test_conditions.py.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Level
from monitor.transactions.decide import CONSUMED, NEVER, TABLE, consumed, decide
from monitor.transactions.rules import Rules
from monitor.transactions.sentences import SAID
from monitor.transactions.words import (
    DESTRUCTIVE,
    TERMINAL,
    AccountCounters,
    Consumer,
    Counters,
    Slot,
    State,
    Transaction,
    View,
)
from tests.transactions.builders import (
    ETHER,
    GWEI,
    LOW_CAP,
    POOLED,
    RULES,
    STUCK,
    TIMEOUT,
    TIP,
    after,
    attempt,
    cancellation,
    decided,
    empty_slot,
    hash_of,
    head_at,
    local,
    payment,
    queue,
    receipt_of,
    references,
    round_of,
    slot_of,
    verdict,
    view,
)

# -- the table itself ----------------------------------------------------------------------------


def test_table_has_the_rows_in_their_order() -> None:
    """Whoever holds the document beside the table reads both from the top."""
    numbers = [int(row.number) for row in TABLE if row.state is not State.EVIDENCE_WEAK]
    assert numbers == sorted(numbers)
    assert {int(row.number) for row in TABLE} == set(range(20))


def test_table_says_something_of_every_state_that_it_names() -> None:
    """No row is without a sentence, and no sentence is without a row."""
    assert {row.state for row in TABLE} == set(SAID)
    assert set(State) - set(SAID) == {State.REPLACED_SAME, State.REPLACED_OTHER}


def test_condition_cites_the_number_of_its_row() -> None:
    """A condition's docstring begins with the number that its row has in the table."""
    for row in TABLE:
        assert (row.when.__doc__ or "").split(":")[0].split()[0].rstrip(".") == row.number


# -- decisions that are shared -------------------------------------------------------------------

BESIDE = slot_of(nonce=8)
"""A slot that merely waits; the one of nonce 7 is the lowest, and is looked into."""


def test_ten_thousand_that_wait_share_one_decision() -> None:
    """What is the same for all is said once, whatever is known of the lowest."""
    slots = queue(7, 10_000)
    decision = decided(slots, round_of(*POOLED, local=local()))
    shared = {id(one) for slot_id, one in decision.slots.items() if slot_id != 7}
    assert len(shared) == 1
    assert decision.slots[10_006].row == "9"


@pytest.mark.parametrize(
    ("slot", "has", "nonce", "counters", "expected"),
    [
        (slot_of(nonce=9), "pending", 7, after(2, "absent"), ("9", Counters(TIP))),
        (slot_of(nonce=9), None, 7, after(2, "absent"), ("9", after(2, "absent", number=TIP))),
        (slot_of(nonce=9, state=State.NONCE_TAKEN), None, TIMEOUT, NEVER, ("7", Counters(TIP))),
        (
            slot_of(nonce=9, mined_hash=hash_of("block"), mined_number=TIP - 1),
            "absent",
            7,
            NEVER,
            ("9", Counters(TIP, unmined_rounds=1)),
        ),
        (empty_slot(9), None, 7, NEVER, ("8", Counters(TIP))),
        (
            slot_of(nonce=9),
            receipt_of("tx 9", number=900),
            7,
            NEVER,
            ("1", Counters(TIP)),
        ),
    ],
    ids=["counted", "held", "taken", "mined", "to be filled", "in a block"],
)
def test_slot_of_which_more_is_known_is_decided_by_itself(
    slot: Slot, has: Any, nonce: Any, counters: Counters, expected: tuple[str, Counters]
) -> None:
    """Beside one that merely waits, and whose decision is not its own."""
    views = references({hash_of("tx 9"): has}, nonce=nonce, pending=7)
    round_ = round_of(*views, local=local({}, pool=[]))
    memory = {8: counters, 9: counters}
    slots = (slot_of(), BESIDE, slot)
    decision = decide(slots, memory, AccountCounters(), round_, RULES)
    assert decision.slots[8].row == ("9" if nonce == 7 else "0")
    one = decision.slots[9]
    assert (one.row, one.counters) == expected


@pytest.mark.parametrize("kind", ["absent", "taken", "unmined", "forked"])
def test_slot_whose_rounds_are_counted_is_decided_by_itself(kind: str) -> None:
    """What is known of one ends its row, and holds that of the one beside it."""
    views = references({hash_of("tx 9"): "pending"})
    round_ = round_of(*views, local=local({hash_of("tx 9"): "pending"}))
    memory = dict.fromkeys((8, 9), after(1, kind))
    slots = (slot_of(), BESIDE, slot_of(nonce=9))
    decision = decide(slots, memory, AccountCounters(), round_, RULES)
    held = kind in {"absent", "forked"}
    assert decision.slots[8].counters == (after(1, kind, number=TIP) if held else Counters(TIP))
    assert decision.slots[9].counters == Counters(TIP)


# -- what keeps destruction back -----------------------------------------------------------------


def test_only_rows_12_14_15_8_and_17_ask_for_a_signature() -> None:
    """Everything else is told, or answered with bytes that the sender has signed."""
    signing = {row.number for row in TABLE if set(row.acts) & DESTRUCTIVE}
    assert signing == {"8", "12", "14", "15", "17"}


@pytest.mark.parametrize("liar", [0, 1, 2])
@pytest.mark.parametrize(
    "lie",
    [
        view("net/x", receipt_of(number=800), nonce=8, balance=0),
        view("net/x", receipt_of(number=800, is_success=False), nonce=8),
        view("net/x", "absent", nonce=0, pending=0, balance=0),
        view("net/x", "absent", nonce=10**9, pending=10**9),
        view("net/x", "mined", nonce=8, number=10**6),
        view("net/x", "queued", nonce=6),
    ],
    ids=["final", "reverted", "absent", "far ahead", "in a block", "queued"],
)
def test_liar_among_three_moves_nothing(liar: int, lie: View) -> None:
    """Two operators that agree are heard; what the third says of nonce and block is not."""
    views = list(POOLED)
    views[liar] = replace(lie, operator="abc"[liar])
    honest = verdict(slot_of(), round_of(*POOLED, local=local()))
    decision = verdict(slot_of(), round_of(*views, local=local()), counters=after(9, "taken"))
    assert (decision.row, decision.state, decision.acts) == (honest.row, honest.state, honest.acts)


# -- who took the nonce --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "taken", "state"),
    [
        (slot_of(), payment("other hash"), State.REPLACED_SAME),
        (slot_of(), payment("other hash", fee_cap_wei=99 * GWEI, gas=50_000), State.REPLACED_SAME),
        (slot_of(), payment("other", value_wei=2 * ETHER), State.REPLACED_OTHER),
        (slot_of(), payment("other", data=b"\x01"), State.REPLACED_OTHER),
        (slot_of(), payment("other", to=None), State.REPLACED_OTHER),
        (slot_of(), cancellation(), State.CANCELLED),
        (slot_of(attempt(cancellation())), cancellation("again"), State.REPLACED_SAME),
        (slot_of(attempt(tx_hash=hash_of("?"))), payment("other"), State.REPLACED_OTHER),
        (slot_of(attempt(tx_hash=hash_of("?"))), cancellation(), State.CANCELLED),
        (slot_of(), payment(), State.MINED),
        (empty_slot(), payment("the sender's"), State.REPLACED_SAME),
        (empty_slot(), cancellation(), State.CANCELLED),
        (
            slot_of(attempt(cancellation("fill 7"), kind="fill")),
            payment("the sender's"),
            State.REPLACED_SAME,
        ),
        (
            slot_of(attempt(), attempt(cancellation(), kind="cancel")),
            payment("other", value_wei=0),
            State.REPLACED_OTHER,
        ),
    ],
    ids=[
        "same payment",
        "same payment, dearer",
        "other value",
        "other input",
        "a creation",
        "a transfer to oneself",
        "a transfer to oneself, again",
        "of a hash alone",
        "of a hash alone, cancelled",
        "the attempt itself",
        "a gap, by a payment",
        "a gap, by nothing",
        "a filler, by a payment",
        "after a cancellation, by another",
    ],
)
def test_consumer_of_a_nonce_is_named_by_what_it_does(
    slot: Slot, taken: Transaction, state: State
) -> None:
    """Row 7: same recipient, value and input; nothing at all; or something else."""
    assert consumed(slot, Consumer(taken, TIP, head_at(TIP).hash)) is state


def test_consumers_other_than_ones_own_have_a_level() -> None:
    """Row 7: another purpose is the worst; every end that `consumed` can name has its level."""
    assert set(CONSUMED) <= TERMINAL
    assert CONSUMED[State.REPLACED_OTHER] is Level.FAILED


# -- evidence ------------------------------------------------------------------------------------


def test_evidence_names_everybody_who_spoke_with_their_block() -> None:
    """One statement an endpoint, by label, with its head and the measure; silence is no witness."""
    views = references("absent", "absent", TIMEOUT)
    decision = verdict(slot_of(), round_of(*views, local=local("queued", nonce=5)))
    presence = [one for one in decision.evidence if one.method == "eth_getTransactionByHash"]
    assert {one.source: one.said for one in presence} == {
        "local": "queued",
        "net/a": "absent",
        "net/b": "absent",
    }
    counts = [one for one in decision.evidence if one.method == "eth_getTransactionCount"]
    assert [one.source for one in counts] == ["local", "net/a", "net/b", "net/c"]
    assert {one.threshold for one in decision.evidence} == {"2 of 3 operators must agree"}
    assert {one.block for one in decision.evidence} == {head_at(TIP).stamp}


def test_rules_move_the_thresholds() -> None:
    """What the policy says of rounds, blocks and seconds is what counts."""
    slow = Rules(
        propagate_blocks=9,
        dropped_rounds=5,
        taken_rounds=6,
        bump_after_seconds=900.0,
        stuck_after_seconds=9000.0,
        revert_alert_blocks=5,
    )
    pending = round_of(*references("absent"), local=local())
    assert verdict(slot_of(age_blocks=9), pending, rules=slow).row == "19"
    gone = round_of(*references("absent"), local=local("absent"))
    assert verdict(slot_of(), gone, counters=after(3, "absent"), rules=slow).row == "19"
    used = round_of(*references("absent", nonce=8))
    assert verdict(slot_of(), used, counters=after(4, "taken"), rules=slow).row == "19"
    pooled = round_of(*POOLED, local=local())
    cheap = verdict(slot_of(attempt(LOW_CAP), age_blocks=75), pooled, rules=slow)
    assert (cheap.row, cheap.level) == ("14", Level.OK)
    assert verdict(slot_of(age_blocks=STUCK), pooled, rules=slow).row == "19"
    shallow = receipt_of(number=TIP - 3, is_success=False)
    told = verdict(slot_of(), round_of(*references(shallow, nonce=8)), rules=slow)
    assert (told.state, told.level) == (State.REVERTED, Level.OK)
