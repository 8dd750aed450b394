"""The alerts of the checks of the client itself: peers, pool, synchronisation. Pure."""

from __future__ import annotations

from monitor.act.rules import NODE, Alert, finding
from monitor.model import Level

CLIENT_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeNotSynced",
        check="sync",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=15,
        keep_minutes=5,
        summary=f"Node {NODE} is behind, whatever it says of its synchronisation",
        description="It lies behind the references and is syncing, or says that it is not. The "
        "status page has its stages, its pace and how long it takes. That it is behind is told by "
        "an alert of its own, at once; this one is for whoever waits for it.",
    ),
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
    finding(
        "HeadwatchNodePoolDeaf",
        check="txpool",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} hears of no transactions",
        description="Its pool has been empty for ten minutes while blocks carried transactions. "
        "Its pending state and its fee estimates are of nothing, and what is sent through it may "
        "reach nobody.",
    ),
    finding(
        "HeadwatchNodeBlockRefused",
        check="bad_blocks",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=2,
        keep_minutes=5,
        summary=f"Node {NODE} has refused a block lately",
        description="It lists an invalid block at a height that is not final yet, or one that not "
        "all references have. Either somebody made a bad block, or this client errs.",
    ),
    finding(
        "HeadwatchNodeRefusesChain",
        check="bad_blocks",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} has refused a block of the network",
        description="It calls a block invalid that the references hold as theirs, and does not "
        "have it. It will stay before that block, or follow another chain, until its client or its "
        "database is mended.",
    ),
)
