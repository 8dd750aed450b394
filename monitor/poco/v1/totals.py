"""What a ledger comes to: the sums and counts that people put on a board."""

from __future__ import annotations

from collections import Counter

from monitor.model import LedgerTotals
from monitor.poco.v1.rules import ask_stake
from monitor.poco.v1.state import (
    ContributionStatus,
    State,
    WorkOrder,
    WorkOrderStatus,
)


def totals_of(state: State) -> LedgerTotals:
    """Sum up a ledger, since the hub's first block."""
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
    return LedgerTotals(
        paid=paid,
        slashed_workers=slashed_workers,
        slashed_schedulers=slashed_schedulers,
        kitty=0 if hub is None else hub.locked,
        accounts=len(state.accounts),
        work_orders=dict(work_orders),
        contributions=dict(contributions),
        scores=tuple(sorted(state.scores.get(worker, 0) for worker in workers)),
    )


def _proved(order: WorkOrder) -> int:
    return sum(one.status is ContributionStatus.PROVED for one in order.contributions.values())
