"""Whole histories, their columns, and what a prediction says in the words of a replay."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from monitor.ledger.drivers.columns import AMOUNT_MAX, Columns
from monitor.ledger.drivers.gathering import columns_of
from monitor.ledger.drivers.moves import Paid, moves_at_ends
from monitor.ledger.drivers.predict import Prediction
from monitor.model import Address
from monitor.poco.v1.facts import Facts
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import ContributionStatus, State
from tests.poco.v1.world import World, history

TEAM = 6
VALUE_MAX = AMOUNT_MAX // (1 + TEAM * 3 // 2 + 1)
"""A pot of it, and of six stakes of half as much again, is still an amount."""
VOLUME_MAX = 5
"""Of an order whose value is exchanged: what is locked for it is an amount too."""
SEEDS = st.integers(0, 2**32)
VALUES = st.lists(
    st.integers(VALUE_MAX - 10**6, VALUE_MAX) | st.integers(0, VALUE_MAX) | st.integers(0, 10**5),
    min_size=1,
    max_size=8,
)
"""nRLC; a hundred times the higher ones has 64 bits and more."""


class Said(NamedTuple):
    """What both say of one history; what is zero is left out."""

    accounts: Mapping[Address, tuple[int, int]]
    """Stake and locked."""
    scores: Mapping[Address, int]
    contributions: Mapping[tuple[Address, Address], tuple[int, int]]
    """(work order, worker) -> score and weight."""
    rewards: Mapping[Address, Mapping[Address, tuple[int, int]]]
    drawn: Mapping[Address, int]


def small(seed: int) -> World:
    """A history with every trap, and veterans whose scores a slash leaves above 0."""
    return history(seed, workers=8, orders=12, in_flight=5, team=TEAM, veterans=seed % 2)


def priced(world: World, values: Sequence[int]) -> Facts:
    """The facts with other values, in turn, of all orders but those of large volumes."""
    cycle = itertools.cycle(values)
    orders = {
        index: dataclasses.replace(order, value=next(cycle))
        if order.volume <= VOLUME_MAX
        else order
        for index, order in world.facts.orders.items()
    }
    return dataclasses.replace(world.facts, orders=orders)


def columns(world: World) -> Columns:
    return columns_of(world.logged, world.facts, world.hub)


def replayed(world: World, facts: Facts) -> State:
    """By the rules, event after event. Accounts may be overdrawn where values were exchanged."""
    replay = Replay(new_state(world.hub), facts)
    for logged in world.logged:
        replay.apply(logged)
    replay.finish()
    return replay.state


def said_by(state: State) -> Said:
    works = state.work_orders
    return Said(
        accounts=filled({a: (one.stake, one.locked) for a, one in state.accounts.items()}),
        scores={worker: score for worker, score in state.scores.items() if score},
        contributions={
            (woid, worker): (part.score, part.weight)
            for woid, work in works.items()
            for worker, part in work.contributions.items()
            if part.status != ContributionStatus.AUTHORIZED
        },
        rewards={woid: net for woid, work in works.items() if (net := filled(work.rewards))},
        drawn={woid: work.kitty_drawn for woid, work in works.items() if work.kitty_drawn},
    )


def predicted_by(columns: Columns, found: Prediction) -> Said:
    accounts, tasks = columns.accounts, columns.tasks
    balances = zip(found.stake.tolist(), found.locked.tolist(), strict=True)
    counts = np.diff(columns.work_orders.offsets)
    rows = zip(
        np.repeat(np.arange(len(tasks)), counts).tolist(),
        columns.contributions.worker.tolist(),
        found.score.tolist(),
        found.weight.tolist(),
        strict=True,
    )
    scores = zip(accounts, found.last_score.tolist(), strict=True)
    drawn = zip(tasks, found.drawn.tolist(), strict=True)
    return Said(
        accounts=filled(dict(zip(accounts, balances, strict=True))),
        scores={worker: score for worker, score in scores if score},
        contributions={(tasks[t], accounts[w]): (score, weight) for t, w, score, weight in rows},
        rewards=rewards_of(columns, found),
        drawn={task: amount for task, amount in drawn if amount},
    )


def rewards_of(
    columns: Columns, prediction: Prediction
) -> dict[Address, dict[Address, tuple[int, int]]]:
    """Work order -> account -> net change of (stake, locked) at its end, where it is not zero."""
    nets: dict[tuple[int, int], tuple[int, int]] = {}
    paid = Paid(prediction.reward, prediction.rest, prediction.drawn)
    for task, moves in moves_at_ends(columns, paid):
        rows = zip(task.tolist(), *(column.tolist() for column in moves), strict=True)
        for work_order, account, stake, locked in rows:
            before = nets.get((work_order, account), (0, 0))
            nets[work_order, account] = before[0] + stake, before[1] + locked
    found: dict[Address, dict[Address, tuple[int, int]]] = {}
    for (work_order, account), net in nets.items():
        if any(net):
            found.setdefault(columns.tasks[work_order], {})[columns.accounts[account]] = net
    return found


def filled(pairs: Mapping[Address, tuple[int, int]]) -> dict[Address, tuple[int, int]]:
    return {account: pair for account, pair in pairs.items() if any(pair)}
