"""Whose logs make a ledger: the hub, its marketplace, the pools it announces, RLC sent to it.

Pools are found in the logs themselves (`CreateWorkerPool` of the hub), and a pool has no log before
the one that announces it. The same names, and the same topics, mean nothing from anybody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import compress
from typing import TYPE_CHECKING

from monitor.ledger.fetching import Fetcher, Page
from monitor.ledger.logs import HASH_BYTES, Lists, Log, listed, merged
from monitor.ledger.remedies import BAD_LOGS, unseen
from monitor.ledger.v1.discovery import Contracts
from monitor.model import Address
from monitor.poco.v1.decoding import TOPICS, UndecodableLog, decode, decode_alike, topics_of
from monitor.poco.v1.events import CreateCategory, CreateWorkerPool, Event, Logged, Source

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
        for lists in listed(batch):
            events = self._events(lists)
            if events is None:
                events = [self._event(log) for log in map(Log, *lists)]
            hashes = b"".join(lists.transaction).hex("x", HASH_BYTES).split("x")
            transactions = map("0x".__add__, hashes)
            placed = zip(lists.block, lists.log_index, transactions, events, strict=True)
            # No event is an empty tuple.
            yield from map(_logged, compress(placed, events))

    def _events(self, lists: Lists) -> list[Event | None] | None:
        """The events of these logs, a kind at a time; None where one of them is none of ours."""
        kinds: defaultdict[tuple[bytes, bytes], list[int]] = defaultdict(list)
        for row, (address, topics) in enumerate(zip(lists.address, lists.topics, strict=True)):
            kinds[address, topics[0] if topics else b""].append(row)
        found: list[Event | None] = [None] * len(lists.block)
        for (address, _), rows in kinds.items():
            of = self._sources.get(address)
            if of is None:
                return None
            alike = [lists.topics[row] for row in rows]
            data = [lists.data[row] for row in rows]
            try:
                events = decode_alike(*of, alike, data)
            except UndecodableLog:
                return None
            for row, event in zip(rows, events, strict=True):
                found[row] = event
        return found

    def _event(self, log: Log) -> Event | None:
        source, emitter = self._source(log)
        try:
            return decode(source, emitter, log.topics, log.data)
        except UndecodableLog as error:
            detail = f"log {log.log_index} of block {log.block}, of the {source}: {error}"
            raise unseen(BAD_LOGS, detail) from None

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


_logged: Callable[[Iterable[object]], Logged] = partial(tuple.__new__, Logged)


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
