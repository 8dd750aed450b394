"""Server-sent events: open pages hear that there is something new, and fetch it themselves.

A tick carries no state, so it need not be kept: each client has room for the newest one only. Who
does not read what is sent is dropped, and the number of clients has a limit.
"""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import dataclass

from aiohttp import web

CLIENTS_MAX = 64
INTERVAL_SECONDS = 1.0
"""A client is told at most so often."""
KEEP_ALIVE_SECONDS = 15.0
"""After so long without a tick a comment shows client and proxies that the line is there."""
SEND_SECONDS_MAX = 10.0
"""Who does not take a tick for so long is dropped."""
RETRY_MILLISECONDS = 3000
BUFFER_BYTES = 4096
"""What may wait for one client, in this process and in the kernel."""
CONTENT_TYPE = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Tick:
    """There is something new."""

    at: float
    verdict: str
    rounds: int
    """Of all networks together."""

    def event(self) -> bytes:
        """As it travels (WHATWG HTML, server-sent events)."""
        document = json.dumps({"at": self.at, "verdict": self.verdict, "rounds": self.rounds})
        return f"event: tick\ndata: {document}\n\n".encode()


class Client:
    """One open page."""

    def __init__(self, newest: Tick | None) -> None:
        self.waiting = newest
        self.woken = asyncio.Event()
        self.closed = asyncio.Event()
        if newest is not None:
            self.woken.set()

    def give(self, tick: Tick) -> None:
        """Replaces a tick that still waits: the newer one says the same."""
        self.waiting = tick
        self.woken.set()

    def close(self) -> None:
        self.closed.set()
        self.woken.set()


class Live:
    """All clients that listen."""

    def __init__(
        self,
        *,
        clients_max: int = CLIENTS_MAX,
        interval_seconds: float = INTERVAL_SECONDS,
        keep_alive_seconds: float = KEEP_ALIVE_SECONDS,
        send_seconds_max: float = SEND_SECONDS_MAX,
    ) -> None:
        self._clients_max = clients_max
        self._interval_seconds = interval_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._send_seconds_max = send_seconds_max
        self._clients: set[Client] = set()
        self._newest: Tick | None = None

    @property
    def clients(self) -> int:
        return len(self._clients)

    def publish(self, *, at: float, verdict: str, rounds: int) -> None:
        """Tell every client, on the loop's thread; returns at once."""
        self._newest = Tick(at, verdict, rounds)
        for client in self._clients:
            client.give(self._newest)

    def close(self) -> None:
        """Let every client go, at the end of the server."""
        for client in self._clients:
            client.close()

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Ticks until the client goes, is too slow, or the server ends; 503 beyond the limit."""
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        if request.method == "HEAD":
            return web.Response(headers=headers)
        if len(self._clients) >= self._clients_max:
            raise web.HTTPServiceUnavailable(
                reason=f"{self._clients_max} pages listen already; fetch instead"
            )
        client = Client(self._newest)
        self._clients.add(client)
        # A proxy that collected ticks before it hands them on would defeat them.
        response = web.StreamResponse(headers={**headers, "X-Accel-Buffering": "no"})
        try:
            await response.prepare(request)
            _keep_small(request)
            await self._feed(client, response)
        except (ConnectionError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._clients.discard(client)
        return response

    async def _feed(self, client: Client, response: web.StreamResponse) -> None:
        """Raises TimeoutError when the client does not read, ConnectionError when it is gone."""
        await self._send(response, f"retry: {RETRY_MILLISECONDS}\n\n".encode())
        while True:
            if not await _happens(client.woken, self._keep_alive_seconds):
                await self._send(response, b": still here\n\n")
                continue
            client.woken.clear()
            if client.waiting is not None:
                await self._send(response, client.waiting.event())
            client.waiting = None
            if await _happens(client.closed, self._interval_seconds):
                return

    async def _send(self, response: web.StreamResponse, line: bytes) -> None:
        async with asyncio.timeout(self._send_seconds_max):
            await response.write(line)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether it happens within this time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _keep_small(request: web.Request) -> None:
    """Give a client that does not read little room, so that it is noticed soon."""
    transport = request.transport
    if transport is None:
        return
    transport.set_write_buffer_limits(high=BUFFER_BYTES)
    endpoint = transport.get_extra_info("socket")
    if endpoint is not None:
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
