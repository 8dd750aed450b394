"""The websocket side of the proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.lab.anvil import Anvil
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy

DELIVERY_SECONDS_MAX = 10
SILENCE_SECONDS = 0.3
"""A real node delivers a head within milliseconds; so long a silence is one."""


@pytest.fixture
async def socket(
    session: aiohttp.ClientSession, proxy: FaultProxy
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A websocket to the proxy, subscribed to new heads."""
    async with session.ws_connect(proxy.ws_url) as socket:
        await _call(socket, "eth_subscribe", "newHeads")
        assert (await _next(socket))["result"].startswith("0x")
        yield socket


async def _call(socket: aiohttp.ClientWebSocketResponse, method: str, *params: Any) -> None:
    call = {"jsonrpc": "2.0", "id": 5, "method": method, "params": list(params)}
    await socket.send_json(call)


async def _next(
    socket: aiohttp.ClientWebSocketResponse, seconds: float = DELIVERY_SECONDS_MAX
) -> Any:
    return await socket.receive_json(timeout=seconds)


async def _head(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return (await _next(socket))["params"]["result"]


async def test_relay_passes_heads_and_calls(
    node: Anvil, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """Every mined block is announced, and other calls are answered on the same socket."""
    for number in (21, 22):
        await node.rpc("anvil_mine")
        assert int((await _head(socket))["number"], 16) == number
    await _call(socket, "eth_chainId")
    assert (await _next(socket))["result"] == "0x7a69"


async def test_relay_deaf_delivers_nothing_and_stays_open(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """The socket stands, pings are answered, nothing comes; healed, heads come again."""
    proxy.set(Fault("deaf"))
    await node.rpc("anvil_mine")
    with pytest.raises(TimeoutError):
        await _next(socket, SILENCE_SECONDS)
    assert not socket.closed
    assert {strike.kind for strike in proxy.log} == {"deaf"}
    proxy.heal()
    await node.rpc("anvil_mine")
    assert int((await _head(socket))["number"], 16) == 22


async def test_relay_deaf_to_heads_accepts_subscriptions(
    node: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """The commonest deafness: a subscription is confirmed and then never served."""
    proxy.set(Fault("deaf", methods="eth_subscription"))
    async with session.ws_connect(proxy.ws_url) as socket:
        await _call(socket, "eth_subscribe", "newHeads")
        assert (await _next(socket))["id"] == 5
        await node.rpc("anvil_mine")
        with pytest.raises(TimeoutError):
            await _next(socket, SILENCE_SECONDS)


async def test_relay_with_a_view_announces_what_http_shows(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """Heads lag and lie over the websocket as they do over HTTP, in the shape of a header."""
    await node.rpc("anvil_mine")
    plain = await _head(socket)
    proxy.set(Fault("lag", blocks=3), Fault("mutate_hash", from_number=0))
    await node.rpc("anvil_mine")
    head = await _head(socket)
    assert int(head["number"], 16) == 19
    assert head["hash"] != (await node.rpc("eth_getBlockByNumber", hex(19), False))["hash"]
    assert "transactions" not in head
    assert head.keys() <= plain.keys()


async def test_relay_frozen_announces_nothing_new(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """A frozen node announces its head once and then is silent."""
    proxy.set(Fault("freeze"))
    await node.rpc("anvil_mine")
    first = await _head(socket)
    await node.rpc("anvil_mine", "0x2")
    with pytest.raises(TimeoutError):
        await _next(socket, SILENCE_SECONDS)
    assert int(first["number"], 16) >= 21


async def _numbers(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[int]:
    return [int((await _head(socket))["number"], 16) for _ in range(count)]


async def _mined(node: Anvil, count: int) -> None:
    for _ in range(count):
        await node.rpc("anvil_mine")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Fault("ws_gap", every=3), [21, 22, 24, 25]),
        (Fault("ws_gap", times=2), [23, 24, 25, 26]),
        (Fault("ws_gap", methods="eth_getLogs"), [21, 22, 23, 24, 25, 26]),
        (Fault("ws_duplicate", every=3), [21, 22, 23, 23, 24, 25, 26, 26]),
        (Fault("ws_out_of_order"), [22, 21, 24, 23, 26, 25]),
        (Fault("ws_out_of_order", every=2), [21, 23, 22, 24, 26, 25]),
    ],
    ids=lambda value: f"{value.kind}-{value.every}" if isinstance(value, Fault) else None,
)
async def test_relay_announces_heads_with_gaps_twice_or_out_of_order(
    node: Anvil,
    proxy: FaultProxy,
    socket: aiohttp.ClientWebSocketResponse,
    fault: Fault,
    told: list[int],
) -> None:
    """Of six heads those are told that the fault leaves, in its order, and nothing else."""
    proxy.set(fault)
    await _mined(node, 6)
    assert await _numbers(socket, len(told)) == told
    with pytest.raises(TimeoutError):
        await _next(socket, SILENCE_SECONDS)


async def test_relay_with_gaps_by_chance_replays_with_the_seed(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """About half of the heads are told, in order, and answers are not lost with them."""
    proxy.set(Fault("ws_gap", probability=0.5))
    await _mined(node, 20)
    await _call(socket, "eth_chainId")
    told = []
    while "params" in (message := await _next(socket)):
        told.append(int(message["params"]["result"]["number"], 16))
    assert told == sorted(set(told))
    assert 4 < len(told) < 16


async def test_relay_healed_tells_what_it_had_kept_back(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """A head that waits for the next is not lost with the fault."""
    proxy.set(Fault("ws_out_of_order"))
    await _mined(node, 1)
    while not proxy.log:
        with pytest.raises(TimeoutError):
            await _next(socket, 0.01)
    proxy.heal()
    await _mined(node, 1)
    assert await _numbers(socket, 2) == [21, 22]


async def test_relay_removed_logs_come_again_the_newest_first(
    node: Anvil, proxy: FaultProxy, session: aiohttp.ClientSession
) -> None:
    """What was told as a log is taken back with the next notification, once, marked `removed`."""
    accounts = await node.rpc("eth_accounts")
    logging = {"from": accounts[1], "data": "0x602a60005260206000a0", "gas": "0x20000"}
    async with session.ws_connect(proxy.ws_url) as socket:
        await _call(socket, "eth_subscribe", "logs", {})
        subscription = (await _next(socket))["result"]
        told = []
        for _ in range(3):
            await node.rpc("eth_sendTransaction", logging)
            await node.rpc("anvil_mine")
            told.append(await _head(socket))
        assert [log["removed"] for log in told] == [False] * 3
        proxy.set(Fault("removed_logs", count=2, times=1))
        await node.rpc("eth_sendTransaction", logging)
        await node.rpc("anvil_mine")
        messages = [await _next(socket) for _ in range(3)]
        assert {one["params"]["subscription"] for one in messages} == {subscription}
        logs = [one["params"]["result"] for one in messages]
        assert logs[:2] == [told[2] | {"removed": True}, told[1] | {"removed": True}]
        assert int(logs[2]["blockNumber"], 16) == 24
        assert not logs[2]["removed"]
        await node.rpc("anvil_mine")
        with pytest.raises(TimeoutError):
            await _next(socket, SILENCE_SECONDS)


async def test_relay_with_skewed_timestamps_announces_them(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """A head is as late over the websocket as it is over HTTP."""
    proxy.set(Fault("timestamp_skew", seconds=-600))
    await _mined(node, 1)
    head = await _head(socket)
    real = await node.rpc("eth_getBlockByNumber", "latest", False)
    assert int(real["timestamp"], 16) - int(head["timestamp"], 16) == 600
    assert head["hash"] == real["hash"]


async def test_relay_with_overrides_answers_as_over_http(
    proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """Faults of content meet calls on the websocket too."""
    proxy.set(Fault("override", methods="eth_syncing", result=True))
    await _call(socket, "eth_syncing")
    assert await _next(socket) == {"jsonrpc": "2.0", "id": 5, "result": True}


@pytest.mark.parametrize(
    "fault", [Fault("http", status=429), Fault("reset")], ids=lambda fault: str(fault.kind)
)
async def test_relay_handshake_meets_the_faults_of_transport(
    proxy: FaultProxy, session: aiohttp.ClientSession, fault: Fault
) -> None:
    """No socket is opened by a node that refuses requests."""
    proxy.set(fault)
    with pytest.raises(aiohttp.ClientError):
        await session.ws_connect(proxy.ws_url)


async def test_relay_unplugged_closes_and_opens_again(
    node: Anvil,
    proxy: FaultProxy,
    session: aiohttp.ClientSession,
    socket: aiohttp.ClientWebSocketResponse,
) -> None:
    """With the cable out the socket ends and no new one opens; plugged in, one does."""
    await proxy.unplug()
    ended = await socket.receive(timeout=DELIVERY_SECONDS_MAX)
    assert ended.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.ws_connect(proxy.ws_url)
    await proxy.plug()
    async with session.ws_connect(proxy.ws_url) as again:
        await _call(again, "eth_subscribe", "newHeads")
        await _next(again)
        await node.rpc("anvil_mine")
        assert int((await _head(again))["number"], 16) == 21


async def test_relay_routed_elsewhere_ends(
    node: Anvil, proxy: FaultProxy, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """A socket does not outlive the node it was opened to."""
    proxy.add_upstream("same", node.url)
    proxy.route("same")
    ended = await socket.receive(timeout=DELIVERY_SECONDS_MAX)
    assert ended.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


async def test_relay_of_a_node_that_died_ends(
    node: Anvil, socket: aiohttp.ClientWebSocketResponse
) -> None:
    """When the node goes, the client's socket is closed."""
    await node.stop()
    ended = await socket.receive(timeout=DELIVERY_SECONDS_MAX)
    assert ended.type in {
        aiohttp.WSMsgType.CLOSE,
        aiohttp.WSMsgType.CLOSED,
        aiohttp.WSMsgType.ERROR,
    }
