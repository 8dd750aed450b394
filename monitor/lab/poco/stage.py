"""What the scripts of one workerdrop share: contracts, people, and who belongs to which pool."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.lab.errors import LabError
from monitor.lab.poco.blocks import Log, Receipt
from monitor.lab.poco.calls import NOBODY, Terms
from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.topics import HUB, MARKETPLACE
from monitor.model import Address

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pool:
    """A worker pool that stands."""

    address: Address
    owner: Address


@dataclass(slots=True)
class Stage:
    """Mutable, and only ever changed between two blocks."""

    deployment: Deployment
    seed: int
    rng: random.Random
    pools: list[Pool] = field(default_factory=list)
    apps: list[Address] = field(default_factory=list)
    datasets: list[Address] = field(default_factory=list)
    affiliations: dict[Address, Address] = field(default_factory=dict)
    """Worker -> its pool, as of the next block."""
    authorised: set[Address] = field(default_factory=set)
    """Workers that the next block authorises, and that therefore may not leave in it."""
    bought: Counter[int] = field(default_factory=Counter)
    """Market order -> work orders bought of it so far."""
    enclaves: int = 0
    """Contributions that an enclave signed."""

    @property
    def hub(self) -> Address:
        return self.deployment.hub

    @property
    def now(self) -> int:
        """The last block's timestamp."""
        return self.deployment.blocks.timestamp

    def clock_seconds(self, category: int) -> int:
        return self.deployment.clocks_seconds[category - 1]

    def terms(self, app: int, dataset: int | None) -> Terms:
        return Terms(self.apps[app], NOBODY if dataset is None else self.datasets[dataset])

    def authorise(self, pool: Pool, workers: Iterable[Address]) -> list[Address]:
        """Those of them that may be authorised in the next block: they belong to the pool."""
        found = [one for one in workers if self.affiliations.get(one) == pool.address]
        self.authorised.update(found)
        return found

    def pieces(self, items: Sequence[T], largest: int = 4) -> Iterator[Sequence[T]]:
        """The items in random order, a few at a time, sometimes none."""
        left = list(items)
        self.rng.shuffle(left)
        while left:
            size = self.rng.randint(0, largest)
            yield left[:size]
            left = left[size:]

    def seen(self, receipts: Sequence[Receipt]) -> None:
        """A block was made."""
        self.authorised.clear()
        topic = MARKETPLACE["MarketOrderAskConsume"]
        for log in logs_of(receipts, self.deployment.marketplace, topic):
            self.bought[int.from_bytes(log.data[:32], "big")] += 1

    def work_orders(self, receipts: Sequence[Receipt]) -> list[Address]:
        """The work orders that these transactions made, in order."""
        logs = logs_of(receipts, self.hub, HUB["WorkOrderActivated"])
        return [address_in(log.data) for log in logs]

    def market_orders(self, receipts: Sequence[Receipt]) -> list[int]:
        """The indices that these transactions announced, in order."""
        topic = MARKETPLACE["MarketOrderCreated"]
        logs = logs_of(receipts, self.deployment.marketplace, topic)
        return [int.from_bytes(log.data, "big") for log in logs]


def logs_of(receipts: Sequence[Receipt], emitter: Address, topic: bytes) -> list[Log]:
    """The logs of one contract and one kind."""
    return [
        log
        for receipt in receipts
        for log in receipt.logs
        if log.address == emitter and log.topics[:1] == (topic,)
    ]


def address_in(word: bytes) -> Address:
    """The address in the first 32 bytes."""
    return Address(f"0x{word[12:32].hex()}")


def only(found: Sequence[T]) -> T:
    """The one that there is; raises LabError where there is none, or more than one."""
    if len(found) != 1:
        message = f"one was expected, and {len(found)} came"
        raise LabError(message)
    return found[0]
