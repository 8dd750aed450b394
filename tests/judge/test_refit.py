"""What headers say of a chain's pace: exact intervals, and both sides of every bound."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.profiles import (
    DEV,
    ETHEREUM,
    ETHEREUM_2018,
    PROFILES,
    Profile,
    down_in_a_row,
    lag_blocks,
    override,
    predictive_gap_seconds,
    rare_gap_seconds,
    stall_p,
    stall_seconds,
)
from monitor.judge.refit import (
    GAPS_MIN,
    Fit,
    binomial_tail,
    gamma_bounds,
    gaps_between,
    linked,
    refit,
    share_bounds,
    traffic_gap_seconds,
)
from monitor.model import Head
from tests.judge.draws import births
from tests.judge.headers import gaps_of, headers

ARBITRUM, BELLECOUR, SEPOLIA = (PROFILES[key] for key in ("arbitrum", "bellecour", "sepolia"))
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def fit_of(profile: Profile, gaps: Sequence[int], p: float | None = None) -> Fit:
    found = refit(profile, gaps, p)
    assert found is not None
    return found


def slots(missed: int, count: int = 1000, *, slot: int = 12) -> list[int]:
    """Gaps of which so many have one empty slot, spread evenly."""
    step = count // missed if missed else count + 1
    marked = set(range(0, step * missed, step))
    return [2 * slot if index in marked else slot for index in range(count)]


def drawn(profile: Profile, count: int = 1024) -> list[int]:
    draw = np.random.default_rng([5, *profile.key.encode()])
    gaps: list[int] = gaps_of(births(profile, draw))[:count].tolist()
    return gaps


CHAIN = headers([12, 12, 24])
OTHER = headers([12], branch="other")


BACK = replace(CHAIN[2], timestamp=CHAIN[1].timestamp - 1)
LEVEL = replace(CHAIN[2], timestamp=CHAIN[1].timestamp)


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ((), ()),
        (CHAIN[:1], CHAIN[:1]),
        (CHAIN, CHAIN),
        ((CHAIN[0], *CHAIN[2:]), CHAIN[2:]),
        ((*OTHER, CHAIN[-1]), CHAIN[-1:]),
        ((*CHAIN[:2], BACK, CHAIN[3]), (BACK, CHAIN[3])),
        ((*CHAIN[:2], LEVEL, CHAIN[3]), (*CHAIN[:2], LEVEL, CHAIN[3])),
    ],
    ids=("none", "one", "all", "a hole", "another chain", "time goes back", "a shared time"),
)
def test_linked_headers_are_the_newest_that_name_each_other(
    some: tuple[Head, ...], expected: tuple[Head, ...]
) -> None:
    """What lies behind a hole, a strange parent or a time that goes back does not count."""
    assert linked(some) == expected


def test_gaps_between_headers_are_those_of_their_timestamps() -> None:
    """Zero where blocks share one."""
    assert gaps_between(headers([12, 0, 24])) == (12, 0, 24)
    assert gaps_between(CHAIN[:1]) == gaps_between(()) == ()


@pytest.mark.parametrize("p", [Fraction(1, 1000), Fraction(1, 20), Fraction(2, 3)])
def test_binomial_tail_agrees_with_the_sum_of_its_terms(p: Fraction) -> None:
    """In exact fractions, on both sides of the mean."""
    trials = 60
    terms = [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]
    for count in (-1, 0, 1, 2, 3, 4, 20, 40, 41, 59, 60, 61):
        exact = float(sum(terms[max(0, count) :]))
        assert binomial_tail(count, trials, float(p)) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize(
    ("count", "trials", "low", "high"),
    [
        (5, 100, 0.016432, 0.112835),
        (0, 100, 0.0, 0.036217),
        (100, 100, 0.963783, 1.0),
        (1, 2, 0.012579, 0.987421),
    ],
)
def test_share_bounds_are_those_of_clopper_and_pearson(
    count: int, trials: int, low: float, high: float
) -> None:
    """The published 95 % intervals."""
    assert share_bounds(count, trials, 0.05) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(1, 0.025318, 3.688879), (10, 4.795389, 17.084803)]
)
def test_gamma_bounds_are_half_of_the_chi_square_s(count: int, low: float, high: float) -> None:
    """With 2n degrees of freedom: 2.5 % and 97.5 % of the published table."""
    assert gamma_bounds(count, 0.05) == pytest.approx((low, high), abs=1e-5)


def test_interval_of_exponential_gaps_holds_the_true_mean() -> None:
    """At 20 %, over a thousand windows: one in five leaves it out, give or take chance."""
    draw = np.random.default_rng(11)
    outside = 0
    for _ in range(1000):
        gaps = np.diff(np.floor(np.cumsum(draw.exponential(14.55, 201)))).astype(int).tolist()
        outside += fit_of(ETHEREUM_2018, gaps, 0.2).side != "inside"
    assert outside == pytest.approx(200, abs=45)


def test_interval_of_empty_slots_holds_the_true_share() -> None:
    """Exact means at least: at 20 %, one side of it is left out by no more than one in ten."""
    draw = np.random.default_rng(12)
    counts = draw.binomial(500, SEPOLIA.miss, 1000)
    outside = sum(fit_of(SEPOLIA, slots(int(n), 500), 0.2).side == "above" for n in counts)
    assert 30 < outside <= 120


@every_profile
def test_refit_of_its_own_gaps_leaves_a_profile_as_it_is(profile: Profile) -> None:
    """Reality as the profile has it is inside, and so is what follows from it."""
    fit = fit_of(profile, drawn(profile))
    assert fit.side == "inside"
    assert fit.low <= fit.value <= fit.high
    assert fit.p == stall_p(profile, 60)
    assert fit.gaps == 1024
    assert fit.p_value is None or 1e-4 < fit.p_value <= 1
    if profile.model == "traffic":
        assert profile.arrival_seconds < fit.stall_seconds < stall_seconds(profile)
    else:
        assert 2 / 3 < fit.stall_seconds / stall_seconds(profile) < 1.5


@every_profile
def test_refit_of_too_few_gaps_is_none(profile: Profile) -> None:
    """Nothing is said of a chain that has hardly been seen."""
    gaps = drawn(profile)
    assert refit(profile, gaps[: GAPS_MIN - 1]) is None
    assert refit(profile, gaps[:GAPS_MIN]) is not None


@pytest.mark.parametrize(
    ("factor", "side"), [(0.8, "below"), (0.9, "inside"), (1.1, "inside"), (1.25, "above")]
)
def test_refit_of_another_mean_is_outside_where_chance_is_not_enough(
    factor: float, side: str
) -> None:
    """A thousand gaps tell a fifth more or less from chance, and not a tenth."""
    gaps = [round(factor * gap) for gap in drawn(ETHEREUM_2018)]
    fit = fit_of(ETHEREUM_2018, gaps)
    assert fit.side == side
    assert fit.p_value is not None
    assert (fit.p_value < fit.p) == (side != "inside")
    assert fit.value == pytest.approx(14.55 * factor, rel=0.05)
    fitted = replace(ETHEREUM_2018, interval_seconds=fit.value)
    assert fit.stall_seconds == pytest.approx(stall_seconds(fitted))
    assert fit.lag_blocks == lag_blocks(fitted)


def test_refit_of_a_mean_counts_an_outage_as_one_rare_gap() -> None:
    """Two hours of silence are a stall, and not a slower chain for the next thousand blocks."""
    gaps = drawn(ETHEREUM_2018)
    quiet = fit_of(ETHEREUM_2018, [*gaps[:-1], 7200])
    rare = fit_of(ETHEREUM_2018, [*gaps[:-1], math.ceil(rare_gap_seconds(ETHEREUM_2018))])
    assert quiet == rare
    assert quiet.side == "inside"


@pytest.mark.parametrize("profile", [ETHEREUM_2018, ARBITRUM, DEV], ids=lambda p: p.key)
def test_refit_of_blocks_without_time_is_too_fast(profile: Profile) -> None:
    """A thousand blocks of one second are no chain of ours."""
    fit = fit_of(profile, [0] * 1024)
    assert fit.side == "below"
    assert 0 < fit.value < profile.interval_seconds
    assert fit.stall_seconds < stall_seconds(profile)


def boundary(profile: Profile, allowed: float, trials: int) -> int:
    """The fewest misses that are more than chance, by the tail itself."""
    p = stall_p(profile, 60) / 2
    return next(k for k in itertools.count(1) if binomial_tail(k, trials, allowed) < p)


@pytest.mark.parametrize("profile", [ETHEREUM, SEPOLIA], ids=lambda p: p.key)
def test_refit_of_empty_slots_is_outside_from_the_first_that_chance_does_not_make(
    profile: Profile,
) -> None:
    """One empty slot less is inside; none at all is as good as profiled."""
    least = boundary(profile, profile.miss, 1000)
    outside, inside = (fit_of(profile, slots(n)) for n in (least, least - 1))
    assert (outside.side, inside.side) == ("above", "inside")
    assert outside.value == pytest.approx(least / 1000)
    assert outside.what == "slots empty"
    assert outside.p_value is not None
    assert outside.p_value < outside.p / 2
    none = fit_of(profile, slots(0))
    assert (none.side, none.value, none.low) == ("inside", 0.0, 0.0)
    assert none.stall_seconds == pytest.approx(stall_seconds(replace(profile, miss=0.5 / 1001)))


def test_refit_of_empty_slots_counts_a_run_once() -> None:
    """Seven in a row on Ethereum are one gap that is too long, as two are."""
    runs, ones = slots(5), slots(5)
    runs[0] = 96
    assert fit_of(ETHEREUM, runs) == fit_of(ETHEREUM, ones)


@pytest.mark.parametrize(("down", "side"), [(0, "inside"), (3, "inside"), (5, "above")])
def test_refit_of_a_rota_is_outside_where_more_are_down_than_it_bears(down: int, side: str) -> None:
    """Three of eight authorities may be down for good; with five the bound does not hold."""
    sealed = [turn for turn in range(6000) if turn % 8 >= down]
    fit = fit_of(BELLECOUR, np.multiply(5, np.diff(sealed)).tolist())
    assert fit.side == side
    assert fit.what == "turns missed"
    counted = min(down, down_in_a_row(BELLECOUR) + 1)
    assert fit.value == pytest.approx(counted / (8 - down + counted), abs=0.01)
    expected = {0: 27, 3: 27, 5: 37}[down]
    assert fit.stall_seconds == expected


@pytest.mark.parametrize(
    ("profile", "period", "what", "side"),
    [
        (ETHEREUM, 6, "slot", "below"),
        (ETHEREUM, 11, "slot", "below"),
        (ETHEREUM, 13, "slot", "above"),
        (ETHEREUM, 24, "slot", "above"),
        (ETHEREUM, 12, "slots empty", "inside"),
        (BELLECOUR, 4, "turn", "below"),
        (BELLECOUR, 5, "turns missed", "inside"),
        (override(DEV, interval_seconds=2.5), 2, "slots empty", "inside"),
    ],
    ids=lambda value: value.key if isinstance(value, Profile) else str(value),
)
def test_refit_of_another_slot_is_outside_at_once(
    profile: Profile, period: int, what: str, side: str
) -> None:
    """No healthy chain is out of step with its own slots; a timestamp may be half a second off."""
    fit = fit_of(profile, slots(0, 200, slot=period))
    assert (fit.what, fit.side) == (what, side)
    if fit.unit == "seconds":
        assert (fit.value, fit.p_value) == (period, None)
        fitted = replace(profile, interval_seconds=float(period))
        assert fit.stall_seconds == stall_seconds(fitted)


def test_refit_of_a_slot_is_not_misled_by_a_few_gaps_out_of_step() -> None:
    """One in twenty may be off the grid; empty slots do not hide the slot either."""
    gaps = slots(0, 200)
    gaps[:9] = [7] * 9
    assert fit_of(ETHEREUM, gaps).what == "slots empty"
    assert fit_of(ETHEREUM, slots(100, 200)).what == "slots empty"
    assert fit_of(ETHEREUM, slots(200, 200)).what == "slot"


@pytest.mark.parametrize(
    ("profile", "elapsed", "side"),
    [
        (override(DEV, interval_seconds=0.25), 256, "inside"),
        (override(DEV, interval_seconds=0.25), 254, "below"),
        (override(DEV, interval_seconds=0.25), 255, "inside"),
        (override(DEV, interval_seconds=0.25), 320, "above"),
        (DEV, 1100, "inside"),
        (DEV, 1024 * 12, "above"),
        (replace(BELLECOUR, interval_seconds=1.0), 1500, "inside"),
        (replace(BELLECOUR, interval_seconds=1.0), 2600, "above"),
    ],
)
def test_refit_of_a_fast_chain_counts_the_slots_of_all_its_time(
    profile: Profile, elapsed: int, side: str
) -> None:
    """Whole seconds do not show single gaps, and all of them together do."""
    gaps = np.diff(np.floor(np.linspace(0, elapsed, 1025))).astype(int).tolist()
    fit = fit_of(profile, gaps)
    assert fit.side == side
    assert fit.unit == ("seconds" if side == "below" else "share")


@pytest.mark.parametrize(
    ("mean", "side"), [(0.2, "below"), (0.25, "inside"), (1.6, "inside"), (3.0, "above")]
)
def test_refit_of_traffic_is_outside_where_its_thresholds_do_not_hold(
    mean: float, side: str
) -> None:
    """No faster than the least gap, and no slower than its stall threshold bears."""
    gaps = np.diff(np.floor(np.arange(1025) * mean)).astype(int).tolist()
    fit = fit_of(ARBITRUM, gaps)
    assert fit.side == side
    assert fit.what == ("least gap" if side == "below" else "mean gap")
    assert fit.value == pytest.approx(mean, rel=0.01)
    assert fit.p_value is None
    assert (fit.stall_seconds > stall_seconds(ARBITRUM)) == (side == "above")
    assert (fit.lag_blocks > 18) == (side == "below")


def test_gap_of_steady_traffic_comes_from_its_number_and_sum() -> None:
    """With too few gaps for a tail, the profile's prior and what was seen since."""
    gaps = [1, 0] * 100
    p = 1 / (86_400 / 100 * 200 * 30)
    expected = predictive_gap_seconds(p, 0.25, 200, 100.0)
    assert traffic_gap_seconds(ARBITRUM, gaps) == pytest.approx(expected)
    assert traffic_gap_seconds(ARBITRUM, gaps, 300) > expected


