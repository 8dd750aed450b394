"""The alerts of the checks of the chain: reorgs, finality, upgrades, blocks. Pure."""

from __future__ import annotations

from monitor.act.rules import NETWORK, NODE, Alert, finding
from monitor.model import Level

CHAIN_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeReorgedFinal",
        check="reorg",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} replaced blocks that it had called final",
        description="And the chain it is on now is not that of the references: what is read from "
        "it, final or not, is another ledger's.",
    ),
    finding(
        "HeadwatchNodeReorged",
        check="reorg",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} left blocks that only it had",
        description="It was on a chain of its own, at least as deep as the chain's own reorgs "
        "hardly ever are, and has left it. Receipts that it gave for those blocks are void.",
    ),
    finding(
        "HeadwatchNetworkReorgedFinal",
        check="reorg",
        scope="quorum",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=15,
        summary=f"{NETWORK} replaced blocks that were called final",
        description="A majority of the references has replaced blocks at or below the one that it "
        "called final. Whatever acted on finality has acted on what is not there.",
    ),
    finding(
        "HeadwatchNetworkReorged",
        check="reorg",
        scope="quorum",
        level=Level.DEGRADED,
        severity="warning",
        minutes=1,
        keep_minutes=5,
        summary=f"{NETWORK} had a deep reorg",
        description="The chain itself replaced more blocks than its profile expects once in 30 "
        "days. No node is at fault. Transactions of those blocks may be gone.",
    ),
    finding(
        "HeadwatchNodeFinalityWrong",
        check="finality",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} calls a wrong block final",
        description="The references have another block at that height, or the node itself had "
        "called a higher one final, or another. Whoever acts on its finality acts on nothing.",
    ),
    finding(
        "HeadwatchNodeFinalityOutOfStep",
        check="finality",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} does not finalize as the network does",
        description="What it calls final is behind or ahead of the references' for longer than the "
        "chain is ever silent, or its tags are out of order, or what it calls safe went back.",
    ),
    finding(
        "HeadwatchNetworkFinalityStalled",
        check="finality",
        scope="quorum",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=10,
        summary=f"{NETWORK} does not finalize",
        description="The references' final block is three times as far below the head as the "
        "protocol promises. Deposits that wait for finality wait; no node is at fault.",
    ),
    finding(
        "HeadwatchNetworkDrifted",
        check="profile",
        scope="quorum",
        level=Level.DEGRADED,
        severity="info",
        minutes=30,
        keep_minutes=30,
        summary=f"The chain of {NETWORK} has left its profile",
        description="Its blocks come at another pace than the profile says, and every threshold "
        "follows from that. Lags may be told too late, or healthy gaps as stalls.",
    ),
)
