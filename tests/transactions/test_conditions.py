"""The decision table's conditions, row by row: what matches, what just does not, what is unseen.

Every row has its section. In the tables, a case says what is different from a round in which the
row matches, and which row of the table is the first to match then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Hash32, Level, Unseen
from monitor.transactions.words import (
    TERMINAL,
    AccountCounters,
    AccountRound,
    Act,
    Attempt,
    Counters,
    PoolEntry,
    Slot,
    State,
    Transaction,
    View,
)
from tests.transactions.builders import (
    ETHER,
    GWEI,
    INTERVAL,
    LOW_CAP,
    LOW_TIP,
    NONCE,
    NOW,
    OLD,
    ONE_OPERATOR,
    POOLED,
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
    outcome,
    payment,
    queue,
    receipt_of,
    references,
    round_of,
    slot_of,
    verdict,
    view,
)

# -- 0: evidence ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("round_", "row"),
    [
        (round_of(*references("pending")[:1], local=local()), "0"),
        (round_of(local=local()), "0"),
        (round_of(*references("pending"), number=None, local=local()), "0"),
        (round_of(*references("pending")[:2], local=local()), "19"),
        (round_of(*references("pending")[:1], local=local(), **ONE_OPERATOR), "19"),
    ],
    ids=["one of three", "none", "no head", "two of three", "the only one"],
)
def test_evidence_of_too_few_references_gives_no_verdict(round_: AccountRound, row: str) -> None:
    """Row 0: below a quorum of fresh operators, or without a head, nothing is said."""
    decision = verdict(slot_of(), round_)
    assert decision.row == row
    assert (decision.state is State.EVIDENCE_WEAK) is (row == "0")
    assert decision.level is (Level.UNKNOWN if row == "0" else Level.OK)


def test_two_references_of_one_operator_are_one_vote() -> None:
    """Row 0: a second endpoint of the same operator makes no quorum."""
    twice = [view(f"net/{name}", "pending", operator="a") for name in ("a1", "a2")]
    assert verdict(slot_of(), round_of(*twice, local=local())).row == "0"


@pytest.mark.parametrize(
    ("has", "nonce", "acts"),
    [
        ("absent", NONCE, (Act.REBROADCAST,)),
        (TIMEOUT, NONCE, (Act.REBROADCAST,)),
        ("pending", NONCE, ()),
        ("absent", NONCE - 1, ()),
    ],
)
def test_weak_evidence_allows_the_same_bytes_of_the_lowest_nonce(
    has: Any, nonce: int, acts: tuple[Act, ...]
) -> None:
    """Row 0: what nobody fresh is known to have may be sent again; nothing else is done."""
    round_ = round_of(view("net/a", has), local=local())
    earlier = slot_of(nonce=nonce) if nonce < NONCE else None
    others = () if earlier is None else (earlier,)
    decision = verdict(slot_of(), round_, others=others)
    assert (decision.row, decision.acts, decision.is_weak) == ("0", acts, True)


def test_weak_evidence_keeps_the_counters() -> None:
    """Row 0: a round without evidence neither counts nor begins anew."""
    before = Counters(TIP - 1, absent_rounds=2, taken_rounds=1, unmined_rounds=1)
    decision = verdict(slot_of(), round_of(*references("absent")[:1]), counters=before)
    assert decision.counters == before


def test_mined_slot_on_weak_evidence_is_not_told_as_mined() -> None:
    """Row 0 comes before rows 1 to 3: without a head nothing is final, or mined."""
    round_ = round_of(*references(receipt_of(number=800), nonce=8), number=None)
    decision = verdict(slot_of(), round_)
    assert (*outcome(decision), decision.receipt) == ("0", State.EVIDENCE_WEAK, None)


def test_references_without_a_common_next_nonce_are_weak_evidence() -> None:
    """Row 0 again: where a quorum names no next nonce, no row that needs it matches."""
    views = (view("net/a", "pending"), *references("pending", nonce=TIMEOUT)[1:])
    decision = verdict(slot_of(age_blocks=STUCK), round_of(*views, local=local("absent")))
    assert (*outcome(decision), decision.acts) == ("0", State.EVIDENCE_WEAK, ())
    assert decision.level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("slot", "views", "row", "acts"),
    [
        (slot_of(age_blocks=STUCK), references(TIMEOUT), "0", (Act.REBROADCAST,)),
        (slot_of(age_blocks=150), references(TIMEOUT), "19", ()),
        (
            slot_of(age_blocks=STUCK),
            references("absent", TIMEOUT, TIMEOUT),
            "0",
            (Act.REBROADCAST,),
        ),
        (
            slot_of(age_blocks=STUCK),
            references("pending", TIMEOUT, TIMEOUT),
            "18",
            (Act.REBROADCAST,),
        ),
        (slot_of(age_blocks=STUCK), references(TIMEOUT, nonce=6), "9", ()),
        (slot_of(age_blocks=STUCK), references(TIMEOUT, nonce=8), "0", ()),
        (slot_of(age_blocks=150), references(TIMEOUT, nonce=8), "19", ()),
        (slot_of(age_blocks=STUCK), references("absent", nonce=8), "19", ()),
        (slot_of(age_blocks=STUCK), references("absent", TIMEOUT, TIMEOUT, nonce=8), "0", ()),
        (empty_slot(), references({}, pending=8), "19", ()),
    ],
    ids=[
        "presence unseen for long",
        "not so long",
        "one answer is no quorum",
        "one has it",
        "not the next",
        "receipts unseen for long",
        "receipts unseen, not so long",
        "receipts seen",
        "one answer about receipts is no quorum",
        "nothing to ask for",
    ],
)
def test_references_that_do_not_answer_for_long_are_weak_evidence(
    slot: Slot, views: tuple[View, ...], row: str, acts: tuple[Act, ...]
) -> None:
    """Row 0 again: an old transaction of which nothing can be said is not well, it is unknown."""
    decision = verdict(slot, round_of(*views, local=local()))
    assert (decision.row, decision.acts) == (row, acts)
    assert (decision.level is Level.UNKNOWN) is (row == "0")


# -- 1: final ------------------------------------------------------------------------------------

FINAL = receipt_of(number=900)


def final_round(**changes: Any) -> AccountRound:
    """Mined in block 900, which is final, as everybody says."""
    views = references(FINAL, nonce=8)
    return round_of(*views, local=local(FINAL, nonce=8), **changes)


@pytest.mark.parametrize(
    ("round_", "state"),
    [
        (final_round(), State.FINAL_OK),
        (final_round(final_number=899), State.MINED),
        (final_round(final_number=None), State.MINED),
        (round_of(*references(FINAL, FINAL, "absent", nonce=8)), State.FINAL_OK),
        (round_of(*references(FINAL, FINAL, TIMEOUT, nonce=8)), State.FINAL_OK),
        (round_of(*references(FINAL, "absent", "absent", nonce=8)), State.PENDING),
        (round_of(*references(FINAL, TIMEOUT, TIMEOUT, nonce=8)), State.PENDING),
        (round_of(*references(FINAL, nonce=8)[:1]), State.EVIDENCE_WEAK),
    ],
    ids=[
        "at the final block",
        "one above it",
        "finality unknown",
        "two of three",
        "two of three, one unseen",
        "one of three",
        "one of three, two unseen",
        "one fresh",
    ],
)
def test_receipt_of_a_quorum_in_a_final_block_is_final(round_: AccountRound, state: State) -> None:
    """Row 1: a quorum, the same block, at or below the final one; nothing less closes a slot."""
    decision = verdict(slot_of(), round_)
    assert decision.state is state
    assert (decision.state in TERMINAL) is (state is State.FINAL_OK)
    assert decision.acts == ()


@pytest.mark.parametrize(("number", "row"), [(900, "1"), (901, "2")])
def test_revert_is_explained_and_never_tried_again(number: int, row: str) -> None:
    """Row 1: a reverted transaction closes its slot; why is asked, and nothing is sent."""
    receipt = receipt_of(number=number, is_success=False)
    decision = verdict(slot_of(), round_of(*references(receipt, nonce=8)))
    assert decision.row == row
    assert decision.state is (State.FINAL_REVERTED if row == "1" else State.REVERTED)
    assert (decision.level, decision.acts) == (Level.DEGRADED, (Act.EXPLAIN_REVERT,))
    assert decision.receipt == receipt


def test_status_on_which_references_disagree_is_no_quorum() -> None:
    """Row 1: the same block with another status is another statement."""
    views = references(FINAL, replace(FINAL, is_success=False), "absent", nonce=8)
    decision = verdict(slot_of(), round_of(*views))
    assert (decision.state, decision.receipt) == (State.PENDING, None)


@pytest.mark.parametrize(
    ("attempts", "mined", "state"),
    [
        ([attempt(cancellation())], "cancel 7", State.FINAL_OK),
        ([attempt(), attempt(cancellation())], "cancel 7", State.CANCELLED),
        ([attempt(), attempt(cancellation(), kind="cancel")], "cancel 7", State.CANCELLED),
        ([attempt(), attempt(cancellation(), kind="cancel")], "tx 7", State.FINAL_OK),
        ([attempt(cancellation("fill 7"), kind="fill")], "fill 7", State.CANCELLED),
        ([attempt(), attempt(payment("dearer 7"), kind="replace")], "dearer 7", State.FINAL_OK),
    ],
    ids=[
        "a transfer to oneself that was meant",
        "the sender took it back",
        "cancelled by order",
        "the payment was faster",
        "a gap was filled",
        "replaced by order",
    ],
)
def test_final_slot_is_named_by_what_was_mined(
    attempts: list[Attempt], mined: str, state: State
) -> None:
    """Row 1: who wins the race for a nonce is told by the block, not by what was ordered."""
    slot = slot_of(*attempts)
    has: dict[Hash32, Any] = dict.fromkeys((one.hash for one in slot.attempts), "absent")
    has[hash_of(mined)] = receipt_of(mined, number=900)
    decision = verdict(slot, round_of(*references(has, nonce=8)))
    assert (*outcome(decision), decision.level) == ("1", state, Level.OK)


# -- 2: mined ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "level"),
    [(TIP - 2, Level.DEGRADED), (TIP - 1, Level.OK), (TIP, Level.OK), (TIP + 1, Level.OK)],
)
def test_revert_is_told_from_three_blocks_deep(number: int, level: Level) -> None:
    """Row 2: one in the newest block may yet be undone; three deep it is told."""
    receipt = receipt_of(number=number, is_success=False)
    decision = verdict(slot_of(), round_of(*references(receipt, nonce=8)))
    assert (*outcome(decision), decision.level) == ("2", State.REVERTED, level)


def test_mined_transaction_waits_with_its_receipt() -> None:
    """Row 2: the receipt goes along, so that the block can be looked at again."""
    receipt = receipt_of(number=TIP - 3)
    round_ = round_of(*references(receipt, nonce=8), local=local(receipt, nonce=8))
    decision = verdict(slot_of(), round_)
    assert (*outcome(decision), decision.level) == ("2", State.MINED, Level.OK)
    assert decision.receipt == receipt
    assert "4 blocks deep" in decision.summary


@pytest.mark.parametrize(
    ("state", "row", "shown"),
    [
        (State.MINED, "2", State.MINED),
        (State.REVERTED, "2", State.REVERTED),
        (State.LOCAL_LAG, "3", State.LOCAL_LAG),
        (State.EVIDENCE_WEAK, "2", State.MINED),
        (State.PENDING, "19", State.PENDING),
        (State.REORGED_OUT, "19", State.PENDING),
    ],
)
def test_mined_slot_that_nobody_was_asked_about_stays_as_it_was(
    state: State, row: str, shown: State
) -> None:
    """Rows 2 and 3: not asked is no news of a block; a block that was lost is not found so."""
    slot = slot_of(state=state, mined_number=TIP - 1, mined_hash=head_at(TIP - 1).hash)
    round_ = round_of(*references({}, nonce=8), local=local({}, nonce=8))
    assert outcome(verdict(slot, round_)) == (row, shown)


def test_mined_slot_that_could_not_be_seen_is_not_as_it_was() -> None:
    """Rows 2 and 3: asked without an answer is not the same as not asked."""
    slot = slot_of(state=State.MINED, mined_number=TIP, mined_hash=head_at(TIP).hash)
    assert outcome(verdict(slot, round_of(*references(TIMEOUT, nonce=8)))) == ("19", State.PENDING)


# -- 3: local lag --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("local_number", "row"), [(TIP - 2, "3"), (TIP - 1, "2"), (TIP, "2"), (None, "2")]
)
def test_local_node_below_the_block_lags(local_number: int | None, row: str) -> None:
    """Row 3: mined on the network, and the local node has not got to that height."""
    here = TIMEOUT if local_number is None else local("pending", number=local_number)
    receipt = receipt_of(number=TIP - 1)
    decision = verdict(slot_of(), round_of(*references(receipt, nonce=8), local=here))
    assert outcome(decision) == (row, State.LOCAL_LAG if row == "3" else State.MINED)
    assert decision.level is Level.OK


def test_revert_is_not_hidden_by_a_local_lag() -> None:
    """Row 3 says that the transaction is fine; a revert is not."""
    receipt = receipt_of(number=TIP, is_success=False)
    here = local("pending", number=TIP - 5)
    decision = verdict(slot_of(), round_of(*references(receipt, nonce=8), local=here))
    assert outcome(decision) == ("2", State.REVERTED)


# -- 4: local fork -------------------------------------------------------------------------------

ORPHAN = receipt_of(number=TIP - 5, branch="orphan")


def fork_round(*has: Any, nonce: int = NONCE, **changes: Any) -> AccountRound:
    """Mined in a block of the local node, five blocks ago; nobody else has it in one."""
    views = references(*(has or ("absent",)), nonce=nonce, **changes)
    return round_of(*views, local=local(ORPHAN, nonce=8, branch="orphan"))


@pytest.mark.parametrize(
    ("round_", "counters", "row"),
    [
        (fork_round(), after(1, "forked"), "4"),
        (fork_round("pending"), after(1, "forked"), "4"),
        (fork_round(), after(0, "forked"), "19"),
        (fork_round(), after(1, "forked", number=TIP), "19"),
        (fork_round("absent", "absent", TIMEOUT), after(1, "forked"), "4"),
        (fork_round("absent", TIMEOUT, TIMEOUT), after(9, "forked"), "19"),
        (fork_round(number=TIP - 6), after(9, "forked"), "19"),
        (fork_round(number=TIP - 5), after(1, "forked"), "4"),
        (fork_round(nonce=8), after(9, "forked"), "19"),
    ],
    ids=[
        "absent elsewhere",
        "pooled elsewhere",
        "for one round",
        "the same head again",
        "one unseen",
        "two unseen",
        "references below its block",
        "references at its block",
        "nonce used on the network",
    ],
)
def test_block_that_only_the_local_node_has_is_a_fork(
    round_: AccountRound, counters: Counters, row: str
) -> None:
    """Row 4: a quorum as high as its block has it in none, for two rounds, nl_R ≤ N."""
    decision = verdict(slot_of(), round_, counters=counters)
    assert decision.row == row
    if row == "4":
        assert (decision.state, decision.level) == (State.LOCAL_FORK, Level.FAILED)
        assert decision.acts == (Act.REBROADCAST,)


def test_fork_is_seen_by_the_hash_where_no_receipt_was_asked() -> None:
    """Row 4: `eth_getTransactionByHash` at the local node names a block, too."""
    decision = verdict(
        slot_of(),
        round_of(*references("absent"), local=local("mined", nonce=8)),
        counters=after(1, "forked"),
    )
    assert outcome(decision) == ("4", State.LOCAL_FORK)


def test_fork_of_several_slots_sends_each_of_them() -> None:
    """Rows 4 and 6 are the exception to the lowest nonce: a lost block held them all."""
    orphans = {hash_of(f"tx {n}"): receipt_of(f"tx {n}", number=TIP - 5) for n in (7, 8)}
    gone = dict.fromkeys(orphans, "absent")
    round_ = round_of(*references(gone), local=local(orphans, nonce=9))
    slots = queue(7, 2)
    memory = {slot.id: after(1, "forked") for slot in slots}
    decision = decided(slots, round_)
    assert {one.state for one in decision.slots.values()} == {State.PENDING, State.BLOCKED}
    again = verdict(slots[1], round_, counters=memory[8], others=slots[:1])
    assert (again.state, again.acts) == (State.LOCAL_FORK, (Act.REBROADCAST,))


# -- 5: reorg running ----------------------------------------------------------------------------

OTHER = receipt_of(number=TIP, branch="other")


@pytest.mark.parametrize(
    ("has", "state"),
    [
        ((receipt_of(), OTHER, "absent"), State.REORG_RUNNING),
        ((receipt_of(), OTHER, TIMEOUT), State.REORG_RUNNING),
        ((receipt_of(), receipt_of(), OTHER), State.MINED),
        ((receipt_of(), "absent", TIMEOUT), State.PENDING),
    ],
    ids=["one against one", "and one unseen", "two against one", "one against none"],
)
def test_references_that_name_different_blocks_are_waited_for(
    has: tuple[Any, ...], state: State
) -> None:
    """Row 5: no quorum, and more than one block; with a quorum it is mined."""
    decision = verdict(slot_of(), round_of(*references(*has, nonce=8)))
    assert (decision.state, decision.acts) == (state, ())


def test_operator_that_contradicts_itself_names_no_block() -> None:
    """Row 5: two endpoints of one operator at odds are no vote, and no reorg."""
    views = (
        view("net/a1", receipt_of(), operator="a", nonce=8),
        view("net/a2", OTHER, operator="a", nonce=8),
        view("net/b", "absent", nonce=8),
    )
    assert verdict(slot_of(), round_of(*views)).state is State.PENDING


# -- 6: reorged out ------------------------------------------------------------------------------

WAS_MINED = slot_of(
    state=State.MINED, mined_number=TIP - 1, mined_hash=head_at(TIP - 1, "gone").hash
)


@pytest.mark.parametrize(
    ("slot", "views", "counters", "row"),
    [
        (WAS_MINED, references("absent"), after(1, "unmined"), "6"),
        (WAS_MINED, references("pending"), after(1, "unmined"), "6"),
        (WAS_MINED, references("absent", nonce=6), after(1, "unmined"), "6"),
        (WAS_MINED, references("absent"), after(0, "unmined"), "19"),
        (WAS_MINED, references("absent"), after(1, "unmined", number=TIP), "19"),
        (WAS_MINED, references("absent", nonce=8), after(9, "unmined"), "19"),
        (WAS_MINED, references("absent", "absent", TIMEOUT), after(1, "unmined"), "6"),
        (WAS_MINED, references("absent", TIMEOUT, TIMEOUT), after(9, "unmined"), "19"),
        (WAS_MINED, references("absent", number=TIP - 2), after(9, "unmined"), "19"),
        (slot_of(), references("absent"), after(9, "unmined"), "19"),
        (WAS_MINED, references("pending"), after(7, "unmined"), "6"),
        (WAS_MINED, references("pending"), after(8, "unmined"), "19"),
    ],
    ids=[
        "gone",
        "back in the pools",
        "earlier ones gone, too",
        "for one round",
        "the same head again",
        "its nonce used",
        "one unseen",
        "two unseen",
        "references below its block",
        "never mined",
        "for eight rounds",
        "for nine",
    ],
)
def test_block_that_is_gone_sends_the_same_bytes_at_once(
    slot: Slot, views: tuple[View, ...], counters: Counters, row: str
) -> None:
    """Row 6: had a block, a quorum as high has it in none for two rounds, its nonce is free."""
    decision = verdict(slot, round_of(*views), counters=counters)
    assert decision.row == row
    if row == "6":
        assert (decision.state, decision.level) == (State.REORGED_OUT, Level.DEGRADED)
        assert decision.acts == (Act.REBROADCAST, Act.RESEND)


@pytest.mark.parametrize(("has", "acts"), [("pending", 1), ("absent", 2), (TIMEOUT, 2)])
def test_local_node_that_kept_it_is_not_sent_to_after_a_reorg(has: Any, acts: int) -> None:
    """Row 6: the local node is sent to unless it is known to have it."""
    round_ = round_of(*references("absent"), local=local(has))
    decision = verdict(WAS_MINED, round_, counters=after(1, "unmined"))
    assert decision.acts == (Act.REBROADCAST, Act.RESEND)[:acts]


def test_reorged_transaction_is_dropped_after_a_while() -> None:
    """Row 6 is said for a few blocks; then it is dropped, or lost, like any other."""
    round_ = round_of(*references("absent"), local=local("absent"))
    counters = replace(after(8, "unmined"), absent_rounds=8)
    assert verdict(WAS_MINED, round_, counters=counters).state is State.DROPPED


# -- 7: nonce taken ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("views", "counters", "row"),
    [
        (references("absent", nonce=8), after(2, "taken"), "7"),
        (references("absent", "absent", TIMEOUT, nonce=8), after(2, "taken"), "7"),
        (references("absent", TIMEOUT, TIMEOUT, nonce=8), after(9, "taken"), "19"),
        (references({}, nonce=8), after(9, "taken"), "19"),
        (references("absent", nonce=8), after(1, "taken"), "19"),
        (references("absent", nonce=8), after(2, "taken", number=TIP), "19"),
        (references("absent", nonce=7), after(9, "taken"), "19"),
        (references(receipt_of(), "absent", "absent", nonce=8), after(2, "taken"), "7"),
        (references(receipt_of(), receipt_of(), "absent", nonce=8), after(9, "taken"), "2"),
    ],
    ids=[
        "three rounds",
        "one unseen",
        "two unseen",
        "not asked",
        "two rounds",
        "the same head again",
        "nonce free",
        "one names a receipt",
        "two name a receipt",
    ],
)
def test_nonce_used_by_no_known_transaction_is_taken(
    views: tuple[View, ...], counters: Counters, row: str
) -> None:
    """Row 7: nl_R > N and no receipt for any known hash, by a quorum, for three rounds."""
    decision = verdict(slot_of(), round_of(*views), counters=counters)
    assert decision.row == row
    if row == "7":
        assert (decision.state, decision.level) == (State.NONCE_TAKEN, Level.DEGRADED)
        assert decision.acts == (Act.FIND_CONSUMER,)


def test_used_and_without_receipt_must_be_said_in_one_breath() -> None:
    """Row 7: a reference that has not got to the block does not testify that it is not in it."""
    views = (
        view("net/a", receipt_of(), nonce=8),
        view("net/b", "absent", nonce=8),
        view("net/c", "absent", nonce=7, number=TIP - 1),
    )
    decision = verdict(slot_of(), round_of(*views), counters=after(9, "taken"))
    assert decision.state is State.PENDING


@pytest.mark.parametrize(
    ("views", "state"),
    [
        (references(TIMEOUT, nonce=8), State.NONCE_TAKEN),
        (references({}, nonce=8), State.NONCE_TAKEN),
        (references("absent", nonce=TIMEOUT), State.NONCE_TAKEN),
        (references("pending", nonce=7), State.PENDING),
        (references("absent", nonce=6), State.BLOCKED),
        (references(receipt_of(), nonce=8), State.MINED),
        (references("absent", nonce=8)[:1], State.EVIDENCE_WEAK),
    ],
    ids=["unseen", "not asked", "no nonce", "free again", "lower", "mined", "weak"],
)
def test_taken_nonce_stays_taken_until_it_is_free_or_known(
    views: tuple[View, ...], state: State
) -> None:
    """Row 7: no counter is needed to stay; a reorg, a receipt or weak evidence end it."""
    slot = slot_of(state=State.NONCE_TAKEN)
    assert verdict(slot, round_of(*views)).state is state


def test_all_known_hashes_must_be_without_receipt() -> None:
    """Row 7: of a replaced payment both hashes are looked for."""
    slot = slot_of(attempt(), attempt(payment("dearer 7"), kind="replace"))
    has = {hash_of("tx 7"): "absent", hash_of("dearer 7"): TIMEOUT}
    round_ = round_of(*references(has, nonce=8))
    assert verdict(slot, round_, counters=after(9, "taken")).state is State.PENDING


# -- 8: gaps -------------------------------------------------------------------------------------

LISTED_8 = PoolEntry(hash_of("tx 8"), 8, "queued")
LISTED_7 = PoolEntry(hash_of("another 7"), 7, "pending")
ABOVE = slot_of(nonce=8)
LASTED = AccountCounters(TIP - 1, gap_nonce=7, gap_rounds=1)


def gap_round(*, pending: Any = NONCE, nonce: int = NONCE, **changes: Any) -> AccountRound:
    """Nonce 7 is the network's next; nobody counts anything at it, and the local pool lists 8."""
    views = references({}, nonce=nonce, pending=pending)
    return round_of(*views, **({"local": local({}, pool=[LISTED_8])} | changes))


