"""Columns of a history that nobody made: as many rows as are wanted, in a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.ledger_history import CLAIMED, PRICE, STAKE_RATIO, TEAM, WRONG, address
from monitor.ledger.drivers.columns import NOBODY, OPEN, Columns, Contributions, Moves, WorkOrders

if TYPE_CHECKING:
    import numpy as np

ACCOUNTS = 10_000
ENCLAVE, UNENDED = 0.1, 0.01
WINDOW = 200
"""Work orders that end while one is under way."""


def columns_of_nothing(contributions: int, seed: int = 1) -> Columns:
    """Teams of five, as in `ledger_history`; the same for the same arguments."""
    import numpy as np

    random = np.random.default_rng(seed)
    tasks = contributions // TEAM
    rows = tasks * TEAM
    # Each work order has a span of places for its contributions, and ends some spans later: at the
    # place of that span which is theirs who are so many spans late, so that no two end at one.
    span = TEAM + WINDOW
    starts = np.arange(tasks, dtype=np.int64) * span
    late = random.integers(1, WINDOW, tasks)
    ended = starts + span * late + TEAM + late
    ended[random.random(tasks) < UNENDED] = OPEN
    value = random.integers(10**6, 10**11, tasks)
    is_proved = random.random(rows) >= WRONG
    is_proved[::TEAM] = True
    return Columns(
        accounts=tuple(address(5, number) for number in range(ACCOUNTS)),
        tasks=tuple(address(6, number) for number in range(tasks)),
        hub=0,
        work_orders=WorkOrders(
            value=value,
            stake=value * STAKE_RATIO // 100,
            scheduler_ratio=random.integers(0, 101, tasks),
            scheduler=random.integers(1, 10, tasks),
            requester=random.integers(1, ACCOUNTS, tasks),
            app_owner=random.integers(1, 20, tasks),
            app_price=np.full(tasks, PRICE),
            dataset_owner=np.full(tasks, NOBODY),
            dataset_price=np.zeros(tasks, np.int64),
            ended=ended,
            is_completed=(ended != OPEN) & (random.random(tasks) >= CLAIMED),
            offsets=np.arange(tasks + 1, dtype=np.int64) * TEAM,
        ),
        contributions=Contributions(
            worker=_teams(random, tasks),
            place=np.repeat(starts, TEAM) + np.tile(np.arange(TEAM), tasks),
            is_enclave=random.random(rows) < ENCLAVE,
            is_proved=is_proved,
        ),
        moves=Moves(np.arange(ACCOUNTS), np.full(ACCOUNTS, 10**16), np.zeros(ACCOUNTS, np.int64)),
    )


def _teams(random: np.random.Generator, tasks: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Workers of each work order, of whom no two are one: of every fifth of them, one."""
    import numpy as np

    fifth = ACCOUNTS // TEAM
    found = random.integers(0, fifth, tasks * TEAM)
    found += np.tile(np.arange(TEAM), tasks) * fifth
    return found
