"""The words of the past."""

from __future__ import annotations

import pytest

from monitor.history.record import Bar
from monitor.model import Level


@pytest.mark.parametrize(
    ("seconds", "worst"),
    [
        ((60.0, 0.0, 0.0, 0.0), Level.OK),
        ((59.0, 1.0, 0.0, 0.0), Level.UNKNOWN),
        ((0.0, 59.0, 1.0, 0.0), Level.DEGRADED),
        ((59.999, 0.0, 0.0, 0.001), Level.FAILED),
    ],
)
def test_bar_is_as_bad_as_its_worst_second(
    seconds: tuple[float, float, float, float], worst: Level
) -> None:
    """A moment of failure is not hidden by an hour of health."""
    assert Bar(0.0, sum(seconds), *seconds).worst == worst
