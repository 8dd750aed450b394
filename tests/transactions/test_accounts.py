"""The account above its slots: gaps, the local node's count, conflicts, and the worst of all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Level, Unseen
from monitor.transactions.accounts import GAP_NONCES_MAX
from monitor.transactions.words import (
    AccountCounters,
    AccountRound,
    PoolEntry,
    Slot,
    State,
    View,
)
from tests.transactions.builders import (
    ETHER,
    LOW_CAP,
    OLD,
    POOLED,
    TIMEOUT,
    TIP,
    after,
    attempt,
    cancellation,
    decided,
    empty_slot,
    hash_of,
    local,
    payment,
    queue,
    receipt_of,
    references,
    round_of,
    slot_of,
    view,
)


def before(**rounds: Any) -> AccountCounters:
    """What was remembered at the block before."""
    return AccountCounters(TIP - 1, **rounds)


# -- the walk ------------------------------------------------------------------------------------


def test_account_of_which_nothing_is_on_its_way_is_idle() -> None:
    """No slot, no condition; the next nonce is known all the same."""
    decision = decided((), round_of(*references({})))
    assert (decision.level, decision.reason) == (Level.OK, "idle")
    assert (decision.nonce_network, decision.lowest, decision.gap_nonces) == (7, None, ())


@pytest.mark.parametrize(
    ("slots", "nonce", "lowest"),
    [
        (queue(7, 3), 7, 7),
        (queue(7, 3), 8, 8),
        (queue(7, 3), 10, None),
        (queue(8, 3), 7, 8),
        (queue(7, 3), TIMEOUT, 7),
        ((slot_of(mined_hash=hash_of("block")), slot_of(nonce=8)), TIMEOUT, 8),
        ((slot_of(mined_hash=hash_of("block")), slot_of(nonce=8)), 7, 7),
    ],
    ids=[
        "the next",
        "one is used",
        "all are used",
        "none of the next",
        "nonce unknown",
        "nonce unknown, one mined",
        "one mined and lost",
    ],
)
def test_lowest_is_the_lowest_that_is_not_used(
    slots: tuple[Slot, ...], nonce: Any, lowest: int | None
) -> None:
    """Only this one is acted on; where no quorum counts, it is the lowest that was never mined."""
    assert decided(slots, round_of(*references({}, nonce=nonce))).lowest == lowest


def gap_round(*listed: int, nonce: int = 7) -> AccountRound:
    """The local pool lists these nonces, and nobody counts anything."""
    pool = [PoolEntry(hash_of(f"tx {n}"), n, "queued") for n in listed]
    return round_of(*references({}, nonce=nonce), local=local({}, pool=pool, nonce=nonce))


@pytest.mark.parametrize(
    ("slots", "round_", "lasted", "missing"),
    [
        (queue(9, 1), gap_round(9), 7, (7, 8)),
        ((*queue(8, 1), *queue(10, 1)), gap_round(8, 10), 7, (7, 9)),
        (queue(9, 1), gap_round(7, 9), 8, (8,)),
        ((empty_slot(7), *queue(8, 1)), gap_round(8), None, (7,)),
        ((empty_slot(8), *queue(9, 1)), gap_round(9), 7, (7, 8)),
        ((empty_slot(7),), gap_round(), None, ()),
        (queue(5, 2), gap_round(), None, ()),
    ],
    ids=[
        "two",
        "two apart",
        "one is listed without a slot",
        "one is to be filled",
        "both",
        "nothing above",
        "all are used",
    ],
)
def test_missing_nonces_are_named_in_order(
    slots: tuple[Slot, ...], round_: AccountRound, lasted: int | None, missing: tuple[int, ...]
) -> None:
    """From the network's next nonce on, below a live one, each once."""
    memory = before(gap_nonce=lasted, gap_rounds=1)
    assert decided(slots, round_, before=memory).gap_nonces == missing


def test_missing_nonces_are_named_up_to_a_limit() -> None:
    """A transaction of a nonce far above makes neither a long list nor a long wait."""
    far = slot_of(nonce=2**60)
    memory = before(gap_nonce=7, gap_rounds=1)
    decision = decided(far, gap_round(2**60), before=memory)
    assert decision.gap_nonces == tuple(range(7, 7 + GAP_NONCES_MAX))
    two = (slot_of(nonce=700), slot_of(nonce=2000))
    assert decided(two, gap_round(700, 2000), before=memory).gap_nonces == (
        *range(7, 700),
        *range(701, 701 + GAP_NONCES_MAX - 693),
    )
    counted = round_of(*references({}, pending=2**59), local=local({}, pool=()))
    assert decided(far, counted, before=memory).slots[far.id].row == "9"


