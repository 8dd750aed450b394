"""The predicted ledger handed out: as a report that compares nothing, and movement by movement.

Movements are a file of rows, CSV or Parquet by its name: every change of every account's free
stake, locked stake and score, with the log at which it took effect and why. Summed up by account
and field they are the ledger.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from monitor.ledger.job import Job, Tell
from monitor.ledger.reconcile import KNOWN
from monitor.ledger.remedies import BAD_LOGS, unseen
from monitor.ledger.report import Report, report_of
from monitor.ledger.sync import opened, silent, stored, sync
from monitor.ledger.v1.ledger import Course, Reading, known_of
from monitor.poco.v1.movement import Movement

if TYPE_CHECKING:
    import pyarrow as pa

Write: TypeAlias = Callable[[Movement], None]
COLUMNS = Movement._fields
CSV, PARQUET = ".csv", ".parquet"
SUFFIXES = (CSV, PARQUET)
ROWS_A_GROUP = 50_000
AMOUNT_DIGITS = 38
"""Of a delta in Parquet: more than any amount of RLC has."""
UNFINISHED = ".new"


async def export(job: Job, tell: Tell = silent, movements: Path | None = None) -> Report:
    """`headwatch ledger export`: the verdict is inconclusive, since nothing is compared.

    Raises CouldNotSee, NotAHub, BrokenStore; OSError where the file cannot be written, of which
    there is nothing then.
    """
    async with opened(job, tell) as ground:
        with stored(job, ground) as store:
            await sync(ground, store, tell)
            known = known_of(store.facts(KNOWN))
            reading = Reading(ground.node, ground.contracts, ground.at)
            with written(movements) as write:
                course = Course(reading, known, watch=write, tell=tell)
                predicted = await course.follow(store.batches(last=ground.at.number))
    return report_of(
        predicted.state,
        (),
        chain_id=ground.chain_id,
        block=ground.at,
        verdict="inconclusive",
    )


@contextmanager
def written(path: Path | None) -> Iterator[Write | None]:
    """What takes movements into a file, which is there once the block has ended well.

    None where no file is named. Raises OSError, and ValueError for a name that ends in none of
    `SUFFIXES`.
    """
    if path is None:
        yield None
        return
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        message = f"expected a name that ends in {' or '.join(SUFFIXES)}"
        raise ValueError(message)
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with (_csv if suffix == CSV else _parquet)(unfinished) as write:
            yield write
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        yield writer.writerow


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    import pyarrow.parquet as pq

    rows: list[Movement] = []
    with pq.ParquetWriter(path, _schema(), compression="zstd") as file:

        def flush() -> None:
            file.write_batch(_batch(rows))
            rows.clear()

        def write(movement: Movement) -> None:
            if abs(movement.delta) >= 10**AMOUNT_DIGITS:
                place = f"log {movement.log_index} of block {movement.block}"
                detail = f"{place} moves {movement.delta} nRLC, more than there can be"
                raise unseen(BAD_LOGS, detail)
            rows.append(movement)
            if len(rows) == ROWS_A_GROUP:
                flush()

        yield write
        flush()


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, place = pa.string(), pa.int64()
    kinds = (place, place, text, text, text, pa.decimal128(AMOUNT_DIGITS, 0), text, text)
    return pa.schema(list(zip(COLUMNS, kinds, strict=True)))


def _batch(rows: list[Movement]) -> pa.RecordBatch:
    import pyarrow as pa

    exact = [row._asdict() | {"delta": Decimal(row.delta)} for row in rows]
    return pa.RecordBatch.from_pylist(exact, schema=_schema())
