"""What became of the calls: totals for ever, and by method for five minutes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rpc.tally import (
    DURATIONS_KEPT,
    METHODS_MAX,
    OTHERS,
    RECENT_COUNT,
    STRETCH_SECONDS,
    STRETCHES_MAX,
    WINDOW_SECONDS,
    MethodCalls,
    Recent,
    Tally,
)
from tests.rpc.canned import Clock

START = 1_800_000_000.0


@pytest.fixture
def clock() -> Clock:
    """The beginning of a stretch of the window."""
    return Clock(START)


@pytest.fixture
def tally(clock: Clock) -> Tally:
    """Nothing was called yet."""
    return Tally(clock)


def test_tally_without_calls_is_empty(tally: Tally) -> None:
    """There is no method that was never called."""
    assert tally.window() == ()
    assert tally.recent == Recent(0, 0, 0)


def test_tally_counts_each_method_by_what_became_of_it(tally: Tally) -> None:
    """Failures by reason; what is unsupported is an answer, and what was not sent is no call."""
    tally.answered("b", 0.5)
    tally.failed("a", "refused", throttled=True)
    tally.failed("a", "timeout", seconds=5.0)
    tally.failed("a", "unsupported", throttled=True)
    tally.failed("a", "budget")
    assert tally.window() == (
        MethodCalls("a", 3, {"refused": 1, "timeout": 1}, 1, (5.0,)),
        MethodCalls("b", 1, {}, 0, (0.5,)),
    )
    assert tally.errors_total == {"refused": 1, "timeout": 1, "unsupported": 1, "budget": 1}
    assert tally.recent == Recent(4, 2, 1)


def test_tally_forgets_what_is_older_than_its_window(tally: Tally, clock: Clock) -> None:
    """The window moves on by whole stretches; the totals stay."""
    tally.failed("a", "refused")
    clock.now += STRETCH_SECONDS
    tally.answered("a", 1.0)
    clock.now = START + WINDOW_SECONDS - 0.001
    assert tally.window() == (MethodCalls("a", 2, {"refused": 1}, 0, (1.0,)),)
    clock.now = START + WINDOW_SECONDS
    assert tally.window() == (MethodCalls("a", 1, {}, 0, (1.0,)),)
    clock.now += STRETCH_SECONDS
    assert tally.window() == ()
    assert tally.errors_total == {"refused": 1}


def test_tally_of_the_newest_calls_forgets_by_number(tally: Tally) -> None:
    """What is over does not last on for as long as the window."""
    for _ in range(RECENT_COUNT):
        tally.failed("a", "refused", throttled=True)
    assert tally.recent == Recent(RECENT_COUNT, RECENT_COUNT, RECENT_COUNT)
    for _ in range(RECENT_COUNT - 1):
        tally.answered("a", 0.1)
    assert tally.recent == Recent(RECENT_COUNT, 1, 1)


def test_tally_of_too_many_methods_counts_the_rest_together(tally: Tally) -> None:
    """The methods are ours, and still there is a limit to them."""
    for index in range(METHODS_MAX + 3):
        tally.answered(f"m{index:02}", 0.1)
    window = {one.method: one.calls for one in tally.window()}
    assert len(window) == METHODS_MAX + 1
    assert window[OTHERS] == 3


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=400))
def test_tally_holds_little_and_counts_what_the_window_holds(
    steps: list[tuple[float, bool]],
) -> None:
    """Whatever the pace: a bounded memory, and exactly the calls of the stretches it spans."""
    clock = Clock(START)
    tally = Tally(clock)
    made = []
    for pause, is_failed in steps:
        clock.now += pause
        made.append((clock.now // STRETCH_SECONDS, is_failed))
        if is_failed:
            tally.failed("a", "refused")
        else:
            tally.answered("a", 0.1)
    first = clock.now // STRETCH_SECONDS - STRETCHES_MAX + 1
    inside = [is_failed for number, is_failed in made if number >= first]
    window = tally.window()
    assert sum(one.calls for one in window) == len(inside)
    assert sum(sum(one.errors.values()) for one in window) == sum(inside)
    assert all(len(one.seconds) <= DURATIONS_KEPT for one in window)
    assert all(len(one.stretches) <= STRETCHES_MAX for one in tally._methods.values())
