"""Bodies, statuses, connections: whatever comes back, a call ends in time and says what it was."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.lab.faults import Fault
from monitor.lab.port import Port
from monitor.lab.proxy import FaultProxy
from monitor.model import UnseenReason
from monitor.rpc import decode
from monitor.rpc.budget import Budget
from monitor.rpc.errors import (
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    RpcError,
    Throttled,
)
from monitor.rpc.node import RETRY_AFTER_SECONDS_MAX, SINGLE_CALLS_AT_ONCE, Limits, Node
from monitor.url import Url
from tests.rpc.canned import BATCH_REFUSAL, Canned, Clock, Json, always, reply

SHORT_SECONDS = 0.3
LATE_SECONDS = 2.0
"""How much later than its deadline a call may end on a machine with more to do."""
RESOLVE_SECONDS = 30.0
BODY_BYTES_MAX = 65_536


@pytest.fixture
def clock() -> Clock:
    """Any time."""
    return Clock(1_700_000_000.0)


@pytest.fixture
def node(server: Canned, session: aiohttp.ClientSession, clock: Clock) -> Node:
    """Our side of the canned node, with limits that a test can reach."""
    limits = Limits(deadline_seconds=5.0, body_bytes_max=BODY_BYTES_MAX)
    return Node("canned", Url(server.url), session, clock=clock, limits=limits)


@pytest.fixture
def dial(session: aiohttp.ClientSession, clock: Clock) -> Callable[..., Node]:
    """Our side of any address."""

    def node(url: str, deadline_seconds: float = SHORT_SECONDS) -> Node:
        limits = Limits(deadline_seconds=deadline_seconds)
        return Node("dialled", Url(url), session, clock=clock, limits=limits)

    return node


@pytest.fixture
async def stream() -> AsyncIterator[Callable[..., Any]]:
    """A server that writes whatever it is given, byte by byte as told."""
    ports: list[Port] = []

    async def serve(pieces: list[bytes], pause_seconds: float = 0.0, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            await request.read()
            response = web.StreamResponse(headers=named)
            await response.prepare(request)
            for piece in pieces:
                await response.write(piece)
                await asyncio.sleep(pause_seconds)
            await response.write_eof()
            return response

        ports.append(Port(handle))
        await ports[-1].open()
        return f"http://127.0.0.1:{ports[-1].number}"

    yield serve
    for port in ports:
        await port.close()


async def failure(node: Node) -> RpcError:
    """How a call ends that must fail, and that it does so in time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(node.limits.deadline_seconds + LATE_SECONDS):
        with pytest.raises(RpcError) as caught:
            await node.ask("eth_chainId", (), decode.text)
    assert loop.time() - began < node.limits.deadline_seconds + LATE_SECONDS
    return caught.value


# -- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"jsonrpc": "2.0", "id": 1, "result": "0x',
        b"",
        b"null",
        b"7",
        b"[]",
        b"[null]",
        b'"0x1"',
        b'\xef\xbb\xbf{"id": 1, "result": "0x1"}',
        b'{"id": 1.5, "result": "0x1"}',
        b'{"id": 1, "result": "0x1"} trailing',
        b'{"id": 1, "result": "\xff\xfe"}',
        b'{"id": 1, "result": "\\ud800"}',
        b'{"id": 1, "error": {"code": -32000, "message": "\xff\xfe"}}',
        b'{"id": "\xff", "result": "0x1"}',
        b'{"id": 1, "extra": ' + b"[" * 20_000,
        b"[" * 20_000,
        b'{"a":' * 10_000,
        b"\x00" * 100,
    ],
    ids=[
        "html",
        "truncated",
        "empty",
        "null",
        "number",
        "empty_list",
        "null_in_list",
        "text",
        "byte_order_mark",
        "id_with_a_fraction",
        "more_after_the_end",
        "result_not_utf8",
        "result_half_a_surrogate",
        "message_not_utf8",
        "id_not_utf8",
        "deep_in_a_field",
        "deep_lists",
        "deep_objects",
        "zeros",
    ],
)
async def test_body_that_is_no_answer_is_malformed(server: Canned, node: Node, body: bytes) -> None:
    """Whatever the bytes are, the call ends at once and as malformed."""
    server.respond = always(body)
    error = await failure(node)
    assert isinstance(error, MalformedAnswer)
    assert str(error).isprintable()


