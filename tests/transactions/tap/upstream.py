"""A node of which a test sees every byte, and says what it answers."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.transactions.tap.ledger import hash_of

Respond = Callable[[web.BaseRequest, bytes], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Request:
    """What came."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes
    """As it came, packed or not."""


def rpc(message: Any, status: int = 200, **headers: str) -> web.Response:
    """A JSON answer; bytes go as they are. An underscore stands for a hyphen."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Content-Type": "application/json", **named}
    return web.Response(body=body, status=status, headers=given)


def error(message: str, id_: Any = 1, code: int = -32000) -> Any:
    return {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}


def send_of(raw: bytes, id_: Any = 1, method: str = "eth_sendRawTransaction") -> Any:
    """The call that sends these bytes."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": ["0x" + raw.hex()]}


def call_of(method: str = "eth_call", *params: Any, id_: Any = 1) -> Any:
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": list(params)}


def answer_of(call: Any) -> Any:
    """What a node with a pool answers: of a send its hash, of anything else that there was one."""
    said: Any = "0x0"
    if call.get("method", "").startswith("eth_sendRawTransaction"):
        said = hash_of(bytes.fromhex(call["params"][0][2:]))
    return {"jsonrpc": "2.0", "id": call.get("id"), "result": said}


async def as_a_pool(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
    """Answer each call of a JSON body."""
    message = json.loads(body)
    calls = message if isinstance(message, list) else [message]
    answers = [answer_of(call) for call in calls if "id" in call]
    if not answers:
        return rpc(b"")
    return rpc(answers if isinstance(message, list) else answers[0])


def always(message: Any, status: int = 200, **headers: str) -> Respond:
    """Give this answer to every request."""

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        return rpc(message, status, **headers)

    return respond


@dataclass(slots=True)
class Upstream:
    """An HTTP server that writes down what it was asked."""

    respond: Respond = as_a_pool
    requests: list[Request] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every request."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """For `hanging`: answers wait until a test sets it."""
    number: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.number}"

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.requests]

    async def hanging(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Answer as a pool, once released."""
        await self.released.wait()
        return await as_a_pool(request, body)

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        came = Request(request.method, request.path_qs, request.headers, body)
        self.requests.append(came)
        self.asked.set()
        return await self.respond(request, body)


@asynccontextmanager
async def listening(upstream: Upstream) -> AsyncIterator[Upstream]:
    """Let it listen, with bodies as they come."""
    server = web.Server(upstream.serve, auto_decompress=False)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        upstream.number = runner.addresses[0][1]
        yield upstream
    finally:
        upstream.released.set()
        await runner.cleanup()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """The URL of a server that talks as it is told, byte by byte, and then hangs up."""
    ended: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        ended.append(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a tap, for what no client library would say."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def a_request(reader: asyncio.StreamReader) -> bytes:
    """One whole request, as it came."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return head + await reader.readexactly(length)


@contextmanager
def refusing() -> Iterator[str]:
    """A URL where connections are refused: the port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def dropping() -> Iterator[str]:
    """A URL where connections never come about: the queue of those that wait is full."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filling in (first, second):
            filling.setblocking(False)
            filling.connect_ex(full.getsockname())
        yield f"http://127.0.0.1:{full.getsockname()[1]}"
