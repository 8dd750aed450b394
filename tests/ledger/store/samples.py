"""Logs made of arithmetic: as many as one likes, and the same bytes every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.ledger.logs import merged, no_logs, schema
from monitor.ledger.store import Identity, Store
from monitor.model import Address, Hash32

if TYPE_CHECKING:
    import pyarrow as pa

HUB = Address("0x" + "ab" * 20)
IDENTITY = Identity(1, "poco-v1", HUB)


def hash_of(block: int, fork: str = "") -> bytes:
    """The hash of a block of one of the chains."""
    return hashlib.sha256(f"{fork} {block}".encode()).digest()


def named(block: int, fork: str = "") -> Hash32:
    """The same, as text."""
    return Hash32("0x" + hash_of(block, fork).hex())


def logs_of(blocks: Iterable[int], a_block: int = 1, fork: str = "") -> pa.RecordBatch:
    """So many logs in each of these blocks, of one topic up to four, of none up to 64 bytes."""
    import pyarrow as pa

    rows = [
        {
            "block": block,
            "log_index": index,
            "block_hash": hash_of(block, fork),
            "transaction": hashlib.sha256(f"{fork}{block}/{index}".encode()).digest(),
            "address": bytes([index % 251]) * 20,
            "topic0": bytes([index % 7]) * 32,
            "topic1": bytes([block % 5]) * 32 if index % 3 else None,
            "data": bytes([block % 256]) * (index % 65),
        }
        for block in blocks
        for index in range(a_block)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=schema())


def opened(folder: Path, logs_a_file: int = 10) -> Store:
    """The store in a folder, which seals files of so many logs."""
    return Store.open(folder, IDENTITY, logs_a_file=logs_a_file)


def fill(store: Store, *pages: tuple[int, int], a_block: int = 1, fork: str = "") -> None:
    """Add pages of these ranges, with logs in every block."""
    for first, last in pages:
        logs = logs_of(range(first, last + 1), a_block, fork)
        store.add(logs, first=first, last=last, last_hash=named(last, fork))


def held(store: Store, first: int | None = None, last: int | None = None) -> pa.RecordBatch:
    """Everything that a store gives."""
    return merged(list(store.batches(first, last)))


def same(batch: pa.RecordBatch, expected: pa.RecordBatch) -> bool:
    """Whether two batches hold the same logs in the same order."""
    return bool(batch.equals(expected))


def nothing() -> pa.RecordBatch:
    """No logs."""
    return no_logs()


def files_of(folder: Path) -> Sequence[str]:
    """The names of the sealed files that lie there."""
    return sorted(path.name for path in (folder / "events").iterdir())
