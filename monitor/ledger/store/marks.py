"""The heights whose hash is known from logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.ledger.columns import fixed
from monitor.ledger.store.words import Mark
from monitor.model import Hash32

if TYPE_CHECKING:
    import pyarrow as pa


def marks_of(batch: pa.RecordBatch, end: Mark) -> list[Mark]:
    """The end of a page, and the blocks of its logs below that, newest first."""
    import numpy as np

    blocks, hashes = batch.column(0).to_numpy(), fixed(batch, "block_hash")
    known, at = np.unique(blocks, return_index=True)
    marks = [
        Mark(int(block), Hash32("0x" + hashes[row].tobytes().hex()))
        for block, row in zip(known, at, strict=True)
        if block < end.block
    ]
    return [end, *reversed(marks)]
