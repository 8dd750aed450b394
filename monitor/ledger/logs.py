"""Logs as columns: the answer to `eth_getLogs` in, one sorted and checked Arrow batch out.

A log is never a Python object here but while its JSON is read; hex is turned into bytes a column
at a time. Nothing is believed: a batch holds what was asked for, each log once, in the order of
the chain, of one block hash at each height. `rows` is the only path that goes log by log.

Sources: execution-apis, `eth_getLogs` and the schema `Log`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from monitor.ledger.columns import (
    bytes_column,
    bytes_values,
    fixed,
    fixed_column,
    fixed_values,
    topic_column,
    unhex,
    unhex_any,
)
from monitor.ledger.errors import CouldNotSee
from monitor.model import Address

if TYPE_CHECKING:
    import pyarrow as pa

    from monitor.ledger.columns import Bytes, Ints

TOPICS_MAX = 4
"""LOG0 to LOG4 (yellow paper, H.2)."""
HASH_BYTES, ADDRESS_BYTES = 32, 20
BLOCK_END, INDEX_END = 2**63, 2**31
"""The columns are signed: heights of 64 bits, indices of 32."""
ROWS_AT_ONCE = 8192
QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")


class BadLogs(CouldNotSee):
    """Logs that cannot be believed; the text says which, where, and what is wrong with it."""

    def __init__(self, detail: str) -> None:
        super().__init__("bad_logs", detail)


class Log(NamedTuple):
    """One log, for whoever needs them one by one."""

    block: int
    log_index: int
    """Its place among the logs of its block."""
    transaction: bytes
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


class Lists(NamedTuple):
    """Some logs, a list for each field of theirs."""

    block: list[int]
    log_index: list[int]
    transaction: list[bytes]
    address: list[bytes]
    topics: list[tuple[bytes, ...]]
    data: list[bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asked for, and its answer is held to."""

    addresses: frozenset[Address]
    first: int
    last: int
    """Both heights are included."""
    topics: frozenset[bytes] | None = None
    """What topic0 may be; None: anything."""
    topic1: frozenset[bytes] | None = None
    """What the first indexed argument may be."""
    topic2: frozenset[bytes] | None = None
    """And the second."""


