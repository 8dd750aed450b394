"""The checks of the client itself: synchronisation, peers, its pool, what it refused."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import peers
from monitor.judge.peers import PeersSeen
from monitor.probes import peers as peers_probe

PEERS: Check[PeersSeen] = Check(
    name="peers",
    title="The node has peers",
    why="A node without peers hears of blocks late or never, and what is sent through it reaches "
    "nobody.",
    remedy="Look at its P2P port in the firewall, its clock, and its bootnodes or static peers.",
    runbook="checks.md#peers",
    scopes=("node",),
    asks="peers",
    methods=("net_peerCount",),
    probe=peers_probe.probe,
    judge=peers.judge,
    every_seconds=60.0,
)

CLIENT_CHECKS: tuple[Check[Any], ...] = (PEERS,)
