"""The whole lab: a leader, its followers and their proxies."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from monitor.lab.errors import LabError
from monitor.lab.faults import Fault
from monitor.lab.follower import LabNode
from monitor.lab.network import LabNetwork
from tests.lab.conftest import INTERVAL_SECONDS


class Ask(Protocol):
    """The `ask` fixture."""

    async def __call__(self, url: str, method: str | list[tuple[Any, ...]], *params: Any) -> Any:
        """Post one call or a batch."""


def _children() -> set[int]:
    """The processes whose parent is this one, from /proc."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(entry.name))
    return found


async def _block(node: LabNode, which: int | str = "latest") -> Any:
    name = hex(which) if isinstance(which, int) else which
    return await node.anvil.rpc("eth_getBlockByNumber", name, False)


async def _number(node: LabNode) -> int:
    return int(await node.anvil.rpc("eth_blockNumber"), 16)


async def test_network_in_health_has_one_chain_on_every_node(net: LabNetwork) -> None:
    """After any number of blocks with traffic, all nodes name the same hash at every height."""
    await net.wait_blocks(15)
    net.quiet()
    await net.wait_blocks(0)
    nodes = [net.local, *net.reference.values()]
    assert list(net.reference) == ["a", "b", "c"]
    head = net.leader_number
    assert head >= 15
    for number in range(head + 1):
        assert len({(await _block(node, number))["hash"] for node in nodes}) == 1
    finalized = int((await _block(net.local, "finalized"))["number"], 16)
    assert finalized == head - 8


async def test_network_timestamps_are_wall_clock_and_never_fall(net: LabNetwork) -> None:
    """Heads carry the time at which they were mined, so that their age means something."""
    await net.wait_blocks(12)
    net.quiet()
    stamps = [
        int((await _block(net.local, n))["timestamp"], 16) for n in range(1, net.leader_number)
    ]
    assert stamps == sorted(stamps)
    assert stamps[-1] - stamps[0] <= 30


async def test_network_stalled_node_stays_and_catches_up(net: LabNetwork) -> None:
    """A stalled node keeps its head while the others move, and heals by following."""
    net.local.stall()
    await net.wait_blocks(1)
    stood = await _number(net.local)
    await net.wait_blocks(4)
    assert await _number(net.local) == stood
    net.local.follow()
    await net.wait_caught_up("local")
    await net.wait_blocks(1)
    net.quiet()
    await net.wait_blocks(0)
    assert await _block(net.local) == await _block(net.reference["a"])


async def test_network_lagging_node_keeps_its_distance(net: LabNetwork) -> None:
    """A lagging node moves, always the same number of blocks behind, never backwards."""
    await net.wait_blocks(5)
    net.reference["b"].lag(3)
    before = await _number(net.reference["b"])
    await net.wait_caught_up("b")
    assert await _number(net.reference["b"]) >= before
    for _ in range(3):
        await net.wait_blocks(1)
        net.quiet()
        await net.wait_blocks(0)
        assert await _number(net.reference["b"]) == net.leader_number - 3
        net.go()
    net.reference["b"].lag(1)
    await net.wait_caught_up("b")


async def test_network_forked_node_has_its_own_blocks_and_heals(net: LabNetwork) -> None:
    """A fork keeps pace with other hashes from the common head; healed, no block of it is left."""
    await net.wait_blocks(3)
    net.quiet()
    await net.wait_blocks(0)
    common = net.leader_number
    net.local.fork()
    net.go()
    await net.wait_blocks(5)
    net.quiet()
    await net.wait_blocks(0)
    assert await _number(net.local) == net.leader_number
    for number in range(common, net.leader_number + 1):
        ours = (await _block(net.local, number))["hash"]
        theirs = (await _block(net.reference["a"], number))["hash"]
        assert (ours == theirs) is (number == common)
    with pytest.raises(LabError, match="local is in state fork"):
        await net.wait_caught_up("local")
    net.local.follow()
    await net.wait_caught_up("local")
    for number in range(net.leader_number + 1):
        assert await _block(net.local, number) == await _block(net.reference["a"], number)


