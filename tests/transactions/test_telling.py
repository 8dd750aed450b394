"""What is decided of an account, as findings."""

from __future__ import annotations

from dataclasses import replace

from monitor.model import Level
from monitor.transactions.telling import EVIDENCE_MAX, TOLD_MAX, findings_of, over, trouble
from monitor.transactions.words import Decision, State
from tests.transactions import builders as make

ALIAS, NETWORK = "scheduler", "ethereum"


def told(*levels: Level) -> tuple[str, ...]:
    """The subjects of the findings of an account with slots of these levels, from nonce 7 on."""
    slots = {slot.nonce: slot for slot in make.queue(count=len(levels))}
    account = make.decided(tuple(slots.values()), make.round_of())
    decisions = {
        slot.id: replace(account.slots[slot.id], level=level)
        for slot, level in zip(slots.values(), levels, strict=True)
    }
    account = replace(account, slots=decisions)
    found = findings_of(ALIAS, NETWORK, slots, account, make.round_of())
    return tuple(finding.subject for finding in found)


def test_findings_of_a_healthy_account_are_one() -> None:
    """The account itself, and nothing of transactions that are well."""
    assert told(Level.OK, Level.OK) == ("account:scheduler",)
    assert told(Level.UNKNOWN) == ("account:scheduler",)
    assert told() == ("account:scheduler",)


def test_findings_of_bad_transactions_follow_the_accounts_worst_first() -> None:
    """Each is a subject of its own; the worst comes first, and of equals the lowest nonce."""
    slots = make.queue(count=3)
    hashes = [slot.attempts[-1].hash for slot in slots]
    subjects = told(Level.DEGRADED, Level.FAILED, Level.DEGRADED)
    assert subjects[1:] == tuple(f"tx:{hashes[index]}" for index in (1, 0, 2))


def test_findings_of_many_bad_transactions_are_cut() -> None:
    """A thousand dropped transactions are not a thousand findings."""
    assert len(told(*[Level.DEGRADED] * (TOLD_MAX + 5))) == TOLD_MAX + 1


def test_finding_of_a_transaction_names_its_accounts_as_the_cause() -> None:
    """It is shown and told under the account's, with its nonce, age, state and evidence."""
    slot = make.slot_of(make.attempt())
    decision = make.verdict(slot, make.round_of(*make.references("absent")))
    bad = replace(decision, level=Level.DEGRADED, evidence=decision.evidence * 20)
    account = replace(make.decided((slot,), make.round_of()), slots={slot.id: bad})
    first, second = findings_of(ALIAS, NETWORK, {slot.nonce: slot}, account, make.round_of())
    assert second.because == first.key == ("transactions", "account:scheduler")
    assert second.reason == bad.state.value
    assert second.summary.startswith(f"nonce {slot.nonce}: ")
    assert second.measured == make.NOW - slot.first_seen_at
    assert len(second.evidence) <= EVIDENCE_MAX
    assert (first.as_of, second.as_of) == (make.head_at(make.TIP).stamp,) * 2


def test_over_says_of_what_is_not_bad_any_more_that_it_is_well() -> None:
    """Only of transactions: accounts and nodes are judged in every round."""
    slot = make.slot_of(make.attempt())
    decision = Decision("17", State.DROPPED, Level.DEGRADED, "gone")
    account = replace(make.decided((slot,), make.round_of()), slots={slot.id: decision})
    found = findings_of(ALIAS, NETWORK, {slot.nonce: slot}, account, make.round_of())
    subject = found[1].subject
    assert over(found, {subject}, make.NOW) == ()
    (well,) = over(found, set(), make.NOW)
    assert (well.subject, well.level, well.because) == (subject, Level.OK, found[0].key)


def test_trouble_is_the_accounts_finding() -> None:
    """What kept it from being judged stands in its place."""
    found = trouble(ALIAS, NETWORK, "journal_failed", "the disk is full", Level.FAILED)
    assert found.key == ("transactions", "account:scheduler")
    assert (found.level, found.reason, found.summary) == (
        Level.FAILED,
        "journal_failed",
        "the disk is full",
    )
