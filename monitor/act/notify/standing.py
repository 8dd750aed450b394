"""What is wrong now, as confirmed by the fold: what everybody who is told is compared with. Pure.

A verdict alone does not say it: a first accusation stands in it as UNKNOWN until it is confirmed.
Levels therefore move with edges only; the verdict brings the newest numbers, and says what is no
longer watched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.judge.offers import OPTIONAL_CHECKS
from monitor.model import Action, Finding, Key, Level, Verdict


@dataclass(frozen=True, slots=True)
class Bad:
    """One key that is not OK."""

    finding: Finding
    """As at its last edge, with the cause that it has now."""
    opened_at: float
    """When it left OK."""
    newest: Finding
    """With the numbers of now."""

    @property
    def level(self) -> Level:
        return self.finding.level


Standing = Mapping[Key, Bad]


def follow(
    standing: Standing, actions: Sequence[Action], verdict: Verdict
) -> tuple[Standing, tuple[Action, ...]]:
    """What stands after these edges, and the edges with those that nobody drew.

    A key that the verdict does not know any more is over, and nobody drew that edge. That a check
    which a verdict can do without sees nothing is told to nobody, unless it has found something
    before: pages and metrics show it.
    """
    following = dict(standing)
    told: list[Action] = []
    for action in actions:
        if _is_minor(action) and action.key not in following:
            continue
        told.append(action)
        if action.finding.level == Level.OK:
            following.pop(action.key, None)
            continue
        old = following.get(action.key)
        opened_at = action.at if old is None else old.opened_at
        following[action.key] = Bad(action.finding, opened_at, action.finding)
    if not following:
        return {}, tuple(told)
    newest = {finding.key: finding for finding in verdict.findings}
    gone: list[Action] = []
    for key, bad in list(following.items()):
        finding = newest.get(key)
        if finding is None:
            gone.append(_forgotten(bad, verdict.at))
            del following[key]
        elif finding is not bad.newest:
            at_edge = bad.finding
            if finding.because != at_edge.because:
                at_edge = replace(at_edge, because=finding.because)
            shown = finding if finding.level == at_edge.level else bad.newest
            following[key] = Bad(at_edge, bad.opened_at, shown)
    return following, (*told, *gone)


def _is_minor(action: Action) -> bool:
    """Whether only a check that is not required began, or ceased, to see nothing."""
    levels = {action.finding.level, action.before}
    return action.key[0] in OPTIONAL_CHECKS and levels <= {Level.OK, Level.UNKNOWN}


def _forgotten(bad: Bad, now: float) -> Action:
    over = replace(
        bad.finding,
        level=Level.OK,
        reason="forgotten",
        summary="is no longer watched",
        measured=None,
        limit=None,
        because=None,
    )
    return Action("closed", over.key, now, over, bad.level)


def cause_of(finding: Finding, visible: Mapping[Key, Bad]) -> Key | None:
    """The finding at the root of what explains this one, among those that are visible.

    None where nothing does, and where the causes lead back to it: then it is nobody's consequence.
    """
    seen: set[Key] = set()
    root: Key | None = None
    because = finding.because
    while because is not None and because in visible and because not in seen:
        if because == finding.key:
            return None
        seen.add(because)
        root = because
        because = visible[because].finding.because
    return root
