"""Everybody who is told, together."""

from __future__ import annotations

import time

import pytest

from monitor.act.instruments import Instruments
from monitor.act.notify.notifier import Notifier
from monitor.config.settings import Alerting
from monitor.model import Level
from tests.act.notify.conftest import Begin, Clock, Receive, Receiver, until
from tests.act.notify.stage import NODE, World, count, finding

OK, UNKNOWN, DEGRADED, FAILED = Level
TELL_SECONDS_MAX = 2.0
"""A hundred times what it takes: only something that waits for a receiver gets there."""


def alerting(receiver: Receiver, *names: str, **more: object) -> Alerting:
    """One channel a name, and one of each other kind where it is named so."""
    channels = [n for n in names if n not in {"am", "deadman"}]
    return Alerting.model_validate(
        {
            "group_seconds": 0.0,
            "channels": tuple(
                {"name": n, "url": receiver.url(f"/{n}", "json"), **more} for n in channels
            ),
            "alertmanagers": ({"name": "am", "url": receiver.url("/am")},) if "am" in names else (),
            "heartbeats": ({"name": "deadman", "url": receiver.url("/deadman")},)
            if "deadman" in names
            else (),
        }
    )


class Stage:
    """A notifier and the world that it tells of."""

    def __init__(self, settings: Alerting, clock: Clock, instruments: Instruments) -> None:
        self.world, self.clock, self.instruments = World(), clock, instruments
        self.notifier = Notifier(
            settings, instruments=instruments, clock=clock, page_url="http://127.0.0.1:9845/"
        )

    def becomes(self, level: Level, check: str = "stall", subject: str = NODE) -> None:
        edges = self.world.put(finding(check, subject, level), now=self.clock())
        self.notifier.tell(edges, self.world.verdict(self.clock()), self.world.silenced)

    def beats(self, seconds: float = 1.0) -> None:
        self.clock.now += seconds
        self.notifier.beat(self.world.verdict(self.clock()), self.world.silenced)

    async def sent(self, name: str, number: int) -> None:
        await until(
            lambda: count(self.instruments, name, "sent") >= number, f"{number} sent to {name}"
        )


def paths(receiver: Receiver) -> list[str]:
    return sorted(got.path for got in receiver.got)


