"""Thirty days and more of each chain's own blocks: no more false alarms than the budget says."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest

from monitor.judge.drift import drift, missed_turns
from monitor.judge.profiles import (
    ETHEREUM,
    LAG_P,
    PROFILES,
    Profile,
    confirmations,
    poisson_tail,
    policy,
    rare_gap_seconds,
    reorg_blocks,
)
from monitor.judge.refit import refit
from tests.judge.draws import PAIRS, births, lags, silences
from tests.judge.headers import Gaps, crossings, gaps_of, ratios

SLOTS = [profile for profile in PROFILES.values() if profile.model == "slots"]
COUNTED = [profile for profile in PROFILES.values() if profile.fork_rate]
MONTHS = 24
WINDOW = 1024
"""Headers that are looked at together."""
RUN = 7
"""The longest run of empty slots on mainnet's record (reldo.dev, 2026-02-02)."""
RUNS_A_MONTH = 4
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def most(expected: float) -> int:
    """More than this many come once in a thousand, where `expected` are the mean."""
    return next(k for k in itertools.count() if poisson_tail(k + 1, expected) < 1e-3)


def say(figure: str) -> None:
    """For whoever runs this with -s: what was found."""
    sys.stdout.write(figure + "\n")


def drawn(profile: Profile, month: int) -> np.random.Generator:
    return np.random.default_rng([month, *profile.key.encode()])


def stalls(profile: Profile, months: int, *, pairs: float = 1.0) -> int:
    """How many silences of so many months would be said to be a stall."""
    found = 0
    for month in range(months):
        draw = drawn(profile, month)
        seen = silences(profile, births(profile, draw, pairs=pairs), draw)
        found += int(np.count_nonzero(seen >= policy(profile).stall_seconds))
    return found


@every_profile
def test_stalls_of_thirty_healthy_days_are_within_the_budget(profile: Profile) -> None:
    """One in thirty days on average, and so seldom more than a few; of a rota none."""
    found = stalls(profile, 1)
    say(f"{profile.key}: {found} in 30 days, silent from {policy(profile).stall_seconds:.4g} s")
    assert found <= (0 if profile.model == "rota" else most(1))


@pytest.mark.wide
@every_profile
def test_stalls_of_two_healthy_years_are_within_the_budget(profile: Profile) -> None:
    """The same for long enough that a budget spent twice would show."""
    found = stalls(profile, MONTHS)
    say(f"{profile.key}: {found} in {MONTHS} months of 30 days")
    assert found <= (0 if profile.model == "rota" else most(MONTHS))


@pytest.mark.parametrize("profile", SLOTS, ids=lambda p: p.key)
def test_stalls_where_empty_slots_come_in_pairs_are_within_the_budget(profile: Profile) -> None:
    """Empty slots attract each other: twice as many pairs as chance would make."""
    found = stalls(profile, 1, pairs=PAIRS)
    say(f"{profile.key}: {found} in 30 days, with {PAIRS} times the pairs")
    assert found <= most(1)


def test_stall_of_seven_empty_slots_is_one_alarm_of_the_network() -> None:
    """The longest run on mainnet's record is said once, and no gap beside it is."""
    draw = drawn(ETHEREUM, 0)
    born = births(ETHEREUM, draw, pairs=PAIRS)
    quiet = np.concatenate([born[:1000], born[1000:] + 7 * ETHEREUM.interval_seconds])
    seen = silences(ETHEREUM, quiet, draw)
    assert np.flatnonzero(seen >= policy(ETHEREUM).stall_seconds).tolist() == [999]


def with_runs(profile: Profile, gaps: Gaps, draw: np.random.Generator) -> Gaps:
    """The same month with a few long runs of empty slots besides its own."""
    longer = gaps.copy()
    where = draw.choice(gaps.size, RUNS_A_MONTH, replace=False)
    longer[where] += np.int64(RUN * profile.interval_seconds)
    return longer


def worst_windows(profile: Profile, gaps: Gaps) -> list[Gaps]:
    """Of all windows of a month: the fastest, the slowest, and the one that misses most."""
    longest = rare_gap_seconds(profile)
    lengths, where = np.unique(gaps, return_inverse=True)
    missed = np.array([min(1, missed_turns(profile, float(s))) for s in lengths])[where]
    found = []
    for counted in (np.minimum(gaps, longest), -np.minimum(gaps, longest), -missed):
        total = np.concatenate([[0.0], np.cumsum(counted)])
        first = int(np.argmin(total[WINDOW:] - total[:-WINDOW]))
        found.append(gaps[first : first + WINDOW])
    return found