class RawLog(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The fields of a log object that are needed (execution-apis, `Log`).

    A pending log has null for its place; which of the logs it is, is said by whoever finds it.
    In the order in which geth writes them, which is the one that is read fastest.
    """

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: str | None = None
    transaction_hash: str | None = None
    block_hash: str | None = None
    log_index: str | None = None
    removed: bool | None = None
    """True of what a reorg took back; that is for filters, and no answer to `eth_getLogs`."""


_logs: msgspec.json.Decoder[list[RawLog]] = msgspec.json.Decoder(list[RawLog])


@cache
def schema() -> pa.Schema:
    """The columns of a batch of logs; topic0 to topic3 are null where a log has fewer."""
    import pyarrow as pa

    hash32, address = pa.binary(HASH_BYTES), pa.binary(ADDRESS_BYTES)
    return pa.schema(
        [
            pa.field("block", pa.int64(), nullable=False),
            pa.field("log_index", pa.int32(), nullable=False),
            pa.field("block_hash", hash32, nullable=False),
            pa.field("transaction", hash32, nullable=False),
            pa.field("address", address, nullable=False),
            *(pa.field(f"topic{number}", hash32) for number in range(TOPICS_MAX)),
            pa.field("data", pa.binary(), nullable=False),
        ]
    )


def no_logs() -> pa.RecordBatch:
    """A batch of none."""
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=schema())


def read_logs(raw: bytes, asked: Asked) -> pa.RecordBatch:
    """The JSON of a result as a batch in the order of the chain.

    Out of order is sorted, exact duplicates are dropped. Raises BadLogs for whatever else is not
    as it must be: no list, a field that is missing or no hex of its length, an address, topic or
    height that was not asked for, a log that a reorg removed, two logs at one place, two block
    hashes at one height.
    """
    try:
        logs = _logs.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        message = f"not a list of logs: {error}"
        raise BadLogs(message) from None
    if not logs:
        return no_logs()
    if True in {log.removed for log in logs}:
        raise _blame(logs, lambda log: log.removed is True, "was removed by a reorg")
    return ordered(_batch(logs, asked))


def rows(batch: pa.RecordBatch) -> Iterator[Log]:
    """The logs of a batch, one by one."""
    for lists in listed(batch):
        yield from map(Log, *lists)


def listed(batch: pa.RecordBatch) -> Iterator[Lists]:
    """The same, some thousands at once."""
    for start in range(0, batch.num_rows, ROWS_AT_ONCE):
        some = batch.slice(start, ROWS_AT_ONCE)
        block, index = (some.column(number).to_numpy().tolist() for number in (0, 1))
        transaction, address = (
            fixed_values(fixed(some, name)) for name in ("transaction", "address")
        )
        data = bytes_values(some.column(some.num_columns - 1))
        yield Lists(block, index, transaction, address, _dealt(some), data)


def _dealt(batch: pa.RecordBatch) -> list[tuple[bytes, ...]]:
    """The topics of each log: those of its columns up to the first that is null."""
    import numpy as np

    names = [f"topic{number}" for number in range(TOPICS_MAX)]
    there = [batch.column(name).is_valid().to_numpy(zero_copy_only=False) for name in names]
    counts = np.logical_and.accumulate(there).sum(axis=0).tolist()
    fours = zip(*(fixed_values(fixed(batch, name)) for name in names), strict=True)
    return [four[:count] for four, count in zip(fours, counts, strict=True)]


def merged(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Several batches as one, in the order of the chain. Raises BadLogs as `ordered` does."""
    import pyarrow as pa

    filled = [batch for batch in batches if batch.num_rows]
    if not filled:
        return no_logs()
    return filled[0] if len(filled) == 1 else ordered(pa.concat_batches(filled))


def between(batch: pa.RecordBatch, first: int, last: int) -> pa.RecordBatch:
    """The logs of a sorted batch from one height to another, both included."""
    blocks = batch.column(0).to_numpy()
    start = int(blocks.searchsorted(first, "left"))
    return batch.slice(start, max(0, int(blocks.searchsorted(last, "right")) - start))


def ordered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch in the order of the chain, each log once.

    Raises BadLogs for two different logs at one place, and two block hashes at one height.
    """
    import numpy as np

    if batch.num_rows <= 1:
        return batch
    blocks, indices = batch.column(0).to_numpy(), batch.column(1).to_numpy()
    steps, index_steps = np.diff(blocks), np.diff(indices)
    if not ((steps > 0) | ((steps == 0) & (index_steps > 0))).all():
        order = np.lexsort((indices, blocks))
        batch = _without_duplicates(batch.take(order))
    hashes, blocks = fixed(batch, "block_hash"), batch.column(0).to_numpy()
    parted = (np.diff(blocks) == 0) & (hashes[1:] != hashes[:-1]).any(axis=1)
    if parted.any():
        at = int(parted.argmax())
        message = (
            f"two hashes of block {blocks[at]}: 0x{hashes[at].tobytes().hex()}"
            f" and 0x{hashes[at + 1].tobytes().hex()}"
        )
        raise BadLogs(message)
    return batch


def _without_duplicates(batch: pa.RecordBatch) -> pa.RecordBatch:
    """What a sorted batch holds, once. Raises BadLogs for two different logs at one place."""
    import numpy as np

    blocks, indices = batch.column(0).to_numpy(), batch.column(1).to_numpy()
    again = np.flatnonzero((np.diff(blocks) == 0) & (np.diff(indices) == 0))
    if not again.size:
        return batch
    earlier, later = batch.take(again), batch.take(again + 1)
    if not earlier.equals(later):
        at = next(n for n in range(again.size) if not earlier.slice(n, 1).equals(later.slice(n, 1)))
        place = again[at]
        message = f"two different logs at block {blocks[place]}, index {indices[place]}"
        raise BadLogs(message)
    kept = np.ones(batch.num_rows, np.bool_)
    kept[again + 1] = False
    return batch.filter(kept)


def _batch(logs: list[RawLog], asked: Asked) -> pa.RecordBatch:
    """The columns as they came; each value checked, their order not yet."""
    import numpy as np
    import pyarrow as pa

    blocks = _quantities(logs, "block_number", BLOCK_END)
    outside = (blocks < asked.first) | (blocks > asked.last)
    if outside.any():
        at = int(outside.argmax())
        message = f"log {at} of {len(logs)} is of block {blocks[at]}, asked for {_range(asked)}"
        raise BadLogs(message)
    topics, counts = _topics(logs)
    for position, allowed in enumerate((asked.topics, asked.topic1, asked.topic2)):
        if allowed is not None:
            _check_topics(topics, counts, position, allowed)
    columns = [
        pa.array(blocks),
        pa.array(_quantities(logs, "log_index", INDEX_END).astype(np.int32)),
        fixed_column(_matrix(logs, "block_hash", HASH_BYTES)),
        fixed_column(_matrix(logs, "transaction_hash", HASH_BYTES)),
        fixed_column(_addresses(logs, asked)),
        *(topic_column(topics, counts, number) for number in range(TOPICS_MAX)),
        _data(logs),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema())


def _range(asked: Asked) -> str:
    return f"{asked.first} to {asked.last}"


def _quantities(logs: list[RawLog], field: str, end: int) -> Ints:
    """A column of numbers; each text that occurs is read once."""
    import numpy as np

    texts = list(map(attrgetter(field), logs))
    table: dict[str, int] = {}
    for text in set(texts):
        value = int(text, 16) if text is not None and QUANTITY.fullmatch(text) else end
        if value >= end:
            expected = f"has no {field} that is a number below {end}"
            raise _blame(logs, lambda log, bad=text: getattr(log, field) == bad, expected)
        table[text] = value
    return np.fromiter(map(table.__getitem__, texts), np.int64, len(texts))


def _addresses(logs: list[RawLog], asked: Asked) -> Bytes:
    """The column of emitters, of which there are few: each text that occurs is looked up once."""
    import numpy as np

    texts = [log.address for log in logs]
    known = list(dict.fromkeys(texts))
    for text in known:
        if text.lower() not in asked.addresses:
            raise _blame(
                logs, lambda log, bad=text: log.address == bad, "is of an address not asked for"
            )
    table = np.frombuffer(bytes.fromhex("".join(text[2:] for text in known)), np.uint8)
    numbers = {text: number for number, text in enumerate(known)}
    which = np.fromiter(map(numbers.__getitem__, texts), np.int64, len(texts))
    return table.reshape(len(known), ADDRESS_BYTES)[which]


def _matrix(logs: list[RawLog], field: str, size: int) -> Bytes:
    """A column of hex of one width."""
    texts = list(map(attrgetter(field), logs))
    found = None if None in texts else unhex(texts, size)
    if found is None:
        expected = f"has no {field} of {size} bytes of hex"
        raise _blame(logs, lambda log: not _is_hex(getattr(log, field), size), expected)
    return found


def _topics(logs: list[RawLog]) -> tuple[Bytes, Ints]:
    """The topics of all logs in a row, and how many each log has."""
    import numpy as np

    each = [log.topics for log in logs]
    counts = np.fromiter(map(len, each), np.int64, len(logs))
    if counts.max() > TOPICS_MAX:
        expected = f"has more than {TOPICS_MAX} topics"
        raise _blame(logs, lambda log: len(log.topics) > TOPICS_MAX, expected)
    found = unhex(list(chain.from_iterable(each)), HASH_BYTES)
    if found is None:
        raise _blame(
            logs,
            lambda log: not all(_is_hex(topic, HASH_BYTES) for topic in log.topics),
            f"has a topic that is not {HASH_BYTES} bytes of hex",
        )
    return found, counts


def _check_topics(topics: Bytes, counts: Ints, position: int, allowed: frozenset[bytes]) -> None:
    """Raises BadLogs where a log's topic at a position is none of those asked for."""
    fewer = counts <= position
    if fewer.any():
        message = f"log {int(fewer.argmax())} of {len(counts)} has no topic {position} as asked for"
        raise BadLogs(message)
    each = fixed_values(topics[counts.cumsum() - counts + position])
    if not set(each) <= allowed:
        at = next(number for number, topic in enumerate(each) if topic not in allowed)
        message = f"log {at} of {len(counts)} has a topic {position} that was not asked for"
        raise BadLogs(message)


def _data(logs: list[RawLog]) -> pa.Array:
    found = bytes_column([log.data for log in logs])
    if found is None:
        raise _blame(
            logs, lambda log: unhex_any([log.data]) is None, "has data that is not bytes of hex"
        )
    return found


def _is_hex(text: str | None, size: int) -> bool:
    return text is not None and unhex([text], size) is not None


def _blame(logs: list[RawLog], is_bad: Any, wrong: str) -> BadLogs:  # noqa: ANN401 - a predicate
    """The error that names the first log of which this is true; its place as it was told."""
    at, log = next((n, log) for n, log in enumerate(logs) if is_bad(log))
    place = f"block {_told(log.block_number)}, index {_told(log.log_index)}"
    return BadLogs(f"log {at} of {len(logs)} ({place}) {wrong}")


def _told(quantity: str | None) -> str:
    """A number as it was told, where it is one: a node's words may be of any length."""
    is_number = quantity is not None and QUANTITY.fullmatch(quantity)
    return str(int(quantity, 16)) if is_number and quantity is not None else "unknown"
