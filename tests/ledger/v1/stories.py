"""Two short histories that are told in words: the announcement's example, and one with everything.

The contracts are those of `tests.poco.v1.contracts`, with their own arithmetic; the ledger is the
replay's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.model import Address, Hash32
from monitor.poco.v1.events import Logged
from monitor.poco.v1.facts import Facts, OrderFacts
from monitor.poco.v1.movement import Movement
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import State
from tests.poco.v1.contracts import Chain, Work, address, digest

RLC = 10**9
CLOCK_SECONDS = 300
RIGHT, WRONG, OTHER = (digest(name) for name in ("right", "wrong", "other"))
SCHEDULER, REQUESTER, OWNER = (address(n) for n in ("scheduler", "requester", "owner"))
FIRST, SECOND, THIRD = (address(n) for n in ("first", "second", "third"))
"""Workers."""


@dataclass
class Told:
    """A ledger, what it was made from, and what moved in it."""

    state: State
    facts: Facts
    logged: list[Logged]
    movements: list[Movement]


@dataclass
class Stage:
    """The contracts, with one pool, one app and one dataset; each call in a block of its own."""

    subscription_lock: int = 0
    price: int = 0
    """Of the app; the dataset costs half."""
    chain: Chain = field(default_factory=Chain)

    def __post_init__(self) -> None:
        self.chain.create_category(CLOCK_SECONDS)
        self.app = self.chain.create_app(OWNER, self.price)
        self.dataset = self.chain.create_dataset(OWNER, self.price // 2)
        self.pool = self.chain.create_pool(SCHEDULER, self.subscription_lock)
        for user, amount in ((SCHEDULER, 1000), (REQUESTER, 500), (FIRST, 100), (SECOND, 100)):
            self.next().deposit(user, amount * RLC)
        self.next().deposit(THIRD, 100 * RLC)
        for worker in (FIRST, SECOND, THIRD):
            self.next().subscribe(worker, self.pool)

    def next(self, seconds: int = 15) -> Chain:
        """The contracts, in a new block and a new transaction."""
        self.chain.mine(seconds)
        self.chain.send()
        return self.chain

    def offer(self, value: int, volume: int) -> int:
        facts = OrderFacts(1, value, volume, self.pool, SCHEDULER)
        return self.next().create_order(facts)

    def buy(self, index: int, *, has_dataset: bool = False) -> Work:
        dataset = self.dataset if has_dataset else None
        return self.next().buy(index, REQUESTER, self.app, dataset)

    def work(self, work: Work, **results: Hash32 | None) -> None:
        """Let workers contribute, each its result, in this order; None is only authorised."""
        for name, result in results.items():
            worker = address(name.removesuffix("_in_an_enclave"))
            self.next().allow(work, worker, is_enclave=name.endswith("enclave"))
            if result is not None:
                self.next().contribute(work, worker, result)

    def agree(self, work: Work, result: Hash32, *revealing: Address) -> None:
        """The scheduler names the result, and these reveal it."""
        self.next().reveal_consensus(work, digest(result))
        for worker in revealing:
            self.next().reveal(work, worker, result)

    def finalize(self, work: Work, *, is_late: bool = False) -> None:
        self.next(2 * CLOCK_SECONDS if is_late else 15).finalize(work)

    def train(self, worker: Address, rounds: int) -> None:
        """Raise a score by as many work orders of no value, each done by one worker alone."""
        index = self.offer(0, rounds)
        for _ in range(rounds):
            work = self.buy(index)
            self.next().allow(work, worker)
            self.next().contribute(work, worker, RIGHT)
            self.agree(work, RIGHT, worker)
            self.finalize(work)

    def told(self) -> Told:
        """Replay what was logged."""
        movements: list[Movement] = []
        state = new_state(self.chain.hub)
        replay = Replay(state, self.chain.facts(), movements.append)
        for logged in self.chain.logged:
            replay.apply(logged)
        replay.finish()
        assert replay.differences == []
        return Told(state, self.chain.facts(), list(self.chain.logged), movements)


def announced() -> tuple[Told, Address]:
    """Three workers with the scores 0, 4 and 16, and a task of 45 RLC: the ledger, and the task."""
    stage = Stage()
    stage.train(SECOND, 4)
    stage.train(THIRD, 16)
    work = stage.buy(stage.offer(45 * RLC, 1))
    stage.work(work, first=RIGHT, second=RIGHT, third=RIGHT)
    stage.agree(work, RIGHT, FIRST, SECOND, THIRD)
    stage.finalize(work)
    return stage.told(), work.woid


@dataclass(frozen=True)
class Year:
    """A history in which a worker meets with everything, and its work orders by what became."""

    told: Told
    paid: Address
    """Right with an enclave, wrong, right but unrevealed."""
    reopened: Address
    """Completed after nobody revealed the first result."""
    failed: Address
    """Claimed."""
    drawing: Address
    """Completed, with a part of the kitty; has no value and no price to pay."""
    running: Address
    """Contributed, a worker idle, one rejected."""
    revealing: Address
    """Revealed and not yet paid."""


def a_year() -> Year:
    """Everything that the texts have words for."""
    stage = Stage(subscription_lock=10 * RLC, price=2 * RLC)
    stage.train(FIRST, 3)
    index = stage.offer(20 * RLC, 7)
    paid = stage.buy(index, has_dataset=True)
    stage.work(paid, first_in_an_enclave=RIGHT, second=WRONG, third=RIGHT)
    stage.agree(paid, RIGHT, FIRST)
    stage.finalize(paid, is_late=True)

    failed = stage.buy(index)
    stage.work(failed, first=RIGHT, second=WRONG, third=None)
    stage.next(10 * CLOCK_SECONDS + 1).claim(failed)

    reopened = stage.buy(index)
    stage.work(reopened, first=OTHER)
    stage.agree(reopened, OTHER)
    stage.next(2 * CLOCK_SECONDS).reopen(reopened)
    stage.work(reopened, second=RIGHT, third=RIGHT)
    stage.agree(reopened, RIGHT, SECOND, THIRD)
    stage.finalize(reopened)

    drawing = stage.buy(stage.offer(0, 1))
    stage.work(drawing, second=RIGHT)
    stage.agree(drawing, RIGHT, SECOND)
    stage.finalize(drawing)

    running = stage.buy(index)
    stage.work(running, third=OTHER)
    stage.agree(running, OTHER)
    stage.next(2 * CLOCK_SECONDS).reopen(running)
    stage.work(running, first=RIGHT, second=None)

    revealing = stage.buy(index, has_dataset=True)
    stage.work(revealing, first=RIGHT, second=RIGHT)
    stage.agree(revealing, RIGHT, FIRST)
    stage.next().withdraw(FIRST, 5 * RLC)
    woids = [each.woid for each in (paid, reopened, failed, drawing, running, revealing)]
    return Year(stage.told(), *woids)
