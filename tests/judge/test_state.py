"""What a node says of accounts, against its own proof and against the majority."""

from __future__ import annotations

import pytest

from monitor.judge.answer import Answer
from monitor.judge.state import (
    BALANCE_METHOD,
    EVIDENCE_MAX,
    NONCE_METHOD,
    PROOF_METHOD,
    Reading,
    StateSeen,
    judge,
)
from monitor.model import Address, Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, agreeing, block, round_of

ACCOUNT = Address("0x" + "ab" * 20)
THREE = round_of(*agreeing())
ONE = round_of(*agreeing(names="a"))
STAMP = block(990).stamp


def answers(*said: int | Unseen) -> tuple[Answer[int], ...]:
    """One of each operator, in the order a, b, c."""
    return tuple(
        Answer(f"net/{name}", f"op-{name}", "", value)
        for name, value in zip("abc", said, strict=False)
    )


def reading(
    said: int, proven: int | None = None, *theirs: int | Unseen, method: str = BALANCE_METHOD
) -> Reading:
    return Reading(ACCOUNT, method, "balance", said, proven, answers(*theirs))


def judged(*readings: Reading, single: bool = False) -> Finding:
    observation = Observation("local", "state", NOW, 0.1, StateSeen(STAMP, readings))
    (finding,) = judge([observation], ONE if single else THREE, POLICY, NOW)
    return finding


def test_state_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], THREE, POLICY, NOW) == ()


def test_state_unseen_is_unknown_with_its_reason() -> None:
    """A state that is pruned is not a wrong one."""
    (finding,) = judge([Observation("local", "state", NOW, 0.1, TIMEOUT)], THREE, POLICY, NOW)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


@pytest.mark.parametrize(
    ("one", "level"),
    [
        (reading(5, 5), Level.OK),
        (reading(6, 5), Level.FAILED),
        (reading(6, 5, 5, 5, 6), Level.FAILED),
        (reading(6, 5, 6, 6, 5), Level.OK),
        (reading(6, None, 5, 5, 6), Level.FAILED),
        (reading(5, None, 5, 5, 6), Level.OK),
        (reading(5, None, 5, TIMEOUT, 6), Level.UNKNOWN),
        (reading(5, None), Level.UNKNOWN),
        (reading(6, 5, 5, TIMEOUT, TIMEOUT), Level.FAILED),
        (reading(0, None, 0, 0, TIMEOUT), Level.OK),
        (reading(1, 0, TIMEOUT, TIMEOUT, TIMEOUT), Level.FAILED),
    ],
    ids=[
        "proven",
        "not_what_is_proven",
        "proof_and_majority",
        "majority_says_the_same",
        "majority_says_otherwise",
        "one_reference_lies",
        "no_majority",
        "nobody_asked",
        "proof_where_the_references_are_silent",
        "nothing_is_a_value",
        "nothing_is_proven",
    ],
)
def test_state_of_a_reading_is_judged_by_majority_then_by_proof(one: Reading, level: Level) -> None:
    """The majority has the last word; without one a proof is enough; without both it is unknown."""
    assert judged(one).level == level


def test_state_with_one_reference_is_never_failed() -> None:
    """A single voice may be the wrong one."""
    assert judged(reading(6, None, 5), single=True).level == Level.DEGRADED
    assert judged(reading(6, 5), single=True).level == Level.DEGRADED
    assert judged(reading(5, None, 5), single=True).level == Level.OK


def test_state_that_differs_names_account_method_and_both_values() -> None:
    """A person can ask for the same thing by hand."""
    finding = judged(reading(6, 5, 5, 5, 6), reading(7, 7))
    assert finding.reason == "state_differs"
    assert (finding.measured, finding.limit) == (1.0, 1.0)
    assert finding.as_of == STAMP
    assert finding.summary == (
        "after block 990, the balance of 0xababab…ababab is 6 wei by eth_getBalance, and 5 wei by "
        "its proof, op-a, op-b"
    )


def test_state_that_differs_much_tells_a_few_of_it() -> None:
    """A database that is wrong is wrong everywhere: a page of it is enough."""
    finding = judged(*[reading(6, 5)] * (EVIDENCE_MAX + 3))
    assert finding.measured == EVIDENCE_MAX + 3
    assert len(finding.evidence) == EVIDENCE_MAX


@pytest.mark.parametrize(
    ("theirs", "level"),
    [((9, 9, TIMEOUT), Level.FAILED), ((8, 8, 9), Level.OK), ((TIMEOUT, 8, 9), Level.OK)],
    ids=["references_prove", "references_do_not_either", "nobody_knows"],
)
def test_state_proof_of_another_root_is_wrong_only_where_the_references_prove_something(
    theirs: tuple[int | Unseen, ...], level: Level
) -> None:
    """A chain with its state in another tree is no fault of the node, and no reason to doubt it."""
    root = Reading(ACCOUNT, PROOF_METHOD, "state root", 8, None, answers(*theirs))
    finding = judged(root, reading(5, None, 5, 5, 5))
    assert finding.level == level
    if level == Level.FAILED:
        assert "the state root of 0xababab…ababab is 0x000000…000008" in finding.summary


def test_state_nonce_is_told_as_a_count() -> None:
    """Only balances are wei."""
    nonce = Reading(ACCOUNT, NONCE_METHOD, "nonce", 6, 5)
    assert "is 6 by eth_getTransactionCount, and 5 by its proof" in judged(nonce).summary


@pytest.mark.parametrize(("proven", "is_proven"), [(5, True), (6, False), (None, False)])
def test_state_reading_proves_itself_only_by_the_same_value(
    proven: int | None, *, is_proven: bool
) -> None:
    """Then nobody else need be asked, and paid."""
    assert reading(5, proven).is_proven is is_proven