async def test_result_nested_beyond_reason_is_malformed(server: Canned, node: Node) -> None:
    """Depth in the result itself is met when the result is decoded."""
    server.respond = always(b'{"id": 1, "result": ' + b"[" * 5000 + b"]" * 5000 + b"}")
    assert isinstance(await failure(node), MalformedAnswer)


async def test_body_at_the_limit_is_read(server: Canned, node: Node) -> None:
    """The limit is the largest that is read."""
    frame = b'{"id": 1, "result": ""}'
    server.respond = always(frame[:-2] + b"0" * (BODY_BYTES_MAX - len(frame)) + frame[-2:])
    text = await node.ask("eth_chainId", (), decode.text)
    assert len(text) == BODY_BYTES_MAX - len(frame)


async def test_body_declared_larger_than_the_limit_is_refused(server: Canned, node: Node) -> None:
    """One byte more is too much."""
    server.respond = always(b" " * (BODY_BYTES_MAX + 1))
    error = await failure(node)
    assert isinstance(error, MalformedAnswer)
    assert str(error) == f"the answer is larger than {BODY_BYTES_MAX} bytes"


async def test_body_that_never_ends_is_cut_off(
    stream: Callable[..., Any], dial: Callable[..., Node]
) -> None:
    """A chunked body declares no size; reading stops at the limit, not at its end."""
    url = await stream([b"0" * 65_536] * 1000)
    node = dial(url, 5.0)
    node.limits = Limits(body_bytes_max=BODY_BYTES_MAX)
    assert isinstance(await failure(node), MalformedAnswer)


async def test_body_that_unpacks_beyond_the_limit_is_cut_off(
    server: Canned, node: Node, session: aiohttp.ClientSession
) -> None:
    """A few kilobytes of gzip that unpack to 64 MiB: asked for plain, sent all the same."""
    bomb = gzip.compress(b"0" * 64 * 2**20)
    assert len(bomb) < BODY_BYTES_MAX * 2

    async def packed(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        return reply(bomb, Content_Encoding="gzip")

    server.respond = packed
    assert isinstance(await failure(node), MalformedAnswer)


async def test_body_packed_within_the_limit_is_read(server: Canned, node: Node) -> None:
    """A server that packs without being asked is understood."""
    body = gzip.compress(b'{"id": 1, "result": "0x1"}')
    server.respond = always(body, Content_Encoding="gzip")
    assert await node.ask("eth_chainId", (), decode.text) == "0x1"


async def test_body_packed_wrongly_is_a_broken_exchange(server: Canned, node: Node) -> None:
    """It says gzip and is not."""
    server.respond = always(b"not gzip at all", Content_Encoding="gzip")
    assert (await failure(node)).reason in {"refused", "malformed"}


# -- statuses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 413, 429, 500, 502, 503])
async def test_status_without_an_answer_is_refused_and_named(
    server: Canned, node: Node, status: int
) -> None:
    """A page of a gateway is no answer, whatever it says."""
    server.respond = always("<html>go away</html>", status)
    error = await failure(node)
    assert isinstance(error, ConnectionRefused)
    assert str(error) == f"HTTP {status}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
async def test_status_with_a_json_rpc_error_is_the_errors(
    server: Canned, node: Node, status: int
) -> None:
    """What JSON-RPC says is more precise than the status it came with."""
    error = {"code": -32002, "message": "project ID does not exist"}
    server.respond = always({"jsonrpc": "2.0", "id": 1, "error": error}, status)
    caught = await failure(node)
    assert isinstance(caught, CallRejected)
    assert "project ID does not exist" in str(caught)


@pytest.mark.parametrize("calls", [1, 2])
async def test_status_with_json_that_is_no_answer_is_named(
    server: Canned, node: Node, calls: int
) -> None:
    """A gateway's own JSON is a page too: the operator must read 403 and not "no answer"."""
    server.respond = always({"message": "Forbidden"}, 403)
    asked = (node.ask("eth_chainId", (), decode.text) for _ in range(calls))
    said = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(one) for one in said] == ["HTTP 403"] * calls
    assert all(isinstance(one, ConnectionRefused) for one in said)


