"""What a soak saw of the heads: how far behind, whether it catches up, and when. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from monitor.canary.comparison import Comparison, Line
from monitor.judge.profiles import Policy
from monitor.model import Unseen

SHARE_MIN = 0.95
"""Of the polls in which the candidate must be within the limit."""
OUTSIDE_MIN = 2
"""One odd reading accuses nobody, and sets no limit."""
SEEN_SHARE_MIN = 0.5
"""With less of the polls seen nothing is said."""
UNSERVED = frozenset({"unsupported", "rpc_error"})
"""Reasons of an Unseen that are answers: the node was asked, and has no such thing."""
SIDE_MIN = 2
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

    @property
    def is_measured(self) -> bool:
        """Whether somebody beside the candidate was seen: alone it is behind nobody."""
        return bool(self.references) or self.baseline is not None

    @property
    def baseline_lag(self) -> int | None:
        """In blocks; None where it was not seen, or nobody beside it."""
        if self.tip is None or self.baseline is None:
            return None
        is_measured = bool(self.references) or self.candidate is not None
        return max(0, self.tip - self.baseline) if is_measured else None

    @property
    def candidate_lag(self) -> int | None:
        """The same of the candidate."""
        if self.tip is None or self.candidate is None or not self.is_measured:
            return None
        return max(0, self.tip - self.candidate)


def odd_count(polls: int) -> int:
    """So many of them may be odd, of either node: one, and of many the rest of `SHARE_MIN`."""
    return max(OUTSIDE_MIN - 1, int(polls * (1 - SHARE_MIN)))


def limit_blocks(mine: Sequence[int], policy: Policy) -> int:
    """So far behind a candidate may be: as the profile allows, or as the baseline was.

    Not at its worst: what of the baseline's lags may be odd is left out.
    """
    ranked = sorted(mine, reverse=True)
    usual = ranked[min(odd_count(len(ranked)), len(ranked) - 1)] if ranked else 0
    return max(policy.lag_blocks - 1, usual)


def head(samples: Sequence[Sample], policy: Policy) -> Comparison:
    """Whether the candidate lags by no more than the baseline usually did, or the profile allows.

    Of the polls in which somebody else was seen; without an answer it is not within the limit.
    """
    asked = len(samples)
    measured = [one for one in samples if one.is_measured]
    if not measured or len(measured) < SEEN_SHARE_MIN * asked:
        said = f"something to measure its head by was seen in {len(measured)} of {asked} polls"
        return Comparison("head", "unknown", "unseen", said, asked=asked)
    mine = [lag for one in samples if (lag := one.baseline_lag) is not None]
    theirs = [lag for one in measured if (lag := one.candidate_lag) is not None]
    limit, silent = limit_blocks(mine, policy), len(measured) - len(theirs)
    behind = sum(lag > limit for lag in theirs)
    outside = behind + silent
    share = 1 - outside / len(measured)
    whom = "the references" if any(sample.references for sample in samples) else "each other"
    said = f"within {limit} blocks of {whom} in {share:.0%} of {len(measured)} polls"
    said += f", at worst {max(theirs)} behind" if theirs else ""
    said += f", without an answer in {silent}" if silent else ""
    lines = (
        _line("worst lag, blocks", max, mine, theirs),
        _line("median lag, blocks", statistics.median, mine, theirs),
    )
    reason = "behind" if behind else "silent"
    if outside > odd_count(len(measured)):
        return Comparison("head", "fail", reason, said, lines, asked)
    if outside > sum(lag > limit for lag in mine):
        return Comparison("head", "warn", f"{reason}_once", said, lines, asked)
    return Comparison("head", "pass", "within", said, lines, asked)


def _line(
    what: str, of: Callable[[Sequence[int]], float], mine: Sequence[int], theirs: Sequence[int]
) -> Line:
    """A line of both; empty where a node was never seen."""
    return Line(what, *(f"{of(some):.10g}" if some else "" for some in (mine, theirs)))


def peers(samples: Sequence[Sample]) -> Comparison:
    """Whether the candidate's peers are half the baseline's or more, by the medians."""
    asked = len(samples)
    said_by = {
        "baseline": [one.baseline_peers for one in samples],
        "candidate": [one.candidate_peers for one in samples],
    }
    mine, theirs = ([n for n in some if isinstance(n, int)] for some in said_by.values())
    if all(_is_unserved(some, UNSERVED) for some in said_by.values()):
        said = "neither answers net_peerCount"
        return Comparison("peers", "skipped", "unsupported", said, asked=asked)
    absent = [name for name, some in said_by.items() if _is_unserved(some, {"unsupported"})]
    if absent:
        said = f"the {absent[0]} does not serve net_peerCount"
        return Comparison("peers", "skipped", "unsupported", said, asked=asked)
    if min(len(mine), len(theirs)) < SEEN_SHARE_MIN * asked or not asked:
        who, seen = ("baseline", mine) if len(mine) <= len(theirs) else ("candidate", theirs)
        said = f"the {who}'s peers were seen in {len(seen)} of {asked} polls"
        return Comparison("peers", "unknown", "unseen", said, asked=asked)
    wanted, found = statistics.median(mine), statistics.median(theirs)
    lines = (Line("peers, median", f"{wanted:g}", f"{found:g}"),)
    if found * 2 >= wanted:
        said = f"{found:g} peers, the baseline has {wanted:g}"
        return Comparison("peers", "pass", "enough", said, lines, asked)
    said = f"{found:g} peers, fewer than half of the baseline's {wanted:g}"
    return Comparison("peers", "fail", "few_peers", said, lines, asked)


def _is_unserved(some: Sequence[int | Unseen | None], reasons: Container[str]) -> bool:
    """Whether a node never answered, and once at least for such a reason."""
    is_served = any(isinstance(one, int) for one in some)
    return not is_served and any(isinstance(one, Unseen) and one.reason in reasons for one in some)


def sync(samples: Sequence[Sample], policy: Policy) -> Comparison:
    """When a candidate that is behind will have caught up, by the last poll.

    Its lag over time is judged by `head`.
    """
    if not samples or samples[-1].candidate_lag is None:
        is_measured = bool(samples) and samples[-1].is_measured
        said = "its head was not seen" if is_measured else "nothing to measure its head by was seen"
        said += " in the last poll"
        return Comparison("sync", "unknown", "unseen", said, asked=len(samples))
    whole = [
        (one.at, one.candidate, one.tip)
        for one in samples
        if one.is_measured and one.candidate is not None and one.tip is not None
    ]
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