async def test_network_every_state_leads_to_every_other(net: LabNetwork) -> None:
    """Whatever a node was doing, it can do the next thing, and following heals all of it."""
    node = net.reference["c"]
    for switch in (node.fork, node.stall, lambda: node.lag(2), node.fork, lambda: node.lag(4)):
        switch()
        await net.wait_blocks(2)
    node.fork()
    await net.wait_blocks(1)
    node.stall()
    node.follow()
    await net.wait_caught_up("c")
    await net.wait_blocks(1)
    net.quiet()
    await net.wait_blocks(0)
    assert await _block(node) == await _block(net.reference["a"])


async def test_network_follows_a_reorganised_leader(net: LabNetwork) -> None:
    """When the chain itself is reorganised, every follower is on the new one by the next block."""
    await net.wait_blocks(6)
    net.quiet()
    await net.wait_blocks(0)
    old = await _block(net.local)
    await net.leader.anvil.rpc("anvil_reorg", 3, [])
    net.go()
    await net.wait_blocks(1)
    new = await _block(net.local, int(old["number"], 16))
    assert new["hash"] != old["hash"]
    assert new == await _block(net.reference["a"], int(old["number"], 16))


async def test_network_quiet_makes_no_blocks(net: LabNetwork) -> None:
    """A quiet network stands still for all, and goes on when told."""
    await net.wait_blocks(1)
    net.quiet()
    await net.wait_blocks(0)
    stood = net.leader_number
    await asyncio.sleep(5 * INTERVAL_SECONDS)
    assert await _number(net.reference["a"]) == stood
    net.go()
    await net.wait_blocks(2)


async def test_network_leader_is_not_switched(net: LabNetwork) -> None:
    """The first reference is the leader: its states are refused with the remedy."""
    leader = net.reference["a"]
    for switch in (leader.follow, leader.stall, leader.fork, lambda: leader.lag(1)):
        with pytest.raises(LabError, match="a is the leader itself"):
            switch()
    with pytest.raises(LabError, match="1 block or more"):
        net.local.lag(0)
    await net.wait_caught_up("a")


async def test_network_proxy_is_what_a_client_sees(net: LabNetwork, ask: Ask) -> None:
    """Faults of one node's proxy concern nobody else."""
    net.reference["b"].proxy.set(Fault("wrong_chain", chain_id=5))
    told = [await ask(node.url, "eth_chainId") for node in (net.local, net.reference["b"])]
    assert [one["result"] for one in told] == ["0x7a69", "0x5"]
    assert net.reference["b"].ws_url == net.reference["b"].url.replace("http", "ws")


async def test_network_references_may_share_a_node(net: LabNetwork, ask: Ask) -> None:
    """Two operators with one backend: what befalls the one is seen at both."""
    net.reference["b"].proxy.route("c")
    net.reference["c"].stall()
    await net.wait_blocks(2)
    stood = await _number(net.reference["c"])
    assert int((await ask(net.reference["b"].url, "eth_blockNumber"))["result"], 16) == stood
    assert await _number(net.reference["b"]) > stood


async def test_network_other_chain_is_another_and_moves(net: LabNetwork, ask: Ask) -> None:
    """A node may be routed to a chain with another id and genesis, which makes blocks too."""
    other = await net.other_chain()
    assert await net.other_chain() is other
    net.local.proxy.add_upstream("other", other.url)
    net.local.proxy.route("other")
    assert (await ask(net.local.url, "eth_chainId"))["result"] == hex(31338)
    genesis = await ask(net.local.url, "eth_getBlockByNumber", "0x0", False)
    assert genesis["result"]["hash"] != (await _block(net.reference["a"], 0))["hash"]
    first = int(await other.rpc("eth_blockNumber"), 16)
    await net.wait_blocks(3)
    assert int(await other.rpc("eth_blockNumber"), 16) > first


