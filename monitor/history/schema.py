"""The tables, and how older files are brought forward: one script for each version.

A file says of itself that it is ours (`application_id`) and which version it has (`user_version`).
A migration is one transaction: a kill in the middle of it leaves the older version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from monitor.migrations import bring_forward

APPLICATION_ID = 0x68647768
"""`hdwh`, in the header of the file (SQLite file format, 1.3.15)."""

_SUMS = """(
    starts_at INTEGER NOT NULL, subject INTEGER NOT NULL,
    ok INTEGER NOT NULL, unknown INTEGER NOT NULL, degraded INTEGER NOT NULL,
    failed INTEGER NOT NULL, head INTEGER, lag INTEGER, network_head INTEGER,
    PRIMARY KEY (starts_at, subject)
) WITHOUT ROWID"""
"""By time first, so that what is written together lies together. Levels are in milliseconds."""

_PAST = f"""
CREATE TABLE subjects (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE minutes {_SUMS};
CREATE TABLE tens {_SUMS};
CREATE TABLE hours {_SUMS};
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT, check_name TEXT NOT NULL, subject TEXT NOT NULL,
    network TEXT NOT NULL, opened_at REAL NOT NULL, closed_at REAL,
    level TEXT NOT NULL, worst TEXT NOT NULL, reason TEXT NOT NULL, summary TEXT NOT NULL,
    because_check TEXT, because_subject TEXT, silenced INTEGER NOT NULL
);
CREATE UNIQUE INDEX incidents_open ON incidents (check_name, subject) WHERE closed_at IS NULL;
CREATE INDEX incidents_by_time ON incidents (opened_at);
CREATE INDEX incidents_by_subject ON incidents (subject, opened_at);
CREATE TABLE steps (
    incident INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, at REAL NOT NULL, kind TEXT NOT NULL,
    level TEXT NOT NULL, before TEXT NOT NULL, reason TEXT NOT NULL, summary TEXT NOT NULL,
    evidence TEXT NOT NULL, PRIMARY KEY (incident, number)
) WITHOUT ROWID
"""
"""Version 1: incidents and bars. `tens` are ten minutes: a fleet's day has few enough of them."""

_KEPT = """
CREATE TABLE spent (
    day TEXT NOT NULL, reference TEXT NOT NULL, calls INTEGER NOT NULL,
    PRIMARY KEY (day, reference)
) WITHOUT ROWID;
CREATE TABLE windows (
    id INTEGER PRIMARY KEY AUTOINCREMENT, starts_at REAL NOT NULL, ends_at REAL NOT NULL,
    networks TEXT NOT NULL, nodes TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
    ended_by TEXT NOT NULL DEFAULT ''
)
"""
"""Version 2: budgets and one-off windows. `networks` and `nodes` are JSON lists."""

MIGRATIONS: Sequence[str] = (_PAST, _KEPT)
"""From version 0, which is an empty file, each to the next. Add to the end; change none."""
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Bring a file forward to the newest version; it must be none newer."""
    bring_forward(connection, [script.split(";") for script in migrations], APPLICATION_ID)
