"""Edges, rows and snapshots by hand, for the tests of the history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from monitor.config.settings import History as Settings
from monitor.history import History
from monitor.history.opening import open_memory
from monitor.history.record import Edge, StepKind
from monitor.history.store import Batch, Store
from monitor.history.tally import Row
from monitor.model import Action, Finding, Key, Level, Snapshot
from tests.act.snapshots import NOW, healthy

DAY = 86_400
MINUTE = int(NOW // 60) * 60
"""The minute that `NOW` is in."""
HEAD: Key = ("head", "node:local")
SETTINGS = Settings()


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def history(path: Path | None, clock: Clock, settings: Settings = SETTINGS) -> History:
    return History(path, settings=settings, clock=clock)


OPENED: list[Store] = []
"""Stores in memory, to be closed after the test."""


def store() -> Store:
    OPENED.append(Store(open_memory()))
    return OPENED[-1]


def edge(
    kind: StepKind = "opened",
    level: Level = Level.FAILED,
    at: float = NOW,
    *,
    key: Key = HEAD,
    before: Level = Level.OK,
    reason: str = "behind",
    silenced: bool = False,
) -> Edge:
    return Edge(
        at=at,
        kind=kind,
        key=key,
        network="ethereum",
        level=level,
        before=before,
        reason=reason,
        summary=f"{reason} at {at:.0f}",
        because=None,
        evidence="",
        silenced=silenced,
    )


def row(
    ok: float = 60.0,
    unknown: float = 0.0,
    degraded: float = 0.0,
    failed: float = 0.0,
    *,
    head: int | None = None,
    lag: int | None = None,
    network_head: int | None = None,
) -> Row:
    return Row([ok, unknown, degraded, failed], head, lag, network_head)


def minutes(rows: dict[int, Row], subject: str = "node:local") -> Batch:
    """One subject's rows by their minutes, ready to be written."""
    return Batch(rows={at: {subject: each} for at, each in rows.items()})


def finding(
    level: Level = Level.FAILED, key: Key = HEAD, reason: str = "behind", network: str = "ethereum"
) -> Finding:
    return Finding(key[0], key[1], network, level, reason, f"{reason}, in a sentence")


def action(
    kind: StepKind = "opened", level: Level = Level.FAILED, at: float = NOW, *, key: Key = HEAD
) -> Action:
    return Action(kind, key, at, finding(level, key), Level.OK)


def at(now: float, snapshot: Snapshot | None = None) -> Snapshot:
    """A snapshot in which everything was seen just now."""
    shown = healthy() if snapshot is None else snapshot
    return replace(
        shown,
        at=now,
        observations=tuple(replace(each, at=now) for each in shown.observations),
        networks=tuple(replace(each, round_at=now) for each in shown.networks),
    )
