"""A node's websocket, of which a test sees every frame and says what it answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from multidict import CIMultiDictProxy

from tests.transactions.tap.upstream import answer_of

Socket = web.WebSocketResponse[Any]
React = Callable[[Socket, bytes, WSMsgType], Awaitable[None]]
LARGE_BYTES = 64 * 2**20


async def as_a_pool(socket: Socket, text: bytes, kind: WSMsgType) -> None:
    """Answer each call."""
    message = json.loads(text)
    calls = message if isinstance(message, list) else [message]
    answers = [answer_of(call) for call in calls if "id" in call]
    if answers:
        said = json.dumps(answers if isinstance(message, list) else answers[0])
        await socket.send_frame(said.encode(), kind)


async def mute(socket: Socket, text: bytes, kind: WSMsgType) -> None:
    """Answer nothing."""


def saying(message: Any) -> React:
    """Answer this to every frame."""

    async def react(socket: Socket, text: bytes, kind: WSMsgType) -> None:
        await socket.send_frame(json.dumps(message).encode(), WSMsgType.TEXT)

    return react


@dataclass(slots=True)
class SocketNode:
    """A websocket server that writes down what it hears."""

    react: React = as_a_pool
    protocols: tuple[str, ...] = ()
    frames: list[tuple[WSMsgType, bytes]] = field(default_factory=list)
    """Text and binary."""
    pings: list[bytes] = field(default_factory=list)
    opened: list[tuple[str, CIMultiDictProxy[str]]] = field(default_factory=list)
    """Path and headers of each opening."""
    sockets: list[Socket] = field(default_factory=list)
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    closed: asyncio.Queue[tuple[int | None, str]] = field(default_factory=asyncio.Queue)
    """Code and reason with which each client left; None for a connection that broke."""
    number: int = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.number}"

    @property
    def texts(self) -> list[Any]:
        """The frames, parsed."""
        return [json.loads(text) for _, text in self.frames]

    async def heard_so_many(self, count: int) -> None:
        async with asyncio.timeout(10), self.heard:
            await self.heard.wait_for(lambda: len(self.frames) >= count)

    async def opened_so_many(self, count: int) -> None:
        async with asyncio.timeout(10), self.heard:
            await self.heard.wait_for(lambda: len(self.sockets) >= count)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.opened.append((request.path_qs, request.headers))
        socket: Socket = web.WebSocketResponse(
            timeout=0.5,
            autoclose=False,
            autoping=False,
            decode_text=False,
            protocols=self.protocols,
            max_msg_size=LARGE_BYTES,
        )
        await socket.prepare(request)
        self.sockets.append(socket)
        await self._tell()
        while True:
            message = await socket.receive()
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                self.frames.append((message.type, message.data))
                await self._tell()
                await self.react(socket, message.data, message.type)
            elif message.type is WSMsgType.PING:
                self.pings.append(message.data)
                await socket.pong(message.data)
            elif message.type is WSMsgType.CLOSE:
                self.closed.put_nowait((message.data, message.extra or ""))
                await socket.close(code=message.data or 1000)
                return socket
            elif message.type is not WSMsgType.PONG:
                self.closed.put_nowait((None, ""))
                return socket

    def die(self, index: int = 0) -> None:
        """End a connection without a farewell."""
        request = self.sockets[index]._req
        assert request is not None
        assert request.transport is not None
        request.transport.abort()

    async def _tell(self) -> None:
        async with self.heard:
            self.heard.notify_all()


@asynccontextmanager
async def listening(node: SocketNode) -> AsyncIterator[SocketNode]:
    runner = web.ServerRunner(web.Server(node.serve), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        node.number = runner.addresses[0][1]
        yield node
    finally:
        await runner.cleanup()