def left_profile(profile: Profile, gaps: Gaps) -> int:
    """How many of a month's worst windows are said to have left the profile."""
    fits = [refit(profile, window.tolist()) for window in worst_windows(profile, gaps)]
    return sum(fit is not None and fit.side != "inside" for fit in fits)


def drifts(profile: Profile, gaps: Gaps) -> int:
    """How often the running sum of these gaps would be said to be a drift."""
    looked_for = drift(profile)
    if looked_for is None:
        return 0
    return len(crossings(ratios(looked_for, gaps), looked_for.threshold))


@every_profile
def test_drifts_of_thirty_healthy_days_are_within_the_budget(profile: Profile) -> None:
    """The sum speaks every other month on average, and no window is ever outside."""
    gaps = gaps_of(births(profile, drawn(profile, 0)))
    found, outside = drifts(profile, gaps), left_profile(profile, gaps)
    say(f"{profile.key}: {found} drifts in 30 days, {outside} of the worst windows outside")
    assert found <= most(0.5)
    assert not outside


@pytest.mark.wide
@every_profile
def test_drifts_of_two_healthy_years_are_within_the_budget(profile: Profile) -> None:
    """The same for long enough that a budget spent twice would show."""
    months = [gaps_of(births(profile, drawn(profile, month))) for month in range(MONTHS)]
    found = sum(drifts(profile, gaps) for gaps in months)
    outside = sum(left_profile(profile, gaps) for gaps in months)
    say(f"{profile.key}: {found} drifts in {MONTHS} months, {outside} windows outside")
    assert found + outside <= most(MONTHS)
    assert found <= most(MONTHS / 2)


@pytest.mark.parametrize("profile", SLOTS, ids=lambda p: p.key)
def test_drifts_where_empty_slots_come_in_pairs_and_runs_are_within_the_budget(
    profile: Profile,
) -> None:
    """Twice the pairs, and a run of seven each week: a run counts once, so that nothing changes."""
    draw = drawn(profile, 0)
    gaps = with_runs(profile, gaps_of(births(profile, draw, pairs=PAIRS)), draw)
    found, outside = drifts(profile, gaps), left_profile(profile, gaps)
    say(f"{profile.key}: {found} drifts in 30 days, {outside} outside, with pairs and runs")
    assert found <= most(0.5)
    assert not outside


@pytest.mark.parametrize("key", ["ethereum", "polygon"])
def test_drift_that_counted_every_empty_slot_would_break_the_budget(key: str) -> None:
    """Why a run counts once: else each is an alarm, though the chain is as it always was."""
    profile = PROFILES[key]
    looked_for = drift(profile)
    assert looked_for is not None
    draw = drawn(profile, 0)
    gaps = with_runs(profile, gaps_of(births(profile, draw, pairs=PAIRS)), draw)
    once = looked_for.log_ratio(2 * profile.interval_seconds)
    kept = looked_for.log_ratio(profile.interval_seconds)
    empty = np.maximum(0, np.rint(gaps / profile.interval_seconds) - 1)
    assert len(crossings(empty * once + kept, looked_for.threshold)) >= RUNS_A_MONTH


@every_profile
def test_lags_of_thirty_healthy_days_are_within_the_budget(profile: Profile) -> None:
    """With every reading a whole skew late: as rare as said, and never twice in a row."""
    rules = policy(profile)
    read = lags(profile, births(profile, drawn(profile, 0)), rules.poll_seconds)
    behind = read >= rules.lag_blocks
    found = int(np.count_nonzero(behind))
    say(f"{profile.key}: {found} of {read.size} readings, {read.max()} blocks at most")
    assert found <= (most(LAG_P * read.size) if profile.model in {"poisson", "traffic"} else 0)
    assert not np.any(behind[1:] & behind[:-1])


@pytest.mark.parametrize("profile", COUNTED, ids=lambda p: p.key)
def test_reorgs_of_thirty_healthy_days_are_within_the_budget(profile: Profile) -> None:
    """A month's own reorgs are warned of once at most on average, and are no forks."""
    draw = drawn(profile, 0)
    assert profile.fork_rate
    count = draw.binomial(int(30 * profile.blocks_a_day), profile.fork_rate)
    depths = draw.geometric(1 - profile.fork_ratio, count)
    warned = int(np.count_nonzero(depths >= reorg_blocks(profile)))
    say(f"{profile.key}: {count} reorgs in 30 days, {depths.max()} deep at most, {warned} warned")
    assert warned <= most(1)
    assert depths.max() < confirmations(profile)
