"""What cannot happen by the contracts, seen in the logs all the same, as differences.

A log is missing, a log is another contract's, or the contracts are not what they are taken for.
Each says what was seen, what the ledger knew, and where.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.model import Address
from monitor.poco.difference import Difference, Kind
from monitor.poco.v1.events import AllowWorker, Deposit, Logged, PolicyUpdate
from monitor.poco.v1.state import Pool, WorkOrder


def oddity(
    at: Logged,
    why: str,
    *,
    kind: Kind = "invariant",
    account: Address | None = None,
    task: Address | None = None,
    values: tuple[int | str | None, int | str | None] = (None, None),
) -> Difference:
    """A difference at the place of a log; `values` are the predicted and the logged one."""
    predicted, logged = values
    numbers = [value for value in values if isinstance(value, int)]
    return Difference(
        kind=kind,
        why=why,
        account=account,
        task=task,
        predicted=predicted,
        logged=logged,
        delta=numbers[1] - numbers[0] if len(numbers) == len(values) else None,
        block=at.block,
        transaction=at.transaction,
        log_index=at.log_index,
    )


def _name(at: Logged) -> str:
    return type(at.event).__name__


# -- pools and accounts --------------------------------------------------------------------------


def unknown_pool(at: Logged, pool: Address) -> Difference:
    """`WorkerPoolHub` knows every pool, and the hub announced it."""
    return oddity(at, f"{_name(at)} of {pool}, which the hub has not announced as a pool")


def policy(at: Logged, event: PolicyUpdate, pool: Pool) -> Iterator[Difference]:
    """The old values that an update tells are those that the last one set (law 7)."""
    for name, known, told in (
        ("stake ratio", pool.stake_ratio, event.old_stake_ratio),
        ("scheduler's ratio", pool.scheduler_ratio, event.old_scheduler_ratio),
        ("minimum stake", pool.minimum_stake, event.old_minimum_stake),
        ("minimum score", pool.minimum_score, event.old_minimum_score),
    ):
        # The minima of a new pool are in no event.
        if known is not None and known != told:
            why = f"law 7: the {name} of {event.pool} was {known}, and its update says {told}"
            yield oddity(at, why, values=(known, told))


def unpaid_deposit(at: Logged, event: Deposit) -> Difference:
    """`IexecHub.deposit` calls `RLC.transferFrom`, whose log comes just before."""
    why = f"a deposit of {event.amount} nRLC by {event.owner} without its RLC transfer before it"
    return oddity(at, why, account=event.owner, values=(0, event.amount))


def affiliation(at: Logged, worker: Address, held: Address | None, does: str) -> Difference:
    """A worker is in one pool or in none (`WorkerPoolHub.m_workerAffectation`)."""
    why = f"{worker} {does} and is in {'no pool' if held is None else held}"
    return oddity(at, why, account=worker)


# -- market orders -------------------------------------------------------------------------------


def repeated_order(at: Logged, index: int, count: int) -> Difference:
    """Each order has one event, which tells how many orders there are."""
    why = f"MarketOrderCreated tells of {index} orders, where {count} are made already"
    return oddity(at, why, values=(count, index))


def unannounced_order(at: Logged, index: int) -> Difference:
    """Every call of `createMarketOrder` emits once, in the transaction that made the order."""
    why = f"market order {index} was made, and its MarketOrderCreated is missing"
    return oddity(at, why, values=(index, None))


def not_on_offer(at: Logged, index: int, *, is_known: bool) -> Difference:
    """Only an open order can be closed, or bought of."""
    state = "is closed or sold out" if is_known else "was never made"
    return oddity(at, f"{_name(at)} of market order {index}, which {state}")


def unnamed_work_order(at: Logged, index: int) -> Difference:
    """`MarketOrderAskConsume`, `WorkOrderActive` and `WorkOrderActivated` are three in a row."""
    return oddity(at, f"a work order was bought of market order {index}, and no pool named it")


# -- work orders ---------------------------------------------------------------------------------


def unsold_work_order(at: Logged, woid: Address) -> Difference:
    """A pool emits a work order when one is bought of it, and at no other time."""
    return oddity(at, f"{_name(at)} of {woid}, which nobody has bought just before", task=woid)


def foreign_work_order(at: Logged, woid: Address, *, bought: Address, pool: Address) -> Difference:
    """A work order is emitted by the pool whose market order was bought."""
    why = f"{woid} was bought of an order of {bought}, and {pool} emits it"
    return oddity(at, why, task=woid, values=(bought, pool))


def unpriced(at: Logged, woid: Address, used: Address) -> Difference:
    """App and dataset are registered (`IexecHub.buyForWorkOrder`)."""
    return oddity(at, f"{woid} uses {used}, which the hub has not announced", task=woid)


def impossible_step(at: Logged, woid: Address, work: WorkOrder | None) -> Difference:
    """The contracts take each step in some statuses only, and of the pool's own work orders."""
    status = "unset" if work is None else work.status.name.lower()
    pool = f", of {work.pool}" if work is not None else ""
    why = f"{_name(at)} of {woid}, which is {status}{pool}"
    return oddity(at, why, kind="status", task=woid, values=(status, _name(at)))


def impossible_part(at: Logged, woid: Address, worker: Address, why: str) -> Difference:
    """The contracts take each step of a contribution in one status only."""
    why = f"{_name(at)} of {worker} in {woid}, {why}"
    return oddity(at, why, kind="status", account=worker, task=woid, values=(None, _name(at)))


def without_proof(at: Logged, woid: Address, why: str) -> Difference:
    """A consensus has contributions, a reopening no reveals, a finalisation at least one."""
    why = f"{_name(at)} of {woid}, {why}"
    return oddity(at, why, kind="status", task=woid, values=(None, _name(at)))


def told_score(at: Logged, event: AllowWorker, score: int) -> Difference:
    """`WorkerPool.allowWorkerToContribute` emits the worker's score of the moment (law 7)."""
    why = f"the score of {event.worker} is {event.score} by the log, and {score} by the rules"
    values = (score, event.score)
    return oddity(at, why, kind="score", account=event.worker, task=event.woid, values=values)
