"""What the last headers say of a chain's pace, and whether its profile still holds. Pure.

A profile is believed beforehand; the headers are what is. One number is estimated, the one that
the thresholds follow from, with an interval that holds it with all but a stated probability. Where
the interval and what the profile allows do not meet, reality has left the profile.

One trial is made with every new block, and each spends its share of the budget, so that windows
which overlap need no correction. Only the timestamps of headers that are linked count, and these
are whole seconds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from monitor.judge.chain_profile import DAY_SECONDS, Profile
from monitor.judge.drift import GAP_SECONDS_MIN, SHARE_DAYS, missed_turns
from monitor.judge.profiles import (
    STALL_BUDGET_DAYS,
    down_in_a_row,
    lag_blocks,
    poisson_tail,
    predictive_gap_seconds,
    rare_gap_seconds,
    stall_p,
    stall_seconds,
)
from monitor.judge.tail import fit
from monitor.model import Head

GAPS_MIN = 64
"""With fewer gaps nothing is estimated."""
RESOLUTION_SECONDS = 1.0
"""Of a header's timestamp, and so how wrong the time between two of them may be."""
ON_GRID_SHARE = 0.05
"""The length of a slot or turn is the gap that so many do not exceed: a few may be out of step."""
DESIGN_EFFECT = 2
"""Misses counted in bulk attract each other, and so say at most half of what they seem to."""
BISECTIONS = 60

Side = Literal["inside", "below", "above"]


@dataclass(frozen=True, slots=True)
class Fit:
    """One number of a chain as its headers have it, beside what its profile allows."""

    what: str
    """In words: `mean gap`, `slots empty`, `turns missed`, `slot`, `turn`."""
    unit: Literal["seconds", "share"]
    value: float
    low: float
    high: float
    """The true value is not between `low` and `high` with probability `p` at most."""
    allowed_low: float
    allowed_high: float
    """What the profile says, or from where to where its thresholds hold."""
    p: float
    p_value: float | None
    """P(a chain as the profile has it looks at least so different); None where it never does."""
    gaps: int
    stall_seconds: float
    lag_blocks: int
    """The thresholds that follow from `value` instead of the profile's."""

    @property
    def side(self) -> Side:
        """On which side of the profile reality is; inside where the two intervals meet."""
        if self.low > self.allowed_high:
            return "above"
        return "below" if self.high < self.allowed_low else "inside"

    @property
    def words(self) -> str:
        """`mean gap 21.9 s (18.9 s to 25.6 s)`."""
        interval = f"{amount(self.low, self.unit)} to {amount(self.high, self.unit)}"
        return f"{self.what} {amount(self.value, self.unit)} ({interval})"

    @property
    def allowed_words(self) -> str:
        """What the profile allows: `14.55 s`, `at most 0.3 %`, `0.25 s to 1.86 s`."""
        high = amount(self.allowed_high, self.unit)
        if self.allowed_low == self.allowed_high:
            return high
        if not self.allowed_low:
            return f"at most {high}"
        return f"{amount(self.allowed_low, self.unit)} to {high}"


def amount(value: float, unit: str) -> str:
    """A number with its unit: `14.55 s`, `0.3 %`."""
    return f"{100 * value:.3g} %" if unit == "share" else f"{value:.4g} s"


def linked(headers: Sequence[Head]) -> tuple[Head, ...]:
    """The newest headers that each name the one before as their parent; oldest first.

    A header whose timestamp lies before its parent's is no block of any chain, and ends the run.
    """
    run: list[Head] = []
    for head in reversed(headers):
        if run and (head.hash != run[-1].parent_hash or head.timestamp > run[-1].timestamp):
            break
        run.append(head)
    return tuple(reversed(run))


def gaps_between(headers: Sequence[Head]) -> tuple[int, ...]:
    """The seconds between each header and the next; 0 where blocks share a timestamp."""
    return tuple(
        after.timestamp - before.timestamp for before, after in itertools.pairwise(headers)
    )


def refit(profile: Profile, gaps: Sequence[int], p: float | None = None) -> Fit | None:
    """The profile's number as these gaps have it; None with fewer than `GAPS_MIN` of them.

    `p`: the probability that an unchanged chain is said to have left its profile; the share of the
    budget that one block has, where it is not given.
    """
    if len(gaps) < GAPS_MIN:
        return None
    p = stall_p(profile, SHARE_DAYS) if p is None else p
    if profile.model == "poisson":
        return _poisson(profile, gaps, p)
    if profile.model == "traffic":
        return _traffic(profile, gaps, p)
    if profile.interval_seconds < GAP_SECONDS_MIN:
        return _fast(profile, gaps, p)
    period = sorted(gaps)[int(ON_GRID_SHARE * len(gaps))]
    if abs(period - profile.interval_seconds) >= RESOLUTION_SECONDS:
        return _period(profile, len(gaps), float(period), p)
    return _missed(profile, gaps, p)


