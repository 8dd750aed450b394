"""What a file is: ours, or refused with one line; nothing is moved, and nothing begun anew."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.migrations import version_of
from monitor.transactions.journal import (
    JournalDamagedError,
    JournalError,
    JournalFencedError,
    JournalFullError,
    JournalHeldError,
)
from monitor.transactions.journal.opening import (
    PROGRESS_STEPS,
    Hold,
    open_journal,
    open_reading,
    translate,
    translated,
)
from monitor.transactions.journal.schema import VERSION
from monitor.transactions.journal.store import observe
from tests.transactions.journal.samples import NOW, sighting

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys
from pathlib import Path
from monitor.transactions.journal.opening import open_journal

hold = open_journal(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
COUNTING = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    " SELECT count(*) FROM n"
)


def ours(path: Path, count: int = 300) -> None:
    """A journal with some pages in it."""
    with closing(open_journal(path)) as hold:
        hold.connection.execute("BEGIN")
        for nonce in range(count):
            observe(hold.connection, sighting(nonce), NOW)
        hold.connection.execute("COMMIT")


def text(path: Path) -> None:
    path.write_text("nodes:\n  - name: main\n" * 50)


def short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00")


def empty(path: Path) -> None:
    path.touch()


def damaged_inside(path: Path) -> None:
    ours(path)
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xde\xad\xbe\xef" * 4096)


def cut_off(path: Path) -> None:
    ours(path)
    os.truncate(path, path.stat().st_size // 2)


def cut_off_to_one_page(path: Path) -> None:
    ours(path)
    os.truncate(path, 4096)


def header_gone(path: Path) -> None:
    ours(path)
    with path.open("r+b") as file:
        file.write(b"\x00" * 100)


def only_its_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_text("what was written last")


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")


def other_program_with_logs(path: Path) -> None:
    """It keeps a write-ahead log, as most do now, and is closed."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE cookies (name TEXT)")


def marked_by_another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1234")
        connection.execute("CREATE TABLE cookies (name TEXT)")


def newer(path: Path) -> None:
    ours(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")


def newer_in_its_log(path: Path) -> None:
    """Killed before its first checkpoint: the header is old, and the log says what it is."""
    made = path.with_name("made.sqlite")
    ours(made)
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        for end in ("", "-wal"):
            shutil.copy(f"{made}{end}", f"{path}{end}")


DAMAGED = (text, short, empty, damaged_inside, cut_off, cut_off_to_one_page, header_gone)
REMEDY = "restore it, or move it and what lies beside it away by hand to begin a new one"
NEWER = f"has schema version {VERSION + 1}, and this headwatch knows {VERSION}: run the newer"
CASES: tuple[tuple[Callable[[Path], None], type[JournalError], str], ...] = (
    *((make, JournalDamagedError, REMEDY) for make in (*DAMAGED, only_its_log)),
    (other_program_with_logs, JournalError, "another program's database: name another path"),
    (other_program, JournalError, "another program's database: name another path"),
    (marked_by_another, JournalError, "another program's database: name another path"),
    (newer, JournalError, NEWER),
    (newer_in_its_log, JournalError, NEWER),
)


def contents(path: Path) -> dict[str, bytes]:
    """What lies there besides the lock; the index of a log that was there is SQLite's to make."""
    found = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    log = f"{path.name}-wal"
    ours = (f"{path.stem}.lock", f"{path.name}-shm" if found.get(log) else "")
    return {name: content for name, content in found.items() if name not in ours}


@pytest.mark.parametrize(
    ("make", "kind", "words"), CASES, ids=[make.__name__ for make, *_ in CASES]
)
def test_file_that_is_no_journal_of_ours_is_refused_and_left_as_it_is(
    make: Callable[[Path], None], kind: type[JournalError], words: str, path: Path
) -> None:
    """One line, which names the file, what is wrong and the remedy; not a byte changes."""
    make(path)
    before = contents(path)
    for _ in range(2):
        with pytest.raises(JournalError) as caught:
            open_journal(path)
        said = str(caught.value)
        assert type(caught.value) is kind
        assert said.startswith(f"{path} ")
        assert words in said
        assert "\n" not in said
    assert contents(path) == before


@pytest.mark.parametrize(
    "make",
    [
        *(text, short, empty, header_gone, newer, newer_in_its_log),
        *(cut_off, cut_off_to_one_page),
        *(other_program, other_program_with_logs),
    ],
)
def test_file_that_is_no_journal_of_ours_is_not_read_either(
    make: Callable[[Path], None], path: Path
) -> None:
    """With the same words, so that the remedy is the same; and nothing is left beside it."""
    make(path)
    before = contents(path)
    with pytest.raises(JournalError, match=r"is damaged|another program's|newer headwatch"):
        open_reading(path)
    assert contents(path) == before


def test_file_that_is_missing_is_made_whole(path: Path) -> None:
    """With its directory; nothing else is left there but the lock."""
    path = path.parent / "data" / "deep" / path.name
    with closing(open_journal(path)) as hold:
        assert version_of(hold.connection) == VERSION
        assert hold.epoch == 1
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "journal.lock",
        "journal.sqlite",
    ]


