"""The checks of its consensus client, by the standard Beacon API."""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import beacon
from monitor.judge.beacon import BeaconSeen
from monitor.probes import beacon as beacon_probe

BEACON: Check[BeaconSeen] = Check(
    name="beacon",
    title="The node's consensus client leads it along the chain",
    why="An execution client has what its consensus client tells it, and nothing else: with that "
    "one dead, syncing or cut off, the node stands still while all of its own calls succeed.",
    remedy="Look at the consensus client's log, at the Engine API's port and JWT secret, and at "
    "its checkpoint.",
    runbook="checks.md#beacon",
    scopes=("node",),
    asks="beacon",
    methods=(
        "GET /eth/v1/node/syncing",
        "GET /eth/v1/node/version",
        "GET /eth/v1/node/peer_count",
        "GET /eth/v1/beacon/states/head/finality_checkpoints",
        "GET /eth/v1/beacon/genesis",
        "GET /eth/v1/config/spec",
    ),
    probe=beacon_probe.probe,
    judge=beacon.judge,
    every_seconds=12.0,
    needs="beacon",
)

BEACON_CHECKS: tuple[Check[Any], ...] = (BEACON,)
