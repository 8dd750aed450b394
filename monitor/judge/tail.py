"""How long the gaps of a chain may become whose model nobody knows: peaks over a threshold.

Whatever the distribution of gaps, what exceeds a high threshold u is nearly generalised Pareto:
P(gap > t) = zeta (1 + xi (t - u) / b)^(-1/xi), with zeta the share that exceeds u (Pickands 1975,
Balkema and de Haan 1974). Scale and shape are fitted by probability-weighted moments, which are
stable for a few dozen exceedances (Hosking and Wallis, Technometrics 29, 1987).

The fit extrapolates: at one gap in a month from an hour of gaps, expect it to be wrong by tens of
per cent either way.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

EXCEEDANCES_MIN = 50
"""Fewer than these are not fitted."""
EXCEEDED_SHARE = 0.05
"""Of the gaps, so many lie above the threshold of the fit, where that is enough of them."""
GAPS_MIN = 10 * EXCEEDANCES_MIN
"""With fewer, what is called the tail would be the whole."""
PLOTTING_SHIFT = 0.35
"""Hosking and Wallis: the i-th smallest of n stands for the quantile (i - 0.35) / n."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The upper tail of a chain's gaps, in seconds."""

    above_seconds: float
    """u: the threshold above which it is fitted."""
    share: float
    """zeta: P(gap > u)."""
    scale_seconds: float
    """b."""
    shape: float
    """xi: 0 is exponential; never below 0, since no sequencer promises a longest gap."""
    longest_seconds: float
    """The longest gap seen."""

    def p_value(self, gap_seconds: float) -> float:
        """P(gap > t); for what is not in the tail, that of its beginning."""
        excess = max(0.0, gap_seconds - self.above_seconds) / self.scale_seconds
        if not self.shape:
            return self.share * math.exp(-excess)
        return self.share * math.exp(-math.log1p(self.shape * excess) / self.shape)

    def gap_seconds(self, p: float) -> float:
        """The gap that is exceeded with probability `p`; never less than the longest seen.

        t = u + (b / xi) ((p / zeta)^-xi - 1).
        """
        rarer = math.log(max(1.0, self.share / p))
        stretched = math.expm1(self.shape * rarer) / self.shape if self.shape else rarer
        return max(self.longest_seconds, self.above_seconds + self.scale_seconds * stretched)


def fit(gaps_seconds: Sequence[float]) -> Tail | None:
    """The tail of these gaps; None where there are too few, or too few above any threshold.

    Of gaps in whole seconds many may equal the threshold; then it is the next lower, unless that
    would make a tail of more than twice the share that is meant.
    """
    if len(gaps_seconds) < GAPS_MIN:
        return None
    ordered = sorted(gaps_seconds)
    wanted = max(EXCEEDANCES_MIN, int(EXCEEDED_SHARE * len(ordered)))
    above = ordered[-wanted - 1]
    first = bisect.bisect_right(ordered, above)
    if len(ordered) - first < EXCEEDANCES_MIN:
        first = bisect.bisect_left(ordered, above)
        above = ordered[max(0, first - 1)]
    count = len(ordered) - first
    if not first or count > 2 * wanted:
        return None
    excesses = [gap - above for gap in ordered[first:]]
    mean = math.fsum(excesses) / count
    weighted = math.fsum(
        (1 - (rank - PLOTTING_SHIFT) / count) * excess
        for rank, excess in enumerate(excesses, start=1)
    )
    spread = mean - 2 * weighted / count
    shape = 2 - mean / spread if spread > 0 else 0.0
    return Tail(
        above_seconds=above,
        share=count / len(ordered),
        scale_seconds=mean * (1 - shape) if shape > 0 else mean,
        shape=max(0.0, shape),
        longest_seconds=ordered[-1],
    )
