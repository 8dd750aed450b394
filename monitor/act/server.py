"""The HTTP server: pages drawn from the snapshot. Nothing here asks a node anything.

Pages are drawn in a thread, one at a time, and serve everyone who asks within half a second, so
that no number of scrapers can hold up the loop. `/-/healthy` depends on the loop alone: a liveness
probe that followed the chain would restart healthy sidecars all over the fleet.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Generic, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor import __version__
from monitor.act.collector import is_openmetrics, registry_of, render
from monitor.act.html import status_html
from monitor.act.metrics import Instruments
from monitor.act.report import gate_json
from monitor.act.synced import synced
from monitor.act.target import debug_text, find, narrow
from monitor.model import NodeFacts, Snapshot

log = logging.getLogger("headwatch")

KEEP_SECONDS = 0.5
"""How long a page that was drawn serves whoever asks next."""
PARAMETER_CHARACTERS_MAX = 200
REFRESH_SECONDS = 5
REFRESH_SECONDS_MAX = 3600
REQUEST_BYTES_MAX = 65_536
GZIP_LEVEL = 1
ASSETS = {
    "headwatch.css": "text/css",
    "pass.svg": "image/svg+xml",
    "fail.svg": "image/svg+xml",
    "inconclusive.svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "headwatch",
}

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class View:
    """What the server is given to look at, and the little that it may do."""

    snapshot: Callable[[], Snapshot]
    alive: Callable[[], bool]
    """Whether the loop still turns."""
    reload: Callable[[], Awaitable[str | None]] | None
    """Reads the configuration again; the answer is None, or why the old one stays. None: off."""
    token: str | None
    """Asked for as a bearer token by what changes something."""
    instruments: Instruments
    exchange: Callable[[NodeFacts], tuple[str, str] | None] = lambda facts: facts.last_exchange
    """The last request and answer of an endpoint: scrubbing them is for those who ask."""


class Drawn(Generic[K, V]):
    """Pages that are costly to draw: one at a time, in a thread, each kept for a moment."""

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Callable[[], float]) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kept: dict[K, tuple[float, V]] = {}

    async def get(self, key: K, draw: Callable[[Snapshot], V]) -> V:
        """The page under this key, drawn anew when it is older than `KEEP_SECONDS`.

        The snapshot is taken on the loop, where nothing else changes meanwhile, and is drawn
        elsewhere.
        """
        async with self._lock:
            now = self._clock()
            kept = {k: (at, p) for k, (at, p) in self._kept.items() if now - at < KEEP_SECONDS}
            if key not in kept:
                page = await asyncio.to_thread(draw, self._snapshot())
                kept[key] = (self._clock(), page)
            self._kept = kept
            return kept[key][1]


@dataclass(frozen=True, slots=True)
class Exposition:
    """One metrics page, both ways a scraper may take it."""

    body: bytes
    packed: bytes
    """The same, gzip."""
    content_type: str


class Pages:
    """The handlers of all routes."""

    def __init__(self, view: View, clock: Callable[[], float]) -> None:
        self._view = view
        self._clock = clock
        self._metrics: Drawn[bool, Exposition] = Drawn(view.snapshot, clock)
        self._status: Drawn[int, str] = Drawn(view.snapshot, clock)
        folder = files("monitor.act").joinpath("web")
        self._assets = {name: folder.joinpath(name).read_bytes() for name in ASSETS}

    async def metrics(self, request: web.Request) -> web.Response:
        """Prometheus' text or OpenMetrics, as the Accept header asks."""
        accept = request.headers.get("Accept", "")

        def draw(snapshot: Snapshot) -> Exposition:
            began = self._clock()
            registry = registry_of(snapshot, self._view.instruments)
            body, content_type = render(registry, accept)
            packed = gzip.compress(body, GZIP_LEVEL)
            self._view.instruments.scrape_duration_seconds.set(self._clock() - began)
            return Exposition(body, packed, content_type)

        page = await self._metrics.get(is_openmetrics(accept), draw)
        headers = {"Content-Type": page.content_type, "Vary": "Accept, Accept-Encoding"}
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=page.body, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=page.packed, headers=headers)

    async def status(self, request: web.Request) -> web.Response:
        """The page for people; `?refresh=` in seconds, 0 for never."""
        text = _parameter(request, "refresh") or str(REFRESH_SECONDS)
        if not text.isascii() or not text.isdigit() or int(text) > REFRESH_SECONDS_MAX:
            message = f"refresh: expected seconds from 0 to {REFRESH_SECONDS_MAX}"
            return _problem(message, 400)
        seconds = int(text)

        def draw(snapshot: Snapshot) -> str:
            return status_html(snapshot, refresh_seconds=seconds)

        return web.Response(text=await self._status.get(seconds, draw), content_type="text/html")

    async def asset(self, request: web.Request) -> web.Response:
        """A file of the page; only those that are named here exist."""
        name = request.match_info["name"]
        if name not in ASSETS:
            raise web.HTTPNotFound
        return web.Response(
            body=self._assets[name],
            content_type=ASSETS[name],
            charset="utf-8",
            headers={"Cache-Control": "public, max-age=3600"},
        )

    async def healthy(self, request: web.Request) -> web.Response:
        """200 while the loop turns. Never depends on a chain."""
        del request
        if self._view.alive():
            return web.Response(text="the loop is alive\n")
        return web.Response(text="the loop stands still\n", status=503)

    async def ready(self, request: web.Request) -> web.Response:
        """200 once every network has finished its first round."""
        del request
        if self._view.snapshot().ready:
            return web.Response(text="ready\n")
        return web.Response(text="the first round is not finished\n", status=503)

    async def synced(self, request: web.Request) -> web.Response:
        """200 when the node, or without `?node=` every one, is on its network's chain; else 503."""
        name = _parameter(request, "node")
        snapshot = self._view.snapshot()
        nodes = [facts for facts in snapshot.endpoints if facts.kind == "node"]
        if name is not None:
            nodes = [facts for facts in nodes if facts.name == name]
            if not nodes:
                return _problem("node: there is none of this name in the configuration", 404)
        answers = [synced(snapshot, facts) for facts in nodes]
        is_synced = bool(answers) and all(answer.is_synced for answer in answers)
        document = {
            "synced": is_synced,
            "nodes": [
                {
                    "node": answer.node,
                    "network": answer.network,
                    "synced": answer.is_synced,
                    "reasons": list(answer.reasons),
                }
                for answer in answers
            ],
        }
        return _json(document, 200 if is_synced else 503)

    async def verdict(self, request: web.Request) -> web.Response:
        """The gate's document of this moment."""
        del request
        return _json(gate_json(self._view.snapshot().verdict, version=__version__))

    async def probe(self, request: web.Request) -> web.Response:
        """One target's last round: its metrics, or with `debug=1` all that is known of it."""
        target = _parameter(request, "target")
        debug = _parameter(request, "debug") or "0"
        if not target:
            return _problem("target: expected the name of a node, or NETWORK/NAME", 400)
        if debug not in {"0", "1", "false", "true"}:
            return _problem("debug: expected 0, 1, false or true", 400)
        snapshot = self._view.snapshot()
        facts = find(snapshot, target)
        if facts is None:
            return _problem("target: nothing of this name is in the configuration", 404)
        if debug in {"1", "true"}:
            shown = replace(facts, last_exchange=self._view.exchange(facts))
            return web.Response(text=debug_text(snapshot, shown))
        registry = registry_of(narrow(snapshot, facts))
        body, content_type = render(registry, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type, "Vary": "Accept"})

    async def reload(self, request: web.Request) -> web.Response:
        """Reads the configuration again; 422 and the reason when it cannot be used."""
        if self._view.reload is None:
            return _problem("reload is off: set http.reload, or send SIGHUP", 403)
        if self._view.token is not None:
            if not _bears(request, self._view.token):
                return _problem("expected a bearer token", 401, {"WWW-Authenticate": "Bearer"})
        elif request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            # Without a token any page open in a browser on this machine could ask for it.
            return _problem("not from another site", 403)
        problem = await self._view.reload()
        if problem is not None:
            return _problem(problem, 422)
        return _json({"reloaded": True})


