"""One attempt at a time, and a pause after each that failed."""

from __future__ import annotations

import asyncio

import pytest

from monitor.act.instruments import Instruments
from monitor.act.notify.backoff import Backoff
from monitor.act.notify.turns import Turns
from tests.act.notify.conftest import Clock, until


@pytest.fixture
def turns(clock: Clock, instruments: Instruments) -> Turns:
    backoff = Backoff(base_seconds=4.0, cap_seconds=8.0, chance=lambda: 1.0)
    return Turns(backoff, clock=clock, instruments=instruments)


async def test_nothing_begins_while_something_is_under_way(turns: Turns) -> None:
    """However long it takes."""
    release = asyncio.Event()

    async def attempt() -> None:
        await release.wait()
        turns.succeeded()

    assert turns.may_begin()
    turns.begin(attempt())
    assert not turns.may_begin()
    release.set()
    await turns.join()
    assert turns.may_begin()
    assert not turns.is_failing


async def test_failure_is_followed_by_a_pause(turns: Turns, clock: Clock) -> None:
    """By the caller's clock; and a success ends all of it."""
    turns.failed()
    assert turns.is_failing
    clock.now += 3.9
    assert not turns.may_begin()
    clock.now += 0.1
    assert turns.may_begin()
    turns.failed()
    turns.succeeded()
    assert turns.may_begin()


async def test_clock_set_back_makes_no_pause_of_an_hour(turns: Turns, clock: Clock) -> None:
    """No pause is longer than the longest one."""
    turns.failed()
    clock.now -= 3600
    assert turns.may_begin()


async def test_mistake_of_ours_is_said_counted_and_tried_again(
    turns: Turns, instruments: Instruments, caplog: pytest.LogCaptureFixture
) -> None:
    """A crash in an attempt ends neither the loop nor the channel."""

    async def attempt() -> None:
        message = "a mistake"
        raise RuntimeError(message)

    turns.begin(attempt())
    await until(lambda: turns.is_failing, "a failure")
    assert "a mistake" in caplog.text
    sample = instruments.internal_errors.labels(place="notify")
    assert sample._value.get() == 1
    assert not turns.may_begin()


async def test_cancelled_attempt_is_no_mistake(turns: Turns, instruments: Instruments) -> None:
    """It was we who ended it."""
    turns.begin(asyncio.sleep(60))
    await turns.cancel()
    assert not turns.is_busy
    assert not turns.is_failing
