"""Written down before it leaves, and before it is told."""

from __future__ import annotations

import asyncio

import pytest

from monitor.model import Hash32
from monitor.transactions.reactions import Outcome
from monitor.transactions.tap.clerk import Clerk, NotEnteredError, Sent, named
from monitor.transactions.tap.judging import Verdict
from monitor.transactions.tap.reading import Call
from tests.rpc.canned import Clock
from tests.transactions import signing
from tests.transactions.tap.ledger import BrokenLedgerError, FakeLedger, hash_of

NOW = 1_700_000_000.0
A, B, C = b"a" * 70, b"b" * 70, b"c" * 70


def call(*raws: bytes) -> Call:
    return Call(b"1", "raw", raws)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def told() -> list[Sent]:
    """What the sidecar was told."""
    return []


@pytest.fixture
def clerk(ledger: FakeLedger, told: list[Sent]) -> Clerk:
    return Clerk(
        ledger,
        clock=Clock(NOW),
        on_sent=told.append,
        journal_error=BrokenLedgerError,
        hash_of=hash_of,
    )


async def verdicts(clerk: Clerk, *outcomes: Outcome) -> list[Verdict]:
    """As many sends, entered, with what became of them."""
    sends = await clerk.enter([call(bytes([index]) * 70) for index in range(len(outcomes))])
    return [
        Verdict(send, outcome, "" if outcome == "accepted" else "why", send.hash)
        for send, outcome in zip(sends, outcomes, strict=True)
    ]


async def test_sends_are_entered_each_under_its_hash(clerk: Clerk, ledger: FakeLedger) -> None:
    """In the order of the calls, guesses too, at the time of the clock."""
    sends = await clerk.enter([call(A), call(B, C)])
    assert [(one.raw, one.hash) for one in sends] == [(raw, hash_of(raw)) for raw in (A, B, C)]
    assert ledger.arrived == [(raw, hash_of(raw), "tap", NOW) for raw in (A, B, C)]


async def test_sends_of_one_request_are_written_at_the_same_time(
    clerk: Clerk, ledger: FakeLedger
) -> None:
    """They share one commit of the journal: none waits for another's."""
    ledger.hold()
    entering = asyncio.create_task(clerk.enter([call(A), call(B)]))
    await ledger.waiting(2)
    assert not entering.done()
    ledger.release()
    assert len(await entering) == 2


async def test_send_that_the_node_signs_is_not_entered(clerk: Clerk, ledger: FakeLedger) -> None:
    """There are no bytes yet."""
    (send,) = await clerk.enter([Call(b"1", "signed_by_node", ())])
    assert (send.raw, send.hash) == (None, None)
    assert ledger.arrived == []


async def test_journal_that_cannot_be_written_enters_nothing(
    clerk: Clerk, ledger: FakeLedger
) -> None:
    """Its reason is in the error, and nothing counts as sent."""
    ledger.breaks_arrivals = {A, B}
    with pytest.raises(NotEnteredError, match="the disk is full") as caught:
        await clerk.enter([call(A), call(B)])
    assert not caught.value.is_open
    assert ledger.outcomes == []


async def test_part_that_was_written_is_taken_back(clerk: Clerk, ledger: FakeLedger) -> None:
    """What is in the journal would count as sent, and its sender is told that it was not."""
    ledger.breaks_arrivals = {B}
    with pytest.raises(NotEnteredError) as caught:
        await clerk.enter([call(A), call(B), call(C)])
    assert not caught.value.is_open
    assert ledger.outcomes == [(hash_of(raw), "refused", "not forwarded", NOW) for raw in (A, C)]


async def test_part_that_cannot_be_taken_back_is_said_to_be_open(
    clerk: Clerk, ledger: FakeLedger
) -> None:
    """Then its sender must not believe that it was not sent."""
    ledger.breaks_arrivals, ledger.breaks_answers = {B}, {hash_of(A)}
    with pytest.raises(NotEnteredError) as caught:
        await clerk.enter([call(A), call(B)])
    assert caught.value.is_open


async def test_mistake_of_the_journal_is_not_taken_for_a_full_disk(
    clerk: Clerk, ledger: FakeLedger
) -> None:
    """Only what the journal raises on purpose is told to the client; nothing is swallowed."""
    ledger.arrival_mistake = ValueError("a mistake of ours")
    with pytest.raises(ValueError, match="a mistake of ours"):
        await clerk.enter([call(A)])


async def test_what_was_told_is_written_but_what_was_taken(
    clerk: Clerk, ledger: FakeLedger, told: list[Sent]
) -> None:
    """An arrival without an outcome counts as sent: success costs no second commit."""
    made = await verdicts(clerk, "accepted", "refused", "unanswered")
    assert await clerk.settle(made)
    assert ledger.outcomes == [
        (made[1].hash, "refused", "why", NOW),
        (made[2].hash, "unanswered", "why", NOW),
    ]
    assert [(one.hash, one.outcome, one.message, one.at) for one in told] == [
        (one.hash, one.outcome, one.message, NOW) for one in made
    ]
    assert [one.raw for one in told] == [one.send.raw for one in made]


async def test_sidecar_is_told_after_it_is_written(
    clerk: Clerk, ledger: FakeLedger, told: list[Sent]
) -> None:
    """What is told on is durable."""
    made = await verdicts(clerk, "refused")
    ledger.hold()
    settling = asyncio.create_task(clerk.settle(made))
    await ledger.waiting(1)
    assert told == []
    ledger.release()
    await settling
    assert len(told) == 1


@pytest.mark.parametrize("outcome", ["refused", "unanswered"])
async def test_outcome_that_cannot_be_written_must_not_be_told(
    clerk: Clerk, ledger: FakeLedger, told: list[Sent], outcome: Outcome
) -> None:
    """It counts as sent: a sender who were told an error might sign the payment anew."""
    made = await verdicts(clerk, outcome)
    ledger.breaks_answers = {hash_of(b"\0" * 70)}
    assert not await clerk.settle(made)
    assert [one.outcome for one in told] == ["unanswered"]


async def test_transaction_that_the_node_signed_is_told_and_not_written(
    clerk: Clerk, ledger: FakeLedger, told: list[Sent]
) -> None:
    """Its hash is known, its bytes are not; where there is none, there is nothing to tell."""
    (send,) = await clerk.enter([Call(b"1", "signed_by_node", ())])
    await clerk.settle([Verdict(send, "accepted", hash=Hash32("0x1")), Verdict(send, "refused")])
    assert [(one.hash, one.raw, one.outcome) for one in told] == [("0x1", None, "accepted")]
    assert ledger.outcomes == []


async def test_refusal_of_what_was_not_entered_may_be_told(
    clerk: Clerk, ledger: FakeLedger
) -> None:
    """What the node was to sign and did not is in no journal, whatever fails beside it."""
    ledger.breaks_answers = True
    (raw,) = await verdicts(clerk, "accepted")
    (signed,) = await clerk.enter([Call(b"2", "signed_by_node", ())])
    assert await clerk.settle([raw, Verdict(signed, "refused")])


def test_hash_is_that_by_which_nodes_name_it() -> None:
    """keccak256, of a blob transaction without its sidecar; also of what is no transaction."""
    assert named(b"\x01") == "0x5fe7f977e71dba2ea1a68e21057beebb9be2ac30c6410aa38d4f3fbe41dcffd2"
    blob = signing.sign(signing.blob())
    assert named(blob.raw) == named(signing.wrapped(blob.raw)) == blob.hash
    broken_blob = b"\x03\xff"
    assert len(named(broken_blob)) == 66
    assert named(b"") == "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
