"""The alerts of what is known of a client's releases. Pure."""

from __future__ import annotations

from monitor.act.rules import NODE, Alert, finding
from monitor.model import Level

RELEASE_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeVersionOld",
        check="version",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=60,
        keep_minutes=30,
        summary=f"Node {NODE} runs an old or vulnerable version",
        description="Something is known against the version it runs, or it is not supported any "
        "more, or it is far behind the releases of its client. It may be on the chain and well; "
        "the next fork or the next attacker finds it unprepared.",
    ),
)
