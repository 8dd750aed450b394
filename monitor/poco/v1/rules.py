"""The arithmetic of PoCo v1: weights, stakes, shares, the kitty. Whole numbers, floor division.

Sources are those of npm `iexec-poco@1.1.17`, which is what ran on mainnet. Amounts are nRLC.
"""

from __future__ import annotations

ASK_STAKE_RATIO = 30
"""Per cent of an order's value that its scheduler locks: a constant (`Marketplace`), whatever the
pool's own stake ratio is."""
SCORE_UNITARY_SLASH = 50
"""What a faulty contribution costs (`IexecHub.SCORE_UNITARY_SLASH`)."""
ENCLAVE_FACTOR = 3
"""How often a score counts in a weight where an enclave signed (`WorkerPool`)."""
STAKE_BONUS_RATIO = 10
"""Per cent of the kitty that a finalisation draws (`IexecHub`)."""
STAKE_BONUS_MIN_THRESHOLD = 1000
"""nRLC that it draws at least, if so much is there (`IexecHub`)."""
_LOG_MAX = 1 << 255
"""Above it the doubling of `SafeMathOZ.log` no longer fits a word, and it answers 256."""


def percentage(amount: int, ratio: int) -> int:
    """So many per cent, rounded down (`SafeMathOZ.percentage`)."""
    return amount * ratio // 100


def log2_ceil(x: int) -> int:
    """The binary logarithm rounded up; 0 of 0 (`SafeMathOZ.log`)."""
    if x > _LOG_MAX:
        return 256
    return (x - 1).bit_length() if x > 1 else 0


def weight_of(score: int, is_enclave: bool) -> int:  # noqa: FBT001
    """What a proved contribution weighs; `score` is the worker's when it contributed.

    `WorkerPool.distributeRewards`: 1 + log(score, three times where an enclave signed).
    """
    return 1 + log2_ceil(score * ENCLAVE_FACTOR if is_enclave else score)


def raised_score(score: int) -> int:
    """A worker's score after a proved contribution (`IexecHub.rewardForWork`)."""
    return score + 1


def seized_score(score: int) -> int:
    """A worker's score after a faulty one: 50 less, never below 0 (`IexecHub.seizeForWork`).

    Because of the floor the order of events matters: scores are replayed, not summed.
    """
    return score - min(score, SCORE_UNITARY_SLASH)


def work_stake(value: int, stake_ratio: int) -> int:
    """What each contributor to a work order locks (`WorkerPool.emitWorkOrder`)."""
    return percentage(value, stake_ratio)


def ask_stake(value: int) -> int:
    """What a scheduler locks for each work order that can be bought of an order."""
    return percentage(value, ASK_STAKE_RATIO)


def workers_share(pot: int, scheduler_ratio: int) -> int:
    """What of the pot is divided among the proved (`WorkerPool.distributeRewards`).

    The complement's percentage is rounded down: not the pot less the scheduler's percentage.
    """
    return percentage(pot, 100 - scheduler_ratio)


def worker_reward(share: int, weight: int, weights: int) -> int:
    """One proved worker's part; `weights` is the sum of all."""
    return share * weight // weights


def kitty_share(kitty: int) -> int:
    """What a finalisation draws from the kitty (`IexecHub.finalizeWorkOrder`).

    All of it up to 1,000 nRLC, 1,000 up to 10,009, a tenth above.
    """
    return min(kitty, max(percentage(kitty, STAKE_BONUS_RATIO), STAKE_BONUS_MIN_THRESHOLD))
