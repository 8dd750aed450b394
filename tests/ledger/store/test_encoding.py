"""Batches as bytes and back: the same logs, columns and order."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.logs import merged, no_logs, schema
from monitor.ledger.store.encoding import (
    LOGS_A_GROUP,
    file_bytes,
    page_bytes,
    read_file,
    read_page,
)
from tests.ledger.store.samples import logs_of


def test_page_bytes_come_back_as_they_were() -> None:
    """Whole, a part of a batch, and none at all."""
    logs = logs_of(range(50), 3)
    for batch in (logs, logs.slice(7, 11), no_logs()):
        again = read_page(page_bytes(batch))
        assert again.equals(batch)
        assert again.schema.equals(schema())


def test_page_bytes_of_a_part_hold_that_part_only() -> None:
    """What is next to it in memory is not written along."""
    logs = logs_of(range(500), 3)
    assert len(page_bytes(logs.slice(3, 1))) < len(page_bytes(logs)) // 10


def test_file_bytes_come_back_as_they_were(tmp_path: Path) -> None:
    """Over several row groups, and made of several batches."""
    logs = logs_of(range(LOGS_A_GROUP // 100 + 1), 100)
    path = tmp_path / "file"
    path.write_bytes(file_bytes([logs.slice(0, 30), logs.slice(30)]))
    batches = list(read_file(path))
    assert [batch.num_rows for batch in batches] == [LOGS_A_GROUP, 100]
    assert merged(batches).equals(logs)
    assert all(batch.schema.equals(schema(), check_metadata=True) for batch in batches)


def test_read_file_names_what_is_no_file_of_logs(tmp_path: Path) -> None:
    """Gone, cut, or with other columns: the file is named."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "file"
    with pytest.raises(BrokenStore, match=f"^{path} is damaged or gone"):
        list(read_file(path))
    path.write_bytes(file_bytes([logs_of([1])])[:-3])
    with pytest.raises(BrokenStore, match=f"^{path} is damaged or gone"):
        list(read_file(path))
    pq.write_table(pa.table({"block": [1]}), path)
    with pytest.raises(BrokenStore, match=f"^{path} does not hold logs"):
        list(read_file(path))