@pytest.mark.parametrize("status", [429, 503])
async def test_status_that_asks_for_silence_gets_it(
    server: Canned, node: Node, clock: Clock, status: int
) -> None:
    """Retry-After is kept to: nothing is sent until it is over, and the calls say so."""
    server.respond = always(
        {"id": 1, "error": {"code": 1, "message": "slow"}}, status, Retry_After="7"
    )
    error = await failure(node)
    assert isinstance(error, ConnectionRefused)
    assert str(error) == f"HTTP {status}, asks for 7 s of silence"
    server.respond = None
    clock.now += 6.0
    server.forget()
    error = await failure(node)
    assert isinstance(error, ConnectionRefused)
    assert str(error) == "throttled: it asked for silence, 1 s left"
    assert server.requests == []
    clock.now += 1.0
    assert await node.ask("eth_chainId", (), decode.text) == server.chain_id


async def test_call_that_is_not_sent_for_silence_is_neither_counted_nor_paid_for(
    server: Canned, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """One refusal is one failure of one call, however often one would like to ask meanwhile."""
    budget = Budget(10, clock)
    node = Node("dev/a", Url(server.url), session, clock=clock, budget=budget)
    server.respond = always("", 429, Retry_After="60")
    for _ in range(12):
        assert isinstance(await failure(node), Throttled)
        clock.now += 5.0
    assert (len(server.requests), node.calls_total, budget.spent) == (1, 1, 1)
    assert node.errors_total == {"refused": 1}
    assert node.tally.recent == (1, 1, 1)
    (calls,) = node.tally.window()
    assert (calls.calls, calls.errors, calls.throttled) == (1, {"refused": 1}, 1)
    server.respond = None
    assert await node.ask("eth_chainId", (), decode.text) == server.chain_id
    assert (node.calls_total, budget.spent) == (2, 2)


async def test_silence_that_is_asked_for_meanwhile_is_kept_by_what_still_waits(
    server: Canned, node: Node
) -> None:
    """Calls that travel alone, a few at a time: the first few learn of it for the others."""

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        if isinstance(asked, list):
            return reply({"jsonrpc": "2.0", "id": None, "error": BATCH_REFUSAL})
        return reply("", 429, Retry_After="7")

    server.respond = respond
    asked = (node.ask("eth_chainId", (), decode.text) for _ in range(SINGLE_CALLS_AT_ONCE + 3))
    said = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, Throttled) for one in said)
    assert [str(one) for one in said[-3:]] == ["throttled: it asked for silence, 7 s left"] * 3
    assert len(server.requests) == 1 + SINGLE_CALLS_AT_ONCE


async def test_silence_is_bounded(server: Canned, node: Node, clock: Clock) -> None:
    """Nobody can silence us for a day."""
    server.respond = always("", 429, Retry_After="9" * 400)
    assert f"asks for {RETRY_AFTER_SECONDS_MAX:g} s of silence" in str(await failure(node))
    server.respond = None
    clock.now += RETRY_AFTER_SECONDS_MAX
    assert await node.ask("eth_chainId", (), decode.text) == server.chain_id


@pytest.mark.parametrize("after", ["Wed, 21 Oct 2015 07:28:00 GMT", "-1", "soon", "1.5", ""])
async def test_silence_in_other_words_is_no_silence(server: Canned, node: Node, after: str) -> None:
    """Only seconds are understood; anything else is a plain refusal."""
    server.respond = always("", 429, Retry_After=after)
    assert str(await failure(node)) == "HTTP 429"
    server.respond = None
    assert await node.ask("eth_chainId", (), decode.text) == server.chain_id


async def test_throttled_by_a_real_proxy_is_refused(
    proxy: FaultProxy, dial: Callable[..., Node]
) -> None:
    """The same with a real node behind: healed, but not asked before its time."""
    proxy.set(Fault("http", status=429, retry_after_seconds=3))
    node = dial(proxy.url)
    await failure(node)
    proxy.heal()
    assert "throttled" in str(await failure(node))


async def test_redirect_is_not_followed(
    server: Canned, node: Node, stream: Callable[..., Any]
) -> None:
    """A key must not travel where somebody else's Location header points."""
    elsewhere = Canned()
    await elsewhere.port.open()
    try:
        server.respond = always("", 307, Location=elsewhere.url)
        assert str(await failure(node)) == "HTTP 307"
        assert elsewhere.requests == []
    finally:
        await elsewhere.port.close()


# -- connections ---------------------------------------------------------------------------------


async def test_hang_ends_at_the_deadline(proxy: FaultProxy, dial: Callable[..., Node]) -> None:
    """A node that takes the request and is silent."""
    proxy.set(Fault("hang"))
    node = dial(proxy.url)
    error = await failure(node)
    assert isinstance(error, CallTimeout)
    assert str(error) == f"no answer within {SHORT_SECONDS:g} s"
    assert node.errors_total == {"timeout": 1}
    proxy.heal()


