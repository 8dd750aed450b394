"""A send is journalled before a byte of it leaves, and a refusal before anybody is told."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.transactions.tap import Sent, Tap, TapLimits
from monitor.url import Url
from tests.transactions.tap.ledger import FakeLedger, hash_of
from tests.transactions.tap.tapped import Tapped
from tests.transactions.tap.upstream import (
    Respond,
    Upstream,
    a_request,
    always,
    answer_of,
    as_a_pool,
    call_of,
    dropping,
    error,
    refusing,
    rpc,
    send_of,
    talking,
)

RAW, OTHER = b"\x02" + b"r" * 80, b"\xf8" + b"o" * 80
HASH, OTHER_HASH = hash_of(RAW), hash_of(OTHER)
SEND = send_of(RAW)
HIDDEN = b"eth_\\u0073endRawTransaction"
KEY = "key-of-the-node-4711"
OPEN = "whether it has the transaction is unknown"


async def post(client: aiohttp.ClientSession, url: str, message: Any) -> tuple[int, Any]:
    """Status and parsed body of an answer."""
    async with client.post(url, json=message) as response:
        return response.status, json.loads(await response.read())


def message_of(answer: Any) -> str:
    return str(answer["error"]["message"])


# -- in order --------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [SEND, [call_of(id_=2), SEND]], ids=["alone", "batch"])
async def test_nothing_is_forwarded_before_the_journal_has_it(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    message: Any,
) -> None:
    """While the journal writes, the node hears nothing; then it gets the bytes as they came."""
    tap = await tapped()
    ledger.hold()
    asking = asyncio.create_task(post(client, tap, message))
    await ledger.waiting(1)
    # Another request goes the whole way there and back, and this one does not move.
    upstream.respond = always(b"{}")
    await post(client, tap, call_of())
    assert len(upstream.requests) == 1
    upstream.respond = as_a_pool
    ledger.release()
    status, answer = await asking
    assert status == 200
    assert json.loads(upstream.requests[1].body) == message
    assert (answer[1] if isinstance(answer, list) else answer)["result"] == HASH
    assert [raw for raw, _, _, _ in ledger.arrived] == [RAW]


async def test_send_that_is_taken_is_told_at_once_and_not_written_again(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """An arrival without an outcome counts as sent: success costs one commit."""
    status, answer = await post(client, await tapped(), SEND)
    assert (status, answer) == (200, answer_of(SEND))
    assert ledger.outcomes == []
    assert tapped.sent == [Sent(HASH, RAW, "accepted", "", 1_700_000_000.0)]
    assert tapped.kinds == ["send"]


async def test_send_that_the_node_knew_counts_as_taken(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """The client sees the node's error, and the bytes go on counting as sent."""
    upstream.respond = always(error("already known"))
    assert await post(client, await tapped(), SEND) == (200, error("already known"))
    assert ledger.outcomes == []
    assert tapped.outcomes == ["accepted"]


