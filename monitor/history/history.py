"""The front of the history: told of everything on the loop's thread, it is written on another.

Nothing here waits for the disk in the way of a round. What cannot be written stays in memory,
bounded, and is tried again.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from monitor.config.settings import History as Settings
from monitor.history import incidents, reads, retention
from monitor.history.archive import Archive
from monitor.history.record import (
    Bar,
    Edge,
    HistoryError,
    Incident,
    LagPoint,
    Uptime,
    edge_of,
)
from monitor.history.store import Batch, Store, read_windows
from monitor.history.tally import Tally
from monitor.maintenance import Window
from monitor.model import Action, Finding, Key, Level, Snapshot, reference_label, subject_of

T = TypeVar("T")
EDGES_MAX = 10_000
"""Edges that wait to be written: some 50 MB at their longest, a few in truth."""
DAYS_MAX = 3
"""Days whose spent calls wait to be written."""
WINDOWS_MAX = 200
"""One-offs that are active or planned."""
EXPIRE_SECONDS = 60.0
MEMORY_BYTES_MAX = 64 * 2**20
"""Of the past without a file: a day of a thousand nodes."""
DAY_SECONDS = 86_400
NO_WINDOWS: Sequence[Window] = ()
_WINDOW_ID = re.compile(r"w([1-9][0-9]{0,17})")


class History:
    """What is remembered of the past. `open` it first, `close` it last, `flush` it now and then."""

    def __init__(
        self,
        path: Path | None,
        *,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.monotonic,
        claim: Callable[[], None] | None = None,
    ) -> None:
        """Without a path everything is kept in memory, and ends with the process.

        `claim` is called before a file is opened, and raises ClaimedError while it is another's.
        """
        self.settings = settings
        """May be replaced at any time; the next flush follows it."""
        self.size_bytes = 0
        """Of the file and its log, at the last flush; of the memory where there is no file."""
        self._archive = Archive(path, clock=clock, stopwatch=stopwatch, claim=claim)
        self._archive.adopt = self._adopt
        self._clock = clock
        self._tally = Tally()
        self._edges: list[Edge] = []
        self._edges_lost = 0
        self._spent: dict[str, dict[str, int]] = {}
        self._windows: dict[str, Window] = {}
        self._windows_at = 0.0
        """When they were looked through last."""
        self._found: frozenset[Key] | None = None
        """Incidents that are open in a file that was opened just now; by the writer's thread."""
        self._adopted: dict[Key, float | None] = {}
        """Of those, the ones that no edge has spoken of, with the time since when they are well."""
        self._snapshot: Snapshot | None = None
        self._expired_at = 0.0
        self._flushing = asyncio.Lock()

    @property
    def errors_total(self) -> int:
        """Times that something could not be opened, written or read."""
        return self._archive.errors_total

    @property
    def problem(self) -> str:
        """What is wrong now, in one line for a page; empty while everything is written."""
        return self._archive.problem

    @property
    def lost_total(self) -> int:
        """Edges, and minutes of one subject, that were dropped because too many waited."""
        return self._tally.lost_total + self._edges_lost

    # -- its life --------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read what outlived the last process. Never fails: without a file it is in memory."""
        await self._archive.open()

    async def close(self) -> None:
        """Write what is left, and let go of the file."""
        await self.flush()
        await self._archive.close()

    async def flush(self) -> None:
        """Write what was told since the last time; what fails is counted, and kept for the next."""
        async with self._flushing:
            batch = self._batch()
            settings = self.settings
            try:
                self.size_bytes = await self._archive.write(
                    lambda store: self._write(store, batch, settings)
                )
            except HistoryError:
                self._put_back(batch)

    def _batch(self) -> Batch:
        edges, self._edges = self._edges, []
        spent, self._spent = self._spent, {}
        configured = _configured(self._snapshot)
        if configured is not None:
            for key in [k for k in self._adopted if incidents.is_forgotten(k[1], configured)]:
                del self._adopted[key]
        return Batch(edges, self._tally.take(), spent, configured, self._clock())

    def _put_back(self, batch: Batch) -> None:
        self._tally.put_back(batch.rows)
        self._edges = batch.edges + self._edges
        self._bound_edges()
        self._spent = {**batch.spent, **self._spent}

    def _bound_edges(self) -> None:
        lost = max(0, len(self._edges) - EDGES_MAX)
        self._edges_lost += lost
        del self._edges[:lost]

    def _write(self, store: Store, batch: Batch, settings: Settings) -> int:
        """In the writer's thread; the size in bytes."""
        if not 0 <= batch.at - self._expired_at < EXPIRE_SECONDS:
            retention.expire(store, batch.at, settings.retention_days * DAY_SECONDS)
            self._expired_at = batch.at
        bytes_max = settings.bytes_max
        if not self._archive.is_in_file:
            bytes_max = min(bytes_max, MEMORY_BYTES_MAX)
        make_room = partial(retention.make_room, store, batch.at, bytes_max)
        store.write(batch, make_room)
        make_room()
        return self._archive.size_bytes() or retention.size_bytes(store.connection)

    def _adopt(self, store: Store) -> None:
        """In the writer's thread: go on with what a file knows, and what people rely on."""
        store.restore_windows(tuple(self._windows.values()))
        kept = read_windows(store.connection, after=self._clock())
        self._windows = {window.id: window for window in kept}
        self._found = incidents.open_keys(store.connection)

    # -- what it is told -------------------------------------------------------------------------

    def record(self, actions: Sequence[Action], silenced: Callable[[Finding], bool]) -> None:
        """Remember edges; at once. Beyond `EDGES_MAX` the oldest are dropped, and counted."""
        for action in actions:
            self._adopted.pop(action.key, None)
        self._edges += (edge_of(each, silenced=silenced(each.finding)) for each in actions)
        self._bound_edges()

    def sample(self, snapshot: Snapshot) -> None:
        """Count the time since the last sample; once a second. Returns at once."""
        self._tally.sample(snapshot)
        self._snapshot = snapshot
        found, self._found = self._found, None
        if found is not None:
            self._take_up(found, snapshot)
        if self._adopted:
            self._close_adopted(snapshot)

    def _take_up(self, found: frozenset[Key], snapshot: Snapshot) -> None:
        """Go on with the incidents of a file, and write into it what is open and not in it."""
        self._adopted = dict.fromkeys(found)
        missing = [
            edge
            for edge in snapshot.edges
            if edge.finding.level != Level.OK and edge.key not in found
        ]
        self.record(missing, lambda finding: finding.subject in snapshot.silenced)

    def _close_adopted(self, snapshot: Snapshot) -> None:
        """Close what was open when the last process ended, and has been well for long enough.

        A finding that begins with OK has no edge: in this process it was never anything else. But
        what stands still looks well until it was watched for a while.
        """
        now = snapshot.at
        patience = {
            facts.name: facts.stall_seconds + facts.lag_blocks * facts.interval_seconds
            for facts in snapshot.networks
        }
        well = {f.key: f for f in snapshot.verdict.findings if f.level == Level.OK}
        closings: list[Action] = []
        for key, since in self._adopted.items():
            finding = well.get(key)
            # A clock that was set back begins anew too.
            begun_at = now if since is None or since > now else since
            self._adopted[key] = None if finding is None else begun_at
            if finding is not None and now - begun_at >= patience.get(finding.network, 0.0):
                closings.append(Action("closed", key, begun_at, finding, Level.UNKNOWN))
        if closings:
            self.record(closings, lambda _: False)

    def remember_spent(self, day: str, spent: Mapping[str, int]) -> None:
        """Remember the calls that references were asked on a day (UTC, YYYY-MM-DD)."""
        self._spent[day] = dict(spent)
        while len(self._spent) > DAYS_MAX:
            self._spent.pop(min(self._spent))

    # -- what it is asked ------------------------------------------------------------------------

    async def incidents(
        self,
        *,
        subject: str | None = None,
        network: str | None = None,
        since: float = 0,
        limit: int = 100,
    ) -> tuple[Incident, ...]:
        """Newest first: those still open, and those that were at some time since.

        An edge is seen here after the next flush.
        """
        ask = partial(reads.incidents, subject=subject, network=network, since=since, limit=limit)
        return await self._archive.read(ask, ())

    async def bars(
        self, subjects: Sequence[str], *, span_seconds: float, count: int
    ) -> Mapping[str, tuple[Bar | None, ...]]:
        """Bars of each subject, oldest first, until now; None where nothing is known.

        Raises ValueError for a count beyond 1 to `reads.BARS_MAX`, or a span of no time.
        """
        if not 1 <= count <= reads.BARS_MAX or not span_seconds > 0:
            message = f"found {count} bars of {span_seconds} s, expected 1 to {reads.BARS_MAX}"
            raise ValueError(message)
        ask = partial(
            reads.bars,
            subjects=tuple(subjects),
            span_seconds=span_seconds,
            count=count,
            now=self._clock(),
        )
        nothing: tuple[Bar | None, ...] = (None,) * count
        return await self._archive.read(ask, dict.fromkeys(subjects, nothing))

    async def uptime(self, subjects: Sequence[str]) -> Mapping[str, Uptime]:
        """The share of known seconds that were OK, of the last day, week and month."""
        ask = partial(reads.uptime, subjects=tuple(subjects), now=self._clock())
        return await self._archive.read(ask, dict.fromkeys(subjects, Uptime(None, None, None)))

    async def lag(self, node: str, *, since: float) -> tuple[LagPoint, ...]:
        """Head and lag of a node, oldest first: by the minute for a day, by the hour before."""
        ask = partial(reads.lag, node=node, since=since, now=self._clock())
        return await self._archive.read(ask, ())

    async def spent(self, day: str) -> Mapping[str, int]:
        """The calls that references were asked on a day (UTC), by their labels."""
        nothing: Mapping[str, int] = {}
        written = await self._archive.read(partial(reads.spent, day=day), nothing)
        return {**written, **self._spent.get(day, {})}

    # -- one-off windows -------------------------------------------------------------------------

    async def add_window(
        self,
        *,
        starts_at: float,
        ends_at: float,
        networks: Sequence[str],
        nodes: Sequence[str],
        reason: str,
        actor: str,
    ) -> Window:
        """Begin or plan a window; its id is given here. It is in the file when this returns.

        Raises HistoryError where it cannot be written: a window that a restart would forget is
        none.
        """
        count = len(await self.windows())
        if count >= WINDOWS_MAX:
            message = f"{count} windows are active or planned, and there may be no more"
            raise HistoryError(message)
        asked = Window("", starts_at, ends_at, tuple(networks), tuple(nodes), reason, actor)
        window = await self._keep(lambda store: store.add_window(asked))
        self._windows[window.id] = window
        return window

    async def end_window(self, name: str, *, actor: str) -> Window | None:
        """End a window before its time, or call it off; None where there is none of this id.

        Raises HistoryError where it cannot be written.
        """
        found = _WINDOW_ID.fullmatch(name)
        if found is None or name not in self._windows:
            return None
        number, now = int(found[1]), self._clock()
        ended = await self._keep(lambda store: store.end_window(number, actor=actor, now=now))
        self._windows.pop(name, None)
        return ended

    async def windows(self, *, past: bool = False) -> tuple[Window, ...]:
        """One-offs that are active or planned, or all that are remembered; the newest first."""
        if past:
            return tuple(await self._archive.read(read_windows, NO_WINDOWS))
        now = self._clock()
        if now < self._windows_at:
            # The clock was set back: what was over may be in force again.
            kept = await self._archive.read(partial(read_windows, after=now), NO_WINDOWS)
            self._windows = {window.id: window for window in kept} | self._windows
        self._windows_at = now
        self._windows = {name: w for name, w in self._windows.items() if w.ends_at > now}
        return tuple(sorted(self._windows.values(), key=lambda w: (-w.starts_at, w.id)))

    async def _keep(self, write: Callable[[Store], T]) -> T:
        if not self._archive.is_kept:
            message = f"the history cannot be written: {self.problem or 'it is not open'}"
            raise HistoryError(message)
        return await self._archive.write(write)


def _configured(snapshot: Snapshot | None) -> frozenset[str] | None:
    """The subjects that the configuration names."""
    if snapshot is None or not snapshot.networks:
        return None
    networks = (reference_label(facts.name) for facts in snapshot.networks)
    endpoints = (facts.label for facts in snapshot.endpoints)
    return frozenset(subject_of(label) for label in (*networks, *endpoints))
