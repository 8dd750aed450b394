"""A long valid history, made as it is read: what a replay is given, and never all of it in memory.

Ten thousand workers of one pool, in teams of five, with thirty-two work orders under way at once;
one worker in twenty is wrong, and one work order in thirty is claimed. Effects are those that the
contracts would emit, so that a replay which is right finds no difference.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.model import Address, Hash32
from monitor.poco.v1 import events as e
from monitor.poco.v1 import rules
from monitor.poco.v1.facts import Facts, OrderFacts, WorkOrderFacts

WORKERS, TEAM, IN_FLIGHT = 10_000, 5, 32
VOLUME = 1000
WRONG, CLAIMED = 0.05, 1 / 30
CHUNK = 50_000
ENCLAVES: frozenset[Address] = frozenset()
"""Nobody was authorised with an enclave."""
DEPOSIT = 10**16
STAKE_RATIO, SCHEDULER_RATIO = 30, 1
PRICE = 5


def address(kind: int, number: int) -> Address:
    """Of somebody, or of a contract."""
    return Address(f"0x{kind:020x}{number:020x}")


def word(number: int) -> Hash32:
    """A hash."""
    return Hash32(f"0x{number:064x}")


HUB, POOL, APP = (address(kind, 0) for kind in (1, 2, 3))
SCHEDULER, REQUESTER, MAKER = (address(4, number) for number in (1, 2, 3))


@dataclass(slots=True)
class _Work:
    woid: Address
    value: int
    is_claimed: bool
    team: list[Address]
    scores: list[int] = field(default_factory=list)
    """When each contributed."""
    wrong: set[Address] = field(default_factory=set)


class History:
    """Events in log order, in chunks; each chunk's facts are there when it is given."""

    def __init__(self, contributions: int, seed: int = 1) -> None:
        self.facts = Facts(subscription_locks={POOL: 10**9})
        self.events = 0
        self._tasks = contributions // TEAM
        self._random = random.Random(seed)
        self._scores: dict[Address, int] = {}
        self._kitty = 0
        self._block, self._index = 5_700_000, 0
        self._out: list[e.Logged] = []
        self._workers = [address(5, number) for number in range(WORKERS)]

    def chunks(self) -> Iterator[list[e.Logged]]:
        """All of it, once."""
        self._begin()
        running: deque[Iterator[None]] = deque()
        made = 0
        while running or made < self._tasks:
            if made < self._tasks and len(running) < IN_FLIGHT:
                running.append(self._life(made))
                made += 1
            life = running.popleft()
            if next(life, self) is not self:
                running.append(life)
            if len(self._out) >= CHUNK:
                yield self._taken()
        yield self._taken()

    def _taken(self) -> list[e.Logged]:
        out, self._out = self._out, []
        self.events += len(out)
        return out

    def _emit(self, *events: e.Event) -> None:
        """The logs of one transaction, in a block of at most two hundred."""
        if self._index > 200:
            self._block, self._index = self._block + 1, 0
        transaction = word(self._block << 32 | self._index)
        for event in events:
            self._out.append(e.Logged(self._block, self._index, transaction, event))
            self._index += 1

    def _begin(self) -> None:
        self._emit(e.CreateCategory(1, 300), e.CreateApp(MAKER, APP, "app", PRICE))
        self._emit(e.CreateWorkerPool(SCHEDULER, POOL, "pool"))
        for user in (SCHEDULER, REQUESTER):
            for _ in range(40):
                self._emit(e.TransferToHub(user, DEPOSIT), e.Deposit(user, DEPOSIT))
        for worker in self._workers:
            self._emit(e.TransferToHub(worker, DEPOSIT), e.Deposit(worker, DEPOSIT))
            self._emit(e.WorkerPoolSubscription(POOL, worker))

    def _life(self, number: int) -> Iterator[None]:
        """One work order, a step at a time."""
        order, rest = divmod(number, VOLUME)
        if not rest:
            value = self._random.randrange(10**6, 10**11)
            self.facts.orders[order + 1] = OrderFacts(1, value, VOLUME, POOL, SCHEDULER)
            self._emit(e.MarketOrderCreated(order + 1))
        work = _Work(
            address(6, number),
            self.facts.orders[order + 1].value,
            self._random.random() < CLAIMED,
            self._random.sample(self._workers, TEAM),
        )
        self.facts.work_orders[work.woid] = WorkOrderFacts(APP, None)
        self._emit(
            e.MarketOrderAskConsume(order + 1, REQUESTER),
            e.WorkOrderActive(POOL, work.woid),
            e.WorkOrderActivated(work.woid, POOL),
        )
        right, wrong = word(2 * number), word(2 * number + 1)
        for worker in work.team:
            self._emit(e.AllowWorker(POOL, work.woid, worker, self._scores.get(worker, 0)))
        yield
        for place, worker in enumerate(work.team):
            if place and self._random.random() < WRONG:
                work.wrong.add(worker)
            work.scores.append(self._scores.get(worker, 0))
            result = wrong if worker in work.wrong else right
            self._emit(e.Contribute(POOL, work.woid, worker, result))
            yield
        if work.is_claimed:
            self._claim(work)
            return
        self._emit(e.RevealConsensus(POOL, work.woid, right))
        yield
        for worker in work.team:
            if worker not in work.wrong:
                self._emit(e.Reveal(POOL, work.woid, worker, right))
        yield
        self._finalise(work)

    def _finalise(self, work: _Work) -> None:
        scores, woid = self._scores, work.woid
        stake = rules.work_stake(work.value, STAKE_RATIO)
        pot = work.value + stake * len(work.wrong)
        share = rules.workers_share(pot, SCHEDULER_RATIO)
        weights = [
            0 if worker in work.wrong else rules.weight_of(score, worker in ENCLAVES)
            for worker, score in zip(work.team, work.scores, strict=True)
        ]
        total = sum(weights)
        out: list[e.Event] = []
        for worker, weight in zip(work.team, weights, strict=True):
            score = scores.get(worker, 0)
            if weight:
                reward = rules.worker_reward(share, weight, total)
                pot -= reward
                scores[worker] = rules.raised_score(score)
                out += (e.Reward(worker, reward), e.AccurateContribution(woid, worker))
            else:
                scores[worker] = rules.seized_score(score)
                out += (e.Seize(worker, stake), e.FaultyContribution(woid, worker))
        out += (e.Reward(SCHEDULER, pot), e.Reward(MAKER, PRICE))
        out.append(e.Seize(REQUESTER, work.value + PRICE))
        if self._kitty:
            drawn = rules.kitty_share(self._kitty)
            self._kitty -= drawn
            out += (e.Seize(HUB, drawn), e.Reward(SCHEDULER, drawn))
        self._emit(*out, e.WorkOrderCompleted(woid, POOL), e.FinalizeWork(POOL, woid))

    def _claim(self, work: _Work) -> None:
        forfeit = rules.ask_stake(work.value)
        self._kitty += forfeit
        self._emit(
            e.PoolWorkOrderClaimed(POOL, work.woid),
            e.Seize(SCHEDULER, forfeit),
            e.Reward(HUB, forfeit),
            e.WorkOrderClaimed(work.woid, POOL),
        )
