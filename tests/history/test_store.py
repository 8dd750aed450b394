"""What is written: sums that add up, batches that become less, windows with their ids."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.history import reads
from monitor.history.opening import open_file, open_reading
from monitor.history.store import RESOLUTIONS, Batch, Store, read_windows
from monitor.history.tally import Row
from monitor.maintenance import Window
from monitor.model import Level
from tests.act.snapshots import NOW
from tests.history.samples import MINUTE, edge, minutes, row, store

ROOT = Path(__file__).resolve().parents[2]


def sums(target: Store, table: str) -> list[tuple[int, ...]]:
    columns = "starts_at, ok, unknown, degraded, failed, head, lag, network_head"
    query = f"SELECT {columns} FROM {table}"  # noqa: S608 - constants
    return target.connection.execute(query).fetchall()


def test_minutes_are_written_in_every_resolution() -> None:
    """The last head, the largest lag, and each second once in each table."""
    target = store()
    hour = MINUTE - MINUTE % 3600
    target.write(minutes({hour: row(60, head=7, lag=0, network_head=7)}))
    target.write(minutes({hour: row(0, 1.5, head=None, lag=None)}))
    target.write(minutes({hour + 660: row(0, 0, 0, 2, head=9, lag=-1, network_head=8)}))
    assert sums(target, "minutes") == [
        (hour, 60_000, 1500, 0, 0, 7, 0, 7),
        (hour + 660, 0, 0, 0, 2000, 9, -1, 8),
    ]
    assert [each[0] for each in sums(target, "tens")] == [hour, hour + 600]
    assert sums(target, "hours") == [(hour, 60_000, 1500, 0, 2000, 9, 0, 8)]


numbers = st.none() | st.integers(-(2**80), 2**80)
rows = st.builds(
    Row,
    st.lists(st.floats(0, 60), min_size=4, max_size=4),
    head=numbers,
    lag=numbers,
    network_head=numbers,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.sampled_from("abc"), rows), max_size=20))
def test_sums_of_all_tables_are_the_same(told: list[tuple[int, str, Row]]) -> None:
    """Whatever numbers nodes name, what is summed by the minute is summed by the hour."""
    target = store()
    for offset, subject, each in told:
        target.write(minutes({MINUTE + 60 * offset: each}, subject))
    columns = "subject, sum(ok), sum(unknown), sum(degraded), sum(failed), max(lag)"
    totals = {}
    for table in RESOLUTIONS:
        query = f"SELECT {columns} FROM {table} GROUP BY subject"  # noqa: S608 - constants
        totals[table] = target.connection.execute(query).fetchall()
    assert totals["minutes"] == totals["tens"] == totals["hours"]


def test_batch_becomes_less_as_it_is_written_and_nothing_counts_twice() -> None:
    """After an error what is left is tried again, and what was written is not."""
    target = store()
    batch = minutes({MINUTE + 60 * n: row(60) for n in range(10)})
    batch.edges = [edge(at=NOW + n, key=("head", f"node:{n}")) for n in range(25)]
    batch.spent = {"2026-11-18": {"ethereum/a": 5}}
    calls = 0

    def make_room() -> None:
        nonlocal calls
        calls += 1
        if calls in {3, 9}:
            message = "database or disk is full"
            raise sqlite3.OperationalError(message)

    for edges, left in ((5, 10), (0, 6)):
        with pytest.raises(sqlite3.OperationalError):
            target.write(batch, make_room)
        assert (len(batch.edges), len(batch.rows)) == (edges, left)
    target.write(batch, make_room)
    assert batch == Batch()
    assert [each[1] for each in sums(target, "minutes")] == [60_000] * 10
    found = reads.incidents(target.connection, subject=None, network=None, since=0, limit=99)
    assert len(found) == 25
    assert reads.spent(target.connection, "2026-11-18") == {"ethereum/a": 5}


def test_transaction_that_fails_forgets_the_ids_it_gave() -> None:
    """A subject whose row was rolled back is not written under an id that nobody has."""
    target = store()
    target.connection.execute("CREATE TABLE full (x)")
    target.connection.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON hours BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    batch = minutes({MINUTE: row(60)})
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        target.write(batch)
    assert not target.connection.execute("SELECT * FROM subjects").fetchall()
    target.connection.execute("DROP TRIGGER refuse")
    target.write(batch)
    query = "SELECT name FROM minutes JOIN subjects ON subjects.id = subject"
    assert target.connection.execute(query).fetchall() == [("node:local",)]


def test_spent_calls_only_grow() -> None:
    """A write that comes late does not bring a budget back."""
    target = store()
    for calls in (5, 9, 7):
        target.write(Batch(spent={"2026-11-18": {"ethereum/a": calls}}))
    assert reads.spent(target.connection, "2026-11-18") == {"ethereum/a": 9}
    assert reads.spent(target.connection, "2026-11-19") == {}


def window(start: float = NOW, end: float = NOW + 600) -> Window:
    return Window("", start, end, ("ethereum",), ("main", "spare"), "größer", "ada")


def test_windows_get_ids_that_never_come_again() -> None:
    """`w1`, `w2`, …: also after the last was deleted."""
    target = store()
    first, second = target.add_window(window()), target.add_window(window(NOW + 9))
    assert (first.id, second.id) == ("w1", "w2")
    assert second == Window(
        "w2", NOW + 9, NOW + 600, ("ethereum",), ("main", "spare"), "größer", "ada"
    )
    target.connection.execute("DELETE FROM windows")
    assert target.add_window(window()).id == "w3"


def test_window_is_ended_once_and_now_or_called_off() -> None:
    """One that is active ends now, one that is planned never begins, one that is over stays so."""
    target = store()
    for start in (NOW - 10, NOW + 100, NOW - 1000):
        target.add_window(window(start, start + 600))
    active = target.end_window(1, actor="bob", now=NOW)
    planned = target.end_window(2, actor="bob", now=NOW)
    assert active is not None
    assert planned is not None
    assert (active.ends_at, active.ended_by) == (NOW, "bob")
    assert (planned.starts_at, planned.ends_at) == (NOW + 100, NOW + 100)
    assert not any(planned.is_active(NOW + s) for s in (0, 100, 200))
    for number in (1, 2, 3, 4):
        assert target.end_window(number, actor="eve", now=NOW + 1) is None
    assert [w.id for w in read_windows(target.connection)] == ["w2", "w1", "w3"]
    assert not read_windows(target.connection, after=NOW)


def test_windows_are_restored_under_the_ids_that_people_know() -> None:
    """After a file was lost; what is there already is not changed."""
    target, other = store(), store()
    made = [target.add_window(window(NOW + n)) for n in range(3)]
    other.restore_windows(made[1:])
    other.restore_windows([made[2]])
    assert read_windows(other.connection) == made[:0:-1]
    assert other.add_window(window()).id == "w4"


WRITER = """
import sys
from pathlib import Path
from monitor.history.opening import open_file
from monitor.history.store import Batch, Store
from tests.history.samples import MINUTE, edge, row
store = Store(open_file(Path(sys.argv[1]), 0.0).connection)
for n in range(10**9):
    rows = {MINUTE + 60 * n: {f"node:{i}": row(head=n) for i in range(50)}}
    store.write(Batch([edge(at=float(n), key=("head", f"node:{n}"))], rows))
    print(n, flush=True)
"""


def test_file_is_readable_after_a_kill_at_any_instant(tmp_path: Path) -> None:
    """Killed in the middle of writing: the file is whole, and all that was written is in it.

    Each round goes on where the last was killed, after another number of writes.
    """
    path = tmp_path / "history.sqlite"
    for count in (1, 2, 3, 40, 150):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            said = [int(child.stdout.readline()) for _ in range(count)][-1]
            child.kill()
            rest = [int(line) for line in child.stdout if line.endswith("\n")]
        said = rest[-1] if rest else said
        with closing(open_reading(path, lambda: False)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            (newest,) = connection.execute("SELECT max(starts_at) FROM minutes").fetchone()
            assert newest >= MINUTE + 60 * said
            # A minute is there whole or not at all.
            counts = "SELECT DISTINCT n FROM (SELECT count(*) AS n FROM minutes GROUP BY starts_at)"
            assert connection.execute(counts).fetchall() == [(50,)]
            found = reads.incidents(connection, subject=None, network=None, since=0, limit=500)
            assert {f"node:{n}" for n in range(min(said, 400))} <= {i.subject for i in found}
            assert all(i.level == Level.FAILED for i in found)
        opened = open_file(path, NOW)
        assert opened.said == ""
        opened.connection.close()
