"""For programs: the state, the past, and news of both, as JSON."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from monitor import __version__
from monitor.act.answers import (
    Packed,
    json_answer,
    packed_answer,
    packed_json,
    parameter,
    problem,
    whole,
)
from monitor.act.drawn import Drawn
from monitor.act.pages.node import network_of, node_of
from monitor.act.past import INCIDENTS_MAX, Past
from monitor.act.remembered import history_json, incidents_json
from monitor.act.report import gate_json
from monitor.act.state import state_bytes
from monitor.act.view import View

HOURS = 24
HOURS_MAX = 24 * 31
HOUR_SECONDS = 3600
JSON = "application/json"
NO_HISTORY = "nothing is remembered here: there is no history"


class Api:
    """`/api/v1/…`, as far as it changes nothing."""

    def __init__(self, view: View, past: Past, clock: Callable[[], float]) -> None:
        self._view = view
        self._past = past
        self._states: Drawn[tuple[object, ...], Packed] = Drawn(view.snapshot, clock)

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/v1/verdict", self.verdict)
        router.add_get("/api/v1/state", self.state)
        router.add_get("/api/v1/events", self._view.live.events)
        router.add_get("/api/v1/incidents", self.incidents)
        router.add_get("/api/v1/history", self.history)

    async def verdict(self, request: web.Request) -> web.Response:
        """The gate's document of this moment."""
        del request
        return json_answer(gate_json(self._view.snapshot().verdict, version=__version__))

    async def state(self, request: web.Request) -> web.Response:
        """Everything that the status page says of this moment.

        Who was told by a tick is never shown what was before it.
        """
        windows = self._view.windows()
        moment = (self._view.snapshot().verdict.at, windows)
        page = await self._states.get(
            moment, lambda snapshot: Packed.of(state_bytes(snapshot, windows), JSON)
        )
        return packed_answer(request, page)

    async def incidents(self, request: web.Request) -> web.Response:
        """The newest incidents, of a network or a node where one is named."""
        network, node = parameter(request, "network") or "", parameter(request, "node") or ""
        limit = whole(request, "limit", "a number", INCIDENTS_MAX, INCIDENTS_MAX)
        found = await self._past.incidents(network=network, node=node, limit=limit)
        if found is None:
            return problem(NO_HISTORY, 404)
        return packed_json(request, incidents_json(found))

    async def history(self, request: web.Request) -> web.Response:
        """Head and lag of a node, for the last `hours`."""
        name = parameter(request, "node") or ""
        hours = max(1, whole(request, "hours", "hours", HOURS, HOURS_MAX))
        snapshot = self._view.snapshot()
        facts = node_of(snapshot, name)
        network = None if facts is None else network_of(snapshot, facts)
        if facts is None or network is None:
            return problem("node: there is none of this name in the configuration", 404)
        if self._view.history is None:
            return problem(NO_HISTORY, 404)
        points = await self._view.history.lag(name, since=snapshot.at - hours * HOUR_SECONDS)
        return packed_json(request, history_json(points, node=name, network=network, hours=hours))
