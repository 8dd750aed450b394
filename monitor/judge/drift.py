"""Has a chain changed its pace? A running sum of log-likelihood ratios, and what it may cost.

Every gap between two blocks says something for or against one stated change: of two models, how
much more likely does it make the changed one. The sum never falls below 0 (Page's CUSUM), and at
a threshold it speaks. The threshold follows from how often that may happen on a chain that has not
changed; it is computed, since the usual bound, e^threshold blocks, is 24 times too low here.

poisson: gaps of 1.5 times the mean. slots: more slots empty. rota: one authority more down than it
bears. None for traffic, whose pace is its users' and changes with the hour, and none for chains
whose blocks come faster than the whole seconds of their timestamps can tell apart.

Sources: E. S. Page, "Continuous Inspection Schemes", Biometrika 41 (1954); D. Siegmund,
"Sequential Analysis" (1985), run lengths by Wald's identities.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

from monitor.judge.chain_profile import Profile
from monitor.judge.profiles import STALL_BUDGET_DAYS, down_in_a_row, rare_gap_seconds

DRIFT_BUDGET_DAYS = STALL_BUDGET_DAYS
"""At most one false "the chain is no longer as its profile says" in this many days."""
TESTS = 2
"""That share the budget: this sum, which sees a change soon, and the window of `refit`."""
SHARE_DAYS = DRIFT_BUDGET_DAYS * TESTS
SLOWER = 1.5
"""poisson: the mean gap that is looked for, in means of the profile."""
MISS_FACTOR = 4.0
MISS_MIN = 0.05
"""slots: the share of empty slots that is looked for, `MISS_FACTOR` times as many or this."""
GAP_SECONDS_MIN = 2.0
"""Timestamps are whole seconds: of faster chains they do not tell a gap from two."""
MASS_LEFT = 1e-11
"""Excursions that are still on their way with less probability than this are not followed."""
THRESHOLD_ACCURACY = 1e-3


@dataclass(frozen=True, slots=True)
class Sum:
    """Evidence of a change: 0 is none."""

    value: float = 0.0
    is_drifted: bool = False
    """From the threshold on, and until the sum is back at 0."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One change that is looked for on one chain, and the sum at which it is said."""

    profile: Profile
    healthy: float
    """poisson: the mean gap in seconds. slots, rota: the probability of a slot or turn missed."""
    shifted: float
    """The same after the change that is looked for."""
    threshold: float
    budget_days: float
    """At least so many days lie between two false alarms, on average."""
    false_alarm_blocks: float
    """Gaps (rota: turns) between two false alarms, on average."""

    @property
    def label(self) -> str:
        """`KEY@VERSION` of the profile."""
        return f"{self.profile.key}@{self.profile.version}"

    def delay_blocks(self, value: float) -> float:
        """Gaps (rota: turns) from a change to `value` until the alarm, on average, from 0.

        `value` is what `shifted` is, and at least as far from `healthy`.
        """
        if self.profile.model == "poisson":
            return exponential_delay(self.threshold, value / self.healthy)
        return bernoulli_run_length(value, gain_loss(self.healthy, self.shifted), self.threshold)

    def delay_seconds(self, value: float) -> float:
        """The same in seconds, since gaps are longer after the change."""
        blocks = self.delay_blocks(value)
        if self.profile.model == "poisson":
            return blocks * value
        kept = 1 - value if self.profile.model == "slots" else 1.0
        return blocks * self.profile.interval_seconds / kept

    @property
    def alarms_a_month(self) -> float:
        """False alarms in 30 days, on average."""
        return self.profile.blocks_a_day * 30 / self.false_alarm_blocks

    def value_words(self, value: float) -> str:
        """What the chain is like at this value: `gaps of 21.8 s`, `5 % of slots empty`."""
        if self.profile.model == "poisson":
            return f"gaps of {value:.4g} s"
        what = "slots empty" if self.profile.model == "slots" else "turns missed"
        return f"{100 * value:.3g} % of {what}"

    @property
    def words(self) -> str:
        """The threshold with its profile, change and budget, as evidence has it."""
        change = f"{self.value_words(self.shifted)} instead of {self.value_words(self.healthy)}"
        return (
            f"a running sum of {self.threshold:.3g} ({self.label}: {change}, "
            f"at most one false alarm in {self.budget_days:g} days)"
        )

    def log_ratio(self, gap_seconds: float) -> float:
        """How much likelier the change makes this gap: ln P(gap | changed) - ln P(gap | healthy).

        One gap is one witness, however long: its causes are one outage, not many. So of a gap that
        is rarer than the stall budget only the rare part counts, of slots only whether the one
        after the last block was empty (they stay empty in runs, which then say no more than one
        does), and of turns no more than are needed to show one more authority down.
        """
        if self.profile.model == "poisson":
            gap = min(gap_seconds, rare_gap_seconds(self.profile))
            slower = 1 / self.healthy - 1 / self.shifted
            return math.log(self.healthy / self.shifted) + gap * slower
        missed = missed_turns(self.profile, gap_seconds)
        gain, loss = gain_loss(self.healthy, self.shifted)
        if self.profile.model == "slots":
            return gain if missed else -loss
        return min(missed, down_in_a_row(self.profile) + 1) * gain - loss

    def step(self, state: Sum, gap_seconds: float) -> Sum:
        """The sum with one more gap. Pure.

        It is not kept above the threshold, so that an alarm ends with as much good news as it
        needed bad, however long it lasted.
        """
        value = min(self.threshold, max(0.0, state.value + self.log_ratio(gap_seconds)))
        is_drifted = value >= self.threshold or (state.is_drifted and value > 0)
        return Sum(value, is_drifted)


