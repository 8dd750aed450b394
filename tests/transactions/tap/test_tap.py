"""A tap answers as its node does, and lets nobody past it."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.transactions.tap import TapLimits
from monitor.url import Url
from tests.transactions.tap.ledger import FakeLedger, hash_of
from tests.transactions.tap.tapped import Tapped
from tests.transactions.tap.upstream import (
    Upstream,
    a_request,
    always,
    call_of,
    connected,
    listening,
    rpc,
    send_of,
    talking,
)

RAW = bytes.fromhex("02f8") + bytes(range(80))
SEND = json.dumps(send_of(RAW)).encode()
CALL = json.dumps(call_of()).encode()
BEARER = "a-token-of-the-operator"


async def whole(response: aiohttp.ClientResponse) -> tuple[int, str | None, bytes, str | None]:
    """What counts of an answer: status, type, body, coding."""
    headers = response.headers
    return (
        response.status,
        headers.get("Content-Type"),
        await response.read(),
        headers.get("Content-Encoding"),
    )


def echoing(status: int, content_type: str, body: bytes, *, packed: bool, chunked: bool) -> Any:
    """An answer of this kind to whatever comes."""

    async def respond(request: web.BaseRequest, came: bytes) -> web.StreamResponse:
        headers = {"Content-Type": content_type}
        said = body
        if packed:
            headers["Content-Encoding"] = "gzip"
            said = gzip.compress(body, mtime=0)
        if not chunked:
            return web.Response(status=status, body=said, headers=headers)
        response = web.StreamResponse(status=status, headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(said), 50_000):
            await response.write(said[start : start + 50_000])
        await response.write_eof()
        return response

    return respond


# -- passing through -------------------------------------------------------------------------------

BODIES = {
    "a call": CALL,
    "a batch": json.dumps([call_of(id_=1), call_of("eth_chainId", id_=2)]).encode(),
    "unicode": json.dumps(
        call_of("web3_sha3", "\u4e2d\u00e9\U0001f600"), ensure_ascii=False
    ).encode(),
    "escapes": json.dumps(call_of("web3_sha3", "\u4e2d\u00e9\U0001f600")).encode(),
    "no id": b'{"jsonrpc":"2.0","method":"eth_call"}',
    "no JSON": b"{nonsense",
    "empty": b"",
    "empty batch": b"[]",
    "no text": bytes(range(256)),
    "a megabyte": json.dumps(call_of("eth_call", "0x" + "ab" * 2**19)).encode(),
    "a send that is none": json.dumps(call_of("eth_sendRawTransaction", "0xzz")).encode(),
    "speaks of sends": json.dumps(call_of("web3_sha3", "eth_sendRawTransaction")).encode(),
}
ANSWERS = {
    "json": (200, "application/json", b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'),
    "unicode": (200, "application/json; charset=utf-8", '{"result":"\u4e2d"}'.encode()),
    "text": (403, "text/plain", b"invalid host specified\n"),
    "html": (502, "text/html", b"<html>Bad Gateway</html>"),
    "empty": (200, "application/json", b""),
    "no JSON": (200, "application/octet-stream", bytes(range(256))),
    "large": (200, "application/json", b'"%s"' % (b"x" * 300_000)),
}


@pytest.mark.parametrize("name", BODIES)
async def test_request_reaches_the_node_byte_for_byte(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger, name: str
) -> None:
    """Whatever is in it, and nothing is journalled that is no send."""
    upstream.respond = always(b"{}")
    headers = {"Content-Type": "application/json", "X-Custom": "1"}
    for url in (upstream.url, tap):
        async with client.post(url, data=io.BytesIO(BODIES[name]), headers=headers) as response:
            assert response.status == 200
    direct, through = upstream.requests
    assert through.body == direct.body == BODIES[name]
    assert through.method == direct.method
    for own in ("Host", "Connection"):
        assert own not in (set(direct.headers) ^ set(through.headers))
    assert {**direct.headers, "Host": ""} == {**through.headers, "Host": ""}
    assert through.headers["Host"] == upstream.url.removeprefix("http://")
    assert ledger.arrived == []


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
async def test_answer_comes_back_byte_for_byte(
    tap: str,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    name: str,
    *,
    packed: bool,
    chunked: bool,
) -> None:
    """Status, type, coding and body are the node's, packed and unpacked, small and large."""
    upstream.respond = echoing(*ANSWERS[name], packed=packed, chunked=chunked)
    found = []
    for url in (upstream.url, tap):
        async with client.post(url, data=CALL) as response:
            length = response.headers.get("Content-Length")
            found.append((*await whole(response), response.reason, length))
    assert found[0] == found[1]


