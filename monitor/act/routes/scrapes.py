"""For Prometheus: all metrics, or one target's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from monitor.act.answers import Packed, packed_answer, parameter, problem
from monitor.act.collector import Registry, is_openmetrics, registry_of, render
from monitor.act.drawn import Drawn
from monitor.act.eip2159 import EipCollector
from monitor.act.instruments import Instruments
from monitor.act.target import debug_text, find, narrow
from monitor.act.view import View
from monitor.model import Snapshot


class Scrapes:
    """`/metrics` and `/probe`."""

    def __init__(self, view: View, clock: Callable[[], float]) -> None:
        self._view = view
        self._clock = clock
        self._metrics: Drawn[bool, Packed] = Drawn(view.snapshot, clock)

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get("/metrics", self.metrics)
        router.add_get("/probe", self.probe)

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' text or OpenMetrics, as the Accept header asks."""
        accept = request.headers.get("Accept", "")

        def draw(snapshot: Snapshot) -> Packed:
            began = self._clock()
            registry = self._registry_of(snapshot, self._view.instruments)
            page = Packed.of(*render(registry, accept))
            self._view.instruments.scrape_duration_seconds.set(self._clock() - began)
            return page

        page = await self._metrics.get(is_openmetrics(accept), draw)
        return packed_answer(request, page, vary="Accept, Accept-Encoding")

    def _registry_of(self, snapshot: Snapshot, instruments: Instruments | None = None) -> Registry:
        registry = registry_of(snapshot, instruments)
        if not self._view.has_eip2159:
            return registry
        return Registry(registry, EipCollector(lambda: snapshot))

    async def probe(self, request: web.Request) -> web.Response:
        """One target's last round: its metrics, or with `debug=1` all that is known of it."""
        target = parameter(request, "target")
        debug = parameter(request, "debug") or "0"
        if not target:
            return problem("target: expected the name of a node, or NETWORK/NAME", 400)
        if debug not in {"0", "1", "false", "true"}:
            return problem("debug: expected 0, 1, false or true", 400)
        snapshot = self._view.snapshot()
        facts = find(snapshot, target)
        if facts is None:
            return problem("target: nothing of this name is in the configuration", 404)
        if debug in {"1", "true"}:
            shown = replace(facts, last_exchange=self._view.exchange(facts))
            return web.Response(text=debug_text(snapshot, shown))
        registry = self._registry_of(narrow(snapshot, facts))
        body, content_type = render(registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type, "Vary": "Accept"})
