"""One channel against a real webhook, through the real apprise."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise

import pytest

from monitor.act.instruments import Instruments
from monitor.act.notify.backoff import Backoff
from monitor.act.notify.channel import HELD_MAX, Mouth, rules_of
from monitor.act.notify.notifier import Notifier
from monitor.config.settings import Alerting, Channel
from monitor.model import Level
from tests.act.notify.conftest import Begin, Clock, Receive, Receiver, until
from tests.act.notify.stage import NODE, World, count, finding, held

OK, UNKNOWN, DEGRADED, FAILED = Level
KEY = "s3cr3t-key-of-a-hook"
PAGE = "http://127.0.0.1:9845"


class Talk:
    """A notifier with one channel, beaten by the test."""

    def __init__(
        self, receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin
    ) -> None:
        self.receiver, self.clock, self.instruments = receiver, clock, instruments
        self._begin = begin
        self.world = World()

    def configure(self, **more: object) -> Alerting:
        """What the channel is; `more` are settings of it, or of all alerting."""
        whole = {name: more.pop(name) for name in list(more) if name in Alerting.model_fields}
        channel = Channel.model_validate(
            {"name": "people", "url": self.receiver.url(f"/{KEY}", "json"), **more}
        )
        return Alerting.model_validate({"group_seconds": 1.0, "channels": (channel,), **whole})

    async def start(self, **more: object) -> None:
        await self.begin(self.configure(**more))

    async def begin(self, alerting: Alerting) -> None:
        self.notifier = Notifier(
            alerting,
            instruments=self.instruments,
            clock=self.clock,
            page_url=PAGE,
            backoff=lambda: Backoff(base_seconds=4.0, cap_seconds=16.0, chance=lambda: 1.0),
        )
        await self._begin(self.notifier)

    def becomes(self, *levels: Level, check: str = "stall", subject: str = NODE) -> None:
        for level in levels:
            now = self.clock.now
            edges = self.world.put(finding(check, subject, level), now=now)
            self.notifier.tell(edges, self.world.verdict(now), self.world.silenced)

    def beats(self, seconds: float) -> None:
        self.clock.now += seconds
        self.notifier.beat(self.world.verdict(self.clock.now), self.world.silenced)

    @property
    def mouth(self) -> Mouth:
        return self.notifier._mouths["people"]

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        await until(lambda: not self.mouth.turns.is_busy, "an attempt that ends")

    def count(self, outcome: str) -> float:
        return count(self.instruments, "people", outcome)


@pytest.fixture
async def talk(receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin) -> Talk:
    return Talk(receiver, clock, instruments, begin)


async def test_message_names_what_is_wrong_where_to_look_and_how_long_it_was(talk: Talk) -> None:
    """Opening and closing, as a webhook gets them."""
    await talk.start()
    talk.becomes(FAILED)
    talk.beats(2)
    (got,) = await talk.receiver.has(1)
    assert got.json["title"] == "FAILED node local: stall"
    assert got.json["type"] == "failure"
    assert f"{PAGE}/node/local" in got.json["message"]
    assert f"{PAGE}/runbook/HeadwatchNodeStalled" in got.json["message"]
    await talk.idle()
    talk.clock.now += 118
    talk.becomes(OK)
    talk.beats(2)
    closing = (await talk.receiver.has(2))[1].json
    assert (closing["title"], closing["type"]) == ("OK node local: stall", "success")
    assert "lasted 2 min" in closing["message"]
    await talk.idle()
    assert (talk.count("sent"), talk.count("failed"), talk.count("dropped")) == (2, 0, 0)
    assert talk.instruments.told_at["people"] == talk.clock.now
    assert talk.instruments.queued["people"] == 0


async def test_templates_shape_first_line_and_text(talk: Talk) -> None:
    """What an operator wrote is what arrives; the first line stays one line."""
    await talk.start(title="{{ message.level }}\n!", body="{{ message.notices[0].summary }}")
    talk.becomes(FAILED)
    talk.beats(2)
    (got,) = await talk.receiver.has(1)
    assert (got.json["title"], got.json["message"]) == ("failed !", "stall is failed")


async def test_template_that_fails_on_the_day_gives_way_to_the_default(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake that no sample shows costs the operator's words, and not the message."""
    await talk.start(body="{{ 1 // (message.notices[0].check|length - 8) }}")
    talk.becomes(FAILED, check="identity")
    talk.beats(2)
    (got,) = await talk.receiver.has(1)
    assert "FAILED node local: identity" in got.json["message"]
    assert "line 1 of the template" in caplog.text


async def test_dead_channel_is_tried_with_longer_pauses_and_told_once_on_recovery(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    """One digest, no duplicate, nothing of what came and went; failures counted, said once."""
    await talk.start()
    await talk.receiver.stop()
    talk.becomes(FAILED)
    tried = []
    for _ in range(60):
        talk.beats(1)
        if talk.mouth.turns.is_busy:
            tried.append(talk.clock.now)
            await talk.idle()
            if len(tried) == 3:
                talk.becomes(FAILED, OK, check="fork")
    assert [later - earlier for earlier, later in pairwise(tried)] == [4, 8, 16, 16]
    assert talk.count("failed") == len(tried)
    assert [r.levelname for r in caplog.records if "cannot be told" in r.message] == ["WARNING"]
    talk.becomes(FAILED, check="head", subject="node:other")
    await talk.receiver.start()
    while not talk.count("sent"):
        talk.beats(1)
        await talk.idle()
    talk.beats(100)
    await talk.idle()
    (got,) = talk.receiver.got
    assert got.json["title"] == "FAILED node local: stall; FAILED node other: head"
    assert "fork" not in got.json["message"]
    assert talk.count("sent") == 1


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503])
async def test_rude_channel_is_tried_again(talk: Talk, status: int) -> None:
    """Apprise says only that it failed, so that every failure is worth another attempt."""
    await talk.start()
    talk.receiver.status = status
    talk.becomes(FAILED)
    talk.beats(2)
    await talk.receiver.has(1)
    await talk.idle()
    assert (talk.count("failed"), talk.count("sent")) == (1, 0)
    talk.receiver.status = 200
    talk.beats(5)
    await talk.receiver.has(2)
    await talk.idle()
    assert talk.count("sent") == 1


