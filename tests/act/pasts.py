"""Pasts: histories in memory that have seen a day, told of it as a sidecar would tell them.

Sampled every ten seconds, the longest that still counts as watched without a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from monitor.config.settings import History as Settings
from monitor.history import History
from monitor.model import Action, Finding, Key, Level, Snapshot
from tests.act import snapshots

STEP_SECONDS = 10.0
HOUR_SECONDS = 3600.0


async def history_at(now: Callable[[], float] = lambda: snapshots.NOW) -> History:
    """An open history in memory that knows nothing yet."""
    history = History(None, settings=Settings(), clock=now)
    await history.open()
    return history


def at(snapshot: Snapshot, moment: float) -> Snapshot:
    """The same situation as if it were seen at another moment."""
    moved = tuple(
        replace(seen, at=moment - (snapshot.at - seen.at)) for seen in snapshot.observations
    )
    networks = tuple(
        replace(n, round_at=None if n.round_at is None else moment - (snapshot.at - n.round_at))
        for n in snapshot.networks
    )
    verdict = replace(snapshot.verdict, at=moment)
    return replace(snapshot, at=moment, verdict=verdict, observations=moved, networks=networks)


def live_through(
    history: History,
    chapters: Iterable[tuple[float, Snapshot]],
    *,
    until: float = snapshots.NOW,
    silenced: Callable[[Finding], bool] = lambda finding: False,
) -> None:
    """Tell the history of chapters (hours, situation), one after another, that end at `until`."""
    told = tuple(chapters)
    moment = until - sum(hours for hours, _ in told) * HOUR_SECONDS
    before: Snapshot | None = None
    for hours, situation in told:
        edges = edges_of(before, situation, moment)
        history.record(edges, silenced)
        end = moment + hours * HOUR_SECONDS
        while moment < end:
            history.sample(at(situation, moment))
            moment += STEP_SECONDS
        before = situation
    if before is not None:
        history.sample(at(before, until))


def edges_of(before: Snapshot | None, after: Snapshot, moment: float) -> Sequence[Action]:
    """The actions that lead from one situation to the next."""
    known: dict[Key, Finding] = {}
    if before is not None:
        known = {finding.key: finding for finding in before.verdict.findings}
    actions = []
    for finding in after.verdict.findings:
        old = known.get(finding.key)
        level = Level.OK if old is None else old.level
        if level == finding.level:
            continue
        kind = "changed"
        if level == Level.OK:
            kind = "opened"
        elif finding.level == Level.OK:
            kind = "closed"
        moved = replace(finding, since=moment)
        actions.append(Action(kind, finding.key, moment, moved, level))  # type: ignore[arg-type]
    return actions
