"""What is counted and logged of one of those that are told."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitor.act.instruments import Instruments
from monitor.act.notify.tally import Tally
from tests.act.notify.stage import count, held


def page(instruments: Instruments) -> str:
    """The samples of everything told."""
    for counter in (instruments.notifications, instruments.notifications_held):
        assert counter.collect()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(instruments.notifications)
    registry.register(instruments.notifications_held)
    return generate_latest(registry).decode()


def test_counters_begin_at_zero(instruments: Instruments) -> None:
    """A rate needs a first value; nobody is held back from a machine."""
    Tally("people", instruments, holds=True)
    Tally("am", instruments, holds=False)
    text = page(instruments)
    for outcome in ("sent", "failed", "dropped"):
        for name in ("people", "am"):
            assert f'{{channel="{name}",outcome="{outcome}"}} 0.0' in text
    assert 'channel="people",reason="flapping"} 0.0' in text
    assert 'channel="am",reason' not in text


def test_failures_are_said_once_and_so_is_their_end(
    instruments: Instruments, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that is gone for a night does not fill the log."""
    caplog.set_level(logging.INFO, logger="headwatch")
    tally = Tally("people", instruments, holds=True)
    for _ in range(5):
        tally.failed("why")
    tally.sent(7.0)
    tally.sent(8.0)
    assert [record.getMessage() for record in caplog.records] == [
        "people cannot be told: why",
        "people takes messages again",
    ]
    assert count(instruments, "people", "failed") == 5
    assert count(instruments, "people", "sent") == 2
    assert instruments.told_at == {"people": 8.0}


def test_dropped_and_held_are_counted(instruments: Instruments) -> None:
    """By how many."""
    tally = Tally("people", instruments, holds=True)
    tally.dropped(0, "nothing")
    tally.dropped(3, "too many")
    tally.held("flapping", 2)
    tally.queued(9)
    assert count(instruments, "people", "dropped") == 3
    assert held(instruments, "people", "flapping") == 2
    assert instruments.queued == {"people": 9}


def test_forgotten_channel_leaves_no_series(instruments: Instruments) -> None:
    """What is no longer configured is not exported as zero for ever."""
    tally = Tally("people", instruments, holds=True)
    tally.sent(1.0)
    tally.queued(1)
    tally.forget()
    assert "people" not in page(instruments)
    assert (instruments.queued, instruments.told_at) == ({}, {})
