"""The fold: this round's findings and what is remembered become the one evaluated state.

Pure, and the only place where a level changes. A finding is a proposal; it must be proposed
`ENTER_COUNT` times to open (two polls, so that one odd reading wakes nobody) and `EXIT_COUNT`
times to close. The counter decays by one instead of resetting, so that a check that fails every
other time neither flaps nor hides (chainlink's poll failure counter). Nothing is kept that could
veto fresh evidence, and a level that is no longer confirmed becomes UNKNOWN by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.model import (
    QUORUM,
    Action,
    Finding,
    Key,
    Level,
    NetworkFacts,
    Reference,
    Verdict,
    VerdictWord,
    reference_label,
    subject_of,
)

REQUIRED = ("identity", "head", "stall", "fork", "references")
"""The checks whose UNKNOWN makes a verdict inconclusive."""
NODE_CHECKS = ("identity", "head", "stall", "fork")
"""What must be well for a node to count as on its network."""
ENTER_COUNT = 2
EXIT_COUNT = 3
STALE_SECONDS = 60.0
"""A level that was not proposed for this long is not known any more; polls come every 6 s."""

ROOTS = ("identity", "fork", "stall")
"""What explains whatever else is wrong with a node, the deepest first; of the checks that are not
required a lag explains it too."""
BY_THE_WAY = ("rpc", "subscription")
"""Checks of the way to a node, which is what is wrong with one that does not answer."""
WITHOUT_REFERENCE = frozenset({"no_quorum", "no_identity", "hash_unseen"})
"""Reasons of an UNKNOWN that speaks of the references and not of the node."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is remembered of one key."""

    finding: Finding
    """As shown: the held level with the newest proposal's numbers and evidence."""
    pressure: int
    """Proposals that speak against the held level, decaying."""
    proposed_at: float
    settled: bool
    """False until the first level is certain: a first bad proposal is shown as UNKNOWN."""


ACCEPTED = "accepted"
"""The reason of a finding that somebody lets pass; its level is OK, and its summary tells all."""
TRANSACTION = "tx:"
"""What the subject of a single transaction begins with."""

Memory = Mapping[Key, Held]
EMPTY: Memory = {}


def fold(
    memory: Memory, findings: Sequence[Finding], now: float, ended: Collection[Key] = ()
) -> tuple[Memory, Verdict, tuple[Action, ...]]:
    """The next memory, the verdict, and the edges since the last one.

    `findings` are those of one network's round; keys they do not name keep their level until
    `STALE_SECONDS` after their last proposal. Of what is `ended`, which is judged no more, nothing
    is kept, and what was told of it is closed.
    """
    proposals = {finding.key: finding for finding in findings}
    following: dict[Key, Held] = {}
    actions: list[Action] = []
    for key, held in memory.items():
        if key in ended:
            actions += [_end(held, now)] if _is_told(held) else ()
        elif key not in proposals:
            following[key] = _expire(held, now)
    for key, proposal in proposals.items():
        following[key] = _step(memory.get(key), proposal, now)
    explain(following)
    for key, held in following.items():
        before = memory[key].finding.level if key in memory else Level.OK
        action = _edge(key, before, held, memory.get(key), now)
        if action is not None:
            actions.append(action)
    return following, verdict_of((held.finding for held in following.values()), now), tuple(actions)


def forget(memory: Memory, keep: Iterable[str]) -> Memory:
    """The memory without the subjects that are no longer configured."""
    subjects = set(keep)
    return {key: held for key, held in memory.items() if key[1] in subjects}


def _step(held: Held | None, proposal: Finding, now: float) -> Held:
    if held is None:
        return _begin(proposal, now)
    level = held.finding.level
    if proposal.level == level and held.settled:
        since = held.finding.since
        return Held(replace(proposal, since=since), max(0, held.pressure - 1), now, settled=True)
    pressure = held.pressure + 1
    needed = EXIT_COUNT if proposal.level == Level.OK and held.settled else ENTER_COUNT
    if pressure >= needed:
        return Held(replace(proposal, since=now), 0, now, settled=True)
    return Held(_still(held, proposal), pressure, now, settled=held.settled)


def _begin(proposal: Finding, now: float) -> Held:
    """The first word on a key: health and blindness are believed at once, an accusation twice."""
    if proposal.level <= Level.UNKNOWN:
        return Held(replace(proposal, since=now), 0, now, settled=True)
    shown = replace(
        proposal,
        level=Level.UNKNOWN,
        reason="confirming",
        summary=f"seen once, to be confirmed: {proposal.summary}",
        since=now,
    )
    return Held(shown, 1, now, settled=False)


def _still(held: Held, proposal: Finding) -> Finding:
    """The held level with the new numbers, saying that another level is being proposed."""
    word = "recovering" if proposal.level == Level.OK else "confirming"
    return replace(
        proposal,
        level=held.finding.level,
        reason=held.finding.reason,
        summary=f"{word}: {proposal.summary}",
        since=held.finding.since,
    )


