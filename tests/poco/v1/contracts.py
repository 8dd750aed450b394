"""IexecHub, Marketplace and WorkerPool of iexec-poco@1.1.17 as a program: calls in, logs out.

It keeps its own books with its own arithmetic, in the order of the contracts' statements, and
shares with `monitor.poco` only the types of events, facts and answers: what a rule there gets
wrong does not come out wrong here too. Every call checks before it writes, as a revert would undo.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.model import Address, Hash32
from monitor.poco.v1 import events as e
from monitor.poco.v1.facts import Facts, OrderFacts, WorkOrderFacts
from monitor.poco.v1.stored import Stored, StoredContribution, StoredWorkOrder

ZERO = Hash32("0x" + "0" * 64)
UNSET, ACTIVE, REVEALING, CLAIMED, COMPLETED = range(5)
AUTHORIZED, CONTRIBUTED, PROVED, REJECTED = range(1, 5)


class Reverted(Exception):
    """A require of the contracts does not hold."""


def require(condition: bool, what: str) -> None:
    if not condition:
        raise Reverted(what)


def address(name: str) -> Address:
    """An address that is always the same for a name."""
    return Address("0x" + hashlib.sha256(name.encode()).hexdigest()[:40])


def digest(name: str) -> Hash32:
    """A hash that is always the same for a name; stands for keccak256 too."""
    return Hash32("0x" + hashlib.sha256(name.encode()).hexdigest())


def logarithm(x: int) -> int:
    """`SafeMathOZ.log`: how often 1 must be doubled until it is no less than x."""
    doubled, times = 1, 0
    while doubled < x:
        doubled, times = doubled + doubled, times + 1
    return times


def percentage(amount: int, ratio: int) -> int:
    """`SafeMathOZ.percentage`."""
    return (amount * ratio - (amount * ratio) % 100) // 100


@dataclass
class PoolContract:
    owner: Address
    subscription_lock: int
    stake_ratio: int = 30
    scheduler_ratio: int = 1
    minimum_stake: int = 0
    minimum_score: int = 0
    members: list[Address] = field(default_factory=list)


@dataclass
class Ask:
    facts: OrderFacts
    remaining: int
    is_open: bool = True


@dataclass
class Part:
    """One worker's entry of `m_contributions`."""

    is_enclave: bool
    status: int = AUTHORIZED
    result_hash: Hash32 = ZERO
    score: int = 0
    weight: int = 0


@dataclass
class Work:
    woid: Address
    pool: Address
    requester: Address
    scheduler: Address
    value: int
    app: Address
    dataset: Address | None
    emit_cost: int
    stake_amount: int
    scheduler_ratio: int
    clock: int
    timeout: int
    status: int = ACTIVE
    consensus: Hash32 = ZERO
    reveal_date: int = 0
    winners: int = 0
    revealed: int = 0
    contributors: list[Address] = field(default_factory=list)
    parts: dict[Address, Part] = field(default_factory=dict)


