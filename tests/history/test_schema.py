"""The tables: older files come forward whole, or stay what they are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monitor.history import reads
from monitor.history.opening import open_file, open_memory
from monitor.history.schema import APPLICATION_ID, MIGRATIONS, VERSION, migrate
from monitor.history.store import Store
from monitor.maintenance import Window
from monitor.migrations import version_of
from monitor.model import Level
from tests.act.snapshots import NOW
from tests.history.samples import HEAD, MINUTE


def version_one(path: Path) -> None:
    """A file as version 1 left it, written with its own words and none of today's code."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
        connection.execute("INSERT INTO subjects VALUES (1, 'node:local')")
        connection.execute(
            "INSERT INTO hours VALUES (?, 1, 3000000, 600000, 0, 0, 21, 1, 22)",
            (MINUTE // 3600 * 3600,),
        )
        connection.execute(
            "INSERT INTO incidents VALUES (7, 'head', 'node:local', 'ethereum', ?, NULL,"
            " 'failed', 'failed', 'behind', 'a sentence', NULL, NULL, 0)",
            (NOW - 60,),
        )
        connection.execute(
            "INSERT INTO steps VALUES (7, 1, ?, 'opened', 'failed', 'ok', 'behind', 'a sentence',"
            """ '[["local","m","block 1",5.0,[1,"0xaa",2],"lag",0.5]]')""",
            (NOW - 60,),
        )


def test_file_of_version_one_is_brought_forward_with_all_that_is_in_it(tmp_path: Path) -> None:
    """What was remembered is remembered, and what is new has its place."""
    path = tmp_path / "history.sqlite"
    version_one(path)
    opened = open_file(path, NOW)
    assert opened.said == ""
    with closing(opened.connection) as connection:
        assert version_of(connection) == VERSION
        (incident,) = reads.incidents(connection, subject=None, network=None, since=0, limit=9)
        assert (incident.id, (incident.check, incident.subject)) == (7, HEAD)
        assert (incident.closed_at, incident.level) == (None, Level.FAILED)
        assert incident.steps[0].evidence[0].said == "block 1"
        uptime = reads.uptime(connection, ["node:local"], now=NOW)["node:local"]
        assert uptime.day == pytest.approx(3000 / 3600)
        window = Window("", NOW, NOW + 60, (), (), "why", "me")
        assert Store(connection).add_window(window).id == "w1"
    assert [file.name for file in tmp_path.iterdir()] == ["history.sqlite"]


def test_migration_that_fails_leaves_the_older_version_whole() -> None:
    """A kill in the middle of a migration is a rollback."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:1])
        before = list(connection.iterdump())
        broken = (*MIGRATIONS[:1], "CREATE TABLE more (x); DROP TABLE hours; CREATE TABLE more (x)")
        with pytest.raises(sqlite3.OperationalError, match="more"):
            migrate(connection, broken)
        assert list(connection.iterdump()) == before
        assert version_of(connection) == 1
        migrate(connection)
        assert version_of(connection) == VERSION


def test_new_file_is_marked_as_ours() -> None:
    """`file history.sqlite` and whoever opens it can tell whose it is."""
    with closing(open_memory()) as connection:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        assert application == APPLICATION_ID == int.from_bytes(b"hdwh")
        migrate(connection)
        assert version_of(connection) == VERSION