@pytest.mark.parametrize(
    ("round_", "before", "row"),
    [
        (gap_round(), LASTED, "8"),
        (gap_round(), AccountCounters(), "9"),
        (gap_round(), replace(LASTED, gap_nonce=6), "9"),
        (gap_round(), replace(LASTED, counted_number=TIP), "9"),
        (gap_round(local=local({}, pool=[LISTED_7, LISTED_8])), LASTED, "9"),
        (gap_round(local=local({}, pool=TIMEOUT)), LASTED, "8"),
        (gap_round(local=local({}, pool=None, nonce=6, pending=6)), LASTED, "9"),
        (gap_round(local=local({}, pool=TIMEOUT, pending=TIMEOUT)), LASTED, "9"),
        (gap_round(local=TIMEOUT), LASTED, "9"),
        (gap_round(pending=TIMEOUT), LASTED, "9"),
        (gap_round(pending=8), LASTED, "9"),
        (gap_round(nonce=8, pending=8), LASTED, "19"),
        (gap_round(number=None), LASTED, "0"),
    ],
    ids=[
        "for two rounds",
        "for one",
        "another nonce before",
        "the same head again",
        "the local pool has another transaction there",
        "no pool, and the local counts end there",
        "no pool, and the local node is behind",
        "neither pool nor count",
        "no local node",
        "no pending count at references",
        "references count one there",
        "no gap",
        "no head",
    ],
)
def test_nonce_below_with_nothing_live_is_a_gap(
    round_: AccountRound, before: AccountCounters, row: str
) -> None:
    """Row 8: nobody counts or lists anything there, and that is known of a quorum and locally."""
    decision = decided(ABOVE, round_, before=before)
    one = decision.slots[ABOVE.id]
    assert (one.row, one.acts if row != "0" else ()) == (row, ())
    assert decision.gap_nonces == ((7,) if row == "8" else ())
    if row == "8":
        assert (one.state, one.level) == (State.GAP, Level.FAILED)
        assert (decision.level, decision.reason) == (Level.FAILED, "gap")


