"""Whose logs make a ledger: the hub, its marketplace, the pools it announces, RLC sent to it.

Pools are found in the logs themselves (`CreateWorkerPool` of the hub), and a pool has no log before
the one that announces it. The same names, and the same topics, mean nothing from anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from monitor.ledger.fetching import Fetcher, Page
from monitor.ledger.logs import HASH_BYTES, Log, merged, rows
from monitor.ledger.remedies import BAD_LOGS, unseen
from monitor.ledger.v1.discovery import Contracts
from monitor.model import Address, Hash32
from monitor.poco.v1.decoding import TOPICS, UndecodableLog, decode, topics_of
from monitor.poco.v1.events import CreateCategory, CreateWorkerPool, Logged, Source

if TYPE_CHECKING:
    import pyarrow as pa

ADDRESS_PADDING = bytes(12)
ANNOUNCING, BEGINNING = (
    next(topic for topic, emission in TOPICS["hub"].items() if emission.make is made)
    for made in (CreateWorkerPool, CreateCategory)
)
"""The first topics of the hub's `CreateWorkerPool` and `CreateCategory`."""


@cache
def _topics(sources: tuple[Source, ...]) -> tuple[bytes, ...]:
    return tuple(sorted({topic for source in sources for topic in topics_of(source)}))


class Emitters:
    """The contracts of one hub, and the pools that are known so far."""

    def __init__(self, contracts: Contracts) -> None:
        self.contracts = contracts
        self._sources: dict[bytes, tuple[Source, Address]] = {}
        self._add("hub", contracts.hub)
        self._add("marketplace", contracts.marketplace)
        self._add("token", contracts.token)
        self._pools: list[Address] = []

    @property
    def pools(self) -> tuple[Address, ...]:
        return tuple(self._pools)

    def learn(self, pools: Iterable[Address]) -> list[Address]:
        """Add pools; those that are new."""
        new = [pool for pool in dict.fromkeys(pools) if _raw(pool) not in self._sources]
        for pool in new:
            self._add("pool", pool)
            self._pools.append(pool)
        return new

    def learn_of(self, batch: pa.RecordBatch) -> list[Address]:
        """Add the pools that logs announce; those that are new."""
        events = (each.event for each in self.logged(_announcing(batch)))
        return self.learn(each.pool for each in events if isinstance(each, CreateWorkerPool))

    async def page(self, fetcher: Fetcher, first: int, last: int) -> Page:
        """All logs of the ledger from `first` up to `last`, or to a block before it.

        Pools that are announced there are asked for, and known from then on. Raises CouldNotSee.
        """
        hub, marketplace = self.contracts.hub, self.contracts.marketplace
        topics = _topics(("hub", "marketplace", "pool"))
        page = await fetcher.page((hub, marketplace, *self._pools), topics, first, last)
        batches = [page.logs]
        new = self.learn_of(page.logs)
        if new:
            batches.append(await fetcher.all(new, _topics(("pool",)), first, page.last))
        to_hub = (ADDRESS_PADDING + _raw(hub),)
        token = (self.contracts.token,)
        batches.append(
            await fetcher.all(token, _topics(("token",)), first, page.last, topic2=to_hub)
        )
        return Page(first, page.last, merged(batches))

    def logged(self, batch: pa.RecordBatch) -> Iterator[Logged]:
        """The events of a batch, in its order; what moves nothing is left out.

        Raises CouldNotSee for a log that none of these contracts can have made.
        """
        for log in rows(batch):
            logged = self._logged(log)
            if logged is not None:
                yield logged

    def _logged(self, log: Log) -> Logged | None:
        source, emitter = self._source(log)
        try:
            event = decode(source, emitter, log.topics, log.data)
        except UndecodableLog as error:
            detail = f"log {log.log_index} of block {log.block}, of the {source}: {error}"
            raise unseen(BAD_LOGS, detail) from None
        if event is None:
            return None
        return Logged(log.block, log.log_index, Hash32("0x" + log.transaction.hex()), event)

    def _source(self, log: Log) -> tuple[Source, Address]:
        found = self._sources.get(log.address)
        if found is None:
            detail = (
                f"log {log.log_index} of block {log.block} is of 0x{log.address.hex()}, which is "
                "no contract of this hub"
            )
            raise unseen(BAD_LOGS, detail)
        return found

    def _add(self, source: Source, address: Address) -> None:
        self._sources[_raw(address)] = (source, address)


def _raw(address: Address) -> bytes:
    return bytes.fromhex(address[2:])


def has_beginning(batches: Iterable[pa.RecordBatch]) -> bool:
    """Whether logs go back to where every ledger begins.

    Nobody can sell work before there is a category (`Marketplace.createMarketOrder`).
    """
    return any(_of_topic(batch, BEGINNING).num_rows for batch in batches)


def _announcing(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The logs that announce a pool, if the hub made them; few of very many."""
    return _of_topic(batch, ANNOUNCING)


def _of_topic(batch: pa.RecordBatch, topic: bytes) -> pa.RecordBatch:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.scalar(topic, pa.binary(HASH_BYTES))
    return batch.filter(pc.equal(batch.column("topic0"), wanted))
