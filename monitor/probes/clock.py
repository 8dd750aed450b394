"""clock: what the dates of answers that came anyway say of their hosts' clocks. Asks nothing."""

from __future__ import annotations

from monitor.judge.clock import ClockSeen, own_skew
from monitor.probes.asked import Asked
from monitor.rpc.errors import MethodAbsent


async def probe(asked: Asked[ClockSeen]) -> ClockSeen:
    """Of a node, or of the references together; of a reference alone nothing is said.

    Raises MethodAbsent where neither a date nor a head is known.
    """
    is_quorum = any(asked.node is member.node for member in asked.panel.members)
    skews = [(one.operator, one.node.host_clock.skew_seconds) for one in asked.panel.members]
    known = [(operator, skew) for operator, skew in skews if skew is not None]
    seen = ClockSeen(
        skew_seconds=None if is_quorum else asked.node.host_clock.skew_seconds,
        own_skew_seconds=own_skew(known, asked.round.need),
        head_ahead_seconds=_ahead(asked),
    )
    if seen == ClockSeen(None, None, None):
        message = "its answers carry no dates"
        raise MethodAbsent(message, 0)
    return seen


def _ahead(asked: Asked[ClockSeen]) -> float | None:
    """The head's timestamp, of our clock when the head was seen."""
    head = asked.head
    return None if head is None else head.timestamp - asked.heads[-1].at
