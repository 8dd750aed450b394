"""Who will do what in a workerdrop, decided beforehand by the seed.

A plan says what people intend. What becomes of it, the contracts decide: a worker that has left its
pool is not authorised, and a work order that nobody proves is claimed.
"""

from __future__ import annotations

import enum
import random
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from monitor.lab.poco.deployment import RLC
from monitor.model import Address

_T = TypeVar("_T")
POOLS_MAX = 4
STAKE_RATIO_MAX = 150
WORKERS_A_POOL_MIN = 8
APP_PRICES = (0, RLC, 123_456_789)
DATASET_PRICES = (0, RLC // 2 + 7)
VALUES = (0, 1, 3, 2_000, 10_009, RLC, 5 * RLC, 45 * RLC)
"""nRLC a work order pays: those at which shares, stakes or the kitty round to nothing, and some."""


class Part(enum.Enum):
    """What a worker makes of an authorisation."""

    RIGHT = "right"
    """Commits to the result that wins, and reveals it."""
    WRONG = "wrong"
    SILENT = "silent"
    """Commits to the result that is announced, and never reveals it."""
    ABSENT = "absent"
    """Never contributes."""


class Ending(enum.Enum):
    """How a work order is meant to end."""

    COMPLETED = "completed"
    REOPENED = "reopened"
    """Completed, after a first consensus that nobody revealed."""
    CLAIMED = "claimed"
    """Forgotten by the scheduler before any consensus."""
    CLAIMED_REVEALING = "claimed while revealing"
    """Forgotten after the consensus, with some of its winners proved."""
    LEFT = "left"
    """Neither finalised nor claimed when the history ends."""


@dataclass(frozen=True, slots=True)
class Share:
    """One worker's part in one work order."""

    worker: Address
    part: Part
    is_enclave: bool


@dataclass(frozen=True, slots=True)
class Task:
    """One work order, as it is meant to be."""

    number: int
    requester: Address
    app: int
    """Index into `APP_PRICES`."""
    dataset: int | None
    """Index into `DATASET_PRICES`."""
    shares: tuple[Share, ...]
    ending: Ending


@dataclass(frozen=True, slots=True)
class Offer:
    """One market order and the work orders that are bought of it."""

    pool: int
    category: int
    value: int
    volume: int
    """At least the number of tasks; what is left over is closed, or stays on the market."""
    tasks: tuple[Task, ...]
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """`changeWorkerPoolPolicy`: ratios in per cent, the minimum stake in nRLC."""

    stake_ratio: int
    scheduler_ratio: int
    minimum_stake: int = 0
    minimum_score: int = 0


@dataclass(frozen=True, slots=True)
class Hall:
    """One worker pool: whose it is, what it asks, who joins it."""

    owner: Address
    subscription_lock: int
    policies: tuple[Policy, ...]
    """One after the other; the first before anybody buys, where there is one."""
    workers: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A worker leaves a pool, or is evicted, and perhaps joins another."""

    worker: Address
    after: int
    """Work orders that have been bought by then."""
    is_evicted: bool
    to: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All of a workerdrop."""

    halls: tuple[Hall, ...]
    offers: tuple[Offer, ...]
    moves: tuple[Move, ...]
    needs: dict[Address, int]
    """Account -> nRLC that it can never run out of if it deposits them."""


_POLICIES = (
    ((), (Policy(50, 10), Policy(30, 1, RLC, 1))),
    ((Policy(0, 0),), (Policy(0, 5),)),
    ((Policy(STAKE_RATIO_MAX, 100),), (Policy(7, 99),)),
    ((Policy(33, 7),), (Policy(100, 50), Policy(1, 0))),
)
"""Pool by pool: before anybody buys, and later."""
_LOCKS = (0, RLC, 7, RLC // 10 + 1)
_SIZES = (1, 2, 3, 3, 4, 4, 5, 6, 8)
_ENDINGS = {
    Ending.COMPLETED: 70,
    Ending.REOPENED: 9,
    Ending.CLAIMED: 9,
    Ending.CLAIMED_REVEALING: 8,
    Ending.LEFT: 4,
}
_ALWAYS = (
    *(Ending.REOPENED, Ending.CLAIMED, Ending.COMPLETED, Ending.COMPLETED),
    *(Ending.CLAIMED_REVEALING, Ending.LEFT),
)
"""Endings of a history's work orders before chance has its say: as many of them as there is room
for, in any order."""
_PARTS = {Part.RIGHT: 68, Part.WRONG: 14, Part.SILENT: 8, Part.ABSENT: 10}


@dataclass(frozen=True, slots=True)
class Cast:
    """The accounts of a plan."""

    schedulers: tuple[Address, ...]
    workers: tuple[Address, ...]
    requesters: tuple[Address, ...]


def plan_of(cast: Cast, rng: random.Random, *, orders: int) -> Plan:
    """A workerdrop of so many work orders."""
    count = max(1, min(POOLS_MAX, len(cast.schedulers), len(cast.workers) // WORKERS_A_POOL_MIN))
    halls = _halls(cast, count)
    endings = _endings(rng, orders)
    offers = []
    number = 0
    while number < orders:
        pool = min(rng.choice((0, 0, 0, 1, 2, 3)), count - 1)
        size = min(rng.choice((1, 1, 1, 2, 3, 5)), orders - number)
        tasks = tuple(
            _task(cast, halls[pool], rng, number=one, endings=endings)
            for one in range(number, number + size)
        )
        offers.append(
            Offer(
                pool=pool,
                category=rng.choice((1, 1, 1, 2)),
                value=rng.choice((*VALUES, *(rng.randrange(20 * RLC) for _ in range(6)))),
                volume=size + rng.choice((0, 0, 1, 4)),
                tasks=tasks,
                is_closed=happens(rng, 0.7),
            )
        )
        number += size
    moves = tuple(
        Move(
            worker=worker,
            after=rng.randrange(orders),
            is_evicted=happens(rng, 0.4),
            # Never the first pool: it comes to ask for a score.
            to=rng.choice((None, *range(1, count))),
        )
        for hall in halls
        for worker in hall.workers[2:]
        if happens(rng, 0.08)
    )
    return Plan(halls, tuple(offers), moves, _needs(halls, offers))


def _halls(cast: Cast, count: int) -> tuple[Hall, ...]:
    """Every pool has its part of the workers, the first the most."""
    size = len(cast.workers) // (count + 1)
    starts = [0, *((one + 1) * size for one in range(1, count)), len(cast.workers)]
    return tuple(
        Hall(
            owner=cast.schedulers[one],
            subscription_lock=_LOCKS[one],
            policies=(*_POLICIES[one][0], *_POLICIES[one][1]),
            workers=cast.workers[starts[one] : starts[one + 1]],
        )
        for one in range(count)
    )


def starting_policies(pool: int) -> int:
    """How many of a pool's policies hold before anybody buys."""
    return len(_POLICIES[pool][0])


def _endings(rng: random.Random, orders: int) -> list[Ending]:
    """One for each work order, by number."""
    endings = list(_ALWAYS[:orders])
    endings += [_pick(rng, _ENDINGS) for _ in range(orders - len(endings))]
    rng.shuffle(endings)
    return endings


def _task(
    cast: Cast, hall: Hall, rng: random.Random, *, number: int, endings: list[Ending]
) -> Task:
    ending = endings[number]
    # Veterans work on nearly everything: theirs are the high scores.
    veterans = [worker for worker in hall.workers[:3] if happens(rng, 0.8)]
    others = [worker for worker in hall.workers if worker not in veterans]
    chosen = [*veterans, *rng.sample(others, min(rng.choice(_SIZES), len(others)))]
    rng.shuffle(chosen)
    has_enclaves = happens(rng, 0.3)
    is_late = number > 0.8 * len(endings)
    shares = [
        Share(
            worker,
            _part(rng, is_veteran=worker in hall.workers[:3], is_late=is_late),
            is_enclave=has_enclaves and happens(rng, 0.6),
        )
        for worker in chosen
    ]
    if ending is Ending.REOPENED and len(shares) > 1:
        shares[0] = Share(shares[0].worker, Part.SILENT, shares[0].is_enclave)
    shares[-1] = Share(shares[-1].worker, Part.RIGHT, shares[-1].is_enclave)
    return Task(
        number=number,
        requester=rng.choice(cast.requesters),
        app=rng.randrange(len(APP_PRICES)),
        dataset=rng.choice((None, *range(len(DATASET_PRICES)))),
        shares=tuple(shares),
        ending=ending,
    )


def _part(rng: random.Random, *, is_veteran: bool, is_late: bool) -> Part:
    """Veterans err late only, when they have a score to lose."""
    if is_veteran and not (is_late and happens(rng, 0.2)):
        return Part.RIGHT
    return _pick(rng, _PARTS)


def happens(rng: random.Random, probability: float) -> bool:
    """Whether something of this probability comes to be."""
    return rng.random() < probability


def _pick(rng: random.Random, weighted: dict[_T, int]) -> _T:
    return rng.choices(list(weighted), list(weighted.values()))[0]


def _needs(halls: tuple[Hall, ...], offers: list[Offer]) -> dict[Address, int]:
    """Upper bounds: as if nothing were ever paid or unlocked."""
    needs: Counter[Address] = Counter()
    for hall in halls:
        for worker in hall.workers:
            needs[worker] += max(_LOCKS) + 2 * RLC
    for offer in offers:
        needs[halls[offer.pool].owner] += offer.value * 30 // 100 * offer.volume
        for task in offer.tasks:
            needs[task.requester] += offer.value + max(APP_PRICES) + max(DATASET_PRICES)
            for share in task.shares:
                needs[share.worker] += offer.value * STAKE_RATIO_MAX // 100
    return dict(needs)