class Chain:
    """The contracts, their accounts and their logs."""

    def __init__(self) -> None:
        self.hub, self.marketplace, self.token = map(address, ("hub", "marketplace", "rlc"))
        self.now, self.block, self.log_index, self.transactions = 1_528_000_000, 5_700_000, 0, 0
        self.logged: list[e.Logged] = []
        self.stake: defaultdict[Address, int] = defaultdict(int)
        self.locked: defaultdict[Address, int] = defaultdict(int)
        self.scores: defaultdict[Address, int] = defaultdict(int)
        self.accurate: defaultdict[Address, int] = defaultdict(int)
        self.faulty: defaultdict[Address, int] = defaultdict(int)
        self.hub_balance = self.stray = self.order_count = 0
        self.clocks: list[int] = []
        self.apps: dict[Address, tuple[Address, int]] = {}
        self.datasets: dict[Address, tuple[Address, int]] = {}
        self.pools: dict[Address, PoolContract] = {}
        self.asks: dict[int, Ask] = {}
        self.works: dict[Address, Work] = {}
        self.affiliation: dict[Address, Address] = {}

    # -- the chain -------------------------------------------------------------------------------

    def mine(self, seconds: int = 14) -> None:
        """A new block, `seconds` later."""
        self.now += seconds
        self.block += 1
        self.log_index = 0

    def send(self) -> None:
        """A new transaction: what is called from here on belongs to it."""
        self.transactions += 1

    def emit(self, event: e.Event) -> None:
        transaction = Hash32(f"0x{self.transactions:064x}")
        self.logged.append(e.Logged(self.block, self.log_index, transaction, event))
        self.log_index += 1

    def emit_elsewhere(self) -> None:
        """A log of a contract that the ledger does not read."""
        self.log_index += 1

    # -- IexecHub: accounts ----------------------------------------------------------------------

    def lock(self, user: Address, amount: int) -> None:
        require(self.stake[user] >= amount, "stake")
        self.stake[user] -= amount
        self.locked[user] += amount

    def unlock(self, user: Address, amount: int) -> None:
        assert self.locked[user] >= amount
        self.locked[user] -= amount
        self.stake[user] += amount

    def reward(self, user: Address, amount: int) -> None:
        self.stake[user] += amount
        self.emit(e.Reward(user, amount))

    def seize(self, user: Address, amount: int) -> None:
        assert self.locked[user] >= amount
        self.locked[user] -= amount
        self.emit(e.Seize(user, amount))

    def transfer(self, sender: Address, amount: int) -> None:
        """`RLC.transfer` to the hub, which credits nobody."""
        self.hub_balance += amount
        self.stray += amount
        self.emit(e.TransferToHub(sender, amount))

    def deposit(self, user: Address, amount: int) -> None:
        self.hub_balance += amount
        self.emit(e.TransferToHub(user, amount))
        self.stake[user] += amount
        self.emit(e.Deposit(user, amount))

    def withdraw(self, user: Address, amount: int) -> None:
        require(self.stake[user] >= amount, "stake")
        self.stake[user] -= amount
        self.hub_balance -= amount
        self.emit_elsewhere()  # RLC.Transfer, from the hub
        self.emit(e.Withdraw(user, amount))

    # -- IexecHub: registries --------------------------------------------------------------------

    def create_category(self, clock: int) -> int:
        self.clocks.append(clock)
        self.emit(e.CreateCategory(len(self.clocks), clock))
        return len(self.clocks)

    def create_app(self, owner: Address, price: int) -> Address:
        app = address(f"app {len(self.apps)}")
        self.apps[app] = (owner, price)
        self.emit(e.CreateApp(owner, app, f"app {len(self.apps)}", price))
        return app

    def create_dataset(self, owner: Address, price: int) -> Address:
        dataset = address(f"dataset {len(self.datasets)}")
        self.datasets[dataset] = (owner, price)
        self.emit(e.CreateDataset(owner, dataset, f"dataset {len(self.datasets)}", price))
        return dataset

    def create_pool(
        self, owner: Address, subscription_lock: int, minimum_stake: int = 0
    ) -> Address:
        """The minimum is in no event until it is changed."""
        pool = address(f"pool {len(self.pools)}")
        self.pools[pool] = PoolContract(owner, subscription_lock, minimum_stake=minimum_stake)
        self.emit(e.CreateWorkerPool(owner, pool, f"pool {len(self.pools)}"))
        return pool

    # -- WorkerPool: members and policy ----------------------------------------------------------

    def change_policy(self, pool: Address, *new: int) -> None:
        """Stake ratio, scheduler ratio, minimum stake, minimum score."""
        p = self.pools[pool]
        require(new[1] <= 100, "scheduler ratio")
        old = (p.stake_ratio, p.scheduler_ratio, p.minimum_stake, p.minimum_score)
        p.stake_ratio, p.scheduler_ratio, p.minimum_stake, p.minimum_score = new
        values = [value for pair in zip(old, new, strict=True) for value in pair]
        self.emit(e.PolicyUpdate(pool, *values))

    def subscribe(self, worker: Address, pool: Address) -> None:
        p = self.pools[pool]
        require(worker not in self.affiliation, "affiliated")
        require(self.stake[worker] - p.subscription_lock >= p.minimum_stake, "minimum stake")
        require(self.scores[worker] >= p.minimum_score, "minimum score")
        self.lock(worker, p.subscription_lock)
        self.affiliation[worker] = pool
        p.members.append(worker)
        self.emit(e.WorkerPoolSubscription(pool, worker))
        self.emit_elsewhere()  # WorkerSubscribe of the pool

    def unsubscribe(self, worker: Address, *, is_eviction: bool = False) -> None:
        pool = self.affiliation.pop(worker)
        self.pools[pool].members.remove(worker)
        self.unlock(worker, self.pools[pool].subscription_lock)
        kind = e.WorkerPoolEviction if is_eviction else e.WorkerPoolUnsubscription
        self.emit(kind(pool, worker))
        self.emit_elsewhere()  # WorkerUnsubscribe or WorkerEviction of the pool

    # -- Marketplace -----------------------------------------------------------------------------

    def create_order(
        self,
        facts: OrderFacts,
        during_call: Callable[[], object] | None = None,
    ) -> int:
        """`createMarketOrder`; `during_call` is what the pool does when asked for its owner."""
        require(facts.volume > 0, "volume")
        self.order_count += 1
        index = self.order_count
        self.asks[index] = Ask(facts, facts.volume)
        if during_call is not None:
            during_call()
        self.lock(facts.owner, percentage(facts.value, 30) * facts.volume)
        self.emit(e.MarketOrderCreated(self.order_count))
        return index

    def close_order(self, index: int) -> None:
        ask = self.asks[index]
        require(ask.is_open, "closed")
        ask.is_open = False
        self.unlock(ask.facts.owner, percentage(ask.facts.value, 30) * ask.remaining)
        self.emit(e.MarketOrderClosed(index))

    def buy(self, index: int, requester: Address, app: Address, dataset: Address | None) -> Work:
        """`IexecHub.buyForWorkOrder`."""
        ask = self.asks[index]
        order, pool = ask.facts, self.pools[ask.facts.pool]
        prices = self.apps[app][1], self.datasets[dataset][1] if dataset is not None else 0
        require(ask.is_open and ask.remaining > 0, "nothing left")
        require(self.stake[requester] >= order.value + sum(prices), "stake")
        ask.remaining -= 1
        ask.is_open = ask.remaining > 0
        self.emit(e.MarketOrderAskConsume(index, requester))
        self.lock(requester, order.value)
        self.lock(requester, sum(prices))
        clock = self.clocks[order.category - 1]
        work = Work(
            woid=address(f"work order {len(self.works)}"),
            pool=order.pool,
            requester=requester,
            scheduler=order.owner,
            value=order.value,
            app=app,
            dataset=dataset,
            emit_cost=sum(prices),
            stake_amount=percentage(order.value, pool.stake_ratio),
            scheduler_ratio=pool.scheduler_ratio,
            clock=clock,
            timeout=self.now + 10 * clock,
        )
        self.works[work.woid] = work
        self.emit(e.WorkOrderActive(work.pool, work.woid))
        self.emit(e.WorkOrderActivated(work.woid, work.pool))
        return work

    # -- WorkerPool: contributions ---------------------------------------------------------------

    def allow(self, work: Work, worker: Address, *, is_enclave: bool = False) -> None:
        require(work.status == ACTIVE and self.now <= work.timeout, "active")
        require(self.affiliation.get(worker) == work.pool, "affiliated")
        require(worker not in work.parts, "unset")
        work.parts[worker] = Part(is_enclave)
        self.emit(e.AllowWorker(work.pool, work.woid, worker, self.scores[worker]))

    def contribute(self, work: Work, worker: Address, result: Hash32) -> None:
        part = work.parts[worker]
        require(work.status == ACTIVE and self.now <= work.timeout, "active")
        require(part.status == AUTHORIZED, "authorised")
        self.lock(worker, work.stake_amount)
        part.status, part.result_hash, part.score = CONTRIBUTED, digest(result), self.scores[worker]
        work.contributors.append(worker)
        self.emit(e.Contribute(work.pool, work.woid, worker, part.result_hash))

    def reveal_consensus(self, work: Work, consensus: Hash32) -> None:
        require(work.status == ACTIVE and self.now <= work.timeout, "active")
        parts = [work.parts[worker] for worker in work.contributors]
        winners = sum(p.status == CONTRIBUTED and p.result_hash == consensus for p in parts)
        require(winners > 0, "winners")
        work.status, work.consensus, work.winners = REVEALING, consensus, winners
        work.reveal_date = self.now + 2 * work.clock
        self.emit_elsewhere()  # WorkOrderRevealing of the work order
        self.emit(e.RevealConsensus(work.pool, work.woid, consensus))

    def reveal(self, work: Work, worker: Address, result: Hash32) -> None:
        part = work.parts[worker]
        require(work.status == REVEALING and self.now <= work.timeout, "revealing")
        require(self.now < work.reveal_date, "reveal date")
        require(part.status == CONTRIBUTED, "contributed")
        require(part.result_hash == work.consensus == digest(result), "consensus")
        part.status = PROVED
        work.revealed += 1
        self.emit(e.Reveal(work.pool, work.woid, worker, result))

    def reopen(self, work: Work) -> None:
        require(work.status == REVEALING and self.now <= work.timeout, "revealing")
        require(work.reveal_date <= self.now and work.revealed == 0, "reveal date")
        for worker in work.contributors:
            if work.parts[worker].result_hash == work.consensus:
                work.parts[worker].status = REJECTED
        work.status, work.consensus, work.winners, work.reveal_date = ACTIVE, ZERO, 0, 0
        self.emit_elsewhere()  # WorkOrderReActivated of the work order
        self.emit(e.Reopen(work.pool, work.woid))

    # -- endings ---------------------------------------------------------------------------------

    def finalize(self, work: Work) -> None:
        require(work.status == REVEALING and self.now <= work.timeout, "revealing")
        is_late = work.reveal_date <= self.now and work.revealed > 0
        require(is_late or work.revealed == work.winners, "reveals")
        self._pay_workers(work)
        for payee, price in (
            self.apps[work.app],
            self.datasets[work.dataset] if work.dataset is not None else (self.hub, 0),
        ):
            if price > 0:
                self.reward(payee, price)
        self.seize(work.requester, work.value + work.emit_cost)
        self.emit_elsewhere()  # WorkOrderCompleted of the work order
        work.status = COMPLETED
        self.unlock(work.scheduler, percentage(work.value, 30))
        kitty = self.locked[self.hub]
        if kitty > 0:
            kitty = min(kitty, max(percentage(kitty, 10), 1000))
            self.seize(self.hub, kitty)
            self.reward(work.scheduler, kitty)
        self.emit(e.WorkOrderCompleted(work.woid, work.pool))
        self.emit(e.FinalizeWork(work.pool, work.woid))

    def _pay_workers(self, work: Work) -> None:
        """`WorkerPool.distributeRewards`."""
        pot, weights = work.value, 0
        for worker in work.contributors:
            part = work.parts[worker]
            if part.status == PROVED:
                part.weight = 1 + logarithm(part.score * 3 if part.is_enclave else part.score)
                weights += part.weight
            else:
                pot += work.stake_amount
        workers = percentage(pot, 100 - work.scheduler_ratio)
        for worker in work.contributors:
            part = work.parts[worker]
            if part.status == PROVED:
                reward = divmod(workers * part.weight, weights)[0]
                pot -= reward
                self.unlock(worker, work.stake_amount)
                self.reward(worker, reward)
                self.scores[worker] += 1
                self.accurate[worker] += 1
                self.emit(e.AccurateContribution(work.woid, worker))
            else:
                self.seize(worker, work.stake_amount)
                self.scores[worker] = max(0, self.scores[worker] - 50)
                self.faulty[worker] += 1
                self.emit(e.FaultyContribution(work.woid, worker))
        self.reward(work.scheduler, pot)

    def claim(self, work: Work) -> None:
        """`IexecHub.claimFailedConsensus`, called by the requester."""
        require(work.status in (ACTIVE, REVEALING), "status")
        require(self.now > work.timeout, "timeout")
        work.status = CLAIMED
        self.emit(e.PoolWorkOrderClaimed(work.pool, work.woid))
        self.emit_elsewhere()  # WorkOrderClaimed of the work order
        for worker in work.contributors:
            self.unlock(worker, work.stake_amount)
        self.unlock(work.requester, work.value + work.emit_cost)
        forfeit = percentage(work.value, 30)
        self.seize(work.scheduler, forfeit)
        self.reward(self.hub, forfeit)
        self.lock(self.hub, forfeit)
        self.emit(e.WorkOrderClaimed(work.woid, work.pool))

    # -- what the getters say --------------------------------------------------------------------

    def facts(self) -> Facts:
        """All that is to be read for the logs so far."""
        works = self.works.values()
        return Facts(
            orders={index: ask.facts for index, ask in self.asks.items()},
            subscription_locks={a: pool.subscription_lock for a, pool in self.pools.items()},
            work_orders={w.woid: WorkOrderFacts(w.app, w.dataset) for w in works},
            enclaves={(w.woid, a) for w in works for a, part in w.parts.items() if part.is_enclave},
        )

    def stored(self) -> Stored:
        """What the getters answer now, of everybody and everything."""
        works = self.works.values()
        everybody = {*self.stake, *self.locked, *self.scores}
        return Stored(
            accounts={a: (self.stake[a], self.locked[a]) for a in everybody},
            scores={a: self.scores[a] for a in everybody},
            histories={self.hub: (sum(self.accurate.values()), sum(self.faulty.values()))},
            work_orders={
                w.woid: StoredWorkOrder(
                    w.status, w.consensus, w.value, w.stake_amount, w.scheduler_ratio
                )
                for w in works
            },
            contributions={
                (w.woid, a): StoredContribution(
                    p.status, p.result_hash, p.is_enclave, p.score, p.weight
                )
                for w in works
                for a, p in w.parts.items()
            },
            hub_balance=self.hub_balance,
        )
