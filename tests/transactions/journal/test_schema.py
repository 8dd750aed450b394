"""The promises that the file keeps by itself, whatever a program does to it."""

# ruff: noqa: S608 - the statements are the tests

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from monitor.migrations import application_of, version_of
from monitor.transactions.journal.schema import (
    APPLICATION_ID,
    MIGRATIONS,
    RAW_BYTES_MAX,
    VERSION,
    migrate,
)
from monitor.transactions.words import TERMINAL, State
from tests.transactions.journal.samples import OTHER, SENDER, hash_of

SLOT = (
    "INSERT INTO slot (id, chain_id, sender, nonce, network, alias, state, since, first_seen_at)"
    f" VALUES ({{}}, 1, '{SENDER}', {{}}, 'mainnet', 'a', 'pending', 1, 1)"
)
LEASE = "INSERT INTO lease (id, slot, kind, at) VALUES ({}, {}, '{}', 1)"
HISTORY = (
    "INSERT INTO state_history (slot, at, state, row, summary, evidence)"
    " VALUES ({}, 1, 'pending', '', '', '')"
)
CLOSE = "UPDATE slot SET state = 'final_ok', closed_at = 2 WHERE id = {}"
FIRST, SECOND, BARE, REPLACEMENT = (hash_of(name) for name in ("a", "b", "bare", "c"))


def attempt(hash_: str, slot: int, kind: str, lease: str = "NULL", raw: str = "x'02'") -> str:
    return (
        "INSERT INTO attempt (hash, slot, kind, first_seen_at, source, lease, raw)"
        f" VALUES ('{hash_}', {slot}, '{kind}', 1, 's', {lease}, {raw})"
    )


def action(number: int, hash_: str) -> str:
    return (
        "INSERT INTO action (id, hash, node, act, intent_at)"
        f" VALUES ({number}, '{hash_}', 'ref', 'rebroadcast', 1)"
    )


