"""What is computed of one part of the columns: plain functions, which may run anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from monitor.ledger.drivers.columns import OPEN
from monitor.ledger.kernels.balances import Sums, sums_by_account
from monitor.ledger.kernels.rewards import pots_of, split_rewards
from monitor.ledger.kernels.scores import fold_scores
from monitor.ledger.kernels.weights import weights_of

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Flags, Ints


class ScorePart(NamedTuple):
    """All contributions of some workers, in any order."""

    worker: Ints
    place: Ints
    ended: Ints
    """Place of the finalisation of each one's work order; OPEN where there was none."""
    is_proved: Flags


class ScorePartDone(NamedTuple):
    """What stage 1 makes of its part."""

    score: Ints
    """Of each contribution, when it was made."""
    worker: Ints
    """Whom the part was of, and below the score that each has at last."""
    last: Ints


class TaskPart(NamedTuple):
    """Some work orders with all of their contributions."""

    value: Ints
    stake: Ints
    scheduler_ratio: Ints
    is_completed: Flags
    offsets: Ints
    """Into the part's own contributions."""
    score: Ints
    is_enclave: Flags
    is_proved: Flags


class TaskPartDone(NamedTuple):
    """What stage 2 makes of its part."""

    weight: Ints
    """0 of what was not proved, or was not finalised."""
    reward: Ints
    rest: Ints
    """The scheduler's, of each work order; 0 where it was not finalised."""


class MovePart(NamedTuple):
    """Changes of accounts, and how many accounts there are."""

    account: Ints
    stake: Ints
    locked: Ints
    accounts: int


def scored(part: ScorePart) -> ScorePartDone:
    """Stage 1, by worker: the score at each contribution."""
    import numpy as np

    ended = np.flatnonzero(part.ended != OPEN)
    rows = len(part.worker)
    workers = np.concatenate((part.worker, part.worker[ended]))
    moves = np.zeros(len(workers), np.int8)
    moves[rows:] = np.where(part.is_proved[ended], 1, -1)
    order = np.lexsort((np.concatenate((part.place, part.ended[ended])), workers))
    workers = workers[order]
    folded = fold_scores(workers, moves[order])
    scores = np.empty(len(order), np.int64)
    scores[order] = folded
    is_last = np.ones(len(order), np.bool_)
    is_last[:-1] = workers[1:] != workers[:-1]
    return ScorePartDone(scores[:rows], workers[is_last], folded[is_last])


def split(part: TaskPart) -> TaskPartDone:
    """Stage 2, by work order: weights, rewards, and what is left to the scheduler."""
    import numpy as np

    counts = np.diff(part.offsets)
    rows = np.flatnonzero(np.repeat(part.is_completed, counts))
    tasks = np.flatnonzero(part.is_completed)
    is_proved = part.is_proved[rows]
    weights = weights_of(part.score[rows], part.is_enclave[rows])
    weights *= is_proved
    counts = counts[tasks]
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(~is_proved, dtype=np.int64)))
    pots = pots_of(part.value[tasks], part.stake[tasks], before[offsets[1:]] - before[offsets[:-1]])
    rewards, rests = split_rewards(pots, part.scheduler_ratio[tasks], offsets, weights)
    done = TaskPartDone(*(np.zeros(len(x), np.int64) for x in (part.score, part.score, part.value)))
    done.weight[rows], done.reward[rows], done.rest[tasks] = weights, rewards, rests
    return done


def summed(part: MovePart) -> tuple[Sums, Sums]:
    """Stage 4, by account: what the moves add up to, stake and locked."""
    return (
        sums_by_account(part.account, part.stake, part.accounts),
        sums_by_account(part.account, part.locked, part.accounts),
    )