def test_pending_counts_of_one_reference_keep_a_gap_from_being_told() -> None:
    """Row 8 says `anywhere`: what one reference counts is somewhere."""
    views = (*references({})[:2], view("net/c", {}, pending=8))
    round_ = round_of(*views, local=local({}, pool=[LISTED_8]))
    assert decided(ABOVE, round_, before=LASTED).slots[8].row == "9"


def test_gap_is_told_by_one_unseen_count_of_three() -> None:
    """Row 8: two operators are a quorum, and what the third does not say is no yes."""
    views = (*references({})[:2], view("net/c", {}, pending=TIMEOUT))
    round_ = round_of(*views, local=local({}, pool=[LISTED_8]))
    assert decided(ABOVE, round_, before=LASTED).slots[8].row == "8"


def test_dropped_predecessor_with_bytes_is_a_gap_that_closes() -> None:
    """Row 8: above a dropped one whose bytes are sent again it is worse than blocked, not lost."""
    round_ = round_of(*references("absent"), local=local("absent", pool=[LISTED_8]))
    decision = decided((slot_of(), ABOVE), round_, counters=after(2, "absent"))
    lowest, above = decision.slots[7], decision.slots[8]
    assert outcome(lowest) == ("17", State.DROPPED)
    assert (*outcome(above), above.level, above.acts) == ("8", State.GAP, Level.DEGRADED, ())
    assert decision.gap_nonces == ()


