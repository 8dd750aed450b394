"""What a file is: ours, damaged, another's or newer; nothing is ever deleted or overwritten."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.history.opening import (
    NewerFileError,
    is_damage,
    open_file,
    open_reading,
    set_aside,
)
from monitor.history.schema import VERSION
from monitor.history.store import Batch, Store
from monitor.migrations import version_of
from tests.act.snapshots import NOW
from tests.history.samples import MINUTE, edge, row

ASIDE = "history.sqlite.damaged-20261118T110640Z"


def ours(path: Path, count: int = 300) -> None:
    """A file of ours with some pages in it."""
    with closing(open_file(path, NOW).connection) as connection:
        rows = {MINUTE + 60 * n: {f"node:{i}": row() for i in range(20)} for n in range(count)}
        Store(connection).write(Batch([edge()], rows))


def text(path: Path) -> None:
    path.write_text("nodes:\n  - name: main\n" * 50)


def short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")


def marked_by_another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1234")
        connection.execute("CREATE TABLE cookies (name TEXT)")


def damaged_inside(path: Path) -> None:
    ours(path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xde\xad\xbe\xef" * 4096)


def cut_off(path: Path) -> None:
    ours(path)
    os.truncate(path, path.stat().st_size // 2)


def header_gone(path: Path) -> None:
    ours(path)
    with path.open("r+b") as file:
        file.write(b"\x00" * 100)


BAD = (text, short, other_program, marked_by_another, damaged_inside, cut_off, header_gone)


@pytest.mark.parametrize("make", BAD)
def test_file_that_is_no_history_is_set_aside_and_another_begun(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    """What was there is there as it was, under another name; and a new file works."""
    path = tmp_path / "history.sqlite"
    make(path)
    before = path.read_bytes()
    opened = open_file(path, NOW)
    with closing(opened.connection) as connection:
        assert version_of(connection) == VERSION
        Store(connection).write(Batch([edge()]))
    assert (tmp_path / ASIDE).read_bytes() == before
    assert ASIDE in opened.said
    assert "\n" not in opened.said
    assert open_file(path, NOW).said == ""


def test_file_is_set_aside_again_without_overwriting_the_first(tmp_path: Path) -> None:
    """Twice in one second: both are kept, with what belongs to them."""
    path = tmp_path / "history.sqlite"
    names = []
    for number in range(3):
        path.write_text(f"{number}")
        path.with_name("history.sqlite-wal").write_text(f"log {number}")
        names.append(set_aside(path, NOW).name)
    assert names == [ASIDE, f"{ASIDE}-1", f"{ASIDE}-2"]
    assert [(tmp_path / name).read_text() for name in names] == ["0", "1", "2"]
    assert [(tmp_path / f"{name}-wal").read_text() for name in names] == [
        "log 0",
        "log 1",
        "log 2",
    ]


def test_file_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    """Its headwatch may come back: not a byte changes, and nothing is put beside it."""
    path = tmp_path / "history.sqlite"
    ours(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    before, stat = path.read_bytes(), path.stat()
    with pytest.raises(NewerFileError, match=f"version {VERSION + 1}, .* knows {VERSION}"):
        open_file(path, NOW)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert [file.name for file in tmp_path.iterdir()] == ["history.sqlite"]


def test_file_whose_newer_version_is_still_in_its_log_is_not_touched(tmp_path: Path) -> None:
    """Killed before its first checkpoint: the header is old, and the log says what it is."""
    made, path = tmp_path / "made.sqlite", tmp_path / "history.sqlite"
    ours(made)
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        for end in ("", "-wal"):
            shutil.copy(f"{made}{end}", f"{path}{end}")
    log = path.with_name("history.sqlite-wal")
    before = (path.read_bytes(), log.read_bytes())
    assert int.from_bytes(before[0][60:64]) == VERSION
    with pytest.raises(NewerFileError):
        open_file(path, NOW)
    assert (path.read_bytes(), log.read_bytes()) == before


def test_empty_file_is_a_new_one(tmp_path: Path) -> None:
    """A kill between creating a file and writing to it leaves one of no bytes."""
    path = tmp_path / "deep" / "er" / "history.sqlite"
    path.parent.mkdir(parents=True)
    path.touch()
    assert open_file(path, NOW).said == ""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_place_that_lets_nothing_be_written_is_an_error_and_no_damage(tmp_path: Path) -> None:
    """A directory in the place of the file, or a file in the place of the directory."""
    (tmp_path / "history.sqlite").mkdir()
    with pytest.raises(OSError, match="directory"):
        open_file(tmp_path / "history.sqlite", NOW)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        open_file(tmp_path / "file" / "history.sqlite", NOW)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "history.sqlite"]


def test_errors_of_the_disk_are_no_damage(tmp_path: Path) -> None:
    """A full or locked file is in order; only what SQLite calls corrupt is set aside."""
    path = tmp_path / "history.sqlite"
    with closing(open_file(path, NOW).connection) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as full:
            Store(connection).write(
                Batch(rows={MINUTE + 60 * n: {f"n{n}": row()} for n in range(999)})
            )
        assert not is_damage(full.value)
    assert not is_damage(OSError(28, "No space left on device"))
    damaged_inside(tmp_path / "other.sqlite")
    with (
        closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection,
        pytest.raises(sqlite3.DatabaseError) as damage,
    ):
        connection.execute("SELECT sum(ok), count(network_head) FROM minutes").fetchone()
    assert is_damage(damage.value)


def test_reading_connection_cannot_write_and_ends_when_it_is_late(tmp_path: Path) -> None:
    """Whoever reads changes nothing, and a query that lasts too long is ended."""
    path = tmp_path / "history.sqlite"
    ours(path, count=5)
    with closing(open_reading(path, lambda: False)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM minutes")
        assert connection.execute("SELECT count(*) FROM minutes").fetchone() == (100,)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with (
        closing(open_reading(path, lambda: True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
    ):
        connection.execute(endless)
