"""The chain replaces its newest blocks and every node goes along, or a node alone replaces its own.

A node that goes along is not accused, however deep it goes: a reorg of as many blocks as the lab's
profile warns from is told of the references together, who had those blocks and took them back.
"""

from __future__ import annotations

import asyncio

from monitor.judge.profiles import DEV, policy
from monitor.lab.network import LabNetwork
from monitor.lab.pace import SLOTS_IN_AN_EPOCH
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    PATIENT_SECONDS,
    QUORUM_SUBJECT,
    Scenario,
    Step,
    asked_every,
    finding,
    heal_all,
)
from monitor.model import Level

SEEN_SECONDS = 0.6
"""So long a head stands that every round has seen it."""
OFTEN = asked_every(0.2, "finality", deadline_seconds=PATIENT_SECONDS)
"""No proxy answers until its node has gone along, which is to be waited for."""
OWN_BLOCKS = 4
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 12)
COUNTERPARTS = {
    1: "any day of Ethereum: 0.06 % of its blocks",
    2: "Ethereum: four of 1,410 reorgs that were counted",
    7: "the beacon chain, 25 May 2022: seven blocks",
    12: "Polygon, February 2023: 157 blocks",
}
"""Where a reorg of this depth was met in the world."""
COUNTERPART = "Polygon, where 32 blocks are possible without anybody's fault"
WARNED_BLOCKS = policy(DEV).reorg_blocks
FINAL_BLOCKS = 2 * SLOTS_IN_AN_EPOCH
"""So many blocks above the final one may be replaced."""


def _reorg(depth: int) -> Step:
    """The chain leaves its newest blocks, at a moment at which all have seen them."""

    async def step(net: LabNetwork) -> None:
        await net.wait_blocks(max(0, depth + 1 - net.leader_number))
        net.quiet()
        await net.wait_blocks(0)
        await asyncio.sleep(SEEN_SECONDS)
        await net.reorg(depth)
        net.go()

    return step


async def _own_fork_healed(net: LabNetwork) -> None:
    """The local node makes blocks of its own, and comes back."""
    net.local.fork()
    await net.wait_blocks(OWN_BLOCKS)
    net.local.follow()


def _chain_reorg(depth: int) -> Scenario:
    title = f"the chain replaces its newest {'block' if depth == 1 else f'{depth} blocks'}"
    level = Level.DEGRADED if depth >= WARNED_BLOCKS else Level.OK
    if depth > FINAL_BLOCKS:
        title += f", {depth - FINAL_BLOCKS} of which were called final"
        level = Level.FAILED
    told = {finding("reorg", QUORUM_SUBJECT, level)} if level else frozenset()
    return Scenario(
        name=f"chain-reorg-{depth}",
        title=title,
        counterpart=COUNTERPARTS.get(depth, COUNTERPART),
        fault=_reorg(depth),
        heal=heal_all,
        findings=frozenset(told),
        exit_code=0,
        settings=OFTEN,
    )


REORGS: tuple[Scenario, ...] = (
    *(_chain_reorg(depth) for depth in DEPTHS),
    Scenario(
        name="own-reorg",
        title=f"the local node comes back from {OWN_BLOCKS} blocks of its own",
        counterpart="Infura, 11 November 2020, an hour later",
        fault=_own_fork_healed,
        heal=heal_all,
        findings=frozenset({finding("reorg", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        # Whoever is parted by so many blocks is forked, if two rounds see it in time.
        also=frozenset({finding("fork", LOCAL_SUBJECT, Level.FAILED)}),
        settings=OFTEN,
    ),
)
