"""The tables of the tail, and how a file of an older version comes to have them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from monitor.migrations import bring_forward

APPLICATION_ID = 0x6864776C
"""In the header of the file: whose it is."""

_BYTES = "sha256 BLOB NOT NULL, body BLOB NOT NULL CHECK (typeof(body) = 'blob')"
_STATE = """
CREATE TABLE state (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    chain_id INTEGER NOT NULL, protocol TEXT NOT NULL, contract TEXT NOT NULL,
    held_from INTEGER, tail_from INTEGER, held_to INTEGER, held_hash TEXT,
    CHECK (held_from <= tail_from AND tail_from <= held_to + 1),
    CHECK ((held_from IS NULL) + (tail_from IS NULL) + (held_to IS NULL) + (held_hash IS NULL)
        IN (0, 4))
)"""
"""One row: which ledger, which blocks are held, and from where on the pages hold them."""
_PAGE = f"""
CREATE TABLE page (
    first INTEGER PRIMARY KEY, last INTEGER NOT NULL CHECK (last >= first),
    last_hash TEXT NOT NULL, logs INTEGER NOT NULL,
    {_BYTES}
)"""
_SNAPSHOT = f"""
CREATE TABLE snapshot (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    block INTEGER NOT NULL, hash TEXT NOT NULL, {_BYTES}
)"""
_FACTS = f"""
CREATE TABLE facts (
    key TEXT NOT NULL PRIMARY KEY, block INTEGER NOT NULL, {_BYTES}
)"""

MIGRATIONS: Sequence[Sequence[str]] = ((_STATE, _PAGE, _SNAPSHOT, _FACTS),)
"""From version 0, which is an empty file, each to the next. Add to the end; change none."""


def migrate(
    connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring a file forward to the newest version; it must be none newer."""
    bring_forward(connection, migrations, APPLICATION_ID)