def test_lost_predecessor_is_a_gap_that_does_not() -> None:
    """Row 8: what is lost is listed among the missing nonces, and may be filled by policy."""
    lost = slot_of(attempt(tx_hash=hash_of("tx 7")), age_blocks=OLD)
    round_ = round_of(*references("absent"), local=local("absent", pool=[LISTED_8]))
    decision = decided((lost, ABOVE), round_, counters=after(2, "absent"))
    assert outcome(decision.slots[7]) == ("17", State.LOST)
    assert decision.slots[7].acts == (Act.FILL,)
    assert (*outcome(decision.slots[8]), decision.slots[8].level) == (
        "8",
        State.GAP,
        Level.FAILED,
    )
    assert decision.gap_nonces == (7,)


@pytest.mark.parametrize(
    ("round_", "age_blocks", "others", "acts"),
    [
        (gap_round(), OLD, [ABOVE], (Act.FILL,)),
        (gap_round(), 25, [ABOVE], ()),
        (gap_round(), OLD, [], ()),
        (gap_round(**ONE_OPERATOR), OLD, [ABOVE], ()),
        (gap_round(nonce=6, pending=6), OLD, [ABOVE], ()),
    ],
    ids=["waited for", "young", "nobody waits for it", "one operator", "not the next"],
)
def test_empty_slot_in_a_gap_may_be_filled(
    round_: AccountRound, age_blocks: int, others: list[Slot], acts: tuple[Act, ...]
) -> None:
    """Row 8: a nonce of which nothing is known, for long, and that later ones wait for."""
    slot = replace(empty_slot(), first_seen_at=NOW - INTERVAL * age_blocks)
    decision = verdict(slot, round_, others=others)
    assert (*outcome(decision), decision.acts) == ("8", State.GAP, acts)
    assert decision.level is Level.FAILED


