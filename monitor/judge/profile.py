"""profile: is the chain still as its profile says, from which every threshold follows?

Two tests share one false-alarm budget. A running sum (`drift`) sees a change of the usual kind
soon; an estimate from all headers of the window (`refit`) sees any, in time, and says what the
thresholds would be instead. A chain that has left its profile is nobody's fault, so this check is
never FAILED: it says that the other checks measure by the wrong rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.judge.drift import DRIFT_BUDGET_DAYS, Drift, Sum, drift
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import NoQuorum, Round, believed_hash
from monitor.judge.refit import GAPS_MIN, Fit, gaps_between, linked, refit
from monitor.model import (
    Evidence,
    Finding,
    Head,
    Level,
    Observation,
    Unseen,
    reference_label,
    subject_of,
)

CHECK = "profile"


@dataclass(frozen=True, slots=True)
class IntervalsSeen:
    """The newest headers of one chain, as its references name them."""

    headers: tuple[Head, ...]
    """Oldest first; only those count from which links lead to the newest."""


def _pace_seconds(seen: IntervalsSeen) -> float | None:
    """The mean gap between the linked headers; None for fewer than two."""
    headers = linked(seen.headers)
    if not headers[1:]:
        return None
    return (headers[-1].timestamp - headers[0].timestamp) / (headers[-1].number - headers[0].number)


OFFERS: tuple[Offer[IntervalsSeen], ...] = (
    Offer(
        "profile.interval_seconds",
        "seconds",
        "Mean time between the chain's newest blocks, a thousand at most",
        _pace_seconds,
        "quorum",
    ),
    Offer(
        "profile.headers_count",
        "headers",
        "Headers that this is read from",
        lambda seen: float(len(linked(seen.headers))),
        "quorum",
    ),
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one window of headers says."""

    newest: Observation[IntervalsSeen]
    head: Head
    """The newest header."""
    fit: Fit
    drift: Drift | None
    sum: Sum

    @property
    def has_drifted(self) -> bool:
        return self.sum.is_drifted or self.fit.side != "inside"


def judge(
    history: Sequence[Observation[IntervalsSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding of the quorum: DEGRADED where the chain has left its profile.

    UNKNOWN where there are too few headers, or they are not those of the believed chain.
    """
    del now  # The headers' own times are what is judged.
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (_unknown(context, newest.seen.reason, f"not seen: {newest.seen.detail}"),)
    if isinstance(context.reference, NoQuorum):
        return (_unknown(context, "no_quorum", f"no chain to read: {context.reference.words}"),)
    headers = linked(newest.seen.headers)
    strange = _disbelieved(headers, context)
    if strange is not None:
        summary = f"{newest.node} names another block {strange.number} than the majority does"
        return (_unknown(context, "not_believed", summary),)
    gaps = gaps_between(headers)
    fit = refit(policy.profile, gaps)
    if fit is None:
        summary = f"{len(gaps)} gaps between linked headers, and {GAPS_MIN} are needed"
        return (_unknown(context, "too_few_headers", summary),)
    looked_for, state = drift(policy.profile), Sum()
    if looked_for is not None:
        for gap in gaps:
            state = looked_for.step(state, gap)
    reading = _Reading(newest, headers[-1], fit, looked_for, state)
    return (_finding(reading, context, policy),)


def _disbelieved(headers: Sequence[Head], context: Round) -> Head | None:
    """The newest header of which the majority names another hash, if it names one at all."""
    for head in reversed(headers):
        believed = believed_hash(context, head.number)
        if believed is not None:
            return None if believed == head.hash else head
    return None


def _finding(reading: _Reading, context: Round, policy: Policy) -> Finding:
    fit = reading.fit
    beside = f"{fit.words} in {fit.gaps} gaps, where {policy.label} has {fit.allowed_words}"
    summary = f"the chain is as its profile says: {beside}"
    if reading.has_drifted:
        stall = f"quiet from {fit.stall_seconds:.4g} s (not {policy.stall_seconds:.4g} s)"
        lag = f"behind from {fit.lag_blocks} blocks (not {policy.lag_blocks})"
        summary = f"the chain has left its profile: {beside}; by that it is {stall}, {lag}"
    return Finding(
        check=CHECK,
        subject=subject_of(reference_label(context.network)),
        network=context.network,
        level=Level.DEGRADED if reading.has_drifted else Level.OK,
        reason="drifted" if reading.has_drifted else "as_profiled",
        summary=summary,
        measured=fit.value,
        limit=fit.allowed_low if fit.side == "below" else fit.allowed_high,
        unit=fit.unit,
        as_of=reading.head.stamp,
        evidence=_evidence(reading, policy),
    )


def _evidence(reading: _Reading, policy: Policy) -> tuple[Evidence, ...]:
    fit, looked_for = reading.fit, reading.drift
    stamp, source, at = reading.head.stamp, reading.newest.node, reading.newest.at
    found = Evidence(
        source=source,
        method="eth_getBlockByNumber",
        said=f"{fit.words}; from it follow {fit.stall_seconds:.4g} s, {fit.lag_blocks} blocks",
        at=at,
        block=stamp,
        threshold=(
            f"outside {fit.allowed_words} ({policy.label}: p <= {fit.p:.2g} a block, with the "
            f"running sum at most one false alarm in {DRIFT_BUDGET_DAYS:g} days)"
        ),
        p_value=fit.p_value,
    )
    if looked_for is None:
        return (found,)
    reached = ", which has reached its threshold" if reading.sum.is_drifted else ""
    summed = Evidence(
        source=source,
        method="cumulative sum",
        said=f"a running sum of {reading.sum.value:.3g} after {fit.gaps} gaps{reached}",
        at=at,
        block=stamp,
        threshold=looked_for.words,
    )
    return (found, summed)


def _unknown(context: Round, reason: str, summary: str) -> Finding:
    return Finding(
        check=CHECK,
        subject=subject_of(reference_label(context.network)),
        network=context.network,
        level=Level.UNKNOWN,
        reason=reason,
        summary=summary,
    )
