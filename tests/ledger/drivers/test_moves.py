"""What purchases, contributions and ends move."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from monitor.ledger.drivers.columns import Columns, Moves
from monitor.ledger.drivers.moves import Paid, ask_stakes, moves_at_ends, moves_before
from monitor.poco.v1.rules import ask_stake
from tests.ledger.drivers.finished import (
    MAKER,
    OWNER,
    REQUESTER,
    RLC,
    VALUE,
    WORKERS,
    finished,
    gathered,
)
from tests.poco.v1.contracts import Chain, digest

STAKE = VALUE * 30 // 100


def added(columns: Columns, moves: Moves) -> dict[str, tuple[int, int]]:
    """Account -> net (stake, locked) of one group of moves, where it is not zero."""
    stakes: Counter[str] = Counter()
    lockeds: Counter[str] = Counter()
    for number, stake, locked in zip(*(column.tolist() for column in moves), strict=True):
        stakes[columns.accounts[number]] += stake
        lockeds[columns.accounts[number]] += locked
    nets = {account: (stakes[account], lockeds[account]) for account in stakes}
    return {account: net for account, net in nets.items() if any(net)}


def paid(columns: Columns, rewards: list[int], rest: int, drawn: int) -> Paid:
    orders = len(columns.tasks)
    assert len(rewards) == len(columns.contributions.worker)
    return Paid(np.array(rewards), np.full(orders, rest), np.full(orders, drawn))


@pytest.mark.parametrize("value", [0, 3, 4, 100, 333, 10**17 + 7, 2**60])
def test_ask_stakes_are_those_of_the_rule(value: int) -> None:
    """Thirty per cent, rounded down: a constant of the marketplace."""
    assert ask_stakes(np.array([value])).tolist() == [ask_stake(value)]


def test_moves_before_an_end_lock_cost_and_stakes() -> None:
    """The requester's value with app and dataset, and a stake of every contributor."""
    columns = gathered(finished())
    _, bought, contributed = moves_before(columns)
    cost = VALUE + 3 + 4
    assert added(columns, bought) == {REQUESTER: (-cost, cost)}
    assert added(columns, contributed) == dict.fromkeys(WORKERS, (-STAKE, STAKE))


def test_moves_at_a_finalisation_pay_slash_and_draw() -> None:
    """Everybody's part, by eye: wrong stakes are gone, right ones are free again."""
    chain = finished()
    columns = gathered(chain)
    groups = [
        added(columns, each.moves)
        for each in moves_at_ends(columns, paid(columns, [0, 5, 6], 7, 2))
    ]
    assert groups == [
        {WORKERS[0]: (0, -STAKE), WORKERS[1]: (STAKE + 5, -STAKE), WORKERS[2]: (STAKE + 6, -STAKE)},
        {OWNER: (STAKE + 7 + 2, -STAKE)},
        {chain.hub: (0, -2)},
        {REQUESTER: (0, -(VALUE + 3 + 4))},
        {MAKER: (3, 0)},
        {MAKER: (4, 0)},
    ]


def claimed() -> Chain:
    """One work order that was done and claimed, beside the finalised one; without a dataset."""
    chain = finished()
    work = chain.buy(1, REQUESTER, next(iter(chain.apps)), None)
    chain.allow(work, WORKERS[0])
    chain.contribute(work, WORKERS[0], digest("x"))
    chain.mine(work.timeout + 1 - chain.now)
    chain.claim(work)
    return chain


def test_moves_at_a_claim_free_all_but_the_scheduler_s_stake() -> None:
    """That becomes the hub's kitty; neither app nor dataset is paid."""
    chain = claimed()
    columns = gathered(chain)
    nothing = paid(columns, [0] * 4, 0, 0)
    nets: list[dict[str, tuple[int, int]]] = []
    for each in moves_at_ends(columns, nothing):
        mine = Moves(*(column[each.task == 1] for column in each.moves))
        nets.append(added(columns, mine))
    cost = VALUE + 3
    assert nets == [
        {WORKERS[0]: (STAKE, -STAKE)},
        {OWNER: (0, -STAKE)},
        {chain.hub: (0, STAKE)},
        {REQUESTER: (cost, -cost)},
        {},
        {},
    ]


def test_moves_at_ends_of_what_is_open_are_none() -> None:
    """A work order that nobody ended moves nothing yet."""
    chain = finished()
    chain.deposit(REQUESTER, RLC)
    chain.buy(1, REQUESTER, next(iter(chain.apps)), None)
    columns = gathered(chain)
    for each in moves_at_ends(columns, paid(columns, [0] * 3, 0, 0)):
        assert 1 not in each.task.tolist()
