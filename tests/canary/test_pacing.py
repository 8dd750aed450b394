"""Calls in turn, one at a time, of both."""

from __future__ import annotations

from collections.abc import Callable

from monitor.canary.latency import PAIRS_MIN
from monitor.canary.pacing import METHODS_MAX, latency
from monitor.canary.questions import Question
from tests.canary.staged import staged
from tests.rpc.canned import Canned, Refusal

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
    """An error is quick; the others are judged all the same."""
    node, other = served(), served()
    other.answers["eth_call"] = Refusal("no", -32000)
    async with staged(node, other) as pair:
        found = await latency(pair, ASKED, PAIRS_MIN)
    assert (found.outcome, len(found.lines)) == ("pass", 1)


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
        assert (await latency(pair, ASKED, PAIRS_MIN - 1)).reason == "too_few"


async def test_more_methods_than_anybody_reads_are_not_measured() -> None:
    """The time a gate takes must not grow with what was recorded."""
    many = [Question(f"eth_{index}", ()) for index in range(METHODS_MAX + 5)]
    answers = {one.method: "0x1" for one in many}
    node, other = Canned(answers=dict(answers)), Canned(answers=dict(answers))
    async with staged(node, other) as pair:
        await latency(pair, many, 1)
    assert len(set(node.methods)) == METHODS_MAX
