"""Whether one node is slower than another, from calls made in turn. Pure.

What the machine does besides falls on both calls of a pair alike, so that the ratio within a pair
says what two series of times would not. A bootstrap needs no assumption on how latencies are
distributed, which no two nodes share (Efron, "Bootstrap Methods", 1979; percentile interval).
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

PAIRS_MIN = 20
"""With fewer, the interval of a median is a guess."""
UNANIMOUS_MIN = 6
"""So few are enough where all say the same: of two nodes alike they do so once in 32 times, or
more seldom (sign test, both sides)."""
RESAMPLES = 1000
CONFIDENCE = 0.95
RATIO_MAX = 1.5
"""A median this many times the baseline's is slower; its lower bound must be above."""
DIFFERENCE_SECONDS_MAX = 0.010
"""Below it nobody is slow: a proxy on the way doubles what takes less than a millisecond."""
SHORTEST_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Pace:
    """How the candidate's calls of one method compare with the baseline's."""

    method: str
    pairs: int
    baseline_seconds: float
    """The median."""
    candidate_seconds: float
    ratio: float
    """The median of the ratios within pairs."""
    lower: float
    """The lower end of the ratio's interval at `CONFIDENCE`, both sides."""
    upper: float
    slow_pairs: int
    """Those in which the candidate was slower by the ratio and the difference that count."""

    @property
    def is_known(self) -> bool:
        """Whether there were enough pairs to say anything; fewer are, where all say the same."""
        is_unanimous = self.slow_pairs in {0, self.pairs}
        return self.pairs >= (UNANIMOUS_MIN if is_unanimous else PAIRS_MIN)

    @property
    def is_slower(self) -> bool:
        """Whether the candidate is slower beyond doubt, and by so much that somebody notices."""
        if self.pairs < PAIRS_MIN:
            return self.is_known and self.slow_pairs == self.pairs
        difference = self.candidate_seconds - self.baseline_seconds
        # Plain comparisons of floats: a numpy.bool_ would never be `False` to an `is`.
        return self.lower > RATIO_MAX and difference > DIFFERENCE_SECONDS_MAX


def pace(method: str, pairs: Sequence[tuple[float, float]], seed: int = 0) -> Pace:
    """(baseline, candidate) seconds of calls made in turn, at least one pair.

    The same seed gives the same interval.
    """
    ratios = [max(b, SHORTEST_SECONDS) / max(a, SHORTEST_SECONDS) for a, b in pairs]
    lower, upper = interval(ratios, seed)
    return Pace(
        method,
        len(pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(ratios),
        lower,
        upper,
        sum(b > RATIO_MAX * a and b - a > DIFFERENCE_SECONDS_MAX for a, b in pairs),
    )


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Where the median lies at `CONFIDENCE`: the middle of the medians of so many resamples."""
    draw = random.Random(seed)  # noqa: S311 - to be replayed, not secret
    count = len(values)
    medians = sorted(statistics.median(draw.choices(values, k=count)) for _ in range(RESAMPLES))
    cut = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    return medians[cut], medians[-1 - cut]
