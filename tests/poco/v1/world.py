"""Seeded histories of the contracts: every rule and every trap, in valid order.

`history(seed)` drives `tests.poco.v1.contracts` by many people at once and gives the logs, what is
to be read, and what the getters say at the end. Equal arguments give equal worlds.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from monitor.model import Address, Hash32
from monitor.poco.v1.events import Logged
from monitor.poco.v1.facts import Facts, OrderFacts
from monitor.poco.v1.stored import Stored
from tests.poco.v1.contracts import Chain, Reverted, Work, address, digest, percentage, require

RLC = 10**9
CLOCKS = (300, 900, 1800, 3600, 7200)
VALUES = (0, 1, 3, 4, 7, 33, 99, 100, 1001, 33_337, RLC, 45 * RLC, 10**15 + 7, 10**17 - 1)
PRICES = (0, 0, 1, 5, RLC)
STAKE_RATIOS = (0, 1, 30, 33, 100, 150)
SCHEDULER_RATIOS = (0, 1, 1, 5, 33, 100)
Life = Iterator[int | None]
"""A work order's: it gives the time before which it can not go on, or None."""


@dataclass(frozen=True)
class World:
    """A valid history and its end."""

    hub: Address
    marketplace: Address
    token: Address
    facts: Facts
    logged: list[Logged]
    stored: Stored
    stray: int
    """RLC sent to the hub that was no deposit."""


def world_of(chain: Chain) -> World:
    """The world that a chain driven by hand has become."""
    return World(
        hub=chain.hub,
        marketplace=chain.marketplace,
        token=chain.token,
        facts=chain.facts(),
        logged=list(chain.logged),
        stored=chain.stored(),
        stray=chain.stray,
    )


def history(
    seed: int,
    *,
    workers: int = 12,
    orders: int = 20,
    pools: int = 3,
    in_flight: int = 8,
    team: int = 6,
    traps: bool = True,
    veterans: int = 0,
) -> World:
    """A history of `orders` work orders, at most `in_flight` of them at once.

    `team` is the most workers that one work order has; without `traps` there are only deposits,
    subscriptions, orders and work orders. About one work order in ten never ends. So many
    `veterans` begin with scores about 50, each by as many small work orders of its own.
    """
    driver = Driver(seed, workers=workers, pools=pools, team=team)
    for worker in driver.people[:veterans]:
        driver.train(worker)
    driver.run(orders, in_flight, traps=traps)
    return world_of(driver.chain)


