"""The checks that a verdict cannot do without: who is asked, where is it, and who says so."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import fork, head, identity, references, stall
from monitor.judge.seen import ForkSeen, HeadSeen, IdentitySeen
from monitor.probes import fork as fork_probe
from monitor.probes import head as head_probe
from monitor.probes import identity as identity_probe

IDENTITY: Check[IdentitySeen] = Check(
    name="identity",
    title="The node serves this network's chain",
    why="A node on another chain answers every question correctly, about the wrong money.",
    remedy="Compare `eth_chainId` and block 0 with the network's; look at the client's start-up "
    "flags and its data directory.",
    runbook="checks.md#identity",
    scopes=("node",),
    asks="identity",
    methods=("eth_chainId", "web3_clientVersion"),
    probe=identity_probe.probe,
    judge=identity.judge,
)
HEAD: Check[HeadSeen] = Check(
    name="head",
    title="The node's head is the network's head",
    why="A node that lags answers with old balances and nonces, and transactions built on them are "
    "lost; `eth_syncing` says false all the while.",
    remedy="Look at the client's import log and its consensus client; compare peers, disk and CPU.",
    runbook="checks.md#head",
    scopes=("node",),
    asks="head",
    methods=("eth_getBlockByNumber",),
    probe=head_probe.probe,
    judge=head.judge,
)
STALL: Check[HeadSeen] = Check(
    name="stall",
    title="The node moves when the network moves",
    why="A node that stands still while the network moves is dead in all but name; a network that "
    "stands still as a whole is not the node's fault.",
    remedy="If only this node stands: restart or re-peer it, and check its consensus client. If "
    "the network is quiet: watch, and do not restart healthy nodes.",
    runbook="checks.md#stall",
    scopes=("node", "quorum"),
    asks="head",
    methods=("eth_getBlockByNumber",),
    probe=head_probe.probe,
    judge=stall.judge,
)
FORK: Check[ForkSeen] = Check(
    name="fork",
    title="The node's blocks are the network's blocks",
    why="On a private fork receipts say success and the money never moved for anybody else.",
    remedy="Compare versions and fork schedule with the references; take the node out of service "
    "before anything is signed against it.",
    runbook="checks.md#fork",
    scopes=("node",),
    asks="fork",
    methods=("eth_getBlockByNumber",),
    probe=fork_probe.probe,
    judge=fork.judge,
)
REFERENCES: Check[HeadSeen] = Check(
    name="references",
    title="The references can be believed",
    why="Every other check is a comparison: without a majority of operators nothing can be said.",
    remedy="Look at which reference stands alone and what it said; add references of other "
    "operators and other clients.",
    runbook="checks.md#references",
    scopes=("reference", "quorum"),
    asks="head",
    methods=("eth_getBlockByNumber",),
    probe=head_probe.probe,
    judge=references.judge,
)

REQUIRED_CHECKS: tuple[Check[Any], ...] = (IDENTITY, HEAD, STALL, FORK, REFERENCES)
