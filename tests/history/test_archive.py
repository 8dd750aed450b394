"""The file and its threads: trouble of every kind, counted, said once, and over by itself."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import pytest

from monitor.history import reads
from monitor.history.archive import READ_SECONDS, READS_WAITING_MAX, RETRY_SECONDS, Archive
from monitor.history.record import HistoryError, Incident
from monitor.history.schema import VERSION
from monitor.history.store import Batch, Store
from tests.history.samples import Clock, edge

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def opened(path: Path | None, clock: Clock | None = None) -> AsyncIterator[Archive]:
    archive = Archive(path, clock=clock or Clock())
    await archive.open()
    try:
        yield archive
    finally:
        await archive.close()


def add(name: str) -> Batch:
    return Batch([edge(key=("head", f"node:{name}"))])


async def subjects(archive: Archive) -> list[str]:
    def ask(connection: sqlite3.Connection) -> tuple[Incident, ...]:
        return reads.incidents(connection, subject=None, network=None, since=0, limit=99)

    nothing: tuple[Incident, ...] = ()
    return [each.subject.removeprefix("node:") for each in await archive.read(ask, nothing)]


async def write(archive: Archive, name: str) -> None:
    await archive.write(lambda store: store.write(add(name)))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def where(archive: Archive) -> tuple[bool, bool]:
    return (archive.is_kept, archive.is_in_file)


def said(caplog: pytest.LogCaptureFixture, level: int = logging.ERROR) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= level]


@pytest.mark.parametrize("is_file", [True, False])
async def test_archive_reads_what_it_wrote(tmp_path: Path, *, is_file: bool) -> None:
    """In a file, or in memory where none is wanted."""
    path = tmp_path / "history.sqlite" if is_file else None
    async with opened(path) as archive:
        await write(archive, "a")
        assert await subjects(archive) == ["a"]
        assert (archive.is_kept, archive.is_in_file) == (True, is_file)
        assert (archive.size_bytes() > 0) is is_file
    assert (archive.errors_total, archive.problem) == (0, "")
    async with opened(path) as archive:
        assert await subjects(archive) == (["a"] if is_file else [])
    assert names(tmp_path) == (["history.sqlite"] if is_file else [])


async def test_archive_that_is_not_open_answers_nothing_and_keeps_nothing(tmp_path: Path) -> None:
    """Before its opening and after its closing; a second closing is none."""
    archive = Archive(tmp_path / "history.sqlite")
    assert await subjects(archive) == []
    with pytest.raises(HistoryError, match="not open"):
        await write(archive, "a")
    await archive.open()
    await archive.close()
    await archive.close()
    assert await subjects(archive) == []
    with pytest.raises(HistoryError, match="closed"):
        await write(archive, "a")


async def test_reader_sees_whole_writes_while_they_go_on(tmp_path: Path) -> None:
    """Nobody waits for a reader, and no reader sees half of what is written."""
    path = tmp_path / "history.sqlite"
    async with opened(path) as archive:
        counts: list[int] = []
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as outside:
            # Another program, in the middle of a long read.
            outside.execute("BEGIN")
            outside.execute("SELECT count(*) FROM incidents").fetchone()
            for n in range(15):
                batch = Batch([edge(key=("head", f"node:{n}-{m}")) for m in range(5)])
                write_all = partial(Store.write, batch=batch)
                _, found = await asyncio.gather(archive.write(write_all), subjects(archive))
                counts.append(len(found))
            assert outside.execute("SELECT count(*) FROM incidents").fetchone() == (0,)
        assert all(count % 5 == 0 for count in counts)
        assert counts == sorted(counts)
        assert archive.errors_total == 0


async def test_file_that_is_damaged_in_use_is_set_aside_and_another_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Found by a reader or by the writer: the next write goes into a new file."""
    path = tmp_path / "history.sqlite"
    async with opened(path) as archive:
        adopted: list[int] = []
        archive.adopt = lambda store: adopted.append(1)
        for n in range(60):
            await write(archive, f"{n}")
        await archive.write(
            lambda store: store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        )
        before = path.read_bytes()
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xee" * (len(before) - 4096))
        assert await subjects(archive) == []
        await write(archive, "after")
        assert await subjects(archive) == ["after"]
        assert adopted == [1]
        assert archive.problem == ""
        assert archive.errors_total == 2
    _, aside = names(tmp_path)
    assert ".damaged-" in aside
    assert len((tmp_path / aside).read_bytes()) >= len(before)
    assert "set aside" in said(caplog)[-1]


async def test_file_that_was_taken_away_is_begun_anew(tmp_path: Path) -> None:
    """Whoever moves or deletes it while it is used gets another, and keeps what he took."""
    path, taken = tmp_path / "history.sqlite", tmp_path / "taken.sqlite"
    async with opened(path) as archive:
        await write(archive, "a")
        path.rename(taken)
        await write(archive, "b")
        assert await subjects(archive) == ["b"]
        assert path.exists()
    assert taken.exists()