def _poisson(profile: Profile, gaps: Sequence[int], p: float) -> Fit:
    """The mean of exponential gaps: their sum, in means, is Gamma(n, 1).

    A gap that is rarer than the stall budget counts as one that is not: it is a stall, and would
    change the mean for as long as it is in the window.
    """
    longest, count = rare_gap_seconds(profile), len(gaps)
    total = max(RESOLUTION_SECONDS, math.fsum(min(gap, longest) for gap in gaps))
    least, most = gamma_bounds(count, p)
    as_long = 1 - poisson_tail(count, total / profile.interval_seconds)
    mean = total / count
    fitted = replace(profile, interval_seconds=mean)
    return Fit(
        what="mean gap",
        unit="seconds",
        value=mean,
        low=total / most,
        high=total / least,
        allowed_low=profile.interval_seconds,
        allowed_high=profile.interval_seconds,
        p=p,
        p_value=2 * min(as_long, 1 - as_long),
        gaps=count,
        stall_seconds=stall_seconds(fitted),
        lag_blocks=lag_blocks(fitted),
    )


def _missed(profile: Profile, gaps: Sequence[int], p: float) -> Fit:
    """The share of slots or turns that are missed, exactly (Clopper and Pearson, 1934).

    slots: of those that follow a block, as in `drift`, so that a run of them counts once. rota: of
    all turns; a healthy one may miss what it bears, since no source states what it does.
    """
    missed = [missed_turns(profile, gap) for gap in gaps]
    if profile.model == "slots":
        count, trials, allowed = sum(turns > 0 for turns in missed), len(gaps), profile.miss
    else:
        down = down_in_a_row(profile)
        count = sum(min(turns, down + 1) for turns in missed)
        trials, allowed = len(gaps) + count, down / (profile.authorities or 1)
    what = "slots empty" if profile.model == "slots" else "turns missed"
    return _share(profile, (count, trials), allowed=allowed, p=p, what=what, gaps=len(gaps))


def _fast(profile: Profile, gaps: Sequence[int], p: float) -> Fit:
    """Slots or turns faster than timestamps show: in all of the time, how many had no block."""
    elapsed = sum(gaps)
    if is_too_fast(profile, gaps):
        return _period(profile, len(gaps), elapsed / len(gaps), p)
    turns = math.floor((elapsed - RESOLUTION_SECONDS) / profile.interval_seconds)
    count = max(0, turns - len(gaps)) // DESIGN_EFFECT
    trials = count + len(gaps) // DESIGN_EFFECT
    what = "slots empty" if profile.model == "slots" else "turns missed"
    allowed = profile.miss
    if profile.model == "rota":
        allowed = down_in_a_row(profile) / (profile.authorities or 1)
    return _share(profile, (count, trials), allowed=allowed, p=p, what=what, gaps=len(gaps))


def _share(
    profile: Profile, counted: tuple[int, int], *, allowed: float, p: float, what: str, gaps: int
) -> Fit:
    count, trials = counted
    low, high = share_bounds(count, trials, p)
    likely = (count + 0.5) / (trials + 1)  # Jeffreys: none of a few is not never
    if profile.model == "slots":
        fitted = stall_seconds(replace(profile, miss=likely))
    else:
        down = max(down_in_a_row(profile), round(likely * (profile.authorities or 1)))
        fitted = profile.arrival_seconds + (down + 2) * profile.interval_seconds
    return Fit(
        what=what,
        unit="share",
        value=count / trials,
        low=low,
        high=high,
        allowed_low=0.0,
        allowed_high=allowed,
        p=p,
        p_value=binomial_tail(count, trials, allowed),
        gaps=gaps,
        stall_seconds=fitted,
        lag_blocks=lag_blocks(profile),
    )


def is_too_fast(profile: Profile, gaps: Sequence[int]) -> bool:
    """Whether more blocks came than the profile's least gap leaves time for."""
    return sum(gaps) + RESOLUTION_SECONDS < len(gaps) * profile.interval_seconds


