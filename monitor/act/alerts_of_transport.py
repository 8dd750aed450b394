"""The alerts of the checks of the way to it: calls, subscriptions, clocks. Pure."""

from __future__ import annotations

from monitor.act.rules import NETWORK, NODE, Alert, finding
from monitor.model import Level

ANSWERS = "and ignoring (check) headwatch_node_head_number"
"""A node that does not answer at all is another alert's, which says the same."""

TRANSPORT_ALERTS: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeCallsFailing",
        check="rpc",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        also=ANSWERS,
        summary=f"Calls to node {NODE} fail, are throttled, or take long",
        description="Of the calls of the last five minutes more than half failed, or more than two "
        "fifths were refused for being too many, or three of ten took longer than three seconds. "
        "Programs that use this node meet the same.",
    ),
    finding(
        "HeadwatchSubscriptionDown",
        check="subscription",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=15,
        also=ANSWERS,
        summary=f"The newHeads subscription of node {NODE} does not tell of every head",
        description="It is down or deaf, or it leaves heads out. Headwatch loses nothing: the node "
        "is polled, new heads are seen a moment later, and more calls are made. Programs that wait "
        "for heads on a websocket of this node may wait for ever.",
    ),
    finding(
        "HeadwatchNodeClockSkewed",
        check="clock",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"The clock of node {NODE} does not run with the references'",
        description="The host that answers for it is five seconds off or more, or its head is of "
        "the future. A client whose clock is off loses peers; its consensus client drops gossip "
        "and attests too early or too late.",
    ),
    finding(
        "HeadwatchOwnClockSkewed",
        check="clock",
        scope="quorum",
        level=Level.DEGRADED,
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"headwatch's own clock is off, or the head of {NETWORK} is of the future",
        description="Most of the references date their answers otherwise than this host's clock "
        "does, so that every age and every lag in seconds is wrong; or the block that they agree "
        "on has a timestamp that lies ahead.",
    ),
)