async def test_every_kind_is_told(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Alertmanager, people and heartbeat, each in its own way."""
    stage = Stage(alerting(receiver, "people", "am", "deadman"), clock, instruments)
    await begin(stage.notifier)
    stage.becomes(FAILED)
    stage.beats()
    for name in ("people", "am", "deadman"):
        await stage.sent(name, 1)
    assert paths(receiver) == ["/am/api/v2/alerts", "/deadman", "/people"]
    assert instruments.queued == {"people": 0, "am": 0}


async def test_one_receiver_that_hangs_keeps_nothing_from_the_others(
    receive: Receive, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Each has its own turns."""
    good, bad = await receive(), await receive()
    bad.open.clear()
    settings = alerting(good, "people").model_copy(
        update={"alertmanagers": alerting(bad, "am").alertmanagers}
    )
    stage = Stage(settings, clock, instruments)
    await begin(stage.notifier)
    stage.becomes(FAILED)
    await bad.has(1)
    await stage.sent("people", 1)
    stage.becomes(OK)
    stage.beats()
    await stage.sent("people", 2)
    assert paths(good) == ["/people", "/people"]
    assert paths(bad) == ["/am/api/v2/alerts"], "one is under way, and no second beside it"
    bad.open.set()


async def test_reload_keeps_what_was_told_and_tells_new_ones_of_what_is_open(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Who stays hears nothing twice, who comes hears how things stand, who goes is forgotten."""
    stage = Stage(alerting(receiver, "stays", "goes"), clock, instruments)
    await begin(stage.notifier)
    stage.becomes(FAILED)
    stage.beats()
    await stage.sent("stays", 1)
    await stage.sent("goes", 1)
    receiver.got.clear()
    stage.notifier.apply(alerting(receiver, "stays", "comes", reminder_seconds=60.0))
    stage.beats()
    await stage.sent("comes", 1)
    assert paths(receiver) == ["/comes"]
    assert "goes" not in {*instruments.queued, *instruments.told_at}
    assert count(instruments, "goes", "sent") == 0
    stage.beats(61)
    await stage.sent("stays", 2)
    assert "STILL FAILED" in receiver.got[-1].json["title"]


async def test_reload_of_the_same_settings_changes_nothing(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Whatever the reload was for: nobody is told anything twice, and no rhythm is broken."""
    settings = alerting(receiver, "people", "am", "deadman")
    stage = Stage(settings, clock, instruments)
    stage.notifier.apply(settings)
    await begin(stage.notifier)
    stage.becomes(FAILED)
    stage.beats()
    for name in ("people", "am", "deadman"):
        await stage.sent(name, 1)
    stage.notifier.apply(settings)
    stage.beats()
    await stage.notifier.stop()
    assert len(receiver.got) == 3


async def test_reload_before_the_start_forgets_who_is_gone(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Nothing is under way yet that would have to be ended."""
    stage = Stage(alerting(receiver, "goes", "am", "deadman"), clock, instruments)
    stage.notifier.apply(alerting(receiver, "comes"))
    await begin(stage.notifier)
    stage.becomes(FAILED)
    stage.beats()
    await stage.sent("comes", 1)
    assert paths(receiver) == ["/comes"]


async def test_reload_to_another_address_begins_anew(
    receive: Receive, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Other people, who were told of nothing."""
    old, new = await receive(), await receive()
    stage = Stage(alerting(old, "people", "am"), clock, instruments)
    await begin(stage.notifier)
    stage.becomes(FAILED)
    stage.beats()
    await stage.sent("people", 1)
    await stage.sent("am", 1)
    stage.notifier.apply(alerting(new, "people", "am"))
    stage.beats()
    await new.has(2)
    assert paths(new) == ["/am/api/v2/alerts", "/people"]


async def test_external_address_is_what_messages_link_to(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """It wins over where the server listens."""
    settings = alerting(receiver, "people")
    more = {**settings.model_dump(), "external_url": "https://headwatch.example.org/"}
    more["channels"] = settings.channels
    stage = Stage(Alerting.model_validate(more), clock, instruments)
    await begin(stage.notifier)
    stage.becomes(FAILED)
    stage.beats()
    (got,) = await receiver.has(1)
    assert "https://headwatch.example.org/node/local" in got.json["message"]


async def test_nothing_is_sent_before_the_start_and_nothing_is_lost(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """Edges of the first round wait."""
    stage = Stage(alerting(receiver, "people", "am", "deadman"), clock, instruments)
    stage.becomes(FAILED)
    stage.beats()
    assert receiver.got == []
    await begin(stage.notifier)
    stage.beats()
    await receiver.has(3)


async def test_stop_is_quick_and_may_be_called_twice(
    receiver: Receiver, clock: Clock, instruments: Instruments
) -> None:
    """Also where nobody is told and where it never started."""
    stage = Stage(alerting(receiver), clock, instruments)
    await stage.notifier.stop()
    await stage.notifier.start()
    await stage.notifier.stop()
    await stage.notifier.stop()
    stage.becomes(FAILED)
    assert receiver.got == []


async def test_restart_tells_what_is_open_and_no_end_of_what_it_never_told(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
) -> None:
    """The documented behaviour: what was told before a restart is not remembered."""
    stage = Stage(alerting(receiver, "people"), clock, instruments)
    await begin(stage.notifier)
    stage.world.findings[("fork", NODE)] = finding("fork", level=OK)
    stage.becomes(FAILED)
    stage.beats()
    (got,) = await receiver.has(1)
    assert got.json["title"] == "FAILED node local: stall"


@pytest.mark.parametrize("count_of_edges", [1000])
async def test_a_thousand_edges_at_once_hold_the_loop_up_for_no_receiver(
    receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin, count_of_edges: int
) -> None:
    """A burst is compared and counted, and becomes one message to each."""
    receiver.open.clear()
    stage = Stage(alerting(receiver, "people", "am"), clock, instruments)
    await begin(stage.notifier)
    found = [finding("stall", f"node:n{n}") for n in range(count_of_edges)]
    edges = stage.world.put(*found, now=clock())
    verdict = stage.world.verdict(clock())
    began = time.perf_counter()
    stage.notifier.tell(edges, verdict, stage.world.silenced)
    took = time.perf_counter() - began
    assert took < TELL_SECONDS_MAX
    await receiver.has(2)
    receiver.open.set()
    await stage.sent("people", 1)
    await stage.sent("am", 1)
    messages = [got.json for got in receiver.got if got.path == "/people"]
    assert len(messages) == 1
    assert "997 more" in messages[0]["title"]
