"""A batch of logs as bytes: of a page of the tail (Arrow's stream format), of a sealed file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import schema
from monitor.ledger.store.disk import REMEDY

if TYPE_CHECKING:
    import pyarrow as pa

COMPRESSION = "zstd"
LOGS_A_GROUP = 25_000
"""Rows of a row group: what is read at once."""
WORDS_MAX = 200


def page_bytes(batch: pa.RecordBatch) -> bytes:
    """A page of the tail."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=COMPRESSION)
    with pa.ipc.new_stream(sink, schema(), options=options) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def read_page(body: bytes) -> pa.RecordBatch:
    """The batch of a page, whose bytes are known to be those that were written."""
    import pyarrow as pa

    with pa.ipc.open_stream(body) as reader:
        return reader.read_next_batch()


def file_bytes(batches: list[pa.RecordBatch]) -> bytes:
    """A sealed file, whole: a hundred thousand logs are a few megabytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    table = pa.Table.from_batches(batches, schema())
    pq.write_table(table, sink, compression=COMPRESSION, row_group_size=LOGS_A_GROUP)
    return bytes(sink.getvalue())


def read_file(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a sealed file, in order. Raises BrokenStore, naming the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(schema(), check_metadata=False):
                message = f"{path} does not hold logs: {REMEDY}"
                raise BrokenStore(message)
            for batch in file.iter_batches(batch_size=LOGS_A_GROUP):
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema())
    except (pa.ArrowException, OSError) as error:
        words = " ".join(str(error).split())[:WORDS_MAX]
        message = f"{path} is damaged or gone ({words}): {REMEDY}"
        raise BrokenStore(message) from error
