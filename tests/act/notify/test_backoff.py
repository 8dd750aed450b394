"""Pauses between attempts."""

from __future__ import annotations

import pytest

from monitor.act.notify.backoff import Backoff


def test_pauses_double_up_to_the_cap() -> None:
    """And begin anew once something worked."""
    backoff = Backoff(base_seconds=2.0, cap_seconds=20.0, chance=lambda: 1.0)
    assert [backoff.next_seconds() for _ in range(6)] == [2, 4, 8, 16, 20, 20]
    backoff.reset()
    assert backoff.next_seconds() == 2


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_chance_takes_up_to_half_of_a_pause(chance: float, seconds: float) -> None:
    """Never less, so that a receiver is not hammered."""
    assert Backoff(base_seconds=2.0, chance=lambda: chance).next_seconds() == seconds


def test_years_of_failures_overflow_nothing() -> None:
    """The exponent is bounded."""
    backoff = Backoff(failures=100_000)
    assert 0 < backoff.next_seconds() <= backoff.cap_seconds