def missed_turns(profile: Profile, gap_seconds: float) -> int:
    """How many slots or turns a gap has left out."""
    return max(0, math.floor(gap_seconds / profile.interval_seconds + 0.5) - 1)


def gain_loss(healthy: float, shifted: float) -> tuple[float, float]:
    """What the sum gains with a slot or turn missed, and what it loses with one kept."""
    return math.log(shifted / healthy), math.log((1 - healthy) / (1 - shifted))


def why_none(profile: Profile) -> str:
    """Why a chain has no running sum; empty where it has one."""
    if profile.model == "traffic":
        return "its pace is that of its users, and changes with the hour"
    if profile.interval_seconds < GAP_SECONDS_MIN:
        return "timestamps are whole seconds, which do not tell its gaps apart"
    if profile.model == "rota" and not down_in_a_row(profile):
        return "it bears no authority down"
    return ""


@lru_cache(maxsize=64)
def drift(profile: Profile, budget_days: float = SHARE_DAYS) -> Drift | None:
    """The change that is looked for on this chain; None where `why_none` says why.

    slots: an empty slot is one that follows a block, so that a run of them counts once. rota: what
    its authorities miss no source states, so that a healthy one may miss all that it bears.
    """
    if why_none(profile):
        return None
    budget_blocks = profile.blocks_a_day * budget_days
    if profile.model == "poisson":
        healthy, shifted = profile.interval_seconds, SLOWER * profile.interval_seconds
        threshold = exponential_threshold(budget_blocks)
        false_alarm = exponential_false_alarm(threshold)
    else:
        if profile.model == "slots":
            healthy = profile.miss
            shifted = max(MISS_MIN, min(MISS_FACTOR * healthy, (1 + healthy) / 2))
        else:
            down = down_in_a_row(profile)
            authorities = profile.authorities or 1
            healthy, shifted = down / authorities, (down + 1) / authorities
        threshold = bernoulli_threshold(healthy, shifted, budget_blocks)
        false_alarm = bernoulli_run_length(healthy, gain_loss(healthy, shifted), threshold)
    return Drift(
        profile=profile,
        healthy=healthy,
        shifted=shifted,
        threshold=threshold,
        budget_days=budget_days,
        false_alarm_blocks=false_alarm,
    )


def exponential_threshold(budget_blocks: float) -> float:
    """The threshold with so many gaps between two false alarms, where gaps are exponential.

    With r = `SLOWER` it is ln(blocks (r - 1 - ln r) / r^2); see `exponential_false_alarm`.
    """
    return max(0.0, math.log(budget_blocks * (SLOWER - 1 - math.log(SLOWER)) / SLOWER**2))


def exponential_false_alarm(threshold: float) -> float:
    """Gaps until the sum first reaches the threshold, from 0, on average, where nothing changed.

    With r = `SLOWER` a gap adds an exponential amount, whose mean is r - 1 after the change, less
    ln r. An exponential amount passes the threshold by an exponential one, so that nothing about
    the overshoot is approximate. Wald's identities then give e^h r^2 / (r - 1 - ln r), up to terms
    in h that are nothing beside e^h.
    """
    return math.exp(threshold) * SLOWER**2 / (SLOWER - 1 - math.log(SLOWER))


def exponential_delay(threshold: float, factor: float) -> float:
    """Gaps until the sum first reaches the threshold, where they are `factor` times as long.

    The mean depth that the walk has below its start is the mean wait in a queue M/D/1 (Pollaczek
    and Khinchine), with a service of ln r and arrivals apart by what a gap adds on average.
    """
    gain, loss = factor * (SLOWER - 1) / SLOWER, math.log(SLOWER)
    load = loss / gain
    depth = load * loss / (2 * (1 - load))
    return (threshold + gain - depth) / (gain - loss)


def bernoulli_run_length(
    missed: float, gain_and_loss: tuple[float, float], threshold: float
) -> float:
    """Slots or turns until the sum first reaches the threshold, from 0, on average. Exact.

    `missed`: the probability of a miss. The sum begins anew whenever it is back at 0, so the mean
    is that of one excursion's length over the probability that it ends at the threshold (Wald).
    Both are summed over all excursions: after t turns, u of them missed, the sum is
    u gain - (t - u) loss, and only a few u lie between 0 and the threshold.
    """
    gain, loss = gain_and_loss
    turns, first = 1, 1
    if gain >= threshold:
        return 1 / missed
    under_way = [missed]
    alarmed, length = 0.0, 1.0
    while (mass := math.fsum(under_way)) > MASS_LEFT:
        length += mass
        turns += 1
        spread = [0.0, *under_way, 0.0]
        later = [
            kept * (1 - missed) + before * missed for before, kept in itertools.pairwise(spread)
        ]
        lowest = math.floor(turns * loss / (gain + loss)) + 1
        highest = math.ceil((threshold + turns * loss) / (gain + loss)) - 1
        alarmed += math.fsum(later[max(0, highest + 1 - first) :])
        under_way = later[max(0, lowest - first) : highest + 1 - first]
        first = max(first, lowest)
    return length / alarmed if alarmed else math.inf


def bernoulli_threshold(healthy: float, shifted: float, budget_blocks: float) -> float:
    """The lowest threshold with at least so many slots or turns between two false alarms.

    It lies below ln(blocks), with which no sum of log-likelihood ratios is too quick (Lorden 1971),
    and is found by bisection.
    """
    low, high = 0.0, math.log(budget_blocks)
    while high - low > THRESHOLD_ACCURACY:
        middle = (low + high) / 2
        if bernoulli_run_length(healthy, gain_loss(healthy, shifted), middle) < budget_blocks:
            low = middle
        else:
            high = middle
    return high
