"""How an SQLite file of ours comes to have the tables of this version: each step a transaction.

A file says of itself whose it is (`application_id`) and which version it has (`user_version`): both
are in its header (SQLite file format, 1.3). A kill in the middle of a step leaves the version
before it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


def version_of(connection: sqlite3.Connection) -> int:
    """The version that the file says it has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def application_of(connection: sqlite3.Connection) -> int:
    """Whose file it says it is."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def bring_forward(
    connection: sqlite3.Connection, migrations: Sequence[Sequence[str]], application_id: int
) -> None:
    """Bring a file forward to the newest version; it must be none newer.

    `migrations` lead from version 0, which is an empty file, each to the next, by statements.
    """
    for version in range(version_of(connection), len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
