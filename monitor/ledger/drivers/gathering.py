"""From decoded events to columns: who did what, to whom, and when; no arithmetic but of locks.

Statuses are followed only as far as the columns need them. A contribution is proved if it was
revealed: a consensus can only be reopened while nobody has revealed, and what it then rejects can
never be revealed (`WorkerPool.reopen`, `reveal` of `iexec-poco@1.1.17`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from monitor.ledger.drivers.columns import (
    BLOCK_MAX,
    NOBODY,
    OPEN,
    Columns,
    Contributions,
    Moves,
    WorkOrders,
    place_of,
)
from monitor.ledger.kernels.bounds import OutOfBounds
from monitor.model import Address
from monitor.poco.v1 import events
from monitor.poco.v1.facts import FactName, Facts, MissingFact, OrderFacts
from monitor.poco.v1.rules import ask_stake, work_stake

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Flags, Ints

N = TypeVar("N", Address, int)
K = TypeVar("K")
V = TypeVar("V")
FIRST_STAKE_RATIO = 30
FIRST_SCHEDULER_RATIO = 1
"""Of a new pool (`WorkerPool`'s constructor)."""


class ImpossibleHistory(ValueError):
    """Events that the contracts cannot have emitted in this order."""


def columns_of(logged: Iterable[events.Logged], facts: Facts, hub: Address) -> Columns:
    """The history as arrays; the events in log order.

    Raises ImpossibleHistory, MissingFact as the replay does, and OutOfBounds for an amount that
    matters and has no 64 bits.
    """
    gathering = _Gathering(facts, hub)
    handlers = gathering.handlers()
    for one in logged:
        handle = handlers.get(type(one.event))
        if handle is not None:
            if one.block > BLOCK_MAX:
                message = f"block {one.block} is above {BLOCK_MAX}"
                raise OutOfBounds(message)
            gathering.place = place_of(one.block, one.log_index)
            handle(one.event)
    return gathering.columns()


class _Gathering:
    """Lists that grow with the events. Effects (`Reward`, `Seize`, ...) are evidence, not input."""

    def __init__(self, facts: Facts, hub: Address) -> None:
        self.place = 0
        self._facts = facts
        self._accounts: dict[Address, int] = {}
        self._hub = self._number(hub)
        self._ratios: dict[Address, tuple[int, int]] = {}
        self._priced: dict[Address, tuple[int, int]] = {}
        self._made = 0
        self._remaining: dict[int, int] = {}
        self._bought: tuple[int, Address] | None = None
        self._tasks: dict[Address, int] = {}
        self._orders: list[list[int]] = []
        """The columns of WorkOrders up to `dataset_price`."""
        self._ended: list[int] = []
        self._completed: list[bool] = []
        self._open: dict[Address, tuple[int, dict[Address, int]]] = {}
        """Work order under way -> its row, and the rows of its contributors."""
        # Millions of rows: arrays, since what collects garbage looks through all lists and tuples.
        self._task, self._worker, self._place = array("q"), array("q"), array("q")
        self._is_enclave, self._is_proved = array("b"), array("b")
        self._moved, self._stake, self._locked = array("q"), array("q"), array("q")

    def handlers(self) -> Mapping[type, Callable[[Any], None]]:
        return {
            events.Deposit: lambda e: self._move(e.owner, e.amount, 0),
            events.Withdraw: lambda e: self._move(e.owner, -e.amount, 0),
            events.WorkerPoolSubscription: lambda e: self._subscribed(e.pool, e.worker, 1),
            events.WorkerPoolUnsubscription: lambda e: self._subscribed(e.pool, e.worker, -1),
            events.WorkerPoolEviction: lambda e: self._subscribed(e.pool, e.worker, -1),
            events.CreateApp: lambda e: self._price(e.app, e.owner, e.price),
            events.CreateDataset: lambda e: self._price(e.dataset, e.owner, e.price),
            events.CreateWorkerPool: self._pool,
            events.PolicyUpdate: self._policy,
            events.MarketOrderCreated: self._made_orders,
            events.MarketOrderClosed: self._closed_order,
            events.MarketOrderAskConsume: self._consumed,
            events.WorkOrderActive: self._activated,
            events.Contribute: self._contribute,
            events.Reveal: self._revealed,
            events.WorkOrderCompleted: lambda e: self._end(e.woid, is_completed=True),
            events.WorkOrderClaimed: lambda e: self._end(e.woid, is_completed=False),
        }

    # -- accounts --------------------------------------------------------------------------------

    def _number(self, account: Address) -> int:
        return self._accounts.setdefault(account, len(self._accounts))

    def _move(self, account: Address, stake: int, locked: int) -> None:
        number = self._number(account)
        if stake or locked:
            try:
                self._stake.append(stake)
                self._locked.append(locked)
            except OverflowError as error:
                message = f"more than 64 bits are moved: stake {stake}, locked {locked}"
                raise OutOfBounds(message) from error
            self._moved.append(number)

    def _lock(self, account: Address, amount: int) -> None:
        self._move(account, -amount, amount)

    def _subscribed(self, pool: Address, worker: Address, sign: int) -> None:
        lock = _read(self._facts.subscription_locks, "subscription_locks", pool)
        self._lock(worker, sign * lock)

    # -- pools, prices and market orders ---------------------------------------------------------

    def _pool(self, event: events.CreateWorkerPool) -> None:
        self._ratios[event.pool] = FIRST_STAKE_RATIO, FIRST_SCHEDULER_RATIO

    def _policy(self, event: events.PolicyUpdate) -> None:
        self._ratios[event.pool] = event.stake_ratio, event.scheduler_ratio

    def _price(self, what: Address, owner: Address, price: int) -> None:
        self._priced[what] = self._number(owner), price

    def _made_orders(self, event: events.MarketOrderCreated) -> None:
        """All orders up to the index announced, which is the last that was made by then.

        A pool that makes orders while it is asked for its owner announces them before the one that
        asked, whose own index is then never named (`Marketplace.createMarketOrder`).
        """
        while self._made < event.index:
            self._made += 1
            order = self._order(self._made)
            self._remaining[self._made] = order.volume
            self._lock(order.owner, ask_stake(order.value) * order.volume)

    def _order(self, index: int) -> OrderFacts:
        return _read(self._facts.orders, "orders", index)

    def _closed_order(self, event: events.MarketOrderClosed) -> None:
        remaining = _known(self._remaining, event.index, "what remains of market order")
        order = self._order(event.index)
        self._remaining[event.index] = 0
        self._lock(order.owner, -ask_stake(order.value) * remaining)

    def _consumed(self, event: events.MarketOrderAskConsume) -> None:
        remaining = _known(self._remaining, event.index, "what remains of market order")
        self._remaining[event.index] = remaining - 1
        self._bought = event.index, event.requester

    # -- work orders -----------------------------------------------------------------------------

    def _activated(self, event: events.WorkOrderActive) -> None:
        if self._bought is None:
            message = f"work order {event.woid} was bought of no market order"
            raise ImpossibleHistory(message)
        (index, requester), self._bought = self._bought, None
        order = self._order(index)
        used = _read(self._facts.work_orders, "work_orders", event.woid)
        stake_ratio, scheduler_ratio = _known(self._ratios, event.pool, "pool")
        app = _known(self._priced, used.app, "app")
        dataset = NOBODY, 0
        if used.dataset is not None:
            dataset = _known(self._priced, used.dataset, "dataset")
        self._tasks[event.woid] = task = len(self._orders)
        self._open[event.woid] = task, {}
        self._ended.append(OPEN)
        self._completed.append(False)
        self._orders.append(
            [
                order.value,
                work_stake(order.value, stake_ratio),
                scheduler_ratio,
                self._number(order.owner),
                self._number(requester),
                *app,
                *dataset,
            ]
        )

    def _contribute(self, event: events.Contribute) -> None:
        task, rows = _known(self._open, event.woid, "open work order")
        if event.worker in rows:
            message = f"{event.worker} contributed to {event.woid} twice"
            raise ImpossibleHistory(message)
        rows[event.worker] = len(self._task)
        self._task.append(task)
        self._worker.append(self._number(event.worker))
        self._place.append(self.place)
        self._is_enclave.append((event.woid, event.worker) in self._facts.enclaves)
        self._is_proved.append(0)

    def _revealed(self, event: events.Reveal) -> None:
        _, rows = _known(self._open, event.woid, "open work order")
        row = _known(rows, event.worker, f"what was contributed to {event.woid} by")
        self._is_proved[row] = 1

    def _end(self, woid: Address, *, is_completed: bool) -> None:
        task, _ = _known(self._open, woid, "open work order")
        del self._open[woid]
        self._ended[task] = self.place
        self._completed[task] = is_completed

    # -- arrays ----------------------------------------------------------------------------------

    def columns(self) -> Columns:
        """All lists as arrays, the contributions work order by work order."""
        import numpy as np

        by_task = np.argsort(_ints(self._task, "task"), kind="stable")
        counts = np.bincount(_ints(self._task, "task"), minlength=len(self._orders))
        for order, count in zip(self._orders, counts.tolist(), strict=True):
            if not count:
                # A stake that nobody can pay may have any number of bits.
                order[1] = 0
        names = WorkOrders._fields[:-3]
        found = list(zip(*self._orders, strict=True)) or [()] * len(names)
        named = {name: _ints(x, name) for name, x in zip(names, found, strict=True)}
        offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))
        return Columns(
            accounts=tuple(self._accounts),
            tasks=tuple(self._tasks),
            hub=self._hub,
            work_orders=WorkOrders(
                **named,
                ended=_ints(self._ended, "ended"),
                is_completed=_flags(self._completed),
                offsets=offsets,
            ),
            contributions=Contributions(
                _ints(self._worker, "worker")[by_task],
                _ints(self._place, "place")[by_task],
                _flags(self._is_enclave)[by_task],
                _flags(self._is_proved)[by_task],
            ),
            moves=Moves(
                _ints(self._moved, "account"),
                _ints(self._stake, "stake moved"),
                _ints(self._locked, "locked moved"),
            ),
        )


def _read(table: Mapping[N, V], fact: FactName, key: N) -> V:
    if key not in table:
        raise MissingFact(fact=fact, key=key)
    return table[key]


def _known(mapping: Mapping[K, V], key: K, what: str) -> V:
    if key not in mapping:
        message = f"{what} {key} is not known"
        raise ImpossibleHistory(message)
    return mapping[key]


def _ints(values: Sequence[int], name: str) -> Ints:
    import numpy as np

    try:
        return np.array(values, dtype=np.int64)
    except OverflowError as error:
        message = f"a {name} has more than 64 bits: {max(values, key=abs)}"
        raise OutOfBounds(message) from error


def _flags(values: Sequence[int]) -> Flags:
    import numpy as np

    return np.array(values, dtype=np.bool_)
