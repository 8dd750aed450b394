"""A node that says what it is told to say, for what no real client here can be made to do."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, TypeAlias

from aiohttp import web

from monitor.config import Network, NodeSettings, ProfileRef, ReferenceSettings, Rpc, Settings
from monitor.lab.port import Port
from monitor.url import Url

Json: TypeAlias = Any
"""A parsed message; the tests know what they put into it."""

Respond = Callable[[web.BaseRequest, Json], Awaitable[web.StreamResponse | None]]
"""What takes the place of an HTTP answer; None lets the calls be answered as usual."""

GENESIS_TIMESTAMP = 1_700_000_000
SECONDS_A_BLOCK = 12
BATCH_REFUSAL = {"code": -32600, "message": "batch requests are not supported"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error object: a code, where there is one, and a message."""

    message: str
    code: int | None = None

    @property
    def error(self) -> Json:
        error: Json = {"message": self.message}
        return error if self.code is None else {"code": self.code, **error}


class Chain:
    """Blocks made of arithmetic: as many as one likes, and the same hashes every time."""

    def __init__(self, head: int, *, parts_after: int | None = None, salt: str = "") -> None:
        """Two chains share the blocks up to `parts_after`; above it hashes follow the salt."""
        self.head = head
        self.parts_after = parts_after
        self.salt = salt

    def hash(self, number: int) -> str:
        own = self.parts_after is not None and number > self.parts_after
        return "0x" + hashlib.sha256(f"{self.salt if own else ''} {number}".encode()).hexdigest()

    def block(self, number: int) -> Json:
        if not 0 <= number <= self.head:
            return None
        return {
            "number": hex(number),
            "hash": self.hash(number),
            "parentHash": self.hash(number - 1) if number else "0x" + "0" * 64,
            "timestamp": hex(GENESIS_TIMESTAMP + number * SECONDS_A_BLOCK),
            "transactions": [],
        }


@dataclass(slots=True)
class Canned:
    """A JSON-RPC server: it answers as told and writes down what it was asked."""

    chain: Chain = field(default_factory=lambda: Chain(100))
    chain_id: Json = "0x539"
    version: Json = "Geth/v1.16.2-stable/linux-amd64/go1.24.4"
    finalized: Json = field(default_factory=lambda: Refusal("finalized block not found", -32000))
    """A height, or the answer itself: a Refusal or None."""
    safe: Json = field(default_factory=lambda: Refusal("safe block not found", -32000))
    """Likewise."""
    answers: dict[str, Json] = field(default_factory=dict)
    """Method -> its result, a Refusal, or what makes either of the parameters."""
    respond: Respond | None = None
    clock: Callable[[], float] | None = None
    """What its answers are dated by; without one they carry no date that can be read."""
    requests: list[Json] = field(default_factory=list)
    """The body of each HTTP request, parsed."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every request."""
    port: Port = field(init=False)

    def __post_init__(self) -> None:
        self.port = Port(self._serve)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port.number}"

    @property
    def calls(self) -> list[Json]:
        """Every call, whatever request it came in."""
        return [call for request in self.requests for call in as_calls(request)]

    @property
    def methods(self) -> list[str]:
        return [call["method"] for call in self.calls]

    @property
    def heights(self) -> list[int]:
        """The heights that were asked for by number, block 0 excepted."""
        asked = [c["params"][0] for c in self.calls if c["method"] == "eth_getBlockByNumber"]
        return [int(one, 16) for one in asked if one.startswith("0x") and one != "0x0"]

    def forget(self) -> None:
        """Begin to count anew."""
        self.requests.clear()

    def answer(self, call: Json) -> Json:
        """The whole answer to one call."""
        said = self._said(call["method"], call["params"])
        message: Json = {"jsonrpc": "2.0", "id": call["id"]}
        if isinstance(said, Refusal):
            return message | {"error": said.error}
        return message | {"result": said}

    def _said(self, method: str, params: list[Json]) -> Json:
        if method in self.answers:
            said = self.answers[method]
            return said(params) if callable(said) else said
        if method == "eth_chainId":
            return self.chain_id
        if method == "web3_clientVersion":
            return self.version
        if method == "eth_getBlockByNumber":
            return self._block(params[0])
        return Refusal(f"the method {method} does not exist/is not available", -32601)

    def _block(self, which: str) -> Json:
        if which == "latest":
            return self.chain.block(self.chain.head)
        if which in {"safe", "finalized"}:
            named = self.safe if which == "safe" else self.finalized
            return self.chain.block(named) if isinstance(named, int) else named
        return self.chain.block(int(which, 16))

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        message = json.loads(body) if body else None
        self.requests.append(message)
        self.asked.set()
        response: web.StreamResponse | None = None
        if self.respond is not None:
            response = await self.respond(request, message)
        if response is None and isinstance(message, list):
            response = reply([self.answer(call) for call in message])
        elif response is None:
            response = reply(self.answer(message))
        if not response.prepared:
            date = "" if self.clock is None else formatdate(self.clock(), usegmt=True)
            response.headers.setdefault("Date", date)
        return response