def test_gap_is_told_when_it_has_lasted() -> None:
    """A later transaction may come in first: one round is no gap, and another nonce is another."""
    memory = AccountCounters()
    told = []
    for number, listed in ((TIP, (9,)), (TIP, (9,)), (TIP + 1, (9,)), (TIP + 2, (7, 9))):
        round_ = replace(gap_round(*listed), head=round_of(number=number).head)
        decision = decided(queue(9, 1), round_, before=memory)
        memory = decision.counters
        told.append((decision.gap_nonces, memory.gap_nonce, memory.gap_rounds))
    assert told == [((), 7, 1), ((), 7, 1), ((7, 8), 7, 2), ((), 8, 1)]


@pytest.mark.parametrize(
    "round_",
    [
        replace(gap_round(9), head=None),
        replace(gap_round(9), references=references({})[:1]),
        replace(gap_round(9), references=references({}, nonce=TIMEOUT)),
        replace(gap_round(9), references=references({}, pending=TIMEOUT)),
        replace(gap_round(9), local=TIMEOUT),
    ],
    ids=["no head", "one reference", "no next nonce", "nothing counted", "no local node"],
)
def test_gap_is_neither_told_nor_forgotten_where_it_cannot_be_known(round_: AccountRound) -> None:
    """The next round that sees it tells it, without counting from the beginning."""
    memory = before(gap_nonce=7, gap_rounds=5)
    decision = decided(queue(9, 1), round_, before=memory)
    assert decision.gap_nonces == ()
    assert decision.slots[9].state in {State.EVIDENCE_WEAK, State.BLOCKED}
    assert (decision.counters.gap_nonce, decision.counters.gap_rounds) == (7, 5)


def test_gap_that_nothing_closes_is_told_before_one_that_closes() -> None:
    """Below one are a dropped transaction, sent again, and a nonce without bytes."""
    lost = slot_of(attempt(tx_hash=hash_of("tx 7")))
    dropped = slot_of()
    for lowest, level in ((lost, Level.FAILED), (dropped, Level.FAILED)):
        round_ = round_of(
            *references("absent"),
            local=local("absent", pool=[PoolEntry(hash_of("tx 9"), 9, "queued")]),
        )
        memory = before(gap_nonce=8, gap_rounds=1)
        slots = (lowest, *queue(9, 1))
        decision = decided(slots, round_, counters=after(2, "absent"), before=memory)
        assert decision.slots[9].level is level
        assert 8 in decision.gap_nonces


def test_dropped_transaction_at_whose_nonce_something_is_counted_is_no_gap() -> None:
    """Its hash is unknown, and somebody counts another at its nonce: what follows is blocked."""
    views = references("absent", pending=8)
    decision = decided(queue(7, 2), round_of(*views, local=local("absent", pool=())))
    again = decided(
        queue(7, 2),
        round_of(*views, local=local("absent", pool=())),
        counters=after(2, "absent"),
    )
    assert decision.slots[7].state is State.PENDING
    assert (again.slots[7].state, again.slots[8].state) == (State.DROPPED, State.BLOCKED)


def test_gap_is_that_of_a_dropped_transaction_where_nobody_counts() -> None:
    """Counts that could not be seen say nothing of another transaction at its nonce."""
    views = references("absent", pending=TIMEOUT)
    round_ = round_of(*views, local=local("absent", pool=TIMEOUT, pending=TIMEOUT))
    decision = decided(queue(7, 2), round_, counters=after(2, "absent"))
    assert (decision.slots[7].state, decision.slots[8].state) == (State.DROPPED, State.GAP)


def test_slot_to_be_filled_is_no_gap_where_that_cannot_be_known() -> None:
    """Without the local node it may be alive there; what follows is blocked."""
    decision = decided((empty_slot(), *queue(8, 1)), round_of(*references({}), local=TIMEOUT))
    assert decision.gap_nonces == ()
    assert (decision.slots[7].row, decision.slots[8].row) == ("19", "9")


