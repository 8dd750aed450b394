"""What a soak saw of the heads: how far behind, whether it catches up, and when. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.canary.comparison import Comparison, Line
from monitor.judge.profiles import Policy
from monitor.model import Unseen

SHARE_MIN = 0.95
"""Of the samples that must lie within the limit."""
OUTSIDE_MIN = 2
"""One odd reading accuses nobody."""
SEEN_SHARE_MIN = 0.5
"""With less of the samples seen nothing is said."""
SIDE_MIN = 2
"""With so many references the second highest head is measured from, which one liar cannot move."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One poll of all; None where a node did not answer."""

    at: float
    baseline: int | None
    candidate: int | None
    references: tuple[int, ...] = ()
    """Of those that answered."""
    baseline_peers: int | Unseen | None = None
    candidate_peers: int | Unseen | None = None

    @property
    def tip(self) -> int | None:
        """What lag is measured from: the references', else the higher of the two."""
        if self.references:
            ranked = sorted(self.references, reverse=True)
            return ranked[1] if len(ranked) >= SIDE_MIN else ranked[0]
        return max(
            (one for one in (self.baseline, self.candidate) if one is not None), default=None
        )


def lags(samples: Sequence[Sample]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(baseline's, candidate's) blocks behind; samples that lack either are left out of it."""
    mine, theirs = [], []
    for sample in samples:
        tip = sample.tip
        if tip is not None and sample.baseline is not None:
            mine.append(max(0, tip - sample.baseline))
        if tip is not None and sample.candidate is not None:
            theirs.append(max(0, tip - sample.candidate))
    return tuple(mine), tuple(theirs)


def head(samples: Sequence[Sample], policy: Policy) -> Comparison:
    """Whether the candidate lags by no more than the baseline did at its worst, or the profile."""
    mine, theirs = lags(samples)
    asked = len(samples)
    if not theirs or len(theirs) < SEEN_SHARE_MIN * asked:
        said = f"its head was seen in {len(theirs)} of {asked} polls"
        return Comparison("head", "unknown", "unseen", said, asked=asked)
    limit = max((policy.lag_blocks - 1, *mine))
    within = sum(lag <= limit for lag in theirs)
    share, outside = within / len(theirs), len(theirs) - within
    whom = "the references" if any(sample.references for sample in samples) else "each other"
    said = (
        f"within {limit} blocks of {whom} in {share:.0%} of {len(theirs)} polls, "
        f"at worst {max(theirs)} behind"
    )
    lines = (
        Line(
            "worst lag, blocks",
            str(max(mine)) if mine else "",
            str(max(theirs)),
        ),
        Line(
            "median lag, blocks",
            f"{statistics.median(mine):g}" if mine else "",
            f"{statistics.median(theirs):g}",
        ),
    )
    if outside >= OUTSIDE_MIN and share < SHARE_MIN:
        return Comparison("head", "fail", "behind", said, lines, asked)
    if outside:
        return Comparison("head", "warn", "behind_once", said, lines, asked)
    return Comparison("head", "pass", "within", said, lines, asked)


def peers(samples: Sequence[Sample]) -> Comparison:
    """Whether the candidate's peers are half the baseline's or more, by the medians."""
    asked = len(samples)
    said_by = {
        "baseline": [one.baseline_peers for one in samples],
        "candidate": [one.candidate_peers for one in samples],
    }
    absent = [
        name
        for name, some in said_by.items()
        if any(isinstance(one, Unseen) and one.reason == "unsupported" for one in some)
    ]
    if absent:
        who = "neither answers" if len(absent) > 1 else f"the {absent[0]} does not serve"
        return Comparison("peers", "skipped", "unsupported", f"{who} net_peerCount", asked=asked)
    mine, theirs = ([n for n in some if isinstance(n, int)] for some in said_by.values())
    if not mine or not theirs:
        who = "candidate" if mine else "baseline"
        said = f"the {who}'s peers were never seen"
        return Comparison("peers", "unknown", "unseen", said, asked=asked)
    wanted, found = statistics.median(mine), statistics.median(theirs)
    lines = (Line("peers, median", f"{wanted:g}", f"{found:g}"),)
    if found * 2 >= wanted:
        said = f"{found:g} peers, the baseline has {wanted:g}"
        return Comparison("peers", "pass", "enough", said, lines, asked)
    said = f"{found:g} peers, fewer than half of the baseline's {wanted:g}"
    return Comparison("peers", "fail", "few_peers", said, lines, asked)


def sync(samples: Sequence[Sample], policy: Policy) -> Comparison:
    """When a candidate that is behind will have caught up; its lag itself is judged by `head`."""
    seen = [(s.at, s.candidate, s.tip) for s in samples if s.candidate is not None]
    whole = [
        (at, number, tip) for at, number, tip in seen if tip is not None and number is not None
    ]
    if not whole:
        return Comparison("sync", "unknown", "unseen", "its head was never seen")
    (first_at, first, first_tip), (at, number, tip) = whole[0], whole[-1]
    remaining, seconds = tip - number, at - first_at
    if remaining < policy.lag_blocks:
        said = f"in sync, at block {number}"
        return Comparison("sync", "pass", "in_sync", said, asked=len(samples))
    if seconds <= 0:
        said = f"{remaining} blocks behind, seen only once"
        return Comparison("sync", "unknown", "seen_once", said, asked=len(samples))
    rate, chain_rate = (number - first) / seconds, (tip - first_tip) / seconds
    eta = eta_seconds(remaining, rate, chain_rate)
    when = "never" if eta is None else f"in {eta / 60:.1f} minutes"
    said = f"{remaining} blocks behind; at this rate it has caught up {when}"
    lines = (Line("blocks a second", f"{chain_rate:.4g} (the chain)", f"{rate:.4g}"),)
    reason = "never" if eta is None else "syncing"
    return Comparison("sync", "warn", reason, said, lines, len(samples))


def eta_seconds(remaining: int, rate: float, chain_rate: float) -> float | None:
    """Until the head is reached, which moves on meanwhile; None is never."""
    return remaining / (rate - chain_rate) if rate > chain_rate else None
