"""The checks of the chain: reorgs, finality, upgrades, and whether it keeps to its profile."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import finality, profile, reorg
from monitor.judge.profile import IntervalsSeen
from monitor.judge.tags import FinalitySeen
from monitor.judge.trace import ReorgSeen
from monitor.probes import finality as finality_probe
from monitor.probes import profile as profile_probe
from monitor.probes import reorg as reorg_probe

REORG: Check[ReorgSeen] = Check(
    name="reorg",
    title="What is in a block stays in it",
    why="A payment in a block that is replaced may be gone, and whoever acted on its receipt has "
    "acted on nothing.",
    remedy="Of the chain: wait for more confirmations. Of the node alone: it was on a fork; look "
    "for what it was told meanwhile.",
    runbook="checks.md#reorg",
    scopes=("node", "quorum"),
    asks="reorg",
    methods=("eth_getBlockByNumber",),
    probe=reorg_probe.probe,
    judge=reorg.judge,
)
FINALITY: Check[FinalitySeen] = Check(
    name="finality",
    title="What the node calls final is final",
    why="Exchanges, bridges and rollups act on `finalized` and take nothing back; a node that "
    "names another block, or an old one, makes them act on it, or wait.",
    remedy="Look at its consensus client first: the node repeats what that says. If nobody's "
    "finality moves, it is the network's: raise confirmations, do not restart.",
    runbook="checks.md#finality",
    scopes=("node", "quorum"),
    asks="finality",
    methods=("eth_getBlockByNumber",),
    probe=finality_probe.probe,
    judge=finality.judge,
    every_seconds=12.0,
)

PROFILE: Check[IntervalsSeen] = Check(
    name="profile",
    title="The chain keeps to its profile",
    why="Every threshold follows from the chain's profile: on a chain that has changed its pace, "
    "lags are told too late and stalls too early.",
    remedy="Compare with the chain's own statistics. If it has changed for good, give the network "
    "the numbers that the finding names; a newer headwatch may have them.",
    runbook="checks.md#profile",
    scopes=("quorum",),
    asks="profile",
    methods=("eth_getBlockByNumber",),
    probe=profile_probe.probe,
    judge=profile.judge,
    every_seconds=300.0,
    is_slow=True,
)

CHAIN_CHECKS: tuple[Check[Any], ...] = (REORG, FINALITY, PROFILE)
