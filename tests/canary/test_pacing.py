"""Calls in turn, one at a time, of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import pytest
from aiohttp import web

from monitor.canary.asking import opened
from monitor.canary.comparison import Comparison
from monitor.canary.latency import PAIRS_MIN, RATIO_MAX, UNANIMOUS_MIN
from monitor.canary.pacing import BUDGET_SECONDS, METHODS_MAX, latency
from monitor.canary.questions import Question
from monitor.rpc.node import Limits
from monitor.url import Url
from tests.canary.staged import DEADLINE_SECONDS, staged
from tests.rpc.canned import Canned, Clock, Hang, Json, Refusal, always, serving

ASKED = (Question("eth_gasPrice", ()), Question("eth_call", ("0x1",)))


def served() -> Canned:
    return Canned(answers={"eth_gasPrice": "0x1", "eth_call": "0x2"})


async def test_calls_travel_alone_and_as_many_to_each() -> None:
    """The first turn only warms up, so that each gets one more than is counted."""
    node, other = served(), served()
    async with staged(node, other) as pair:
        found = await latency(pair, ASKED, PAIRS_MIN)
    assert found.outcome == "pass"
    assert found.asked == 2 * 2 * PAIRS_MIN
    for one in (node, other):
        assert not any(isinstance(request, list) for request in one.requests)
        assert len(one.calls) == 2 * (PAIRS_MIN + 1)


async def test_method_that_one_does_not_answer_is_not_compared() -> None:
    """An error is quick; the others are judged all the same, and it is named."""
    node, other = served(), served()
    other.answers["eth_call"] = Refusal("no", -32000)
    async with staged(node, other) as pair:
        found = await latency(pair, ASKED, PAIRS_MIN)
    assert (found.outcome, len(found.lines)) == ("pass", 1)
    assert found.summary.endswith("; too few answers in time to say it of eth_call")


async def test_each_goes_first_as_often_as_the_other() -> None:
    """Baseline and candidate, then candidate and baseline: neither always finds caches warm."""
    order: list[str] = []
    node, other = served(), served()

    def noting(name: str) -> Callable[[object], str]:
        def answer(params: object) -> str:
            order.append(name)
            return "0x1"

        return answer

    node.answers["eth_gasPrice"] = noting("baseline")
    other.answers["eth_gasPrice"] = noting("candidate")
    async with staged(node, other) as pair:
        await latency(pair, ASKED[:1], 3)
    firsts = order[::2]
    assert firsts == ["baseline", "candidate"] * 2


async def test_nothing_to_measure_is_unknown() -> None:
    """And no pass; few pairs are no more."""
    async with staged(served(), served()) as pair:
        assert (await latency(pair, (), PAIRS_MIN)).reason == "too_few"
        assert (await latency(pair, ASKED, UNANIMOUS_MIN - 1)).reason == "too_few"


async def test_more_methods_than_anybody_reads_are_not_measured() -> None:
    """The time a gate takes must not grow with what was recorded."""
    many = [Question(f"eth_{index}", ()) for index in range(METHODS_MAX + 5)]
    answers = {one.method: "0x1" for one in many}
    node, other = Canned(answers=dict(answers)), Canned(answers=dict(answers))
    async with staged(node, other) as pair:
        await latency(pair, many, 1)
    assert len(set(node.methods)) == METHODS_MAX


METHODS = tuple(f"eth_{index}" for index in range(METHODS_MAX))
EACH = tuple(Question(method, ()) for method in METHODS)


def taking(clock: Clock, seconds: float | Mapping[str, float]) -> Canned:
    """A node whose calls take so long by a clock of its own."""

    def answer(method: str) -> Callable[[object], str]:
        def said(params: object) -> str:
            clock.now += seconds if isinstance(seconds, float) else seconds[method]
            return "0x1"

        return said

    return Canned(answers={method: answer(method) for method in METHODS})


async def timed(node: Canned, other: Canned, clock: Clock) -> Comparison:
    async with staged(node, other) as pair:
        return await latency(pair, EACH, clock=clock)


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        (0.01, 0.01, "pass"),
        (0.02, 0.48, "fail"),
        (0.02, 2.0, "fail"),
        (0.02, 4.9, "fail"),
        (3.0, 4.9, "fail"),
        (0.48, 0.48, "pass"),
        (4.0, 4.0, "pass"),
        (4.9, 4.9, "pass"),
    ],
)
async def test_slow_node_gets_fewer_methods_and_not_a_longer_gate(
    mine: float, theirs: float, outcome: str
) -> None:
    """However slow both are: what is timed gets pairs enough to be judged."""
    clock = Clock(0.0)
    found = await timed(taking(clock, mine), taking(clock, theirs), clock)
    assert found.outcome == outcome, found
    assert clock.now <= BUDGET_SECONDS + mine + theirs
    if mine + theirs < 0.1:
        assert found.summary.startswith(f"{METHODS_MAX} methods")


async def test_method_that_is_slow_on_both_leaves_time_for_the_others() -> None:
    """Half of what is left and no more: behind it are those that somebody notices."""
    clock = Clock(0.0)
    mine = dict.fromkeys(METHODS, 0.02) | {METHODS[0]: 4.0}
    theirs = mine | {METHODS[-1]: 0.2}
    found = await timed(taking(clock, mine), taking(clock, theirs), clock)
    assert (found.outcome, found.reason) == ("fail", "slower")
    assert f"at worst {METHODS[-1]}" in found.summary


@pytest.mark.parametrize(
    ("silent", "mine", "outcome"),
    [
        ("candidate", 0.02, "fail"),
        ("candidate", DEADLINE_SECONDS / RATIO_MAX + 0.1, "unknown"),
        ("baseline", 0.02, "unknown"),
    ],
)
async def test_candidate_that_does_not_answer_is_as_slow_as_its_deadline(
    silent: str, mine: float, outcome: str
) -> None:
    """Where the baseline answered, and in a time beside which that is slow."""
    clock = Clock(0.0)
    node, other = taking(clock, mine), taking(clock, 0.02)
    (other if silent == "candidate" else node).respond = always(b"", 503)
    found = await timed(node, other, clock)
    assert found.outcome == outcome, found
    if outcome == "fail":
        assert found.lines[0].candidate == f"{DEADLINE_SECONDS * 1000:.2f} ms"


async def test_call_that_misses_the_deadline_is_counted_as_one_without_an_answer() -> None:
    """A timeout is one way to have none."""
    node, other = served(), served()
    hang, requests = Hang(), itertools.count()

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        return await hang(request, asked) if next(requests) else None  # The first only warms up.

    other.respond = respond
    with_short_deadline = Limits(deadline_seconds=2.0, batch_calls_max=20)
    async with (
        serving(node, other),
        opened(Url(node.url), Url(other.url), {}, limits=with_short_deadline) as pair,
    ):
        found = await latency(pair, ASKED[:1], 1)
        hang.released.set()
    assert found.asked == 2
