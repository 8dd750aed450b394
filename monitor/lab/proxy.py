"""One node as a client sees it: the port, the HTTP side and its faults."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from email.utils import formatdate

import aiohttp
import msgspec
from aiohttp import web

from monitor.lab.disguise import Disguise, method_of, reply_message
from monitor.lab.errors import LabError
from monitor.lab.faults import Deck, Fault, Strike
from monitor.lab.port import Port
from monitor.lab.relay import relay
from monitor.lab.view import Json, Reply

UPSTREAM_SECONDS_MAX = 60.0
CHUNK_BYTES = 2**16
HTML_PAGE = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
HANDSHAKE = "websocket"
"""The method under which the opening of a websocket meets the faults of transport."""


class FaultProxy:
    """Passes everything on, except what a fault changes."""

    def __init__(
        self, upstreams: Mapping[str, str], seed: int = 0, *, slots_in_an_epoch: int = 4
    ) -> None:
        """`upstreams` are named http:// URLs; the first is the one in use."""
        if not upstreams:
            message = "a proxy needs an upstream"
            raise LabError(message)
        self._upstreams = dict(upstreams)
        self._route = next(iter(self._upstreams))
        self.deck = Deck(seed)
        self.port = Port(self._serve)
        self._disguise = Disguise(self.deck, self._ask, slots_in_an_epoch=slots_in_an_epoch)
        self._changed = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._session: aiohttp.ClientSession | None = None
        self._relays: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port.number}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port.number}"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults in force."""
        return self.deck.faults

    @property
    def log(self) -> deque[Strike]:
        """The newest faults that were applied."""
        return self.deck.log

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections to the upstreams."""
        if self._session is None:
            message = "this proxy is not started"
            raise LabError(message)
        return self._session

    @property
    def upstream(self) -> str:
        """The URL of the node behind the proxy."""
        return self._upstreams[self._route]

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1, by default on any free port."""
        await self.port.open(port)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=UPSTREAM_SECONDS_MAX),
        )

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self.port.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def unplug(self) -> None:
        """Refuse connections, and reset those that are open."""
        await self.port.unplug()

    async def plug(self) -> None:
        """Listen again, on the same port."""
        await self.port.plug()

    def set(self, *faults: Fault) -> None:
        """Put these faults in the place of all others; calls that hang go on."""
        self.deck.set(faults)
        self._disguise.thaw()
        self._changed.set()
        self._changed = asyncio.Event()

    def heal(self) -> None:
        """Take all faults away."""
        self.set()

    def hold(self) -> None:
        """Let every request wait, until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Pass on what waits."""
        self._open.set()

    def add_upstream(self, name: str, url: str) -> None:
        """Know one more node by name."""
        self._upstreams[name] = url

    def route(self, name: str) -> None:
        """Put another node behind the proxy; open websockets are reset, as by a new deployment."""
        if name not in self._upstreams:
            message = f"no upstream {name!r}: {', '.join(self._upstreams)}"
            raise LabError(message)
        if name == self._route:
            return
        self._route = name
        for transport in list(self._relays):
            self.port.reset(transport)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._serve_websocket(request)
        body = await request.read()
        await self._open.wait()
        # Without a fault nothing is looked at: the proxy is to cost as little as it can.
        message = _calls(body) if self.deck.faults else None
        try:
            if message is None:
                return web.Response(body=await self._post(body), content_type="application/json")
            return await self._serve_faulty(request, message)
        except (aiohttp.ClientError, TimeoutError) as error:
            return web.Response(status=502, text=f"the node behind is gone: {error!r}")

    async def _serve_websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        refused = await self._transport_fault(request, (HANDSHAKE,))
        if refused is not None:
            return refused
        transport = request.transport
        if transport is not None:
            self._relays.add(transport)
        try:
            upstream = self.upstream.replace("http", "ws", 1)
            return await relay(request, self.session, upstream, self.deck, self._disguise)
        finally:
            if transport is not None:
                self._relays.discard(transport)

    async def _serve_faulty(self, request: web.BaseRequest, message: Json) -> web.StreamResponse:
        calls = message if isinstance(message, list) else [message]
        methods = [method_of(call) for call in calls]
        response = await self._transport_fault(request, methods)
        if response is None:
            response = await self._answered(request, message, methods)
        skew = self.deck.pick(methods, "date_skew")
        if skew is not None and not response.prepared:
            response.headers["Date"] = formatdate(self.deck.now() + skew.seconds, usegmt=True)
        return response

    async def _answered(
        self, request: web.BaseRequest, message: Json, methods: list[str]
    ) -> web.StreamResponse:
        """The answer of the node, as the faults have it."""
        calls = message if isinstance(message, list) else [message]
        if isinstance(message, list):
            body = await self._batch_body(calls, methods)
        else:
            body = msgspec.json.encode((await self._disguise.answers(calls))[0])
        if self.deck.pick(methods, "truncate"):
            body = body[: len(body) // 2]
        slow = self.deck.pick(methods, "slowloris")
        if slow is not None:
            return await _streamed(request, (bytes((byte,)) for byte in body), slow.seconds)
        return web.Response(body=body, content_type="application/json")

    async def _batch_body(self, calls: list[Json], methods: list[str]) -> bytes:
        refusal = self.deck.pick(methods, "no_batch")
        if refusal is not None:
            error = refusal.error or (-32600, "batch requests are not supported")
            return msgspec.json.encode(reply_message({"id": None}, Reply(error=error)))
        answers = await self._disguise.answers(calls, is_batch=True)
        kept = [
            answer
            for method, answer in zip(methods, answers, strict=True)
            if not self.deck.pick((method,), "drop_from_batch")
        ]
        return msgspec.json.encode(kept)

    async def _transport_fault(
        self, request: web.BaseRequest, methods: Collection[str]
    ) -> web.StreamResponse | None:
        """What becomes of the exchange before the node is asked; `None`: it goes on."""
        deck = self.deck
        fault = deck.pick(methods, "latency")
        if fault is not None:
            await asyncio.sleep(deck.delay_seconds(fault))
        if deck.pick(methods, "hang"):
            await self._changed.wait()
        fault = deck.pick(methods, "reset", "http", "html", "huge")
        if fault is None:
            return None
        if fault.kind == "reset":
            self.port.reset(request.transport)
            return web.Response()
        if fault.kind == "huge":
            return await _streamed(request, _huge(fault.size_bytes), 0)
        if fault.kind == "html":
            return web.Response(
                status=fault.status or 200, text=HTML_PAGE, content_type="text/html"
            )
        after = fault.retry_after_seconds
        headers = {} if after is None else {"Retry-After": str(after)}
        return web.Response(status=fault.status, headers=headers, text=fault.text)

    async def _ask(self, calls: list[Json]) -> list[Json]:
        """The node's answers in the order of the calls, in one request."""
        if not calls:
            return []
        messages = [call | {"jsonrpc": "2.0", "id": index} for index, call in enumerate(calls)]
        if len(messages) == 1:
            return [msgspec.json.decode(await self._post(msgspec.json.encode(messages[0])))]
        answers = msgspec.json.decode(await self._post(msgspec.json.encode(messages)))
        by_id = {answer.get("id"): answer for answer in answers}
        return [by_id[index] for index in range(len(messages))]

    async def _post(self, body: bytes) -> bytes:
        async with self.session.post(
            self.upstream, data=body, headers={"Content-Type": "application/json"}
        ) as response:
            return await response.read()


def _calls(body: bytes) -> Json:
    """The call or the batch of calls in a body; `None` for anything else: that goes on as it is."""
    try:
        message = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    calls = message if isinstance(message, list) else [message]
    are_calls = all(isinstance(call, dict) and "method" in call for call in calls)
    return message if calls and are_calls else None


async def _streamed(
    request: web.BaseRequest, pieces: Iterable[bytes], pause_seconds: float
) -> web.StreamResponse:
    """A body of unannounced length, piece by piece, until it ends or the client has had enough."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with suppress(ConnectionResetError):
        for piece in pieces:
            await response.write(piece)
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
        await response.write_eof()
    return response


def _huge(size_bytes: int) -> Iterator[bytes]:
    """A well-formed answer of this size."""
    start, end = b'{"jsonrpc":"2.0","id":1,"result":"', b'"}'
    left = max(0, size_bytes - len(start) - len(end))
    yield start
    while left:
        yield b"0" * min(left, CHUNK_BYTES)
        left -= min(left, CHUNK_BYTES)
    yield end
