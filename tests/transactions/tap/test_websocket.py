"""Websockets open, part and end as they would without the tap."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp import WSMsgType

from monitor.transactions.tap import TapLimits
from monitor.url import Url
from tests.transactions.tap.socketnode import SocketNode, listening, mute
from tests.transactions.tap.tapped import Tapped
from tests.transactions.tap.upstream import Upstream, always, call_of, refusing, send_of

KEY = "key-of-the-node-4711"
BEARER = "a-token-of-the-operator"
Client = aiohttp.ClientSession
Socket = aiohttp.ClientWebSocketResponse


# -- opening ---------------------------------------------------------------------------------------


async def test_opening_passes_on_what_is_the_clients(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """Its headers and its protocols; path, host and credentials are those of the configured URL."""
    node.protocols = ("second", "third")
    host = node.url.removeprefix("ws://")
    tap = await tapped(websocket=Url(f"ws://user:word@{host}/ws/{KEY}"))
    headers = {"X-Custom": "1", "Authorization": "Basic bWluZTptaW5l"}
    async with client.ws_connect(
        f"{tap}/other?x=y", headers=headers, protocols=("first", "second")
    ) as socket:
        assert socket.protocol == "second"
        await socket.send_json(call_of())
        assert (await socket.receive_json())["result"] == "0x0"
    path, came = node.opened[0]
    assert (path, came["Host"], came["X-Custom"]) == (f"/ws/{KEY}", host, "1")
    assert came["Authorization"] == "Basic dXNlcjp3b3Jk"


async def test_opening_without_a_protocol_chooses_none(socket: Socket, node: SocketNode) -> None:
    """None is made up, either way."""
    assert socket.protocol is None
    assert "Sec-WebSocket-Protocol" not in node.opened[0][1]


async def status_of(client: Client, url: str, **headers: str) -> tuple[int, str]:
    """What a client gets in the place of a websocket."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    async with client.get(url, headers=upgrade | given) as response:
        said = json.loads(await response.read())
        return response.status, said["error"]["message"]


async def test_websocket_that_is_not_configured_is_refused(tap: str, client: Client) -> None:
    """With the reason."""
    reason = "headwatch tap: no websocket of the node is configured"
    assert await status_of(client, tap) == (501, reason)


async def test_opening_that_is_none_is_refused(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """Before the node is troubled with it."""
    tap = await tapped(websocket=Url(node.url))
    assert (await status_of(client, tap, Sec_WebSocket_Version="1"))[0] == 400
    assert node.opened == []


async def test_page_in_a_browser_opens_no_websocket(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """Pages may open websockets to anywhere; they name their origin."""
    tap = await tapped(websocket=Url(node.url))
    assert (await status_of(client, tap, Origin="https://evil.example.org"))[0] == 403
    locked = await tapped(websocket=Url(node.url), token=BEARER)
    assert (await status_of(client, locked))[0] == 401
    assert node.opened == []
    headers = {"Authorization": f"Bearer {BEARER}", "Origin": "https://a.example.org"}
    async with client.ws_connect(locked, headers=headers):
        assert "Authorization" not in node.opened[0][1]


async def test_node_that_gives_no_websocket_is_told(
    tapped: Tapped, upstream: Upstream, client: Client
) -> None:
    """Its status, or why there was no connection, and nothing of its URL."""
    upstream.respond = always(b"no", 403)
    url = upstream.url.replace("http", "ws")
    tap = await tapped(websocket=Url(f"{url}/{KEY}"))
    refused = "headwatch tap: the node refused a websocket: HTTP 403"
    assert await status_of(client, tap) == (502, refused)
    with refusing() as nowhere:
        tapped.taps[0].websocket = Url(nowhere.replace("http", "ws") + f"/{KEY}")
        gone = "headwatch tap: the node did not answer: connection refused"
        assert await status_of(client, tap) == (502, gone)


async def test_node_that_lets_an_opening_hang_is_given_up(
    tapped: Tapped, upstream: Upstream, client: Client
) -> None:
    """A client is not left waiting."""
    upstream.respond = upstream.hanging
    url = upstream.url.replace("http", "ws")
    tap = await tapped(websocket=Url(url), limits=TapLimits(connect_seconds=0.05))
    late = "headwatch tap: the node did not answer: no connection in time"
    assert await status_of(client, tap) == (502, late)


async def test_websockets_beyond_the_limit_are_refused(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """When one ends there is room again."""
    tap = await tapped(websocket=Url(node.url), limits=TapLimits(sockets_at_once_max=1))
    async with client.ws_connect(tap):
        assert await status_of(client, tap) == (503, "headwatch tap: 1 websockets are open already")
    while tapped.taps[0]._sockets._pairs:
        await asyncio.sleep(0)
    async with client.ws_connect(tap) as socket:
        await socket.send_json(call_of())
        assert (await socket.receive_json())["id"] == 1


async def test_websocket_of_the_node_may_be_changed(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """From the next opening on; those that are open stay."""
    tap = await tapped(websocket=Url(node.url))
    async with listening(SocketNode()) as other, client.ws_connect(tap) as before:
        tapped.taps[0].websocket = Url(other.url)
        async with client.ws_connect(tap) as after:
            for socket in (before, after):
                await socket.send_json(call_of())
                await socket.receive_json()
        assert (len(node.frames), len(other.frames)) == (1, 1)


# -- parting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, ""), (1001, "bye"), (1008, "policy"), (1011, ""), (3001, "own"), (4999, "é" * 50)],
)
async def test_farewell_of_the_node_is_the_clients(
    socket: Socket, node: SocketNode, code: int, reason: str
) -> None:
    """With its code and its reason."""
    await node.sockets[0].close(code=code, message=reason.encode())
    message = await socket.receive(10)
    assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, code, reason)


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1001, "bye"), (3001, "own"), (4999, "")])
async def test_farewell_of_the_client_is_the_nodes(
    socket: Socket, node: SocketNode, code: int, reason: str
) -> None:
    """With its code and its reason, and it is answered."""
    await socket.close(code=code, message=reason.encode())
    assert await asyncio.wait_for(node.closed.get(), 10) == (code, reason)
    assert socket.close_code == code


