"""How long a well-priced transaction waits, and whether transactions still get in at all. Pure.

On a healthy chain each block takes a well-priced, executable transaction with the same probability.
Whether inclusion is worse than that (`Inclusion`) must not be read off finished delays alone: when
nothing is mined any more, no delay is ever finished. So every block counts that could have taken a
transaction, the moment it did not: what still waits has survived it.

Sources: E. S. Page, "Continuous Inspection Schemes", Biometrika 41 (1954), the cumulative sum;
D. Siegmund, "Sequential Analysis" (1985), its run lengths.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

DAY_SECONDS = 86_400.0
INCLUDED_PER_BLOCK = 0.9
"""Assumed, not measured: a tenth of the blocks leave out what pays enough (empty blocks, a head
that a producer built on too early, lists of what a producer will not take)."""
IMPAIRED_SHARE = 0.5
"""What the sum is tuned to see first: inclusion at half of what it should be."""
ALARM_BUDGET_DAYS = 30.0
"""At most one false alarm in this many days, with a transaction waiting all the time."""
INCLUDED_MIN = 0.25
INCLUDED_MAX = 0.999
IMPAIRED_SHARE_MAX = 0.75
"""Beyond these there is nothing to count: below, a block says too little, and above all; nearer to
healthy, impaired inclusion is hardly another thing."""
THRESHOLD_ACCURACY = 1e-3
MASS_LEFT = 1e-12
"""Excursions that are still on their way with less probability than this are not followed."""


@dataclass(frozen=True, slots=True)
class InclusionModel:
    """What is healthy on a chain: its blocks, as its profile has them, and what they take.

    ValueError for numbers with which nothing can be told apart.
    """

    interval_seconds: float
    """Mean gap between blocks (poisson), or the length of a slot (slots)."""
    is_poisson: bool
    miss: float = 0.0
    """slots: probability that a slot stays empty."""
    included_per_block: float = INCLUDED_PER_BLOCK
    """Probability that one block takes one well-priced transaction."""
    impaired_share: float = IMPAIRED_SHARE
    """Of `included_per_block`: what counts as impaired."""
    budget_days: float = ALARM_BUDGET_DAYS

    def __post_init__(self) -> None:
        is_usable = (
            0 < self.interval_seconds < math.inf
            and 0 <= self.miss < 1
            and INCLUDED_MIN <= self.included_per_block <= INCLUDED_MAX
            and 0 < self.impaired_share <= IMPAIRED_SHARE_MAX
            and 1 < self.budget_days * self.blocks_a_day < math.inf
        )
        if not is_usable:
            message = f"no model of inclusion can be made of {self}"
            raise ValueError(message)

    @property
    def blocks_a_day(self) -> float:
        return DAY_SECONDS / self.interval_seconds * (1.0 if self.is_poisson else 1 - self.miss)

    @property
    def gain(self) -> float:
        """What the sum gains with a transaction left out: log((1 - q1) / (1 - q0))."""
        impaired = self.included_per_block * self.impaired_share
        return math.log((1 - impaired) / (1 - self.included_per_block))

    @property
    def loss(self) -> float:
        """What the sum loses with a transaction taken: log(q0 / q1)."""
        return -math.log(self.impaired_share)


def run_length_blocks(model: InclusionModel, threshold: float) -> float:
    """Blocks between two false alarms, on average, with one transaction waiting at each. Exact.

    The sum begins anew whenever it is back at 0. So the mean is that of one excursion's length over
    the probability that it ends at the threshold (Wald), and both are summed over all excursions:
    after t blocks, u of them without inclusion, the sum is u gain - (t - u) loss, and only a few u
    are still between 0 and the threshold.
    """
    gain, loss, left_out = model.gain, model.loss, 1 - model.included_per_block
    alarmed, length, blocks = 0.0, 1.0, 1
    under_way = {1: left_out}
    if gain >= threshold:
        return 1 / left_out
    while (mass := sum(under_way.values())) > MASS_LEFT:
        length += mass
        blocks += 1
        later: dict[int, float] = {}
        for unmined, probability in under_way.items():
            up = probability * left_out
            if (unmined + 1) * gain - (blocks - unmined - 1) * loss >= threshold:
                alarmed += up
            else:
                later[unmined + 1] = later.get(unmined + 1, 0.0) + up
            if unmined * gain > (blocks - unmined) * loss:
                later[unmined] = later.get(unmined, 0.0) + probability - up
        under_way = later
    return length / alarmed if alarmed else math.inf


@cache
def alarm_threshold(model: InclusionModel) -> float:
    """The lowest threshold that keeps to the budget of false alarms.

    It lies below log(blocks of the budget), with which no sum of log-likelihood ratios is too
    quick (Lorden 1971), and is found by bisection.
    """
    budget_blocks = model.budget_days * model.blocks_a_day
    low, high = 0.0, math.log(budget_blocks)
    while high - low > THRESHOLD_ACCURACY:
        middle = (low + high) / 2
        if run_length_blocks(model, middle) < budget_blocks:
            low = middle
        else:
            high = middle
    return high


@dataclass(frozen=True, slots=True)
class Cusum:
    """Page's cumulative sum: evidence that something has changed, never below 0."""

    threshold: float
    value: float = 0.0

    @property
    def is_alarming(self) -> bool:
        return self.value >= self.threshold

    def after(self, log_ratio: float) -> Cusum:
        """The sum with one more log-likelihood ratio.

        It is kept below twice the threshold: an alarm ends with as much good news as it needed bad,
        however long it lasted.
        """
        value = min(2 * self.threshold, max(0.0, self.value + log_ratio))
        return replace(self, value=value)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Whether blocks take an account's transactions as they should: folded block by block."""

    model: InclusionModel
    cusum: Cusum
    blocks: int = 0
    """That could have taken something, since the sum was last at 0."""
    exposed: int = 0
    """Transactions that were waiting and well-priced, counted at each of those blocks."""
    included: int = 0
    """How many of those were taken."""

    @classmethod
    def of(cls, model: InclusionModel) -> Inclusion:
        return cls(model, Cusum(alarm_threshold(model)))

    @property
    def is_alarming(self) -> bool:
        return self.cusum.is_alarming

    def after_block(self, included: int, exposed: int) -> Inclusion:
        """One more block of the network.

        `exposed`: transactions that were live, executable and well-priced before it; `included`:
        how many of these it has. ValueError where it has more than there were.

        A block is one witness, however many wait: it adds the mean of their log-likelihood ratios,
        not the sum. What one block leaves out, it leaves out for one reason (it is empty, say), and
        a sum would raise the alarm at a single empty block when ten wait. The mean keeps to the
        budget however they hang together: E exp(mean) <= mean of E exp = 1 (Jensen).
        """
        if not 0 <= included <= exposed:
            message = f"{included} of {exposed} transactions cannot have been included"
            raise ValueError(message)
        if not exposed:
            return self
        left_out = (exposed - included) / exposed
        ratio = left_out * self.model.gain - (1 - left_out) * self.model.loss
        cusum = self.cusum.after(ratio)
        if not cusum.value:
            return replace(self, cusum=cusum, blocks=0, exposed=0, included=0)
        return replace(
            self,
            cusum=cusum,
            blocks=self.blocks + 1,
            exposed=self.exposed + exposed,
            included=self.included + included,
        )

    @property
    def summary(self) -> str:
        if not self.blocks:
            return "blocks take its transactions as they should"
        seen = f"{self.included} of {self.exposed} times in {self.blocks} blocks"
        if not self.is_alarming:
            return f"blocks took a well-priced transaction {seen}, which may be chance"
        return (
            f"blocks took a well-priced transaction only {seen}: "
            f"chance does that once in {self.model.budget_days:g} days"
        )


@dataclass(frozen=True, slots=True)
class Quantile:
    """A delay that so many per cent do not exceed."""

    seconds: float
    is_at_least: bool
    """Whether it may turn out longer: too many are still waiting to say."""

    @property
    def words(self) -> str:
        return f"{'at least ' if self.is_at_least else ''}{self.seconds:.4g} s"


def quantile(
    mined_seconds: Iterable[float], waiting_seconds: Iterable[float] = (), *, percent: int
) -> Quantile | None:
    """The nearest-rank quantile of delays: the smallest that `percent` % do not exceed.

    Those that still wait take part with their age, a lower bound of their delay; where the rank
    cannot be reached with mined ones alone, the result is a lower bound as well. `percent` from 1
    to 100, else ValueError; None where there are no delays.
    """
    if not 1 <= percent <= 100:  # noqa: PLR2004 - per cent
        message = f"there is no quantile of {percent} %"
        raise ValueError(message)
    mined = sorted(mined_seconds)
    delays = sorted((*mined, *waiting_seconds))
    if not delays:
        return None
    rank = -(-percent * len(delays) // 100)
    seconds = delays[rank - 1]
    return Quantile(seconds, is_at_least=sum(delay <= seconds for delay in mined) < rank)
