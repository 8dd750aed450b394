"""The file of the tail: made whole or not at all, and refused before anything is written to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from monitor.ledger.errors import BrokenStore
from monitor.ledger.store.disk import REMEDY, UNFINISHED, sync_folder, translated
from monitor.ledger.store.manifest import refuse_other
from monitor.ledger.store.schema import APPLICATION_ID, MIGRATIONS, migrate
from monitor.ledger.store.words import Identity
from monitor.migrations import application_of, version_of
from monitor.model import Address

BUSY_SECONDS = 2.0
WAL_BYTES_KEPT = 2**20


def create_tail(path: Path, identity: Identity) -> None:
    """Make an empty one under another name, and give it its own when it is complete."""
    fresh = path.with_name(path.name + UNFINISHED)
    with translated(path, "made"):
        for end in ("", "-journal"):
            fresh.with_name(fresh.name + end).unlink(missing_ok=True)
        with closing(_connect(fresh, "rwc")) as connection:
            migrate(connection)
            connection.execute(
                "INSERT INTO state (only, chain_id, protocol, contract) VALUES (1, ?, ?, ?)",
                identity,
            )
        fresh.rename(path)
        sync_folder(path.parent)


def open_tail(
    path: Path,
    identity: Identity,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
    *,
    pages_max: int | None = None,
) -> sqlite3.Connection:
    """A connection to write to the tail with, of the newest version.

    `pages_max` is the size that the file may have, in SQLite's pages. Raises BrokenStore, and has
    not touched the file then, where it is no tail, damaged, newer, or of another ledger.
    """
    with translated(path, "opened"):
        _refuse_empty(path)
        with closing(_connect(path, "ro")) as connection:
            _refuse(path, connection, len(migrations), identity)
        connection = _connect(path, "rw")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            # What was told to a caller outlives a power cut (PRAGMA synchronous).
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES_KEPT}")
            if pages_max is not None:
                connection.execute(f"PRAGMA max_page_count = {pages_max:d}")
            migrate(connection, migrations)
        except BaseException:
            connection.close()
            raise
        return connection


def is_there(path: Path) -> bool:
    """Whether there is a tail. Raises BrokenStore where its log alone is left, with the newest."""
    if os.path.lexists(path):
        return True
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        message = f"{path} is gone and its log {log.name} is there: {REMEDY}"
        raise BrokenStore(message)
    return False


def _refuse_empty(path: Path) -> None:
    """SQLite would take it for a file of no tables."""
    if not path.stat().st_size:
        message = f"{path} is damaged (it is empty): {REMEDY}"
        raise BrokenStore(message)


def _refuse(path: Path, connection: sqlite3.Connection, newest: int, identity: Identity) -> None:
    if application_of(connection) != APPLICATION_ID:
        message = f"{path} is another program's database: name another folder"
        raise BrokenStore(message)
    version = version_of(connection)
    if version > newest:
        message = (
            f"{path} has schema version {version}, and this headwatch knows {newest}:"
            " run the newer headwatch"
        )
        raise BrokenStore(message)
    # The slower of the two checks: what an index leaves out would seem never to have been there.
    words = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if words != "ok":
        message = f"{path} is damaged ({str(words).splitlines()[-1]}): {REMEDY}"
        raise BrokenStore(message)
    found = connection.execute("SELECT chain_id, protocol, contract FROM state").fetchone()
    if found is None:
        message = f"{path} is damaged (it does not say whose it is): {REMEDY}"
        raise BrokenStore(message)
    refuse_other(path, Identity(found[0], found[1], Address(found[2])), identity)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    # Used by one thread at a time, which need not be the one that made it.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
