"""Questions at one block: answered with words, or with a reason why nothing can be said."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest

from monitor.ledger.errors import CouldNotSee
from monitor.ledger.v1 import getters
from monitor.ledger.v1.asking import Asking, Question
from monitor.ledger.v1.discovery import Contracts
from monitor.model import Address
from tests.ledger.scene import REVERTED, TWICE, Scene, scene, words
from tests.rpc.canned import Json, Refusal

HUB, MARKETPLACE, POOL, WOID = (Address("0x" + pair * 20) for pair in ("aa", "bb", "cc", "dd"))
NOBODY = Address("0x" + "00" * 20)
CONTRACTS = Contracts(HUB, MARKETPLACE, NOBODY, NOBODY, NOBODY, NOBODY)
BALANCE = Question(HUB, getters.CHECK_BALANCE, (POOL,))
CONTRIBUTION = Question(POOL, getters.CONTRIBUTION, (WOID, HUB), may_revert=True)


def asking(one: Scene) -> Asking:
    """Our side of a canned hub that has its marketplace."""
    one.says(HUB, getters.MARKETPLACE, returns=words(MARKETPLACE))
    return Asking(one.node, CONTRACTS, one.at, TWICE)


def says(one: Scene, question: Question, answer: Json) -> None:
    one.says(question.to, question.getter, *question.arguments, returns=answer)


def test_question_text_names_getter_arguments_and_contract() -> None:
    """A sentence about a question has all that it takes to ask it by hand."""
    assert BALANCE.text == f"checkBalance({POOL}) of {HUB}"
    assert CONTRIBUTION.text == f"getContribution({WOID}, {HUB}) of {POOL}"
    assert Question(HUB, getters.RLC).text == f"rlc() of {HUB}"


async def test_read_words_of_each_question_are_in_its_order() -> None:
    """Answers come as their words, in the order of the questions."""
    async with scene() as one:
        ask = asking(one)
        questions = [Question(HUB, getters.SCORES, (number,)) for number in range(5)]
        for number, question in enumerate(questions):
            says(one, question, words(number * number))
        assert await ask.read(questions) == [(0,), (1,), (4,), (9,), (16,)]
        assert await ask.read_all([questions[3]]) == [(9,)]


async def test_read_no_question_asks_nobody() -> None:
    """Without a question there is no request."""
    async with scene() as one:
        assert await asking(one).read([]) == []
        assert one.canned.requests == []


@pytest.mark.parametrize("count", [1, 98, 99, 498, 499, 2000])
async def test_read_costs_a_request_for_every_hundred_questions(count: int) -> None:
    """Slices of 500 in batches of 100, two calls to begin with and two known answers: no more."""
    async with scene() as one:
        ask = asking(one)
        questions = [Question(HUB, getters.SCORES, (number,)) for number in range(count)]
        for question in questions:
            says(one, question, words(7))
        assert len(await ask.read(questions)) == count
        assert len(one.canned.calls) == count + 4
        full, rest = divmod(count + 2, 500)
        assert len(one.canned.requests) == 1 + 5 * full + math.ceil(rest / 100)


async def test_read_progress_counts_to_the_end() -> None:
    """Whoever waits sees how much is done, the known answers included."""
    async with scene() as one:
        told: list[tuple[int, int]] = []
        ask = asking(one)._replace(progress=lambda done, total: told.append((done, total)))
        questions = [Question(HUB, getters.SCORES, (number,)) for number in range(700)]
        for question in questions:
            says(one, question, words(7))
        await ask.read(questions)
        assert told == [(500, 702), (702, 702)]


# -- reverts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [REVERTED, "0x"], ids=["revert", "no bytes"])
async def test_read_revert_of_a_getter_that_may_is_none(answer: Json) -> None:
    """Unset is said with a revert, by old nodes with nothing."""
    async with scene() as one:
        ask = asking(one)
        says(one, CONTRIBUTION, answer)
        says(one, BALANCE, words(1, 2))
        assert await ask.read([CONTRIBUTION, BALANCE]) == [None, (1, 2)]


ENDED: Mapping[str, tuple[Json, str, str]] = {
    "revert": (REVERTED, "reverted", "at block 90 reverted; it may end calls at a limit"),
    "nothing": ("0x", "malformed", "at block 90: checkBalance answered 0 bytes, not 64; check"),
    "short": (words(1), "malformed", "checkBalance answered 32 bytes, not 64; check"),
    "pruned": (Refusal("missing trie node", -32000), "pruned", "an archive node"),
}


@pytest.mark.parametrize(("answer", "reason", "why"), ENDED.values(), ids=ENDED)
async def test_read_of_what_is_no_answer_ends_with_its_reason(
    answer: Json, reason: str, why: str
) -> None:
    """A getter that never reverts and did, or says too little, says nothing of the ledger."""
    async with scene(label="alpha") as one:
        ask = asking(one)
        says(one, BALANCE, answer)
        with pytest.raises(CouldNotSee, match=r"^alpha: ") as caught:
            await ask.read([BALANCE])
        assert caught.value.reason == reason
        assert why in caught.value.detail


async def test_read_too_many_words_of_a_getter_that_may_revert_are_malformed() -> None:
    """That a getter may revert does not excuse an answer that is none."""
    async with scene() as one:
        ask = asking(one)
        says(one, CONTRIBUTION, words(1, 2, 3))
        with pytest.raises(CouldNotSee, match="answered 96 bytes, not 192") as caught:
            await ask.read([CONTRIBUTION])
        assert caught.value.reason == "malformed"


# -- a state that is not there -------------------------------------------------------------------

NO_STATE: Mapping[str, Json] = {
    "nothing": "0x",
    "zeros": words(0),
    "another": words(POOL),
    "no address": words(1 << 200),
    "revert": REVERTED,
}


@pytest.mark.parametrize("answer", NO_STATE.values(), ids=NO_STATE)
async def test_read_from_a_node_that_makes_a_state_up_is_inconclusive(answer: Json) -> None:
    """A node without the state may answer with zeros, and call it a success."""
    async with scene(label="alpha") as one:
        ask = asking(one)
        says(one, BALANCE, words(0, 0))
        one.says(HUB, getters.MARKETPLACE, returns=answer)
        with pytest.raises(CouldNotSee) as caught:
            await ask.read([BALANCE])
        assert caught.value.reason == "no_state"
        assert caught.value.detail.startswith("alpha: at block 90 the hub's marketplace is ")
        assert f"not {MARKETPLACE}: it does not have the state" in caught.value.detail


async def test_read_from_a_node_that_loses_the_state_midway_is_inconclusive() -> None:
    """A state that is pruned while it is read: the last answer is looked at like the first."""
    async with scene() as one:
        ask = asking(one)
        says(one, BALANCE, words(0, 0))
        # Once to see that the node heeds the hash, and once at the beginning.
        told = iter([words(MARKETPLACE)] * 2 + [words(0)])
        one.says(HUB, getters.MARKETPLACE, returns=lambda: next(told))
        with pytest.raises(CouldNotSee) as caught:
            await ask.read([BALANCE])
        assert caught.value.reason == "no_state"
