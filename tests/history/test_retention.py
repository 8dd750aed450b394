"""What goes, and when: by its age, and the oldest first where room is short."""

from __future__ import annotations

import random
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from monitor.history import reads
from monitor.history.opening import open_file
from monitor.history.retention import expire, make_room, size_bytes
from monitor.history.store import Batch, Store
from monitor.maintenance import Window
from monitor.model import Level
from tests.act.snapshots import NOW
from tests.history.samples import DAY, MINUTE, edge, minutes, row, store

MEBIBYTE = 2**20


def begins(target: Store, table: str) -> list[int]:
    rows = target.connection.execute(f"SELECT starts_at FROM {table}")  # noqa: S608 - a constant
    return [at for (at,) in rows]


def test_minutes_last_a_day_and_hours_the_retention() -> None:
    """A minute of the day before yesterday is an hour now, and then nothing."""
    target = store()
    ages = [60, DAY - 120, DAY + 7200, 29 * DAY, 31 * DAY]
    target.write(minutes({MINUTE - age: row() for age in ages}))
    expire(target, NOW, 30 * DAY)
    assert begins(target, "minutes") == [MINUTE - age for age in (DAY - 120, 60)]
    assert len(begins(target, "tens")) == 2
    assert len(begins(target, "hours")) == 4
    expire(target, NOW + 60 * DAY, 30 * DAY)
    assert not begins(target, "hours")
    assert not target.connection.execute("SELECT * FROM subjects").fetchall()
    # Ids are not remembered longer than the rows that have them.
    target.write(minutes({MINUTE: row()}))
    assert target.connection.execute("SELECT name FROM subjects").fetchall() == [("node:local",)]


def test_incidents_last_the_retention_after_their_end() -> None:
    """An incident that is open is never too old; steps go with theirs."""
    target = store()
    for days in (90, 31, 29):
        key = ("head", f"node:{days}")
        target.write(
            Batch(
                [
                    edge(at=NOW - days * DAY, key=key),
                    edge("closed", Level.OK, NOW - days * DAY + 60, key=key),
                ]
            )
        )
    target.write(Batch([edge(at=NOW - 99 * DAY)]))
    expire(target, NOW, 30 * DAY)
    found = reads.incidents(target.connection, subject=None, network=None, since=0, limit=9)
    assert [each.subject for each in found] == ["node:29", "node:local"]
    assert target.connection.execute("SELECT count(*) FROM steps").fetchone() == (3,)


def test_budgets_and_windows_last_as_long_as_they_are_of_use() -> None:
    """Spent calls a few days, windows the retention."""
    target = store()
    for day in ("2026-11-10", "2026-11-15", "2026-11-18"):
        target.write(Batch(spent={day: {"ethereum/a": 1}}))
    for days in (40, 20):
        start = NOW - days * DAY
        target.add_window(Window("", start, start + 60, (), (), "why", "me"))
    expire(target, NOW, 30 * DAY)
    spent = target.connection.execute("SELECT day FROM spent").fetchall()
    assert spent == [("2026-11-15",), ("2026-11-18",)]
    assert target.connection.execute("SELECT id FROM windows").fetchall() == [(2,)]


def test_file_stays_below_its_limit_and_loses_the_oldest(tmp_path: Path) -> None:
    """A fleet that is too large for its file keeps as much of the newest as fits."""
    path = tmp_path / "history.sqlite"
    with closing(open_file(path, NOW).connection) as connection:
        target = Store(connection)
        largest = 0
        for n in range(400):
            now = MINUTE + 60 * n
            batch = Batch(rows={now: {f"node:{i}": row(head=now) for i in range(100)}})
            if n % 5 == 0:
                key = ("head", f"node:{n}")
                batch.edges = [
                    edge(at=now, key=key, reason="x" * 400),
                    edge("closed", Level.OK, now + 1, key=key),
                ]
            target.write(batch, partial(make_room, target, now, MEBIBYTE))
            largest = max(largest, path.stat().st_size)
        make_room(target, now, MEBIBYTE)
        assert largest <= MEBIBYTE
        assert size_bytes(connection) <= 0.91 * MEBIBYTE
        kept = sorted(set(begins(target, "minutes")))
        # An unbroken stretch until now, of more than half of what there is room for.
        assert kept == list(range(kept[0], now + 1, 60))
        assert MINUTE < kept[0] < now - 3600
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (orphans,) = connection.execute(
            "SELECT count(*) FROM steps WHERE incident NOT IN (SELECT id FROM incidents)"
        ).fetchone()
        assert orphans == 0


def test_limit_that_is_lowered_is_kept_at_once(tmp_path: Path) -> None:
    """A file that was allowed more gives its pages back to the disk."""
    path = tmp_path / "history.sqlite"
    with closing(open_file(path, NOW).connection) as connection:
        target = Store(connection)
        rows = {MINUTE + 60 * n: {f"node:{i}": row() for i in range(100)} for n in range(600)}
        target.write(Batch(rows=rows))
        assert size_bytes(connection) > 1.5 * MEBIBYTE
        make_room(target, MINUTE + 36_000, MEBIBYTE)
        assert size_bytes(connection) <= 0.91 * MEBIBYTE
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert path.stat().st_size <= MEBIBYTE
        assert begins(target, "minutes")


def test_room_that_cannot_be_made_is_given_up() -> None:
    """What is open is not deleted, and the search for more ends."""
    target = store()
    target.write(Batch([edge(key=("head", f"node:{n}")) for n in range(300)]))
    make_room(target, NOW + 60, 16_384)
    assert target.connection.execute("SELECT count(*) FROM incidents").fetchone() == (300,)


@pytest.mark.wide
def test_month_of_two_hundred_nodes_is_far_below_the_default_limit(tmp_path: Path) -> None:
    """30 days with an incident every quarter of an hour: measured at 43 MiB of 256."""
    path = tmp_path / "history.sqlite"
    chance = random.Random(1)  # noqa: S311 - seeded, to be measured again
    subjects = [f"node:node-{n:03d}" for n in range(200)] + [f"reference:net/{n}" for n in "abcde"]
    with closing(open_file(path, NOW).connection) as connection:
        target = Store(connection)
        for n in range(30 * 1440):
            now = MINUTE + 60 * n
            height = 21_000_000 + 5 * n
            batch = Batch(
                rows={
                    now: {
                        each: row(
                            60.0 - (chance.random() < 0.01),
                            head=height,
                            lag=chance.randrange(4),
                            network_head=height + 1,
                        )
                        for each in subjects
                    }
                }
            )
            if n % 15 == 0:
                key = ("head", chance.choice(subjects))
                batch.edges = [
                    edge(at=now, key=key, reason="x" * 1500),
                    edge("closed", Level.OK, now + 1, key=key),
                ]
            target.write(batch)
            if n % 60 == 0:
                expire(target, now, 30 * DAY)
        assert size_bytes(connection) < 80 * MEBIBYTE
