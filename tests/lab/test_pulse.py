"""Waiting, and the failures of background tasks."""

from __future__ import annotations

import asyncio

import pytest

from monitor.lab.errors import LabError
from monitor.lab.pulse import Pulse


async def test_until_reached_returns_at_the_beat() -> None:
    """A wait ends with the beat after which its condition holds, and not before."""
    pulse, numbers = Pulse(), [0]
    wait = asyncio.create_task(pulse.until(lambda: numbers[0] >= 2, 5, "two"))
    for number in (1, 2):
        await asyncio.sleep(0)
        assert not wait.done()
        numbers[0] = number
        pulse.beat()
    await wait


async def test_until_in_vain_says_for_what() -> None:
    """Every wait has a deadline, and its error names what did not come."""
    with pytest.raises(LabError, match="in vain for the end of days"):
        await Pulse().until(lambda: False, 0.01, "the end of days")


async def test_watched_failure_reaches_every_wait() -> None:
    """A background task that fails ends the waits, now and later, with its own error as cause."""
    pulse = Pulse()

    async def fail() -> None:
        message = "broken"
        raise ValueError(message)

    wait = asyncio.create_task(pulse.until(lambda: False, 5, "nothing"))
    await asyncio.sleep(0)
    pulse.watch(fail(), "failing")
    with pytest.raises(LabError, match="broken") as caught:
        await wait
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(LabError, match="broken"):
        pulse.check()


async def test_each_misses_no_beat_that_comes_while_it_acts() -> None:
    """A beat during the action causes one more action."""
    pulse = Pulse()
    seen: list[int] = []
    done = asyncio.Event()

    async def act() -> None:
        seen.append(len(seen))
        if len(seen) == 1:
            pulse.beat()
            pulse.beat()
        else:
            done.set()

    task = pulse.watch(pulse.each(act), "acting")
    await asyncio.wait_for(done.wait(), 5)
    await asyncio.sleep(0)
    assert seen == [0, 1]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
