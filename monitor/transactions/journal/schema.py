"""The tables, the promises they keep by themselves, and how older files are brought forward.

A file says of itself that it is ours (`application_id`) and which version it has (`user_version`).
A migration is one transaction: a kill in the middle of it leaves the older version. Amounts of wei
are TEXT: they may exceed the 64 bits of an INTEGER (Datatypes In SQLite, 2).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from monitor.migrations import bring_forward

APPLICATION_ID = 0x6864776A
"""`hdwj`, in the header of the file (SQLite file format, 1.3.15)."""
RAW_BYTES_MAX = 2 * 2**20
"""Of one transaction: the network form of nine blobs is 1.2 MB (EIP-4844, EIP-7594)."""

_HASH = "CHECK (length({0}) = 66 AND {0} = lower({0}) AND {0} GLOB '0x*')"
_OF_SLOT = "slot INTEGER NOT NULL REFERENCES slot (id) ON DELETE CASCADE"
_SLOT = """
CREATE TABLE slot (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    chain_id INTEGER NOT NULL, sender TEXT NOT NULL CHECK (
        length(sender) = 42 AND sender = lower(sender) AND sender GLOB '0x*'),
    nonce INTEGER NOT NULL CHECK (nonce >= 0),
    network TEXT NOT NULL, alias TEXT NOT NULL,
    state TEXT NOT NULL, since REAL NOT NULL,
    first_seen_at REAL NOT NULL, first_seen_number INTEGER,
    mined_number INTEGER, mined_hash TEXT, mined_at REAL,
    closed_at REAL, consumer_hash TEXT,
    UNIQUE (chain_id, sender, nonce),
    CHECK ((closed_at IS NOT NULL) = (state IN (
        'final_ok', 'final_reverted', 'replaced_same', 'cancelled', 'replaced_other')))
)"""
_LEASE = f"""
CREATE TABLE lease (
    id INTEGER PRIMARY KEY AUTOINCREMENT, {_OF_SLOT},
    kind TEXT NOT NULL CHECK (kind IN ('replace', 'cancel', 'fill')),
    at REAL NOT NULL, ended_at REAL
)"""
_ATTEMPT = f"""
CREATE TABLE attempt (
    hash TEXT NOT NULL PRIMARY KEY {_HASH.format("hash")}, {_OF_SLOT},
    kind TEXT NOT NULL CHECK (kind IN ('observed', 'replace', 'cancel', 'fill')),
    first_seen_at REAL NOT NULL, source TEXT NOT NULL,
    lease INTEGER REFERENCES lease (id), signed_number INTEGER,
    type INTEGER, of_chain INTEGER, recipient TEXT, value_wei TEXT, gas TEXT, fee_cap_wei TEXT,
    tip_cap_wei TEXT, blob_fee_cap_wei TEXT, blob_count INTEGER, authorizations INTEGER,
    calldata BLOB, raw BLOB CHECK (length(raw) BETWEEN 1 AND {RAW_BYTES_MAX}),
    CHECK ((kind = 'observed') = (lease IS NULL)),
    CHECK (kind = 'observed' OR raw IS NOT NULL)
)"""
"""The columns from `type` to `calldata` are the decoded transaction, or all NULL."""
_ACTION = """
CREATE TABLE action (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hash TEXT NOT NULL REFERENCES attempt (hash) ON DELETE CASCADE,
    node TEXT NOT NULL, act TEXT NOT NULL, intent_at REAL NOT NULL,
    done_at REAL, reaction TEXT, message TEXT,
    CHECK ((done_at IS NULL) = (reaction IS NULL))
)"""
_HISTORY = f"""
CREATE TABLE state_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, {_OF_SLOT}, at REAL NOT NULL,
    before TEXT, state TEXT NOT NULL, row TEXT NOT NULL, level TEXT, summary TEXT NOT NULL,
    evidence TEXT NOT NULL, mined_number INTEGER, mined_hash TEXT
)"""
_ARRIVAL = f"""
CREATE TABLE arrival (
    hash TEXT NOT NULL PRIMARY KEY {_HASH.format("hash")},
    at REAL NOT NULL, source TEXT NOT NULL,
    deliveries INTEGER NOT NULL DEFAULT 1,
    refused INTEGER NOT NULL DEFAULT 0, unanswered INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '', answered_at REAL,
    dismissed_at REAL, dismissed_why TEXT,
    raw BLOB NOT NULL CHECK (length(raw) BETWEEN 1 AND {RAW_BYTES_MAX})
)"""
"""`deliveries` counts how often it came; so many answers must be refusals for it to be refused."""

_OBSERVATION = f"""
CREATE TABLE observation (
    id INTEGER PRIMARY KEY AUTOINCREMENT, {_OF_SLOT},
    node TEXT NOT NULL, said TEXT NOT NULL, number INTEGER, at REAL NOT NULL
)"""
_BEAT = """
CREATE TABLE beat (
    network TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL, at REAL NOT NULL
) WITHOUT ROWID"""
_SPENDING = """
CREATE TABLE spending (
    day TEXT NOT NULL, network TEXT NOT NULL, sender TEXT NOT NULL, wei TEXT NOT NULL,
    PRIMARY KEY (day, network, sender)
) WITHOUT ROWID"""
"""Apart from the attempts, so that a budget stands when they are retired."""


def _never(name: str, event: str, when: str, why: str) -> str:
    """A trigger that stops what must not happen."""
    condition = f" WHEN {when}" if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {event}{condition} BEGIN SELECT RAISE(ABORT, '{why}'); END"
    )


_FIRST = (
    "CREATE TABLE fence (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL)",
    "INSERT INTO fence VALUES (1, 0)",
    _BEAT,
    _SPENDING,
    _ARRIVAL,
    _SLOT,
    _LEASE,
    _ATTEMPT,
    _ACTION,
    _HISTORY,
    _OBSERVATION,
    "CREATE INDEX slot_live ON slot (network, sender, nonce) WHERE closed_at IS NULL",
    "CREATE INDEX slot_by_time ON slot (first_seen_at)",
    "CREATE INDEX slot_closed ON slot (closed_at) WHERE closed_at IS NOT NULL",
    "CREATE INDEX slot_mined ON slot (network, mined_at) WHERE mined_at IS NOT NULL",
    "CREATE INDEX slot_consumer ON slot (consumer_hash) WHERE consumer_hash IS NOT NULL",
    "CREATE UNIQUE INDEX lease_open ON lease (slot) WHERE ended_at IS NULL",
    "CREATE INDEX lease_slot ON lease (slot)",
    "CREATE INDEX attempt_slot ON attempt (slot)",
    "CREATE INDEX attempt_lease ON attempt (lease)",
    "CREATE INDEX action_attempt ON action (hash)",
    "CREATE INDEX action_open ON action (id) WHERE done_at IS NULL",
    "CREATE INDEX observation_slot ON observation (slot)",
    "CREATE INDEX state_history_slot ON state_history (slot)",
    _never(
        "slot_closes_once",
        "UPDATE ON slot",
        "OLD.closed_at IS NOT NULL",
        "a closed slot is never changed",
    ),
    _never(
        "slot_is_what_it_is",
        "UPDATE OF id, chain_id, sender, nonce, first_seen_at ON slot",
        "",
        "a slot is the same account and nonce for ever",
    ),
    _never(
        "slot_stays_while_live",
        "DELETE ON slot",
        "OLD.closed_at IS NULL",
        "a live slot is never deleted",
    ),
    _never(
        "lease_needs_an_open_slot",
        "INSERT ON lease",
        "(SELECT closed_at FROM slot WHERE id = NEW.slot) IS NOT NULL",
        "nothing is signed for a closed slot",
    ),
    _never(
        "attempt_needs_its_lease",
        "INSERT ON attempt",
        "NEW.lease IS NOT NULL AND NOT EXISTS (SELECT 1 FROM lease WHERE id = NEW.lease"
        " AND slot = NEW.slot AND kind = NEW.kind AND ended_at IS NULL)",
        "what is signed for us needs an open lease of its slot and kind",
    ),
    _never(
        "attempt_is_what_it_is",
        "UPDATE OF hash, slot, kind, lease, first_seen_at ON attempt",
        "",
        "an attempt is the same for ever",
    ),
    _never(
        "attempt_keeps_its_bytes",
        "UPDATE OF raw ON attempt",
        "OLD.raw IS NOT NULL AND NEW.raw IS NOT OLD.raw",
        "the bytes of an attempt never change",
    ),
    _never(
        "attempt_stays_with_its_slot",
        "DELETE ON attempt",
        "EXISTS (SELECT 1 FROM slot WHERE id = OLD.slot)",
        "an attempt is deleted with its slot only",
    ),
    _never(
        "action_needs_bytes",
        "INSERT ON action",
        "(SELECT raw IS NULL FROM attempt WHERE hash = NEW.hash) IS NOT 0",
        "nothing is sent of which the journal has no bytes",
    ),
    _never(
        "action_needs_an_open_slot",
        "INSERT ON action",
        "(SELECT closed_at FROM slot JOIN attempt ON attempt.slot = slot.id"
        " WHERE attempt.hash = NEW.hash) IS NOT NULL",
        "nothing is sent for a closed slot",
    ),
    _never(
        "action_is_concluded_once",
        "UPDATE ON action",
        "OLD.done_at IS NOT NULL",
        "an action is concluded once",
    ),
    _never(
        "action_is_what_it_is",
        "UPDATE OF id, hash, node, act, intent_at ON action",
        "",
        "an intent is never changed",
    ),
    _never(
        "action_stays_with_its_attempt",
        "DELETE ON action",
        "EXISTS (SELECT 1 FROM attempt WHERE hash = OLD.hash)",
        "an action is deleted with its slot only",
    ),
    _never("state_history_is_append_only", "UPDATE ON state_history", "", "history never changes"),
    _never(
        "state_history_stays_with_its_slot",
        "DELETE ON state_history",
        "EXISTS (SELECT 1 FROM slot WHERE id = OLD.slot)",
        "history is deleted with its slot only",
    ),
)

_SECOND = (
    # Of the day's budget, for as long as the lease is open; NULL: nothing.
    "ALTER TABLE lease ADD COLUMN reserved_wei TEXT",
    # What is read in every round, beside what lies there until it is retired.
    "CREATE INDEX arrival_news ON arrival (at) WHERE dismissed_at IS NULL AND refused < deliveries",
)

MIGRATIONS: Sequence[Sequence[str]] = (_FIRST, _SECOND)
"""From version 0, which is an empty file, each to the next. Add to the end; change none."""
VERSION = len(MIGRATIONS)


def migrate(
    connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring a file forward to the newest version; it must be none newer."""
    bring_forward(connection, migrations, APPLICATION_ID)
