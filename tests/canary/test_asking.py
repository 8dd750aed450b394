"""Both are asked the same, and whatever fails is an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.canary.asking import SAID_MAX, answers, both, opened, scrubbed
from monitor.canary.comparison import Comparison, Line
from monitor.canary.differences import Answer
from monitor.canary.questions import Question
from monitor.url import Url
from tests.canary.staged import staged
from tests.rpc.canned import Canned, Refusal

KEY = "s3cretKey0123456789"
ASKED = [
    Question("eth_gasPrice", ()),
    Question("eth_call", ()),
    Question("eth_foo", ()),
]


async def test_answers_come_in_the_order_of_the_questions_and_unread() -> None:
    """A result is its bytes; an error its code; an absent method is told from an error."""
    node, other = Canned(), Canned()
    node.answers = {"eth_gasPrice": {"a": [1]}, "eth_call": Refusal("reverted", 3)}
    async with staged(node, other) as pair:
        said = await answers(pair.baseline, ASKED)
    assert json.loads(said[0].result or b"") == {"a": [1]}
    assert said[1:] == [Answer(code=3), Answer(code=-32601, is_absent=True)]


async def test_node_that_is_gone_answers_with_why_and_the_other_all_the_same() -> None:
    """One of the two that fails takes nothing from the other."""
    node, other = Canned(answers={"eth_gasPrice": "0x1"}), Canned()
    async with staged(node, other) as pair:
        await other.port.close()
        ((mine, theirs),) = await both(pair, ASKED[:1])
    assert (mine.result, theirs.unseen) == (b'"0x1"', "refused")


async def test_questions_go_in_batches_and_to_both() -> None:
    """Each is asked of each once."""
    node, other = Canned(), Canned()
    async with staged(node, other) as pair:
        await both(pair, ASKED)
    assert node.methods == other.methods == [one.method for one in ASKED]
    assert len(node.requests) == 1


async def test_mistake_of_ours_is_no_answer() -> None:
    """What cannot be put into JSON is a mistake in this program, and ends the run."""
    unwritable: Any = object()
    async with staged(Canned(), Canned()) as pair:
        with pytest.raises(TypeError):
            await answers(pair.baseline, [Question("eth_call", (unwritable,))])


async def test_nothing_of_a_url_is_told_whatever_a_node_echoes() -> None:
    """In the summary, in what was compared, and in both values."""
    url = f"http://127.0.0.1:1/v3/{KEY}"
    async with opened(Url("http://127.0.0.1:1"), Url(url), {"a": Url(url)}) as pair:
        assert [node.label for node in pair.all] == ["baseline", "candidate", "a"]
        line = Line(f"what {KEY}", KEY, f"{KEY} {'x' * 2 * SAID_MAX}")
        told = scrubbed(pair, Comparison("identity", "fail", "some", f"said {url}", (line,)))
    assert KEY not in repr(told)
    assert len(told.lines[0].candidate) == SAID_MAX
