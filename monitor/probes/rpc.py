"""rpc: what became of the calls that the other checks make. Asks nothing."""

from __future__ import annotations

from collections import Counter

from monitor.judge.rpc import MethodSeen, RpcSeen, quantile
from monitor.probes.asked import Asked
from monitor.rpc.tally import MethodCalls


async def probe(asked: Asked[RpcSeen]) -> RpcSeen:
    """The node's own count of the last five minutes."""
    tally = asked.node.tally
    methods = tally.window()
    reasons: Counter[str] = Counter()
    for one in methods:
        reasons.update(one.errors)
    recent = tally.recent
    return RpcSeen(
        methods=tuple(_seen(one) for one in methods),
        reasons=tuple(reasons.most_common()),
        recent=recent.calls,
        recent_failed=recent.failed,
        recent_throttled=recent.throttled,
    )


def _seen(one: MethodCalls) -> MethodSeen:
    timed = len(one.seconds)
    return MethodSeen(
        method=one.method,
        calls=one.calls,
        failed=sum(one.errors.values()),
        throttled=one.throttled,
        timed=timed,
        p70_seconds=quantile(one.seconds),
        mean_seconds=sum(one.seconds) / timed if timed else None,
    )