@pytest.mark.parametrize("name", BODIES)
async def test_packed_request_reaches_the_node_packed(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession, name: str
) -> None:
    """It is looked into, and forwarded as it came."""
    upstream.respond = always(b"{}")
    packed = gzip.compress(BODIES[name], mtime=0)
    async with client.post(tap, data=packed, headers={"Content-Encoding": "gzip"}) as response:
        assert response.status == 200
    assert upstream.requests[0].body == packed
    assert upstream.requests[0].headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/health", "/v3/other?key=1", "//x/../y"])
async def test_any_method_and_path_asks_the_configured_url(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, method: str, path: str
) -> None:
    """The node's path and query are those of the configuration, whatever the client's are."""
    upstream.respond = always(b'{"up":true}', X_Node="1", Allow="POST")
    tap = await tapped(upstream=Url(upstream.url + "/base/path?k=v"))
    async with client.request(method, tap + path) as response:
        status, content_type, body, _ = await whole(response)
        assert (response.headers["X-Node"], response.headers["Allow"]) == ("1", "POST")
    assert (status, content_type) == (200, "application/json")
    assert body == (b"" if method == "HEAD" else b'{"up":true}')
    # Its port was another server's a moment ago, whose clients may not know yet.
    asked = [(request.method, request.path) for request in upstream.requests]
    assert (method, "/base/path?k=v") in asked