def test_file_that_was_begun_and_never_finished_is_begun_again(path: Path) -> None:
    """A kill while it was made: what was not complete never had the journal's name."""
    for end in ("", "-journal", "-wal"):
        path.with_name(f"{path.name}.new{end}").write_text("half of one")
    with closing(open_journal(path)) as hold:
        assert hold.epoch == 1
    assert sorted(contents(path)) == ["journal.sqlite"]


def test_file_is_opened_again_with_what_was_in_it(path: Path) -> None:
    """Every opening begins another epoch."""
    ours(path, 3)
    for epoch in (2, 3):
        with closing(open_journal(path)) as hold:
            assert hold.epoch == epoch
            assert hold.connection.execute("SELECT count(*) FROM slot").fetchone() == (3,)


def test_connection_waits_for_the_disk_and_keeps_references(path: Path) -> None:
    """WAL, with an fsync at every commit; foreign keys are looked at."""
    with closing(open_journal(path, page_limit=77)) as hold:
        found = {
            name: hold.connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "max_page_count")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "max_page_count": 77,
    }


def test_journal_is_one_processes_at_a_time(path: Path) -> None:
    """The second is told who has it; after a kill it may, and what was written is there."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(JournalHeldError) as caught:
            open_journal(path)
        assert str(caught.value) == (
            f"{path} is used by another headwatch (pid {holder.pid}): one writer at a time"
        )
        with closing(open_reading(path)) as reading:
            assert reading.execute("SELECT epoch FROM fence").fetchone() == (1,)
        holder.kill()
        holder.wait()
    with closing(open_journal(path)) as hold:
        assert hold.epoch == 2


def test_lock_is_let_go_where_the_file_is_refused(path: Path) -> None:
    """Who repairs the file need not stop anything first."""
    text(path)
    with pytest.raises(JournalDamagedError):
        open_journal(path)
    path.unlink()
    open_journal(path).close()


@pytest.mark.parametrize("place", ["file/journal.sqlite", "file/deep/journal.sqlite"])
def test_place_where_there_can_be_no_file_is_named(tmp_path: Path, place: str) -> None:
    """What the system said, in one line, with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot be opened: ") as caught:
        open_journal(tmp_path / place)
    assert str(tmp_path / place) in str(caught.value)


READ_ONLY = """
import os, sys
from pathlib import Path
from monitor.transactions.journal.opening import open_journal
from monitor.transactions.journal.record import JournalError

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    open_journal(Path(sys.argv[1]))
except JournalError as error:
    print(error)
"""


@pytest.mark.parametrize("is_made", [False, True])
def test_directory_that_may_not_be_written_is_named(path: Path, *, is_made: bool) -> None:
    """Whether the journal is there or not: nobody else has it, and the system says no."""
    if is_made:
        ours(path, 1)
        path.with_suffix(".lock").unlink()
    modes = {folder: folder.stat().st_mode for folder in (path.parent, *path.parent.parents[:2])}
    try:
        for folder in modes:
            folder.chmod(0o755)
        path.parent.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for folder, mode in modes.items():
            folder.chmod(mode)
    assert done.stdout == f"{path} cannot be opened: Permission denied\n", done.stderr


def test_log_that_is_empty_is_no_sign_of_a_lost_journal(path: Path) -> None:
    """A reader may leave one behind."""
    path.with_name(f"{path.name}-wal").touch()
    open_journal(path).close()


