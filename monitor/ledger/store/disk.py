"""Files that are there whole or not at all; what the disk says, as an error that names the file."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.ledger.errors import BrokenStore

UNFINISHED = ".new"
"""How the name of a file ends until all of it is on the disk."""
REMEDY = "move the folder away to have all of it fetched again"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
BROKEN_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def write_whole(path: Path, body: bytes) -> None:
    """Put a file there at once: after a kill there is all of it, or what was there before.

    Raises OSError, and leaves nothing of it then.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were given or taken away outlive a power cut."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)


@contextmanager
def translated(path: Path, done: str) -> Iterator[None]:
    """What the disk or SQLite said of a file, as BrokenStore with one line."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary result code (SQLite, Result Codes, 2).
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise BrokenStore(_said(path, done, str(error), code)) from error
    except UnicodeDecodeError as error:
        # SQLite shows the damaged text of its own tables in its messages.
        raise BrokenStore(_said(path, done, error.reason, sqlite3.SQLITE_CORRUPT)) from error
    except OSError as error:
        why = "there is no room" if error.errno in NO_ROOM else error.strerror or str(error)
        message = f"{error.filename or path} cannot be {done}: {why}"
        raise BrokenStore(message) from error


def _said(path: Path, done: str, words: str, code: int) -> str:
    if code in BROKEN_CODES:
        return f"{path} is damaged ({words}): {REMEDY}"
    if code == sqlite3.SQLITE_FULL:
        return f"{path} cannot be {done}: there is no room"
    return f"{path} cannot be {done}: {words}"
