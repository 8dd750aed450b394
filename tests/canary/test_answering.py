"""Questions to both, looked at again until it is certain, in memory that does not grow."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from monitor.canary.answering import (
    AT_ONCE,
    ROUNDS,
    SAMPLE_BLOCKS,
    SUSPECTS_MAX,
    Book,
    blocks,
    examine,
    put,
    replay,
)
from monitor.canary.asking import opened
from monitor.canary.comparison import Comparison
from monitor.canary.differences import Answer
from monitor.canary.questions import Question
from monitor.canary.traffic import Pin, Request, TrafficError, read
from monitor.rpc.node import Limits
from monitor.url import Url
from tests.canary.staged import PAYMENT, serves_blocks, staged
from tests.rpc.canned import Canned, Chain, Hang, Refusal, serving

PIN = Pin(98, Chain(100).hash(98))
ABSENT = Refusal("the method eth_getBalance does not exist/is not available", -32601)


def pair_of_nodes() -> tuple[Canned, Canned]:
    """Two that agree, and serve balances."""
    node, other = Canned(Chain(100)), Canned(Chain(100))
    for one in (node, other):
        serves_blocks(one)
        one.answers["eth_getBalance"] = "0x1"
    return node, other


async def examined(node: Canned, other: Canned, *lines: str) -> dict[str, Comparison]:
    """What came of it, by subject or check."""
    async with staged(node, other) as pair:
        _, found = await examine(pair, PIN, read(lines), pause_seconds=0.0)
    return {one.check if "candidate" in one.subject else one.subject: one for one in found}


async def test_nodes_that_answer_alike_pass() -> None:
    """Methods that neither serves are no matter."""
    found = await examined(*pair_of_nodes())
    assert {name: one.outcome for name, one in found.items()} == {
        "methods": "pass",
        "answers": "pass",
    }
    assert found["answers"].asked > 20


async def test_answer_that_differs_in_every_round_is_found() -> None:
    """And asked for in each of them."""
    node, other = pair_of_nodes()
    other.answers["eth_getBalance"] = "0x2"
    found = await examined(node, other)
    one = found["method:eth_getBalance"]
    assert (one.check, one.outcome, one.reason) == ("answers", "fail", "changed")
    assert one.lines[0].baseline == '"0x1"'
    asked = [str(call["params"]) for call in other.calls if call["method"] == "eth_getBalance"]
    assert asked.count(asked[0]) == ROUNDS


@pytest.mark.parametrize("wrong_rounds", [1, ROUNDS - 1])
async def test_answer_that_differs_in_some_rounds_is_let_pass(wrong_rounds: int) -> None:
    """A cold cache and a block in flight are no difference of versions."""
    node, other = pair_of_nodes()
    seen: dict[str, Any] = {}

    def late(params: list[Any]) -> str:
        times = seen.setdefault(str(params), itertools.count())
        return "0x2" if next(times) < wrong_rounds else "0x1"

    other.answers["eth_getBalance"] = late
    found = await examined(node, other)
    assert "method:eth_getBalance" not in found
    assert found["answers"].outcome == "pass"


async def test_method_that_is_gone_is_told_once_and_makes_no_difference() -> None:
    """By the check of methods alone; one that the baseline lacks as well is not gone."""
    node, other = pair_of_nodes()
    other.answers["eth_getBalance"] = ABSENT
    found = await examined(node, other)
    assert found["method:eth_getBalance"].check == "methods"
    assert found["answers"].outcome == "pass"
    node.answers["eth_getBalance"] = ABSENT
    found = await examined(node, other)
    assert found["methods"].outcome == "pass"


async def test_method_that_is_gone_once_is_asked_for_again() -> None:
    """A balancer with a node that is being replaced."""
    node, other = pair_of_nodes()
    calls = itertools.count()
    other.answers["eth_chainId"] = lambda params: (
        Refusal("method not found", -32601) if next(calls) == 0 else "0x539"
    )
    found = await examined(node, other)
    assert found["methods"].outcome == "pass"


async def test_candidate_that_does_not_answer_what_the_baseline_does_is_found() -> None:
    """No answer in any round is a difference; of the baseline's silence nothing follows."""
    node, other = pair_of_nodes()
    async with staged(node, other) as pair:
        await other.port.close()
        _, found = await examine(pair, PIN, (), pause_seconds=0.0)
    assert any(one.outcome == "fail" for one in found)
    assert "no answer (refused)" in found[1].lines[0].candidate