@pytest.fixture
def filled(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Slot 1 with one of everything, slot 2 with nothing, slot 3 closed."""
    for statement in (
        *(SLOT.format(number, number) for number in (1, 2, 3)),
        attempt(FIRST, 1, "observed"),
        attempt(BARE, 1, "observed", raw="NULL"),
        attempt(SECOND, 3, "observed"),
        LEASE.format(1, 1, "replace"),
        action(1, FIRST),
        "UPDATE action SET done_at = 2, reaction = 'known' WHERE id = 1",
        action(2, FIRST),
        "INSERT INTO observation (slot, node, said, at) VALUES (1, 'n', 'pending', 1)",
        HISTORY.format(1),
        HISTORY.format(3),
        CLOSE.format(3),
    ):
        connection.execute(statement)
    return connection


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (SLOT.format(9, 1), "UNIQUE"),
        (SLOT.format(9, -1), "nonce >= 0"),
        (SLOT.format(9, 9).replace(SENDER, SENDER.upper()), "sender"),
        (SLOT.format(9, 9).replace(SENDER, SENDER[:-1]), "sender"),
        ("UPDATE slot SET state = 'final_ok' WHERE id = 1", "closed_at"),
        ("UPDATE slot SET closed_at = 2 WHERE id = 1", "closed_at"),
        ("UPDATE slot SET nonce = 9 WHERE id = 1", "same account and nonce"),
        (f"UPDATE slot SET sender = '{OTHER}' WHERE id = 1", "same account and nonce"),
        (CLOSE.format(3), "closed slot is never changed"),
        ("UPDATE slot SET state = 'pending', closed_at = NULL WHERE id = 3", "never changed"),
        ("UPDATE slot SET mined_number = 5 WHERE id = 3", "never changed"),
        ("DELETE FROM slot WHERE id = 1", "live slot is never deleted"),
        (LEASE.format(9, 1, "replace"), "UNIQUE"),
        (LEASE.format(9, 2, "observed"), "kind"),
        (LEASE.format(9, 3, "replace"), "closed slot"),
        (attempt(FIRST, 2, "observed"), "UNIQUE"),
        (attempt(REPLACEMENT, 1, "replace"), "lease IS NULL"),
        (attempt(REPLACEMENT, 1, "observed", "1"), "needs an open lease"),
        (attempt(REPLACEMENT, 1, "cancel", "1"), "needs an open lease"),
        (attempt(REPLACEMENT, 2, "replace", "1"), "needs an open lease"),
        (attempt(REPLACEMENT, 1, "replace", "7"), "needs an open lease"),
        (attempt(REPLACEMENT, 1, "replace", "1", raw="NULL"), "raw IS NOT NULL"),
        (attempt(REPLACEMENT, 1, "observed", raw="x''"), "length"),
        (attempt(REPLACEMENT, 1, "observed", raw=f"zeroblob({RAW_BYTES_MAX + 1})"), "length"),
        (attempt(REPLACEMENT, 77, "observed"), "FOREIGN KEY"),
        (attempt(REPLACEMENT.upper(), 1, "observed"), "hash"),
        (attempt(REPLACEMENT[:-1], 1, "observed"), "hash"),
        (f"UPDATE attempt SET raw = x'03' WHERE hash = '{FIRST}'", "never change"),
        (f"UPDATE attempt SET raw = NULL WHERE hash = '{FIRST}'", "never change"),
        (f"UPDATE attempt SET kind = 'replace' WHERE hash = '{FIRST}'", "same for ever"),
        (f"DELETE FROM attempt WHERE hash = '{FIRST}'", "with its slot only"),
        (action(9, BARE), "no bytes"),
        (action(9, REPLACEMENT), "no bytes"),
        (action(9, SECOND), "closed slot"),
        ("UPDATE action SET reaction = 'invalid' WHERE id = 1", "concluded once"),
        ("UPDATE action SET done_at = NULL, reaction = NULL WHERE id = 1", "concluded once"),
        ("UPDATE action SET done_at = 2 WHERE id = 2", "reaction"),
        ("UPDATE action SET node = 'other' WHERE id = 2", "never changed"),
        ("DELETE FROM action WHERE id = 1", "with its slot only"),
        ("UPDATE state_history SET summary = 'all well'", "history never changes"),
        ("DELETE FROM state_history WHERE slot = 1", "with its slot only"),
        ("DELETE FROM state_history WHERE slot = 3", "with its slot only"),
        ("INSERT INTO fence VALUES (2, 1)", "only"),
    ],
)
def test_file_refuses_what_would_break_a_promise(
    filled: sqlite3.Connection, statement: str, words: str
) -> None:
    """No statement, of whatever program, gets past the schema."""
    with pytest.raises(sqlite3.IntegrityError, match=words):
        filled.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        SLOT.format(9, 9),
        "UPDATE slot SET state = 'dropped', alias = 'b', mined_number = 3 WHERE id = 1",
        CLOSE.format(1),
        LEASE.format(9, 2, "fill"),
        attempt(REPLACEMENT, 1, "replace", "1"),
        attempt(REPLACEMENT, 3, "observed"),
        attempt(REPLACEMENT, 1, "observed", raw=f"zeroblob({RAW_BYTES_MAX})"),
        f"UPDATE attempt SET raw = x'02' WHERE hash = '{BARE}'",
        f"UPDATE attempt SET raw = x'02' WHERE hash = '{FIRST}'",
        action(9, FIRST),
        "UPDATE action SET done_at = 2, reaction = 'known' WHERE id = 2",
        "DELETE FROM observation",
        "DELETE FROM slot WHERE id = 3",
    ],
)
def test_file_takes_what_keeps_its_promises(filled: sqlite3.Connection, statement: str) -> None:
    """A promise forbids what it says and no more."""
    assert filled.execute(statement).rowcount == 1


def test_lease_that_is_over_signs_nothing(filled: sqlite3.Connection) -> None:
    """An attempt under a lease that was ended is refused."""
    filled.execute("UPDATE lease SET ended_at = 2 WHERE id = 1")
    with pytest.raises(sqlite3.IntegrityError, match="needs an open lease"):
        filled.execute(attempt(REPLACEMENT, 1, "replace", "1"))


def test_closed_slot_is_deleted_with_everything_of_its(filled: sqlite3.Connection) -> None:
    """Retention leaves nothing behind, and nothing in its way."""
    filled.execute(attempt(REPLACEMENT, 1, "replace", "1"))
    filled.execute(action(3, REPLACEMENT))
    filled.execute(CLOSE.format(1))
    filled.execute("DELETE FROM slot WHERE id = 1")
    for table, left in (
        ("attempt", [(3,)]),
        ("lease", []),
        ("observation", []),
        ("state_history", [(3,)]),
    ):
        assert filled.execute(f"SELECT slot FROM {table}").fetchall() == left, table
    assert filled.execute("SELECT count(*) FROM action").fetchone() == (0,)
    assert filled.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("state", list(State))
def test_state_that_closes_is_the_same_for_the_schema(
    filled: sqlite3.Connection, state: State
) -> None:
    """The schema's list of closing states is TERMINAL; whoever adds one needs a migration."""
    closed_at = "2" if state in TERMINAL else "NULL"
    filled.execute(f"UPDATE slot SET state = '{state}', closed_at = {closed_at} WHERE id = 2")
    assert filled.execute("SELECT state FROM slot WHERE id = 2").fetchone() == (state.value,)


def test_numbers_of_slots_and_actions_are_never_given_again(filled: sqlite3.Connection) -> None:
    """A number that is remembered elsewhere never means another slot."""
    filled.execute("DELETE FROM slot WHERE id = 3")
    made = filled.execute(SLOT.format("NULL", 9))
    assert made.lastrowid == 4


def test_migration_marks_the_file_as_ours(connection: sqlite3.Connection) -> None:
    """Whose it is and which version it has stands in the file; a second time changes nothing."""
    assert application_of(connection) == APPLICATION_ID
    assert version_of(connection) == VERSION
    changes = connection.total_changes
    migrate(connection)
    assert connection.total_changes == changes


def test_migration_that_fails_leaves_the_older_version(connection: sqlite3.Connection) -> None:
    """All of it or nothing."""
    broken = (*MIGRATIONS, ("CREATE TABLE later (x)", "CREATE TABLE slot (x)"))
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, broken)
    assert not connection.in_transaction
    assert version_of(connection) == VERSION
    assert (
        connection.execute("SELECT name FROM sqlite_master WHERE name = 'later'").fetchall() == []
    )


def test_migration_brings_an_older_file_forward(connection: sqlite3.Connection) -> None:
    """Each version to the next, with what is in it."""
    connection.execute("UPDATE fence SET epoch = 5")
    migrate(connection, (*MIGRATIONS, ("CREATE TABLE later (x)",)))
    assert version_of(connection) == VERSION + 1
    assert connection.execute("SELECT epoch FROM fence").fetchone() == (5,)


@pytest.mark.parametrize("version", range(1, VERSION))
def test_every_older_version_is_brought_forward(version: int) -> None:
    """With what is in it; the tables are then those of a new file."""
    old = sqlite3.connect(":memory:", isolation_level=None)
    new = sqlite3.connect(":memory:", isolation_level=None)
    with closing(old), closing(new):
        migrate(old, MIGRATIONS[:version])
        old.execute(SLOT.format(1, 1))
        old.execute(LEASE.format(1, 1, "replace"))
        migrate(old)
        migrate(new)
        tables = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
        assert old.execute(tables).fetchall() == new.execute(tables).fetchall()
        assert version_of(old) == VERSION
        assert old.execute("SELECT id, slot, kind FROM lease").fetchall() == [(1, 1, "replace")]
