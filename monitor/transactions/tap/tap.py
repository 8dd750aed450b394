"""A port that a program's RPC URL may point at instead of the node's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import aiohttp
from aiohttp import web

from monitor.model import Hash32
from monitor.transactions.tap.clerk import Clerk, Ledger, Sent, named
from monitor.transactions.tap.door import UNAUTHORIZED, Door
from monitor.transactions.tap.http import Asked, Http, TapLimits
from monitor.transactions.tap.looking import find_sends, unpack
from monitor.transactions.tap.packing import PackedError, TooLargeError, UnknownCodingError
from monitor.transactions.tap.pair import Means
from monitor.transactions.tap.reading import Reading
from monitor.transactions.tap.websocket import Sockets
from monitor.transactions.tap.wording import problem
from monitor.url import Url

BAD_REQUEST, REQUEST_TIMEOUT, TOO_LARGE, UNKNOWN_CODING, UNAVAILABLE = 400, 408, 413, 415, 503


class Tap:
    """Passes everything on to one node, and journals what is sent through it.

    `upstream` and `websocket` may be changed at any time: they hold from the next request on.
    """

    def __init__(
        self,
        *,
        upstream: Url,
        websocket: Url | None,
        ledger: Ledger,
        session: aiohttp.ClientSession,
        token: str | None,
        limits: TapLimits,
        clock: Callable[[], float],
        on_sent: Callable[[Sent], None],
        on_request: Callable[[str, float], None] = lambda method_class, seconds: None,
        on_read: Callable[[bytes], None] = lambda text: None,
        hosts: Collection[str] = (),
        journal_error: type[Exception] | None = None,
        hash_of: Callable[[bytes], Hash32] = named,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """`session` is `http.open_session`'s; it stays open. `hosts` are names it is asked under.

        `on_request` is told of every request its class and what it took, in seconds, and of every
        send over a websocket; `refused` are those that went no further than the tap. `on_read` is
        given every request that sends nothing, unpacked, before it is passed on.
        """
        if journal_error is None:
            from monitor.transactions.journal.record import JournalError

            journal_error = JournalError
        self.upstream = upstream
        self.websocket = websocket
        self._limits = limits
        self._timer = timer
        self._on_request = on_request
        self._on_read = on_read
        self._door = Door(token, frozenset(host.lower() for host in hosts))
        clerk = Clerk(
            ledger, clock=clock, on_sent=on_sent, journal_error=journal_error, hash_of=hash_of
        )
        self._http = Http(clerk, session, limits, upstream=lambda: self.upstream)
        means = Means(clerk, limits, timer, lambda took: on_request("send", took))
        self._sockets = Sockets(means, session, upstream=lambda: self.websocket)
        self._under_way = 0
        self._sends: set[asyncio.Task[web.Response]] = set()
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """All paths and methods. Packed bodies must reach it as they are, as its arguments say."""
        app = web.Application(
            client_max_size=self._limits.body_bytes_max,
            handler_args={
                "auto_decompress": False,
                "handler_cancellation": True,
                "access_log": None,
            },
        )
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_shutdown.append(self._close_sockets)
        return app

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; the address, with the port that was given where `port` is 0. Raises OSError."""
        self._runner = web.AppRunner(self.application(), shutdown_timeout=self._limits.stop_seconds)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        address = self._runner.addresses[0]
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Listen no more, and let what is under way end, for `stop_seconds`.

        A send that is cut off here has no outcome in the journal: it counts as sent.
        """
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        if self._sends:
            await asyncio.wait(tuple(self._sends), timeout=self._limits.stop_seconds)
        for task in self._sends:
            task.cancel()
        await asyncio.gather(*self._sends, return_exceptions=True)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        began = self._timer()
        refusal = self._refusal(request)
        if refusal is not None:
            return self._refused(refusal, began)
        if request.headers.get("Upgrade", "").strip().lower() == "websocket":
            return await self._sockets.join(request)
        self._under_way += 1
        try:
            return await self._pass(request, began)
        finally:
            self._under_way -= 1

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Why this request goes no further, whatever is in it."""
        refused = self._door.refusal(request.headers)
        if refused is not None:
            response = problem(*refused)
            if response.status == UNAUTHORIZED:
                response.headers["WWW-Authenticate"] = "Bearer"
            return response
        # A client that has left is not waited for, but what it sent is.
        count = max(self._under_way, len(self._sends))
        if count >= self._limits.requests_at_once_max:
            return problem(UNAVAILABLE, f"{count} requests are under way already")
        return None

    def _refused(self, response: web.Response, began: float) -> web.Response:
        self._on_request("refused", self._timer() - began)
        return response

    async def _pass(self, request: web.Request, began: float) -> web.StreamResponse:
        asked = await self._asked(request)
        if isinstance(asked, web.Response):
            return self._refused(asked, began)
        reading = await find_sends(asked.text)
        if reading.raw_count > self._limits.sends_max:
            said = f"more than {self._limits.sends_max} transactions in one request"
            return self._refused(problem(TOO_LARGE, said, asked.text), began)
        if reading.calls:
            task = asyncio.create_task(self._send(asked, reading, began))
            self._sends.add(task)
            task.add_done_callback(self._sends.discard)
            return await asyncio.shield(task)
        self._on_read(asked.text)
        try:
            return await self._http.pass_on(asked)
        finally:
            self._on_request("other", self._timer() - began)

    async def _send(self, asked: Asked, reading: Reading, began: float) -> web.Response:
        """Goes on when the client has left: what is in the journal counts as sent."""
        is_forwarded, response = await self._http.send(asked, reading)
        self._on_request("send" if is_forwarded else "refused", self._timer() - began)
        return response

    async def _asked(self, request: web.Request) -> Asked | web.Response:
        """The request with its body, or why it is not looked into."""
        limit = self._limits.body_bytes_max
        try:
            async with asyncio.timeout(self._limits.deadline_seconds):
                body = await request.read()
            coding = ", ".join(request.headers.getall("Content-Encoding", ()))
            return Asked(request, body, await unpack(body, coding, limit))
        except TimeoutError:
            return problem(REQUEST_TIMEOUT, "the request did not come in time")
        except web.HTTPRequestEntityTooLarge:
            return problem(TOO_LARGE, f"the request is larger than {limit} bytes")
        except web.RequestPayloadError:
            return problem(BAD_REQUEST, "the request ends early")
        except TooLargeError as error:
            return problem(TOO_LARGE, f"the request: {error}")
        except UnknownCodingError as error:
            return problem(UNKNOWN_CODING, f"the request: {error}")
        except PackedError as error:
            return problem(BAD_REQUEST, f"the request: {error}")

    async def _close_sockets(self, app: web.Application) -> None:
        """Before connections are waited for: those of websockets would never end."""
        del app
        await self._sockets.close()
