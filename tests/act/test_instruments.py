from __future__ import annotations

import pytest

from monitor.act.alerts_of_headwatch import INCLUSION_SECONDS
from monitor.act.instruments import (
    FINAL_STATES,
    INCLUSION_SECONDS_BUCKETS,
    INTERNAL_PLACES,
    Dial,
    Instruments,
)
from monitor.transactions.words import TERMINAL


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


def test_instruments_know_of_every_room_that_catches_mistakes() -> None:
    """The first mistake of each is an increase, so its series is there before it."""
    instruments = Instruments()
    (family,) = instruments.internal_errors.collect()
    shown = {sample.labels["place"]: sample.value for sample in family.samples}
    assert shown == dict.fromkeys(INTERNAL_PLACES, 0.0)
    assert {"transactions", "tap"} <= set(INTERNAL_PLACES)


def test_instruments_begun_account_counts_from_zero_on() -> None:
    """The nonce that somebody else takes may be the first of the account that is used at all."""
    instruments = Instruments()
    instruments.begin([("ethereum", "payer")])
    instruments.tx_closed.labels("ethereum", "payer", "final_ok").inc()
    instruments.begin([("ethereum", "payer")])
    (closed,) = instruments.tx_closed.collect()
    counts = {sample.labels["state"]: sample.value for sample in closed.samples}
    assert counts == {**dict.fromkeys(FINAL_STATES, 0.0), "final_ok": 1.0}
    assert set(counts) == {state.value for state in TERMINAL}
    for counter in (instruments.tx_reorged, instruments.tx_inclusion_seconds):
        (family,) = counter.collect()
        assert {sample.value for sample in family.samples} == {0.0}


def test_instruments_inclusion_has_a_bucket_at_its_objective() -> None:
    """What the objective calls in time is counted by a bucket of its own."""
    assert INCLUSION_SECONDS in INCLUSION_SECONDS_BUCKETS
    assert INCLUSION_SECONDS_BUCKETS[0] == 1.0
    assert INCLUSION_SECONDS_BUCKETS[-1] == 3600.0