async def test_slow_channel_is_a_failure_that_may_still_succeed(talk: Talk) -> None:
    """While a thread waits no second one begins, and what arrived late is not sent again."""
    await talk.start(deadline_seconds=0.1)
    talk.receiver.open.clear()
    talk.becomes(FAILED)
    talk.beats(2)
    await talk.receiver.has(1)
    await until(lambda: talk.count("failed") == 1, "a failure")
    for _ in range(50):
        talk.beats(10)
    assert talk.mouth.turns.is_busy
    talk.receiver.open.set()
    await until(lambda: talk.count("sent") == 1, "a late success")
    await talk.idle()
    talk.beats(100)
    await talk.idle()
    assert len(talk.receiver.got) == 1


async def test_attempt_that_never_ends_is_given_up_and_the_next_one_is_made(talk: Talk) -> None:
    """A service that answers a byte a second would keep the channel silent for good."""
    await talk.start(deadline_seconds=0.1)
    talk.mouth.patience_seconds = 0.05
    talk.receiver.open.clear()
    talk.becomes(FAILED)
    for attempts in range(1, HELD_MAX + 1):
        talk.beats(100)
        await talk.receiver.has(attempts)
        await talk.idle()
    for _ in range(10):
        talk.beats(100)
        await talk.idle()
    # No more than so many threads are left to it.
    assert len(talk.receiver.got) == HELD_MAX
    assert (talk.count("failed"), talk.count("sent")) == (HELD_MAX, 0)
    talk.receiver.open.set()
    await until(lambda: not talk.mouth.held, "the threads end")
    talk.mouth.deadline_seconds = 10.0
    talk.beats(100)
    await until(lambda: talk.count("sent") == 1, "people are told")


async def test_redirect_is_not_followed(talk: Talk, receive: Receive) -> None:
    """The key in the address goes to the configured host and to no other."""
    other = await receive()
    await talk.start()
    talk.receiver.status, talk.receiver.location = 307, other.url(f"/{KEY}")
    talk.becomes(FAILED)
    talk.beats(2)
    await talk.receiver.has(1)
    await talk.idle()
    assert talk.count("failed") == 1
    assert other.got == []


@pytest.mark.parametrize("trouble", ["dead", "rude", "well"])
async def test_no_log_holds_the_key(
    talk: Talk, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    """Not even at DEBUG, where apprise and urllib3 print whole addresses."""
    alerting = talk.configure()
    caplog.set_level(logging.DEBUG)
    await talk.begin(alerting)
    if trouble == "dead":
        await talk.receiver.stop()
    elif trouble == "rude":
        talk.receiver.status, talk.receiver.answer = 500, f"no such hook: {KEY}"
    talk.becomes(FAILED)
    talk.beats(2)
    await talk.idle()
    await talk.notifier.stop()
    assert KEY not in caplog.text


async def test_held_edges_are_counted_by_reason(talk: Talk) -> None:
    """Maintenance and flapping, each under its own name."""
    await talk.start(flap_edges_max=2)
    talk.world.silent = {NODE}
    talk.becomes(FAILED, OK)
    talk.world.silent = set()
    talk.becomes(FAILED, OK, FAILED, OK)
    assert held(talk.instruments, "people", "maintenance") == 2
    assert held(talk.instruments, "people", "flapping") == 1


async def test_stop_sends_what_waits(talk: Talk) -> None:
    """Also what was still being collected."""
    await talk.start(group_seconds=600.0)
    talk.becomes(FAILED)
    talk.beats(1)
    assert talk.instruments.queued["people"] == 1
    await talk.notifier.stop()
    assert [got.json["title"] for got in talk.receiver.got] == ["FAILED node local: stall"]
    assert talk.count("dropped") == 0


async def test_stop_does_not_wait_for_a_channel_that_hangs(talk: Talk) -> None:
    """What could not be told by then is counted as dropped."""
    await talk.start()
    talk.receiver.open.clear()
    talk.becomes(FAILED)
    talk.beats(2)
    await talk.receiver.has(1)
    await talk.notifier.stop(seconds=0.2)
    assert talk.count("dropped") == 1
    talk.receiver.open.set()


@pytest.mark.parametrize(
    ("of_channel", "of_rules"),
    [
        ({"level": "failed"}, lambda rules: rules.level == FAILED),
        ({"networks": ("a",)}, lambda rules: rules.networks == frozenset({"a"})),
        ({"closed": False}, lambda rules: not rules.is_closing_told),
        ({"reminder_seconds": 0.0}, lambda rules: rules.reminder_seconds == 0),
    ],
)
def test_rules_are_those_of_the_settings(
    of_channel: dict[str, object], of_rules: Callable[[object], bool]
) -> None:
    """Each setting reaches the digest."""
    channel = Channel.model_validate({"name": "a", "url": "json://127.0.0.1/x", **of_channel})
    alerting = Alerting(group_seconds=3.0, flap_edges_max=5, flap_seconds=60.0)
    rules = rules_of(channel, alerting)
    assert of_rules(rules)
    assert (rules.group_seconds, rules.flap_edges_max, rules.flap_seconds) == (3.0, 5, 60.0)
    assert rules.waiting_max == alerting.queue_messages_max
