"""The checks of the client itself: synchronisation, peers, its pool, what it refused."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import bad_blocks, peers, sync, txpool
from monitor.judge.bad_blocks import BadBlocksSeen
from monitor.judge.peers import PeersSeen
from monitor.judge.sync import SyncingSeen
from monitor.judge.txpool import TxpoolSeen
from monitor.probes import bad_blocks as bad_blocks_probe
from monitor.probes import peers as peers_probe
from monitor.probes import sync as sync_probe
from monitor.probes import txpool as txpool_probe

SYNC: Check[SyncingSeen] = Check(
    name="sync",
    title="What the node says of its synchronisation agrees with where it is",
    why="A node that says it is synced while it is behind keeps its traffic; and whoever waits for "
    "one that syncs wants to know how long.",
    remedy="If it says that it is synced and is not, look at its consensus client first.",
    runbook="checks.md#sync",
    scopes=("node",),
    asks="sync",
    methods=("eth_syncing",),
    probe=sync_probe.probe,
    judge=sync.judge,
    every_seconds=15.0,
)

PEERS: Check[PeersSeen] = Check(
    name="peers",
    title="The node has peers",
    why="A node without peers hears of blocks late or never, and what is sent through it reaches "
    "nobody.",
    remedy="Look at its P2P port in the firewall, its clock, and its bootnodes or static peers.",
    runbook="checks.md#peers",
    scopes=("node",),
    asks="peers",
    methods=("net_peerCount", "admin_peers"),
    probe=peers_probe.probe,
    judge=peers.judge,
    every_seconds=60.0,
)

TXPOOL: Check[TxpoolSeen] = Check(
    name="txpool",
    title="The node hears of transactions",
    why="A node whose pool is empty while blocks are full sees nothing of what is pending, and may "
    "tell nobody of what is sent through it.",
    remedy="Look at its peers, and whether its pool was switched off or given no room.",
    runbook="checks.md#txpool",
    scopes=("node",),
    asks="txpool",
    methods=("txpool_status", "txpool_besuStatistics", "eth_getBlockTransactionCountByHash"),
    probe=txpool_probe.probe,
    judge=txpool.judge,
    every_seconds=60.0,
)

BAD_BLOCKS: Check[BadBlocksSeen] = Check(
    name="bad_blocks",
    title="The node has refused no block of the network",
    why="A node that calls a block of the network invalid stays before it, or forks off.",
    remedy="Compare its version with the references'; keep its log of the refused block.",
    runbook="checks.md#bad_blocks",
    scopes=("node",),
    asks="bad_blocks",
    methods=("debug_getBadBlocks", "eth_getBlockByNumber"),
    probe=bad_blocks_probe.probe,
    judge=bad_blocks.judge,
    every_seconds=60.0,
)

CLIENT_CHECKS: tuple[Check[Any], ...] = (SYNC, PEERS, TXPOOL, BAD_BLOCKS)
