"""What a file is, before anything is written to it, and the right to write it.

The journal is never set aside and begun anew: bytes that no node has any more would be gone with
it. A file that is damaged, of a newer version or another program's is refused with one line, which
names the remedy. A new one is made under another name and renamed when it is complete, so that an
empty file under the journal's name is one that has lost what was in it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.lock import Lock
from monitor.migrations import application_of, version_of
from monitor.transactions.journal.record import (
    JournalDamagedError,
    JournalError,
    JournalFencedError,
    JournalFullError,
    JournalHeldError,
)
from monitor.transactions.journal.schema import APPLICATION_ID, VERSION, migrate

BUSY_SECONDS = 2.0
READ_BUSY_SECONDS = 0.5
WAL_BYTES_KEPT = 2**20
BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
PROGRESS_STEPS = 10_000
MAGIC = b"SQLite format 3\0"
FRACTIONS = bytes((64, 32, 32))
"""At 21 of every header; without them, as without its first words, it is no database."""
HEADER_BYTES = 100
"""The pages' size is at 16, their number at 28 (valid where 24 and 92 are the same), user_version
at 60, application_id at 68 (SQLite file format, 1.3)."""
REMEDY = "restore it, or move it and what lies beside it away by hand to begin a new one"


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to write one journal, for as long as nobody else has begun to."""

    path: Path
    lock: Lock
    connection: sqlite3.Connection
    epoch: int
    """The number of this process's turn; every opening takes the next."""
    file: os.stat_result
    """Of the file that the connection has open."""

    def check_files(self) -> None:
        """Raises JournalFencedError where the files are not the ones that we have open."""
        if not self.lock.is_held():
            message = f"{self.path}: its lock file was replaced; another headwatch may write it now"
            raise JournalFencedError(message)
        try:
            is_same = os.path.samestat(self.file, self.path.stat())
        except FileNotFoundError:
            is_same = False
        if not is_same:
            message = f"{self.path} was moved away or replaced while it was written"
            raise JournalFencedError(message)

    def check_epoch(self) -> None:
        """In a transaction. Raises JournalFencedError where another process had a turn since."""
        epoch = _epoch_of(self.connection)
        if epoch != self.epoch:
            message = (
                f"{self.path}: another headwatch has opened it (epoch {epoch}, ours is"
                f" {self.epoch}); this one writes no more"
            )
            raise JournalFencedError(message)

    def close(self) -> None:
        """The file first: who gets the lock must find it closed."""
        self.connection.close()
        self.lock.release()


def open_journal(
    path: Path, *, page_limit: int | None = None, busy_seconds: float = BUSY_SECONDS
) -> Hold:
    """Take the lock, then open, create or bring forward the file, and begin an epoch.

    Raises JournalError and what is below it; the file is not touched where it is not ours to
    write.
    """
    lock = Lock(path.with_suffix(".lock"), path, JournalHeldError)
    with translated(path, "opened"):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.take()
        try:
            if _is_missing(path):
                _create(path)
            _refuse(path)
            connection = _connect(path, "rw", busy_seconds)
            try:
                epoch = _begin(path, connection, page_limit)
                return Hold(path, lock, connection, epoch, path.stat())
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise


def open_reading(
    path: Path, is_late: Callable[[], bool] | None = None, *, seconds: float = READ_BUSY_SECONDS
) -> sqlite3.Connection:
    """A connection that cannot write; when `is_late` says so, its query ends with an error.

    Raises JournalError where there is no journal, or none that this version can read.
    """
    # Looked at without opening it: to close it again would end SQLite's locks of this process
    # (How To Corrupt An SQLite Database File, 2.2).
    if not path.exists():
        message = f"there is no journal at {path}"
        raise JournalError(message)
    with translated(path, "read"):
        _refuse_empty(path)
        said = _header(path)
        if said is not None:
            _refuse_strangers(path, *said)
            _refuse_older(path, said[1])
        connection = _connect(path, "ro", seconds)
        try:
            version = version_of(connection)
            _refuse_strangers(path, application_of(connection), version)
            _refuse_older(path, version)
        except BaseException:
            connection.close()
            raise
        connection.set_progress_handler(is_late, PROGRESS_STEPS)
        return connection


@contextmanager
def translated(path: Path, done: str) -> Iterator[None]:
    """What the disk or SQLite said, as an error of the journal with one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(path, done, error) from error
    except OSError as error:
        message = f"{path} cannot be {done}: {error.strerror or error}"
        raise JournalError(message) from error


def translate(path: Path, done: str, error: sqlite3.Error) -> JournalError:
    """By SQLite's result code: the low byte is the primary one (Result Codes, 2)."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in BROKEN:
        return JournalDamagedError(f"{path} is damaged ({error}): {REMEDY}")
    if code == sqlite3.SQLITE_FULL:
        return JournalFullError(f"{path} cannot be {done}: there is no room ({error})")
    if code == sqlite3.SQLITE_INTERRUPT:
        return JournalError(f"{path} cannot be {done}: it took too long")
    return JournalError(f"{path} cannot be {done}: {error}")


