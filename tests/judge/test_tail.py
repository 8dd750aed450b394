"""The fitted tail: against tails that are known, and where there is none to be seen."""

from __future__ import annotations

import math
import statistics
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.tail import EXCEEDANCES_MIN, GAPS_MIN, Tail, fit
from tests.judge.draws import Seconds

MONTH_P = 1 / (30 * 86_400 / 0.35)
"""Of one gap in thirty days, at a block in 0.35 s."""


def traffic(shape: float, count: int, seed: int) -> Seconds:
    """Gaps of at least 0.25 s, and of 0.1 s more on a scale, with a tail of this shape."""
    uniform = np.random.default_rng(seed).random(count)
    excess = -np.log(uniform) if not shape else (uniform**-shape - 1) / shape
    return 0.25 + 0.1 * excess


def true_gap(shape: float, p: float) -> float:
    return 0.25 + 0.1 * (math.expm1(-shape * math.log(p)) / shape if shape else -math.log(p))


def fitted(gaps: Seconds) -> Tail:
    tail = fit(gaps.tolist())
    assert tail is not None
    return tail


@pytest.mark.parametrize("shape", [0.0, 0.1, 0.2])
def test_fit_of_known_tails_finds_the_gap_of_a_month(shape: float) -> None:
    """A hundred times twenty thousand gaps: right in the median, and seldom off by half."""
    found = [fitted(traffic(shape, 20_000, seed)).gap_seconds(MONTH_P) for seed in range(100)]
    true = true_gap(shape, MONTH_P)
    middle = statistics.median(found)
    sys.stdout.write(f"shape {shape}: {middle:.2f} s found in the median, {true:.2f} s true\n")
    assert middle == pytest.approx(true, rel=0.15)
    assert sum(true / 2 < one < true * 2 for one in found) >= 95


def test_fit_of_few_exceedances_is_as_good_as_can_be_said() -> None:
    """With the least that is fitted, the gap of a month is mostly right within a factor of four."""
    found = [fitted(traffic(0.1, GAPS_MIN, seed)).gap_seconds(MONTH_P) for seed in range(100)]
    true = true_gap(0.1, MONTH_P)
    assert sum(true / 4 < one < true * 4 for one in found) >= 90


def test_fit_of_a_tail_finds_its_parameters() -> None:
    """Share, scale and shape, of what lies above the threshold."""
    tail = fitted(traffic(0.2, 200_000, 7))
    assert tail.share == pytest.approx(0.05, abs=1e-4)
    assert tail.shape == pytest.approx(0.2, abs=0.05)
    assert tail.scale_seconds == pytest.approx(0.1 * 0.05**-0.2, rel=0.1)
    assert tail.longest_seconds > tail.above_seconds


@pytest.mark.parametrize("count", [0, 1, GAPS_MIN - 1])
def test_fit_of_too_few_gaps_is_none(count: int) -> None:
    """A tail of a handful is none."""
    assert fit(traffic(0.1, count, 1).tolist()) is None


@pytest.mark.parametrize(("exceeding", "is_fitted"), [(49, False), (50, True), (51, True)])
def test_fit_of_gaps_that_equal_the_threshold_needs_enough_above_it(
    exceeding: int, *, is_fitted: bool
) -> None:
    """Whole seconds hide the tail of a fast chain; what is not seen is not fitted."""
    gaps = [0.0] * (GAPS_MIN - exceeding) + [1.0 + 0.01 * i for i in range(exceeding)]
    assert EXCEEDANCES_MIN == 50
    assert (fit(gaps) is not None) is is_fitted


@pytest.mark.parametrize(("equal", "is_fitted"), [(20, True), (60, True), (61, False)])
def test_fit_of_whole_seconds_counts_those_that_equal_its_threshold(
    equal: int, *, is_fitted: bool
) -> None:
    """The next lower threshold is taken, as long as what lies above it is still a tail."""
    tail = fit([0.0] * (900 - equal) + [2.0] * equal + [1.0] * 60 + [5.0] * 40)
    if is_fitted:
        assert tail is not None
        assert tail.above_seconds == 1.0
        assert tail.share == pytest.approx((40 + equal) / 1000)
    else:
        assert tail is None


@pytest.mark.parametrize("longest", [5.0, 5.5])
def test_fit_of_gaps_with_an_end_is_exponential(longest: float) -> None:
    """No sequencer promises a longest gap, so that a tail with an end is not believed."""
    gaps = [1.0] * 950 + [2.0] * 25 + [longest] * 25
    tail = fit(gaps)
    assert tail is not None
    assert tail.shape == 0
    assert tail.scale_seconds == pytest.approx((25 * 1 + 25 * (longest - 1)) / 50)


def test_fit_of_equal_exceedances_is_exponential() -> None:
    """Where they do not differ at all there is no shape to be had."""
    tail = fit([0.0] * 950 + [3.0] * 50)
    assert tail == Tail(0.0, 0.05, 3.0, 0.0, 3.0)


@given(
    st.floats(0, 0.9, allow_subnormal=False),
    st.floats(0.01, 60),
    st.floats(1e-9, 0.04),
    st.floats(1.0, 1000.0),
)
def test_gap_of_a_p_value_has_that_p_value(
    shape: float, scale: float, p: float, factor: float
) -> None:
    """The two are inverse to each other; a rarer gap is never shorter."""
    tail = Tail(1.0, 0.05, scale, shape, 0.0)
    gap = tail.gap_seconds(p)
    assert tail.p_value(gap) == pytest.approx(p, rel=1e-6)
    assert tail.gap_seconds(p / factor) >= gap


def test_gap_of_a_tail_is_never_shorter_than_one_seen() -> None:
    """What has been is possible; and what is no rarer than the threshold is the threshold."""
    tail = Tail(1.0, 0.05, 0.5, 0.0, 30.0)
    assert tail.gap_seconds(1e-6) == 30.0
    short = Tail(1.0, 0.05, 0.5, 0.1, 0.0)
    assert short.gap_seconds(0.05) == short.gap_seconds(0.5) == 1.0
    assert short.p_value(0.3) == 0.05
