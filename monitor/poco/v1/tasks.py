"""Work orders from the day they are bought to their end (`WorkerPool`, `IexecHub`).

What the contracts say they did at an end (`Reward`, `Seize`, scores) is queued, and held against
the rules at the hub's event that closes it.
"""

from __future__ import annotations

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1 import events as e
from monitor.poco.v1 import oddities
from monitor.poco.v1.books import Books
from monitor.poco.v1.effects import EffectEvent, Emitted, compare, effect_of, expected, leftover
from monitor.poco.v1.endings import Ending, Rules
from monitor.poco.v1.events import Logged
from monitor.poco.v1.facts import Facts, MissingFact
from monitor.poco.v1.market import Market
from monitor.poco.v1.state import (
    NO_HASH,
    Contribution,
    ContributionStatus,
    State,
    WorkOrder,
    WorkOrderStatus,
)

ACTIVE, REVEALING = WorkOrderStatus.ACTIVE, WorkOrderStatus.REVEALING
CLAIMED, COMPLETED = WorkOrderStatus.CLAIMED, WorkOrderStatus.COMPLETED
AUTHORIZED, CONTRIBUTED = ContributionStatus.AUTHORIZED, ContributionStatus.CONTRIBUTED
PROVED, REJECTED = ContributionStatus.PROVED, ContributionStatus.REJECTED


