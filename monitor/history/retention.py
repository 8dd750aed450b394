"""What goes: minutes after a day, everything after its time, and the oldest when room is short.

Functions of a store; synchronous, like it.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

from monitor.history.store import RESOLUTIONS, Store

DAY_SECONDS = 86_400
FINE_SECONDS = 25 * 3600
"""A day, and the hour in which a day's first bar may begin."""
SPENT_DAYS = 3
FULL_SHARE = 0.9
"""Of `bytes_max`: beyond it the oldest goes, so that there is always room to write."""
STEPS_MAX = 64
STEP_SHARE = 1 / 16
STEP_SECONDS_MIN = 60


def expire(store: Store, now: float, retention_seconds: float) -> None:
    """Delete what is older than it may be."""
    cutoff = now - retention_seconds
    oldest_day = datetime.fromtimestamp(now - SPENT_DAYS * DAY_SECONDS, UTC).date().isoformat()
    with store.transaction() as connection:
        for table in ("minutes", "tens"):
            connection.execute(
                f"DELETE FROM {table} WHERE starts_at < ?",  # noqa: S608 - a constant
                (now - FINE_SECONDS,),
            )
        hours = connection.execute("DELETE FROM hours WHERE starts_at < ?", (cutoff,))
        connection.execute("DELETE FROM incidents WHERE closed_at < ?", (cutoff,))
        connection.execute("DELETE FROM windows WHERE ends_at < ?", (cutoff,))
        connection.execute("DELETE FROM spent WHERE day < ?", (oldest_day,))
        if hours.rowcount:
            _forget_subjects(store)


def make_room(store: Store, now: float, bytes_max: int) -> None:
    """Delete the oldest until the file is well below its limit, and give its pages back.

    From then on SQLite itself refuses to let it grow beyond the limit.
    """
    connection = store.connection
    pages_max = bytes_max // _number(connection, "page_size")
    connection.execute(f"PRAGMA max_page_count = {pages_max}")
    wanted = pages_max * FULL_SHARE
    for _ in range(STEPS_MAX):
        if _pages_used(connection) <= wanted or not _delete_oldest(store, now):
            break
    if _number(connection, "freelist_count") and _number(connection, "page_count") > wanted:
        # Each step of it frees one page, and `execute` takes one step where no row comes of it.
        connection.executescript("PRAGMA incremental_vacuum")


def size_bytes(connection: sqlite3.Connection) -> int:
    """Of the database, without its log."""
    return _number(connection, "page_count") * _number(connection, "page_size")


def _delete_oldest(store: Store, now: float) -> bool:
    """Delete a part of the time that is remembered; False where nothing is left to delete."""
    connection = store.connection
    (oldest,) = connection.execute(
        "SELECT min(at) FROM (SELECT min(starts_at) AS at FROM hours"
        " UNION ALL SELECT min(starts_at) FROM minutes"
        " UNION ALL SELECT min(closed_at) FROM incidents)"
    ).fetchone()
    if oldest is None or oldest >= now:
        return False
    horizon = oldest + max(STEP_SECONDS_MIN, (now - oldest) * STEP_SHARE)
    with store.transaction():
        for table in RESOLUTIONS:
            connection.execute(f"DELETE FROM {table} WHERE starts_at < ?", (horizon,))  # noqa: S608
        connection.execute("DELETE FROM incidents WHERE closed_at < ?", (horizon,))
        _forget_subjects(store)
    return True


def _forget_subjects(store: Store) -> None:
    store.connection.execute(
        "DELETE FROM subjects WHERE id NOT IN (SELECT subject FROM hours)"
        " AND id NOT IN (SELECT subject FROM minutes)"
    )
    store.forget_ids()


def _pages_used(connection: sqlite3.Connection) -> int:
    return _number(connection, "page_count") - _number(connection, "freelist_count")


def _number(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