async def test_baseline_whose_blocks_cannot_be_read_leaves_it_unknown() -> None:
    """There is nothing to compare with."""
    node, other = pair_of_nodes()
    node.answers["eth_getBlockByNumber"] = Refusal("overloaded", -32000)
    found = await examined(node, other)
    assert {one.outcome for one in found.values()} == {"unknown"}


async def test_blocks_are_the_busiest_of_the_newest_and_some_old_ones() -> None:
    """Where there are transactions there is something to differ in."""
    node, other = pair_of_nodes()
    plain = node.answers["eth_getBlockByNumber"]

    def busy(params: list[Any]) -> Any:
        found = plain(params)
        count = 7 if int(params[0], 16) == 90 else 1
        return found | {"transactions": [PAYMENT] * count}

    node.answers["eth_getBlockByNumber"] = busy
    async with staged(node, other) as pair:
        found = await blocks(pair, PIN)
    numbers = [one.number for one in found]
    assert numbers == sorted(numbers, reverse=True)
    assert 90 in numbers
    assert {98, 0} <= set(numbers)
    assert len(numbers) <= SAMPLE_BLOCKS + SAMPLE_BLOCKS // 2


async def test_replay_reads_as_it_asks_and_counts_what_it_does_not_put() -> None:
    """A file of any length is never in memory whole."""
    node, other = pair_of_nodes()
    book = Book()
    ahead: list[int] = []
    put_before: list[int] = []

    def requests(count: int) -> Any:
        for index in range(count):
            ahead.append(index)
            put_before.append(len(node.calls))
            yield Request("eth_getBalance", (f"0x{index:x}", "latest"))
        yield Request("eth_sendTransaction", ())

    async with staged(node, other) as pair:
        await replay(pair, requests(3 * AT_ONCE), PIN, book)
    assert book.tallies["eth_getBalance"].asked == 3 * AT_ONCE
    assert dict(book.passed_over) == {"unsafe": 1}
    assert all(index - done < AT_ONCE for index, done in zip(ahead, put_before, strict=True))
    assert other.calls[0]["params"] == ["0x0", {"blockHash": PIN.hash}]


async def test_line_that_is_no_request_ends_the_replay() -> None:
    """The file is the operator's: a mistake in it is told, and not passed over."""
    with pytest.raises(TrafficError, match="line 2"):
        await examined(*pair_of_nodes(), '{"method": "eth_chainId"}', "nonsense")


def test_book_keeps_a_few_suspects_and_counts_the_rest() -> None:
    """Ten thousand wrong answers take no more memory than twenty."""
    book = Book()
    for number in range(10 * SUSPECTS_MAX):
        question = Question("eth_call", (number,))
        book.note(question, Answer(result=b"1"), Answer(result=b"2"))
    assert len(book.suspects["eth_call"]) == SUSPECTS_MAX
    assert book.tallies["eth_call"].more == 9 * SUSPECTS_MAX
    assert list(book.specimens) == ["eth_call"]


async def test_call_that_hangs_takes_no_other_with_it() -> None:
    """What missed the deadline with it in a batch is asked again alone, and is well."""
    node, other = pair_of_nodes()
    other.respond = hang = Hang("eth_getBalance")
    with_short_deadline = Limits(deadline_seconds=0.5, batch_calls_max=20)
    async with (
        serving(node, other),
        opened(Url(node.url), Url(other.url), {}, limits=with_short_deadline) as pair,
    ):
        book, found = await examine(pair, PIN, (), pause_seconds=0.0)
        hang.released.set()
    suspects = sum(len(some) for some in book.suspects.values())
    assert suspects > len(book.suspects["eth_getBalance"])
    alone = [request for request in other.requests if not isinstance(request, list)]
    assert len(alone) == (ROUNDS - 1) * suspects
    wrong = {one.subject for one in found if one.outcome == "fail"}
    assert wrong == {"method:eth_getBalance"}


async def test_methods_of_recorded_traffic_are_timed_first() -> None:
    """There is time for a dozen: those that somebody uses."""
    node, other = pair_of_nodes()
    async with staged(node, other) as pair:
        requests = [Request("eth_getBalance", ("0x1", "latest")), Request("eth_gasPrice", ())]
        book, _ = await examine(pair, PIN, requests, pause_seconds=0.0)
    methods = [one.method for one in book.worth_timing]
    assert methods[0] == "eth_getBalance"
    assert "eth_getBlockByNumber" in methods
    assert "eth_gasPrice" not in methods
    assert len(methods) == len(set(methods))


async def test_put_of_nothing_asks_nobody() -> None:
    """An empty file is no request."""
    node, other = pair_of_nodes()
    async with staged(node, other) as pair:
        await put(pair, (), Book())
    assert node.calls == other.calls == []
