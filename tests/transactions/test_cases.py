"""What the words in the table's conditions mean, for one slot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.transactions.cases import Case, counted
from monitor.transactions.signals import fold, fold_slot
from monitor.transactions.words import AccountRound, Counters, Slot
from tests.transactions.builders import (
    ETHER,
    GWEI,
    INTERVAL,
    LOW_CAP,
    NOW,
    POOLED,
    RULES,
    TIMEOUT,
    TIP,
    attempt,
    empty_slot,
    hash_of,
    head_at,
    local,
    payment,
    receipt_of,
    references,
    round_of,
    slot_of,
    view,
)

OLD, NEW = hash_of("tx 7"), hash_of("dearer 7")
TWO = slot_of(attempt(), attempt(payment("dearer 7", fee_cap_wei=40 * GWEI), kind="replace"))


def case_of(slot: Slot, round_: AccountRound, counters: Counters | None = None) -> Case:
    account = fold(round_)
    return Case(slot, RULES, account, fold_slot(slot, account), counters or Counters())


@pytest.mark.parametrize(
    ("nonce", "words"),
    [
        (6, (False, True, False, True)),
        (7, (True, False, False, True)),
        (8, (False, False, True, False)),
        (TIMEOUT, (False, False, False, False)),
    ],
)
def test_nonce_is_next_later_used_or_not_known(nonce: Any, words: tuple[bool, ...]) -> None:
    """nl_R against N; of a nonce that no quorum names nothing is claimed."""
    case = case_of(slot_of(), round_of(*references({}, nonce=nonce)))
    assert (case.is_next, case.is_later, case.is_used, case.is_free) == words


@pytest.mark.parametrize(
    ("number", "final", "is_final", "depth"),
    [
        (900, 900, True, 101),
        (901, 900, False, 100),
        (900, None, False, 101),
        (TIP, 900, False, 1),
        (TIP + 1, 900, False, 0),
    ],
)
def test_depth_counts_the_block_and_those_above(
    number: int, final: int | None, depth: int, *, is_final: bool
) -> None:
    """1 in the newest; a block above the agreed head has none; final is known, or it is not."""
    views = references(receipt_of(number=number), nonce=8)
    case = case_of(slot_of(), round_of(*views, final_number=final))
    assert (case.is_final, case.depth) == (is_final, depth)


def test_depth_of_a_slot_that_was_not_asked_about_is_that_of_its_block() -> None:
    """Without either there is none."""
    mined = slot_of(mined_number=TIP - 2, mined_hash=head_at(TIP - 2).hash)
    assert case_of(mined, round_of(*references({}, nonce=8))).depth == 3
    assert case_of(slot_of(), round_of(*references({}))).depth == 0
    assert case_of(mined, round_of(*references({}), number=None)).depth == 0


@pytest.mark.parametrize(
    ("old", "new", "fee_gwei"),
    [
        (("pending",) * 3, ("absent",) * 3, 30),
        (("absent",) * 3, ("pending",) * 3, 40),
        (("pending",) * 3, ("pending",) * 3, 40),
        (("pending", "pending", "absent"), ("absent", "absent", "pending"), 30),
        (("absent", "absent", "pending"), ("absent", "pending", "absent"), 40),
        (("absent", "absent", "pending"), ("absent",) * 3, 30),
        (("absent",) * 3, ("absent",) * 3, 40),
        (("mined",) * 3, ("absent",) * 3, 40),
    ],
    ids=[
        "the old everywhere",
        "the new everywhere",
        "both everywhere",
        "a quorum has the old, one the new",
        "one each",
        "one has the old",
        "neither",
        "mined",
    ],
)
def test_fees_are_of_the_newest_that_a_quorum_has_else_of_the_newest(
    old: tuple[str, ...], new: tuple[str, ...], fee_gwei: int
) -> None:
    """What most could mine, else what any could, else what would be sent."""
    views = references(*({OLD: a, NEW: b} for a, b in zip(old, new, strict=True)))
    case = case_of(TWO, round_of(*views))
    assert case.transaction is not None
    assert case.transaction.fee_cap_wei == fee_gwei * GWEI


@pytest.mark.parametrize(
    ("fee_cap", "tip_cap", "effective"),
    [(30, 2, 2), (11, 2, 1), (10, 2, 0), (9, 2, None)],
)
def test_effective_tip_is_what_the_producer_gets(
    fee_cap: int, tip_cap: int, effective: int | None
) -> None:
    """min(T, F - B) at a base fee of 10 gwei; none where the cap is below it (EIP-1559)."""
    paid = payment(fee_cap_wei=fee_cap * GWEI, tip_cap_wei=tip_cap * GWEI)
    case = case_of(slot_of(attempt(paid)), round_of(*POOLED))
    expected = None if effective is None else effective * GWEI
    assert (case.tip_effective_wei, case.is_cap_low) == (expected, effective is None)


def test_fees_are_not_low_where_they_or_the_market_are_not_known() -> None:
    """What is not known is not judged."""
    unknown = slot_of(attempt(tx_hash=OLD))
    for case in (
        case_of(unknown, round_of(*POOLED)),
        case_of(slot_of(attempt(LOW_CAP)), round_of(*POOLED, market=TIMEOUT)),
        case_of(empty_slot(), round_of(*POOLED)),
    ):
        assert (case.is_cap_low, case.is_tip_low, case.tip_effective_wei) == (False, False, None)


def test_least_cost_is_known_only_of_decoded_attempts() -> None:
    """Of several the cheapest; none of none, and none where one is a mere hash."""
    dear = attempt(payment("dear", value_wei=3 * ETHER))
    assert case_of(slot_of(dear, attempt()), round_of()).cost_least_wei == payment().cost_max_wei
    assert case_of(slot_of(dear, attempt(tx_hash=NEW)), round_of()).cost_least_wei is None
    assert case_of(empty_slot(), round_of()).cost_least_wei is None


@pytest.mark.parametrize(
    ("seconds", "first_number", "number", "blocks"),
    [
        (36.0, TIP - 5, TIP, 5.0),
        (36.0, None, TIP, 3.0),
        (36.0, TIP - 5, None, 3.0),
        (-5.0, None, TIP, 0.0),
    ],
    ids=["by height", "height not known then", "height not known now", "a clock set back"],
)
def test_age_is_in_blocks_by_height_else_by_the_clock(
    seconds: float, first_number: int | None, number: int | None, blocks: float
) -> None:
    """Twelve seconds are a block where heights are not known."""
    slot = slot_of(first_seen_at=NOW - seconds, first_seen_number=first_number)
    case = case_of(slot, round_of(*references({}), number=number))
    assert case.age_blocks == blocks
    assert case.age_seconds == max(0.0, seconds)
    assert case.account.round_.interval_seconds == INTERVAL


# -- what is counted -----------------------------------------------------------------------------

FULL = Counters(TIP - 1, absent_rounds=1, taken_rounds=1, unmined_rounds=1, forked_rounds=1)
MINED = slot_of(mined_number=TIP - 1, mined_hash=head_at(TIP - 1).hash)


@pytest.mark.parametrize(
    ("slot", "round_", "rounds"),
    [
        (slot_of(), round_of(*references("absent"), local=local("absent")), (2, 0, 0, 0)),
        (slot_of(), round_of(*references("absent"), local=local(TIMEOUT)), (1, 0, 0, 1)),
        (slot_of(), round_of(*references("absent"), local=TIMEOUT), (1, 0, 0, 1)),
        (slot_of(), round_of(*references("absent", nonce=6), local=local("absent")), (1, 0, 0, 0)),
        (slot_of(), round_of(*POOLED, local=local("absent")), (0, 0, 0, 0)),
        (slot_of(), round_of(*references("absent"), local=local("queued")), (0, 0, 0, 0)),
        (slot_of(), round_of(*references("absent", nonce=8)), (0, 2, 0, 0)),
        (slot_of(), round_of(*references(TIMEOUT, nonce=8)), (0, 1, 0, 0)),
        (slot_of(), round_of(*references("absent", nonce=TIMEOUT)), (1, 1, 0, 1)),
        (slot_of(), round_of(*references(receipt_of(), nonce=8)), (0, 0, 0, 0)),
        (MINED, round_of(*references("absent")), (1, 0, 2, 1)),
        (MINED, round_of(*references(receipt_of(number=TIP - 1))), (0, 0, 0, 0)),
        (MINED, round_of(*references(TIMEOUT)), (1, 0, 1, 1)),
        (MINED, round_of(*references("absent", number=TIP - 2)), (1, 0, 1, 1)),
        (MINED, round_of(*references("absent", nonce=TIMEOUT)), (1, 1, 1, 1)),
        (
            slot_of(),
            round_of(*references("absent"), local=local(receipt_of(), nonce=8)),
            (0, 0, 0, 2),
        ),
        (
            slot_of(),
            round_of(*references(TIMEOUT), local=local(receipt_of(), nonce=8)),
            (0, 0, 0, 1),
        ),
        (empty_slot(), round_of(*references("absent"), local=local("absent")), (0, 0, 0, 1)),
    ],
    ids=[
        "absent",
        "absent, unseen here",
        "absent, no local node",
        "absent, and not the next",
        "pooled",
        "queued here",
        "taken",
        "used, receipts unseen",
        "no next nonce",
        "mined",
        "unmined",
        "mined, and the next nonce lags",
        "unmined, unseen",
        "unmined, by views that are below",
        "unmined, no next nonce",
        "forked",
        "forked, unseen",
        "to be filled",
    ],
)
def test_each_condition_is_counted_held_or_begun_anew(
    slot: Slot, round_: AccountRound, rounds: tuple[int, ...]
) -> None:
    """A yes counts, a no begins anew, and what is not known holds: absent, taken, unmined, forked.

    A local node that is silent, or of a slot without a hash, says nothing of a fork.
    """
    found = counted(case_of(slot, round_, FULL))
    assert (
        found.absent_rounds,
        found.taken_rounds,
        found.unmined_rounds,
        found.forked_rounds,
    ) == rounds
    assert found.counted_number == TIP


def test_nonce_is_taken_only_where_a_quorum_names_the_next() -> None:
    """Endpoints of one operator that differ in the next nonce have no vote on it."""
    views = (
        view("net/a1", "absent", operator="a", nonce=8),
        view("net/a2", "absent", operator="a", nonce=9),
        view("net/b", "absent", operator="b", nonce=8),
    )
    case = case_of(slot_of(), round_of(*views), FULL)
    assert (case.account.nonce, case.is_taken) == (None, None)
    assert counted(case).taken_rounds == FULL.taken_rounds


def test_nothing_is_counted_twice_at_a_height_nor_on_weak_evidence() -> None:
    """A head that was counted, or a lower one after a reorg, does not count."""
    gone = round_of(*references("absent"), local=local("absent"))
    for number in (TIP, TIP + 5):
        before = replace(FULL, counted_number=number)
        found = counted(case_of(slot_of(), gone, before))
        assert (found.absent_rounds, found.counted_number) == (1, number)
    assert counted(case_of(slot_of(), round_of(*references("absent")[:1]), FULL)) == FULL
    assert counted(case_of(slot_of(), replace(gone, head=None), FULL)) == FULL