# -- S1 and S2 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "views", "rounds", "told"),
    [
        (local({}, pending=9), references({}), 1, 2),
        (local({}, pending=9), references({}), 0, 0),
        (local({}, pending=7), references({}), 9, 0),
        (local({}, pending=6), references({}), 9, 0),
        (local({}, pending=9), (*references({})[:2], view("net/c", {}, pending=8)), 1, 1),
        (local({}, pending=9), references({}, pending=TIMEOUT), 9, 0),
        (local({}, pending=TIMEOUT), references({}), 9, 0),
        (TIMEOUT, references({}), 9, 0),
        (local({}, pending=9), references({})[:1], 9, 0),
    ],
    ids=[
        "two more for two rounds",
        "for one",
        "equal",
        "fewer",
        "one reference has one of them",
        "references unseen",
        "local count unseen",
        "no local node",
        "weak",
    ],
)
def test_local_node_that_counts_more_is_told_after_two_blocks(
    here: View | Unseen, views: tuple[View, ...], rounds: int, told: int
) -> None:
    """S1: np_L - np_R, for two blocks; unseen is not said."""
    decision = decided((), round_of(*views, local=here), before=before(ahead_rounds=rounds))
    assert decision.local_only == told
    assert decision.reason == ("local_ahead" if told else "idle")
    assert decision.level is (Level.DEGRADED if told else Level.OK)


@pytest.mark.parametrize(
    ("slots", "strange"),
    [
        ((), 2),
        (queue(7, 1), 1),
        (queue(7, 2), 0),
        (queue(7, 5), 0),
        (queue(9, 2), 2),
        ((empty_slot(),), 2),
    ],
    ids=["none is known", "one is", "both are", "and more", "others are", "one is to be filled"],
)
def test_local_nonces_that_known_transactions_explain_are_no_trouble(
    slots: tuple[Slot, ...], strange: int
) -> None:
    """S1: what is known says by itself how it is; the rest is only a count, and told as such."""
    round_ = round_of(*references({}), local=local({}, pending=9))
    decision = decided(slots, round_, before=before(ahead_rounds=1))
    assert decision.local_only == 2
    assert (decision.reason == "local_ahead") is bool(strange)
    if strange:
        assert decision.summary == (
            "the local node counts 2 nonces that no reference does, "
            f"and of {strange} no transaction is known"
        )


@pytest.mark.parametrize(
    ("here", "views", "rounds", "stale"),
    [
        (local({}, nonce=6, pending=6), references({}), 1, True),
        (local({}, nonce=6, pending=6), references({}), 0, False),
        (local({}, nonce=6, pending=7), references({}), 9, False),
        (local({}, pending=TIMEOUT), references({}), 9, False),
        (TIMEOUT, references({}), 9, False),
        (local({}, nonce=6, pending=6), references({}, nonce=TIMEOUT), 9, False),
        (local({}, nonce=6, pending=6), references({})[:1], 9, False),
    ],
    ids=["behind", "for one round", "not behind", "unseen", "no node", "no nonce", "weak"],
)
def test_local_node_that_would_reuse_nonces_is_told(
    here: View | Unseen, views: tuple[View, ...], rounds: int, *, stale: bool
) -> None:
    """S2: np_L < nl_R: the worst there is, once it is more than a block in flight."""
    decision = decided((), round_of(*views, local=here), before=before(stale_rounds=rounds))
    assert decision.is_local_stale is stale
    assert decision.level is (Level.FAILED if stale else Level.OK)
    assert (decision.reason == "nonce_reused") is stale
    if stale:
        assert decision.summary == (
            "the local node would hand out nonce 6, and the network has used all below 7"
        )


@pytest.mark.parametrize(
    ("here", "ahead", "stale"),
    [
        (local({}, nonce=9, pending=9), 3, 0),
        (local({}, nonce=6, pending=6), 0, 3),
        (local({}, nonce=7, pending=7), 0, 0),
        (TIMEOUT, 2, 2),
    ],
    ids=["ahead", "stale", "equal", "unseen"],
)
def test_rounds_of_the_account_are_counted_held_or_begun_anew(
    here: View | Unseen, ahead: int, stale: int
) -> None:
    """S1 and S2 are counted as everything is: once a head, and held by what is unseen."""
    memory = before(ahead_rounds=2, stale_rounds=2)
    counters = decided((), round_of(*references({}), local=here), before=memory).counters
    assert (counters.ahead_rounds, counters.stale_rounds) == (ahead, stale)
    assert counters.counted_number == TIP
    weak = decided((), round_of(local=here), before=memory).counters
    assert weak == memory