async def test_refusal_is_durable_before_the_client_is_told(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """The sender may sign the payment again as soon as it knows."""
    tap = await tapped()

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        ledger.hold()
        return rpc(error("nonce too low"))

    upstream.respond = respond
    asking = asyncio.create_task(post(client, tap, SEND))
    await ledger.waiting(1)
    assert ledger.hashes == [HASH]
    upstream.respond = always(b"{}")
    await post(client, tap, call_of())
    assert not asking.done()
    ledger.release()
    assert await asking == (200, error("nonce too low"))
    assert ledger.told == [(HASH, "refused")]
    assert ledger.outcomes[0][2] == "nonce too low"
    assert tapped.outcomes == ["refused"]


async def test_batch_is_judged_call_by_call(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """One is taken, one refused, one forgotten, and the client gets the node's answer."""
    third = b"\x01" * 90
    answers = [error("nonce too low", "b"), call_of(id_=9), {"id": 1, "result": HASH}]
    upstream.respond = always(answers)
    batch = [SEND, call_of(id_=9), send_of(OTHER, "b"), send_of(third, 3)]
    assert await post(client, await tapped(), batch) == (200, answers)
    assert ledger.hashes == [HASH, OTHER_HASH, hash_of(third)]
    assert ledger.told == [(OTHER_HASH, "refused"), (hash_of(third), "unanswered")]
    assert tapped.outcomes == ["accepted", "refused", "unanswered"]


async def test_same_bytes_twice_in_a_batch_are_two_deliveries(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """The journal counts deliveries, and each is answered for itself."""
    upstream.respond = always([{"id": 1, "result": HASH}, error("nonce too low", 2)])
    await post(client, await tapped(), [SEND, send_of(RAW, 2)])
    assert ledger.hashes == [HASH, HASH]
    assert ledger.told == [(HASH, "refused")]


async def test_receipts_method_is_a_send_too(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """EIP-7966: a receipt is a success, and its timeout is no refusal."""
    tap = await tapped()
    message = send_of(RAW, method="eth_sendRawTransactionSync")
    late = error("The transaction was added to the mempool but wasn't processed in 2s.", code=4)
    for said in ({"id": 1, "result": {"transactionHash": HASH}}, late):
        upstream.respond = always(said)
        assert await post(client, tap, message) == (200, said)
    assert tapped.outcomes == ["accepted", "accepted"]
    assert ledger.outcomes == []


async def test_transaction_that_the_node_signs_is_told_by_its_hash(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """Nothing can be journalled; the sidecar learns the hash, where there is one."""
    tap = await tapped()
    message = call_of("eth_sendTransaction", {"from": "0x1"})
    for said in ({"id": 1, "result": HASH}, error("authentication needed")):
        upstream.respond = always(said)
        assert await post(client, tap, message) == (200, said)
    assert tapped.sent == [Sent(HASH, None, "accepted", "", 1_700_000_000.0)]
    assert (ledger.arrived, ledger.outcomes) == ([], [])


@pytest.mark.parametrize("status", [200, 204])
async def test_notification_is_sent_and_answered_as_the_node_does(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    status: int,
) -> None:
    """A node runs it and says nothing: whether it has it is not known."""
    upstream.respond = always(b"", status)
    message = {key: value for key, value in SEND.items() if key != "id"}
    async with client.post(await tapped(), json=message) as response:
        assert (response.status, await response.read()) == (status, b"")
    assert ledger.told == [(HASH, "unanswered")]
    upstream.respond = always(b"broken", 500)
    async with client.post(await tapped(), json=message) as response:
        assert response.status == 502
    assert ledger.told[1:] == [(HASH, "unanswered")]


# -- bodies ----------------------------------------------------------------------------------------


async def test_packed_send_is_found_and_forwarded_packed(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """The send inside is journalled, and the answer speaks to its id."""
    packed = gzip.compress(json.dumps(SEND | {"id": 77}).encode(), mtime=0)
    upstream.respond = always(b"broken", 500)
    tap = await tapped()
    async with client.post(tap, data=packed, headers={"Content-Encoding": "gzip"}) as response:
        assert (await response.json())["id"] == 77
    assert ledger.hashes == [HASH]
    assert upstream.bodies == [packed]


@pytest.mark.parametrize(
    ("accepted", "asked"),
    [("gzip, deflate, br, zstd", "gzip"), ("br", "identity"), (None, "identity")],
)
async def test_packed_answer_to_a_send_is_read_and_passed_on_packed(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    *,
    accepted: str | None,
    asked: str,
) -> None:
    """The node is asked for no coding that cannot be read here."""
    packed = gzip.compress(json.dumps(error("nonce too low")).encode(), mtime=0)
    upstream.respond = always(packed, Content_Encoding="gzip")
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    skipped = () if accepted else ("Accept-Encoding",)
    async with client.post(
        await tapped(), json=SEND, headers=headers, skip_auto_headers=skipped
    ) as response:
        assert await response.read() == packed
        assert response.headers["Content-Encoding"] == "gzip"
    assert upstream.requests[0].headers["Accept-Encoding"] == asked
    assert ledger.told == [(HASH, "refused")]


async def test_blob_transaction_passes_whole(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """Six blobs are 1.6 MB of digits."""
    raw = b"\x03" + b"\xab" * (6 * 131_072)
    body = json.dumps(send_of(raw)).encode()
    async with client.post(await tapped(), data=io.BytesIO(body)) as response:
        assert (await response.json())["result"] == hash_of(raw)
    assert [one for one, _, _, _ in ledger.arrived] == [raw]
    assert upstream.bodies == [body]


async def test_send_hidden_in_an_unclear_body_is_journalled_first(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """It is forwarded as it came, and judged by whether the answer names it."""
    tap = await tapped()
    body = json.dumps(SEND).encode().replace(b'"method"', b'"method":"eth_call","Method"')
    for said in (error("parse error", None), {"id": 1, "result": HASH}, {"id": 1, "result": "0x"}):
        upstream.respond = always(said)
        async with client.post(tap, data=body) as response:
            assert json.loads(await response.read()) == said
    assert upstream.bodies == [body] * 3
    assert ledger.hashes == [HASH] * 3
    assert tapped.outcomes == ["unanswered", "accepted", "refused"]


async def test_send_behind_ten_megabytes_is_found_while_others_are_served(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """A body that takes long to look through holds up nobody else."""
    tap = await tapped()
    tail = json.dumps(send_of(RAW) | {"method": "SEND"}).encode().replace(b"SEND", HIDDEN)
    body = b" [ %s" % (b'"\\u0047",'.rjust(100) * 100_000) + tail + b"]"
    upstream.respond = always({"id": 1, "result": HASH})
    asking = asyncio.create_task(client.post(tap, data=io.BytesIO(body)))
    while not asking.done():
        await post(client, tap, call_of())
    (await asking).release()
    assert ledger.hashes == [HASH]
    assert len(upstream.requests) > 2
    assert [len(one) for one in upstream.bodies if len(one) > 1000] == [len(body)]


async def test_sends_beyond_the_limit_of_one_request_are_refused(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """A request cannot fill the journal; exactly the limit passes."""
    tap = await tapped(limits=TapLimits(sends_max=2))
    batch = [send_of(bytes([index]) * 70, index) for index in range(3)]
    status, answer = await post(client, tap, batch)
    assert (status, len(answer)) == (413, 3)
    assert (upstream.requests, ledger.arrived) == ([], [])
    assert (await post(client, tap, batch[:2]))[0] == 200


# -- the journal fails -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "ids"),
    [(SEND, [1]), ([call_of(id_=7), SEND, send_of(OTHER, "b")], [7, 1, "b"])],
    ids=["alone", "batch"],
)
async def test_journal_that_cannot_be_written_forwards_nothing(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    *,
    message: Any,
    ids: list[Any],
) -> None:
    """Every call of the request is told so, and no call of it reaches the node."""
    ledger.breaks_arrivals = True
    status, answer = await post(client, await tapped(), message)
    said = answer if isinstance(message, list) else [answer]
    assert status == 200
    assert [one["id"] for one in said] == ids
    text = "headwatch tap: not forwarded, because the journal cannot be written: the disk is full"
    assert {message_of(one) for one in said} == {text}
    assert {one["error"]["code"] for one in said} == {-32603}
    assert upstream.requests == []
    assert (tapped.sent, tapped.kinds) == ([], ["refused"])


async def test_journal_that_fails_half_way_is_not_taken_for_a_refusal(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """What is in it and cannot be taken back counts as sent: the client must not send anew."""
    ledger.breaks_arrivals, ledger.breaks_answers = {OTHER}, True
    status, answer = await post(client, await tapped(), [SEND, send_of(OTHER, 2)])
    assert status == 502
    assert all("whether it will be sent is unknown" in message_of(one) for one in answer)
    assert upstream.requests == []


async def test_refusal_that_cannot_be_written_is_not_told(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """It counts as sent, and would be sent again: the client hears that nothing is certain."""
    ledger.breaks_answers = True
    upstream.respond = always(error("nonce too low"))
    status, answer = await post(client, await tapped(), SEND)
    assert status == 502
    assert "nonce too low" not in message_of(answer)
    assert "whether it will be sent again is unknown" in message_of(answer)
    assert tapped.outcomes == ["unanswered"]


async def test_calls_pass_while_the_journal_is_broken(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """A full disk costs the sends, and not the whole program."""
    ledger.breaks_arrivals = True
    assert (await post(client, await tapped(), call_of()))[1]["result"] == "0x0"


# -- the node fails --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("respond", "why"),
    [
        (always(b"<html>Bad Gateway</html>", 502), "HTTP 502 without JSON-RPC"),
        (always(b"slow down", 429, Retry_After="1"), "HTTP 429 without JSON-RPC"),
        (always(b"", 503), "HTTP 503 without JSON-RPC"),
        (always(b"too late", 408), "HTTP 408 without JSON-RPC"),
        (always(b"<html>Welcome</html>"), "HTTP 200 without JSON-RPC"),
        (always(b""), "HTTP 200 without JSON-RPC"),
        (always(b"null"), "HTTP 200 without JSON-RPC"),
        (always({"id": 1}), "HTTP 200 without JSON-RPC"),
        (always(b'{"id":1,"result":"0x'), "HTTP 200 without JSON-RPC"),
        (always(b"x", Content_Encoding="br"), "cannot be read: content coding 'br'"),
        (always(b"xyz", Content_Encoding="gzip"), "cannot be read: it is not gzip"),
    ],
)
async def test_answer_that_is_none_leaves_the_outcome_open(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    *,
    respond: Respond,
    why: str,
) -> None:
    """It is written down and told as unknown, in JSON-RPC, whatever stood in the node's place."""
    upstream.respond = respond
    status, answer = await post(client, await tapped(), SEND)
    assert (status, answer["id"], answer["error"]["code"]) == (502, 1, -32603)
    assert message_of(answer).startswith("headwatch tap: the node")
    assert why in message_of(answer)
    assert OPEN in message_of(answer)
    assert ledger.told == [(HASH, "unanswered")]
    assert tapped.outcomes == ["unanswered"]
    assert tapped.kinds == ["send"]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 405, 413, 415, 422, 499])
async def test_gateway_that_does_not_look_at_a_request_has_refused_it(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    status: int,
) -> None:
    """A wrong key, a wrong path, too large: the client sees that answer, after it is written."""
    upstream.respond = always(b"no", status, Content_Type="text/plain")
    async with client.post(await tapped(), json=SEND) as response:
        assert (response.status, await response.read()) == (status, b"no")
        assert response.content_type == "text/plain"
    assert ledger.outcomes[0][:3] == (HASH, "refused", f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "text", "outcome"),
    [
        (500, "nonce too low", "refused"),
        (400, "insufficient funds", "refused"),
        (429, "daily limit", "unanswered"),
        (503, "upstream timeout", "unanswered"),
        (200, "request timed out", "unanswered"),
    ],
)
async def test_error_in_json_rpc_counts_whatever_its_status(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    *,
    status: int,
    text: str,
    outcome: str,
) -> None:
    """Clients of all kinds read it, so it is passed on as it is."""
    upstream.respond = always(error(text), status)
    assert await post(client, await tapped(), SEND) == (status, error(text))
    assert ledger.told == [(HASH, outcome)]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and hang up."""
    await a_request(reader)


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and reset the connection."""
    await a_request(reader)
    writer.transport.abort()


async def halving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the first half."""
    await a_request(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id":1,"result":"0x')
    await writer.drain()


async def babbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak another protocol."""
    await a_request(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    await writer.drain()


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing."""
    await a_request(reader)
    await asyncio.Event().wait()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer without end, a byte at a time."""
    await a_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("talk", [silent, resetting, halving, babbling, hanging, dripping])
async def test_connection_that_fails_leaves_the_outcome_open(
    tapped: Tapped, client: aiohttp.ClientSession, ledger: FakeLedger, talk: Any
) -> None:
    """The bytes may have arrived: nobody can say that they have not."""
    async with talking(talk) as url:
        tap = await tapped(
            upstream=Url(f"{url}/{KEY}"), limits=TapLimits(deadline_seconds=0.3, stop_seconds=1)
        )
        status, answer = await post(client, tap, SEND)
    assert status == 502
    assert message_of(answer).startswith("headwatch tap: the node did not answer: ")
    assert message_of(answer).endswith(OPEN)
    assert ledger.told == [(HASH, "unanswered")]
    assert KEY not in message_of(answer) + ledger.outcomes[0][2]


async def test_answer_to_a_send_that_is_too_large_leaves_it_open(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """It is not kept; exactly the limit is."""
    tap = await tapped(limits=TapLimits(kept_bytes_max=1000))
    said = json.dumps({"id": 1, "result": HASH}).encode()
    for size, expected in ((1000, 200), (1001, 502)):
        upstream.respond = always(said.ljust(size))
        assert (await post(client, tap, SEND))[0] == expected
    assert ledger.told == [(HASH, "unanswered")]


@pytest.fixture
async def unreachable(tapped: Tapped) -> AsyncIterator[Tap]:
    """A tap whose node is nowhere."""
    with refusing() as url:
        await tapped(upstream=Url(f"{url}/{KEY}"), limits=TapLimits(connect_seconds=1))
        yield tapped.taps[0]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "connection refused"),
        (f"http://node.invalid/{KEY}", "the host name cannot be resolved"),
        (f"http://{'x' * 70}.invalid/{KEY}", "the host name cannot be resolved"),
    ],
)
async def test_node_that_cannot_be_reached_was_sent_nothing(
    tapped: Tapped,
    unreachable: Tap,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    *,
    url: str | None,
    why: str,
) -> None:
    """Not a byte has left: that is a refusal, and the client is told that nothing was sent."""
    if url is not None:
        unreachable.upstream = Url(url)
    (tap,) = [f"http://127.0.0.1:{port}" for port in _ports(unreachable)]
    status, answer = await post(client, tap, SEND)
    assert status == 502
    text = f"headwatch tap: the node cannot be reached: {why}; nothing was sent"
    assert message_of(answer) == text
    assert ledger.told == [(HASH, "refused")]
    assert tapped.outcomes == ["refused"]


async def test_connection_that_does_not_come_about_was_sent_nothing(
    tapped: Tapped, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """A node whose machine drops what comes."""
    with dropping() as url:
        limits = TapLimits(connect_seconds=0.1, stop_seconds=1)
        status, answer = await post(client, await tapped(upstream=Url(url), limits=limits), SEND)
    assert status == 502
    assert message_of(answer).endswith("no connection in time; nothing was sent")
    assert ledger.told == [(HASH, "refused")]


async def test_handshake_that_fails_was_sent_nothing(
    tapped: Tapped, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """TLS comes before the request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with talking(talk) as url:
        tap = await tapped(upstream=Url(url.replace("http", "https") + f"/{KEY}"))
        status, answer = await post(client, tap, SEND)
    assert status == 502
    assert message_of(answer).endswith("nothing was sent")
    assert ledger.told == [(HASH, "refused")]


def _ports(tap: Tap) -> list[int]:
    assert tap._runner is not None
    return [address[1] for address in tap._runner.addresses]


# -- the client leaves -----------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["while it is written", "while the node has it"])
async def test_client_that_leaves_does_not_stop_a_send(
    tapped: Tapped,
    upstream: Upstream,
    client: aiohttp.ClientSession,
    ledger: FakeLedger,
    when: str,
) -> None:
    """What is in the journal counts as sent: it is sent, and what came of it is written down."""
    tap = await tapped()

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        await upstream.released.wait()
        return rpc(error("nonce too low"))

    upstream.respond = respond
    if when == "while it is written":
        ledger.hold()
    asking = asyncio.create_task(client.post(tap, json=SEND))
    await (ledger.waiting(1) if when == "while it is written" else upstream.asked.wait())
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    # The tap has seen that the client is gone once it has answered another one.
    upstream.respond, waiting = always(b"{}"), upstream.respond
    await post(client, tap, call_of())
    upstream.respond = waiting
    ledger.release()
    upstream.released.set()
    await asyncio.wait_for(ledger.on_answered.wait(), 10)
    assert json.loads(upstream.bodies[-1 if when == "while it is written" else 0]) == SEND
    assert ledger.told == [(HASH, "refused")]


async def test_stop_waits_for_sends_whose_clients_have_left(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """As long as it takes, within a limit; then it counts as sent, without an outcome."""
    tap = await tapped(limits=TapLimits(stop_seconds=0.05))
    upstream.respond = upstream.hanging
    asking = asyncio.create_task(client.post(tap, json=SEND))
    await upstream.asked.wait()
    asking.cancel()
    await tapped.stop()
    assert (ledger.hashes, ledger.outcomes) == ([HASH], [])


async def test_stop_lets_a_send_end_whose_client_has_left(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """Nobody waits for it, and what came of it is written down all the same."""
    tap = await tapped(limits=TapLimits(stop_seconds=10))

    async def respond(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        await upstream.released.wait()
        return rpc(error("nonce too low"))

    upstream.respond = respond
    asking = asyncio.create_task(client.post(tap, json=SEND))
    await upstream.asked.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    stopping = asyncio.create_task(tapped.stop())
    while tapped.taps[0]._under_way:
        await asyncio.sleep(0)
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.post(tap, json=SEND)
    upstream.released.set()
    await stopping
    assert ledger.told == [(HASH, "refused")]


# -- secrets ---------------------------------------------------------------------------------------


async def test_key_of_the_node_is_not_written_down(
    tapped: Tapped, upstream: Upstream, client: aiohttp.ClientSession, ledger: FakeLedger
) -> None:
    """A provider's error may echo the key: the client gets it as it is, the journal without."""
    said = error(f"the key {KEY} is over its limit of " + "x" * 2000)
    upstream.respond = always(said)
    tap = await tapped(upstream=Url(f"{upstream.url}/v3/{KEY}"))
    assert (await post(client, tap, SEND))[1] == said
    written = ledger.outcomes[0][2]
    assert written.startswith("the key *** is over its limit")
    assert len(written) == 500
    assert tapped.sent[0].message == written


async def test_key_of_the_node_is_in_no_log(
    tapped: Tapped, client: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails."""
    caplog.set_level("DEBUG")
    for talk in (silent, resetting, babbling):
        async with talking(talk) as url:
            tap = await tapped(upstream=Url(f"{url}/{KEY}?k={KEY}"))
            for message in (SEND, call_of()):
                await post(client, tap, message)
    assert KEY not in caplog.text
