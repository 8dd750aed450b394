"""Where clients dial a fake pool: HTTP with batches, websockets, and what goes wrong there."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TypeAlias

import aiohttp
import msgspec
from aiohttp import web

from monitor.lab.disguise import method_of, reply_message
from monitor.lab.port import Port
from monitor.lab.view import Json, Reply
from tests.transactions.fakepool.mischief import Mischief
from tests.transactions.fakepool.upstream import Upstream

Answer: TypeAlias = Callable[[Json], Awaitable[Json]]
"""Answers one call, under its id."""

PENDING = "newPendingTransactions"
SUBSCRIBING = frozenset({"eth_subscribe", "eth_unsubscribe"})
CLOSE_SECONDS_MAX = 0.1
_PARSE_ERROR = (-32700, "parse error")
_FAREWELLS = (ConnectionError, aiohttp.ClientError, TimeoutError)


class Front:
    """One port of 127.0.0.1, with faults of its own."""

    def __init__(self, answer: Answer, upstream: Upstream, seed: int = 0) -> None:
        self.mischief = Mischief(seed)
        self.port = Port(self._serve)
        self.calls: list[str] = []
        """Every method that was asked, in order; a test may clear it."""
        self._upstream = upstream
        self._backends: Iterator[Answer] = itertools.repeat(answer)
        self._answer = answer
        self._sockets: set[_Socket] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port.number}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port.number}"

    def balance(self, *others: Answer) -> None:
        """Be a load balancer: exchanges are answered by this node and by the others in turn."""
        self._backends = itertools.cycle((self._answer, *others))

    async def announce(self, hash_: str) -> None:
        """Tell those who have subscribed to pending transactions."""
        for socket in tuple(self._sockets):
            await socket.announce(hash_)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request)
        try:
            message = msgspec.json.decode(await request.read())
        except msgspec.DecodeError:
            return _response(reply_message({}, Reply(error=_PARSE_ERROR)))
        calls = message if isinstance(message, list) else [message]
        methods = [method_of(call) for call in calls]
        self.calls += methods
        refused = await self.mischief.transport(self.port, request, methods, "before")
        if refused is not None:
            return refused
        backend = next(self._backends)
        try:
            answers = [await self.answered(call, backend) for call in calls]
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.Response(status=502, text=f"the node behind is gone: {error!r}")
        refused = await self.mischief.transport(self.port, request, methods, "after")
        return refused or _response(answers if isinstance(message, list) else answers[0])

    async def answered(self, call: Json, backend: Answer) -> Json:
        """The answer to one call, or what a fault says instead of it."""
        fault = self.mischief.pick((method_of(call),), "before", "override")
        if fault is None:
            answer = await backend(call)
            fault = self.mischief.pick((method_of(call),), "after", "override")
        if fault is None:
            return answer
        return reply_message(call, Reply(fault.result, fault.error))

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        refused = await self.mischief.transport(self.port, request, ("websocket",), "before")
        if refused is not None:
            return refused
        client = web.WebSocketResponse(timeout=CLOSE_SECONDS_MAX)
        await client.prepare(request)
        socket = _Socket(client, self._upstream, lambda call: self.answered(call, self._answer))
        self._sockets.add(socket)
        try:
            await socket.run()
        finally:
            self._sockets.discard(socket)
        return client


class _Socket:
    """One client's websocket: calls are answered as over HTTP, heads come from the node behind."""

    def __init__(self, client: web.WebSocketResponse, upstream: Upstream, answer: Answer) -> None:
        self._client = client
        self._upstream = upstream
        self._answer = answer
        self._pending: set[str] = set()
        """Ids of the subscriptions to pending transactions."""

    async def run(self) -> None:
        """Serve until either side closes."""
        session, url = self._upstream.session, self._upstream.ws_url
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS_MAX)
        async with session.ws_connect(url, timeout=timeout) as node:
            pumps = [
                asyncio.create_task(self._upwards(node)),
                asyncio.create_task(self._downwards(node)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                endings = await asyncio.gather(*pumps, return_exceptions=True)
            for ending in endings:
                if isinstance(ending, Exception) and not isinstance(ending, _FAREWELLS):
                    raise ending
        await self._client.close()

    async def announce(self, hash_: str) -> None:
        for id_ in self._pending:
            params = {"subscription": id_, "result": hash_}
            await self._say({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})

    async def _upwards(self, node: aiohttp.ClientWebSocketResponse) -> None:
        async for message in self._client:
            call = msgspec.json.decode(message.data)
            params = call.get("params") or [None]
            if params[0] == PENDING:
                id_ = f"0x{len(self._pending) + 1:032x}"
                self._pending.add(id_)
                await self._say(reply_message(call, Reply(id_)))
            elif params[0] in self._pending:
                self._pending.discard(params[0])
                await self._say(reply_message(call, Reply(result=True)))
            elif method_of(call) in SUBSCRIBING:
                await node.send_str(message.data)
            else:
                await self._say(await self._answer(call))

    async def _downwards(self, node: aiohttp.ClientWebSocketResponse) -> None:
        """Heads, unless the view is frozen: then there are no new ones."""
        async for message in node:
            if self._upstream.tells(msgspec.json.decode(message.data)):
                await self._client.send_str(message.data)

    async def _say(self, message: Json) -> None:
        with suppress(ConnectionError):
            await self._client.send_str(msgspec.json.encode(message).decode())


def _response(message: Json) -> web.Response:
    return web.Response(body=msgspec.json.encode(message), content_type="application/json")
