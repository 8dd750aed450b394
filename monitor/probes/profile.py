"""profile: the newest headers of the network's chain, for as little as they can be had."""

from __future__ import annotations

from monitor.judge.chain_profile import DAY_SECONDS
from monitor.judge.profile import IntervalsSeen
from monitor.model import Head
from monitor.probes.asked import Asked
from monitor.probes.fork import blocks_at
from monitor.rpc.errors import MethodAbsent

KEPT_COUNT = 1024
"""Headers that are judged together: what more would say of today is little."""
FIRST_COUNT = 256
"""Headers that are asked for at the beginning."""
CALLS_A_DAY = 5_000
"""What this check may cost a reference in a day: a tenth of the default budget."""
PORTION_COUNT = 64
DEV = "dev"


async def probe(asked: Asked[IntervalsSeen]) -> IntervalsSeen:
    """The headers up to the elected head, those that are known already and those that are not.

    Where the chain makes more blocks than may be asked for, the newest are asked for as seldom as
    that allows. Raises RpcError; MethodAbsent for a development chain, which keeps no pace.
    """
    if asked.policy.profile.key.partition("/")[0] == DEV:
        message = "a development chain makes blocks as it is told"
        raise MethodAbsent(message, 0)
    known = () if asked.last is None else asked.last.headers
    head = asked.head
    if head is None:
        return IntervalsSeen(known)
    lowest = known[-1].number + 1 if known else head.number - FIRST_COUNT + 1
    wanted = range(max(0, lowest, head.number - KEPT_COUNT + 1), head.number + 1)
    if known and len(wanted) > _allowed(asked):
        return IntervalsSeen(known)
    found: list[Head] = []
    for start in range(0, len(wanted), PORTION_COUNT):
        found += await blocks_at(asked.node, wanted[start : start + PORTION_COUNT])
    return IntervalsSeen((*known, *found)[-KEPT_COUNT:])


def _allowed(asked: Asked[IntervalsSeen]) -> float:
    """Calls that the time since headers were last asked for allows."""
    since = asked.before[0].at
    for earlier, later in zip(asked.before, asked.before[1:], strict=False):
        if earlier.seen != later.seen:
            since = later.at
    return (asked.clock() - since) * CALLS_A_DAY / DAY_SECONDS
