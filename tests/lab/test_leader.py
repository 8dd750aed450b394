"""A chain that reorganises, and those who follow it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from monitor.lab.errors import LabError
from monitor.lab.follower import LabNode
from monitor.lab.network import LabNetwork
from monitor.lab.scenarios.answers_checks import LOGGER

ELASTICITY, DENOMINATOR = 2, 8


async def _block(node: LabNode, which: int | str = "latest") -> Any:
    name = hex(which) if isinstance(which, int) else which
    return await node.anvil.rpc("eth_getBlockByNumber", name, False)


async def _still(net: LabNetwork) -> None:
    net.quiet()
    await net.wait_blocks(0)


async def _chain(node: LabNode, upto: int) -> list[Any]:
    return [await _block(node, number) for number in range(upto + 1)]


def _next_fee(parent: Any) -> int:
    """The base fee of the block after `parent` (EIP-1559)."""
    fee, used = int(parent["baseFeePerGas"], 16), int(parent["gasUsed"], 16)
    target = int(parent["gasLimit"], 16) // ELASTICITY
    if used > target:
        return fee + max(fee * (used - target) // target // DENOMINATOR, 1)
    return fee - fee * (target - used) // target // DENOMINATOR


@pytest.mark.parametrize("depth", range(1, 8))
async def test_reorg_of_any_depth_is_followed_by_every_node(net: LabNetwork, depth: int) -> None:
    """Below it nothing changes, above it every hash does, and all nodes are on one new chain."""
    await net.wait_blocks(9)
    await _still(net)
    head = net.leader_number
    old = await _chain(net.local, head)
    await net.reorg(depth)
    await net.wait_blocks(0)
    assert net.leader_number == head
    new = await _chain(net.local, head)
    kept = head - depth
    assert new[: kept + 1] == old[: kept + 1]
    assert all(
        a["hash"] != b["hash"] for a, b in zip(new[kept + 1 :], old[kept + 1 :], strict=True)
    )
    assert [block["timestamp"] for block in new] == [block["timestamp"] for block in old]
    net.go()
    await net.wait_blocks(2)
    await _still(net)
    chains = [
        await _chain(node, net.leader_number) for node in (net.local, *net.reference.values())
    ]
    assert all(chain == chains[0] for chain in chains)
    assert chains[0][: head + 1] == new


async def test_reorg_leaves_headers_that_obey_the_rules(net: LabNetwork) -> None:
    """Links, times and base fees of the new chain are those of any chain (EIP-1559)."""
    await net.wait_blocks(6)
    await net.reorg(4)
    await net.wait_blocks(2)
    await _still(net)
    chain = await _chain(net.local, net.leader_number)
    for parent, child in pairwise(chain[1:]):
        assert child["parentHash"] == parent["hash"]
        assert int(child["timestamp"], 16) >= int(parent["timestamp"], 16)
        assert int(child["baseFeePerGas"], 16) == _next_fee(parent)


@pytest.mark.parametrize("keeps_transactions", [True, False])
async def test_reorg_moves_transactions_or_loses_them(
    net: LabNetwork, keeps_transactions: bool
) -> None:
    """What was mined in a block that goes is in the last of the new ones, or nowhere at all."""
    await net.wait_blocks(3)
    accounts = await net.leader.anvil.rpc("eth_accounts")
    sent = await net.leader.anvil.rpc(
        "eth_sendTransaction",
        {"from": accounts[1], "to": accounts[2], "value": "0x1", "gas": "0x5208"},
    )
    await net.wait_blocks(1)
    await net.wait_blocks(1)
    await _still(net)
    before = await net.local.anvil.rpc("eth_getTransactionReceipt", sent)
    depth = net.leader_number - int(before["blockNumber"], 16) + 1
    assert depth > 1
    await net.reorg(depth, keeps_transactions=keeps_transactions)
    await net.wait_blocks(0)
    for node in (net.local, net.reference["a"]):
        after = await node.anvil.rpc("eth_getTransactionReceipt", sent)
        if keeps_transactions:
            assert int(after["blockNumber"], 16) == net.leader_number
        else:
            assert after is None
            assert await node.anvil.rpc("eth_getTransactionByHash", sent) is None


async def test_reorg_is_announced_to_subscribers(
    net: LabNetwork, session: aiohttp.ClientSession
) -> None:
    """A follower that goes along announces the new blocks at heights that it had announced."""
    async with session.ws_connect(net.local.ws_url) as socket:
        await socket.send_json(
            {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
        )
        await socket.receive_json(timeout=10)
        await net.wait_blocks(4)
        await _still(net)
        head = net.leader_number
        await net.reorg(2)
        told: list[Any] = []
        while len([one for one in told if int(one["number"], 16) == head]) < 2:
            told.append((await socket.receive_json(timeout=10))["params"]["result"])
        again = [one for one in told if int(one["number"], 16) > head - 2]
        assert [int(one["number"], 16) for one in again] == [head - 1, head] * 2
        assert again[2]["parentHash"] == again[0]["parentHash"]
        assert again[3]["parentHash"] == again[2]["hash"] != again[0]["hash"]


async def test_reorg_seen_from_outside_reaches_all_nodes_at_once(
    net: LabNetwork, session: aiohttp.ClientSession
) -> None:
    """What was asked while it lasts is answered when it is over, and by all of them alike."""
    await net.wait_blocks(9)
    await _still(net)
    head = net.leader_number
    old = (await _block(net.local, head))["hash"]
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_getBlockByNumber",
        "params": [hex(head), False],
    }

    async def told(node: LabNode) -> str:
        async with session.post(node.url, json=call) as response:
            return str((await response.json())["result"]["hash"])

    reorg = asyncio.create_task(net.reorg(7))
    await asyncio.sleep(0)
    hashes = await asyncio.gather(*(told(n) for n in (net.local, *net.reference.values())))
    assert reorg.done()
    await reorg
    assert len(set(hashes)) == 1
    assert hashes[0] != old


async def test_reorg_leaves_who_does_not_follow_alone(net: LabNetwork) -> None:
    """A stalled node keeps the old blocks, a fork its own; told to follow, both are back."""
    await net.wait_blocks(4)
    net.local.stall()
    net.reference["b"].fork()
    await net.wait_blocks(2)
    await _still(net)
    stood = [await _block(net.local), await _block(net.reference["b"])]
    await net.reorg(5)
    await net.wait_blocks(0)
    assert [await _block(net.local), await _block(net.reference["b"])] == stood
    for name, node in (("local", net.local), ("b", net.reference["b"])):
        node.follow()
        await net.wait_caught_up(name)
        assert await _block(node) == await _block(net.reference["a"])


async def test_reorg_again_and_again_under_way_is_followed(net: LabNetwork) -> None:
    """While blocks come and nodes copy them, no reorg breaks anything."""
    await net.wait_blocks(7)
    for depth in (1, 3, 7, 2):
        await net.reorg(depth)
        await net.wait_blocks(1)
    await _still(net)
    for node in (net.local, *net.reference.values()):
        assert await _block(node) == await _block(net.reference["a"])


@pytest.mark.parametrize("excess", [0, 1])
async def test_reorg_that_reaches_genesis_or_nothing_is_refused(
    net: LabNetwork, excess: int
) -> None:
    """A chain keeps its first block, and a reorg replaces at least one."""
    await _still(net)
    depth = net.leader_number + 1 if excess else 0
    with pytest.raises(LabError, match=f"a reorg of {depth} blocks"):
        await net.reorg(depth)


async def test_leader_puts_into_every_block_what_it_is_told_to(net: LabNetwork) -> None:
    """One transaction a block, on the nodes that follow too, until it is told otherwise."""
    told = {"from": LOGGER, "to": LOGGER, "value": "0x1", "gasPrice": hex(20 * 10**9)}
    nonce = await net.leader.anvil.rpc("eth_getTransactionCount", LOGGER, "latest")
    assert nonce == "0x0"
    net.leader.in_every_block = (told,)
    first = net.leader_number
    await net.wait_blocks(5)
    net.leader.in_every_block = ()
    await net.wait_blocks(1)
    await _still(net)
    last = net.leader_number
    sent = [
        int(await net.local.anvil.rpc("eth_getTransactionCount", LOGGER, hex(number)), 16)
        for number in range(first, last + 1)
    ]
    steps = [after - before for before, after in pairwise(sent)]
    assert steps[1:5] == [1] * 4
    assert steps[-1] == 0