@pytest.mark.parametrize("pending", [8, TIMEOUT])
@pytest.mark.parametrize("who", [0, 1, 2])
def test_filling_needs_everybody(pending: Any, who: int) -> None:
    """Row 8: a payment that one reference has, or may have, is never overtaken by nothing."""
    views = list(references({}))
    views[who] = view(f"net/{who}", {}, operator="abc"[who], pending=pending)
    slot = replace(empty_slot(), first_seen_at=NOW - 3600.0)
    round_ = round_of(*views, local=local({}, pool=[LISTED_8]))
    assert verdict(slot, round_, others=[ABOVE]).acts == ()


def test_empty_slot_whose_nonce_comes_alive_waits() -> None:
    """Row 8 ends for a slot that was to be filled as soon as anybody counts something there."""
    decision = verdict(empty_slot(), gap_round(pending=8), others=[ABOVE])
    assert (*outcome(decision), decision.acts) == ("19", State.PENDING, ())


# -- 9: blocked ----------------------------------------------------------------------------------


def test_later_nonces_are_merely_blocked() -> None:
    """Row 9: whatever is wrong with a later one, only the lowest is looked into."""
    round_ = round_of(*references("pending"), local=local("absent", pending=8))
    decision = decided((slot_of(age_blocks=STUCK), *queue(8, 5)), round_)
    assert decision.slots[7].row == "18"
    later = [decision.slots[nonce] for nonce in range(8, 13)]
    assert {(*outcome(one), one.level, one.acts) for one in later} == {
        ("9", State.BLOCKED, Level.OK, ())
    }
    assert decision.lowest == 7


# -- 10 to 12: pending here, unknown there -------------------------------------------------------


@pytest.mark.parametrize(
    ("round_", "row"),
    [
        (round_of(*references("absent"), local=local("queued", nonce=5)), "10"),
        (
            round_of(*references("absent", "absent", TIMEOUT), local=local("queued", nonce=5)),
            "10",
        ),
        (
            round_of(*references("absent", TIMEOUT, TIMEOUT), local=local("queued", nonce=5)),
            "19",
        ),
        (round_of(*references("absent", "absent", "queued"), local=local("queued", nonce=5)), "19"),
        (round_of(*references("absent"), local=local("queued", nonce=7)), "12"),
        (round_of(*references("absent"), local=local("queued", nonce=TIMEOUT)), "12"),
        (round_of(*references("absent"), local=local("pending", nonce=5)), "12"),
        (round_of(*references("absent", nonce=6), local=local("queued", nonce=5)), "9"),
        (round_of(*references("absent")[:1], local=local("queued", nonce=5)), "0"),
    ],
    ids=[
        "queued behind",
        "one unseen",
        "two unseen",
        "one has it",
        "local node not behind",
        "local nonce unseen",
        "pending",
        "not the next",
        "weak",
    ],
)
def test_queued_on_a_node_that_is_behind_is_desynced(round_: AccountRound, row: str) -> None:
    """Row 10: nl_R = N, P_R = 0, P_L = queued, nl_L < nl_R: to the references at once."""
    decision = verdict(slot_of(), round_)
    assert decision.row == row
    if row == "10":
        assert (decision.state, decision.level) == (State.LOCAL_DESYNC, Level.DEGRADED)
        assert decision.acts == (Act.REBROADCAST,)
        assert decision.summary == (
            "queued at the local node, whose next nonce is 5 while the network's is 7; "
            "no reference knows it"
        )


