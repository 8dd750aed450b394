"""What the chain did and what is final: reorgs of the chain and of one node, tags that lie."""

from __future__ import annotations

import asyncio

from monitor.config import CheckSettings, Settings
from monitor.lab.faults import Fault
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios.row import (
    LOCAL_SUBJECT,
    QUORUM_SUBJECT,
    Scenario,
    Step,
    faulty,
    finding,
    heal_all,
    reference,
)
from monitor.model import Level

FINALITY_SECONDS = 0.2
SEEN_SECONDS = 0.6
"""So long a head stands that every round has seen it."""
OWN_BLOCKS = 4
BACK_BLOCKS = 40


def often(settings: Settings) -> Settings:
    """Finality is asked about once a block, as the lab's chain finalizes."""
    checks = {**settings.checks, "finality": CheckSettings(every_seconds=FINALITY_SECONDS)}
    return settings.model_copy(update={"checks": checks})


def _reorg(depth: int) -> Step:
    """The chain leaves its newest blocks, at a moment at which all have seen them."""

    async def step(net: LabNetwork) -> None:
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


FOLLOWERS_FALL_BEHIND = frozenset(
    {
        ("fork", LOCAL_SUBJECT),
        ("head", LOCAL_SUBJECT),
        ("stall", LOCAL_SUBJECT),
        ("references", reference("a")),
        ("references", reference("b")),
        ("references", reference("c")),
        ("references", QUORUM_SUBJECT),
        ("finality", LOCAL_SUBJECT),
        ("reorg", LOCAL_SUBJECT),
    }
)
"""What may be told for the moment in which some have gone along and others not yet."""

CHAIN_CHECKS: tuple[Scenario, ...] = (
    Scenario(
        name="chain-reorg-1",
        title="the chain replaces its newest block",
        counterpart="any day of Ethereum: 0.06 % of its blocks",
        fault=_reorg(1),
        heal=heal_all,
        findings=frozenset(),
        exit_code=0,
        also=FOLLOWERS_FALL_BEHIND,
        settings=often,
    ),
    Scenario(
        name="chain-reorg-2",
        title="the chain replaces its newest two blocks",
        counterpart="Ethereum: four of 1,410 reorgs that were counted",
        fault=_reorg(2),
        heal=heal_all,
        findings=frozenset({finding("reorg", QUORUM_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        also=FOLLOWERS_FALL_BEHIND,
        settings=often,
    ),
    Scenario(
        name="chain-reorg-7",
        title="the chain replaces its newest seven blocks, one above the final one",
        counterpart="the beacon chain, 25 May 2022: seven blocks",
        fault=_reorg(7),
        heal=heal_all,
        findings=frozenset({finding("reorg", QUORUM_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        also=FOLLOWERS_FALL_BEHIND,
        settings=often,
    ),
    Scenario(
        name="chain-reorg-final",
        title="the chain replaces twelve blocks, four of which were called final",
        counterpart="Polygon, February 2023: 157 blocks",
        fault=_reorg(12),
        heal=heal_all,
        findings=frozenset({finding("reorg", QUORUM_SUBJECT, Level.FAILED)}),
        exit_code=0,
        also=FOLLOWERS_FALL_BEHIND,
        settings=often,
    ),
    Scenario(
        name="own-reorg",
        title=f"the local node comes back from {OWN_BLOCKS} blocks of its own",
        counterpart="Infura, 11 November 2020, an hour later",
        fault=_own_fork_healed,
        heal=heal_all,
        findings=frozenset({finding("reorg", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        also=frozenset({("fork", LOCAL_SUBJECT), ("finality", LOCAL_SUBJECT)}),
        settings=often,
    ),
    Scenario(
        name="finality-stalled",
        title="the local node goes on, and what it calls final stays where it was",
        counterpart="an execution client whose consensus client no longer finalizes",
        fault=faulty(LOCAL, Fault("finality_stalled")),
        heal=heal_all,
        findings=frozenset({finding("finality", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=often,
    ),
    Scenario(
        name="finality-backwards",
        title=f"the local node calls final what was so {BACK_BLOCKS} blocks ago",
        counterpart="a restart from an old database behind the same address",
        fault=faulty(LOCAL, Fault("finality_backwards", blocks=BACK_BLOCKS)),
        heal=heal_all,
        findings=frozenset({finding("finality", LOCAL_SUBJECT, Level.FAILED)}),
        exit_code=0,
        settings=often,
    ),
    Scenario(
        name="finalized-hash-differs",
        title="only the local node's `finalized` names another block than the network's",
        counterpart="go-ethereum 35418: after a restart, a finalized block that nobody finalized",
        fault=faulty(LOCAL, Fault("finalized_hash")),
        heal=heal_all,
        findings=frozenset(
            {
                finding("finality", LOCAL_SUBJECT, Level.FAILED),
                finding("fork", LOCAL_SUBJECT, Level.FAILED),
            }
        ),
        exit_code=1,
        settings=often,
    ),
    Scenario(
        name="tags-unordered",
        title="the local node's `safe` and `finalized` have changed places",
        counterpart="proxyd bans a backend for it",
        fault=faulty(LOCAL, Fault("tags_unordered", tag="finalized")),
        heal=heal_all,
        findings=frozenset({finding("finality", LOCAL_SUBJECT, Level.DEGRADED)}),
        exit_code=0,
        settings=often,
    ),
)
