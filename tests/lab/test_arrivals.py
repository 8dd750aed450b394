"""The leader's chain as it arrives: late, in order, and never more than there is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from monitor.judge.profiles import PROFILES, faster, policy
from monitor.lab.anvil import Anvil
from monitor.lab.arrivals import Arrivals
from monitor.lab.follower import Follower
from monitor.lab.network import LabNetwork
from monitor.lab.pace import Pace, pace_of
from monitor.lab.pulse import Pulse
from monitor.lab.replicator import Block

NODE = cast("Anvil", object())


def block(number: int) -> Block:
    return Block(number, f"0x{number}", f"0x{number - 1}", 0, {}, ())


class Chain:
    """A leader without nodes."""

    def __init__(self) -> None:
        self.anvil = NODE
        self.blocks = [block(0)]

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def recent(self, number: int) -> Block | None:
        return self.blocks[number] if 0 <= number < len(self.blocks) else None

    def reader(self) -> asyncio.Lock:
        """Nobody reorganises this one."""
        return asyncio.Lock()


async def arrived(delays: Sequence[float]) -> tuple[list[int], Arrivals, Chain]:
    """One block for each delay, all made at once; the heads in the order in which they came."""
    chain, pulse, left = Chain(), Pulse(), list(delays)
    arrivals = Arrivals(chain, pulse, lambda: left.pop(0))
    heads: list[int] = []

    def is_last() -> bool:
        heads.append(arrivals.head.number)
        return heads[-1] == len(delays)

    for number in range(1, len(delays) + 1):
        chain.blocks.append(block(number))
        arrivals.made(chain.head)
    await pulse.until(is_last, 10, "the last block")
    return heads, arrivals, chain


async def test_arrivals_begin_at_the_head_that_the_leader_has() -> None:
    """What was there before anybody looked needs no time to arrive."""
    chain = Chain()
    arrivals = Arrivals(chain, Pulse(), lambda: 99.0)
    assert (arrivals.head.number, arrivals.anvil) == (0, NODE)
    assert arrivals.recent(0) is not None


async def test_arrivals_show_no_block_that_is_on_its_way() -> None:
    """The leader has it, and this node does not: neither as head nor by its height."""
    chain = Chain()
    arrivals = Arrivals(chain, Pulse(), lambda: 99.0)
    chain.blocks.append(block(1))
    arrivals.made(chain.head)
    await asyncio.sleep(0)
    assert arrivals.head.number == 0
    assert arrivals.recent(1) is None
    assert chain.recent(1) is not None


async def test_arrivals_come_in_order_whatever_the_delays_are() -> None:
    """A block that is slow holds up the ones after it: no head goes backwards, none is lost."""
    heads, arrivals, chain = await arrived([0.1, 0.0, 0.05, 0.02, 0.2])
    assert heads == sorted(heads)
    assert arrivals.recent(5) is chain.head


async def test_network_at_a_drawn_pace_has_nodes_that_come_to_agree(anvil_path: Path) -> None:
    """Followers copy the leader's blocks as they arrive, hash by hash."""
    pace = pace_of(PROFILES["kovan-2018"], 8)
    async with LabNetwork(("a", "b"), seed=3, pace=pace, binary=anvil_path) as net:
        assert net.rehearsed is not None
        assert (net.rehearsed.profile, net.rehearsed.speed) == ("kovan-2018", 8)
        genesis = await net.local.anvil.rpc("eth_getBlockByNumber", hex(0), False)
        assert net.rehearsed.genesis_hash == genesis["hash"]
        assert net.rehearsed.chain_id == int(await net.local.anvil.rpc("eth_chainId"), 16)
        await net.wait_blocks(6)
        assert isinstance(net.local, Follower)
        height = hex(net.local.number)
        local, leader = [
            await node.rpc("eth_getBlockByNumber", height, False)
            for node in (net.local.anvil, net.leader.anvil)
        ]
        assert int(height, 16) >= 4
        assert local["hash"] == leader["hash"]


async def test_network_whose_blocks_are_long_on_their_way_is_not_followed(anvil_path: Path) -> None:
    """The leader goes on, and whoever it has not reached stays where it was."""
    slow = replace(faster(PROFILES["kovan-2018"], 8), arrival_seconds=1e6)
    pace = Pace(policy(slow), "drawn")
    async with LabNetwork(("a", "b"), pace=pace, binary=anvil_path) as net:
        assert isinstance(net.local, Follower)
        before = net.local.number
        await net.wait_blocks(2)
        assert net.leader_number >= before + 2
        assert net.local.number == before


@pytest.mark.parametrize("interval_seconds", [0.1, 0.25])
def test_network_at_a_steady_pace_rehearses_nothing(interval_seconds: float) -> None:
    """A development chain is configured by its interval."""
    assert LabNetwork(interval_seconds=interval_seconds).rehearsed is None
