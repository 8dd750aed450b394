"""The alerts of the checks of the client itself: peers, pool, synchronisation. Pure."""

from __future__ import annotations

from monitor.act.rules import NODE, Alert, finding
from monitor.model import Level

CLIENT_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodePeersFew",
        check="peers",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"Node {NODE} has few peers",
        description="It is connected with fewer than three. It may hear of blocks late, and what "
        "is sent through it may reach nobody.",
    ),
)
