"""The ledger handed out: rows that add up to it, in files that are whole or not there."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.tally import Summary
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.exporting import AMOUNT_DIGITS, COLUMNS, export, written
from monitor.ledger.reconcile import reconcile
from monitor.ledger.remedies import BAD_LOGS
from monitor.ledger.report import Report
from monitor.model import Address, Hash32
from monitor.poco.v1.movement import Movement
from tests.ledger.drops import job_of, lab_of

Played = tuple[Deployment, Summary]
MOVED = Movement(
    *(7, 1, Hash32("0x" + "ab" * 32), Address("0x" + "11" * 20)),
    *("stake", -(2**70), "deposit", None),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of() as lab:
        yield lab.deployment, await lab.workerdrop(workers=8, orders=4)


def summed(rows: list[dict[str, str]]) -> Counter[tuple[str, str]]:
    """(account, field) -> the sum of its changes."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in rows:
        sums[row["account"], row["field"]] += int(row["delta"])
    return Counter({key: value for key, value in sums.items() if value})


def ledger_of(report: Report) -> Counter[tuple[str, str]]:
    """The same of a report."""
    sums: Counter[tuple[str, str]] = Counter()
    for account, balance in report.accounts.items():
        sums[account, "stake"] = balance.stake
        sums[account, "locked"] = balance.locked
    sums.update({(account, "score"): score for account, score in report.scores.items()})
    return Counter({key: value for key, value in sums.items() if value})


def names(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parquet_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a Parquet file, as texts."""
    import pyarrow.parquet as pq

    rows = pq.read_table(path).to_pylist()
    return [{name: "" if row[name] is None else str(row[name]) for name in row} for row in rows]


async def test_export_of_movements_adds_up_to_the_ledger(played: Played, tmp_path: Path) -> None:
    """Every change of every account in both kinds of file; summed up they are the chain's."""
    deployment, _ = played
    reconciled = await reconcile(job_of(deployment))
    one, other = tmp_path / "moved.csv", tmp_path / "moved.PARQUET"
    report = await export(job_of(deployment), movements=one)
    await export(job_of(deployment), movements=other)
    rows = csv_rows(one)
    assert list(rows[0]) == list(COLUMNS)
    assert rows == parquet_rows(other)
    assert summed(rows) == ledger_of(reconciled)
    assert report.verdict == "inconclusive"
    assert (report.accounts, report.scores) == (reconciled.accounts, reconciled.scores)
    assert names(tmp_path) == ["moved.PARQUET", "moved.csv"]


async def test_export_without_a_file_is_the_report_alone(played: Played, tmp_path: Path) -> None:
    """From what a reconciliation kept, or from nothing: the same."""
    deployment, _ = played
    await reconcile(job_of(deployment, folder=tmp_path))
    assert await export(job_of(deployment, folder=tmp_path)) == await export(job_of(deployment))


async def test_export_into_a_folder_that_is_gone_leaves_nothing(
    played: Played, tmp_path: Path
) -> None:
    """The system's reason, and no half of a file."""
    deployment, _ = played
    with pytest.raises(FileNotFoundError):
        await export(job_of(deployment), movements=tmp_path / "gone" / "moved.csv")
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["moved.csv", "moved.parquet"])
def test_written_that_breaks_off_keeps_the_former_file(tmp_path: Path, name: str) -> None:
    """What was there stays until the new one is whole."""
    path = tmp_path / name
    path.write_text("before")

    def broken_off() -> None:
        with written(path) as write:
            assert write is not None
            write(MOVED)
            message = "the node is gone"
            raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="the node is gone"):
        broken_off()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_written_amounts_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    """Whatever a contract says it moved, to the last nRLC."""
    import pyarrow.parquet as pq

    one, other = tmp_path / "moved.csv", tmp_path / "moved.parquet"
    for path in (one, other):
        with written(path) as write:
            assert write is not None
            write(MOVED)
    assert csv_rows(one)[0]["delta"] == str(-(2**70))
    assert pq.read_table(other).to_pylist()[0]["delta"] == Decimal(-(2**70))


@pytest.mark.parametrize("sign", [1, -1])
def test_written_amounts_that_no_column_holds_are_no_error_of_ours(
    tmp_path: Path, sign: int
) -> None:
    """A node may tell of a deposit of 2^256 nRLC: it is not believed, and no file is left."""
    path, most = tmp_path / "moved.parquet", 10**AMOUNT_DIGITS - 1

    def write_moved(delta: int) -> None:
        with written(path) as write:
            assert write is not None
            write(MOVED._replace(delta=sign * delta))

    with pytest.raises(CouldNotSee, match="log 1 of block 7 moves") as caught:
        write_moved(most + 1)
    assert caught.value.reason == BAD_LOGS
    assert names(tmp_path) == []
    write_moved(most)
    assert parquet_rows(path)[0]["delta"] == str(sign * most)


@pytest.mark.parametrize("name", ["moved", "moved.txt", "csv"])
def test_written_under_another_name_is_refused(tmp_path: Path, name: str) -> None:
    """The name says what kind of file it is."""
    with pytest.raises(ValueError, match=r"\.csv or \.parquet"), written(tmp_path / name):
        pytest.fail("it was opened")


def test_written_nowhere_takes_nothing() -> None:
    """Without a file there is nothing to write to."""
    with written(None) as write:
        assert write is None
