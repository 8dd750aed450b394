"""subscription: what the websocket of a node has told. Asks nothing."""

from __future__ import annotations

from monitor.judge.subscription import SubscriptionSeen
from monitor.probes.asked import Asked
from monitor.rpc.errors import MethodAbsent


async def probe(asked: Asked[SubscriptionSeen]) -> SubscriptionSeen:
    """The subscription's own count. Raises MethodAbsent of a node that has none."""
    socket = asked.subscription
    if socket is None:
        message = "no websocket is configured"
        raise MethodAbsent(message, 0)
    now = asked.clock()
    return SubscriptionSeen(
        state=socket.state,
        in_state_seconds=now - socket.since,
        behind_seconds=None if socket.behind_since is None else now - socket.behind_since,
        deaf_seconds=socket.deaf_seconds,
        age_seconds=None if socket.heard_at is None else now - socket.heard_at,
        heads=socket.heads_count,
        gaps=socket.gaps_count,
        duplicates_total=socket.duplicates_total,
        late_total=socket.late_total,
        redials_total=socket.redials_total,
        error=socket.last_error,
    )
