"""The stages one after the other, with whichever driver."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Protocol, TypeVar

from monitor.ledger.drivers.columns import AMOUNT_MAX, OPEN, Columns, Moves, check
from monitor.ledger.drivers.moves import Paid, ask_stakes, moves_at_ends, moves_before
from monitor.ledger.drivers.stages import (
    MovePart,
    ScorePart,
    ScorePartDone,
    TaskPart,
    scored,
    split,
    summed,
)
from monitor.ledger.kernels.balances import Sums, added, settled
from monitor.ledger.kernels.bounds import within
from monitor.ledger.kernels.kitty import scan_kitty

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Ints

A = TypeVar("A")
B = TypeVar("B")


class Driver(Protocol):
    """Where the parts of a stage are computed."""

    @property
    def parts(self) -> int:
        """How many parts a stage is divided into; the digits do not depend on it."""

    def map(self, stage: Callable[[A], B], parts: Iterable[A]) -> Iterator[B]:
        """The stage of each part, in the order of the parts."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the rules make of the columns; amounts in nRLC."""

    score: Ints
    """By contribution, when it was made."""
    weight: Ints
    reward: Ints
    rest: Ints
    """By work order: the scheduler's percentage and every remainder."""
    drawn: Ints
    """By work order: what its finalisation took from the kitty."""
    last_score: Ints
    """By account, at last."""
    stake: Ints
    """By account."""
    locked: Ints

    @property
    def digest(self) -> str:
        """SHA-256 of all digits: equal for equal predictions, whoever computed them."""
        found = hashlib.sha256()
        for field in fields(self):
            column: Ints = getattr(self, field.name)
            found.update(f"{field.name} {len(column)}\n".encode())
            found.update(column.astype("<i8").tobytes())
        return found.hexdigest()


def predict(columns: Columns, driver: Driver) -> Prediction:
    """Scores, weights, rewards and balances. Raises OutOfBounds where 64 bits are not enough."""
    check(columns)
    score, last_score = _scores(columns, driver)
    weight, reward, rest = _splits(columns, score, driver)
    paid = Paid(reward, rest, _kitty(columns))
    within(rest, 0, AMOUNT_MAX, "what is left of a pot")
    within(reward, 0, AMOUNT_MAX, "reward")
    stake, locked = _balances(columns, paid, driver)
    return Prediction(score, weight, reward, rest, paid.drawn, last_score, stake, locked)


def _scores(columns: Columns, driver: Driver) -> tuple[Ints, Ints]:
    """Stage 1: whoever has a part, has all contributions of a worker."""
    import numpy as np

    orders, contributions = columns.work_orders, columns.contributions
    finalised = np.where(orders.is_completed, orders.ended, OPEN)
    ended = np.repeat(finalised, np.diff(orders.offsets))
    score, last = np.empty(len(ended), np.int64), np.zeros(len(columns.accounts), np.int64)
    share = contributions.worker % driver.parts
    rows = [np.flatnonzero(share == part) for part in range(driver.parts)]
    parts = (
        ScorePart(
            contributions.worker[mine],
            contributions.place[mine],
            ended[mine],
            contributions.is_proved[mine],
        )
        for mine in rows
    )
    done: ScorePartDone
    for mine, done in zip(rows, driver.map(scored, parts), strict=True):
        score[mine] = done.score
        last[done.worker] = done.last
    return score, last


def _splits(columns: Columns, score: Ints, driver: Driver) -> tuple[Ints, Ints, Ints]:
    """Stage 2: work orders that follow each other, about as many contributions in each part."""
    import numpy as np

    orders, contributions = columns.work_orders, columns.contributions
    wanted = np.linspace(0, orders.offsets[-1], driver.parts + 1)[1:-1]
    inner = np.searchsorted(orders.offsets, wanted)
    cuts = [0, *inner.tolist(), len(orders.value)]

    def part(first: int, end: int) -> TaskPart:
        tasks = slice(first, end)
        rows = slice(int(orders.offsets[first]), int(orders.offsets[end]))
        return TaskPart(
            orders.value[tasks],
            orders.stake[tasks],
            orders.scheduler_ratio[tasks],
            orders.is_completed[tasks],
            orders.offsets[first : end + 1] - rows.start,
            score[rows],
            contributions.is_enclave[rows],
            contributions.is_proved[rows],
        )

    parts = (part(first, end) for first, end in pairwise(cuts))
    weights, rewards, rests = zip(*driver.map(split, parts), strict=True)
    return np.concatenate(weights), np.concatenate(rewards), np.concatenate(rests)


def _kitty(columns: Columns) -> Ints:
    """Stage 3: one scan over the ends, in log order."""
    import numpy as np

    orders = columns.work_orders
    ended = np.flatnonzero(orders.ended != OPEN)
    ended = ended[np.argsort(orders.ended[ended])]
    is_completed = orders.is_completed[ended]
    forfeits = np.where(is_completed, 0, ask_stakes(orders.value[ended]))
    drawn = np.zeros(len(orders.value), np.int64)
    # A tenth of 63 bits, at most: an amount as well.
    drawn[ended] = scan_kitty(forfeits, is_completed)
    return drawn


def _balances(columns: Columns, paid: Paid, driver: Driver) -> tuple[Ints, Ints]:
    """Stage 4: moves in any order; the sums of all parts are added."""
    count = len(columns.accounts)
    ends = (each.moves for each in moves_at_ends(columns, paid))
    pieces = chain(moves_before(columns), ends)
    parts = (part for moves in pieces for part in _slices(moves, count, driver.parts))
    stakes: list[Sums] = []
    lockeds: list[Sums] = []
    for stake, locked in driver.map(summed, parts):
        stakes = [added((*stakes, stake), count)]
        lockeds = [added((*lockeds, locked), count)]
    return settled(added(stakes, count)), settled(added(lockeds, count))


def _slices(moves: Moves, count: int, parts: int) -> Iterator[MovePart]:
    rows = len(moves.account)
    size = max(1, -(-rows // parts))
    for first in range(0, rows, size):
        account, stake, locked = (column[first : first + size] for column in moves)
        yield MovePart(account, stake, locked, count)
