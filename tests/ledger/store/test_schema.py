"""The tables of the tail, and files of older versions."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from monitor.ledger.store.schema import APPLICATION_ID, MIGRATIONS, migrate
from monitor.migrations import application_of, version_of

NEXT = (*MIGRATIONS, ("ALTER TABLE page ADD COLUMN note TEXT",))


def test_migrate_brings_an_empty_file_to_the_newest_version() -> None:
    """With our mark in its header; doing it again changes nothing."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        migrate(connection)
        assert application_of(connection) == APPLICATION_ID
        assert version_of(connection) == len(MIGRATIONS)


def test_migrate_keeps_what_is_there() -> None:
    """The steps of later versions are made upon the rows of an older one."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        connection.execute("INSERT INTO page VALUES (1, 2, '0x', 0, x'00', x'01')")
        migrate(connection, NEXT)
        assert version_of(connection) == len(NEXT)
        assert connection.execute("SELECT first, note FROM page").fetchall() == [(1, None)]


def test_migrate_that_fails_changes_nothing() -> None:
    """A step is made whole or not at all."""
    broken = (*MIGRATIONS, ("CREATE TABLE extra (a)", "no such statement"))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, broken)
        assert version_of(connection) == len(MIGRATIONS)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchall()


@pytest.mark.parametrize(
    "row",
    [
        "1, 1, 'p', 'c', 10, 9, 20, '0x'",
        "1, 1, 'p', 'c', 10, 22, 20, '0x'",
        "1, 1, 'p', 'c', 10, 10, 20, NULL",
        "1, 1, 'p', 'c', NULL, NULL, 20, '0x'",
        "2, 1, 'p', 'c', 10, 10, 20, '0x'",
    ],
)
def test_state_that_cannot_be_is_refused(row: str) -> None:
    """The pages begin within what is held, or just behind it; all of it is known or none."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        connection.execute("INSERT INTO state VALUES (1, 1, 'p', 'c', 10, 21, 20, '0x')")
        connection.execute("DELETE FROM state")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(f"INSERT INTO state VALUES ({row})")  # noqa: S608