# -- S3 ------------------------------------------------------------------------------------------

TWICE = slot_of(attempt(), attempt(payment("another 7", value_wei=2 * ETHER)))


@pytest.mark.parametrize(
    ("slot", "listed", "conflicts"),
    [
        (TWICE, (), (7,)),
        (slot_of(), (), ()),
        (slot_of(attempt(), attempt(payment("dearer 7"), kind="replace")), (), ()),
        (slot_of(attempt(), attempt(cancellation(), kind="cancel")), (), ()),
        (slot_of(), (PoolEntry(hash_of("tx 7"), 7, "pending"),), ()),
        (slot_of(), (PoolEntry(hash_of("another 7"), 7, "pending"),), (7,)),
        (slot_of(), (PoolEntry(hash_of("tx 8"), 8, "pending"),), ()),
    ],
    ids=[
        "signed twice",
        "once",
        "replaced by order",
        "cancelled by order",
        "listed",
        "another is listed",
        "another nonce is listed",
    ],
)
def test_nonce_that_was_signed_twice_is_a_conflict(
    slot: Slot, listed: tuple[PoolEntry, ...], conflicts: tuple[int, ...]
) -> None:
    """S3: two hashes of the sender's, or one in the pool that nobody knows; not ours."""
    has = dict.fromkeys((one.hash for one in slot.attempts), "pending")
    round_ = round_of(*references(has), local=local({}, pool=listed))
    decision = decided(slot, round_)
    assert decision.conflicts == conflicts
    assert decision.level is (Level.DEGRADED if conflicts else Level.OK)
    assert (decision.reason == "conflict") is bool(conflicts)


# -- the worst -----------------------------------------------------------------------------------


def test_account_is_as_bad_as_its_worst_slot() -> None:
    """Of equals the lowest nonce is named, with how many there are besides."""
    cheap = slot_of(attempt(LOW_CAP), age_blocks=OLD)
    decision = decided((cheap, *queue(8, 2)), round_of(*POOLED, local=local()))
    assert (decision.level, decision.reason) == (Level.DEGRADED, "underpriced_cap")
    assert decision.summary == "nonce 7: its fee cap 9 gwei is below the base fee 10 gwei"
    assert decision.evidence == decision.slots[7].evidence


def test_account_on_weak_evidence_is_unknown_if_anything_is_on_its_way() -> None:
    """Nothing on its way needs no evidence."""
    round_ = round_of(*references({})[:1])
    assert decided((), round_).level is Level.OK
    decision = decided(queue(7, 3), round_)
    assert (decision.level, decision.reason) == (Level.UNKNOWN, "evidence_weak")
    assert decision.summary == (
        "nonce 7 (and 2 more): only 1 of 3 reference operators could be asked, 2 must agree"
    )


def test_account_that_is_well_says_how_many_are_on_their_way() -> None:
    """And how the lowest is."""
    decision = decided(queue(7, 2), round_of(*POOLED, local=local()))
    assert (decision.level, decision.reason) == (Level.OK, "under_way")
    assert decision.summary == (
        "2 on their way or not final, all well; nonce 7: known to 3 of 3 reference operators"
    )


def test_reused_nonces_are_told_before_a_slot_that_is_as_bad() -> None:
    """S2 makes more of them with every payment; the rest waits."""
    lost = slot_of(attempt(tx_hash=hash_of("tx 7")))
    round_ = round_of(*references("absent"), local=local("absent", nonce=6, pending=6))
    memory = before(stale_rounds=5)
    decision = decided(lost, round_, counters=after(2, "absent"), before=memory)
    assert decision.slots[7].state is State.LOST
    assert decision.reason == "nonce_reused"


def test_local_count_is_told_after_what_is_as_bad() -> None:
    """S1 is an early warning: a transaction of which more is known is told before it."""
    reverted = receipt_of(number=TIP - 9, is_success=False)
    round_ = round_of(*references(reverted, nonce=8), local=local(reverted, nonce=8, pending=10))
    decision = decided(slot_of(), round_, before=before(ahead_rounds=5))
    assert (decision.reason, decision.local_only) == ("reverted", 2)
