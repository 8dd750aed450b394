"""Slower beyond doubt, and by what somebody notices; nothing else."""

from __future__ import annotations

import random

import pytest

from monitor.canary.latency import (
    DIFFERENCE_SECONDS_MAX,
    PAIRS_MIN,
    RATIO_MAX,
    UNANIMOUS_MIN,
    Pace,
    interval,
    pace,
)


def pairs(count: int, base: float, ratio: float, spread: float = 0.2) -> list[tuple[float, float]]:
    """Calls whose times vary, the candidate's so many times the baseline's."""
    draw = random.Random(1)  # noqa: S311
    return [
        (base * draw.lognormvariate(0, spread), base * ratio * draw.lognormvariate(0, spread))
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("base", "ratio", "is_slower"),
    [
        (0.100, 1.0, False),
        (0.100, 1.4, False),
        (0.100, 2.0, True),
        (0.100, 0.5, False),
        (0.001, 5.0, False),
        (0.001, 20.0, True),
    ],
)
def test_candidate_is_slower_only_by_ratio_and_by_difference(
    base: float, ratio: float, is_slower: bool
) -> None:
    """Five times of a millisecond is the price of a proxy; twice of a tenth of a second is not."""
    assert pace("eth_call", pairs(40, base, ratio)).is_slower is is_slower


@pytest.mark.parametrize(
    ("lower", "difference", "is_slower"),
    [
        (RATIO_MAX, 1.0, False),
        (RATIO_MAX + 0.01, 1.0, True),
        (9.0, DIFFERENCE_SECONDS_MAX, False),
        (9.0, DIFFERENCE_SECONDS_MAX + 0.001, True),
    ],
)
def test_limits_themselves_are_not_slow(lower: float, difference: float, is_slower: bool) -> None:
    """Above both, and not at them."""
    one = Pace("eth_call", PAIRS_MIN, 0.0, difference, 9.0, lower, 9.9, PAIRS_MIN)
    assert one.is_slower is is_slower


SLOW, WELL = (0.01, 1.0), (0.01, 0.01)


@pytest.mark.parametrize(
    ("some", "is_known", "is_slower"),
    [
        ([SLOW] * (UNANIMOUS_MIN - 1), False, False),
        ([SLOW] * UNANIMOUS_MIN, True, True),
        ([SLOW] * (UNANIMOUS_MIN - 1) + [WELL], False, False),
        ([WELL] * (UNANIMOUS_MIN - 1), False, False),
        ([WELL] * UNANIMOUS_MIN, True, False),
        ([SLOW] * (PAIRS_MIN - 2) + [WELL], False, False),
        ([SLOW] * (PAIRS_MIN - 1) + [WELL], True, True),
        ([(0.001, 0.010)] * UNANIMOUS_MIN, True, False),
        ([(0.100, 0.140)] * UNANIMOUS_MIN, True, False),
    ],
)
def test_few_pairs_say_something_only_where_all_say_the_same(
    some: list[tuple[float, float]], *, is_known: bool, is_slower: bool
) -> None:
    """Six of six are no chance; of nineteen one that is otherwise leaves it open."""
    one = pace("eth_call", some)
    assert (one.is_known, one.is_slower) == (is_known, is_slower)


def test_noise_widens_the_interval_and_a_seed_repeats_it() -> None:
    """The same pairs give the same interval; the median lies in it."""
    still, noisy = (pace("eth_call", pairs(40, 0.1, 1.5, spread)) for spread in (0.05, 0.8))
    assert noisy.upper - noisy.lower > still.upper - still.lower
    assert noisy.lower <= noisy.ratio <= noisy.upper
    assert pace("eth_call", pairs(40, 0.1, 1.5, 0.8)) == noisy
    values = [1.0, 2.0, 3.0, 4.0, 100.0]
    assert interval(values, 1) == interval(values, 1)
    assert interval([2.0] * 5) == (2.0, 2.0)


def test_nodes_alike_never_look_slower() -> None:
    """Two nodes alike: in twenty runs of noisy calls not one is called slower."""
    draw = random.Random(3)  # noqa: S311
    for _ in range(20):
        some = [
            (0.05 * draw.lognormvariate(0, 0.8), 0.05 * draw.lognormvariate(0, 0.8))
            for _ in range(30)
        ]
        assert not pace("eth_call", some).is_slower


def test_call_that_took_no_time_divides_nothing() -> None:
    """Clocks have a grain."""
    assert pace("eth_call", [(0.0, 0.0)] * PAIRS_MIN).ratio == 1.0
