"""How the pot of a finalised work order was divided, step by step and in words. Pure.

The numbers are those of `monitor.poco.v1.rules`; the sentences are for whoever was paid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from monitor.ledger.words import counted, rlc
from monitor.model import Address, short
from monitor.poco.v1.laws import LIVE
from monitor.poco.v1.rules import (
    ENCLAVE_FACTOR,
    SCORE_UNITARY_SLASH,
    log2_ceil,
    worker_reward,
    workers_share,
)
from monitor.poco.v1.state import Contribution, ContributionStatus, WorkOrder, WorkOrderStatus

WEIGHTS_SPELLED_MAX = 8
"""So many weights are written as a sum; more are counted by value."""


class Division(NamedTuple):
    """What there was to divide, and who got what of it, in nRLC."""

    value: int
    lost: int
    """Stakes that were lost, in number."""
    stake: int
    """Of each."""
    pot: int
    ratio: int
    """The scheduler's percentage, as it was when the work order was bought."""
    share: int
    """The workers', together."""
    weights: Mapping[Address, int]
    """Of the proved, in the order of contribution."""
    rewards: Mapping[Address, int]

    @property
    def total_weight(self) -> int:
        return sum(self.weights.values())

    @property
    def remainder(self) -> int:
        """What could not be divided: less than one nRLC for each who was paid."""
        return self.share - sum(self.rewards.values())

    @property
    def scheduler(self) -> int:
        return self.pot - sum(self.rewards.values())


def division_of(order: WorkOrder) -> Division:
    """The division of a completed work order (`WorkerPool.distributeRewards`)."""
    weights = {
        worker: order.contributions[worker].weight
        for worker in order.contributors
        if order.contributions[worker].status == ContributionStatus.PROVED
    }
    lost = len(order.contributors) - len(weights)
    pot = order.value + lost * order.stake_amount
    share = workers_share(pot, order.scheduler_ratio)
    total = sum(weights.values())
    rewards = {worker: worker_reward(share, each, total) for worker, each in weights.items()}
    return Division(
        order.value, lost, order.stake_amount, pot, order.scheduler_ratio, share, weights, rewards
    )


def pot_lines(division: Division) -> list[str]:
    """What there was, and what of it was the workers'."""
    if division.lost:
        stakes = counted(division.lost, "lost stake")
        came = f"{rlc(division.value)} of value, and {stakes} of {rlc(division.stake)}"
    else:
        came = "the work order's value; no stake was lost"
    return [
        f"The pot: {rlc(division.pot)} ({came}).",
        f"The workers' share: {100 - division.ratio} % of it, rounded down: {rlc(division.share)}.",
    ]


def weights_line(division: Division) -> str:
    """All weights, and what they come to."""
    weights = division.weights.values()
    if not weights:
        return "Nobody's result was right."
    if len(weights) <= WEIGHTS_SPELLED_MAX:
        summed = " + ".join(str(each) for each in weights)
    else:
        by_value = sorted(Counter(weights).items())
        summed = " + ".join(f"{count} × {each}" for each, count in by_value)
    equals = f" = {division.total_weight}" if len(weights) > 1 else ""
    of = counted(len(weights), "right result")
    return f"All weights, of {of}: {summed}{equals}."


def reward_line(division: Division, worker: Address) -> str:
    """One worker's part as a formula."""
    return (
        f"{rlc(division.share)} × {division.weights[worker]} / {division.total_weight}, rounded "
        f"down: {rlc(division.rewards[worker])}"
    )


def scheduler_line(division: Division) -> str:
    """The scheduler's part: what is left, and why it is that much."""
    return (
        f"The scheduler has what is left: {rlc(division.scheduler)}, its {division.ratio} %, "
        f"rounded up, with {counted(division.remainder, 'nRLC', 'nRLC')} that could not be divided."
    )


def weight_words(part: Contribution) -> str:
    """How a weight comes of the score at the contribution."""
    scored = part.score * ENCLAVE_FACTOR if part.is_enclave else part.score
    score = f"score {part.score:,}"
    if part.is_enclave:
        score += f", times {ENCLAVE_FACTOR} for the enclave"
    if scored <= 1:
        return f"{score}: 1 + 0 = 1"
    rounded = log2_ceil(scored)
    return f"{score}: 1 + log2({scored:,}) rounded up = 1 + {rounded} = {1 + rounded}"


def fault_of(order: WorkOrder, worker: Address) -> str:
    """Why a contribution to a completed work order was faulty."""
    part = order.contributions[worker]
    if part.status == ContributionStatus.REJECTED:
        return (
            "the result it gave was once agreed on, but nobody revealed it in time, so the work "
            "order was reopened without it"
        )
    if part.result_hash == order.consensus:
        return "its result was right, but was not revealed before the work order was finalised"
    return (
        f"its result ({short(part.result_hash)}) was not the one agreed on "
        f"({short(order.consensus)})"
    )


def outcome_of(order: WorkOrder, worker: Address) -> str:
    """What has come of one worker's part, in a few words."""
    part = order.contributions[worker]
    if part.status == ContributionStatus.AUTHORIZED:
        is_running = order.status in LIVE
        return f"authorised, {'has not contributed' if is_running else 'did not contribute'}"
    if order.status == WorkOrderStatus.CLAIMED:
        return "stake returned, since the work order failed"
    if order.status == WorkOrderStatus.COMPLETED:
        if part.status == ContributionStatus.PROVED:
            return "right, paid, score up by 1"
        return f"faulty, stake lost, score down by up to {SCORE_UNITARY_SLASH}"
    if part.status == ContributionStatus.PROVED:
        return "revealed, not yet paid"
    if part.status == ContributionStatus.REJECTED:
        return "rejected, stake still locked"
    return "contributed, not yet decided"