@pytest.mark.parametrize(
    ("changes", "age_blocks", "row"),
    [
        ({"local_synced": False}, 0, "11"),
        ({"local_peers": 0}, 0, "11"),
        ({"local_synced": None, "local_peers": 0}, 0, "11"),
        ({"local_synced": None}, 2, "19"),
        ({"local_synced": None}, 3, "12"),
        ({"local_peers": TIMEOUT}, 2, "19"),
        ({"local_peers": TIMEOUT}, 3, "12"),
        ({"local_peers": 1}, 2, "19"),
        ({}, 2, "19"),
        ({}, 3, "12"),
    ],
)
def test_pending_here_and_unknown_there_is_told_by_the_node_or_by_age(
    changes: dict[str, Any], age_blocks: int, row: str
) -> None:
    """Rows 11 and 12: at once on a node known to be off the network, else after two blocks."""
    round_ = round_of(*references("absent"), local=local("pending"), **changes)
    decision = verdict(slot_of(age_blocks=age_blocks), round_)
    assert decision.row == row
    assert decision.acts == (() if row == "19" else (Act.REBROADCAST,))
    assert decision.level is (Level.OK if row == "19" else Level.DEGRADED)


@pytest.mark.parametrize("changes", [{"local_synced": False}, {"local_peers": 0}, {}])
@pytest.mark.parametrize(
    "has", [("absent", TIMEOUT, TIMEOUT), ("absent", "absent", "pending"), ({},)]
)
def test_unseen_or_known_at_a_reference_is_not_unknown(
    changes: dict[str, Any], has: tuple[Any, ...]
) -> None:
    """Rows 11 and 12 need a quorum that says no, and nobody who says yes."""
    round_ = round_of(*references(*has), local=local("pending"), **changes)
    assert verdict(slot_of(age_blocks=9), round_).row == "19"


def test_age_is_reckoned_from_seconds_where_the_height_is_not_known() -> None:
    """Row 12: a slot that was first seen while the network was not has an age, too."""
    round_ = round_of(*references("absent"), local=local("pending"))
    for seconds, row in ((24.0, "19"), (24.5, "12")):
        slot = slot_of(first_seen_number=None, first_seen_at=NOW - seconds)
        assert verdict(slot, round_).row == row


@pytest.mark.parametrize(
    ("transaction", "age_blocks", "changes", "acts"),
    [
        (LOW_CAP, 26, {}, (Act.REPLACE, Act.REBROADCAST)),
        (LOW_CAP, 25, {}, (Act.REBROADCAST,)),
        (LOW_CAP, 26, {"market": TIMEOUT}, (Act.REBROADCAST,)),
        (LOW_CAP, 26, ONE_OPERATOR, (Act.REBROADCAST,)),
        (LOW_TIP, 26, {}, (Act.REBROADCAST,)),
        (payment(), 26, {}, (Act.REBROADCAST,)),
    ],
    ids=["cap low", "cap low, young", "no market", "one operator", "tip low", "priced well"],
)
def test_unpropagated_because_it_is_too_cheap_may_be_replaced(
    transaction: Transaction, age_blocks: int, changes: dict[str, Any], acts: tuple[Act, ...]
) -> None:
    """Row 12 leads to 14: that references refuse a cap below the base fee need not be asked."""
    round_ = round_of(*references("absent"), local=local("pending"), **changes)
    slot = slot_of(attempt(transaction), age_blocks=age_blocks)
    decision = verdict(slot, round_)
    assert (*outcome(decision), decision.acts) == ("12", State.NOT_PROPAGATED, acts)


# -- 13: dropped locally -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("round_", "row"),
    [
        (round_of(*references("pending"), local=local("absent")), "13"),
        (round_of(*references("pending", TIMEOUT, TIMEOUT), local=local("absent")), "13"),
        (round_of(*references("absent", "absent", "queued"), local=local("absent")), "13"),
        (round_of(*references("pending"), local=local("queued")), "19"),
        (round_of(*references("pending"), local=local(TIMEOUT)), "19"),
        (round_of(*references("pending"), local=local({})), "19"),
        (round_of(*references("pending"), local=TIMEOUT), "19"),
        (round_of(*references("pending", nonce=6), local=local("absent")), "9"),
        (round_of(*references(TIMEOUT), local=local("absent")), "19"),
    ],
    ids=[
        "lost",
        "two unseen",
        "one has it",
        "still there",
        "unseen",
        "not asked",
        "no local node",
        "not the next",
        "references unseen",
    ],
)
def test_pooled_elsewhere_and_lost_here_is_sent_to_the_local_node(
    round_: AccountRound, row: str
) -> None:
    """Row 13: nl_R = N, P_R ≥ 1, P_L = absent: harmless, but the sender may reuse its nonce."""
    decision = verdict(slot_of(), round_)
    assert decision.row == row
    assert decision.level is Level.OK
    assert decision.acts == ((Act.RESEND,) if row == "13" else ())


# -- 14 and 15: fees -----------------------------------------------------------------------------

ONE_POOLED = references("pending", "absent", "absent")


@pytest.mark.parametrize(
    ("transaction", "age_blocks", "row"),
    [
        (payment(fee_cap_wei=10 * GWEI - 1), 26, "14"),
        (payment(fee_cap_wei=10 * GWEI - 1), 25, "14"),
        (payment(fee_cap_wei=10 * GWEI), 26, "15"),
        (payment(fee_cap_wei=11 * GWEI - 1), 26, "15"),
        (payment(fee_cap_wei=11 * GWEI), 26, "19"),
        (payment(tip_cap_wei=GWEI - 1), 26, "15"),
        (payment(tip_cap_wei=GWEI - 1), 25, "19"),
        (payment(tip_cap_wei=GWEI), 26, "19"),
    ],
    ids=[
        "cap below",
        "cap below, young",
        "cap at the base fee",
        "what is left below the low tips",
        "what is left at the low tips",
        "tip below",
        "tip below, young",
        "tip at the low tips",
    ],
)
def test_fees_below_the_market_are_replaced_after_a_while(
    transaction: Transaction, age_blocks: int, row: str
) -> None:
    """Rows 14 and 15: F < B is said at once, min(T, F - B) below the tenth only when it is old."""
    slot = slot_of(attempt(transaction), age_blocks=age_blocks)
    decision = verdict(slot, round_of(*POOLED, local=local("pending")))
    assert decision.row == row
    is_acted_on = age_blocks == 26 and row != "19"
    assert decision.level is (Level.DEGRADED if is_acted_on else Level.OK)
    assert decision.acts == ((Act.REPLACE, Act.REBROADCAST) if is_acted_on else ())


@pytest.mark.parametrize("transaction", [LOW_CAP, LOW_TIP])
@pytest.mark.parametrize(
    ("round_", "rows"),
    [
        (round_of(*POOLED, local=local("pending"), market=TIMEOUT), {"19"}),
        (round_of(*references(TIMEOUT), local=local("pending")), {"19"}),
        (round_of(*references("pending", nonce=6), local=local("pending")), {"9"}),
        (round_of(*POOLED[:1], local=local("pending")), {"0"}),
        (round_of(*POOLED[:2], local=local("pending")), {"14", "15"}),
    ],
    ids=["no market", "unseen", "not the next", "weak", "a quorum"],
)
def test_fees_are_judged_of_the_pooled_lowest_with_the_market_seen(
    transaction: Transaction, round_: AccountRound, rows: set[str]
) -> None:
    """Rows 14 and 15 need P_R ≥ 1, nl_R = N, a market, and a quorum of references."""
    decision = verdict(slot_of(attempt(transaction), age_blocks=OLD), round_)
    assert decision.row in rows
    assert (Act.REPLACE in decision.acts) is (rows == {"14", "15"})


