"""The chain itself is reorganised: everybody follows, and nobody is to be accused.

The profile of the lab says forked from 2 blocks apart, seen twice. A node that has followed is no
block apart, however deep the reorg was: none of the checks opens.
"""

from __future__ import annotations

from monitor.lab.network import LabNetwork
from monitor.lab.scenarios.row import Scenario, Step, for_blocks, heal_all

STEADY_BLOCKS = 8
DEPTHS = {
    1: "any day on Ethereum: a block that comes late",
    3: "Polygon, February 2023: reorganisations of many blocks",
    7: "Ethereum's beacon chain, 25 May 2022: seven blocks",
}
"""Blocks that go -> where it was met in the world."""


def _reorg(depth: int) -> Step:
    async def step(net: LabNetwork) -> None:
        await net.reorg(depth)

    return step


REORGS: tuple[Scenario, ...] = tuple(
    Scenario(
        name=f"reorg-{depth}",
        title=f"the network leaves its newest {depth} blocks for others, and every node goes along",
        counterpart=counterpart,
        fault=for_blocks(STEADY_BLOCKS, _reorg(depth)),
        heal=heal_all,
        findings=frozenset(),
        exit_code=0,
    )
    for depth, counterpart in DEPTHS.items()
)