async def test_newer_file_is_left_alone_and_memory_stands_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once; what is told goes on to be remembered, as long as the process lives."""
    path = tmp_path / "history.sqlite"
    async with opened(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    clock = Clock()
    async with opened(path, clock) as archive:
        for name in ("a", "b"):
            await write(archive, name)
            clock.now += 10 * RETRY_SECONDS
        assert await subjects(archive) == ["b", "a"]
        assert not archive.is_kept
        assert f"version {VERSION + 1}" in archive.problem
        assert archive.errors_total == 1
    assert path.read_bytes() == before
    assert names(tmp_path) == ["history.sqlite"]
    assert len(said(caplog)) == 1


async def test_file_that_cannot_be_opened_is_tried_again_and_takes_what_memory_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that comes late costs nothing but the time until the next try."""
    folder = tmp_path / "state"
    folder.touch()  # a file where the directory should be: not even root can write below it
    clock = Clock()
    async with opened(folder / "history.sqlite", clock) as archive:
        await write(archive, "a")
        assert where(archive) == (False, False)
        assert "cannot be opened" in archive.problem
        clock.now += RETRY_SECONDS
        await write(archive, "b")
        assert where(archive) == (False, False)
        folder.unlink()
        clock.now += RETRY_SECONDS - 1
        await write(archive, "c")
        assert where(archive) == (False, False)
        clock.now += 1
        await write(archive, "d")
        assert where(archive) == (True, True)
        assert archive.problem == ""
        assert sorted(await subjects(archive)) == ["a", "b", "c", "d"]
    assert len(said(caplog)) == 1
    assert said(caplog, logging.WARNING)[-1] == "history: it is written again"
    async with opened(folder / "history.sqlite") as archive:
        assert len(await subjects(archive)) == 4


async def test_file_that_is_full_is_said_once_and_written_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite's own limit of pages stands for the end of a disk."""
    path = tmp_path / "history.sqlite"
    async with opened(path) as archive:
        await write(archive, "a")

        def limit(store: Store, pages: int) -> None:
            store.connection.execute(f"PRAGMA max_page_count = {pages}")

        await archive.write(lambda store: limit(store, 1))
        large = Batch([edge(key=("head", "node:large"), reason="x" * 50_000)])
        for count in (1, 2, 3):
            with pytest.raises(HistoryError, match="full"):
                await archive.write(lambda store: store.write(large))
            assert archive.errors_total == count
        assert "full" in archive.problem
        assert len(said(caplog)) == 1
        assert await subjects(archive) == ["a"]
        await archive.write(lambda store: limit(store, 10**6))
        await archive.write(lambda store: store.write(large))
        assert archive.problem == ""
        assert sorted(await subjects(archive)) == ["a", "large"]


FULL = """
import asyncio, logging, resource, signal, sys
from pathlib import Path
from monitor.history.archive import Archive
from monitor.history.record import HistoryError
from monitor.history.store import Batch
from tests.history.samples import edge

logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.WARNING)

async def main() -> None:
    archive = Archive(Path(sys.argv[1]))
    await archive.open()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    batch = Batch([edge(key=("head", f"node:{n}"), reason="x" * 400) for n in range(1000)])
    for _ in range(3):
        try:
            await archive.write(lambda store: store.write(batch))
        except HistoryError:
            print("failed, left:", len(batch.edges))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await archive.write(lambda store: store.write(batch))
    print("left:", len(batch.edges), "errors:", archive.errors_total, "problem:", archive.problem)
    await archive.close()

asyncio.run(main())
"""


async def test_disk_that_is_full_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    """The system refuses to let any file grow: what was written stays, the rest comes later."""
    path = tmp_path / "history.sqlite"
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL, str(path), cwd=ROOT, stdout=subprocess.PIPE
    )
    out = (await child.communicate())[0].decode().splitlines()
    assert child.returncode == 0, out
    left = [int(line.split()[-1]) for line in out if line.startswith("failed")]
    assert len(left) == 3
    assert 0 < left[-1] < 1000
    assert out[-1] == "left: 0 errors: 3 problem: "
    assert [line for line in out if "cannot be written" in line] == [out[0]]
    assert out[-2] == "history: it is written again"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM incidents").fetchone() == (1000,)


async def test_read_that_lasts_too_long_is_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A question has a deadline, and its failure is said once."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    stopwatch = Clock()

    def ask(connection: sqlite3.Connection) -> int:
        stopwatch.now += READ_SECONDS + 0.1
        return int(connection.execute(endless).fetchone()[0])

    archive = Archive(tmp_path / "history.sqlite", stopwatch=stopwatch)
    await archive.open()
    assert [await archive.read(ask, -1) for _ in range(2)] == [-1, -1]
    assert archive.errors_total == 2
    assert said(caplog) == ["history: cannot be read: interrupted"]
    await write(archive, "a")
    assert await subjects(archive) == ["a"]
    await archive.close()


async def test_reads_that_wait_are_bounded(tmp_path: Path) -> None:
    """A crowd of visitors is answered with nothing, and not with a queue without an end."""
    go = threading.Event()

    def wait(connection: sqlite3.Connection) -> int:
        go.wait(30)
        return 1

    async with opened(tmp_path / "history.sqlite") as archive:
        asked = [asyncio.ensure_future(archive.read(wait, 0)) for _ in range(READS_WAITING_MAX + 5)]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert {each.result() for each in done} == {0}
        go.set()
        answers = await asyncio.gather(*asked)
    assert answers.count(1) == READS_WAITING_MAX
    assert archive.errors_total == 5
