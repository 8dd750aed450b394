"""One account in memory: what is asked next, and what is shown of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.config.transactions import Account
from monitor.model import Level
from monitor.transactions.inclusion import Inclusion, InclusionModel
from monitor.transactions.rules import Rules
from monitor.transactions.ward import (
    BLIND_SECONDS,
    IDLE_SECONDS,
    LATER_DEPTHS,
    RECEIPTS_A_ROUND_MAX,
    SLOTS_SHOWN_MAX,
    SLOW,
    Ward,
    day_of,
)
from monitor.transactions.words import Slot, State
from tests.transactions import builders as make

ACCOUNT = Account(alias="till", address=make.SENDER, network="net", node="local")


def ward_of(*slots: Slot, network_nonce: int | None = make.NONCE) -> Ward:
    ward = Ward(ACCOUNT, Rules(), "net")
    ward.network_nonce = network_nonce
    for slot in slots:
        ward.put(slot)
    return ward


def mined_at(nonce: int, number: int) -> Slot:
    block = make.head_at(number)
    return make.slot_of(nonce=nonce, state=State.MINED, mined_number=number, mined_hash=block.hash)


def test_lowest_is_the_lowest_that_the_network_has_not_used() -> None:
    """What is used already waits for finality, and for nothing else."""
    first, second, third = make.queue(first=5, count=3)
    assert ward_of(third, first, second).lowest == third
    assert ward_of(third, first, second, network_nonce=None).lowest == first
    assert ward_of(first, network_nonce=6).lowest is None
    assert ward_of().lowest is None


def test_question_asks_for_the_lowest_and_not_for_those_behind_it() -> None:
    """Ten thousand that are blocked cost the references nothing."""
    slots = make.queue(count=50)
    question = ward_of(*slots).question(make.TIP, 900)
    assert question.hashes == (slots[0].attempts[0].hash,)
    assert question.mined == ()
    assert question.address == make.SENDER


@pytest.mark.parametrize(
    ("number", "is_asked"),
    [
        (make.TIP, True),
        (make.TIP - 3, True),
        (make.TIP - 4, False),
        (make.TIP - LATER_DEPTHS, True),
        (make.TIP - LATER_DEPTHS - 1, False),
        (900, True),
        (901, False),
    ],
)
def test_question_asks_for_the_receipts_that_are_due(number: int, *, is_asked: bool) -> None:
    """In the first blocks, then now and then, and once its block is final: then it is closed."""
    slot = mined_at(6, number)
    question = ward_of(slot).question(make.TIP, 900)
    assert (question.mined == (slot.attempts[0].hash,)) is is_asked


@pytest.mark.parametrize(("branch", "is_asked"), [("main", False), ("other", True), ("", False)])
def test_question_asks_at_once_where_its_block_is_another(branch: str, *, is_asked: bool) -> None:
    """The majority names another hash at its height: a reorg is not waited for to be due."""
    number = make.TIP - 5
    theirs = make.head_at(number, branch).hash if branch else None
    question = ward_of(mined_at(6, number)).question(make.TIP, 900, lambda asked: theirs)
    assert bool(question.mined) is is_asked


def test_question_asks_for_receipts_of_the_used_and_unmined_at_once() -> None:
    """Its nonce is used, and in which block is not known: that is what must be found out."""
    slot = make.slot_of(nonce=6)
    assert ward_of(slot).question(make.TIP, 900).mined == (slot.attempts[0].hash,)


def test_question_of_one_that_lost_its_block_asks_for_its_receipt() -> None:
    """After a reorg the nonce is free again, and the receipt says whether it came back."""
    slot = replace(mined_at(make.NONCE, make.TIP - 50), state=State.REORGED_OUT)
    assert ward_of(slot).question(make.TIP, 900).mined == (slot.attempts[0].hash,)


def test_question_is_bounded() -> None:
    """A burst of thousands is asked for in portions."""
    slots = make.queue(first=0, count=make.NONCE + 200)
    ward = ward_of(*slots, network_nonce=make.NONCE + 200)
    assert len(ward.question(make.TIP, 900).mined) == RECEIPTS_A_ROUND_MAX
    below = ward.hashes_used_below(10**6, ward.question(None, None))
    assert len(below) == RECEIPTS_A_ROUND_MAX


def test_hashes_used_below_are_those_that_were_not_asked_for() -> None:
    """A nonce that turns out to be used is asked about in the same round."""
    slots = make.queue(count=3)
    ward = ward_of(*slots)
    asked = ward.question(make.TIP, 900)
    assert ward.hashes_used_below(make.NONCE, asked) == ()
    expected = tuple(slot.attempts[0].hash for slot in slots[:2])
    assert ward.hashes_used_below(make.NONCE + 2, asked) == expected


def test_mined_locally_are_those_the_network_has_not_used() -> None:
    """On a private fork all of them are looked at, for they are to be sent."""
    slots = make.queue(count=3)
    ward = ward_of(*slots)
    view = make.local("absent", nonce=make.NONCE + 2)
    assert ward.mined_locally(view) == tuple(slot.attempts[0].hash for slot in slots[:2])
    assert ward.mined_locally(make.TIMEOUT) == ()
    assert ward.mined_locally(make.local("absent", nonce=make.TIMEOUT)) == ()


def test_ward_is_due_with_each_head_while_something_is_on_its_way() -> None:
    """And otherwise now and then, to find what was sent around us."""
    ward = ward_of(make.slot_of())
    assert ward.is_due(make.TIP, make.NOW)
    ward.asked_at, ward.asked_number = make.NOW, make.TIP
    assert not ward.is_due(make.TIP, make.NOW + 1)
    assert ward.is_due(make.TIP + 1, make.NOW + 1)
    assert not ward.is_due(None, make.NOW + BLIND_SECONDS - 1)
    assert ward.is_due(None, make.NOW + BLIND_SECONDS)
    assert ward.is_due(make.TIP, make.NOW + IDLE_SECONDS)
    ward.is_urgent = True
    assert ward.is_due(make.TIP, make.NOW + 1)
    idle = ward_of()
    idle.asked_at, idle.asked_number = make.NOW, make.TIP
    assert not idle.is_due(make.TIP + 1, make.NOW + 1)


def test_put_of_a_closed_slot_forgets_it_with_all_that_was_remembered() -> None:
    """Nothing of what is closed stays in memory."""
    slot = make.slot_of()
    ward = ward_of(slot)
    ward.notes[slot.id] = "sent again"
    ward.reasons[slot.id] = "no"
    ward.put(replace(slot, closed_at=make.NOW))
    assert (ward.slots, ward.notes, ward.reasons) == ({}, {}, {})


def test_facts_show_the_worst_first_and_not_the_address() -> None:
    """What the page draws: counts, ages, nonces, and the rows that matter."""
    slots = make.queue(count=3)
    ward = ward_of(*slots, mined_at(6, make.TIP))
    ward.round = make.round_of(*make.references("absent"), local=make.local())
    decision = make.decided(tuple(ward.slots.values()), ward.round)
    worst = replace(decision.slots[slots[2].id], level=Level.FAILED, summary="it is gone")
    ward.adjust(replace(decision, slots={**decision.slots, slots[2].id: worst}))
    ward.notes[slots[2].id] = "sent again"
    facts = ward.facts(make.NOW)
    assert facts.slots[0].nonce == slots[2].nonce
    assert facts.slots[0].summary == "it is gone; sent again"
    assert facts.states == {"pending": 3, "mined": 1}
    assert facts.oldest_pending_seconds == 5 * make.INTERVAL
    assert facts.nonces["local", "pending"] == make.NONCE + 1
    assert facts.nonces["net/a", "latest"] == make.NONCE
    assert make.SENDER not in repr(facts)


def test_facts_of_many_slots_are_cut() -> None:
    """The page is not as long as the queue."""
    ward = ward_of(*make.queue(count=SLOTS_SHOWN_MAX + 10))
    facts = ward.facts(make.NOW)
    assert len(facts.slots) == SLOTS_SHOWN_MAX
    assert sum(facts.states.values()) == SLOTS_SHOWN_MAX + 10
    assert ward_of().facts(make.NOW).oldest_pending_seconds is None


def test_day_is_that_of_utc() -> None:
    """Budgets end at midnight, UTC, whatever the clock on the wall."""
    assert day_of(1_795_651_199.9) == "2026-11-25"
    assert day_of(1_795_651_200.0) == "2026-11-26"


def test_inclusion_that_stops_is_told_although_nothing_completes() -> None:
    """A well-paid transaction that block after block leaves out counts before it is mined."""
    slot = make.slot_of()
    ward = ward_of(slot)
    ward.inclusion = Inclusion.of(InclusionModel(interval_seconds=12.0, is_poisson=False))
    round_ = make.round_of(*make.references("pending"), local=make.local())
    ward.round = round_
    decision = make.decided((slot,), round_)
    assert decision.slots[slot.id].state is State.PENDING
    levels = []
    for number in range(make.TIP, make.TIP + 20):
        ward.adjust(decision)
        ward.expose(number)
        ward.expose(number)
        assert ward.decision is not None
        levels.append((ward.decision.level, ward.decision.reason == SLOW))
    assert levels[0] == (Level.OK, False)
    assert levels[-1] == (Level.DEGRADED, True)
    mined = make.decided((slot,), make.round_of(*make.references(make.receipt_of())))
    ward.adjust(mined)
    for number in range(make.TIP + 20, make.TIP + 80):
        ward.exposed = (slot.id, number - 1)
        ward.expose(number)
        ward.adjust(mined)
    assert not ward.inclusion.is_alarming


def test_inclusion_counts_the_blocks_between_two_looks() -> None:
    """Polls may skip heads: each of the blocks left it out."""
    slot = make.slot_of()
    one, many = ward_of(slot), ward_of(slot)
    one.round = many.round = make.round_of(*make.references("pending"), local=make.local())
    decision = make.decided((slot,), one.round)
    for ward, step in ((one, 1), (many, 5)):
        ward.inclusion = Inclusion.of(InclusionModel(interval_seconds=12.0, is_poisson=False))
        for number in range(make.TIP, make.TIP + 6, step):
            ward.adjust(decision)
            ward.expose(number)
    assert one.inclusion == many.inclusion


def test_inclusion_does_not_count_what_no_quorum_was_told_of() -> None:
    """A transaction that only one reference has is no failure of the blocks."""
    slot = make.slot_of()
    ward = ward_of(slot)
    ward.inclusion = Inclusion.of(InclusionModel(interval_seconds=12.0, is_poisson=False))
    ward.round = make.round_of(*make.references("pending", "absent", "absent"), local=make.local())
    decision = make.decided((slot,), ward.round)
    for number in range(make.TIP, make.TIP + 20):
        ward.adjust(decision)
        ward.expose(number)
    assert ward.exposed is None
    assert not ward.inclusion.is_alarming


def test_trouble_is_news_until_it_is_the_same_again() -> None:
    """In every round it would fill the log; other words are news, and so is its return."""
    ward = Ward(ACCOUNT, Rules(), "net")
    assert [ward.fails(words) for words in ("full", "full", "locked", "full")] == [
        *(True, False, True, True)
    ]
    ward.trouble = None
    assert ward.fails("full")
    assert ward.trouble == "full"