def _period(profile: Profile, gaps: int, period: float, p: float) -> Fit:
    """Another slot, turn or least gap than the profile's: no chain leaves its own by chance."""
    seconds = max(period, RESOLUTION_SECONDS / gaps)
    fitted = replace(profile, interval_seconds=seconds)
    return Fit(
        what={"slots": "slot", "rota": "turn"}.get(profile.model, "least gap"),
        unit="seconds",
        value=seconds,
        low=seconds,
        high=seconds,
        allowed_low=profile.interval_seconds,
        allowed_high=profile.interval_seconds,
        p=p,
        p_value=None,
        gaps=gaps,
        stall_seconds=stall_seconds(fitted),
        lag_blocks=lag_blocks(fitted),
    )


def _traffic(profile: Profile, gaps: Sequence[int], p: float) -> Fit:
    """The mean gap of a chain whose pace is its users': most of what it may be is as profiled.

    Faster than the least gap it cannot be: its lag threshold is that of the least gap. Slower it
    may be, until even steady traffic would reach the stall threshold more often than the budget
    has it.
    """
    count, elapsed = len(gaps), float(sum(gaps))
    if is_too_fast(profile, gaps):
        return _period(profile, count, elapsed / count, p)
    least, most = gamma_bounds(count, p)
    rarity = -math.log(stall_p(profile))
    quietest = (stall_seconds(profile) - profile.arrival_seconds) / rarity
    mean = elapsed / count
    gap = traffic_gap_seconds(profile, gaps)
    return Fit(
        what="mean gap",
        unit="seconds",
        value=mean,
        low=(elapsed - RESOLUTION_SECONDS) / most,
        high=(elapsed + RESOLUTION_SECONDS) / least,
        allowed_low=profile.interval_seconds,
        allowed_high=quietest,
        p=p,
        p_value=None,
        gaps=count,
        stall_seconds=max(profile.silence_seconds, profile.arrival_seconds + gap),
        lag_blocks=lag_blocks(replace(profile, interval_seconds=mean)),
    )


def traffic_gap_seconds(
    profile: Profile, gaps: Sequence[float], budget_days: float = STALL_BUDGET_DAYS
) -> float:
    """The gap that this traffic makes once in the budget's days.

    From the tail of the gaps, where there are enough of them above its threshold; else from their
    number and sum and the profile's prior, for traffic that is steady.
    """
    elapsed = max(math.fsum(gaps), RESOLUTION_SECONDS)
    blocks = DAY_SECONDS / elapsed * len(gaps) * budget_days
    tail = fit(gaps)
    if tail is not None:
        return tail.gap_seconds(1 / blocks) + RESOLUTION_SECONDS
    return predictive_gap_seconds(1 / blocks, profile.interval_seconds, len(gaps), elapsed)


def binomial_tail(count: int, trials: int, p: float) -> float:
    """P(X >= count) for X ~ Binomial(trials, p), 0 < p < 1, summed from its largest term.

    Up to the mean the terms below `count` are summed instead, as in `poisson_tail`.
    """
    if count <= 0 or count > trials:
        return 1.0 if count <= 0 else 0.0
    is_above = count > trials * p
    k = count if is_above else count - 1
    choose = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
    term = math.exp(choose + k * math.log(p) + (trials - k) * math.log1p(-p))
    odds, total = p / (1 - p), 0.0
    while term > total * 1e-17:
        total += term
        term *= (trials - k) / (k + 1) * odds if is_above else k / (trials - k + 1) / odds
        k += 1 if is_above else -1
    return min(1.0, total) if is_above else max(0.0, 1 - total)


@lru_cache(maxsize=256)
def share_bounds(count: int, trials: int, p: float) -> tuple[float, float]:
    """Between which a probability lies, with all but `p`, that gave `count` of `trials`."""

    def least(seen: int) -> float:
        if not seen:
            return 0.0
        return _first(lambda q: binomial_tail(seen, trials, q) >= p / 2, 0.0, 1.0)

    return least(count), 1 - least(trials - count)


@lru_cache(maxsize=256)
def gamma_bounds(count: int, p: float) -> tuple[float, float]:
    """Between which the sum of `count` exponential gaps of mean 1 lies, with all but `p`.

    P(sum <= x) = P(Poisson(x) >= count).
    """
    most = count + 20 * math.sqrt(count) + 60
    low = _first(lambda x: poisson_tail(count, x) >= p / 2, 0.0, most)
    high = _first(lambda x: 1 - poisson_tail(count, x) <= p / 2, 0.0, most)
    return low, high


def _first(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where a claim that holds from some number on begins to, by bisection."""
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
