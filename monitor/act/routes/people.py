"""For people: the pages, their files, and badges that show the state elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from aiohttp import web

from monitor.act.answers import Packed, packed_answer, parameter, problem, refused, whole
from monitor.act.assets import INDEX, SVG, runbook_names, runbook_text, static
from monitor.act.drawn import Drawn
from monitor.act.html import Page, html_of
from monitor.act.pages.badge import LEVELS, badge_svg
from monitor.act.pages.band import band_of
from monitor.act.pages.fleet import fleet_page
from monitor.act.pages.node import NodePast, node_of, node_page
from monitor.act.pages.runbook import RunbookPage, runbook_html
from monitor.act.pages.story import story_page
from monitor.act.pages.timeline import incidents_page
from monitor.act.past import INCIDENTS_MAX, Past
from monitor.act.routes.transactions import NAME, trouble
from monitor.act.target import narrow
from monitor.act.transactions import NONE_WATCHED, veiled
from monitor.act.transactions import find as find_story
from monitor.act.view import View
from monitor.model import Snapshot
from monitor.transactions.orders import OrderError

REFRESH_SECONDS = 5
"""How often a page reloads itself where no script may do better."""
REFRESH_SECONDS_MAX = 3600
RUNBOOK_REFRESH_SECONDS = 60
"""Whoever reads should not be disturbed for what stands above it."""
BADGE_KEEP_SECONDS = 15
STATIC_KEEP_SECONDS = 86_400
"""Their address changes with their content."""
HTML = "text/html; charset=utf-8"
NO_NODE = "node: there is none of this name in the configuration"
T = TypeVar("T")


class People:
    """Everything that is looked at."""

    def __init__(self, view: View, past: Past, clock: Callable[[], float]) -> None:
        self._view = view
        self._past = past
        self._pages: Drawn[tuple[object, ...], Packed] = Drawn(view.snapshot, clock)
        self._reading = asyncio.Lock()
        self._static = {
            name: Packed.of(asset.body, asset.content_type) for name, asset in static().items()
        }

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self.fleet)
        router.add_get("/node/{name}", self.node)
        router.add_get("/incidents", self.incidents)
        router.add_get(f"/transactions/{NAME}", self.transaction)
        router.add_get("/runbook", self.runbook)
        router.add_get("/runbook/{name}", self.runbook)
        router.add_get("/badge.svg", self.badge)
        router.add_get("/badge/{name}.svg", self.badge)
        router.add_get("/static/{name}", self.asset)

    async def fleet(self, request: web.Request) -> web.Response:
        """The first page; `?refresh=` in seconds, 0 for never, as on every page."""
        seconds = _refresh(request)
        windows = self._view.windows()
        return await self._page(
            request,
            ("fleet", seconds),
            self._past.fleet,
            lambda snapshot, past: fleet_page(
                snapshot, refresh_seconds=seconds, past=past, windows=windows
            ),
        )

    async def node(self, request: web.Request) -> web.Response:
        """Everything of one node."""
        seconds = _refresh(request)
        name = request.match_info["name"]
        facts = node_of(self._view.snapshot(), name)
        if facts is None:
            return problem(NO_NODE, 404)
        windows = self._view.windows()
        shown = replace(facts, last_exchange=self._view.exchange(facts))

        def draw(snapshot: Snapshot, past: NodePast) -> Page:
            newest = node_of(snapshot, name) or facts
            return node_page(
                snapshot,
                replace(newest, last_exchange=shown.last_exchange),
                refresh_seconds=seconds,
                past=past,
                windows=windows,
                page_url=self._view.page_url(),
            )

        return await self._page(
            request, ("node", name, seconds), lambda s: self._past.node(s, facts), draw
        )

    async def incidents(self, request: web.Request) -> web.Response:
        """The timeline, of one network or one node where they are named."""
        seconds = _refresh(request)
        network, node = parameter(request, "network") or "", parameter(request, "node") or ""
        snapshot = self._view.snapshot()
        if network and network not in {facts.name for facts in snapshot.networks}:
            return problem("network: there is none of this name in the configuration", 404)
        if node and node_of(snapshot, node) is None:
            return problem(NO_NODE, 404)
        return await self._page(
            request,
            ("incidents", network, node, seconds),
            lambda _: self._past.incidents(network=network, node=node),
            lambda snapshot, found: incidents_page(
                snapshot,
                found,
                refresh_seconds=seconds,
                limit=INCIDENTS_MAX,
                network=network,
                node=node,
            ),
        )

    async def transaction(self, request: web.Request) -> web.Response:
        """Everything of one transaction; what is not public is for those who may give orders."""
        seconds, network = _refresh(request), parameter(request, "network") or None
        journal, name = self._view.journal, request.match_info["name"]
        if journal is None:
            return problem(NONE_WATCHED, 404)
        is_trusted = refused(request, self._view.token) is None
        try:
            # Before the pages' turn: a journal that answers slowly holds up nobody else's.
            async with self._reading:
                story = await asyncio.to_thread(find_story, journal, name, network)
        except OrderError as error:
            return trouble(error)
        shown, withheld = (story, ()) if is_trusted else veiled(story)
        newest = story.slot.newest
        # Its links lead back to it, also where the same alias is on several networks.
        own = name if network is None or newest is None else newest.hash

        def draw(snapshot: Snapshot) -> Packed:
            return _packed(
                story_page(snapshot, shown, name=own, refresh_seconds=seconds, withheld=withheld)
            )

        key = ("transaction", name, network, is_trusted, seconds)
        return packed_answer(request, await self._pages.get(key, draw))

    async def runbook(self, request: web.Request) -> web.Response:
        """A page of the runbook, or the list of them."""
        name = request.match_info.get("name", "")
        text = runbook_text(name or INDEX)
        if text is None:
            return problem("runbook: there is no page of this name", 404)
        seconds = _refresh(request, RUNBOOK_REFRESH_SECONDS)
        body = runbook_html(text, runbook_names())

        def draw(snapshot: Snapshot) -> Packed:
            path = f"/runbook/{name}" if name else "/runbook"
            band = band_of(snapshot, path=path, refresh_seconds=seconds)
            return _packed(RunbookPage(band, name, body))

        return packed_answer(request, await self._pages.get(("runbook", name, seconds), draw))

    async def badge(self, request: web.Request) -> web.Response:
        """The verdict, or the level of one node, as a picture for other pages."""
        name = request.match_info.get("name", "")
        snapshot = self._view.snapshot()
        label, verdict = "headwatch", snapshot.verdict
        word, level = str(verdict.word), LEVELS[verdict.word]
        if name:
            facts = node_of(snapshot, name)
            if facts is None:
                return problem(NO_NODE, 404)
            label, level = name, narrow(snapshot, facts).verdict.level
            word = level.word
        return web.Response(
            body=badge_svg(label, word, level).encode(),
            headers={
                "Content-Type": SVG,
                "Cache-Control": f"public, max-age={BADGE_KEEP_SECONDS}",
                # A badge is made to be shown by other sites.
                "Cross-Origin-Resource-Policy": "cross-origin",
            },
        )

    async def asset(self, request: web.Request) -> web.Response:
        """A file of the pages; only those that are named in the table exist."""
        page = self._static.get(request.match_info["name"])
        if page is None:
            raise web.HTTPNotFound
        return packed_answer(request, page, keep_seconds=STATIC_KEEP_SECONDS)

    async def _page(
        self,
        request: web.Request,
        key: tuple[object, ...],
        gather: Callable[[Snapshot], Awaitable[T]],
        draw: Callable[[Snapshot, T], Page],
    ) -> web.Response:
        page = await self._pages.get_with(key, gather, lambda s, past: _packed(draw(s, past)))
        return packed_answer(request, page)


def _packed(page: Page) -> Packed:
    return Packed.of(html_of(page).encode(), HTML)


def _refresh(request: web.Request, default: int = REFRESH_SECONDS) -> int:
    return whole(request, "refresh", "seconds", default, REFRESH_SECONDS_MAX)
