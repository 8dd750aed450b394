"""Frames pass as they are; one that sends is journalled first, and its answer judged first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from monitor.transactions.tap import TapLimits
from monitor.url import Url
from tests.transactions.tap.ledger import FakeLedger, hash_of
from tests.transactions.tap.socketnode import Socket as NodeSide
from tests.transactions.tap.socketnode import SocketNode, as_a_pool, mute, saying
from tests.transactions.tap.tapped import Tapped
from tests.transactions.tap.upstream import answer_of, call_of, error, send_of

RAW, OTHER = b"\x02" + b"r" * 80, b"\xf8" + b"o" * 80
HASH, OTHER_HASH = hash_of(RAW), hash_of(OTHER)
SEND = send_of(RAW)
Client = aiohttp.ClientSession
Socket = aiohttp.ClientWebSocketResponse


# -- frames ----------------------------------------------------------------------------------------


async def echo(socket: NodeSide, text: bytes, kind: WSMsgType) -> None:
    await socket.send_frame(text, kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (WSMsgType.TEXT, b'{"id":1}'),
        (WSMsgType.TEXT, b""),
        (WSMsgType.TEXT, "\u4e2d\u00e9\U0001f600 nonsense".encode()),
        (WSMsgType.TEXT, json.dumps(call_of("web3_sha3", "eth_sendRawTransaction")).encode()),
        (WSMsgType.BINARY, bytes(range(256))),
        (WSMsgType.BINARY, b"x" * 2**20),
    ],
)
async def test_frame_passes_both_ways_as_it_is(
    socket: Socket, node: SocketNode, ledger: FakeLedger, kind: WSMsgType, text: bytes
) -> None:
    """Text stays text, binary stays binary, and nothing is journalled that is no send."""
    node.react = echo
    await socket.send_frame(text, kind)
    message = await socket.receive(10)
    assert message.type is kind
    assert (message.data.encode() if kind is WSMsgType.TEXT else message.data) == text
    assert node.frames == [(kind, text)]
    assert ledger.arrived == []


async def test_subscription_goes_on_while_calls_are_made(socket: Socket, node: SocketNode) -> None:
    """What nobody asked for just now arrives too, in order."""
    for number in range(50):
        await node.sockets[0].send_json({"method": "eth_subscription", "params": number})
    await socket.send_json(SEND)
    said = [await socket.receive_json() for _ in range(51)]
    assert [one["params"] for one in said[:50]] == list(range(50))
    assert said[50] == answer_of(SEND)


async def test_pings_are_answered_by_the_other_side(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """Whoever asks whether the other lives hears it from the other, not from the tap."""
    tap = await tapped(websocket=Url(node.url))
    async with client.ws_connect(tap, autoping=False) as socket:
        await socket.ping(b"are you there")
        message = await socket.receive(10)
        assert (message.type, message.data) == (WSMsgType.PONG, b"are you there")
        assert node.pings == [b"are you there"]
        await node.sockets[0].ping(b"and you")
        message = await socket.receive(10)
        assert (message.type, message.data) == (WSMsgType.PING, b"and you")
        await socket.pong(b"and you")


@pytest.mark.parametrize("side", ["client", "node"])
async def test_message_beyond_the_limit_ends_the_websocket(
    tapped: Tapped, node: SocketNode, client: Client, side: str
) -> None:
    """Either side is told that it was too large (1009)."""
    tap = await tapped(websocket=Url(node.url), limits=TapLimits(message_bytes_max=1000))
    async with client.ws_connect(tap) as socket:
        await node.opened_so_many(1)
        large: Any = socket if side == "client" else node.sockets[0]
        await large.send_bytes(b"x" * 1001)
        message = await socket.receive(10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1009)
        assert (await asyncio.wait_for(node.closed.get(), 10))[0] == 1009


# -- sends -----------------------------------------------------------------------------------------


async def test_frame_that_sends_waits_for_the_journal_and_keeps_its_place(
    socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """Nothing of it, and nothing after it, reaches the node before it is written down."""
    ledger.hold()
    await socket.send_json(call_of(id_=1))
    await socket.send_json(send_of(RAW, 2))
    await socket.send_json(call_of(id_=3))
    await ledger.waiting(1)
    assert (await socket.receive_json())["id"] == 1
    # What the node says meanwhile arrives, and takes as long as a frame to it would.
    await node.sockets[0].send_json({"method": "eth_subscription"})
    assert "id" not in await socket.receive_json()
    assert [one["id"] for one in node.texts] == [1]
    ledger.release()
    await node.heard_so_many(3)
    assert [one["id"] for one in node.texts] == [1, 2, 3]
    assert (await socket.receive_json())["result"] == HASH
    assert ledger.hashes == [HASH]


async def test_refusal_is_durable_before_its_frame_goes_out(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """And what the node says after it waits, too."""
    ledger, tap = tapped.ledger, await tapped(websocket=Url(node.url))

    async def refuse(side: NodeSide, text: bytes, kind: WSMsgType) -> None:
        ledger.hold()
        await side.send_json(error("nonce too low"))
        await side.send_json({"method": "eth_subscription"})

    async with client.ws_connect(tap) as socket, client.ws_connect(tap) as other:
        node.react = refuse
        await socket.send_json(SEND)
        hearing = asyncio.create_task(socket.receive_json())
        await ledger.waiting(1)
        # Another client hears the node meanwhile, and this one does not.
        node.react = as_a_pool
        await outcome_of(other, call_of())
        assert not hearing.done()
        assert tapped.sent == []
        ledger.release()
        assert await hearing == error("nonce too low")
        assert ledger.told == [(HASH, "refused")]
        assert await socket.receive_json() == {"method": "eth_subscription"}


async def outcome_of(socket: Socket, message: Any) -> Any:
    """What the client hears of one frame."""
    await socket.send_json(message)
    return await socket.receive_json()


@pytest.mark.parametrize(
    ("said", "told", "outcome"),
    [
        ({"id": 1, "result": HASH}, [], "accepted"),
        (error("already known"), [], "accepted"),
        (error("nonce too low"), [(HASH, "refused")], "refused"),
        (error("request timed out"), [(HASH, "unanswered")], "unanswered"),
    ],
)
async def test_answer_is_judged_and_passed_on(
    tapped: Tapped,
    socket: Socket,
    node: SocketNode,
    *,
    said: Any,
    told: list[Any],
    outcome: str,
) -> None:
    """As over HTTP."""
    node.react = saying(said)
    assert await outcome_of(socket, SEND) == said
    assert tapped.ledger.told == told
    assert tapped.outcomes == [outcome]
    assert tapped.kinds == ["send"]


async def test_answers_are_matched_by_id_in_any_order(
    socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """Nodes answer when they can; answers to other calls are nobody's."""
    node.react = mute
    for message in (send_of(RAW, 1), send_of(OTHER, "b"), call_of(id_=3)):
        await socket.send_json(message)
    await node.heard_so_many(3)
    side = node.sockets[0]
    for said in (error("busy", 3), {"id": "b", "result": OTHER_HASH}, error("nonce too low", 1)):
        await side.send_json(said)
        assert await socket.receive_json() == said
    assert ledger.told == [(HASH, "refused")]


