"""Market orders as they are made, bought of and closed (`Marketplace`).

`createMarketOrder` asks the pool for its owner in the middle, by a call: a contract that is no pool
can use it to make orders of its own. The count is raised before that call and told after it, so
that nested calls end, and emit, from the inside out, and the outer ones repeat an index.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1 import events as e
from monitor.poco.v1 import oddities
from monitor.poco.v1.books import Books
from monitor.poco.v1.endings import Rules
from monitor.poco.v1.events import Logged
from monitor.poco.v1.facts import Facts, MissingFact, OrderFacts
from monitor.poco.v1.state import Order, State


class Bought(NamedTuple):
    """A `MarketOrderAskConsume` whose work order is about to be named."""

    at: Logged
    order: int
    """Its index."""
    facts: OrderFacts
    requester: Address


class Market:
    """The orders of one ledger."""

    def __init__(
        self,
        state: State,
        facts: Facts,
        books: Books,
        differences: list[Difference],
        *,
        by: Rules,
    ) -> None:
        self._state = state
        self._facts = facts
        self._books = books
        self._differences = differences
        self._by = by
        self._bought: Bought | None = None
        self._under_way: list[tuple[Logged, int]] = []
        """Orders that a call began and has not announced, and the log that showed they were."""

    def create(self, at: Logged, event: e.MarketOrderCreated) -> None:
        """The innermost call under way has ended."""
        count = self._state.orders_made + len(self._under_way)
        begun = range(count + 1, event.index + 1)
        for index in begun:
            if index not in self._facts.orders:
                raise MissingFact(fact="orders", key=index)
        if self._under_way and self._under_way[-1][0].transaction != at.transaction:
            self.settle()
        self._under_way.extend((at, index) for index in begun)
        if event.index < count or not self._under_way:
            self._differences.append(oddities.repeated_order(at, event.index, count))
            return
        self._make(at, self._under_way.pop()[1])

    def settle(self) -> None:
        """At the end of a transaction no call is under way: what was not announced is missing."""
        while self._under_way:
            at, index = self._under_way.pop()
            self._differences.append(oddities.unannounced_order(at, index))
            self._make(at, index)
        if self._bought is not None:
            self._unnamed(self._bought)
            self._bought = None

    def _make(self, at: Logged, index: int) -> None:
        facts = self._facts.orders[index]
        self._state.orders[index] = Order(facts, facts.volume)
        self._state.orders_made += 1
        amount = self._by.ask_stake(facts.value) * facts.volume
        self._books.lock(at, facts.owner, amount, "order_made")

    def close(self, at: Logged, event: e.MarketOrderClosed) -> None:
        """`closeMarketOrder`: what is left of it is unlocked."""
        order = self._open(at, event.index)
        if order is not None:
            order.is_closed = True
            amount = self._by.ask_stake(order.facts.value) * order.remaining
            self._books.unlock(at, order.facts.owner, amount, "order_closed")

    def consume(self, at: Logged, event: e.MarketOrderAskConsume) -> None:
        """`consumeMarketOrderAsk`; the order's last work order closes it, and unlocks nothing."""
        if self._bought is not None:
            self._unnamed(self._bought)
            self._bought = None
        order = self._open(at, event.index)
        if order is not None:
            order.remaining -= 1
            order.is_closed = order.remaining == 0
            self._bought = Bought(at, event.index, order.facts, event.requester)

    def take(self, at: Logged) -> Bought | None:
        """The order that has just been bought of in this transaction, once."""
        bought = self._bought
        if bought is None or bought.at.transaction != at.transaction:
            return None
        self._bought = None
        return bought

    def _unnamed(self, bought: Bought) -> None:
        self._differences.append(oddities.unnamed_work_order(bought.at, bought.order))
        self._books.lock(bought.at, bought.requester, bought.facts.value, "bought")

    def _open(self, at: Logged, index: int) -> Order | None:
        order = self._state.orders.get(index)
        if order is None or order.is_closed:
            known = order is not None
            self._differences.append(oddities.not_on_offer(at, index, is_known=known))
            return None
        return order