def test_gap_of_bursty_traffic_comes_from_its_tail() -> None:
    """Quiet minutes now and then are in the tail, and not in the mean."""
    draw = np.random.default_rng(4)
    gaps = [*([1] * 950), *(5 + draw.exponential(20, 70)).astype(int).tolist()]
    steady = predictive_gap_seconds(1e-7, 0.25, len(gaps), float(sum(gaps)))
    found = traffic_gap_seconds(ARBITRUM, gaps)
    assert found > 2 * steady
    assert found >= max(gaps) + 1


@given(st.floats(1e-9, 0.1), st.floats(0.1, 60), st.integers(0, 1000), st.integers(1, 1000))
def test_predictive_gap_of_more_gaps_of_the_mean_is_shorter(
    p: float, mean: float, gaps: int, more: int
) -> None:
    """Knowing the rate better needs less of a margin, and never less than a known one."""
    few = predictive_gap_seconds(p, mean, gaps, gaps * mean)
    many = predictive_gap_seconds(p, mean, gaps + more, (gaps + more) * mean)
    assert few >= many * (1 - 1e-9)
    assert many >= -mean * math.log(p) * (1 - 1e-9)


@pytest.mark.parametrize(
    ("gaps", "seconds"), [(0, 738), (20, 224), (100, 185), (1000, 175), (100_000, 174)]
)
def test_predictive_gap_falls_to_that_of_a_known_rate(gaps: int, seconds: int) -> None:
    """6,000 blocks a day, one of 14.4 s: 738 s without data, 174 s where the rate is known."""
    found = predictive_gap_seconds(1 / (6000 * 30), 14.4, gaps, gaps * 14.4)
    assert round(found) == seconds


@pytest.mark.parametrize(
    ("profile", "gaps", "words", "allowed"),
    [
        (ETHEREUM, slots(50), "slots empty 5 % (2.37 % to 9.01 %)", "at most 0.3 %"),
        (ETHEREUM, slots(0, slot=6), "slot 6 s (6 s to 6 s)", "12 s"),
        (ETHEREUM_2018, [20] * 500, "mean gap 20 s (16.34 s to 24.87 s)", "14.55 s"),
        (ARBITRUM, [1] * 500, "mean gap 1 s (0.7898 s to 1.293 s)", "0.25 s to 1.88 s"),
    ],
    ids=("share", "slot", "mean", "traffic"),
)
def test_words_of_a_fit_name_value_interval_and_profile(
    profile: Profile, gaps: list[int], words: str, allowed: str
) -> None:
    """What a person reads in the finding."""
    fit = fit_of(profile, gaps)
    assert (fit.words, fit.allowed_words) == (words, allowed)