@pytest.mark.parametrize("transaction", [LOW_CAP, LOW_TIP])
@pytest.mark.parametrize(
    ("views", "changes"), [(ONE_POOLED, {}), (POOLED, ONE_OPERATOR)], ids=["one of three", "one"]
)
def test_nothing_is_signed_on_the_word_of_one_operator(
    transaction: Transaction, views: tuple[View, ...], changes: dict[str, Any]
) -> None:
    """Rows 14 and 15: the state is said, and told; a replacement needs a quorum that has it."""
    round_ = round_of(*views, local=local("pending"), **changes)
    decision = verdict(slot_of(attempt(transaction), age_blocks=OLD), round_)
    assert (decision.row, decision.level) == (
        "14" if transaction is LOW_CAP else "15",
        Level.DEGRADED,
    )
    assert decision.acts == (Act.REBROADCAST,)


def test_attempt_without_bytes_has_no_fees_to_judge() -> None:
    """Rows 14 and 15: of a hash alone nobody knows what it pays."""
    slot = slot_of(attempt(tx_hash=hash_of("tx 7")), age_blocks=OLD)
    assert verdict(slot, round_of(*POOLED, local=local("pending"))).row == "19"


@pytest.mark.parametrize(
    ("old", "new", "row"),
    [
        ("absent", "pending", "19"),
        ("pending", "absent", "14"),
        ("pending", "pending", "19"),
    ],
)
def test_fees_are_those_of_the_newest_attempt_that_is_pooled(old: str, new: str, row: str) -> None:
    """Rows 14 and 15: a replacement that the references took is what they will mine."""
    slot = slot_of(attempt(LOW_CAP), attempt(payment("dearer 7"), kind="replace"), age_blocks=OLD)
    has = {hash_of("tx 7"): old, hash_of("dearer 7"): new}
    round_ = round_of(*references(has), local=local("pending"))
    assert verdict(slot, round_).row == row


def test_fees_are_those_of_the_attempt_that_a_quorum_has() -> None:
    """Rows 14 and 15: a newer and cheaper attempt that one reference claims moves nothing."""
    slot = slot_of(attempt(), attempt(replace(LOW_CAP, hash=hash_of("cheap 7"))), age_blocks=OLD)
    mine = {hash_of("tx 7"): "pending", hash_of("cheap 7"): "absent"}
    liar = {hash_of("tx 7"): "absent", hash_of("cheap 7"): "pending"}
    round_ = round_of(*references(mine, mine, liar), local=local("pending"))
    assert verdict(slot, round_).row == "19"


@pytest.mark.parametrize(
    ("transaction", "age_blocks", "row", "acts"),
    [
        (LOW_CAP, OLD, "14", (Act.REPLACE, Act.REBROADCAST, Act.RESEND)),
        (LOW_CAP, 5, "14", (Act.RESEND,)),
        (LOW_TIP, OLD, "15", (Act.REPLACE, Act.REBROADCAST, Act.RESEND)),
        (LOW_TIP, 5, "13", (Act.RESEND,)),
        (payment(value_wei=3 * ETHER), 5, "16", ()),
        (payment(), STUCK, "18", (Act.REBROADCAST, Act.RESEND)),
    ],
    ids=["cap low", "cap low, young", "tip low", "tip low, young", "unfunded", "stuck"],
)
def test_lost_here_hides_nothing_worse(
    transaction: Transaction, age_blocks: int, row: str, acts: tuple[Act, ...]
) -> None:
    """Row 13 is harmless, and so gives way to rows 14, 15, 16 and 18; the resend goes along."""
    slot = slot_of(attempt(transaction), age_blocks=age_blocks)
    decision = verdict(slot, round_of(*POOLED, local=local("absent")))
    assert (decision.row, decision.acts) == (row, acts)


# -- 16: funds -----------------------------------------------------------------------------------

COST = payment().cost_max_wei


@pytest.mark.parametrize(
    ("views", "row"),
    [
        (references("pending", balance=COST - 1), "16"),
        (references("pending", balance=COST), "19"),
        (references("absent", balance=COST - 1), "16"),
        (references("pending", balance=TIMEOUT), "19"),
        (references("pending", balance=None), "19"),
        (references("pending", balance=0, nonce=6), "9"),
        (references("pending", balance=0, nonce=8), "19"),
        (references("pending", balance=0)[:1], "0"),
        ((*references("pending", balance=0)[:1], *POOLED[1:]), "19"),
        ((*references("pending", balance=0)[:2], *POOLED[2:]), "16"),
        (
            (*references("pending", balance=TIMEOUT)[:2], *references("pending", balance=0)[2:]),
            "19",
        ),
    ],
    ids=[
        "below",
        "at",
        "and unknown elsewhere",
        "unseen",
        "not asked",
        "not the next",
        "used",
        "weak",
        "one says so",
        "two say so",
        "one says so, two unseen",
    ],
)
def test_balance_below_the_cost_is_unfunded(views: tuple[View, ...], row: str) -> None:
    """Row 16: a quorum names a balance below value and gas at its cap: told, nothing is sent."""
    decision = verdict(slot_of(age_blocks=1), round_of(*views, local=local("pending")))
    assert decision.row == row
    if row == "16":
        assert (decision.state, decision.level) == (State.UNFUNDED, Level.DEGRADED)
        assert decision.acts == ()


@pytest.mark.parametrize(
    ("attempts", "row"),
    [
        ([attempt(), attempt(payment("dear", value_wei=3 * ETHER))], "19"),
        ([attempt(payment(value_wei=3 * ETHER)), attempt(tx_hash=hash_of("unknown"))], "19"),
        ([attempt(payment(value_wei=3 * ETHER)), attempt(payment("b", value_wei=4 * ETHER))], "16"),
    ],
    ids=["one is covered", "one is unknown", "none is covered"],
)
def test_balance_must_cover_no_attempt(attempts: list[Attempt], row: str) -> None:
    """Row 16: any attempt may be mined; of one that was never decoded the cost is not known."""
    has = dict.fromkeys((one.hash for one in attempts), "pending")
    round_ = round_of(*references(has), local=local("pending"))
    assert verdict(slot_of(*attempts), round_).row == row


