"""The whole network: up, alike, reorganised, and down again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.transactions.fakepool.ground import Ground, RpcRefused
from tests.transactions.fakepool.lies import gone, mined, nonce_is, says
from tests.transactions.fakepool.payments import address, payment
from tests.transactions.fakepool.signed import decode

HASH = decode(payment(0)).hash


async def test_network_is_up_with_clients_operators_and_peers(ground: Ground) -> None:
    """Each node speaks its dialect, has its own operator, and is everybody's peer."""
    versions = {
        name: (await ground.ask(seat, "web3_clientVersion")).split("/")[0].lower()
        for name, seat in ground.seats.items()
    }
    assert versions == {"local": "geth", "a": "geth", "b": "nethermind", "c": "reth"}
    assert len({seat.operator for seat in ground.seats.values()}) == 4
    for seat in ground.seats.values():
        assert await ground.ask(seat, "net_peerCount") == "0x3"
    assert list(ground.references) == ["a", "b", "c"]
    assert await ground.nonce(0) == 0


async def test_transaction_sent_to_our_node_is_mined(ground: Ground) -> None:
    """The way of a healthy network: sent, everywhere, in a block."""
    assert await ground.send(ground.local, payment(0)) == HASH
    assert set((await ground.who_has(HASH)).values()) == {"pending"}
    receipt = await ground.receipt(HASH)
    assert (receipt["status"], receipt["from"]) == ("0x1", address(0))
    with pytest.raises(RpcRefused, match="nonce too low: next nonce 1, tx nonce 0"):
        await ground.send(ground.local, payment(0))


async def test_blocks_come_by_themselves_if_they_are_to(anvil_path: Path) -> None:
    """With an interval nobody has to ask for a block."""
    async with asyncio.timeout(20), Ground(interval_seconds=0.05, binary=anvil_path) as ground:
        await ground.send(ground.local, payment(0))
        assert await ground.receipt(HASH, blocks_max=50)


async def test_reorganisation_takes_a_transaction_out_and_gives_it_back(ground: Ground) -> None:
    """It was mined, it is pending in every pool, it is mined again if nobody holds it."""
    await ground.send(ground.local, payment(0))
    before = await ground.receipt(HASH)
    await ground.miner.mine(2)
    ground.miner.hold(HASH)
    await ground.reorganise(3)
    assert await ground.receipt(HASH, blocks_max=0) is None
    assert set((await ground.who_has(HASH)).values()) == {"pending"}
    assert await ground.nonce(0, ground.local) == 0
    ground.miner.release(HASH)
    after = await ground.receipt(HASH)
    assert after["blockHash"] != before["blockHash"]


async def test_node_on_a_fork_of_its_own_mines_what_it_has_and_loses_it(ground: Ground) -> None:
    """M4 as the chain tells it: a receipt whose block nobody else has; healed, it is pending."""
    ground.isolate_local()
    ground.net.local.fork()
    await ground.send(ground.local, payment(0))
    await ground.miner.mine_one()
    receipt = await ground.ask(ground.local, "eth_getTransactionReceipt", HASH)
    reference = ground.references["a"]
    assert await ground.ask(reference, "eth_getBlockByHash", receipt["blockHash"], False) is None
    assert await ground.ask(reference, "eth_getTransactionReceipt", HASH) is None
    ground.net.local.follow()
    await ground.net.wait_caught_up("local")
    assert await ground.ask(ground.local, "eth_getTransactionReceipt", HASH) is None
    assert (await ground.who_has(HASH))["local"] == "pending"


async def test_lagging_chain_makes_a_lagging_pool(ground: Ground) -> None:
    """The lab's own switches are there: what the chain has used, our node does not know yet."""
    ground.net.local.lag(2)
    await ground.send(ground.references["a"], payment(0))
    await ground.receipt(HASH)
    assert [await ground.nonce(0, seat) for seat in (ground.local, ground.references["b"])] == [
        0,
        1,
    ]
    await ground.miner.mine(2)
    assert await ground.nonce(0, ground.local) == 1


async def test_twin_of_a_reference_makes_it_disagree_with_itself(ground: Ground) -> None:
    """Two backends behind one address, of which one has stood still (M8)."""
    reference = ground.references["a"]
    twin = await ground.twin(reference)
    await twin.freeze()
    reference.pool.balance(twin)
    await ground.send(ground.local, payment(0))
    await ground.receipt(HASH)
    counts = [await ground.nonce(0, reference) for _ in range(4)]
    assert counts in ([0, 1, 0, 1], [1, 0, 1, 0])


async def test_reference_may_lie_about_one_thing(ground: Ground) -> None:
    """A receipt that is none, a nonce that is not so, a transaction that is denied."""
    liar, honest = ground.references["b"], ground.references["a"]
    await ground.send(ground.local, payment(1))
    receipt = mined(payment(0), number=3, block_hash="0x" + "ab" * 32)
    liar.pool.rpc.lies = {
        "eth_getTransactionReceipt": receipt,
        "eth_getTransactionCount": nonce_is(9, address(0)),
        "eth_blockNumber": says("0x1"),
    }
    found = await ground.ask(liar, "eth_getTransactionReceipt", HASH)
    assert (found["blockNumber"], found["transactionHash"]) == ("0x3", HASH)
    assert await ground.ask(honest, "eth_getTransactionReceipt", HASH) is None
    assert await ground.ask(liar, "eth_getTransactionReceipt", "0x" + "00" * 32) is None
    assert (await ground.nonce(0, liar), await ground.nonce(1, liar)) == (9, 0)
    assert await ground.ask(liar, "eth_blockNumber") == "0x1"
    await ground.send(ground.local, payment(0))
    liar.pool.rpc.lies = {"eth_getTransactionByHash": gone(HASH)}
    second = decode(payment(1)).hash
    assert await ground.ask(liar, "eth_getTransactionByHash", HASH) is None
    assert await ground.ask(liar, "eth_getTransactionByHash", second)
    assert await ground.ask(honest, "eth_getTransactionByHash", HASH)


async def test_node_that_is_down_hears_nothing_and_hinders_nobody(ground: Ground) -> None:
    """Others send, gossip and mine; what is asked of it is a bad gateway."""
    down = ground.seats["c"]
    await down.lab.proxy.unplug()
    assert await ground.send(ground.local, payment(0)) == HASH
    assert HASH not in down.pool.pool
    with pytest.raises(aiohttp.ClientResponseError, match="502"):
        await ground.ask(down, "eth_blockNumber")
    assert await ground.receipt(HASH)
    await down.lab.proxy.plug()
    await ground.miner.mine_one()
    assert await ground.nonce(0, down) == 1


async def test_network_that_is_down_is_gone(anvil_path: Path) -> None:
    """No port and no node is left behind."""
    async with Ground(references={"a": "besu"}, binary=anvil_path) as ground:
        urls = [ground.local.url, ground.net.local.anvil.url]
        websocket = ground.local.ws_url
        assert websocket.replace("ws", "http") == urls[0]
    async with aiohttp.ClientSession() as session:
        for url in urls:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.post(url, json={})