async def test_batch_frame_is_judged_call_by_call(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """Those without an answer are open until the websocket closes."""
    node.react = saying([error("nonce too low", 2), {"id": 1, "result": HASH}])
    batch = [send_of(RAW, 1), send_of(OTHER, 2), send_of(b"\x01" * 80, 3), call_of(id_=4)]
    assert len(await outcome_of(socket, batch)) == 2
    assert ledger.told == [(OTHER_HASH, "refused")]
    assert sorted(tapped.outcomes) == ["accepted", "refused"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [(error("invalid batch", None), "unanswered"), ([error("batch too large", 9)], "refused")],
)
async def test_error_of_the_whole_batch_speaks_for_every_send(
    socket: Socket, node: SocketNode, ledger: FakeLedger, *, said: Any, outcome: str
) -> None:
    """A call that was made alone is not meant."""
    node.react = mute
    await socket.send_json(send_of(b"\x01" * 80, 7))
    await node.heard_so_many(1)
    node.react = saying(said)
    await outcome_of(socket, [send_of(RAW, 1), send_of(OTHER, 2)])
    assert ledger.told == [(HASH, outcome), (OTHER_HASH, outcome)]


async def test_sends_under_one_id_are_told_apart_by_the_hash(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """A result is whose hash it names; an error may be anybody's, so it is everybody's."""
    node.react = mute
    third = b"\x01" * 80
    for raw in (RAW, OTHER, third):
        await socket.send_json(send_of(raw))
    await node.heard_so_many(3)
    for said in ({"id": 1, "result": OTHER_HASH}, error("nonce too low")):
        await node.sockets[0].send_json(said)
        await socket.receive_json()
    assert [(one.hash, one.outcome) for one in tapped.sent] == [
        (OTHER_HASH, "accepted"),
        (HASH, "refused"),
        (hash_of(third), "refused"),
    ]


async def test_answer_that_says_nothing_leaves_a_send_waiting(
    tapped: Tapped, socket: Socket, node: SocketNode
) -> None:
    """Neither a result nor an error: the next one under its id may be the answer."""
    node.react = mute
    await socket.send_json(SEND)
    await node.heard_so_many(1)
    side = node.sockets[0]
    for said in ([{"id": 1}, {"id": 2, "result": "0x"}], {"id": 1, "result": HASH}):
        await side.send_json(said)
        assert await socket.receive_json() == said
    assert [(one.hash, one.outcome) for one in tapped.sent] == [(HASH, "accepted")]


async def test_result_that_names_no_hash_is_the_oldest_sends(
    tapped: Tapped, socket: Socket, node: SocketNode
) -> None:
    """A gateway may answer with another thing; of equals, the first waited longest."""
    node.react = mute
    for raw in (RAW, OTHER):
        await socket.send_json(send_of(raw))
    await node.heard_so_many(2)
    await node.sockets[0].send_json({"id": 1, "result": "queued"})
    await socket.receive_json()
    assert [(one.hash, one.outcome) for one in tapped.sent] == [(HASH, "accepted")]


async def test_unclear_frame_is_journalled_and_judged_by_its_hash(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """A key twice, and no JSON at all, which is answered under the id null."""
    clear = json.dumps(SEND).encode()
    twice = clear.replace(b'"method"', b'"method":"eth_call","method"')
    news = {"method": "eth_subscription", "params": {"result": HASH}}
    node.react = mute
    said_to = ((twice, {"id": 1, "result": HASH}), (clear[:-1], error("parse", None)))
    for count, (text, said) in enumerate(said_to, 1):
        await socket.send_frame(text, WSMsgType.BINARY)
        await node.heard_so_many(count)
        for frame in (news, said):
            await node.sockets[0].send_json(frame)
            assert await socket.receive_json() == frame
    assert ledger.hashes == [HASH, HASH]
    assert tapped.outcomes == ["accepted", "unanswered"]


async def test_notification_that_sends_is_told_as_open(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """Nothing will answer it."""
    await socket.send_json({key: value for key, value in SEND.items() if key != "id"})
    await node.heard_so_many(1)
    await asyncio.wait_for(ledger.on_answered.wait(), 10)
    assert ledger.told == [(HASH, "unanswered")]


async def test_transaction_that_the_node_signs_is_told_by_its_hash(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """There is nothing to journal."""
    node.react = saying({"id": 1, "result": HASH})
    await outcome_of(socket, call_of("eth_sendTransaction", {}))
    assert [(one.hash, one.raw) for one in tapped.sent] == [(HASH, None)]
    assert ledger.arrived == []


# -- what fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [WSMsgType.TEXT, WSMsgType.BINARY])
async def test_journal_that_cannot_be_written_forwards_nothing(
    socket: Socket, node: SocketNode, ledger: FakeLedger, kind: WSMsgType
) -> None:
    """The client is told so in a frame of its kind, and its websocket stays open."""
    ledger.breaks_arrivals = True
    await socket.send_frame(json.dumps([call_of(id_=5), SEND]).encode(), kind)
    message = await socket.receive(10)
    assert message.type is kind
    said = json.loads(message.data)
    assert [one["id"] for one in said] == [5, 1]
    text = "headwatch tap: not forwarded, because the journal cannot be written: the disk is full"
    assert {one["error"]["message"] for one in said} == {text}
    assert (await outcome_of(socket, call_of(id_=6)))["id"] == 6
    assert [one["id"] for one in node.texts] == [6]


async def test_journal_that_fails_half_way_is_not_taken_for_a_refusal(
    socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """What is in it counts as sent."""
    ledger.breaks_arrivals, ledger.breaks_answers = {OTHER}, True
    said = await outcome_of(socket, [SEND, send_of(OTHER, 2)])
    assert all("whether it will be sent is unknown" in one["error"]["message"] for one in said)
    assert node.frames == []


async def test_refusal_that_cannot_be_written_is_not_told(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger
) -> None:
    """Another error goes out in its place, under its id."""
    ledger.breaks_answers = True
    node.react = saying(error("nonce too low", "x"))
    said = await outcome_of(socket, send_of(RAW, "x"))
    assert said["id"] == "x"
    assert "whether it will be sent again is unknown" in said["error"]["message"]
    assert tapped.outcomes == ["unanswered"]


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (TapLimits(sends_max=1), "more than 1 transactions in one message"),
        (TapLimits(requests_at_once_max=1), "0 sends wait for their answer already"),
    ],
)
async def test_sends_beyond_a_limit_are_refused(
    tapped: Tapped, node: SocketNode, client: Client, limits: TapLimits, text: str
) -> None:
    """Exactly the limit passes."""
    tap = await tapped(websocket=Url(node.url), limits=limits)
    async with client.ws_connect(tap) as socket:
        for said in await outcome_of(socket, [SEND, send_of(OTHER, 2)]):
            assert said["error"]["message"] == f"headwatch tap: not forwarded: {text}"
        assert await outcome_of(socket, SEND) == answer_of(SEND)
    assert tapped.ledger.hashes == [HASH]


def dying(node: SocketNode) -> Callable[..., Any]:
    async def react(socket: NodeSide, text: bytes, kind: WSMsgType) -> None:
        node.die()

    return react


async def closing(socket: NodeSide, text: bytes, kind: WSMsgType) -> None:
    await socket.close(code=1012, message=b"restarting")


@pytest.mark.parametrize("how", ["dies", "closes"])
async def test_send_in_flight_is_open_when_the_node_parts(
    tapped: Tapped, socket: Socket, node: SocketNode, ledger: FakeLedger, how: str
) -> None:
    """It is written down before the client is left, with the node's own farewell."""
    node.react = dying(node) if how == "dies" else closing
    await socket.send_json(SEND)
    message = await socket.receive(10)
    assert ledger.told == [(HASH, "unanswered")]
    assert "whether it has the transaction is unknown" in ledger.outcomes[0][2]
    assert tapped.outcomes == ["unanswered"]
    if how == "closes":
        assert (message.data, message.extra) == (1012, "restarting")


@pytest.mark.parametrize("when", ["while it is written", "while the node has it"])
@pytest.mark.parametrize("how", ["dies", "closes"])
async def test_client_that_leaves_is_still_answered_for(
    tapped: Tapped, node: SocketNode, client: Client, when: str, *, how: str
) -> None:
    """What was written down is sent, and what came of it is written down; then the node is left."""
    ledger = tapped.ledger
    tap = await tapped(websocket=Url(node.url), limits=TapLimits(stop_seconds=1))
    node.react = mute
    async with client.ws_connect(tap) as socket:
        if when == "while it is written":
            ledger.hold()
        await socket.send_json(SEND)
        await (ledger.waiting(1) if when == "while it is written" else node.heard_so_many(1))
        if how == "closes":
            closing = asyncio.create_task(socket.close(code=4000))
        else:
            connection = socket._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.abort()
        ledger.release()
        await node.heard_so_many(1)
        if how == "closes":
            # It is answered at once, so the tap knows that it leaves.
            await closing
        else:
            # Who came after it left is answered, so the tap has seen that it did.
            async with client.get(tap, headers={"Origin": "null"}) as response:
                assert response.status == 403
        await node.sockets[0].send_json(error("nonce too low"))
        code, _ = await asyncio.wait_for(node.closed.get(), 10)
        assert code == (4000 if how == "closes" else 1001)
        assert ledger.told == [(HASH, "refused")]


async def test_client_that_leaves_is_not_answered_for_beyond_the_deadline(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """A node that never answers is left, too."""
    limits = TapLimits(deadline_seconds=0.05)
    tap = await tapped(websocket=Url(node.url), limits=limits)
    node.react = mute
    async with client.ws_connect(tap) as socket:
        await socket.send_json(SEND)
        await node.heard_so_many(1)
    assert (await asyncio.wait_for(node.closed.get(), 10))[0] == 1000
    await tapped.stop()
    assert tapped.ledger.told == [(HASH, "unanswered")]


async def test_pool_answers_through_a_websocket(socket: Socket, node: SocketNode) -> None:
    """Many sends and calls, each with its own answer."""
    node.react = as_a_pool
    messages = [
        send_of(bytes([index]) * 70, index) if index % 2 else call_of(id_=index)
        for index in range(40)
    ]
    for message in messages:
        await socket.send_json(message)
    assert [await socket.receive_json() for _ in messages] == list(map(answer_of, messages))