async def test_network_subscription_announces_the_blocks_that_follow(
    net: LabNetwork, session: aiohttp.ClientSession
) -> None:
    """A follower's replayed blocks reach the subscribers of its proxy, each linked to the last."""
    async with session.ws_connect(net.local.ws_url) as socket:
        await socket.send_json(
            {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
        )
        await socket.receive_json(timeout=10)
        heads = [(await socket.receive_json(timeout=10))["params"]["result"] for _ in range(4)]
    assert [head["parentHash"] for head in heads[1:]] == [head["hash"] for head in heads[:-1]]


async def test_network_left_leaves_no_process(anvil_path: Path) -> None:
    """On the way out every node is ended, hanging or not, within two seconds."""
    before = _children()
    async with LabNetwork(interval_seconds=INTERVAL_SECONDS, binary=anvil_path) as net:
        await net.other_chain()
        nodes = _children() - before
        assert len(nodes) == 5
        for pid in nodes:
            os.kill(pid, signal.SIGSTOP)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 2
    assert _children() == before


async def test_network_that_starts_halfway_leaves_no_process(
    anvil_path: Path, tmp_path: Path
) -> None:
    """When the third node does not come up, the other three are ended and its log is shown."""
    before = _children()
    flaky = tmp_path / "anvil"
    flaky.write_text(
        "#!/bin/sh\n"
        f"mkdir {tmp_path}/1 2>/dev/null || mkdir {tmp_path}/2 2>/dev/null || "
        "{ echo no room for me; exit 3; }\n"
        f'exec {anvil_path} "$@"\n'
    )
    flaky.chmod(0o755)
    with pytest.raises(LabError, match=r"(?s)did not come up.*exited with 3.*no room for me"):
        await LabNetwork(binary=flaky).__aenter__()
    assert _children() == before


async def test_network_start_that_is_cancelled_leaves_no_process(anvil_path: Path) -> None:
    """An impatient Ctrl-C during the start is clean as well."""
    before = _children()
    start = asyncio.create_task(LabNetwork(binary=anvil_path).__aenter__())
    while not _children() - before:
        await asyncio.sleep(0)
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert _children() == before


async def test_network_failure_in_the_background_surfaces(anvil_path: Path) -> None:
    """A follower that dies ends the next wait, and the context, with the reason."""

    async def lose_a_node() -> None:
        async with LabNetwork(interval_seconds=INTERVAL_SECONDS, binary=anvil_path) as net:
            await net.reference["b"].anvil.stop()
            with pytest.raises(LabError, match="in the background"):
                await net.wait_blocks(3)

    with pytest.raises(LabError, match="the lab failed in the background: b did not answer"):
        await lose_a_node()


async def test_network_failure_is_noted_on_the_error_of_the_body(anvil_path: Path) -> None:
    """The error of a test is not hidden by the lab's own; it carries a note."""

    async def lose_a_node_and_fail() -> None:
        async with LabNetwork(interval_seconds=INTERVAL_SECONDS, binary=anvil_path) as net:
            await net.local.anvil.stop()
            with pytest.raises(LabError):
                await net.wait_blocks(3)
            message = "mine"
            raise ValueError(message)

    with pytest.raises(ValueError, match="mine") as caught:
        await lose_a_node_and_fail()
    assert "local did not answer" in "".join(caught.value.__notes__)


@pytest.mark.parametrize("references", [(), ("a", "a"), ("local",)])
def test_network_with_unusable_names_is_refused(references: tuple[str, ...]) -> None:
    """Names are what nodes are found by: distinct, and not the local node's."""
    with pytest.raises(LabError, match="distinct names"):
        LabNetwork(references)


def test_network_before_its_start_says_so() -> None:
    """A network that is not started has no leader to speak of."""
    with pytest.raises(LabError, match="not started"):
        LabNetwork().quiet()