@dataclass
class Driver:
    """Everybody who calls the contracts."""

    seed: int
    workers: int
    pools: int
    team: int
    chain: Chain = field(default_factory=Chain)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311
        self.people = [address(f"person {n}") for n in range(self.workers)]
        # Every third errs often, every third now and then, every third never.
        rates = itertools.cycle((0.3, 0.05, 0.0))
        self.error_rates = dict(zip(self.people, rates, strict=False))
        # A contract that forwards every call, and one like IexecAPI, which can not claim.
        self.wallet, self.api = address("wallet"), address("api")
        self.claimable: list[Work] = []
        self.open_orders: list[int] = []
        self.results = itertools.count()
        chain = self.chain
        for clock in CLOCKS:
            chain.send()
            chain.create_category(clock)
        for price in PRICES:
            self.send()
            chain.create_app(self.anybody(), price)
            self.send()
            chain.create_dataset(self.anybody(), price)
        for n in range(self.pools):
            self.send()
            chain.create_pool(self.anybody(), (0, 10 * RLC, 7)[n % 3], (0, RLC)[n % 2])
        for worker in self.people:
            if self.random.random() < 0.9:
                self.join(worker)

    # -- who and how -----------------------------------------------------------------------------

    def anybody(self) -> Address:
        return self.random.choice(self.people)

    def pick_pool(self) -> Address:
        return self.random.choice(list(self.chain.pools))

    def send(self) -> None:
        """A new transaction, in this block or the next."""
        if self.random.random() < 0.6:
            self.chain.mine(self.random.randrange(1, 4))
        self.chain.send()

    def fund(self, user: Address, amount: int) -> None:
        """See to it that so much is free."""
        missing = amount - self.chain.stake[user]
        if missing > 0:
            self.send()
            self.chain.deposit(user, missing + self.random.choice((0, 1, RLC, amount)))

    def join(self, worker: Address) -> None:
        pool = self.pick_pool()
        terms = self.chain.pools[pool]
        if worker not in self.chain.affiliation:
            self.fund(worker, terms.subscription_lock + terms.minimum_stake)
            self.send()
            with contextlib.suppress(Reverted):  # its score is too low
                self.chain.subscribe(worker, pool)

    # -- orders ----------------------------------------------------------------------------------

    def offer(self) -> None:
        """A new ask order."""
        pool = self.pick_pool()
        value = self.random.choice((*VALUES, self.random.randrange(10**6)))
        facts = OrderFacts(
            category=self.random.randrange(len(CLOCKS)) + 1,
            value=value,
            volume=self.random.choice((1, 1, 2, 3, 5)),
            pool=pool,
            owner=self.chain.pools[pool].owner,
        )
        self.fund(facts.owner, percentage(value, 30) * facts.volume)
        self.send()
        self.open_orders.append(self.chain.create_order(facts))

    def close(self) -> None:
        """One of the orders is taken back, with all that is left of it."""
        if self.open_orders:
            index = self.random.choice(self.open_orders)
            self.open_orders.remove(index)
            self.send()
            self.chain.close_order(index)

    def buy(self, count: int) -> list[Work]:
        """Work orders; several are bought by a contract, in one transaction."""
        chain = self.chain
        is_contract = count > 1 or self.random.random() < 0.1
        requester = self.random.choice((self.wallet, self.api)) if is_contract else self.anybody()
        wanted: list[tuple[int, Address, Address | None]] = []
        for _ in range(count):
            while not self.open_orders or self.random.random() < 0.2:
                self.offer()
            index = self.random.choice(self.open_orders)
            if chain.asks[index].remaining - sum(index == i for i, _, _ in wanted) == 1:
                self.open_orders.remove(index)
            dataset = self.random.choice((None, *chain.datasets))
            wanted.append((index, self.random.choice(list(chain.apps)), dataset))
        total = sum(
            chain.asks[index].facts.value
            + chain.apps[app][1]
            + (chain.datasets[dataset][1] if dataset is not None else 0)
            for index, app, dataset in wanted
        )
        self.fund(requester, total)
        self.send()
        return [chain.buy(index, requester, app, dataset) for index, app, dataset in wanted]

    def train(self, worker: Address) -> None:
        """Some fifty work orders of one nRLC, each done by one worker alone."""
        chain, rounds = self.chain, self.random.randint(45, 70)
        if worker not in chain.affiliation:
            self.join(worker)
        pool = chain.affiliation[worker]
        self.send()
        index = chain.create_order(OrderFacts(1, 1, rounds, pool, chain.pools[pool].owner))
        self.fund(worker, rounds)
        for _ in range(rounds):
            self.send()
            work = chain.buy(index, worker, next(iter(chain.apps)), None)
            right = digest(f"result {next(self.results)}")
            chain.send()
            chain.allow(work, worker)
            chain.send()
            chain.contribute(work, worker, right)
            chain.send()
            chain.reveal_consensus(work, digest(right))
            chain.send()
            chain.reveal(work, worker, right)
            chain.send()
            chain.finalize(work)

    # -- a work order's life ---------------------------------------------------------------------

    def life(self, work: Work) -> Life:
        """From authorisation to one of its ends."""
        plan = self.random.choices(
            ("done", "reopened", "claimed", "claimed late", "left"), (60, 12, 14, 6, 8)
        )[0]
        try:
            if plan == "reopened":
                yield from self.reopened(work)
            right = digest(f"result {next(self.results)}")
            yield from self.contributions(work, right)
            if plan == "claimed" or (plan == "left" and self.random.random() < 0.5):
                require(False, plan)
            self.send()
            self.chain.reveal_consensus(work, digest(right))
            yield None
            yield from self.reveals(work, right)
            if plan in {"claimed late", "left"}:
                require(False, plan)
            if work.revealed < work.winners:
                yield work.reveal_date
            self.send()
            self.chain.finalize(work)
        except Reverted:
            if plan != "left" and work.requester != self.api:
                yield work.timeout + 1
                yield from self.claims(work)

    def contributions(self, work: Work, right: Hash32) -> Life:
        """Some right, some wrong, some with an enclave, some never; each when it likes."""
        members = self.chain.pools[work.pool].members
        size = min(len(members), self.random.randint(1, self.team))
        for worker in self.random.sample(members, size):
            if worker in work.parts or self.chain.affiliation.get(worker) != work.pool:
                continue
            self.send()
            self.chain.allow(work, worker, is_enclave=self.random.random() < 0.3)
            yield None
        parts = [w for w, part in work.parts.items() if part.status == 1]
        self.random.shuffle(parts)
        for worker in parts:
            if self.random.random() < 0.1:
                continue
            self.fund(worker, work.stake_amount)
            self.send()
            is_wrong = self.random.random() < self.error_rates[worker]
            wrong = digest(f"wrong {self.random.randrange(2)}")
            self.chain.contribute(work, worker, wrong if is_wrong else right)
            yield None

    def reopened(self, work: Work) -> Life:
        """A consensus that nobody reveals: its contributors are rejected."""
        right = digest(f"result {next(self.results)}")
        yield from self.contributions(work, right)
        hashes = sorted({work.parts[worker].result_hash for worker in work.contributors})
        if hashes:
            self.send()
            self.chain.reveal_consensus(work, self.random.choice(hashes))
            yield work.reveal_date
            self.send()
            self.chain.reopen(work)
            yield None

    def reveals(self, work: Work, right: Hash32) -> Life:
        parts = [w for w in work.contributors if work.parts[w].result_hash == digest(right)]
        self.random.shuffle(parts)
        for worker in parts:
            if work.parts[worker].status == 2 and self.random.random() < 0.9:
                self.send()
                self.chain.reveal(work, worker, right)
                yield None

    def claims(self, work: Work) -> Life:
        """A contract waits for others of its work orders and claims all in one transaction."""
        if work.requester != self.wallet:
            self.send()
            self.chain.claim(work)
            return
        self.claimable.append(work)
        yield self.chain.now + 2 * work.clock
        if self.claimable:
            self.send()
            for each in self.claimable:
                self.chain.claim(each)
            self.claimable.clear()

    # -- what goes on besides --------------------------------------------------------------------

    def strangers_order(self) -> None:
        """An order on a pool that is none: one can only close it again."""
        owner = self.anybody()
        pool, value = address(f"no pool {self.random.random()}"), self.random.choice(VALUES)
        volume = 2**200 if value < 4 else 2
        facts = OrderFacts(1, value, volume, pool, owner)
        self.fund(owner, percentage(value, 30) * volume)
        self.send()
        index = self.chain.create_order(facts)
        if self.random.random() < 0.5:
            self.send()
            self.chain.close_order(index)

    def reentrant_orders(self) -> None:
        """A pool that makes orders when asked for its owner: indices are repeated, some missing."""
        chain, owner = self.chain, address("re-entrant pool")
        values = [self.random.choice(VALUES[:10]) for _ in range(4)]
        asks = [OrderFacts(2, v, n + 1, owner, owner) for n, v in enumerate(values)]
        self.fund(owner, sum(percentage(ask.value, 30) * ask.volume for ask in asks))
        self.send()
        if self.random.random() < 0.5:
            chain.create_order(asks[0], lambda: chain.create_order(asks[1]))
        elif self.random.random() < 0.5:
            chain.create_order(asks[0], lambda: chain.close_order(chain.create_order(asks[1])))
        else:

            def nested() -> None:
                chain.create_order(asks[1], lambda: chain.create_order(asks[2]))
                chain.create_order(asks[3])

            chain.create_order(asks[0], nested)

    def policy(self) -> None:
        self.send()
        self.chain.change_policy(
            self.pick_pool(),
            self.random.choice(STAKE_RATIOS),
            self.random.choice(SCHEDULER_RATIOS),
            self.random.choice((0, 0, RLC)),
            self.random.choice((0, 0, 0, 1)),
        )

    def leave(self) -> None:
        if self.chain.affiliation:
            worker = self.random.choice(list(self.chain.affiliation))
            self.send()
            self.chain.unsubscribe(worker, is_eviction=self.random.random() < 0.5)

    def aside(self, *, traps: bool) -> None:
        """Something that is no step of a work order; mostly nothing."""
        quiet: list[tuple[int, Callable[[], None]]] = [
            (340, lambda: None),
            (20, lambda: self.join(self.anybody())),
            (4, self.top_up),
            (4, self.take_out),
        ]
        loud: list[tuple[int, Callable[[], None]]] = [
            (8, self.policy),
            (8, self.leave),
            (4, self.close),
            (4, self.strangers_order),
            (4, self.reentrant_orders),
            (4, self.stray),
        ]
        weights, actions = zip(*quiet, *(loud if traps else ()), strict=True)
        self.random.choices(actions, weights)[0]()

    def top_up(self) -> None:
        self.send()
        self.chain.deposit(self.anybody(), self.random.choice((0, 1, RLC)))

    def take_out(self) -> None:
        user = self.anybody()
        self.send()
        self.chain.withdraw(user, self.random.randint(0, self.chain.stake[user]))

    def stray(self) -> None:
        """RLC sent to the hub; sometimes a deposit of as much follows in the same transaction."""
        user = self.anybody()
        amount = self.random.choice((0, 1, 5 * RLC))
        self.send()
        self.chain.transfer(user, amount)
        if self.random.random() < 0.5:
            self.chain.deposit(user, amount)

    # -- the loop --------------------------------------------------------------------------------

    def run(self, orders: int, in_flight: int, *, traps: bool) -> None:
        """Lives are led side by side; when all of them wait, time is let pass."""
        lives: list[tuple[int, Life]] = []
        left = orders
        while left or lives:
            if left and len(lives) < in_flight:
                count = min(left, self.random.choice((1, 1, 1, 1, 1, 2, 3)))
                lives += [(0, self.life(work)) for work in self.buy(count)]
                left -= count
            self.aside(traps=traps)
            self.step(lives)

    def step(self, lives: list[tuple[int, Life]]) -> None:
        """One step of a life that does not wait, or of the one that waits least."""
        ready = [n for n, (wake, _) in enumerate(lives) if wake <= self.chain.now]
        n = self.random.choice(ready) if ready else self.soonest(lives)
        wake, life = lives[n]
        if wake > self.chain.now:
            self.chain.mine(wake - self.chain.now)
        try:
            lives[n] = (next(life) or 0, life)
        except StopIteration:
            del lives[n]

    @staticmethod
    def soonest(lives: Sequence[tuple[int, Life]]) -> int:
        return min(range(len(lives)), key=lambda n: lives[n][0])
