"""Logs of a range of blocks, however little of it a node gives at once.

Nobody says beforehand how many blocks, logs, bytes or seconds he allows: a request that was too
wide is made again narrower, and what passes is widened again, up to what was last refused. What is
asked for too soon is asked for later. Every answer is read by `logs.read_logs`, which believes
nothing; an answer that is just as long as limits are is not believed to be whole either.

Only blocks that the node has may be asked for: many answer of others with silence, and no error.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from monitor.ledger.errors import CouldNotSee
from monitor.ledger.logs import Asked, BadLogs, merged, no_logs, read_logs
from monitor.ledger.ranges import NARROWED, Meaning, Refusal, refusal_of
from monitor.ledger.remedies import unseen
from monitor.model import Address
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

Positions: TypeAlias = tuple[Sequence[bytes] | None, ...]
"""What topic0, topic1 and topic2 may be; None: anything."""
METHOD = "eth_getLogs"
CUT_AT_MULTIPLES_OF = 100
"""Some cut their answers at 100, 500, 1,000 or 10,000 logs and do not say so (ethers.js issue 1389,
conflux-rust 2.0.1): so many logs and no more are asked for once more, in two halves."""


class Page(NamedTuple):
    """All logs from one block to another, both included."""

    first: int
    last: int
    logs: pa.RecordBatch


@dataclass(frozen=True, slots=True)
class Reach:
    """How much is asked for at once, and how often again."""

    blocks: int = 2_000
    """To begin with."""
    blocks_max: int = 1_000_000
    addresses_max: int = 200
    """Of one request; geth allows 1,000 (`--rpc.logquerylimit`)."""
    logs_wanted: int = 10_000
    """Of one page: fewer blocks are asked for where there are more logs."""
    calm_pages: int = 32
    """After so many that were not refused, what was refused once is tried again."""
    pauses_seconds: tuple[float, ...] = (0.5, 2.0, 8.0)
    """Before each further attempt where an answer failed, was bad, or of a block it lacks."""
    throttled_seconds: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0)
    """Before each further attempt where it was asked for too soon; longer where it says so."""


class _Raw:
    """Hands the JSON of a result on as it is: megabytes, and no copy of them."""

    def decode(self, raw: msgspec.Raw, /) -> msgspec.Raw:
        return raw


_RAW = _Raw()


class _TooWideError(Exception):
    """A request that may pass with fewer blocks."""

    def __init__(self, refusal: Refusal, words: str) -> None:
        super().__init__(words)
        self.refusal = refusal


class _MaybeCutError(Exception):
    """An answer of as many logs as limits are."""


class Fetcher:
    """Asks one node for logs, and remembers how much of them it gives at once."""

    def __init__(
        self,
        node: Node,
        reach: Reach | None = None,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.node = node
        self.reach = reach or Reach()
        self.blocks = self.reach.blocks
        """Asked for at once."""
        self._sleep = sleep
        self._addresses_max = self.reach.addresses_max
        self._ceiling = self.reach.blocks_max
        self._refused: int | None = None
        """The narrowest range that was refused of late."""
        self._passed = 0
        """The widest that was not, since then."""
        self._calm_pages = 0

    async def page(
        self,
        addresses: Sequence[Address],
        topics: Sequence[bytes] | None,
        first: int,
        last: int,
        *,
        topic1: Sequence[bytes] | None = None,
        topic2: Sequence[bytes] | None = None,
    ) -> Page:
        """The logs of these contracts from `first` up to `last`, or to a block before it.

        `topics` are what topic0 may be, `topic1` and `topic2` what the first and the second indexed
        argument may be; None: anything. Nothing is asked for where there are no addresses, which a
        node would read as all of them. Raises CouldNotSee, naming the blocks and what the node
        said.
        """
        if last < first:
            message = f"blocks {first} to {last} are none"
            raise ValueError(message)
        if not addresses:
            return Page(first, last, no_logs())
        positions = _positions(topics, topic1, topic2)
        blocks = self.blocks
        while True:
            end = min(last, first + blocks - 1)
            try:
                logs = await self._all_addresses(addresses, positions, first, end)
            except _TooWideError as error:
                if end == first:
                    raise self._refused_alone(first, error) from None
                blocks = self._narrow(end - first + 1, error.refusal)
                continue
            except _MaybeCutError:
                blocks = (end - first + 1) // 2
                continue
            if blocks == self.blocks and end - first + 1 == blocks:
                self._widen(logs.num_rows)
            return Page(first, end, logs)

    async def pages(
        self,
        addresses: Sequence[Address],
        topics: Sequence[bytes] | None,
        first: int,
        last: int,
        *,
        topic1: Sequence[bytes] | None = None,
        topic2: Sequence[bytes] | None = None,
    ) -> AsyncIterator[Page]:
        """Page after page, up to `last`. Raises as `page` does."""
        while first <= last:
            page = await self.page(addresses, topics, first, last, topic1=topic1, topic2=topic2)
            yield page
            first = page.last + 1

    async def all(
        self,
        addresses: Sequence[Address],
        topics: Sequence[bytes] | None,
        first: int,
        last: int,
        *,
        topic1: Sequence[bytes] | None = None,
        topic2: Sequence[bytes] | None = None,
    ) -> pa.RecordBatch:
        """All logs from `first` to `last` as one batch. Raises as `page` does."""
        pages = self.pages(addresses, topics, first, last, topic1=topic1, topic2=topic2)
        return merged([page.logs async for page in pages])

    async def _all_addresses(
        self,
        addresses: Sequence[Address],
        positions: Positions,
        first: int,
        last: int,
    ) -> pa.RecordBatch:
        batches = []
        start = 0
        while start < len(addresses):
            some = addresses[start : start + self._addresses_max]
            try:
                batch = await self._patiently(some, positions, first, last)
            except _TooWideError as error:
                if error.refusal.meaning != Meaning.TOO_MANY_ADDRESSES:
                    raise
                if len(some) == 1:
                    raise unseen(error.refusal.meaning, str(error)) from None
                self._addresses_max = len(some) // 2
                continue
            if last > first and batch.num_rows and not batch.num_rows % CUT_AT_MULTIPLES_OF:
                raise _MaybeCutError
            batches.append(batch)
            start += len(some)
        return merged(batches)

    async def _patiently(
        self,
        addresses: Sequence[Address],
        positions: Positions,
        first: int,
        last: int,
    ) -> pa.RecordBatch:
        """One answer, asked for again where that helps. Raises _TooWideError, CouldNotSee."""
        filtered = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": list(addresses),
            **_topics(positions),
        }
        asked = Asked(
            frozenset(Address(each.lower()) for each in addresses),
            first,
            last,
            *(None if each is None else frozenset(each) for each in positions),
        )
        attempts: Counter[Meaning | None] = Counter()
        while True:
            refusal = None
            try:
                raw = await self.node.ask(METHOD, [filtered], _RAW)
                return read_logs(raw, asked)
            except RpcError as error:
                refusal = refusal_of(error)
                told = f"{self.node.label}: blocks {first} to {last}: {error}"
            except BadLogs as error:
                told = f"{self.node.label}: blocks {first} to {last}: {error.detail}"
            meaning = None if refusal is None else refusal.meaning
            pauses = self._pauses(meaning, is_one=first == last)
            attempts[meaning] += 1
            if attempts[meaning] <= len(pauses):
                silence = 0.0 if refusal is None else refusal.silence_seconds
                await self._sleep(max(pauses[attempts[meaning] - 1], silence))
            elif refusal is None:
                raise BadLogs(told)
            elif refusal.meaning in NARROWED or meaning == Meaning.TOO_MANY_ADDRESSES:
                raise _TooWideError(refusal, told)
            else:
                raise unseen(refusal.meaning, told)

    def _pauses(self, meaning: Meaning | None, *, is_one: bool) -> tuple[float, ...]:
        """Seconds before each further attempt at the same request; None: at bad logs."""
        pauses = self.reach.pauses_seconds
        match meaning:
            case None | Meaning.BEHIND | Meaning.UNREACHABLE:
                return pauses
            case Meaning.THROTTLED:
                return self.reach.throttled_seconds
            case Meaning.BROKEN:
                return pauses if is_one else pauses[:1]
            case Meaning.TOO_WIDE if is_one:
                # It cannot be narrower: what took too long this time may not the next.
                return pauses
            case _:
                return ()

    def _narrow(self, width: int, refusal: Refusal) -> int:
        """Remember that so many blocks were too many; how many are asked for now."""
        told = refusal.blocks
        if told is not None and refusal.is_limit:
            self._ceiling = max(1, min(self._ceiling, told))
        self._refused = width if self._refused is None else min(self._refused, width)
        self._calm_pages = 0
        if told is not None and told < width:
            blocks = told
        elif self._passed < width and self._passed:
            # It passed elsewhere. Once: where it does not pass here it is forgotten.
            blocks = self._passed
        else:
            blocks = max(1, width // 2)
        self._passed = 0
        self.blocks = min(blocks, self._ceiling)
        return self.blocks

    def _widen(self, logs: int) -> None:
        """After a page that was not refused: what the next one asks for."""
        blocks, reach = self.blocks, self.reach
        self._passed = max(self._passed, blocks)
        self._calm_pages += 1
        if self._calm_pages >= reach.calm_pages:
            self._refused = None
        if logs > reach.logs_wanted:
            self.blocks = max(1, blocks * reach.logs_wanted // logs)
            return
        wider = min(2 * blocks, self._ceiling)
        if logs:
            wider = min(wider, max(blocks, blocks * reach.logs_wanted // logs))
        if self._refused is not None:
            # Halfway to what was refused, and no further once that is hardly worth a refusal.
            halfway = (blocks + self._refused) // 2
            wider = min(wider, halfway if self._refused - blocks > blocks // 8 else blocks)
        self.blocks = max(wider, min(blocks, self._ceiling))

    def _refused_alone(self, number: int, error: _TooWideError) -> CouldNotSee:
        detail = f"block {number} alone is refused: {error}"
        return unseen(error.refusal.meaning, detail)


def _positions(*positions: Sequence[bytes] | None) -> Positions:
    """Raises ValueError for a position at which no topic would do."""
    if any(each is not None and not each for each in positions):
        message = "no topic is asked for: a node would read that as any"
        raise ValueError(message)
    return positions


def _topics(positions: Positions) -> dict[str, list[list[str] | None]]:
    """The filter's topics by position, where there are any; null stands for anything."""
    listed = [None if each is None else ["0x" + one.hex() for one in each] for each in positions]
    while listed and listed[-1] is None:
        listed.pop()
    return {"topics": listed} if listed else {}
