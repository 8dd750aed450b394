"""The calls of a day: counted, refused at the limit, and spread over what is left of it."""

from __future__ import annotations

import pytest

from monitor.rpc.budget import DAY_SECONDS, Budget
from tests.rpc.canned import Clock

MIDNIGHT = 20_000 * DAY_SECONDS


@pytest.fixture
def clock() -> Clock:
    """The first moment of a day."""
    return Clock(MIDNIGHT)


def test_budget_takes_all_or_nothing(clock: Clock) -> None:
    """A round that does not fit is not begun; a smaller one still may."""
    budget = Budget(10, clock)
    assert budget.take(8)
    assert not budget.take(3)
    assert budget.take(2)
    assert not budget.take()
    assert budget.spent == 10


@pytest.mark.parametrize(
    ("spent", "second_of_day", "calls", "spacing"),
    [
        (0, 0, 1, 86.4),
        (0, 43_200, 1, 43.2),
        (500, 43_200, 1, 86.4),
        (0, 0, 2.5, 216.0),
        (999, 86_399, 1, 1.0),
        (1000, 0, 1, 86_400.0),
        (998, 0, 3, 86_400.0),
    ],
)
def test_budget_spacing_makes_the_rest_last_the_day(
    clock: Clock, spent: int, second_of_day: float, calls: float, spacing: float
) -> None:
    """What is left, evenly over what is left of the day; a day's pause where nothing is."""
    clock.now = MIDNIGHT + second_of_day
    budget = Budget(1000, clock)
    budget.take(spent)
    assert budget.spacing_seconds(calls) == pytest.approx(spacing)


def test_budget_resumed_after_a_restart_goes_on_counting(clock: Clock) -> None:
    """What was spent before counts, on the same day only."""
    budget = Budget(10, clock)
    budget.resume(9)
    assert budget.take()
    assert not budget.take()
    clock.now += DAY_SECONDS
    assert budget.spent == 0
