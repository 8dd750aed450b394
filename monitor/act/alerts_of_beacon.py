"""The alerts of the checks of its consensus client, by the standard Beacon API. Pure."""

from __future__ import annotations

from monitor.act.rules import NODE, Alert, finding
from monitor.model import Level

BEACON_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeConsensusDoubtful",
        check="beacon",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"The consensus client of node {NODE} does not lead it as it should",
        description="It is syncing, behind, optimistic or cut off from the node, the two are at "
        "different slots, or nothing has become final for long. The node goes nowhere by itself: "
        "where it stands will soon be old.",
    ),
)
