"""rpc: do the calls that are made anyway bring their answers, in time, and without being throttled?

The thresholds are those at which load balancers take a node out of service: proxyd at more than
half of its calls failed, eRPC at two fifths throttled or at 3 s for seven calls of ten; both judge
nothing by fewer than ten calls. It is never a failure: answers that do not come say nothing wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.judge.answer import Word, spoken, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Finding, Level, Observation, Unseen

CHECK = "rpc"
RULE = "calls of the last 5 minutes"
CALLS_MIN = 10
"""Fewer calls say nothing (proxyd, eRPC)."""
ERROR_RATIO_MAX = 0.5
"""proxyd's `maxErrorRateThreshold`."""
THROTTLED_RATIO_MAX = 0.4
"""eRPC's `throttledRate` above which an upstream is excluded."""
RECENT_SHARE = 0.5
"""Of a limit: what the newest calls must exceed too, so that what is over does not last on."""
TIMED_MIN = 20
QUANTILE = 0.7
SLOW_SECONDS = 3.0
"""eRPC's limit of the 70th percentile of a method, of at least twenty calls."""
MEAN_SECONDS_MAX = 10.0
"""proxyd's `maxLatencyThreshold`."""


@dataclass(frozen=True, slots=True)
class MethodSeen:
    """The calls of one method within the last five minutes."""

    method: str
    calls: int
    failed: int
    """Of those, the ones without a usable answer; unsupported ones have one."""
    throttled: int
    """Of those that failed, the ones whose node said that it is asked too much."""
    timed: int
    """Calls of which it is known how long they took."""
    p70_seconds: float | None
    mean_seconds: float | None


@dataclass(frozen=True, slots=True)
class RpcSeen:
    """What became of the calls that were made anyway."""

    methods: tuple[MethodSeen, ...]
    reasons: tuple[tuple[str, int], ...] = ()
    """Why calls failed, the most frequent first."""
    recent: int = 0
    """The newest calls, a handful."""
    recent_failed: int = 0
    recent_throttled: int = 0

    @property
    def calls(self) -> int:
        return sum(one.calls for one in self.methods)

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self.methods)

    @property
    def throttled(self) -> int:
        return sum(one.throttled for one in self.methods)

    @property
    def slowest(self) -> MethodSeen | None:
        """The method with the longest percentile, of those that were timed often enough."""
        timed = [one for one in self.methods if one.timed >= TIMED_MIN]
        return max(timed, key=lambda one: one.p70_seconds or 0.0, default=None)


def quantile(seconds: Sequence[float]) -> float | None:
    """The duration that seven calls of ten do not exceed; None of none."""
    ordered = sorted(seconds)
    return ordered[math.ceil(QUANTILE * len(ordered)) - 1] if ordered else None


def _throttled_ratio(seen: RpcSeen) -> float | None:
    return seen.throttled / seen.calls if seen.calls >= CALLS_MIN else None


def _slowest_seconds(seen: RpcSeen) -> float | None:
    return seen.slowest.p70_seconds if seen.slowest is not None else None


OFFERS: tuple[Offer[RpcSeen], ...] = (
    Offer(
        "rpc.throttled_ratio",
        "ratio",
        "Calls that were refused for being too many, of those of the last 5 minutes",
        _throttled_ratio,
    ),
    Offer(
        "rpc.slowest_p70_seconds",
        "seconds",
        "What seven calls of ten do not exceed, of the slowest method of the last 5 minutes",
        _slowest_seconds,
    ),
)


def judge(
    history: Sequence[Observation[RpcSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: throttled, failing or slow, in this order, or none of them."""
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (unseen(CHECK, newest, context, RULE),)
    return (spoken(CHECK, newest, context, RULE, _word(newest.seen), *_said(newest.seen)),)


def _word(seen: RpcSeen) -> Word:
    calls, failed, throttled = seen.calls, seen.failed, seen.throttled
    if calls < CALLS_MIN:
        summary = f"{calls} calls in 5 minutes, which says nothing"
        return Word(Level.OK, "few_calls", summary, None, ERROR_RATIO_MAX, "ratio")
    if _goes_on(throttled, calls, seen.recent_throttled, seen.recent, THROTTLED_RATIO_MAX):
        summary = f"{throttled} of {calls} calls were refused for being too many"
        return Word(
            Level.DEGRADED, "throttled", summary, throttled / calls, THROTTLED_RATIO_MAX, "ratio"
        )
    if _goes_on(failed, calls, seen.recent_failed, seen.recent, ERROR_RATIO_MAX):
        why = ", ".join(f"{count} {reason}" for reason, count in seen.reasons)
        summary = f"{failed} of {calls} calls brought no usable answer: {why}"
        return Word(Level.DEGRADED, "errors", summary, failed / calls, ERROR_RATIO_MAX, "ratio")
    slow = _slow(seen)
    if slow is not None:
        return slow
    summary = f"{calls - failed} of {calls} calls brought their answer"
    return Word(Level.OK, "answering", summary, failed / calls, ERROR_RATIO_MAX, "ratio")


def _goes_on(part: int, calls: int, recent_part: int, recent: int, limit: float) -> bool:
    """More than `limit` of the calls, and of the newest ones still more than half of that."""
    return part > limit * calls and recent_part > RECENT_SHARE * limit * recent


def _slow(seen: RpcSeen) -> Word | None:
    slowest = seen.slowest
    if slowest is not None and slowest.p70_seconds and slowest.p70_seconds > SLOW_SECONDS:
        took = slowest.p70_seconds
        summary = f"three of ten {slowest.method} take {took:.3g} s or longer"
        return Word(Level.DEGRADED, "slow", summary, took, SLOW_SECONDS, "seconds")
    timed = sum(one.timed for one in seen.methods)
    mean = sum(one.timed * (one.mean_seconds or 0.0) for one in seen.methods) / (timed or 1)
    if timed >= CALLS_MIN and mean > MEAN_SECONDS_MAX:
        summary = f"a call takes {mean:.3g} s on average"
        return Word(Level.DEGRADED, "slow", summary, mean, MEAN_SECONDS_MAX, "seconds")
    return None


def _said(seen: RpcSeen) -> list[str]:
    return [
        f"{one.method}: {one.calls} calls, {one.failed} failed, {one.throttled} throttled"
        + (f", 70 % within {one.p70_seconds:.3g} s" if one.p70_seconds is not None else "")
        for one in seen.methods
    ]
