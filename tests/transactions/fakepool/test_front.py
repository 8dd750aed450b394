"""How a fake pool is dialled: single calls, batches, websockets, several backends."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from monitor.lab.anvil import Anvil
from tests.transactions.fakepool.conftest import Open
from tests.transactions.fakepool.payments import address, payment
from tests.transactions.fakepool.signed import decode

ME = address(0)


def call(id_: object, method: str, *params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": list(params)}


async def test_batch_is_answered_in_order_and_each_call_for_itself(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """Pool, chain, an absent method and a refusal in one exchange, under the client's own ids."""
    pool = await open_pool("geth")
    calls = [
        call("a", "eth_sendRawTransaction", payment(0)),
        call(2, "eth_getTransactionCount", ME, "pending"),
        call(3, "eth_blockNumber"),
        call(4, "anvil_mine"),
        call(5, "eth_sendRawTransaction", payment(0)),
    ]
    async with session.post(pool.url, json=calls) as response:
        answers = await response.json()
    assert [answer["id"] for answer in answers] == ["a", 2, 3, 4, 5]
    results = [answer.get("result") for answer in answers]
    assert results == [decode(payment(0)).hash, "0x1", "0x8", None, None]
    assert [answer["error"]["code"] for answer in answers[3:]] == [-32601, -32000]
    assert pool.front.calls == [one["method"] for one in calls]


async def test_body_that_is_no_json_is_a_parse_error(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """As JSON-RPC has it."""
    pool = await open_pool("geth")
    async with session.post(pool.url, data=b"{") as response:
        assert (await response.json())["error"]["code"] == -32700


async def test_balanced_address_is_answered_by_its_backends_in_turn(
    open_pool: Open, session: aiohttp.ClientSession
) -> None:
    """What one backend has the other does not: the address disagrees with itself (M8)."""
    pool, other = await open_pool("geth"), await open_pool("geth")
    pool.balance(other)
    found = []
    for one in (
        call(1, "eth_sendRawTransaction", payment(0)),
        *(call(1, "eth_getTransactionByHash", decode(payment(0)).hash) for _ in range(4)),
    ):
        async with session.post(pool.url, json=one) as response:
            found.append(bool((await response.json())["result"]))
    assert found == [True, False, True, False, True]


async def test_node_behind_that_is_gone_is_a_bad_gateway(
    open_pool: Open, session: aiohttp.ClientSession, anvil: Anvil
) -> None:
    """The client learns that nothing is known, and not an error of the pool."""
    pool = await open_pool("geth")
    await anvil.stop()
    async with session.post(pool.url, json=call(1, "eth_blockNumber")) as response:
        assert response.status == 502


async def test_websocket_tells_of_pending_transactions_and_of_heads(
    open_pool: Open, session: aiohttp.ClientSession, anvil: Anvil
) -> None:
    """Executable ones only, queued ones when they are promoted; heads come from the chain."""
    pool = await open_pool("geth")
    async with asyncio.timeout(20), session.ws_connect(pool.ws_url) as socket:
        await socket.send_json(call(1, "eth_subscribe", "newPendingTransactions"))
        pending = (await socket.receive_json())["result"]
        await socket.send_json(call(2, "eth_subscribe", "newHeads"))
        heads = (await socket.receive_json())["result"]
        for raw in (payment(1), payment(0)):
            await pool.send(raw)
        told = [await socket.receive_json() for _ in range(2)]
        assert [one["params"]["subscription"] for one in told] == [pending, pending]
        hashes = [decode(payment(nonce)).hash for nonce in (0, 1)]
        assert [one["params"]["result"] for one in told] == hashes
        await anvil.rpc("evm_mine")
        told = [await socket.receive_json()]
        assert told[0]["params"]["subscription"] == heads
        assert told[0]["params"]["result"]["number"] == "0x9"
        await socket.send_json(call(3, "eth_getTransactionCount", ME, "pending"))
        assert (await socket.receive_json())["result"] == "0x2"
        await socket.send_json(call(4, "eth_unsubscribe", pending))
        assert (await socket.receive_json())["result"] is True
        await pool.send(payment(2))
        await socket.send_json(call(5, "eth_chainId"))
        assert (await socket.receive_json())["result"] == "0x7a69"


async def test_frozen_view_has_no_new_heads(
    open_pool: Open, session: aiohttp.ClientSession, anvil: Anvil
) -> None:
    """Nothing is told before it is thawed."""
    pool = await open_pool("geth")
    async with asyncio.timeout(20), session.ws_connect(pool.ws_url) as socket:
        await socket.send_json(call(1, "eth_subscribe", "newHeads"))
        await socket.receive_json()
        await pool.freeze()
        await anvil.rpc("evm_mine")
        await socket.send_json(call(2, "eth_blockNumber"))
        assert (await socket.receive_json())["result"] == "0x8"
        await pool.thaw()
        await anvil.rpc("evm_mine")
        assert (await socket.receive_json())["params"]["result"]["number"] == "0xa"


async def test_port_that_is_closed_refuses(open_pool: Open, session: aiohttp.ClientSession) -> None:
    """A node that is down: the same address answers again when it is up."""
    pool = await open_pool("geth")
    await pool.front.port.unplug()
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.post(pool.url, json=call(1, "eth_chainId"))
    await pool.front.port.plug()
    async with session.post(pool.url, json=call(1, "eth_chainId")) as response:
        assert (await response.json())["result"] == "0x7a69"
