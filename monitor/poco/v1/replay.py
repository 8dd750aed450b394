"""Event after event, the ledger that follows from the rules; effects compared as they come.

What drives the ledger is read from the events that name it; what the contracts say they did
(`Reward`, `Seize`, scores) is evidence: it is held against the rules at the event that closes an
end, and never applied. `lock` and `unlock` emit nothing: they are the rules' alone. Timeouts are
not looked at, since an event has no time.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1 import events as e
from monitor.poco.v1 import oddities
from monitor.poco.v1.books import Books, Watch
from monitor.poco.v1.endings import V1, Rules
from monitor.poco.v1.events import Logged
from monitor.poco.v1.facts import Facts, MissingFact
from monitor.poco.v1.market import Market
from monitor.poco.v1.movement import Reason
from monitor.poco.v1.state import Pool, Priced, State
from monitor.poco.v1.tasks import Tasks


def new_state(hub: Address) -> State:
    """The ledger of a hub of which nothing has been logged."""
    return State(hub=hub)


class Replay:
    """One writer of one state. Between transactions everything that it knows is in the state."""

    def __init__(
        self, state: State, facts: Facts, watch: Watch | None = None, *, by: Rules = V1
    ) -> None:
        self.state = state
        self.differences: list[Difference] = []
        """In the order in which they were found."""
        self._facts = facts
        self._by = by
        self._books = Books(state, watch, self.differences)
        self._market = market = Market(state, facts, self._books, self.differences, by=by)
        self._tasks = tasks = Tasks(state, facts, self._books, market, self.differences, by=by)
        self._received: tuple[Logged, e.TransferToHub] | None = None
        self._handlers: dict[type, Callable[..., None]] = {
            e.CreateCategory: self._category,
            e.CreateApp: self._app,
            e.CreateDataset: self._dataset,
            e.CreateWorkerPool: self._pool,
            e.PolicyUpdate: self._policy,
            e.TransferToHub: self._transfer,
            e.Deposit: self._deposit,
            e.Withdraw: self._withdraw,
            e.WorkerPoolSubscription: self._subscribe,
            e.WorkerPoolUnsubscription: self._unsubscribe,
            e.WorkerPoolEviction: self._unsubscribe,
            e.MarketOrderCreated: market.create,
            e.MarketOrderClosed: market.close,
            e.MarketOrderAskConsume: market.consume,
            e.WorkOrderActive: tasks.activate,
            e.WorkOrderActivated: tasks.activated,
            e.AllowWorker: tasks.allow,
            e.Contribute: tasks.contribute,
            e.RevealConsensus: tasks.agree,
            e.Reveal: tasks.reveal,
            e.Reopen: tasks.reopen,
            e.Reward: tasks.reward,
            e.Seize: tasks.seize,
            e.AccurateContribution: tasks.emit,
            e.FaultyContribution: tasks.emit,
            e.WorkOrderCompleted: tasks.complete,
            e.FinalizeWork: tasks.finalized,
            e.PoolWorkOrderClaimed: tasks.claiming,
            e.WorkOrderClaimed: tasks.claim,
        }

    def apply(self, logged: Logged) -> None:
        """One event, after all that were logged before it.

        A MissingFact is raised before anything is changed: read it, and apply the event again.
        """
        event = logged.event
        self._handlers[type(event)](logged, event)

    def finish(self) -> None:
        """At the end of a stream, which is the end of a block: nothing may be left open."""
        self._market.settle()
        self._tasks.settle()

    def _odd(self, difference: Difference) -> None:
        self.differences.append(difference)

    # -- registries ------------------------------------------------------------------------------

    def _category(self, at: Logged, event: e.CreateCategory) -> None:
        del at
        self.state.clocks[event.category] = event.clock_seconds

    def _app(self, at: Logged, event: e.CreateApp) -> None:
        del at
        self.state.apps[event.app] = Priced(event.owner, event.price)

    def _dataset(self, at: Logged, event: e.CreateDataset) -> None:
        del at
        self.state.datasets[event.dataset] = Priced(event.owner, event.price)

    def _pool(self, at: Logged, event: e.CreateWorkerPool) -> None:
        del at
        locks = self._facts.subscription_locks
        if event.pool not in locks:
            raise MissingFact(fact="subscription_locks", key=event.pool)
        self.state.pools[event.pool] = Pool(event.owner, locks[event.pool])

    def _policy(self, at: Logged, event: e.PolicyUpdate) -> None:
        """`WorkerPool.changeWorkerPoolPolicy`: work orders bought before keep their terms."""
        pool = self.state.pools.get(event.pool)
        if pool is None:
            self._odd(oddities.unknown_pool(at, event.pool))
            return
        self.differences.extend(oddities.policy(at, event, pool))
        pool.stake_ratio = event.stake_ratio
        pool.scheduler_ratio = event.scheduler_ratio
        pool.minimum_stake = event.minimum_stake
        pool.minimum_score = event.minimum_score

    # -- deposits and subscriptions --------------------------------------------------------------

    def _transfer(self, at: Logged, event: e.TransferToHub) -> None:
        """Stray, unless the next thing to happen in its transaction is the deposit it was for."""
        self.state.stray += event.amount
        self._received = at, event

    def _deposit(self, at: Logged, event: e.Deposit) -> None:
        state = self.state
        received, self._received = self._received, None
        if (
            received is not None
            and received[0].transaction == at.transaction
            and (received[1].sender, received[1].amount) == (event.owner, event.amount)
        ):
            state.stray -= event.amount
        else:
            self._odd(oddities.unpaid_deposit(at, event))
        state.deposited += event.amount
        state.logged[event.owner] = state.logged.get(event.owner, 0) + event.amount
        self._books.credit(at, event.owner, event.amount, "deposit")

    def _withdraw(self, at: Logged, event: e.Withdraw) -> None:
        state = self.state
        state.withdrawn += event.amount
        state.logged[event.owner] = state.logged.get(event.owner, 0) - event.amount
        self._books.withdraw(at, event.owner, event.amount)

    def _subscribe(self, at: Logged, event: e.WorkerPoolSubscription) -> None:
        pool, held = self.state.pools.get(event.pool), self.state.affiliations.get(event.worker)
        if pool is None:
            self._odd(oddities.unknown_pool(at, event.pool))
            return
        if held is not None:
            self._odd(oddities.affiliation(at, event.worker, held, "subscribes"))
        self.state.affiliations[event.worker] = event.pool
        self._books.lock(at, event.worker, pool.subscription_lock, "subscribe")

    def _unsubscribe(
        self, at: Logged, event: e.WorkerPoolUnsubscription | e.WorkerPoolEviction
    ) -> None:
        held = self.state.affiliations.get(event.worker)
        if held != event.pool:
            self._odd(oddities.affiliation(at, event.worker, held, f"leaves {event.pool}"))
            return
        del self.state.affiliations[event.worker]
        reason: Reason = "evict" if isinstance(event, e.WorkerPoolEviction) else "unsubscribe"
        amount = self.state.pools[event.pool].subscription_lock
        self._books.unlock(at, event.worker, amount, reason)
