"""An Alertmanager as an HTTP server that tests can break, and the real one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.act.instruments import Instruments
from monitor.act.notify.backoff import Backoff
from monitor.act.notify.notifier import Notifier
from monitor.config.settings import Alerting
from monitor.model import Action, Level
from tests.act.notify.conftest import Begin, Clock, Receive, Receiver, until
from tests.act.notify.stage import NODE, World, count, finding
from tests.stack import Alertmanager, webhook_config

OK, UNKNOWN, DEGRADED, FAILED = Level
PAGE = "http://127.0.0.1:9845"
ALERT = "HeadwatchNodeStalled"


class Push:
    """A notifier with one Alertmanager, beaten by the test."""

    def __init__(self, url: str, clock: Clock, instruments: Instruments, **more: object) -> None:
        """`more` are settings of the Alertmanager."""
        self.clock, self.instruments, self.world = clock, instruments, World()
        settings = {"name": "am", "url": url, "resolve_timeout_seconds": 30.0, **more}
        self.notifier = Notifier(
            Alerting.model_validate({"alertmanagers": (settings,), "deadline_seconds": 1.0}),
            instruments=instruments,
            clock=clock,
            page_url=PAGE,
            backoff=lambda: Backoff(base_seconds=1.0, cap_seconds=4.0, chance=lambda: 1.0),
        )

    def becomes(self, *levels: Level, check: str = "stall", subject: str = NODE) -> None:
        for level in levels:
            edges = self.world.put(finding(check, subject, level), now=self.clock())
            self.tell(edges)

    def tell(self, edges: tuple[Action, ...] = ()) -> None:
        self.notifier.tell(edges, self.world.verdict(self.clock()), self.world.silenced)

    async def beats(self, seconds: float = 1.0) -> None:
        self.clock.now += seconds
        self.notifier.beat(self.world.verdict(self.clock()), self.world.silenced)
        await self.idle()

    async def idle(self) -> None:
        turns = self.notifier._pushers["am"].turns
        await until(lambda: not turns.is_busy, "a post that ends")

    def count(self, outcome: str) -> float:
        return count(self.instruments, "am", outcome)


@pytest.fixture
async def push(receiver: Receiver, clock: Clock, instruments: Instruments, begin: Begin) -> Push:
    made = Push(receiver.url("/prefix/"), clock, instruments, labels={"team": "nodes"})
    await begin(made.notifier)
    return made


def firing(body: Any, clock: Clock) -> list[str]:
    """The names of the alerts of a post that have not ended."""
    return [a["labels"]["alertname"] for a in body if a["endsAt"] > now_text(clock)]


def now_text(clock: Clock) -> str:
    from monitor.act.words import rfc3339

    return rfc3339(clock())


async def test_alert_has_labels_page_and_runbook(push: Push, receiver: Receiver) -> None:
    """What a route and a reader need, posted at once."""
    push.becomes(FAILED)
    (got,) = await receiver.has(1)
    assert (got.method, got.path) == ("POST", "/prefix/api/v2/alerts")
    (alert,) = got.json
    assert alert["labels"] == {
        "alertname": ALERT,
        "check": "stall",
        "network": "ethereum",
        "node": "local",
        "severity": "critical",
        "team": "nodes",
    }
    assert alert["generatorURL"] == f"{PAGE}/node/local"
    assert alert["annotations"]["runbook_url"] == f"{PAGE}/runbook/{ALERT}"
    assert alert["annotations"]["summary"] == "node local: stall is failed"
    assert alert["annotations"]["description"]


async def test_alert_is_posted_three_times_a_life_and_once_when_it_is_over(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """Its start stays, its end moves on, and when it is over it is said once."""
    push.becomes(FAILED)
    await push.idle()
    for _ in range(25):
        await push.beats()
    assert len(receiver.got) == 3
    starts = {got.json[0]["startsAt"] for got in receiver.got}
    ends = [got.json[0]["endsAt"] for got in receiver.got]
    assert len(starts) == 1
    assert ends == sorted(set(ends))
    push.becomes(OK)
    await push.idle()
    assert firing(receiver.got[3].json, clock) == []
    for _ in range(60):
        await push.beats()
    assert len(receiver.got) == 4


async def test_alert_that_came_and_went_while_it_was_down_is_never_posted(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """On recovery the newest state goes out, once."""
    await receiver.stop()
    push.becomes(FAILED)
    await push.idle()
    push.becomes(FAILED, check="fork")
    await push.beats(2)
    push.becomes(OK)
    for _ in range(10):
        await push.beats()
    failed = push.count("failed")
    assert failed >= 3
    await receiver.start()
    for _ in range(8):
        await push.beats()
    (got,) = receiver.got
    assert firing(got.json, clock) == ["HeadwatchNodeForked"]
    assert len(got.json) == 1
    assert (push.count("sent"), push.count("dropped")) == (1, 0)


async def test_alert_that_may_have_arrived_is_ended(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """A post without an answer may have been taken, so that the end must be posted."""
    receiver.status = 500
    push.becomes(FAILED)
    await push.idle()
    receiver.status = 200
    push.becomes(OK)
    for _ in range(6):
        await push.beats()
    assert firing(receiver.got[-1].json, clock) == []
    assert len(receiver.got) == 2


async def test_change_of_level_ends_one_alert_and_begins_another(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """As Prometheus would: another level has another name."""
    push.becomes(UNKNOWN, check="head")
    await push.idle()
    push.becomes(FAILED, check="head")
    await push.idle()
    assert firing(receiver.got[0].json, clock) == ["HeadwatchNodeUnseen"]
    assert firing(receiver.got[1].json, clock) == ["HeadwatchNodeBehind"]
    assert len(receiver.got[1].json) == 2


async def test_maintenance_ends_what_it_silences_and_begins_it_again(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """Alertmanager is told nothing of what nobody shall be told of."""
    push.becomes(FAILED)
    await push.idle()
    push.world.silent = {NODE}
    await push.beats()
    assert firing(receiver.got[-1].json, clock) == []
    push.becomes(FAILED, check="fork")
    for _ in range(40):
        await push.beats()
    assert len(receiver.got) == 2
    push.world.silent = set()
    await push.beats()
    assert sorted(firing(receiver.got[-1].json, clock)) == ["HeadwatchNodeForked", ALERT]


async def test_consequence_stands_in_the_description_of_its_cause(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """One trouble is one alert; what began before its cause goes on until it is well."""
    cause, effect = finding("stall"), finding("head", because=("stall", NODE))
    push.tell(push.world.put(cause, effect, now=clock()))
    await push.idle()
    assert firing(receiver.got[0].json, clock) == [ALERT]
    assert "also: head of node local" in receiver.got[0].json[0]["annotations"]["description"]
    push.tell(push.world.put(finding("stall", level=OK), finding("head"), now=clock()))
    await push.idle()
    assert firing(receiver.got[1].json, clock) == ["HeadwatchNodeBehind"]
    push.tell(push.world.put(cause, effect, now=clock()))
    await push.idle()
    assert sorted(firing(receiver.got[2].json, clock)) == ["HeadwatchNodeBehind", ALERT]


async def test_refused_alert_is_dropped_and_the_others_are_posted(
    push: Push, receiver: Receiver, clock: Clock
) -> None:
    """One that is refused for what it is costs itself, is counted, and is not tried for ever."""
    receiver.refuses = lambda body: any(a["labels"].get("node") == "bad" for a in body)
    names = ("one", "two", "bad", "three", "four")
    edges = push.world.put(*(finding("stall", f"node:{n}") for n in names), now=clock())
    push.tell(edges)
    await push.idle()
    taken = {a["labels"]["node"] for got in receiver.got for a in got.json if len(got.json) < 3}
    assert taken >= set(names) - {"bad"}
    assert (push.count("dropped"), push.count("sent"), push.count("failed")) == (1, 1, 0)
    receiver.got.clear()
    for _ in range(25):
        await push.beats()
    assert [len(got.json) for got in receiver.got] == [4, 4]
    assert push.count("dropped") == 1


async def test_redirect_is_not_followed_and_takes_no_token_along(
    receive: Receive, clock: Clock, instruments: Instruments, begin: Begin, tmp_path: Path
) -> None:
    """A token is for the configured host."""
    here, there = await receive(), await receive()
    here.status, here.location = 307, there.url("/api/v2/alerts")
    token = tmp_path / "token"
    token.write_text("s3cr3t-token\n", encoding="utf-8")
    push = Push(here.url(), clock, instruments, token_file=token)
    await begin(push.notifier)
    push.becomes(FAILED)
    await push.idle()
    assert here.got[0].headers["Authorization"] == "Bearer s3cr3t-token"
    assert there.got == []
    assert push.count("failed") == 1
    token.write_text("renewed", encoding="utf-8")
    here.status = 200
    await push.beats(2)
    assert here.got[1].headers["Authorization"] == "Bearer renewed"


async def test_slow_alertmanager_holds_nothing_up(
    push: Push, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """`tell` returns at once, one post is under way, and its deadline ends it."""
    receiver.open.clear()
    push.becomes(FAILED)
    await receiver.has(1)
    for index in range(50):
        push.becomes(FAILED, subject=f"node:{index}")
    assert len(receiver.got) == 1
    await push.idle()
    assert push.count("failed") == 1
    assert "no answer within 1 s" in caplog.text
    receiver.open.set()
    await push.beats(2)
    assert len(receiver.got[-1].json) == 51


async def test_stop_posts_what_is_not_known_yet(push: Push, receiver: Receiver) -> None:
    """Also while a pause has to be kept; and what cannot be told is counted."""
    receiver.status = 503
    push.becomes(FAILED)
    await push.idle()
    receiver.status = 200
    await push.notifier.stop()
    assert len(receiver.got) == 2
    assert push.count("dropped") == 0


async def test_stop_counts_what_an_alertmanager_never_took(push: Push, receiver: Receiver) -> None:
    """A warning at the end says that somebody was not told."""
    receiver.status = 503
    push.becomes(FAILED)
    await push.idle()
    await push.notifier.stop()
    assert push.count("dropped") == 1


# -- the real one --------------------------------------------------------------------------------


@pytest.fixture
def real(alertmanager: Path, tmp_path: Path, receiver: Receiver) -> Iterator[Alertmanager]:
    """An Alertmanager that tells the receiver of everything at once."""
    config = webhook_config(receiver.url("/hook"))
    with Alertmanager(alertmanager, tmp_path, config=config) as started:
        yield started


def told(receiver: Receiver) -> list[tuple[str, str]]:
    """(status, alert name) of every alert that the webhook was told of, in order."""
    return [
        (alert["status"], alert["labels"]["alertname"])
        for got in receiver.got
        for alert in got.json["alerts"]
    ]


async def test_real_alertmanager_tells_of_beginning_and_end(
    real: Alertmanager, receiver: Receiver, instruments: Instruments, begin: Begin
) -> None:
    """Posted, notified, resolved: once each, with page and runbook."""
    clock = Clock(time.time())
    push = Push(real.url, clock, instruments)
    await begin(push.notifier)
    push.becomes(FAILED)
    await receiver.has(1)
    assert told(receiver) == [("firing", ALERT)], real.tail()
    alert = receiver.got[0].json["alerts"][0]
    assert alert["generatorURL"] == f"{PAGE}/node/local"
    assert alert["annotations"]["runbook_url"].endswith(ALERT)
    await push.beats(0)
    push.becomes(OK)
    await receiver.has(2)
    assert told(receiver)[1:] == [("resolved", ALERT)], real.tail()
    assert (push.count("sent"), push.count("failed")) == (2, 0)


async def test_real_alertmanager_that_forgot_everything_is_told_again(
    real: Alertmanager, receiver: Receiver, instruments: Instruments, begin: Begin
) -> None:
    """After a restart the next post brings the alert back; it is notified at most once more."""
    clock = Clock(time.time() - 11)  # The clock is turned on below, and then tells the time.
    push = Push(real.url, clock, instruments)
    await begin(push.notifier)
    push.becomes(FAILED)
    await receiver.has(1)
    await push.idle()
    real.kill()
    push.becomes(FAILED, check="fork")
    await push.idle()
    push.becomes(OK, check="fork")
    await push.idle()
    assert push.count("failed") == 1
    real.start()
    assert real.alerts() == []
    await push.beats(11)
    names = [alert["labels"]["alertname"] for alert in real.alerts()]
    assert names == [ALERT], json.dumps(names) + real.tail()
    await receiver.has(2)
    push.becomes(OK)
    await receiver.has(3)
    assert told(receiver) == [("firing", ALERT), ("firing", ALERT), ("resolved", ALERT)]
