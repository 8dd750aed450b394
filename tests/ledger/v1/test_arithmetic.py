from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.ledger.v1.arithmetic import (
    WEIGHTS_SPELLED_MAX,
    Division,
    division_of,
    fault_of,
    outcome_of,
    pot_lines,
    reward_line,
    scheduler_line,
    weight_words,
    weights_line,
)
from monitor.poco.v1.rules import weight_of
from monitor.poco.v1.state import (
    Contribution,
    ContributionStatus,
    WorkOrder,
    WorkOrderStatus,
)
from tests.poco.v1.by_hand import FAULTY, GOOD, IDLE, PAID, RIGHT, RUNNING, WRONG, ledger, named

RLC = 10**9


def work_order(value: int, *, stake: int, ratio: int, scores: list[int | None]) -> WorkOrder:
    """A completed work order; a worker without a score was faulty."""
    order = replace(
        ledger().work_orders[PAID],
        value=value,
        stake_amount=stake,
        scheduler_ratio=ratio,
        contributors=[named(n) for n in range(len(scores))],
        contributions={},
    )
    for worker, score in zip(order.contributors, scores, strict=True):
        order.contributions[worker] = (
            Contribution(ContributionStatus.CONTRIBUTED, result_hash=WRONG)
            if score is None
            else Contribution(
                ContributionStatus.PROVED,
                result_hash=RIGHT,
                score=score,
                weight=weight_of(score, is_enclave=False),
            )
        )
    return order


def announced() -> Division:
    """Scores 0, 4 and 16, 45 RLC, the scheduler's percentage 1."""
    return division_of(work_order(45 * RLC, stake=0, ratio=1, scores=[0, 4, 16]))


def test_division_of_the_announcements_example_is_the_announced_one() -> None:
    """4.95, 14.85 and 24.75 RLC for the workers, and 0.45 for the scheduler."""
    division = announced()
    assert list(division.rewards.values()) == [4_950_000_000, 14_850_000_000, 24_750_000_000]
    assert (division.scheduler, division.remainder) == (450_000_000, 0)
    assert list(division.weights.values()) == [1, 3, 5]


@pytest.mark.parametrize(
    ("scores", "pot", "share", "remainder"),
    [
        ([0], 100, 99, 0),
        ([0, 0], 100, 99, 1),
        ([0, None], 130, 128, 0),
        ([0, 4, None, None], 160, 158, 1),
    ],
    ids=str,
)
def test_division_adds_lost_stakes_and_leaves_the_rest_to_the_scheduler(
    scores: list[int | None], pot: int, share: int, remainder: int
) -> None:
    """Every nRLC of the pot is somebody's: the workers' parts, and what is left."""
    division = division_of(work_order(100, stake=30, ratio=1, scores=scores))
    assert (division.pot, division.share, division.remainder) == (pot, share, remainder)
    assert division.scheduler + sum(division.rewards.values()) == pot


def test_division_of_the_ledger_by_hand_is_what_its_accounts_got() -> None:
    """The rewards of a work order hold the same numbers, and the stake beside them."""
    order = ledger().work_orders[PAID]
    division = division_of(order)
    assert division.rewards == {GOOD: order.rewards[GOOD][0] - order.stake_amount}
    assert division.scheduler == 2


def test_pot_lines_say_whether_stakes_were_lost() -> None:
    """None, one, or several."""
    assert pot_lines(announced()) == [
        "The pot: 45.000000000 RLC (the work order's value; no stake was lost).",
        "The workers' share: 99 % of it, rounded down: 44.550000000 RLC.",
    ]
    lost = division_of(work_order(100, stake=30, ratio=5, scores=[0, None, None]))
    assert pot_lines(lost) == [
        (
            "The pot: 0.000000160 RLC (0.000000100 RLC of value, and 2 lost stakes of "
            "0.000000030 RLC)."
        ),
        "The workers' share: 95 % of it, rounded down: 0.000000152 RLC.",
    ]


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ([4], "All weights, of 1 right result: 3."),
        ([0, 4, 16], "All weights, of 3 right results: 1 + 3 + 5 = 9."),
        (
            [0] * WEIGHTS_SPELLED_MAX,
            "All weights, of 8 right results: 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 8.",
        ),
        (
            [4] + [0] * WEIGHTS_SPELLED_MAX,
            "All weights, of 9 right results: 8 × 1 + 1 × 3 = 11.",
        ),
        ([None], "Nobody's result was right."),
    ],
    ids=["one", "three", "eight", "nine", "none"],
)
def test_weights_line_spells_few_and_counts_many(scores: list[int | None], line: str) -> None:
    """Up to eight as they came, more by value."""
    assert weights_line(division_of(work_order(100, stake=0, ratio=1, scores=list(scores)))) == line


