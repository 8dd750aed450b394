"""What is done now of what would help: policy, pace, and the switches. Pure.

`decide` says what would help whatever the policy; here it becomes steps, or is withheld with a
reason. Questions (FIND_CONSUMER, EXPLAIN_REVERT) change nothing and are no steps: whoever follows
a decision asks them by itself, in a dry run, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.transactions.rules import Rules
from monitor.transactions.words import DESTRUCTIVE, Act, Decision, Market, Slot

BLOB_TYPE = 3
"""EIP-4844: to replace one, its blobs are needed, and nothing but another blob takes its place."""
DOUBLINGS_MAX = 32
"""A wait that has grown beyond the longest is reckoned no further."""

Targets = Literal["references", "local", "all"]
Reason = Literal[
    "policy",
    "rate",
    "backoff",
    "weak_evidence",
    "dry_run",
    "halted",
    "no_raw",
    "no_signer",
    "bumps_spent",
    "too_soon",
    "blob",
]


@dataclass(frozen=True, slots=True)
class Past:
    """What was done for a slot before."""

    last_sent_at: float | None = None
    rebroadcasts: int = 0
    """All endpoints of one rebroadcast are counted once."""
    sent_last_hour: int = 0
    """Likewise, of every act that sends."""
    bumps: int = 0
    """Replacements, cancellations, and fillers after the first."""
    last_bump_number: int | None = None
    """The network's height when the last of them was signed."""
    spent_today_wei: int = 0
    """The account's: gas at its cap of all that was signed for it on that day."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do now, at the nonce of its slot."""

    act: Act
    targets: Targets


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something that would help and is not done now."""

    act: Act
    reason: Reason
    summary: str
    """One sentence, for people."""


TARGETS: Mapping[Act, Targets] = {
    Act.REBROADCAST: "references",
    Act.RESEND: "local",
    Act.REPLACE: "all",
    Act.CANCEL: "all",
    Act.FILL: "all",
    Act.PROPOSE: "all",
}
"""To whom each goes."""
ALLOWED_BY: Mapping[Act, Callable[[Rules], bool]] = {
    Act.REBROADCAST: lambda rules: rules.rebroadcast,
    Act.RESEND: lambda rules: rules.resend,
    Act.REPLACE: lambda rules: rules.replace,
    Act.CANCEL: lambda rules: rules.cancel,
    Act.FILL: lambda rules: rules.fill,
}
"""The setting of the policy. What is not here is a question, or follows from what is withheld."""
PROPOSED_INSTEAD: frozenset[Reason] = frozenset({"policy", "no_signer"})
"""Where a signature is missing for these reasons, whoever has the key is asked for it."""


Objection = tuple[Reason, str]
"""Why not, as slug and half a sentence."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything that speaks for or against an act of one slot now."""

    slot: Slot
    decision: Decision
    past: Past
    rules: Rules
    now: float
    market: Market | None
    number: int | None
    has_signer: bool


def plan(
    slot: Slot,
    decision: Decision,
    past: Past,
    rules: Rules,
    now: float,
    *,
    market: Market | None,
    number: int | None,
    has_signer: bool,
    dry_run: bool,
    halted: bool,
) -> tuple[tuple[Step, ...], tuple[Withheld, ...]]:
    """The steps of this moment, in order, and what is withheld, each with its reason.

    `market` is None where it could not be seen, `number` the network's height. A replacement that
    is planned may still be blocked by a cap, when its fees are known; so the old bytes keep their
    own pace beside it.
    """
    moment = _Moment(
        slot=slot,
        decision=decision,
        past=past,
        rules=rules,
        now=now,
        market=market,
        number=number,
        has_signer=has_signer,
    )
    steps: list[Step] = []
    withheld: list[Withheld] = []
    for act in _acts(moment):
        objection = next(_objections(act, moment, sends=len(steps), halted=halted), None)
        if objection is None:
            steps.append(Step(act, TARGETS[act]))
            continue
        reason, words = objection
        withheld.append(Withheld(act, reason, f"{act.value} withheld: {words}"))
    proposal = _proposal(moment, withheld)
    if dry_run:
        would = (Withheld(step.act, "dry_run", _would(step, slot)) for step in (*steps, *proposal))
        return (), (*would, *withheld)
    return (*steps, *proposal), tuple(withheld)