def test_file_that_another_program_has_locked_is_waited_for_and_named(path: Path) -> None:
    """A person with a database browser, say."""
    ours(path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="cannot be opened: database is locked"):
            open_journal(path, busy_seconds=0)
        other.execute("ROLLBACK")
    with closing(open_journal(path, busy_seconds=0)) as hold:
        assert hold.epoch == 2


# -- the hold ------------------------------------------------------------------------------------


def lock_replaced(hold: Hold) -> None:
    lock = hold.path.with_suffix(".lock")
    lock.unlink()
    lock.touch()


def lock_removed(hold: Hold) -> None:
    hold.path.with_suffix(".lock").unlink()


def file_moved(hold: Hold) -> None:
    hold.path.rename(hold.path.with_name("moved.sqlite"))


def file_replaced(hold: Hold) -> None:
    file_moved(hold)
    hold.path.touch()


@pytest.mark.parametrize("spoil", [lock_replaced, lock_removed, file_moved, file_replaced])
def test_hold_ends_when_its_files_are_others(path: Path, spoil: Callable[[Hold], None]) -> None:
    """The lock keeps nobody out any more, or what is written goes where nobody reads it."""
    with closing(open_journal(path)) as hold:
        hold.check_files()
        spoil(hold)
        with pytest.raises(JournalFencedError, match=f"{path}.* replaced"):
            hold.check_files()


def test_hold_ends_when_another_has_had_a_turn(path: Path) -> None:
    """Another epoch stands in the file."""
    with closing(open_journal(path)) as hold:
        hold.check_epoch()
        hold.connection.execute("UPDATE fence SET epoch = 9")
        with pytest.raises(JournalFencedError, match=r"\(epoch 9, ours is 1\)"):
            hold.check_epoch()


# -- reading -------------------------------------------------------------------------------------


def test_reading_of_no_file_makes_none(path: Path) -> None:
    """Who only asks leaves nothing behind."""
    with pytest.raises(JournalError, match=f"there is no journal at {path}"):
        open_reading(path)
    assert list(path.parent.iterdir()) == []


def test_reading_cannot_write(path: Path) -> None:
    """Not even the epoch."""
    ours(path, 1)
    with (
        closing(open_reading(path)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("UPDATE fence SET epoch = 9")


def test_reading_of_an_older_file_says_who_brings_it_forward(path: Path) -> None:
    """A reader cannot."""
    ours(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION - 1}")
    before = contents(path)
    with pytest.raises(JournalError, match=f"has schema version {VERSION - 1}.*start the sidecar"):
        open_reading(path)
    assert contents(path) == before


def test_reading_ends_when_it_is_late(path: Path) -> None:
    """A question is cut off in the middle; before that it is answered."""
    ours(path, 1)
    is_late = False
    with closing(open_reading(path, lambda: is_late)) as connection:
        assert connection.execute(COUNTING, (PROGRESS_STEPS,)).fetchone() == (PROGRESS_STEPS,)
        is_late = True
        with (
            pytest.raises(JournalError, match="cannot be read: it took too long"),
            translated(path, "read"),
        ):
            connection.execute(COUNTING, (PROGRESS_STEPS,)).fetchone()


# -- what SQLite says ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, JournalFullError),
        (sqlite3.SQLITE_CORRUPT, JournalDamagedError),
        (sqlite3.SQLITE_CORRUPT_INDEX, JournalDamagedError),
        (sqlite3.SQLITE_NOTADB, JournalDamagedError),
        (sqlite3.SQLITE_IOERR_FSYNC, JournalError),
        (sqlite3.SQLITE_READONLY, JournalError),
        (sqlite3.SQLITE_BUSY, JournalError),
        (None, JournalError),
    ],
)
def test_error_of_the_disk_is_named_by_its_code(code: int | None, kind: type[JournalError]) -> None:
    """Full and damaged are their own; an extended code is what its primary one is."""
    error = sqlite3.OperationalError("it said so")
    if code is not None:
        error.sqlite_errorcode = code
    made = translate(Path("journal.sqlite"), "written", error)
    assert type(made) is kind
    assert str(made).startswith("journal.sqlite ")
    assert "it said so" in str(made)