def test_reward_line_is_the_formula_with_its_result() -> None:
    """Share, weight, sum of the weights, and what came of it."""
    assert reward_line(announced(), named(1)) == (
        "44.550000000 RLC × 3 / 9, rounded down: 14.850000000 RLC"
    )


def test_scheduler_line_names_percentage_and_remainder() -> None:
    """What could not be divided is the scheduler's, and is told."""
    assert scheduler_line(announced()) == (
        "The scheduler has what is left: 0.450000000 RLC, its 1 %, rounded up, with 0 nRLC that "
        "could not be divided."
    )
    odd = division_of(work_order(100, stake=0, ratio=1, scores=[0, 0]))
    assert "0.000000002 RLC, its 1 %, rounded up, with 1 nRLC that" in scheduler_line(odd)


@pytest.mark.parametrize(
    ("score", "is_enclave", "words"),
    [
        (0, False, "score 0: 1 + 0 = 1"),
        (1, False, "score 1: 1 + 0 = 1"),
        (2, False, "score 2: 1 + log2(2) rounded up = 1 + 1 = 2"),
        (1025, False, "score 1,025: 1 + log2(1,025) rounded up = 1 + 11 = 12"),
        (0, True, "score 0, times 3 for the enclave: 1 + 0 = 1"),
        (1, True, "score 1, times 3 for the enclave: 1 + log2(3) rounded up = 1 + 2 = 3"),
    ],
)
def test_weight_words_are_the_formula_of_the_weight(
    score: int,
    is_enclave: bool,
    words: str,
) -> None:
    """At the scores where the logarithm begins, and with the enclave's factor."""
    part = Contribution(score=score, is_enclave=is_enclave)
    assert weight_words(part) == words
    assert words.endswith(f" {weight_of(score, is_enclave)}")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Contribution(ContributionStatus.REJECTED, result_hash=RIGHT), "reopened without it"),
        (Contribution(ContributionStatus.CONTRIBUTED, result_hash=RIGHT), "was not revealed"),
        (
            Contribution(ContributionStatus.CONTRIBUTED, result_hash=WRONG),
            "its result (0x222222…222222) was not the one agreed on (0x111111…111111)",
        ),
    ],
    ids=["rejected", "unrevealed", "wrong"],
)
def test_fault_of_a_contribution_is_the_one_it_was(part: Contribution, words: str) -> None:
    """Three ways of being faulty: wrong, too late, and agreed on once but never revealed."""
    order = ledger().work_orders[PAID]
    order.contributions[FAULTY] = part
    assert words in fault_of(order, FAULTY)


COMPLETED, CLAIMED = WorkOrderStatus.COMPLETED, WorkOrderStatus.CLAIMED
ACTIVE, REVEALING = WorkOrderStatus.ACTIVE, WorkOrderStatus.REVEALING


@pytest.mark.parametrize(
    ("status", "part", "words"),
    [
        (COMPLETED, ContributionStatus.AUTHORIZED, "authorised, did not contribute"),
        (ACTIVE, ContributionStatus.AUTHORIZED, "authorised, has not contributed"),
        (REVEALING, ContributionStatus.AUTHORIZED, "authorised, has not contributed"),
        (CLAIMED, ContributionStatus.AUTHORIZED, "authorised, did not contribute"),
        (COMPLETED, ContributionStatus.PROVED, "right, paid, score up by 1"),
        (COMPLETED, ContributionStatus.CONTRIBUTED, "faulty, stake lost, score down by up to 50"),
        (COMPLETED, ContributionStatus.REJECTED, "faulty, stake lost, score down by up to 50"),
        (CLAIMED, ContributionStatus.PROVED, "stake returned, since the work order failed"),
        (CLAIMED, ContributionStatus.REJECTED, "stake returned, since the work order failed"),
        (REVEALING, ContributionStatus.PROVED, "revealed, not yet paid"),
        (ACTIVE, ContributionStatus.REJECTED, "rejected, stake still locked"),
        (REVEALING, ContributionStatus.CONTRIBUTED, "contributed, not yet decided"),
    ],
    ids=str,
)
def test_outcome_of_a_contribution_follows_from_both_statuses(
    status: WorkOrderStatus, part: ContributionStatus, words: str
) -> None:
    """A contribution keeps its status when its work order ends: only both together tell."""
    order = ledger().work_orders[RUNNING]
    order.status = status
    order.contributions[IDLE].status = part
    assert outcome_of(order, IDLE) == words
