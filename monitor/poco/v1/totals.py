"""What a ledger comes to: the sums and counts that people put on a board."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from monitor.poco.v1.rules import ask_stake
from monitor.poco.v1.state import (
    ContributionStatus,
    State,
    WorkOrder,
    WorkOrderStatus,
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Since the hub's first block; amounts in nRLC."""

    paid: int
    """To workers and schedulers out of finalised work orders, the kitty's part included."""
    slashed_workers: int
    """Stakes of contributions that were wrong, unrevealed or rejected, in completed work orders."""
    slashed_schedulers: int
    """What schedulers lost for work orders that were claimed."""
    kitty: int
    """What the hub holds of those, to be drawn by later finalisations."""
    deposited: int
    withdrawn: int
    stray: int
    accounts: int
    workers: int
    """Accounts that have a score or ever contributed in a work order that was completed."""
    work_orders: Mapping[str, int]
    """By status, in lower case."""
    contributions: Mapping[str, int]
    """By outcome: accurate, faulty (both in completed work orders), returned (claimed), open."""
    scores: tuple[int, ...]
    """Every worker's, ascending."""


def totals_of(state: State) -> Totals:
    """Sum up a ledger."""
    work_orders: Counter[str] = Counter()
    contributions: Counter[str] = Counter()
    paid = slashed_workers = slashed_schedulers = 0
    for order in state.work_orders.values():
        work_orders[order.status.name.lower()] += 1
        count = len(order.contributors)
        if order.status is WorkOrderStatus.COMPLETED:
            proved = _proved(order)
            contributions["accurate"] += proved
            contributions["faulty"] += count - proved
            seized = order.stake_amount * (count - proved)
            slashed_workers += seized
            paid += order.value + seized + order.kitty_drawn
        elif order.status is WorkOrderStatus.CLAIMED:
            contributions["returned"] += count
            slashed_schedulers += ask_stake(order.value)
        else:
            contributions["open"] += count
    hub = state.accounts.get(state.hub)
    workers = state.scores.keys() | state.succeeded.keys() | state.failed.keys()
    return Totals(
        paid=paid,
        slashed_workers=slashed_workers,
        slashed_schedulers=slashed_schedulers,
        kitty=0 if hub is None else hub.locked,
        deposited=state.deposited,
        withdrawn=state.withdrawn,
        stray=state.stray,
        accounts=len(state.accounts),
        workers=len(workers),
        work_orders=dict(work_orders),
        contributions=dict(contributions),
        scores=tuple(sorted(state.scores.get(worker, 0) for worker in workers)),
    )


def _proved(order: WorkOrder) -> int:
    return sum(one.status is ContributionStatus.PROVED for one in order.contributions.values())
