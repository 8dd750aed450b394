"""Questions to both, looked at again until it is certain, in memory that does not grow."""

from __future__ import annotations

import itertools
from collections import Counter
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
from monitor.canary.differences import SHOWN_MAX, Answer
from monitor.canary.questions import Question
from monitor.canary.traffic import Pin, Request, TrafficError, read
from monitor.rpc.node import Limits
from monitor.url import Url
from tests.canary.staged import PAYMENT, serves_blocks, staged
from tests.rpc.canned import Canned, Chain, Hang, Refusal, as_calls, reply, serving

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


def of_balance(node: Canned, *said: Any) -> None:
    """Let a node answer each question for a balance with these in turn, the last for ever."""
    seen: dict[str, Any] = {}

    def answer(params: list[Any]) -> Any:
        at = next(seen.setdefault(str(params), itertools.count()))
        return said[min(at, len(said) - 1)]

    node.answers["eth_getBalance"] = answer


class Silent:
    """Answers HTTP 503 to a call alone for a method, in these of its rounds."""

    def __init__(self, method: str, *rounds: int) -> None:
        self.method, self.rounds = method, rounds
        self.asked: Counter[str] = Counter()

    async def __call__(self, request: Any, asked: Any) -> Any:
        calls = [call for call in as_calls(asked) if call["method"] == self.method]
        texts = [str(call["params"]) for call in calls]
        self.asked.update(texts)
        is_silent = any(self.asked[text] in self.rounds for text in texts)
        return reply(b"", 503) if is_silent else None


@pytest.mark.parametrize("who", ["baseline", "candidate"])
@pytest.mark.parametrize(
    ("silent", "outcome", "reason"),
    [
        ((), "fail", "changed"),
        ((2,), "fail", "changed"),
        ((2, 3), "fail", "changed"),
        ((2, 3, 4), "unknown", "unsettled"),
    ],
)
async def test_round_without_an_answer_neither_clears_nor_confirms(
    who: str, silent: tuple[int, ...], outcome: str, reason: str
) -> None:
    """It is made up for, up to a number; a difference that nobody saw again is not forgotten."""
    node, other = pair_of_nodes()
    other.answers["eth_getBalance"] = "0x2"
    (node if who == "baseline" else other).respond = Silent("eth_getBalance", *silent)
    if who == "candidate" and len(silent) == ROUNDS:
        outcome, reason = "fail", "changed"  # It has been silent in as many rounds as are needed.
    found = await examined(node, other)
    one = found["method:eth_getBalance"]
    assert (one.check, one.outcome, one.reason) == ("answers", outcome, reason), one


async def test_baseline_that_did_not_answer_in_a_batch_is_asked_again_alone() -> None:
    """A call that hangs takes its batch with it; what it hid is found."""
    node, other = pair_of_nodes()
    other.answers["eth_getBalance"] = "0x2"
    node.respond = Silent("eth_getBalance", 1)
    found = await examined(node, other)
    assert found["method:eth_getBalance"].reason == "changed"
    assert "did not answer" not in found["answers"].summary


async def test_baseline_that_never_answers_a_method_is_not_asked_for_ever() -> None:
    """Once more, alone; it is then told as not compared, and is nobody's fault."""
    node, other = pair_of_nodes()
    for one in (node, other):
        one.answers |= dict.fromkeys(("eth_getCode", "eth_getTransactionCount"), "0x1")
    node.respond = never = Silent("eth_getBalance", *range(1, 99))
    found = await examined(node, other)
    assert max(never.asked.values()) == 2
    told = found["method:eth_getBalance"]
    assert (told.outcome, told.reason) == ("skipped", "baseline_silent")
    assert found["answers"].outcome == "pass"


async def test_method_that_was_gone_and_then_not_answered_is_still_gone() -> None:
    """Only an answer strikes it off: a timeout is none."""
    node, other = pair_of_nodes()
    other.answers["eth_getBalance"] = ABSENT
    other.respond = Silent("eth_getBalance", *range(2, 99))
    found = await examined(node, other)
    assert found["method:eth_getBalance"].check == "methods"
    of_balance(other, ABSENT, Refusal("overloaded", -32000))
    other.respond = None
    found = await examined(node, other)
    assert found["methods"].outcome == "pass"


async def test_method_that_only_says_how_it_is_now_must_be_answered_as_well() -> None:
    """Its value is not compared; but no answer in any round is as good as gone."""
    node, other = pair_of_nodes()
    for one, price in ((node, "0x1"), (other, "0x2")):
        one.answers["eth_gasPrice"] = price
    other.respond = Silent("eth_gasPrice", 1)
    assert "method:eth_gasPrice" not in await examined(node, other)
    other.respond = Silent("eth_gasPrice", *range(1, 99))
    told = (await examined(node, other))["method:eth_gasPrice"]
    assert (told.outcome, told.lines[0].candidate) == ("fail", "no answer (refused)")


async def test_new_fields_do_not_crowd_out_what_is_missing() -> None:
    """However many answers have them, the one that lacks something is asked for again too."""
    node, other = pair_of_nodes()
    node.answers["eth_getBalance"] = {"a": 1}
    other.answers["eth_getBalance"] = lambda params: (
        {"a": 2} if params[0] == "0xbad" else {"a": 1, "b": 2}
    )
    lines = [
        f'{{"method": "eth_getBalance", "params": ["{account}", "latest"]}}'
        for account in [*(hex(number) for number in range(2 * SUSPECTS_MAX)), "0xbad"]
    ]
    one = (await examined(node, other, *lines))["method:eth_getBalance"]
    assert (one.outcome, one.reason) == ("fail", "changed")
    assert "in 1 of" in one.summary


async def test_value_is_masked_before_it_is_cut() -> None:
    """A key that lies across the cut would show its first half."""
    key = "s3cretKey0123456789"
    node, other = pair_of_nodes()
    async with serving(node, other):
        for cut_at in range(SHOWN_MAX - len(key) - 1, SHOWN_MAX + 1, 6):
            other.answers["eth_getBalance"] = "x" * cut_at + key + "y" * SHOWN_MAX
            async with opened(Url(node.url), Url(f"{other.url}/v3/{key}"), {}) as pair:
                _, found = await examine(pair, PIN, (), pause_seconds=0.0)
            (one,) = [one for one in found if one.outcome == "fail"]
            assert key[:4] not in repr(one), cut_at
            assert len(one.lines[0].candidate) == SHOWN_MAX


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
        book.note(question, Answer(result=b"{}"), Answer(result=b'{"a":1}'))
        book.note(question, Answer(unseen="timeout"), Answer(result=b"2"))
    assert {key: len(kept) for key, kept in book.suspects.items()} == {
        ("eth_call", "breaking"): SUSPECTS_MAX,
        ("eth_call", "added"): SUSPECTS_MAX,
        ("eth_call", "blind"): SUSPECTS_MAX,
    }
    tally = book.tallies["eth_call"]
    assert tally.more == tally.more_added == tally.unseen == 9 * SUSPECTS_MAX
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
    hanging = len(book.suspects["eth_getBalance", "breaking"])
    assert suspects > hanging
    alone = [request for request in other.requests if not isinstance(request, list)]
    assert len(alone) == suspects + (ROUNDS - 2) * hanging
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