def _parameter(request: web.Request, name: str) -> str | None:
    """A query parameter. Raises HTTPBadRequest when it is given twice or is too long."""
    values = request.query.getall(name, [])
    if len(values) > 1 or any(len(value) > PARAMETER_CHARACTERS_MAX for value in values):
        raise web.HTTPBadRequest(
            reason=f"{name}: expected once, of at most {PARAMETER_CHARACTERS_MAX} characters"
        )
    return values[0] if values else None


def _bears(request: web.Request, token: str) -> bool:
    """Whether the request carries the token; takes as long whether it nearly does or not."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return same and scheme.lower() == "bearer"


def _json(
    document: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    return web.Response(text=text, status=status, headers=headers, content_type="application/json")


def _problem(sentence: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    return _json({"error": sentence}, status, headers)


def _edge(instruments: Instruments) -> Middleware:
    """The edge of every request: mistakes of ours end here, and every answer gets its headers."""

    @web.middleware
    async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        response: web.StreamResponse
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            allowed = {k: v for k, v in answer.headers.items() if k == "Allow"}
            response = _problem(answer.reason, answer.status, allowed)
        except Exception:
            log.exception("internal error while answering a request")
            instruments.internal_errors.labels(place="http").inc()
            response = _problem("internal error; the log has more", 500)
        response.headers.update(HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return edge


def application(view: View, *, clock: Callable[[], float] = time.monotonic) -> web.Application:
    """All routes over one view. Listening is the caller's business; HEAD works where GET does."""
    pages = Pages(view, clock)
    app = web.Application(middlewares=[_edge(view.instruments)], client_max_size=REQUEST_BYTES_MAX)
    app.router.add_get("/", pages.status)
    app.router.add_get("/static/{name}", pages.asset)
    app.router.add_get("/metrics", pages.metrics)
    app.router.add_get("/probe", pages.probe)
    app.router.add_get("/-/healthy", pages.healthy)
    app.router.add_get("/-/ready", pages.ready)
    app.router.add_get("/-/synced", pages.synced)
    app.router.add_post("/-/reload", pages.reload)
    app.router.add_get("/api/v1/verdict", pages.verdict)
    return app
