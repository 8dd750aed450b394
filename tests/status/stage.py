"""A sidecar of which the test decides what it says, and when: real HTTP, documents of the house."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import ClientConnectionResetError, web
from aiohttp.test_utils import TestServer

from monitor.act.state import state_json
from monitor.model import Snapshot
from monitor.status.document import State, read_json, state_of
from monitor.status.feed import Pace
from tests.act import snapshots

DEADLINE_SECONDS = 20.0
QUICK = Pace(answer=5.0, silence=5.0, between=0.01, refresh=5.0, poll=0.05, retry_max=0.05)


def body_of(snapshot: Snapshot) -> bytes:
    """The document as a server sends it."""
    return json.dumps(state_json(snapshot, ())).encode()


def state(snapshot: Snapshot) -> State:
    """The document of a snapshot, as `headwatch status` reads it."""
    return state_of(read_json(body_of(snapshot)))


@dataclass
class Stage:
    """What is answered; `tick` tells the listeners that there is something new."""

    body: bytes = field(default_factory=lambda: body_of(snapshots.healthy()))
    status: int = 200
    events_status: int = 200
    tick_text: bytes = b'event: tick\ndata: {"rounds": 1}\n\n'
    asked: int = 0
    tokens: list[str] = field(default_factory=list)
    listeners: set[web.StreamResponse] = field(default_factory=set)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def state(self, request: web.Request) -> web.Response:
        self.tokens.append(request.headers.get("Authorization", ""))
        async with self.changed:
            self.asked += 1
            self.changed.notify_all()
        headers = {"Location": "http://127.0.0.1:1/"} if self.status == 302 else None
        return web.Response(body=self.body, status=self.status, headers=headers)

    async def events(self, request: web.Request) -> web.StreamResponse:
        if self.events_status != 200:
            return web.Response(status=self.events_status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        async with self.changed:
            self.listeners.add(response)
            self.changed.notify_all()
        await self.ended.wait()
        self.listeners.discard(response)
        return response

    async def tick(self, snapshot: Snapshot | None = None) -> None:
        """Tell every listener, once there is one, of a new state."""
        if snapshot is not None:
            self.body = body_of(snapshot)
        await self.until(lambda: bool(self.listeners))
        for listener in self.listeners:
            with suppress(ClientConnectionResetError):
                await listener.write(self.tick_text)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS), self.changed:
            await self.changed.wait_for(is_so)

    async def drop(self) -> None:
        """End every stream, as a sidecar does that stops."""
        self.ended.set()
        self.ended = asyncio.Event()

    def server(self) -> TestServer:
        app = web.Application()
        app.router.add_get("/api/v1/state", self.state)
        app.router.add_get("/api/v1/events", self.events)
        return TestServer(app, host="127.0.0.1")