class Tasks:
    """The work orders of one ledger, and the effects that no end has explained yet."""

    def __init__(
        self,
        state: State,
        facts: Facts,
        books: Books,
        market: Market,
        differences: list[Difference],
        *,
        by: Rules,
    ) -> None:
        self._state = state
        self._facts = facts
        self._books = books
        self._market = market
        self._differences = differences
        self._by = by
        self._emitted: list[Emitted] = []

    # -- bought ----------------------------------------------------------------------------------

    def activate(self, at: Logged, event: e.WorkOrderActive) -> None:
        """`emitWorkOrder`: the terms of this moment are its terms."""
        state, woid = self._state, event.woid
        used = self._facts.work_orders.get(woid)
        if used is None:
            raise MissingFact(fact="work_orders", key=woid)
        pool, bought = state.pools.get(event.pool), self._market.take(at)
        if pool is None:
            self._odd(oddities.unknown_pool(at, event.pool))
            return
        if bought is None or woid in state.work_orders:
            self._odd(oddities.unsold_work_order(at, woid))
            return
        order = bought.facts
        if order.pool != event.pool:
            odd = oddities.foreign_work_order(at, woid, bought=order.pool, pool=event.pool)
            self._odd(odd)
        emit_cost = self._price(at, woid, used.app, is_app=True)
        if used.dataset is not None:
            emit_cost += self._price(at, woid, used.dataset, is_app=False)
        state.work_orders[woid] = WorkOrder(
            pool=event.pool,
            order=bought.order,
            requester=bought.requester,
            scheduler=order.owner,
            value=order.value,
            app=used.app,
            dataset=used.dataset,
            emit_cost=emit_cost,
            stake_amount=self._by.work_stake(order.value, pool.stake_ratio),
            scheduler_ratio=pool.scheduler_ratio,
        )
        self._books.lock(bought.at, bought.requester, order.value, "bought", woid)
        self._books.lock(at, bought.requester, emit_cost, "emit_cost", woid)

    def _price(self, at: Logged, woid: Address, used: Address, *, is_app: bool) -> int:
        priced = (self._state.apps if is_app else self._state.datasets).get(used)
        if priced is None:
            self._odd(oddities.unpriced(at, woid, used))
            return 0
        return priced.price

    def activated(self, at: Logged, event: e.WorkOrderActivated) -> None:
        """The hub's word for what the pool has just said."""
        work = self._state.work_orders.get(event.woid)
        if work is None or work.pool != event.pool or work.status is not ACTIVE:
            self._odd(oddities.impossible_step(at, event.woid, work))

    # -- contributions ---------------------------------------------------------------------------

    def allow(self, at: Logged, event: e.AllowWorker) -> None:
        """`allowWorkerToContribute`: affiliation is asked for here, and never again."""
        pool, woid, worker, score = event
        work = self._of_pool(at, pool, woid, ACTIVE)
        if work is None:
            return
        held = self._state.affiliations.get(worker)
        if held != pool:
            self._odd(oddities.affiliation(at, worker, held, f"is authorised by {pool}"))
        known = self._state.scores.get(worker, 0)
        if score != known:
            self._odd(oddities.told_score(at, event, known))
        if worker in work.contributions:
            self._odd(oddities.impossible_part(at, woid, worker, "which was authorised before"))
            return
        is_enclave = (woid, worker) in self._facts.enclaves
        work.contributions[worker] = Contribution(is_enclave=is_enclave)

    def contribute(self, at: Logged, event: e.Contribute) -> None:
        """`contribute`: the score of this moment is the one that will weigh."""
        pool, woid, worker, result_hash = event
        work = self._of_pool(at, pool, woid, ACTIVE)
        if work is None:
            return
        part = work.contributions.get(worker)
        if part is None:
            self._odd(oddities.impossible_part(at, woid, worker, "which was never authorised"))
            is_enclave = (woid, worker) in self._facts.enclaves
            part = work.contributions[worker] = Contribution(is_enclave=is_enclave)
        elif part.status is not AUTHORIZED:
            self._odd(oddities.impossible_part(at, woid, worker, "which has contributed before"))
            return
        part.status = CONTRIBUTED
        part.result_hash = result_hash
        part.score = self._state.scores.get(worker, 0)
        work.contributors.append(worker)
        self._books.lock(at, worker, work.stake_amount, "contributed", woid)

    def agree(self, at: Logged, event: e.RevealConsensus) -> None:
        """`revealConsensus`."""
        work = self._of_pool(at, event.pool, event.woid, ACTIVE)
        if work is None:
            return
        if not any(
            part.status is CONTRIBUTED and part.result_hash == event.consensus
            for part in work.contributions.values()
        ):
            self._odd(oddities.without_proof(at, event.woid, "to which nobody has contributed it"))
        work.status = REVEALING
        work.consensus = event.consensus

    def reveal(self, at: Logged, event: e.Reveal) -> None:
        """`reveal`; that the result hashes to the consensus, the contract has looked at."""
        pool, woid, worker, _ = event
        work = self._of_pool(at, pool, woid, REVEALING)
        if work is None:
            return
        part = work.contributions.get(worker)
        if part is None or part.status is not CONTRIBUTED or part.result_hash != work.consensus:
            why = "which has no contribution of the consensus to reveal"
            self._odd(oddities.impossible_part(at, woid, worker, why))
            return
        part.status = PROVED

    def reopen(self, at: Logged, event: e.Reopen) -> None:
        """`reopen`: everybody of the consensus is out; the stake stays locked until the end."""
        work = self._of_pool(at, event.pool, event.woid, REVEALING)
        if work is None:
            return
        if any(part.status is PROVED for part in work.contributions.values()):
            self._odd(oddities.without_proof(at, event.woid, "in which somebody has revealed"))
        for worker in work.contributors:
            part = work.contributions[worker]
            if part.result_hash == work.consensus:
                part.status = REJECTED
        work.status = ACTIVE
        work.consensus = NO_HASH

    # -- ends ------------------------------------------------------------------------------------

    def reward(self, at: Logged, event: e.Reward) -> None:
        """`IexecHub.reward`, by its word."""
        logged, (user, amount) = self._state.logged, event
        logged[user] = logged.get(user, 0) + amount
        self.emit(at, event)

    def seize(self, at: Logged, event: e.Seize) -> None:
        """`IexecHub.seize`, by its word."""
        logged, (user, amount) = self._state.logged, event
        logged[user] = logged.get(user, 0) - amount
        self.emit(at, event)

    def emit(self, at: Logged, event: EffectEvent) -> None:
        """Queue an effect; those of a transaction before have no end to come."""
        emitted = self._emitted
        if emitted and emitted[0].at.transaction != at.transaction:
            self.settle()
        emitted.append(Emitted(at, effect_of(event)))

    def settle(self) -> None:
        """At the end of a transaction every effect has been explained by an end."""
        self._differences.extend(leftover(self._emitted))
        self._emitted.clear()

    def complete(self, at: Logged, event: e.WorkOrderCompleted) -> None:
        """The hub closes a finalisation."""
        work = self._of_pool(at, event.pool, event.woid, REVEALING)
        if work is None:
            return
        ending = self._by.completed(self._by, self._state, event.woid)
        if not ending.weights:
            self._odd(oddities.without_proof(at, event.woid, "in which nobody has revealed"))
        for worker, weight in ending.weights.items():
            work.contributions[worker].weight = weight
        work.status = COMPLETED
        work.kitty_drawn = ending.kitty_drawn
        self._end(at, event.woid, ending)

    def finalized(self, at: Logged, event: e.FinalizeWork) -> None:
        """The pool's word for what the hub has just said."""
        self._of_pool(at, event.pool, event.woid, COMPLETED)

    def claiming(self, at: Logged, event: e.PoolWorkOrderClaimed) -> None:
        """The first log of a claim, which the hub closes."""
        self._of_pool(at, event.pool, event.woid, ACTIVE, REVEALING)

    def claim(self, at: Logged, event: e.WorkOrderClaimed) -> None:
        """The hub closes a claim."""
        work = self._of_pool(at, event.pool, event.woid, ACTIVE, REVEALING)
        if work is not None:
            ending = self._by.claimed(self._by, self._state, event.woid)
            work.status = CLAIMED
            self._end(at, event.woid, ending)

    def _end(self, at: Logged, woid: Address, ending: Ending) -> None:
        """Hold what was emitted against what should have been, and do what should be done."""
        if self._emitted and self._emitted[0].at.transaction != at.transaction:
            self.settle()
        wanted = expected(ending.steps, woid)
        self._differences.extend(compare(wanted, self._emitted, at, woid))
        self._emitted.clear()
        work = self._state.work_orders[woid]
        work.ended_at = at.block, at.log_index
        rewards = work.rewards
        for act, account, amount, reason in ending.steps:
            stake, locked = rewards.get(account, (0, 0))
            match act:
                case "reward":
                    self._books.credit(at, account, amount, reason, woid)
                    rewards[account] = stake + amount, locked
                case "seize":
                    self._books.seize(at, account, amount, reason, woid)
                    rewards[account] = stake, locked - amount
                case "unlock":
                    self._books.unlock(at, account, amount, reason, woid)
                    rewards[account] = stake + amount, locked - amount
                case "lock":
                    self._books.lock(at, account, amount, reason, woid)
                    rewards[account] = stake - amount, locked + amount
                case _:
                    self._score(at, account, woid, is_proved=act == "proved")

    def _score(self, at: Logged, worker: Address, woid: Address, *, is_proved: bool) -> None:
        state, old = self._state, self._state.scores.get(worker, 0)
        if is_proved:
            self._books.score(at, worker, self._by.raised_score(old), "proved", woid)
            state.succeeded[worker] = state.succeeded.get(worker, 0) + 1
        else:
            self._books.score(at, worker, self._by.seized_score(old), "faulty", woid)
            state.failed[worker] = state.failed.get(worker, 0) + 1

    # -- what cannot be --------------------------------------------------------------------------

    def _of_pool(
        self, at: Logged, pool: Address, woid: Address, *statuses: WorkOrderStatus
    ) -> WorkOrder | None:
        """The pool's work order in one of these statuses; a difference if it is not."""
        work = self._state.work_orders.get(woid)
        if work is not None and work.pool == pool and work.status in statuses:
            return work
        self._odd(oddities.impossible_step(at, woid, work))
        return None

    def _odd(self, difference: Difference) -> None:
        self._differences.append(difference)