def _expire(held: Held, now: float) -> Held:
    if now - held.proposed_at <= STALE_SECONDS or held.finding.reason == "stale":
        return held
    stale = replace(
        held.finding,
        level=Level.UNKNOWN,
        reason="stale",
        summary=f"not judged for {now - held.proposed_at:.0f} s; last: {held.finding.summary}",
        since=now,
        because=None,
    )
    return Held(stale, 0, held.proposed_at, settled=True)


def _is_told(held: Held) -> bool:
    """Whether an edge has told that this is not OK."""
    return held.settled and held.finding.level != Level.OK


def _end(held: Held, now: float) -> Action:
    before = held.finding
    over = replace(
        before,
        level=Level.OK,
        reason="ended",
        summary=f"judged no more; last: {before.summary}",
        measured=None,
        limit=None,
        since=now,
        because=None,
    )
    return Action("closed", over.key, now, over, before.level)


def _edge(key: Key, before: Level, held: Held, old: Held | None, now: float) -> Action | None:
    finding = held.finding
    if not held.settled:
        return None
    was_settled = old is not None and old.settled
    before = before if was_settled else Level.OK
    if finding.level == before:
        return None
    kind: Literal["opened", "changed", "closed"] = "changed"
    if before == Level.OK:
        kind = "opened"
    elif finding.level == Level.OK:
        kind = "closed"
    return Action(kind, key, now, finding, before)


def explain(held: dict[Key, Held]) -> None:
    """Name in each bad finding the one that explains it, so that one cause is told once.

    Another chain altogether, a fork and a stall explain, in this order, what else is wrong with a
    node, and a lag what is not required; a node that does not answer, and then references without a
    majority, explain what could not be seen. Calls that fail and a websocket that is down follow
    from a node that does not answer as well.
    """
    bad = {key: h.finding for key, h in held.items() if h.finding.level != Level.OK}
    for key, finding in bad.items():
        check, subject = key
        cause = _cause(check, subject, finding, bad)
        if finding.because != cause:
            held[key] = replace(held[key], finding=replace(finding, because=cause))


def without_passed(memory: Memory) -> Memory:
    """The memory without transactions that are well again: theirs are subjects without number."""
    return {
        key: held
        for key, held in memory.items()
        if not (
            key[1].startswith(TRANSACTION)
            and held.finding.level == Level.OK
            and held.settled
            and not held.pressure
        )
    }


def _cause(check: str, subject: str, finding: Finding, bad: Mapping[Key, Finding]) -> Key | None:
    if subject.startswith(TRANSACTION):
        return finding.because  # Its account's, which its judge has named.
    for root in ROOTS if check in REQUIRED else (*ROOTS, "head"):
        if check == root:
            break
        key = (root, subject)
        if key in bad and bad[key].level >= Level.DEGRADED:
            return key
    head = ("head", subject)
    is_blind = head in bad and bad[head].level == Level.UNKNOWN
    if finding.level != Level.UNKNOWN:
        is_gone = is_blind and bad[head].reason not in WITHOUT_REFERENCE
        return head if check in BY_THE_WAY and is_gone else None
    quorum = ("references", subject_of(reference_label(finding.network)))
    if finding.reason in WITHOUT_REFERENCE and quorum in bad and quorum != (check, subject):
        return quorum
    if check != "head" and is_blind:
        return _cause(*head, bad[head], bad) or head
    return None


def is_on_network(memory: Memory, subject: str) -> bool | None:
    """Whether a node is on its network, from the evaluated state; None where that is not known."""
    held = [memory.get((check, subject)) for check in NODE_CHECKS]
    levels = [one.finding.level for one in held if one is not None]
    if any(level >= Level.DEGRADED for level in levels):
        return False
    is_known = all(one is not None and one.settled and not one.pressure for one in held)
    return True if is_known and all(level == Level.OK for level in levels) else None


def reference_of(network: NetworkFacts, at: float) -> Reference | None:
    """The network's reference, unless its round is so old that nothing may be said from it."""
    if network.round_at is None or at - network.round_at > STALE_SECONDS:
        return None
    return network.reference


def decides(finding: Finding) -> bool:
    """Whether an UNKNOWN of this finding makes the verdict inconclusive.

    A single reference that does not answer does not: the quorum decides whether that matters.
    """
    if finding.check not in REQUIRED:
        return False
    return not finding.subject.startswith("reference:") or finding.subject.endswith(f"/{QUORUM}")


def verdict_of(
    findings: Iterable[Finding], now: float, skipped: Sequence[Key] = (), *, strict: bool = False
) -> Verdict:
    """Any FAILED: fail. Else any required UNKNOWN, or nothing at all: inconclusive. Else pass.

    `strict` turns DEGRADED into failure.
    """
    ordered = tuple(sorted(findings, key=lambda f: (f.network, f.subject, f.check)))
    worst = max((finding.level for finding in ordered), default=Level.UNKNOWN)
    word: VerdictWord = "pass"
    if worst == Level.FAILED or (strict and worst == Level.DEGRADED):
        word = "fail"
    elif not ordered or any(f.level == Level.UNKNOWN and decides(f) for f in ordered):
        word = "inconclusive"
    return Verdict(at=now, findings=ordered, word=word, level=worst, skipped=tuple(skipped))
