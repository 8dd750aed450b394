"""Receivers that tests can make slow, deaf or rude, and a clock that they turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.act.instruments import Instruments
from monitor.act.notify.notifier import Notifier

DEADLINE_SECONDS = 15.0
POLL_SECONDS = 0.01


@dataclass
class Got:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    json: Any


@dataclass
class Receiver:
    """An HTTP server that writes down what it gets."""

    status: int = 200
    answer: str = ""
    location: str = ""
    got: list[Got] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing is answered while it is not set."""
    refuses: Callable[[Any], bool] = lambda body: False
    """What is answered with 400."""
    server: TestServer | None = None
    port: int = 0

    async def start(self) -> None:
        """Listen, on the same port each time."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self.server = TestServer(app, port=self.port or None)
        await self.server.start_server(access_log=None)
        self.port = self.server.port or 0

    async def stop(self) -> None:
        """Listen no more: whoever dials it is refused."""
        self.open.set()
        if self.server is not None:
            await self.server.close()
        self.server = None

    def url(self, path: str = "", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.got.append(Got(request.method, request.path_qs, dict(request.headers), body))
        await self.open.wait()
        headers = {"Location": self.location} if self.location else {}
        status = 400 if self.refuses(body) else self.status
        return web.Response(status=status, text=self.answer, headers=headers)

    async def has(self, count: int) -> list[Got]:
        """Wait until so many requests came in."""
        await until(lambda: len(self.got) >= count, f"{count} requests, got {len(self.got)}")
        return self.got


async def until(condition: Callable[[], bool], what: str = "") -> None:
    """Wait until a condition holds; fail after a deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        try:
            while not condition():
                await asyncio.sleep(POLL_SECONDS)
        except asyncio.CancelledError:
            pytest.fail(f"never: {what}", pytrace=False)


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


Receive = Callable[[], Awaitable[Receiver]]


@pytest.fixture
async def receive() -> AsyncIterator[Receive]:
    """Starts receivers; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        async def start() -> Receiver:
            receiver = Receiver()
            receiver.open.set()
            await receiver.start()
            stack.push_async_callback(receiver.stop)
            return receiver

        yield start


@pytest.fixture
async def receiver(receive: Receive) -> Receiver:
    """One receiver that takes everything."""
    return await receive()


Begin = Callable[[Notifier], Awaitable[None]]


@pytest.fixture
async def begin() -> AsyncIterator[Begin]:
    """Starts notifiers; all are stopped at the end, whatever became of the test."""
    async with AsyncExitStack() as stack:

        async def start(notifier: Notifier) -> None:
            await notifier.start()
            stack.push_async_callback(notifier.stop)

        yield start


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def instruments() -> Instruments:
    return Instruments()
