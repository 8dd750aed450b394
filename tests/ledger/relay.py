"""A door in front of a real node: it counts what passes, and answers some calls itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import aiohttp
from aiohttp import web

from monitor.lab.port import Port
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import Clock, Json, Refusal, as_calls, reply

Instead: TypeAlias = Callable[[str, list[Json]], Json]
"""What a call (method, parameters) is answered in the node's place: a result, Refusal, or PASS."""
PASS = object()


class Relay:
    """Passes calls on to a node, and writes down each request as it came."""

    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self.requests: list[Json] = []
        self.instead: Instead | None = None
        self.before: Callable[[int], Awaitable[object]] | None = None
        """Awaited with the number of the request, from 1, before it is answered."""
        self.port = Port(self._serve)
        self._upstream = upstream
        self._session = session

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port.number}"

    @property
    def calls(self) -> list[Json]:
        """Every call, whatever request it came in."""
        return [call for request in self.requests for call in as_calls(request)]

    def forget(self) -> None:
        """Begin to count anew."""
        self.requests.clear()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        message = json.loads(await request.read())
        self.requests.append(message)
        if self.before is not None:
            await self.before(len(self.requests))
        answers = {call["id"]: self._own(call) for call in as_calls(message)}
        passed = [call for call in as_calls(message) if answers[call["id"]] is None]
        if passed:
            async with self._session.post(self._upstream, json=passed) as response:
                answers |= {answer["id"]: answer for answer in await response.json()}
        listed = [answers[call["id"]] for call in as_calls(message)]
        return reply(listed if isinstance(message, list) else listed[0])

    def _own(self, call: Json) -> Json | None:
        said = PASS if self.instead is None else self.instead(call["method"], call["params"])
        if said is PASS:
            return None
        message = {"jsonrpc": "2.0", "id": call["id"]}
        if isinstance(said, Refusal):
            return message | {"error": said.error}
        return message | {"result": said}


@asynccontextmanager
async def relayed(upstream: str, *, label: str = "local") -> AsyncIterator[tuple[Relay, Node]]:
    """A node of ours that reaches the real one through such a door."""
    async with open_session() as session:
        relay = Relay(upstream, session)
        await relay.port.open()
        limits = Limits(deadline_seconds=20.0)
        node = Node(label, Url(relay.url), session, clock=Clock(0.0), limits=limits)
        try:
            yield relay, node
        finally:
            await node.close()
            await relay.port.close()