async def test_head_keeps_the_length_of_what_it_leaves_out(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """A client may ask how long an answer would be, short or long."""
    for size in (10, 300_000):
        upstream.respond = always(b"x" * size)
        async with client.head(tap) as response:
            assert response.headers["Content-Length"] == str(size)
            assert await response.read() == b""


@pytest.mark.parametrize("status", [204, 304])
async def test_answer_without_a_body_stays_one(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession, status: int
) -> None:
    """No length, no type and no body are made up."""

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        return web.Response(status=status, headers={"ETag": '"x"'})

    upstream.respond = respond
    async with client.post(tap, data=CALL) as response:
        assert (response.status, await response.read()) == (status, b"")
        assert response.headers["ETag"] == '"x"'


async def test_client_that_names_nothing_is_given_no_headers(tap: str, upstream: Upstream) -> None:
    """The tap adds nothing of its own to a request: no agent, no type, no wish for packing."""
    upstream.respond = always(b"{}")
    async with connected(tap) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert set(upstream.requests[0].headers) == {"Host", "Content-Length"}


async def test_clients_credentials_and_hop_headers_do_not_go_on(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """A token for the tap, or a password for anything, is not the node's to see."""
    tap = await tapped(token=BEARER)
    headers = {
        "Authorization": f"Bearer {BEARER}",
        "Proxy-Authorization": "Basic eDp5",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "TE": "trailers",
    }
    async with client.post(tap, data=CALL, headers=headers) as response:
        assert response.status == 200
    assert not set(headers) & set(upstream.requests[0].headers)


async def test_nodes_credentials_are_those_of_its_url(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """User and password of the configured URL become the node's Authorization."""
    host = upstream.url.removeprefix("http://")
    tap = await tapped(upstream=Url(f"http://user:word@{host}/"))
    headers = {"Authorization": "Basic bWluZTptaW5l"}
    async with client.post(tap, data=CALL, headers=headers) as response:
        assert response.status == 200
    assert upstream.requests[0].headers["Authorization"] == "Basic dXNlcjp3b3Jk"
    assert upstream.requests[0].headers["Host"] == host


async def test_redirect_leads_nobody_past_the_tap(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """It is neither followed nor passed on: the next send would go to the node itself."""
    upstream.respond = always(b"moved", 307, Location=upstream.url + "/key", Alt_Svc="h3")
    async with client.post(tap, data=CALL) as response:
        assert (response.status, await response.read()) == (307, b"moved")
        assert not {"Location", "Alt-Svc"} & set(response.headers)
    assert len(upstream.requests) == 1


async def test_upstream_may_be_changed_between_two_requests(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """A reload holds from the next request on."""
    tap = await tapped()
    async with listening(Upstream(respond=always(b"other"))) as other:
        tapped.taps[0].upstream = Url(other.url)
        async with client.post(tap, data=CALL) as response:
            assert await response.read() == b"other"
    assert upstream.requests == []


async def test_many_requests_at_once_keep_apart(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """Every client gets its own answer, sends among calls."""

    async def ask(index: int) -> bool:
        message = send_of(bytes([index]) * 70, index) if index % 3 else call_of(id_=index)
        async with client.post(tap, json=message) as response:
            answer = await response.json()
        expected = hash_of(bytes([index]) * 70) if index % 3 else "0x0"
        return bool(answer["id"] == index and answer["result"] == expected)

    assert all(await asyncio.gather(*(ask(index) for index in range(90))))
    assert len(ledger.arrived) == 60


async def test_answer_is_passed_on_bit_by_bit(
    tap: str, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """A large answer is not kept: its beginning is with the client before its end is made."""

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b"[1,")
        await upstream.released.wait()
        await response.write(b"2]")
        return response

    upstream.respond = respond
    async with client.post(tap, data=CALL) as response:
        assert await response.content.readexactly(3) == b"[1,"
        upstream.released.set()
        assert await response.content.read() == b"2]"


# -- whom it lets in -------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [CALL, SEND])
async def test_page_in_a_browser_cannot_use_the_tap(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, data: bytes
) -> None:
    """Nothing is journalled or forwarded, and the refusal says why."""
    tap = await tapped()
    for headers in (
        {"Origin": "https://evil.example.org"},
        {"Origin": "null"},
        {"Host": "evil.example.org"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        async with client.post(tap, data=data, headers=headers) as response:
            assert response.status == 403
            said = json.loads(await response.read())
            assert said["error"]["message"].startswith("headwatch tap: ")
    assert upstream.requests == []
    assert tapped.ledger.arrived == []
    assert tapped.kinds == ["refused"] * 4


async def test_tap_is_asked_under_a_configured_name(
    tapped: Tapped, client: aiohttp.ClientSession
) -> None:
    """In a cluster, a tap has a name."""
    tap = await tapped(hosts=("Headwatch.monitoring.svc",))
    for host, status in (("headwatch.monitoring.svc:8547", 200), ("other.svc", 403)):
        async with client.post(tap, data=CALL, headers={"Host": host}) as response:
            assert response.status == status


async def test_tap_with_a_token_wants_it_from_everybody(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """Whoever bears it may come from anywhere; whoever does not learns what is wanted."""
    tap = await tapped(token=BEARER)
    async with client.post(tap, data=SEND) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert BEARER.encode() not in await response.read()
    assert upstream.requests == []
    headers = {"Authorization": f"Bearer {BEARER}", "Origin": "https://a.example.org"}
    async with client.post(tap, data=SEND, headers=headers) as response:
        assert (await response.json())["result"] == hash_of(RAW)


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "status"), [(1000, 200), (1001, 413), (5_000_000, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_body_beyond_the_limit_is_refused(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    size: int,
    status: int,
    *,
    chunked: bool,
) -> None:
    """Exactly the limit passes, whether or not the length is announced."""
    tap = await tapped(limits=TapLimits(body_bytes_max=1000))
    upstream.respond = always(b"{}")

    async def pieces() -> Any:
        yield b" " * (size // 2)
        yield b" " * (size - size // 2)

    async with client.post(tap, data=pieces() if chunked else io.BytesIO(b" " * size)) as response:
        assert response.status == status
    assert len(upstream.requests) == (1 if status == 200 else 0)


async def test_bomb_is_refused(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """What is small and unpacks to more than the limit is not unpacked to its end."""
    tap = await tapped(limits=TapLimits(body_bytes_max=100_000))
    bomb = gzip.compress(b"\0" * 50_000_000)
    async with client.post(tap, data=bomb, headers={"Content-Encoding": "gzip"}) as response:
        assert response.status == 413
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [("br", SEND, 415), ("gzip, br", SEND, 415), ("gzip", SEND, 400), ("zstd", b"\0" * 9, 415)],
)
async def test_body_that_cannot_be_looked_into_is_refused(
    tap: str,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    *,
    coding: str,
    body: bytes,
    status: int,
) -> None:
    """It may hold a send that nobody would find."""
    async with client.post(tap, data=body, headers={"Content-Encoding": coding}) as response:
        assert response.status == status
        assert b"headwatch tap: the request: " in await response.read()
    assert upstream.requests == []
    assert ledger.arrived == []


async def test_requests_beyond_the_limit_are_refused_at_once(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """They do not pile up; when those under way have ended, there is room again."""
    tap = await tapped(limits=TapLimits(requests_at_once_max=1))
    upstream.respond = upstream.hanging
    first = asyncio.create_task(client.post(tap, data=CALL))
    await upstream.asked.wait()
    async with client.post(tap, data=SEND) as response:
        assert response.status == 503
    upstream.released.set()
    (await first).release()
    async with client.post(tap, data=SEND) as response:
        assert response.status == 200
    assert tapped.kinds == ["refused", "other", "send"]


async def test_answer_beyond_the_limit_is_not_passed_on_as_if_whole(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """An announced one is refused; one that turns out to be is cut, and cannot be mistaken."""
    tap = await tapped(limits=TapLimits(answer_bytes_max=100_000))
    for size, chunked in ((100_000, False), (100_000, True)):
        upstream.respond = echoing(200, "a/b", b"x" * size, packed=False, chunked=chunked)
        async with client.post(tap, data=CALL) as response:
            assert len(await response.read()) == size
    upstream.respond = echoing(200, "a/b", b"x" * 100_001, packed=False, chunked=False)
    async with client.post(tap, data=CALL) as response:
        assert response.status == 502
        assert b"larger than the tap takes" in await response.read()
    upstream.respond = echoing(200, "a/b", b"x" * 100_001, packed=False, chunked=True)
    with pytest.raises(aiohttp.ClientError):
        async with client.post(tap, data=CALL) as response:
            await response.read()


async def test_request_that_does_not_come_is_not_waited_for(tapped: Tapped) -> None:
    """A body that never ends gives its place back."""
    tap = await tapped(limits=TapLimits(deadline_seconds=0.05))
    async with connected(tap) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200\r\n\r\n{")
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert tapped.kinds == ["refused"]


async def test_body_that_is_no_body_is_refused(tap: str, upstream: Upstream) -> None:
    """Pieces of no length that can be read."""
    async with connected(tap) as (reader, writer):
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head)
        await writer.drain()
        writer.write(b"zz\r\n")
        assert (await reader.readline()).split()[1] == b"400"
    assert upstream.requests == []


async def test_body_that_breaks_off_is_nothing(
    tapped: Tapped, upstream: Upstream, ledger: FakeLedger
) -> None:
    """A client that leaves in the middle of a body has sent nothing."""
    tap = await tapped()
    async with connected(tap) as (_, writer):
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n"
        writer.write(head + SEND)
        await writer.drain()
    await tapped.stop()
    assert upstream.requests == []
    assert ledger.arrived == []


# -- nodes that fail -------------------------------------------------------------------------------


async def test_answer_that_breaks_off_is_seen_to(
    tapped: Tapped, client: aiohttp.ClientSession
) -> None:
    """A client must not take half an answer for one."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await a_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n")
        await writer.drain()

    async with talking(talk) as url:
        tap = await tapped(upstream=Url(url))
        with pytest.raises(aiohttp.ClientError):
            async with client.post(tap, data=CALL) as response:
                await response.read()
    assert tapped.kinds == ["other"]


async def test_failing_node_is_told_in_json_rpc(
    tapped: Tapped, client: aiohttp.ClientSession
) -> None:
    """Every call of a batch gets the reason, which shows nothing of the node's URL."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await a_request(reader)

    async with talking(talk) as url:
        tap = await tapped(upstream=Url(f"{url}/v3/secret-key-of-the-node"))
        batch = [call_of(id_=1), call_of(id_="b")]
        async with client.post(tap, json=batch) as response:
            text = await response.text()
            said = json.loads(text)
    assert response.status == 502
    assert [one["id"] for one in said] == [1, "b"]
    reason = (
        "headwatch tap: the node did not answer: the connection was closed before an answer came"
    )
    assert {one["error"]["message"] for one in said} == {reason}
    assert "secret-key" not in text


async def test_node_that_keeps_silent_is_given_up(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """After the deadline the client is told so."""
    tap = await tapped(limits=TapLimits(deadline_seconds=0.05))
    upstream.respond = upstream.hanging
    async with client.post(tap, data=CALL) as response:
        assert response.status == 502
        assert b"no whole answer within 0.05 s" in await response.read()


async def test_client_that_leaves_ends_what_it_asked(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """Nobody waits for the answer to a call that sends nothing: the node is let go."""
    left = asyncio.Event()

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        while request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(0.001)
        left.set()
        return rpc(b"{}")

    upstream.respond = respond
    tap = await tapped(limits=TapLimits(stop_seconds=1))
    asking = asyncio.create_task(client.post(tap, data=CALL))
    await upstream.asked.wait()
    asking.cancel()
    await asyncio.wait_for(left.wait(), 10)
    assert tapped.kinds == ["other"]


async def test_stop_lets_what_is_under_way_end(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession
) -> None:
    """A restart of the sidecar cuts off nothing that ends soon."""
    tap = await tapped()
    upstream.respond = upstream.hanging
    asking = asyncio.create_task(client.post(tap, data=SEND))
    await upstream.asked.wait()
    stopping = asyncio.create_task(tapped.stop())
    await asyncio.sleep(0)
    upstream.released.set()
    async with await asking as response:
        assert (await response.json())["result"] == hash_of(RAW)
    await stopping
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.post(tap, data=CALL)


async def test_requests_that_send_nothing_are_shown_unpacked(
    tapped: Tapped, client: aiohttp.ClientSession
) -> None:
    """For whoever records them; a send, and what is refused, are not."""
    shown: list[bytes] = []
    url = await tapped(on_read=shown.append)
    packed = {"Content-Encoding": "gzip"}
    browser = {"Origin": "https://a.test"}
    await client.post(url, data=CALL)
    await client.post(url, data=gzip.compress(CALL), headers=packed)
    await client.post(url, data=SEND)
    await client.post(url, data=CALL, headers=browser)
    assert shown == [CALL, CALL]
