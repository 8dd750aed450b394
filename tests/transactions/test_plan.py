"""What is done now: by which policy, at which pace, and what is said of what is not done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.model import Level
from monitor.transactions.plan import ALLOWED_BY, TARGETS, Past, Step, Withheld, plan
from monitor.transactions.rules import Rules
from monitor.transactions.words import DESTRUCTIVE, Act, Decision, Slot, State
from tests.transactions.builders import (
    ETHER,
    GWEI,
    MARKET,
    NOW,
    TIP,
    attempt,
    cancellation,
    empty_slot,
    hash_of,
    payment,
    slot_of,
)

ALL = Rules(
    replace=True, cancel=True, fill=True, fee_cap_max_wei=100 * GWEI, budget_a_day_wei=ETHER
)
"""A policy that allows everything."""
LOST = slot_of(attempt(tx_hash=hash_of("tx 7")))
"""Of which only the hash is known."""
BLOB = slot_of(attempt(payment(type=3, blob_fee_cap_wei=GWEI, blob_count=1)))
FILLED = slot_of(attempt(cancellation("fill 7"), kind="fill"))
CANCELLED = slot_of(attempt(), attempt(cancellation(), kind="cancel"))


def planned(
    acts: tuple[Act, ...],
    slot: Slot | None = None,
    past: Past | None = None,
    rules: Rules = ALL,
    is_weak: bool = False,
    **changes: Any,
) -> tuple[tuple[Step, ...], tuple[Withheld, ...]]:
    """Of an underpriced payment of nonce 7; with a market, a height and a signer."""
    decision = Decision("14", State.UNDERPRICED_CAP, Level.DEGRADED, "", acts, is_weak=is_weak)
    usual: dict[str, Any] = {
        "market": MARKET,
        "number": TIP,
        "has_signer": True,
        "dry_run": False,
        "halted": False,
    }
    return plan(slot or slot_of(), decision, past or Past(), rules, NOW, **(usual | changes))


def steps(*acts: Act, **changes: Any) -> tuple[Act, ...]:
    return tuple(step.act for step in planned(acts, **changes)[0])


def reasons(*acts: Act, **changes: Any) -> tuple[str, ...]:
    return tuple(one.reason for one in planned(acts, **changes)[1])


# -- where to ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "targets"),
    [
        (Act.REBROADCAST, "references"),
        (Act.RESEND, "local"),
        (Act.REPLACE, "all"),
        (Act.CANCEL, "all"),
        (Act.FILL, "all"),
    ],
)
def test_step_goes_to_whom_it_helps(act: Act, targets: str) -> None:
    """The same bytes go where they are missing; new ones go to everybody."""
    ((step,), withheld) = planned((act,))
    assert (step, withheld) == (Step(act, TARGETS[act]), ())
    assert step.targets == targets


def test_steps_keep_the_order_of_what_would_help() -> None:
    """A replacement first, then the old bytes, which keep their own pace beside it."""
    acts = (Act.REPLACE, Act.REBROADCAST, Act.RESEND)
    assert steps(*acts) == acts


@pytest.mark.parametrize("act", [Act.FIND_CONSUMER, Act.EXPLAIN_REVERT])
def test_question_is_no_step(act: Act) -> None:
    """Questions change nothing: they are neither planned nor withheld."""
    assert planned((act,)) == ((), ())


def test_default_policy_sends_the_same_bytes_and_proposes_the_rest() -> None:
    """Without being told otherwise nothing is signed, and whoever has the key is asked."""
    rules = Rules()
    acts = (Act.REPLACE, Act.REBROADCAST, Act.RESEND)
    assert steps(*acts, rules=rules) == (Act.REBROADCAST, Act.RESEND, Act.PROPOSE)
    assert reasons(*acts, rules=rules) == ("policy",)


# -- policy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", sorted(ALLOWED_BY))
def test_act_that_the_policy_forbids_is_withheld(act: Act) -> None:
    """Each act has a setting of its name."""
    without: dict[str, Any] = {act.value: False}
    rules = replace(ALL, **without, propose=False)
    assert (steps(act, rules=rules), reasons(act, rules=rules)) == ((), ("policy",))
    others = tuple(other for other in ALLOWED_BY if other is not act)
    assert steps(*others, rules=rules) == others


@pytest.mark.parametrize("setting", ["fee_cap_max_wei", "budget_a_day_wei"])
@pytest.mark.parametrize("act", sorted(DESTRUCTIVE))
def test_nothing_is_signed_without_cap_and_budget(act: Act, setting: str) -> None:
    """A policy that does not say how much may be spent allows nothing to be."""
    without: dict[str, Any] = {setting: None}
    rules = replace(ALL, **without)
    assert (steps(act, rules=rules), reasons(act, rules=rules)) == ((Act.PROPOSE,), ("policy",))
    assert steps(Act.REBROADCAST, rules=rules) == (Act.REBROADCAST,)


@pytest.mark.parametrize("act", sorted(DESTRUCTIVE))
def test_proposal_follows_where_only_permission_or_key_is_missing(act: Act) -> None:
    """One proposal instead of a signature; never where the evidence or the pace forbids it."""
    forbidden = replace(ALL, replace=False, cancel=False, fill=False)
    assert steps(act, rules=forbidden) == (Act.PROPOSE,)
    assert steps(act, has_signer=False) == (Act.PROPOSE,)
    assert reasons(act, has_signer=False) == ("no_signer",)
    assert steps(act, rules=replace(forbidden, propose=False)) == ()
    assert steps(act, rules=forbidden, is_weak=True) == ()
    assert steps(act, past=Past(bumps=6)) == ()
    assert steps(*DESTRUCTIVE, rules=forbidden) == (Act.PROPOSE,)


def test_forbidden_rebroadcast_is_not_proposed() -> None:
    """Whoever has the key need not sign what is signed."""
    assert steps(Act.REBROADCAST, rules=replace(ALL, rebroadcast=False)) == ()


# -- evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", sorted(DESTRUCTIVE))
@pytest.mark.parametrize("changes", [{"is_weak": True}, {"market": None}])
def test_nothing_is_signed_on_weak_evidence(act: Act, changes: dict[str, Any]) -> None:
    """Neither without a quorum of two, nor without a market, is anything signed or proposed."""
    assert (steps(act, **changes), reasons(act, **changes)) == ((), ("weak_evidence",))
    assert steps(Act.REBROADCAST, Act.RESEND, **changes) == (Act.REBROADCAST, Act.RESEND)


@pytest.mark.parametrize("act", [Act.REBROADCAST, Act.RESEND, Act.REPLACE])
def test_without_bytes_nothing_is_sent_or_replaced(act: Act) -> None:
    """What cannot be had cannot be sent, and what it pays cannot be signed again."""
    assert (steps(act, slot=LOST), reasons(act, slot=LOST)) == ((), ("no_raw",))


def test_gap_needs_no_bytes_to_be_filled() -> None:
    """A filler is a transfer of nothing: nothing of the lost one is needed."""
    assert steps(Act.FILL, slot=LOST) == (Act.FILL,)
    assert steps(Act.FILL, slot=empty_slot()) == (Act.FILL,)


@pytest.mark.parametrize("act", sorted(DESTRUCTIVE))
def test_blobs_are_left_to_their_sender(act: Act) -> None:
    """Blobs are not kept, and nothing but blobs takes their place in a pool (EIP-4844)."""
    assert (steps(act, slot=BLOB), reasons(act, slot=BLOB)) == ((), ("blob",))
    assert steps(Act.REBROADCAST, slot=BLOB) == (Act.REBROADCAST,)


# -- pace ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [Act.REBROADCAST, Act.RESEND])
@pytest.mark.parametrize(
    ("rebroadcasts", "seconds", "is_due"),
    [
        (0, 0.0, True),
        (1, 59.0, False),
        (1, 60.0, True),
        (2, 119.0, False),
        (2, 120.0, True),
        (4, 479.0, False),
        (4, 480.0, True),
        (5, 599.0, False),
        (5, 600.0, True),
        (10**6, 599.0, False),
        (10**6, 600.0, True),
    ],
)
def test_same_bytes_are_due_at_once_then_after_doubling_waits(
    act: Act, rebroadcasts: int, seconds: float, *, is_due: bool
) -> None:
    """At detection, then after 60 s · 2^k, up to 10 minutes."""
    past = Past(last_sent_at=NOW - seconds, rebroadcasts=rebroadcasts)
    assert steps(act, past=past) == ((act,) if is_due else ())
    assert reasons(act, past=past) == (() if is_due else ("backoff",))


def test_what_was_never_sent_is_due() -> None:
    """Whatever else the journal counts."""
    assert steps(Act.REBROADCAST, past=Past(rebroadcasts=3)) == (Act.REBROADCAST,)


def test_waits_are_those_of_the_policy() -> None:
    """Both ends of the doubling may be set."""
    rules = replace(ALL, rebroadcast_seconds=10.0, rebroadcast_seconds_max=15.0)
    for rebroadcasts, wait in ((1, 10.0), (2, 15.0)):
        for seconds, is_due in ((wait - 0.5, False), (wait, True)):
            past = Past(last_sent_at=NOW - seconds, rebroadcasts=rebroadcasts)
            assert bool(steps(Act.REBROADCAST, past=past, rules=rules)) is is_due


def test_replacement_does_not_wait_for_the_pace_of_the_old_bytes() -> None:
    """And the old bytes keep theirs, whether the replacement is planned or withheld."""
    acts, just_sent = (Act.REPLACE, Act.REBROADCAST), Past(last_sent_at=NOW, rebroadcasts=1)
    assert steps(*acts, past=just_sent) == (Act.REPLACE,)
    assert reasons(*acts, past=just_sent) == ("backoff",)
    spent = Past(bumps=6)
    assert (steps(*acts, past=spent), reasons(*acts, past=spent)) == (
        (Act.REBROADCAST,),
        ("bumps_spent",),
    )


@pytest.mark.parametrize(
    ("sent", "done"),
    [
        (17, (Act.REPLACE, Act.REBROADCAST, Act.RESEND)),
        (18, (Act.REPLACE, Act.REBROADCAST)),
        (19, (Act.REPLACE,)),
        (20, ()),
        (21, ()),
    ],
)
def test_sends_within_an_hour_are_few(sent: int, done: tuple[Act, ...]) -> None:
    """Twenty an hour, those planned at this moment included."""
    acts = (Act.REPLACE, Act.REBROADCAST, Act.RESEND)
    past = Past(sent_last_hour=sent)
    assert steps(*acts, past=past) == done
    assert reasons(*acts, past=past) == ("rate",) * (3 - len(done))


@pytest.mark.parametrize("act", sorted(DESTRUCTIVE))
@pytest.mark.parametrize(
    ("past", "number", "reason"),
    [
        (Past(bumps=5), TIP, None),
        (Past(bumps=6), TIP, "bumps_spent"),
        (Past(bumps=1, last_bump_number=TIP - 3), TIP, None),
        (Past(bumps=1, last_bump_number=TIP - 2), TIP, "too_soon"),
        (Past(bumps=1, last_bump_number=TIP - 3), None, "too_soon"),
        (Past(), None, None),
    ],
)
def test_raises_are_few_and_blocks_apart(
    act: Act, past: Past, number: int | None, reason: str | None
) -> None:
    """At most six, three blocks apart; without a height, blocks cannot be counted."""
    assert steps(act, past=past, number=number) == ((act,) if reason is None else ())
    assert reasons(act, past=past, number=number) == (() if reason is None else (reason,))


# -- what stands in for a replacement ------------------------------------------------------------

PATIENT = replace(ALL, cancel_after_seconds=600.0)


@pytest.mark.parametrize(
    ("rules", "seconds", "act"),
    [
        (ALL, 10**6, Act.REPLACE),
        (PATIENT, 600, Act.REPLACE),
        (PATIENT, 601, Act.CANCEL),
    ],
)
def test_payment_that_has_waited_too_long_is_cancelled(
    rules: Rules, seconds: int, act: Act
) -> None:
    """Only where the policy says from when; never by itself."""
    slot = slot_of(first_seen_at=NOW - seconds)
    assert steps(Act.REPLACE, slot=slot, rules=rules) == (act,)


def test_cancellation_that_is_not_allowed_is_no_replacement() -> None:
    """Who wants it cancelled and does not allow it gets a proposal, not the payment."""
    slot = slot_of(first_seen_at=NOW - 601.0)
    rules = replace(PATIENT, cancel=False)
    assert steps(Act.REPLACE, slot=slot, rules=rules) == (Act.PROPOSE,)
    ((), (one,)) = planned((Act.REPLACE,), slot, rules=replace(rules, propose=False))
    assert (one.act, one.reason) == (Act.CANCEL, "policy")


@pytest.mark.parametrize(("slot", "act"), [(FILLED, Act.FILL), (CANCELLED, Act.CANCEL)])
def test_what_only_takes_the_nonce_is_raised_as_what_it_is(slot: Slot, act: Act) -> None:
    """A filler or cancellation that is too cheap does not bring the payment back."""
    assert steps(Act.REPLACE, Act.REBROADCAST, slot=slot) == (act, Act.REBROADCAST)
    without: dict[str, Any] = {act.value: False}
    assert reasons(Act.REPLACE, slot=slot, rules=replace(ALL, **without)) == ("policy",)


# -- switches ------------------------------------------------------------------------------------

EVERYTHING = (Act.REPLACE, Act.REBROADCAST, Act.RESEND, Act.FIND_CONSUMER)


def test_dry_run_says_what_would_be_done() -> None:
    """Nothing is done; each step is withheld with its target, the others with their reason."""
    done, withheld = planned(EVERYTHING, rules=replace(ALL, replace=False), dry_run=True)
    assert done == ()
    assert [(one.act, one.reason, one.summary) for one in withheld] == [
        (Act.REBROADCAST, "dry_run", "dry run: rebroadcast of nonce 7 to the references"),
        (Act.RESEND, "dry_run", "dry run: resend of nonce 7 to the local node"),
        (Act.PROPOSE, "dry_run", "dry run: a replacement of nonce 7 would be proposed"),
        (Act.REPLACE, "policy", "replace withheld: the policy does not allow it"),
    ]


@pytest.mark.parametrize("dry_run", [False, True])
def test_halted_does_nothing_at_all(*, dry_run: bool) -> None:
    """The kill switch comes before everything else, and nothing is proposed either."""
    done, withheld = planned(EVERYTHING, rules=Rules(), halted=True, dry_run=dry_run)
    assert done == ()
    assert [(one.act, one.reason) for one in withheld] == [
        (act, "halted") for act in EVERYTHING[:3]
    ]


def test_reason_is_the_most_lasting_one() -> None:
    """Who reads why something was withheld learns what to change first."""
    past = Past(last_sent_at=NOW, rebroadcasts=1, sent_last_hour=99, bumps=9, last_bump_number=TIP)
    assert reasons(Act.REPLACE, slot=BLOB, past=past, is_weak=True) == ("weak_evidence",)
    assert reasons(Act.REPLACE, slot=BLOB, past=past, has_signer=False) == ("no_signer",)
    assert reasons(Act.REPLACE, slot=BLOB, past=past) == ("blob",)
    assert reasons(Act.REPLACE, past=past) == ("bumps_spent",)
    assert reasons(Act.REBROADCAST, past=past) == ("backoff",)
