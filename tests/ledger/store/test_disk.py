"""Files are there whole or not at all, and what the disk says names them."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.disk import REMEDY, translated, write_whole


def test_write_whole_puts_it_in_place_of_the_former(tmp_path: Path) -> None:
    """All of it is there, and nothing else."""
    path = tmp_path / "list"
    for body in (b"first and long", b"second"):
        write_whole(path, body)
        assert path.read_bytes() == body
    assert [each.name for each in tmp_path.iterdir()] == ["list"]


def test_write_whole_that_fails_leaves_the_former(tmp_path: Path) -> None:
    """Where the name cannot be given, what was written so far is taken away."""
    path = tmp_path / "list"
    path.mkdir()
    (path / "former").touch()
    with pytest.raises(OSError, match="directory"):
        write_whole(path, b"new")
    assert [each.name for each in tmp_path.rglob("*")] == ["list", "former"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "at cannot be read: there is no room"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "at cannot be read: there is no room"),
        (OSError(errno.EFBIG, "File too large"), "at cannot be read: there is no room"),
        (OSError(errno.EACCES, "Permission denied"), "at cannot be read: Permission denied"),
        (PermissionError(errno.EACCES, "No", "it"), "it cannot be read: No"),
        (OSError("odd"), "at cannot be read: odd"),
        (sqlite3.OperationalError("locked"), "at cannot be read: locked"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            f"at is damaged (invalid start byte): {REMEDY}",
        ),
    ],
)
def test_translated_names_the_file_and_why(error: Exception, said: str) -> None:
    """One line: the file, what was tried, and what the disk said."""
    with pytest.raises(BrokenStore) as caught, translated(Path("at"), "read"):
        raise error
    assert str(caught.value) == said


def test_translated_tells_damage_and_room_by_code(tmp_path: Path) -> None:
    """A file that is no database is damaged; one that may not grow has no room."""
    path = tmp_path / "tail"
    path.write_bytes(b"no database at all" * 100)
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(BrokenStore, match=f"^{path} is damaged"),
        translated(path, "read"),
    ):
        connection.execute("SELECT * FROM sqlite_master")
    with closing(sqlite3.connect(tmp_path / "small")) as connection:
        connection.execute("CREATE TABLE t (b BLOB)")
        connection.execute("PRAGMA max_page_count = 2")
        full = r"^at cannot be written: there is no room$"
        with pytest.raises(BrokenStore, match=full), translated(Path("at"), "written"):
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
