"""The process of a node: killed, started anew, hung, woken, and replaced by an empty one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import aiohttp
import pytest

from monitor.lab.errors import LabError
from monitor.lab.follower import LabNode
from monitor.lab.network import LabNetwork

TRANSFER = {"value": "0x1", "gas": "0x5208"}
IMPATIENT_SECONDS = 0.3


class Ask(Protocol):
    """The `ask` fixture."""

    async def __call__(self, url: str, method: str | list[tuple[Any, ...]], *params: Any) -> Any:
        """Post one call or a batch."""


async def _block(node: LabNode, which: int | str = "latest") -> Any:
    name = hex(which) if isinstance(which, int) else which
    return await node.anvil.rpc("eth_getBlockByNumber", name, False)


async def _same_everywhere(net: LabNetwork) -> bool:
    net.quiet()
    await net.wait_blocks(0)
    heads = [await _block(node) for node in (net.local, *net.reference.values())]
    net.go()
    return all(head == heads[0] for head in heads)


@pytest.mark.parametrize("keeps_chain", [True, False])
async def test_restart_loses_the_pool_and_comes_back_on_the_same_port(
    net: LabNetwork, ask: Ask, keeps_chain: bool
) -> None:
    """The process is another, the pool is empty, the address and the chain are the same."""
    await net.wait_blocks(5)
    url, pid = net.local.url, net.local.anvil.pid
    accounts = await net.local.anvil.rpc("eth_accounts")
    sent = await net.local.anvil.rpc(
        "eth_sendTransaction", {"from": accounts[1], "to": accounts[2], **TRANSFER}
    )
    assert (await ask(url, "txpool_status"))["result"]["pending"] == "0x1"
    await net.restart("local", keeps_chain=keeps_chain)
    await net.wait_caught_up("local")
    assert net.local.url == url
    assert net.local.anvil.pid != pid
    assert (await ask(url, "txpool_status"))["result"]["pending"] == "0x0"
    assert (await ask(url, "eth_getTransactionByHash", sent))["result"] is None
    await net.wait_blocks(2)
    assert await _same_everywhere(net)


async def test_restart_keeps_old_blocks_and_their_state(net: LabNetwork, ask: Ask) -> None:
    """A node that kept its chain answers for the past as before, at once."""
    await net.wait_blocks(6)
    net.quiet()
    await net.wait_blocks(0)
    account = (await net.local.anvil.rpc("eth_accounts"))[5]
    calls: list[tuple[Any, ...]] = [
        ("eth_getBlockByNumber", "latest", True),
        ("eth_getBlockByNumber", "0x3", True),
        ("eth_getBalance", account, "0x3"),
        ("eth_getBlockReceipts", "0x4"),
    ]
    before = await ask(net.local.url, calls)
    await net.restart("local")
    assert await ask(net.local.url, calls) == before


async def test_restart_is_followed_by_a_reorg_below_it(net: LabNetwork) -> None:
    """What the node was loaded with can be rolled back like what it has made itself."""
    await net.wait_blocks(6)
    await net.restart("local")
    await net.restart("b")
    await net.reorg(5)
    await net.wait_blocks(1)
    assert await _same_everywhere(net)


async def test_restart_is_known_to_every_proxy(net: LabNetwork, ask: Ask) -> None:
    """A proxy that is routed to a node finds it again at its new port."""
    net.reference["b"].proxy.route("c")
    await net.restart("c")
    await net.wait_caught_up("c")
    for name in ("b", "c"):
        assert (await ask(net.reference[name].url, "eth_chainId"))["result"] == "0x7a69"


async def test_killed_node_refuses_and_does_not_hold_up_the_network(net: LabNetwork) -> None:
    """Connections are refused, open websockets end, and the other nodes go on."""
    await net.local.kill()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(net.local.url, json={})
    before = net.leader_number
    await net.wait_blocks(3)
    assert net.leader_number >= before + 3
    with pytest.raises(LabError, match="local is gone"):
        await net.wait_caught_up("local")
    await net.revive("local")
    await net.revive("local")
    await net.wait_caught_up("local")
    assert await _same_everywhere(net)


async def test_hung_process_takes_connections_and_answers_when_woken(
    net: LabNetwork, session: aiohttp.ClientSession
) -> None:
    """A call waits in silence and is answered after the waking; the network goes on meanwhile."""
    await net.local.hang_process()
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    timeout = aiohttp.ClientTimeout(total=IMPATIENT_SECONDS)
    with pytest.raises(TimeoutError):
        await session.post(net.local.url, json=call, timeout=timeout)
    await net.wait_blocks(4)
    await net.local.wake_process()
    await net.local.wake_process()
    await net.wait_caught_up("local")
    async with session.post(net.local.url, json=call) as response:
        assert int((await response.json())["result"], 16) >= 4
    assert await _same_everywhere(net)


@pytest.mark.parametrize("how", ["restart", "wake"])
async def test_node_that_catches_up_first_is_never_seen_behind(
    net: LabNetwork, ask: Ask, how: str
) -> None:
    """Its port opens when it has what it missed."""
    if how == "wake":
        await net.local.hang_process()
    else:
        await net.local.kill()
    await net.wait_blocks(6)
    before = net.leader_number
    await net.revive("local", catches_up_first=True)
    assert int((await ask(net.local.url, "eth_blockNumber"))["result"], 16) >= before


async def test_late_joiner_begins_empty_and_keeps_its_distance(net: LabNetwork) -> None:
    """An empty node replays to where it is told, moves on with the leader, and catches up."""
    await net.wait_blocks(10)
    genesis, pid = await _block(net.local, 0), net.local.anvil.pid
    await net.join_late("local", behind_blocks=6)
    assert net.local.anvil.pid != pid
    assert await _block(net.local, 0) == genesis
    await net.wait_caught_up("local")
    net.quiet()
    await net.wait_blocks(0)
    assert int((await _block(net.local))["number"], 16) == net.leader_number - 6
    net.go()
    net.local.follow()
    await net.wait_caught_up("local")
    assert await _same_everywhere(net)


async def test_process_that_is_absent_cannot_go_again(net: LabNetwork) -> None:
    """Twice gone would be a mistake in a scenario: it is said."""
    act: Callable[[], Awaitable[None]]
    await net.local.hang_process()
    for act in (net.local.hang_process, net.local.kill):
        with pytest.raises(LabError, match="the process of local hangs or is gone already"):
            await act()
    with pytest.raises(LabError, match="local was not killed"):
        await net.local.start()


async def test_process_of_the_leader_is_left_alone(net: LabNetwork) -> None:
    """The chain's producer cannot be away."""
    leader = net.reference["a"]
    act: Callable[[], Awaitable[None]]
    for act in (leader.hang_process, leader.wake_process, leader.kill, leader.start):
        with pytest.raises(LabError, match="a is the leader itself"):
            await act()
    await net.revive("a")
