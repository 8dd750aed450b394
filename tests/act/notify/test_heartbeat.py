"""The dead man's switch that lives as long as the loop turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from monitor.act.instruments import Instruments
from monitor.act.notify.notifier import Notifier
from monitor.config.settings import Alerting
from monitor.judge.verdict import verdict_of
from tests.act.notify.conftest import Begin, Clock, Receiver, until
from tests.act.notify.stage import count

Start = Callable[[], Awaitable["Beat"]]


class Beat:
    """A notifier with one heartbeat; called, it is beaten after so many seconds."""

    def __init__(self, notifier: Notifier, clock: Clock) -> None:
        self.notifier, self.clock = notifier, clock
        self.pulse = notifier._pulses["deadman"]

    def __call__(self, seconds: float) -> None:
        self.clock.now += seconds
        self.notifier.beat(verdict_of((), self.clock.now), lambda finding: False)


@pytest.fixture
def heart(receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin) -> Start:
    """Starts a notifier with one heartbeat."""

    async def start() -> Beat:
        settings = {"name": "deadman", "url": receiver.url("/ping/key"), "interval_seconds": 10.0}
        notifier = Notifier(
            Alerting.model_validate({"heartbeats": (settings,), "deadline_seconds": 0.2}),
            instruments=instruments,
            clock=clock,
            page_url="",
        )
        await begin(notifier)
        return Beat(notifier, clock)

    return start


async def test_heartbeat_is_fetched_at_once_and_then_every_interval(
    heart: Start, receiver: Receiver, instruments: Instruments
) -> None:
    """By the loop's beat; when that stops, nothing is fetched."""
    beat = await heart()
    for _ in range(31):
        beat(1)
        await until(lambda: not beat.pulse.is_busy, "an answer")
    assert count(instruments, "deadman", "sent") == 4
    assert [(got.method, got.path) for got in receiver.got] == [("GET", "/ping/key")] * 4


async def test_failures_are_counted_and_tried_at_the_next_interval(
    heart: Start, receiver: Receiver, instruments: Instruments
) -> None:
    """Its receiver expects the next one anyway."""
    beat = await heart()
    receiver.status = 500
    beat(1)
    await until(lambda: count(instruments, "deadman", "failed") == 1, "a failure")
    receiver.status = 200
    beat(9)
    assert len(receiver.got) == 1
    beat(1)
    await until(lambda: count(instruments, "deadman", "sent") == 1, "a success")


async def test_slow_receiver_has_one_request_at_a_time(
    heart: Start, receiver: Receiver, instruments: Instruments
) -> None:
    """They never pile up, and the deadline ends each."""
    beat = await heart()
    receiver.open.clear()
    beat(1)
    await receiver.has(1)
    for _ in range(20):
        beat(10)
    assert len(receiver.got) == 1
    await until(lambda: count(instruments, "deadman", "failed") == 1, "the deadline")
    beat(10)
    await receiver.has(2)
