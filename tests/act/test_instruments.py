from __future__ import annotations

import pytest

from monitor.act.instruments import Dial, Instruments


def test_dial_is_empty_until_it_is_set() -> None:
    """A reading that was never taken is not zero."""
    dial = Dial("headwatch_scheduler_lag_seconds")
    assert dial.value is None
    dial.set(0.0)
    assert dial.value == 0.0


def test_dial_outside_the_table_is_refused() -> None:
    """No metric can be exported that the documentation does not know."""
    with pytest.raises(KeyError):
        Dial("headwatch_invented")


def test_instruments_failed_reload_keeps_the_time_of_the_last_good_one() -> None:
    """The configuration in force is as old as it is, whatever was tried since."""
    instruments = Instruments()
    instruments.reloaded(at=100.0)
    assert instruments.config_last_reload_successful.value == 1.0
    instruments.reloaded(at=None)
    assert instruments.config_last_reload_successful.value == 0.0
    assert instruments.config_last_reload_success_timestamp_seconds.value == 100.0
