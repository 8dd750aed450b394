"""A history that was played, as tests ask about it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from monitor.lab.poco.blocks import Log, log_of
from monitor.lab.poco.calls import selector, words
from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.lab import PocoLab
from monitor.lab.poco.stage import address_in
from monitor.lab.poco.tally import Summary
from monitor.lab.poco.topics import POOL
from monitor.model import Address, Hash32

STATUS = {"active": 1, "revealing": 2, "claimed": 3, "completed": 4}
CONTRIBUTED, PROVED, REJECTED = 2, 3, 4


@dataclass(frozen=True, slots=True)
class History:
    """The lab, its counts, and every log of its chain in order."""

    lab: PocoLab
    summary: Summary
    logs: tuple[Log, ...]

    @property
    def deployment(self) -> Deployment:
        return self.lab.deployment

    @property
    def hub(self) -> Address:
        return self.deployment.hub

    @property
    def marketplace(self) -> Address:
        return self.deployment.marketplace

    def of(self, emitter: Address, topic: bytes) -> list[Log]:
        """The logs of one contract and one kind."""
        return [log for log in self.logs if (log.address, log.topics[:1]) == (emitter, (topic,))]

    def of_pools(self, name: str) -> list[Log]:
        """The logs of that name of every pool."""
        return [log for pool in self.summary.pools for log in self.of(pool, POOL[name])]

    def within(self, transaction: Hash32) -> list[Log]:
        return [log for log in self.logs if log.transaction == transaction]

    async def ask(self, to: Address, signature: str, *arguments: object) -> list[int]:
        """The words that a getter answers."""
        return await ask(self.deployment, to, signature, *arguments)

    async def order(self, index: int) -> list[int]:
        """Direction, category, trust, value, volume, remaining, pool and owner."""
        return await self.ask(self.marketplace, "getMarketOrder(uint256)", index)

    async def balance(self, account: Address) -> tuple[int, int]:
        """Free and locked."""
        stake, locked = await self.ask(self.hub, "checkBalance(address)", account)
        return stake, locked

    async def status(self, woid: Address) -> int:
        (found,) = await self.ask(woid, "m_status()")
        return found

    async def contribution(self, pool: Address, woid: Address, worker: Address) -> list[int]:
        """Status, hash, sign, challenge, score and weight."""
        return await self.ask(pool, "getContribution(address,address)", woid, worker)


async def history_of(lab: PocoLab, *, workers: int, orders: int) -> History:
    """Play the lab's workerdrop and read all its logs back."""
    summary = await lab.workerdrop(workers=workers, orders=orders)
    return History(lab, summary, await logs_of_chain(lab.deployment))


async def logs_of_chain(deployment: Deployment) -> tuple[Log, ...]:
    asked = {"fromBlock": "0x0", "toBlock": "latest"}
    return tuple(log_of(one) for one in await deployment.blocks.anvil.rpc("eth_getLogs", asked))


async def ask(deployment: Deployment, to: Address, signature: str, *arguments: object) -> list[int]:
    """The words that a getter answers."""
    inside = signature.partition("(")[2].removesuffix(")")
    types = inside.split(",") if inside else []
    answer = await deployment.blocks.call(to, selector(signature) + words(types, *arguments))
    return [int.from_bytes(answer[one : one + 32], "big") for one in range(0, len(answer), 32)]


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - it draws plays, not keys


def number(address: Address) -> int:
    return int(address, 16)


def addresses(log: Log) -> list[Address]:
    """Of the words of a log's data."""
    return [address_in(log.data[one : one + 32]) for one in range(0, len(log.data), 32)]
