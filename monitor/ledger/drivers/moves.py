"""What purchases, contributions and ends move on the accounts.

`buyForWorkOrder`, `contribute`, `finalizeWork` and `claimFailedConsensus` of `iexec-poco@1.1.17`.
Each amount is at most AMOUNT_MAX, a pot as well, so that the few that are added here have no more
than 63 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from monitor.ledger.drivers.columns import NOBODY, OPEN, Columns, Moves
from monitor.ledger.kernels.rewards import percent_of
from monitor.poco.v1.rules import ASK_STAKE_RATIO

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Ints


class Paid(NamedTuple):
    """What the stages before found: in nRLC."""

    reward: Ints
    """By contribution."""
    rest: Ints
    """By work order, as below."""
    drawn: Ints
    """From the kitty."""


class EndMoves(NamedTuple):
    """Moves at the ends of work orders."""

    task: Ints
    """The work order's row."""
    moves: Moves


def ask_stakes(values: Ints) -> Ints:
    """What the scheduler has locked for each work order (`Marketplace.ASK_STAKE_RATIO`)."""
    import numpy as np

    return percent_of(values, np.full(len(values), ASK_STAKE_RATIO))


def moves_before(columns: Columns) -> Iterator[Moves]:
    """Everything but the ends: what is announced, bought, and staked by contributors."""
    import numpy as np

    orders = columns.work_orders
    yield columns.moves
    cost = orders.value + orders.app_price + orders.dataset_price
    yield Moves(orders.requester, -cost, cost)
    stakes = np.repeat(orders.stake, np.diff(orders.offsets))
    yield Moves(columns.contributions.worker, -stakes, stakes)


def moves_at_ends(columns: Columns, paid: Paid) -> Iterator[EndMoves]:
    """The ends: of contributors, schedulers, requesters, owners, and of the hub's kitty."""
    import numpy as np

    orders = columns.work_orders
    has_ended = orders.ended != OPEN
    counts = np.diff(orders.offsets)
    rows = np.flatnonzero(np.repeat(has_ended, counts))
    task = np.repeat(np.arange(len(counts)), counts)[rows]
    stakes = orders.stake[task]
    is_free = columns.contributions.is_proved[rows] | ~orders.is_completed[task]
    worker = columns.contributions.worker[rows]
    yield EndMoves(task, Moves(worker, np.where(is_free, stakes, 0) + paid.reward[rows], -stakes))

    ended = np.flatnonzero(has_ended)
    is_completed = orders.is_completed[ended]
    stakes, drawn = ask_stakes(orders.value[ended]), paid.drawn[ended]
    earned = np.where(is_completed, stakes, 0) + paid.rest[ended] + drawn
    yield EndMoves(ended, Moves(orders.scheduler[ended], earned, -stakes))
    kitty = np.where(is_completed, 0, stakes) - drawn
    hub = np.full(len(ended), columns.hub)
    yield EndMoves(ended, Moves(hub, np.zeros_like(kitty), kitty))
    cost = (orders.value + orders.app_price + orders.dataset_price)[ended]
    refund = np.where(is_completed, 0, cost)
    yield EndMoves(ended, Moves(orders.requester[ended], refund, -cost))

    for owner, price in (
        (orders.app_owner, orders.app_price),
        (orders.dataset_owner, orders.dataset_price),
    ):
        paying = np.flatnonzero(orders.is_completed & (owner != NOBODY))
        prices = price[paying]
        yield EndMoves(paying, Moves(owner[paying], prices, np.zeros_like(prices)))
