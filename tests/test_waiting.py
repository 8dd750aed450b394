"""Waiting for a pass: what was wrong before is forgiven, what is wrong at the end is told."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from functools import partial

import pytest

from monitor.accepting import accept
from monitor.act.words import headline
from monitor.config.accepted import Accepted
from monitor.gate import Asked
from monitor.model import Finding, Level, Verdict
from monitor.policy.rules import Options, parse
from monitor.waiting import wait
from tests.act import snapshots
from tests.rpc.canned import nothing_unheard, serving
from tests.test_gate import World

SOON = 20.0


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Three references and a node, in step; nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), world.node):
            yield world


async def test_wait_for_a_healthy_node_ends_at_once(world: World) -> None:
    """One round is enough for health, and the exit is a pass."""
    outcome = await wait(world.settings(), timeout_seconds=SOON)
    assert (outcome.word, outcome.rounds, outcome.timed_out) == ("pass", 1, False)


async def test_wait_for_a_node_that_catches_up_ends_when_it_has(world: World) -> None:
    """It failed before, which no window would forgive."""
    world.lag()
    words: list[str] = []

    def watch(verdict: Verdict, seconds: float) -> None:
        words.append(verdict.word)
        if verdict.word == "fail":
            world.heal()
        assert seconds >= 0

    outcome = await wait(world.settings(), timeout_seconds=SOON, progress=watch)
    assert "fail" in words
    assert words[-1] == outcome.word == "pass"
    assert outcome.timed_out is False


async def test_wait_past_its_time_tells_what_is_known(world: World) -> None:
    """A node that stays behind fails, one that is not there is inconclusive."""
    world.lag()
    outcome = await wait(world.settings(), timeout_seconds=1.5)
    assert (outcome.word, outcome.timed_out) == ("fail", True)


async def test_wait_holds_for_as_long_as_it_is_told(world: World) -> None:
    """The time begins with the pass."""
    beats: list[float] = []
    outcome = await wait(
        world.settings(),
        hold_seconds=0.6,
        timeout_seconds=SOON,
        progress=lambda verdict, seconds: beats.append(seconds),
    )
    assert outcome.word == "pass"
    assert beats[-1] - beats[0] >= 0.6 - 1e-3


async def test_wait_with_rules_waits_for_them_too(world: World) -> None:
    """A rule that wants three samples has them at the end."""
    rules = (parse("head.lag_blocks.max < 3", Options(min_samples=3)),)
    outcome = await wait(world.settings(), timeout_seconds=SOON, asked=Asked("deploy", rules))
    assert outcome.ruling is not None
    assert (outcome.word, outcome.ruling.results[0].samples >= 3) == ("pass", True)


async def test_wait_takes_what_is_accepted_for_well(world: World) -> None:
    """What somebody has accepted does not hold up a rollout."""
    world.lag()
    until = datetime.datetime.now(datetime.UTC).date()
    known = Accepted(check="head", subject="node:local", why="it is old", until=until)
    outcome = await wait(world.settings(), timeout_seconds=SOON, accepted=partial(accept, [known]))
    assert (outcome.word, outcome.timed_out) == ("pass", False)
    assert "accepted" in {finding.reason for finding in outcome.verdict.findings}


LOST = snapshots.finding("transactions", "account:hot", Level.FAILED, "lost")


async def test_wait_asks_what_others_remember_after_every_round(world: World) -> None:
    """A lost transaction is no pass while it is lost, and holds nothing up when it no longer is."""
    told = iter([[LOST], [LOST]])
    words: list[str] = []

    def remembered(now: float) -> list[Finding]:
        del now
        return next(told, [])

    outcome = await wait(
        world.settings(),
        timeout_seconds=SOON,
        remembered=remembered,
        progress=lambda verdict, seconds: words.append(verdict.word),
    )
    assert words == ["fail", "fail", "pass"]
    assert (outcome.word, outcome.timed_out) == ("pass", False)


async def test_wait_past_its_time_tells_what_others_remember(world: World) -> None:
    """As a gate does that does not wait."""
    outcome = await wait(world.settings(), timeout_seconds=0.5, remembered=lambda now: [LOST])
    assert (outcome.word, outcome.timed_out) == ("fail", True)
    assert LOST in outcome.verdict.findings


async def test_wait_that_ends_before_a_pass_has_held_is_inconclusive(world: World) -> None:
    """A node that has just come right is not ready, and not wrong either."""
    outcome = await wait(world.settings(), hold_seconds=60.0, timeout_seconds=1.0)
    assert (outcome.word, outcome.timed_out) == ("inconclusive", True)
    said = headline(outcome.verdict)
    assert said == "all was well at last, and not for as long as was asked for"
