"""What a file is, before anything is written to it: new, ours, damaged, foreign or newer.

What cannot be used is set aside under another name, never deleted and never overwritten. A file of
a newer version is not even opened: its headwatch may come back.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from monitor.history.schema import APPLICATION_ID, VERSION, migrate
from monitor.migrations import application_of, version_of

HEADER_BYTES = 100
MAGIC = b"SQLite format 3\x00"
BUSY_SECONDS = 2.0
WAL_BYTES_KEPT = 2**20
PAGES_A_CHECKPOINT = 256
"""A mebibyte: what is written in a minute or two by a fleet."""
SET_ASIDE_MAX = 1000
BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
PROGRESS_STEPS = 10_000


class NewerFileError(Exception):
    """The file was written by a newer headwatch."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that may be written to, and what happened on the way, for the log."""

    connection: sqlite3.Connection
    said: str = ""


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file itself is no good, and not the disk or the moment."""
    # The low byte is the primary code; the rest says more precisely what.
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in BROKEN


def open_memory() -> sqlite3.Connection:
    """A database that ends with the process."""
    connection = _connect(":memory:")
    migrate(connection)
    return connection


def open_file(path: Path, now: float) -> Opened:
    """Open, create or bring forward the file; set aside what is no history.

    Raises NewerFileError; OSError and sqlite3.Error where the place does not let us.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    problem = _problem(path)
    if not problem:
        try:
            return Opened(_open(path))
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            problem = f"is damaged ({error})"
    aside = set_aside(path, now)
    said = f"{path} {problem}; it was set aside as {aside.name} and a new one begun"
    return Opened(_open(path), said)


def open_reading(path: Path, is_late: Callable[[], bool]) -> sqlite3.Connection:
    """A connection that cannot write; when `is_late` says so, its query ends with an error."""
    connection = sqlite3.connect(
        _uri(path, "ro"), uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    connection.set_progress_handler(is_late, PROGRESS_STEPS)
    return connection


def set_aside(path: Path, now: float) -> Path:
    """Give the file, and what belongs to it, a name of the past; the new name."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    for number in itertools.islice(itertools.count(), SET_ASIDE_MAX):
        aside = path.with_name(f"{path.name}.damaged-{stamp}" + (f"-{number}" if number else ""))
        if not any(os.path.lexists(f"{aside}{end}") for end in ("", "-wal", "-shm")):
            break
    else:
        message = f"{path} was set aside {SET_ASIDE_MAX} times in this second"
        raise OSError(message)
    # The log first: a file without its log would be taken for an older state of itself.
    for end in ("-wal", "-shm", ""):
        if os.path.lexists(f"{path}{end}"):
            os.rename(f"{path}{end}", f"{aside}{end}")  # noqa: PTH104 - these are texts
    return aside


def _problem(path: Path) -> str:
    """Why the file is none of ours, from its header; empty where it may be opened."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except FileNotFoundError:
        return ""
    if not header and not os.path.lexists(f"{path}-wal"):
        return ""
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        return "is not a SQLite file"
    _refuse_newer(int.from_bytes(header[68:72]), int.from_bytes(header[60:64]))
    try:
        # What was written last may still be in the log, so that the header is not enough.
        with closing(sqlite3.connect(_uri(path, "ro"), uri=True)) as connection:
            application, version = application_of(connection), version_of(connection)
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.DatabaseError:
        return ""  # whoever opens it for writing gets to know more
    _refuse_newer(application, version)
    if application not in {0, APPLICATION_ID} or (application == 0 and tables):
        return "is the database of another program"
    return ""


def _refuse_newer(application: int, version: int) -> None:
    if application == APPLICATION_ID and version > VERSION:
        message = f"has schema version {version}, and this headwatch knows {VERSION}"
        raise NewerFileError(message)


def _open(path: Path) -> sqlite3.Connection:
    connection = _connect(_uri(path, "rwc"))
    try:
        _check(connection)
        if not connection.execute("PRAGMA page_count").fetchone()[0]:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_A_CHECKPOINT}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Raise what SQLite would raise later, were a page of the file no good."""
    words = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if words != "ok":
        error = sqlite3.DatabaseError(str(words).splitlines()[-1])
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


def _connect(database: str) -> sqlite3.Connection:
    # Used by one thread at a time, which need not be the one that made it.
    connection = sqlite3.connect(
        database, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"
