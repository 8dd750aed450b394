"""The checks of what it answers at a block that all have: state, logs, how far back.

And whether it will go along with the chain's next upgrade, which it is asked for in the same way.
"""

from __future__ import annotations

from typing import Any

from monitor.checks.row import Check
from monitor.judge import logs, retention, state, upgrade
from monitor.judge.logs import LogsSeen
from monitor.judge.retention import RetentionSeen
from monitor.judge.state import StateSeen
from monitor.judge.upgrade import UpgradeSeen
from monitor.probes import logs as logs_probe
from monitor.probes import retention as retention_probe
from monitor.probes import state as state_probe
from monitor.probes import upgrade as upgrade_probe

STATE: Check[StateSeen] = Check(
    name="state",
    title="The node knows the state of a block that all have",
    why="A node with the right head and a wrong balance or nonce lets people pay twice, or not at "
    "all, and nothing else shows it.",
    remedy="Take it out of service; compare its version with the references', and verify or "
    "restore its database.",
    runbook="checks.md#state",
    scopes=("node",),
    asks="state",
    methods=(
        *("eth_getBlockByHash", "eth_getProof", "eth_getBalance"),
        *("eth_getTransactionCount", "eth_call"),
    ),
    probe=state_probe.probe,
    judge=state.judge,
    every_seconds=600.0,
    compares=True,
)
LOGS: Check[LogsSeen] = Check(
    name="logs",
    title="The node tells the logs and receipts of a block that all have",
    why="Whoever counts payments by logs misses some of them, on a node whose head is right.",
    remedy="Compare the block's receipts with a reference's; rebuild the client's log and receipt "
    "indices.",
    runbook="checks.md#logs",
    scopes=("node",),
    asks="logs",
    methods=("eth_getBlockByHash", "eth_getLogs", "eth_getBlockReceipts"),
    probe=logs_probe.probe,
    judge=logs.judge,
    every_seconds=600.0,
    compares=True,
)
RETENTION: Check[RetentionSeen] = Check(
    name="retention",
    title="The node answers for as many blocks as it did",
    why="Programs that look back get an error, null or an empty list, and some take that for "
    "nothing having happened.",
    remedy="Compare its pruning flags with what they were; look whether a snapshot was restored.",
    runbook="checks.md#retention",
    scopes=("node",),
    asks="retention",
    methods=(
        *("eth_capabilities", "eth_getBalance"),
        *("eth_getBlockByNumber", "eth_getBlockReceipts"),
    ),
    probe=retention_probe.probe,
    judge=retention.judge,
    every_seconds=3600.0,
)
UPGRADE: Check[UpgradeSeen] = Check(
    name="upgrade",
    title="The node will go along with the next upgrade",
    why="A node that does not know of an upgrade leaves the chain in that second.",
    remedy="Upgrade the client, and its consensus client, to a version that names the fork.",
    runbook="checks.md#upgrade",
    scopes=("node",),
    asks="upgrade",
    methods=("eth_config",),
    probe=upgrade_probe.probe,
    judge=upgrade.judge,
    every_seconds=600.0,
)

ANSWERS_CHECKS: tuple[Check[Any], ...] = (STATE, LOGS, RETENTION, UPGRADE)