async def test_node_that_dies_is_seen_to_by_the_client(socket: Socket, node: SocketNode) -> None:
    """No farewell is made up: the client's connection breaks as the node's did."""
    node.die()
    message = await socket.receive(10)
    assert message.type in {WSMsgType.CLOSED, WSMsgType.ERROR}
    assert socket.close_code == 1006


async def test_client_that_dies_takes_leave_of_the_node(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """The node is not left with a dead subscription."""
    tap = await tapped(websocket=Url(node.url))
    async with client.ws_connect(tap) as socket:
        await node.opened_so_many(1)
        connection = socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        assert await asyncio.wait_for(node.closed.get(), 10) == (1001, "")


async def test_idle_websocket_is_closed(tapped: Tapped, node: SocketNode, client: Client) -> None:
    """Both sides are told that we leave."""
    tap = await tapped(websocket=Url(node.url), limits=TapLimits(idle_seconds=0.05))
    async with client.ws_connect(tap) as socket:
        message = await socket.receive(10)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
    assert await asyncio.wait_for(node.closed.get(), 10) == (1001, "")


async def test_stop_takes_leave_of_everybody(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """A restart of the sidecar leaves nobody with a deaf socket."""
    tap = await tapped(websocket=Url(node.url))
    async with client.ws_connect(tap) as one, client.ws_connect(tap) as other:
        await node.opened_so_many(2)
        stopping = asyncio.create_task(tapped.stop())
        for socket in (one, other):
            message = await socket.receive(10)
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
        await stopping
    assert [await node.closed.get() for _ in range(2)] == [(1001, "")] * 2


async def test_stop_does_not_wait_for_a_node_that_does_not_answer(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """A client has left and its send has no answer: at a stop, the node is left at once."""
    tap = await tapped(websocket=Url(node.url), limits=TapLimits(stop_seconds=5))
    node.react = mute
    async with client.ws_connect(tap) as socket:
        await socket.send_json(send_of(b"r" * 80))
        await node.heard_so_many(1)
    stopping = asyncio.create_task(tapped.stop())
    assert await asyncio.wait_for(node.closed.get(), 4) == (1000, "")
    await stopping
    assert tapped.outcomes == ["unanswered"]


async def test_client_that_leaves_while_it_is_told_is_seen_to_have_left(
    tapped: Tapped, node: SocketNode, client: Client
) -> None:
    """An answer of ours that cannot be delivered ends nothing but the client's own side."""
    tap = await tapped(websocket=Url(node.url))
    async with client.ws_connect(tap) as socket:
        await node.opened_so_many(1)
        tapped.ledger.breaks_arrivals = True
        tapped.ledger.hold()
        await socket.send_json(send_of(b"r" * 80))
        await tapped.ledger.waiting(1)
        connection = socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await status_of(client, tap, Sec_WebSocket_Version="1")
        tapped.ledger.release()
        assert await asyncio.wait_for(node.closed.get(), 10) == (1001, "")
