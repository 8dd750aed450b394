"""Logs, facts and replay put together: the ledger at the end of a block, as its rules predict it.

Batch by batch: pools that are announced become known, logs become events, what the events need and
do not carry is read, and then they are replayed. What was read is kept, since it never changes; so
is the state at the end, from which a later replay goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from monitor.ledger.calls import PACE, Pace
from monitor.ledger.job import Step, Tell
from monitor.ledger.plain import PlainError, dump, load
from monitor.ledger.remedies import BAD_LOGS, unseen
from monitor.ledger.v1.discovery import Contracts
from monitor.ledger.v1.emitters import Emitters
from monitor.ledger.v1.reads import Wanted, read_facts
from monitor.model import Address, BlockStamp
from monitor.poco.difference import Difference
from monitor.poco.v1.books import Watch
from monitor.poco.v1.events import (
    AllowWorker,
    CreateWorkerPool,
    Logged,
    MarketOrderCreated,
    WorkOrderActive,
)
from monitor.poco.v1.facts import Facts, MissingFact
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import State
from monitor.rpc.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

RULES_VERSION = 1
"""Raised with every change of the replay's rules or of what it keeps: older states are left."""
Hear = Callable[[Logged], None]
"""Told of every event, after it was replayed."""


@dataclass(slots=True)
class Known:
    """What was read so far, and kept."""

    facts: Facts = field(default_factory=Facts)
    read_to: int = -1
    """The authorisations of all blocks up to this one were looked at."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A ledger at the end of a block, to go on from."""

    rules: int
    state: State
    differences: tuple[Difference, ...]
    """What the replay found so far."""
    events: int


class Reading(NamedTuple):
    """Who is asked what no event carries, and at which block; any block after the events does."""

    node: Node
    contracts: Contracts
    at: BlockStamp
    pace: Pace = PACE


class Predicted(NamedTuple):
    """The ledger that follows from the events and the rules."""

    state: State
    differences: tuple[Difference, ...]
    """Where the events themselves are not what the rules say."""
    events: int
    """Logs since the first block, those that move nothing included."""


class Course:
    """One replay, from nothing or from a ledger that was kept."""

    def __init__(
        self,
        reading: Reading,
        known: Known,
        kept: Kept | None = None,
        *,
        watch: Watch | None = None,
        hear: Hear | None = None,
        tell: Tell = lambda step: None,
    ) -> None:
        """`watch` is told of every movement, `tell` of how far it has come."""
        state = new_state(reading.contracts.hub) if kept is None else kept.state
        self._reading = reading
        self._known = known
        self._emitters = Emitters(reading.contracts)
        self._emitters.learn(state.pools)
        self._replay = Replay(state, known.facts, watch)
        if kept is not None:
            self._replay.differences.extend(kept.differences)
        self._events = 0 if kept is None else kept.events
        self._orders: int | None = None
        self._hear = hear
        self._tell = tell

    async def follow(self, batches: Iterable[pa.RecordBatch]) -> Predicted:
        """Replay all of them, up to the end of the block that is read at.

        Raises CouldNotSee, and then `known` is as good as before.
        """
        for batch in batches:
            await self._batch(batch)
        self._known.read_to = max(self._known.read_to, self._reading.at.number)
        self._replay.finish()
        return Predicted(self._replay.state, tuple(self._replay.differences), self._events)

    async def _batch(self, batch: pa.RecordBatch) -> None:
        self._emitters.learn_of(batch)
        events = list(self._emitters.logged(batch))
        await self._read(events)
        for logged in events:
            try:
                self._replay.apply(logged)
            except MissingFact as error:
                # All that its event names was read: the event that names this one is not here.
                detail = f"log {logged.log_index} of block {logged.block}: {error}"
                raise unseen(BAD_LOGS, detail) from None
            if self._hear is not None:
                self._hear(logged)
        self._events += batch.num_rows
        self._tell(Step("replaying the rules", self._events, 0, "events"))

    async def _read(self, events: Iterable[Logged]) -> None:
        """Read what these events need."""
        pools, works, pairs, has_orders = _needed(events, self._known)
        if not (pools or works or pairs or has_orders):
            return
        node, contracts, at, pace = self._reading
        facts = self._known.facts
        count = self._orders if has_orders else 0
        wanted = Wanted(count, pools, works, pairs)
        there = await read_facts(
            node, contracts, wanted, facts, at, pace=pace, progress=self._told_of_calls
        )
        if has_orders:
            self._orders = there

    def _told_of_calls(self, done: int, total: int) -> None:
        self._tell(Step("reading what no event says", done, total, "calls"))


def _needed(
    events: Iterable[Logged], known: Known
) -> tuple[list[Address], list[Address], list[tuple[Address, Address, Address]], bool]:
    """Pools, work orders and new authorisations; whether market orders are made."""
    pools, works, pairs, has_orders = [], [], [], False
    for block, _, _, event in events:
        match event:
            case CreateWorkerPool(_, pool):
                pools.append(pool)
            case WorkOrderActive(_, woid):
                works.append(woid)
            case AllowWorker(pool, woid, worker) if block > known.read_to:
                pairs.append((pool, woid, worker))
            case MarketOrderCreated():
                has_orders = True
            case _:
                pass
    return pools, works, pairs, has_orders


# -- what is kept --------------------------------------------------------------------------------


def known_json(known: Known) -> bytes:
    """What was read, to be kept."""
    return dump(Known, known)


def known_of(raw: bytes | None) -> Known:
    """What was kept; nothing where there is nothing, or where another version wrote it."""
    try:
        return Known() if raw is None else load(Known, raw)
    except PlainError:
        return Known()


def kept_json(predicted: Predicted) -> bytes:
    """A ledger, to go on from."""
    return dump(Kept, Kept(RULES_VERSION, *predicted))


def kept_of(raw: bytes) -> Kept | None:
    """A ledger to go on from; None where another version wrote it."""
    try:
        kept = load(Kept, raw)
    except PlainError:
        return None
    return kept if kept.rules == RULES_VERSION else None