def _is_missing(path: Path) -> bool:
    """Raises JournalDamagedError where only its log is there, with the newest of it."""
    if os.path.lexists(path):
        return False
    log = path.with_name(f"{path.name}-wal")
    # Who only read the journal may have left an empty one.
    if log.exists() and log.stat().st_size:
        message = f"{path} is gone and its log {log.name} is there: {REMEDY}"
        raise JournalDamagedError(message)
    return True


def _create(path: Path) -> None:
    """Make a whole journal or none, whenever the process is killed."""
    fresh = path.with_name(f"{path.name}.new")
    for end in ("", "-journal", "-wal", "-shm"):
        fresh.with_name(f"{fresh.name}{end}").unlink(missing_ok=True)
    with closing(_connect(fresh, "rwc", BUSY_SECONDS)) as connection:
        migrate(connection)
    fresh.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _refuse(path: Path) -> None:
    """Raises JournalError for a file that is not to be opened for writing."""
    _refuse_empty(path)
    said = _header(path)
    if said is None:
        with closing(_connect(path, "ro", BUSY_SECONDS)) as connection:
            said = application_of(connection), version_of(connection)
    _refuse_strangers(path, *said)


def _header(path: Path) -> tuple[int, int] | None:
    """Whose file its header says it is, and of which version; None where only SQLite can tell.

    Raises JournalDamagedError for one that is shorter than it says.

    To ask SQLite, which reads a log even of a file that it cannot write, would leave a log and its
    index beside a file that is refused. Where a log is there, it may say otherwise; and somebody
    may have the file open, whose locks must not end with ours (How To Corrupt An SQLite Database
    File, 2.2).
    """
    if any(os.path.lexists(f"{path}{end}") for end in ("-wal", "-journal")):
        return None
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    is_whole = len(header) == HEADER_BYTES and header[21:24] == FRACTIONS
    if not is_whole or not header.startswith(MAGIC):
        return None
    changes, pages, version, application, valid_for = (
        int.from_bytes(header[place : place + 4], "big", signed=True)
        for place in (24, 28, 60, 68, 92)
    )
    page_bytes = int.from_bytes(header[16:18], "big")
    if changes == valid_for and path.stat().st_size < pages * page_bytes:
        message = f"{path} is damaged (its end is cut off): {REMEDY}"
        raise JournalDamagedError(message)
    return application, version


def _refuse_empty(path: Path) -> None:
    if not path.stat().st_size:
        message = f"{path} is damaged (it is empty): {REMEDY}"
        raise JournalDamagedError(message)


def _refuse_strangers(path: Path, application: int, version: int) -> None:
    if application != APPLICATION_ID:
        message = f"{path} is no journal but another program's database: name another path"
        raise JournalError(message)
    if version > VERSION:
        message = (
            f"{path} has schema version {version}, and this headwatch knows {VERSION}:"
            " run the newer headwatch"
        )
        raise JournalError(message)


def _refuse_older(path: Path, version: int) -> None:
    """Who may not write cannot bring a file forward."""
    if version < VERSION:
        message = (
            f"{path} has schema version {version}, and this headwatch reads {VERSION}:"
            " start the sidecar, which brings it forward"
        )
        raise JournalError(message)


def _begin(path: Path, connection: sqlite3.Connection, page_limit: int | None) -> int:
    """Make the connection ready for writing; our epoch."""
    words = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if words != "ok":
        message = f"{path} is damaged ({str(words).splitlines()[-1]}): {REMEDY}"
        raise JournalDamagedError(message)
    connection.execute("PRAGMA journal_mode = WAL")
    # What was answered to a caller outlives a power cut (PRAGMA synchronous).
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
    if page_limit is not None:
        connection.execute(f"PRAGMA max_page_count = {page_limit:d}")
    migrate(connection)
    connection.execute("UPDATE fence SET epoch = epoch + 1")
    # What another process had signed and did not write down is nowhere, and costs nothing.
    connection.execute("UPDATE lease SET reserved_wei = NULL WHERE ended_at IS NULL")
    return _epoch_of(connection)


def _epoch_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT epoch FROM fence").fetchone()[0])


def _connect(path: Path, mode: str, busy_seconds: float) -> sqlite3.Connection:
    # Used by one thread at a time, which need not be the one that made it.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