async def test_slow_loris_ends_at_the_deadline(
    proxy: FaultProxy, dial: Callable[..., Node]
) -> None:
    """Bytes that trickle do not buy time: the deadline is of the whole answer."""
    proxy.set(Fault("slowloris", seconds=0.05))
    assert isinstance(await failure(dial(proxy.url)), CallTimeout)


async def test_connection_that_is_never_taken_ends_at_the_deadline(
    dial: Callable[..., Node],
) -> None:
    """A server that listens and accepts nothing, as a stopped process does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert isinstance(await failure(dial(f"http://127.0.0.1:{port}")), CallTimeout)


async def test_reset_is_refused(proxy: FaultProxy, dial: Callable[..., Node]) -> None:
    """The connection breaks without a word."""
    proxy.set(Fault("reset"))
    error = await failure(dial(proxy.url))
    assert isinstance(error, ConnectionRefused)
    assert str(error) in {
        "connection reset by peer",
        "the connection was closed before an answer came",
    }


async def test_unplugged_is_refused(proxy: FaultProxy, dial: Callable[..., Node]) -> None:
    """Nobody listens; plugged in again, the same node answers."""
    node = dial(proxy.url)
    await proxy.unplug()
    error = await failure(node)
    assert isinstance(error, ConnectionRefused)
    assert str(error) == "connection refused"
    await proxy.plug()
    assert await node.ask("eth_chainId", (), decode.text) == "0x7a69"


async def test_connection_that_ends_in_the_middle_is_refused(
    stream: Callable[..., Any], dial: Callable[..., Node]
) -> None:
    """Less came than was declared."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"id": 1, ')
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        assert isinstance(await failure(dial(f"http://127.0.0.1:{port}", 5.0)), ConnectionRefused)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"",
    ],
    ids=["ssh", "status", "length", "chunk", "long_header", "nothing"],
)
async def test_server_that_speaks_no_http_is_refused(
    dial: Callable[..., Node], said: bytes
) -> None:
    """Another service on that port is a broken exchange, not a crash."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        error = await failure(dial(f"http://127.0.0.1:{port}", 5.0))
    assert error.reason in {"refused", "malformed"}


async def test_host_that_nobody_knows_is_refused(dial: Callable[..., Node]) -> None:
    """RFC 6761: `.invalid` never resolves."""
    error = await failure(dial("http://nowhere.invalid/", RESOLVE_SECONDS))
    assert isinstance(error, ConnectionRefused)
    assert str(error) == "the host name cannot be resolved"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "256.256.256.256"])
async def test_host_that_is_no_name_is_refused(dial: Callable[..., Node], host: str) -> None:
    """A name that cannot even be asked for fails its calls; it does not leave them waiting."""
    assert isinstance(await failure(dial(f"http://{host}/", 5.0)), ConnectionRefused)


async def test_tls_to_a_server_without_it_is_named(
    server: Canned, dial: Callable[..., Node]
) -> None:
    """The operator wrote https for a plain port, and is told so."""
    error = await failure(dial(server.url.replace("http", "https"), 5.0))
    assert isinstance(error, ConnectionRefused)
    assert "TLS" in str(error)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("html"), "malformed"),
        (Fault("html", status=502), "refused"),
        (Fault("truncate"), "malformed"),
        (Fault("huge", size_bytes=10 * 2**20), "malformed"),
        (Fault("wrong_id"), "malformed"),
        (Fault("http", status=401, text="unauthorized"), "refused"),
        (
            Fault("override", methods="eth_chainId", error=(-32601, "Method not found")),
            "unsupported",
        ),
        (Fault("override", methods="eth_chainId", error=(-32000, "busy")), "rpc_error"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value,
)
async def test_fault_of_a_real_node_is_written_down_as_its_reason(
    proxy: FaultProxy, dial: Callable[..., Node], fault: Fault, reason: UnseenReason
) -> None:
    """Through the proxy each fault becomes the reason under which it is shown, and heals."""
    proxy.set(fault)
    node = dial(proxy.url, 5.0)
    assert (await failure(node)).unseen().reason == reason
    assert node.errors_total == {reason: 1}
    proxy.heal()
    assert await node.ask("eth_chainId", (), decode.text) == "0x7a69"