# -- 17: dropped, lost ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("round_", "counters", "row"),
    [
        (round_of(*references("absent"), local=local("absent")), after(2, "absent"), "17"),
        (round_of(*references("absent"), local=local("absent")), after(1, "absent"), "19"),
        (
            round_of(*references("absent"), local=local("absent")),
            after(2, "absent", number=TIP),
            "19",
        ),
        (
            round_of(*references("absent", "absent", TIMEOUT), local=local("absent")),
            after(2, "absent"),
            "17",
        ),
        (
            round_of(*references("absent", TIMEOUT, TIMEOUT), local=local("absent")),
            after(9, "absent"),
            "19",
        ),
        (round_of(*references("absent"), local=local(TIMEOUT)), after(9, "absent"), "19"),
        (round_of(*references("absent"), local=TIMEOUT), after(9, "absent"), "19"),
        (round_of(*references({}), local=local("absent")), after(9, "absent"), "19"),
        (round_of(*references("absent"), local=local("queued")), after(9, "absent"), "12"),
        (
            round_of(*references("absent", "absent", "pending"), local=local("absent")),
            after(9, "absent"),
            "13",
        ),
        (round_of(*references("absent", nonce=6), local=local("absent")), after(9, "absent"), "9"),
        (round_of(*references("absent", nonce=8), local=local("absent")), after(9, "absent"), "19"),
        (round_of(*references("absent")[:1], local=local("absent")), after(9, "absent"), "0"),
    ],
    ids=[
        "three rounds",
        "two rounds",
        "the same head again",
        "one unseen",
        "two unseen",
        "local unseen",
        "no local node",
        "not asked",
        "still queued here",
        "one has it",
        "not the next",
        "used",
        "weak",
    ],
)
@pytest.mark.parametrize("has_raw", [True, False])
def test_unknown_everywhere_for_three_rounds_is_dropped(
    round_: AccountRound, counters: Counters, row: str, *, has_raw: bool
) -> None:
    """Row 17: nl_R = N, absent at L and R for three rounds; without bytes it is lost."""
    slot = slot_of(attempt(has_raw=has_raw))
    decision = verdict(slot, round_, counters=counters)
    assert decision.row == row
    if row == "17":
        assert decision.state is (State.DROPPED if has_raw else State.LOST)
        assert decision.level is (Level.DEGRADED if has_raw else Level.FAILED)
        assert decision.acts == ((Act.REBROADCAST, Act.RESEND) if has_raw else ())


def test_lost_one_for_which_nothing_waits_is_left_to_its_sender() -> None:
    """Row 17: only a known transaction of a later nonce makes it a gap that may be filled."""
    slot = slot_of(attempt(has_raw=False), age_blocks=OLD)
    round_ = round_of(*references("absent"), local=local("absent", pool=()))
    alone = verdict(slot, round_, counters=after(2, "absent"))
    assert (alone.state, alone.acts) == (State.LOST, ())
    followed = verdict(slot, round_, counters=after(2, "absent"), others=[ABOVE])
    assert followed.acts == (Act.FILL,)


@pytest.mark.parametrize(
    ("here", "absent_rounds"),
    [("absent", 3), (TIMEOUT, 2), ("pending", 0)],
    ids=["absent", "unseen", "there"],
)
def test_rounds_in_a_row_are_counted_held_or_begun_anew(here: Any, absent_rounds: int) -> None:
    """Row 17: a round that could not see neither counts nor ends the row."""
    round_ = round_of(*references("absent"), local=local(here))
    decision = verdict(slot_of(age_blocks=1), round_, counters=after(2, "absent"))
    assert decision.counters == Counters(TIP, absent_rounds=absent_rounds)


def test_rounds_are_counted_once_for_each_head() -> None:
    """Rounds are blocks: however often it is asked at one head, that is one of them."""
    counters = None
    states = []
    for number in (TIP, TIP, TIP, TIP + 1, TIP + 1, TIP - 1, TIP + 2):
        round_ = round_of(*references("absent"), local=local("absent"), number=number)
        decision = verdict(slot_of(), round_, counters=counters)
        counters = decision.counters
        states.append(decision.state)
    assert states == [State.PENDING] * 6 + [State.DROPPED]


def test_slot_with_two_attempts_is_absent_only_if_both_are() -> None:
    """Rows 10 to 18: presence of any attempt is presence, absence is that of all."""
    slot = slot_of(attempt(), attempt(payment("dearer 7"), kind="replace"))
    old, new = hash_of("tx 7"), hash_of("dearer 7")
    for has, row in (
        ({old: "absent", new: "absent"}, "17"),
        ({old: "absent", new: TIMEOUT}, "19"),
        ({old: "absent", new: None}, "19"),
        ({old: "pending", new: "absent"}, "13"),
    ):
        here = local({old: "absent", new: "absent"})
        round_ = round_of(*references(has), local=here)
        assert verdict(slot, round_, counters=after(2, "absent")).row == row


# -- 18: stuck -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "round_", "row"),
    [
        (slot_of(age_blocks=STUCK), round_of(*POOLED, local=local()), "18"),
        (slot_of(age_blocks=STUCK), round_of(*ONE_POOLED, local=local()), "18"),
        (slot_of(age_blocks=150), round_of(*POOLED, local=local()), "19"),
        (slot_of(age_blocks=STUCK), round_of(*POOLED, local=local(), market=TIMEOUT), "19"),
        (slot_of(attempt(LOW_TIP), age_blocks=STUCK), round_of(*POOLED, local=local()), "15"),
        (slot_of(age_blocks=STUCK), round_of(*references(TIMEOUT), local=local()), "0"),
        (slot_of(age_blocks=STUCK), round_of(*references("pending", nonce=6)), "9"),
        (slot_of(age_blocks=STUCK), round_of(*POOLED[:1], local=local()), "0"),
    ],
    ids=["old", "at one", "not so old", "no market", "cheap", "unseen", "not the next", "weak"],
)
def test_old_and_priced_well_is_stuck_for_another_reason(
    slot: Slot, round_: AccountRound, row: str
) -> None:
    """Row 18: P_R ≥ 1, fees fine, older than stuck_after: flagged, and sent again."""
    decision = verdict(slot, round_)
    assert decision.row == row
    if row == "18":
        assert (decision.state, decision.level) == (State.STUCK_OTHER, Level.DEGRADED)
        assert decision.acts == (Act.REBROADCAST,)


# -- 19: otherwise -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "has", "age_blocks", "acts"),
    [
        (TIMEOUT, "absent", 3, (Act.REBROADCAST,)),
        (local(TIMEOUT), "absent", 3, (Act.REBROADCAST,)),
        (TIMEOUT, "absent", 2, ()),
        (TIMEOUT, "pending", 3, ()),
        (TIMEOUT, TIMEOUT, 3, ()),
        (local("absent"), "absent", 3, ()),
        (local("mined", nonce=8), "absent", 3, ()),
    ],
)
def test_unknown_there_and_unseen_here_is_sent_again(
    here: View | Unseen, has: Any, age_blocks: int, acts: tuple[Act, ...]
) -> None:
    """Row 19: the local node may have died with it; the same bytes do no harm."""
    round_ = round_of(*references(has), local=here)
    decision = verdict(slot_of(age_blocks=age_blocks), round_)
    assert (*outcome(decision), decision.acts) == ("19", State.PENDING, acts)
    assert decision.level is Level.OK
