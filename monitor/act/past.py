"""What pages show of the history: asked seldom, since what is past does not change much."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from monitor.act.pages.bars import COUNT, SPAN_SECONDS
from monitor.act.pages.fleet import FleetPast
from monitor.act.pages.node import NodePast
from monitor.model import NodeFacts, Snapshot, node_subject

if TYPE_CHECKING:
    from monitor.history import History, Incident

KEEP_SECONDS = 15.0
"""A bar is half an hour wide."""
KEPT_MAX = 256
INCIDENTS_RECENT_MAX = 6
"""On the first page; on a node's own, its."""
INCIDENTS_MAX = 100
"""On the page of incidents."""

T = TypeVar("T")


class Past:
    """Questions to the history, whose answers are kept for `KEEP_SECONDS`."""

    def __init__(self, history: History | None, clock: Callable[[], float]) -> None:
        self._history = history
        self._clock = clock
        self._kept: dict[Hashable, tuple[float, object]] = {}

    async def fleet(self, snapshot: Snapshot) -> FleetPast:
        """The bars and the uptime of every node, and the newest incidents."""
        history = self._history
        if history is None:
            return FleetPast()
        subjects = tuple(
            node_subject(facts.name) for facts in snapshot.endpoints if facts.kind == "node"
        )

        async def ask() -> FleetPast:
            return FleetPast(
                bars=await history.bars(subjects, span_seconds=SPAN_SECONDS, count=COUNT),
                uptime=await history.uptime(subjects),
                is_kept=True,
            )

        past = await self._keep(("fleet", subjects), ask)
        # Few rows by an index: what has just begun is to be seen at once.
        newest = await history.incidents(limit=INCIDENTS_RECENT_MAX)
        return replace(past, incidents=newest, problem=history.problem)

    async def node(self, snapshot: Snapshot, facts: NodeFacts) -> NodePast:
        """Bars, uptime, lag and incidents of one node."""
        history = self._history
        if history is None:
            return NodePast()
        subject = node_subject(facts.name)

        async def ask() -> NodePast:
            bars = await history.bars([subject], span_seconds=SPAN_SECONDS, count=COUNT)
            uptime = await history.uptime([subject])
            return NodePast(
                bars=bars.get(subject, ()),
                uptime=uptime.get(subject),
                lag=await history.lag(facts.name, since=snapshot.at - SPAN_SECONDS),
                is_kept=True,
            )

        past = await self._keep(("node", subject), ask)
        newest = await history.incidents(subject=subject, limit=INCIDENTS_RECENT_MAX)
        return replace(past, incidents=newest)

    async def incidents(
        self, *, network: str, node: str, limit: int = INCIDENTS_MAX
    ) -> tuple[Incident, ...] | None:
        """The newest, of a network or a node where they are named; None: there is no history."""
        if self._history is None:
            return None
        return await self._history.incidents(
            subject=node_subject(node) if node else None,
            network=network or None,
            limit=limit,
        )

    async def _keep(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        now = self._clock()
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < KEEP_SECONDS:
            return kept[1]  # type: ignore[return-value] # a key is asked for one type only
        answer = await ask()
        self._kept = {k: v for k, v in self._kept.items() if now - v[0] < KEEP_SECONDS}
        while len(self._kept) >= KEPT_MAX:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = (now, answer)
        return answer