def _acts(moment: _Moment) -> Iterator[Act]:
    """What would help, with the act that stands in for a replacement; no questions.

    What only takes the nonce is raised as what it is, and a payment that has waited too long is
    cancelled.
    """
    newest, patience = moment.slot.newest, moment.rules.cancel_after_seconds
    kind = None if newest is None else newest.kind
    is_old = patience is not None and moment.now - moment.slot.first_seen_at > patience
    for act in moment.decision.acts:
        if act is Act.REPLACE and kind == "fill":
            yield Act.FILL
        elif act is Act.REPLACE and (is_old or kind == "cancel"):
            yield Act.CANCEL
        elif act in ALLOWED_BY:
            yield act


def _proposal(moment: _Moment, withheld: Sequence[Withheld]) -> tuple[Step, ...]:
    """Where only permission or key is missing, whoever has the key is asked."""
    is_wanted = any(one.act in DESTRUCTIVE and one.reason in PROPOSED_INSTEAD for one in withheld)
    return (Step(Act.PROPOSE, TARGETS[Act.PROPOSE]),) if is_wanted and moment.rules.propose else ()


def _would(step: Step, slot: Slot) -> str:
    """What a dry run says instead of doing it."""
    where = {"references": "the references", "local": "the local node", "all": "every endpoint"}
    if step.act is Act.PROPOSE:
        return f"dry run: a replacement of nonce {slot.nonce} would be proposed"
    return f"dry run: {step.act.value} of nonce {slot.nonce} to {where[step.targets]}"


# -- what speaks against an act ------------------------------------------------------------------


def _objections(act: Act, moment: _Moment, *, sends: int, halted: bool) -> Iterator[Objection]:
    """Why an act is not done now, the most lasting reason first; `sends` are planned already."""
    if halted:
        yield ("halted", "everything is halted by order")
    yield from (_against_signing if act in DESTRUCTIVE else _against_sending)(act, moment)
    sent = moment.past.sent_last_hour + sends
    if sent >= moment.rules.actions_an_hour_max:
        yield ("rate", f"{sent} sends within an hour are enough")


def _against_sending(act: Act, moment: _Moment) -> Iterator[Objection]:
    """Identical bytes: allowed, known, and not sent just now."""
    if not ALLOWED_BY[act](moment.rules):
        yield ("policy", "the policy does not allow it")
    if not moment.slot.has_raw:
        yield ("no_raw", "its bytes cannot be had")
    due_at = _due_at(moment.past, moment.rules)
    if due_at is not None and moment.now < due_at:
        yield ("backoff", f"next in {due_at - moment.now:.0f} s")


def _due_at(past: Past, rules: Rules) -> float | None:
    """When the same bytes are due again: 60 s · 2^k after the last, at most 10 min; None: now."""
    if past.last_sent_at is None or past.rebroadcasts == 0:
        return None
    doublings = float(2 ** min(past.rebroadcasts - 1, DOUBLINGS_MAX))
    wait = min(rules.rebroadcast_seconds * doublings, rules.rebroadcast_seconds_max)
    return past.last_sent_at + wait


def _against_signing(act: Act, moment: _Moment) -> Iterator[Objection]:
    """Something new at the nonce: certain, allowed, possible, and not too often."""
    slot, past, rules = moment.slot, moment.past, moment.rules
    if moment.decision.is_weak:
        yield ("weak_evidence", "too few references agree to sign anything")
    if moment.market is None:
        yield ("weak_evidence", "what inclusion costs could not be seen")
    if not ALLOWED_BY[act](rules):
        yield ("policy", "the policy does not allow it")
    if rules.fee_cap_max_wei is None or rules.budget_a_day_wei is None:
        yield ("policy", "without a fee cap and a budget a day nothing is signed")
    if not moment.has_signer:
        yield ("no_signer", "the account has no signer")
    if act is Act.REPLACE and not slot.has_raw:
        yield ("no_raw", "what it pays cannot be had")
    if any(one.transaction and one.transaction.type == BLOB_TYPE for one in slot.attempts):
        yield ("blob", "a blob transaction is replaced by its sender only")
    if past.bumps >= rules.bumps_max:
        yield ("bumps_spent", f"it was raised {past.bumps} times")
    last, number = past.last_bump_number, moment.number
    if last is not None and (number is None or number - last < rules.bump_blocks_min):
        yield ("too_soon", f"the last was signed at block {last}")
