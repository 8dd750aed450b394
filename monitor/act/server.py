"""The HTTP server: pages drawn from the snapshot. Nothing here asks a node anything.

Pages are drawn in a thread, one at a time, and serve everyone who asks within half a second, so
that no number of scrapers can hold up the loop. `/-/healthy` depends on the loop alone: a liveness
probe that followed the chain would restart healthy sidecars all over the fleet.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.act.answers import problem
from monitor.act.instruments import Instruments
from monitor.act.past import Past
from monitor.act.routes.api import Api
from monitor.act.routes.changes import Changes
from monitor.act.routes.gates import Gates
from monitor.act.routes.health import Health
from monitor.act.routes.ledgers import Ledgers
from monitor.act.routes.people import People
from monitor.act.routes.scrapes import Scrapes
from monitor.act.routes.transactions import Transactions
from monitor.act.view import View

__all__ = ("View", "application")

log = logging.getLogger("headwatch")

REQUEST_BYTES_MAX = 65_536
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def _edge(instruments: Instruments) -> Middleware:
    """The edge of every request: mistakes of ours end here."""

    @web.middleware
    async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as answer:
            allowed = {k: v for k, v in answer.headers.items() if k == "Allow"}
            return problem(answer.reason, answer.status, allowed)
        except web.RequestPayloadError:
            return problem("body: it is not encoded as its header says", 400)
        except Exception:
            log.exception("internal error while answering a request")
            instruments.internal_errors.labels(place="http").inc()
            return problem("internal error; the log has more", 500)

    return edge


async def _dress(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer gets its headers, also one that is sent bit by bit."""
    del request
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "headwatch"


def application(view: View, *, clock: Callable[[], float] = time.monotonic) -> web.Application:
    """All routes over one view. Listening is the caller's business; HEAD works where GET does."""
    app = web.Application(middlewares=[_edge(view.instruments)], client_max_size=REQUEST_BYTES_MAX)
    past = Past(view.history, clock)
    for routes in (
        People(view, past, clock),
        Scrapes(view, clock),
        Health(view),
        Api(view, past, clock),
        Changes(view),
        Transactions(view),
        Ledgers(view),
        Gates(view),
    ):
        routes.add(app.router)
    app.on_response_prepare.append(_dress)

    async def close(app: web.Application) -> None:
        del app
        view.live.close()

    # Before connections are waited for: those of open pages would never end.
    app.on_shutdown.append(close)
    return app