def as_calls(message: Json) -> list[Json]:
    """The calls of a request, alone or in a batch."""
    return message if isinstance(message, list) else [message]


def reply(message: Json, status: int = 200, **headers: str) -> web.Response:
    """A whole answer; bytes and text go as they are."""
    body = message if isinstance(message, bytes | str) else json.dumps(message)
    body = body.encode() if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(
        body=body, status=status, headers={"Content-Type": "application/json", **named}
    )


def always(message: Json, status: int = 200, **headers: str) -> Respond:
    """Give this answer to every request."""

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        return reply(message, status, **headers)

    return respond


def no_batches(error: Json) -> Respond:
    """Answer each batch with one error object, and serve single calls."""

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        refused = isinstance(asked, list)
        return reply({"jsonrpc": "2.0", "id": None, "error": error}) if refused else None

    return respond


class Hang:
    """Takes requests that hold one of these methods (none: all), and is silent until released."""

    def __init__(self, *methods: str) -> None:
        self.methods = set(methods)
        self.released = asyncio.Event()
        self.holding = asyncio.Event()
        """Set once a request waits here."""

    async def __call__(self, request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        if not self.methods or self.methods & {call["method"] for call in as_calls(asked)}:
            self.holding.set()
            await self.released.wait()
        return None


class Sockets:
    """A websocket server that announces a head whenever it is told to."""

    def __init__(self) -> None:
        self.open: set[web.WebSocketResponse] = set()
        self.port = Port(self._handle)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port.number}"

    async def announce(self, chain: Chain) -> None:
        params = {"subscription": "0x1", "result": chain.block(chain.head)}
        for socket in self.open:
            await socket.send_json({"method": "eth_subscription", "params": params})

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse(timeout=0.1)
        await socket.prepare(request)
        await socket.receive()
        await socket.send_json({"jsonrpc": "2.0", "id": 1, "result": "0x1"})
        self.open.add(socket)
        async for _ in socket:
            pass
        self.open.discard(socket)
        return socket


@asynccontextmanager
async def serving(*nodes: Canned) -> AsyncIterator[tuple[Canned, ...]]:
    """Let these nodes listen, each on a port of its own."""
    try:
        for node in nodes:
            await node.port.open()
        yield nodes
    finally:
        for node in nodes:
            await node.port.close()


@contextmanager
def nothing_unheard() -> Iterator[None]:
    """Nothing may fail unheard in the loop: no exception that nobody fetches, no lost task."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    gc.freeze()  # What was there before is not looked through, which would take most of the time.
    yield
    gc.collect()
    gc.unfreeze()
    loop.set_exception_handler(None)
    assert complaints == []


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def network_of(
    references: Mapping[str, Canned],
    *,
    interval_seconds: float = float(SECONDS_A_BLOCK),
    calls_a_day: int | None = None,
    operators: Mapping[str, str] | None = None,
) -> Network:
    """A network of the dev profile with these references, each of an operator of its own."""
    named = operators or {name: f"operator-{name}" for name in references}
    return Network(
        profile=ProfileRef(profile="dev", interval_seconds=interval_seconds),
        references=tuple(
            ReferenceSettings(
                name=name, url=Url(one.url), operator=named[name], calls_a_day=calls_a_day
            )
            for name, one in references.items()
        ),
    )


def node_of(
    name: str, canned: Canned, network: str = "dev", websocket: str = "", *, beacon: str = ""
) -> NodeSettings:
    """A node to watch."""
    socket = Url(websocket) if websocket else None
    consensus = Url(beacon) if beacon else None
    return NodeSettings(
        name=name, network=network, url=Url(canned.url), websocket=socket, beacon=consensus
    )


def settings_of(
    networks: Mapping[str, Network], *nodes: NodeSettings, deadline_seconds: float = 5.0
) -> Settings:
    """The configuration of canned nodes."""
    return Settings(
        rpc=Rpc(deadline_seconds=deadline_seconds), networks=dict(networks), nodes=nodes
    )
