"""What is written into the file. Synchronous: one thread at a time, with one connection.

Everything is written in transactions that are small beside the file, and what is written is taken
out of the batch; so that after an error the rest can be tried again, and nothing counts twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from monitor.history import incidents
from monitor.history.record import Edge
from monitor.history.tally import Row, Rows
from monitor.maintenance import Window

RESOLUTIONS = {"minutes": 60, "tens": 600, "hours": 3600}
"""The tables of sums, and the seconds that a row of each stands for."""
INTEGER_END = 2**63
EDGES_A_TRANSACTION = 10
"""Some 50 kB at their longest: little beside the smallest file that may be configured."""
_UPSERT = """
INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    ok = ok + excluded.ok, unknown = unknown + excluded.unknown,
    degraded = degraded + excluded.degraded, failed = failed + excluded.failed,
    head = coalesce(excluded.head, head),
    lag = max(coalesce(lag, excluded.lag), coalesce(excluded.lag, lag)),
    network_head = coalesce(excluded.network_head, network_head)
"""
_WINDOW = "id, starts_at, ends_at, networks, nodes, reason, actor, ended_by"


@dataclass(slots=True)
class Batch:
    """What waits to be written. Mutable: it becomes less as it is written."""

    edges: list[Edge] = field(default_factory=list)
    rows: Rows = field(default_factory=dict)
    spent: dict[str, dict[str, int]] = field(default_factory=dict)
    """Calls by day, then by reference."""
    configured: frozenset[str] | None = None
    """The subjects there are; None where that is not known. Incidents of others are closed."""
    at: float = 0.0


class Store:
    """The writing side of one connection, which it owns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._ids: dict[str, int] = {}

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing; the ids of new subjects are forgotten with it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            self._ids.clear()
            # A full disk ends a transaction by itself.
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def write(self, batch: Batch, make_room: Callable[[], None] = lambda: None) -> None:
        """Write and take out of the batch; what an error leaves in it was not written.

        `make_room` is called before each transaction that makes the file longer.
        """
        while batch.edges:
            make_room()
            with self.transaction() as connection:
                for edge in batch.edges[:EDGES_A_TRANSACTION]:
                    incidents.apply(connection, edge)
            del batch.edges[:EDGES_A_TRANSACTION]
        if batch.configured is not None:
            with self.transaction() as connection:
                incidents.forget(connection, batch.configured, batch.at)
            batch.configured = None
        for minute in sorted(batch.rows):
            make_room()
            with self.transaction():
                self._write_minute(minute, batch.rows[minute])
            del batch.rows[minute]
        if batch.spent:
            with self.transaction() as connection:
                connection.executemany(
                    "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                    " SET calls = max(calls, excluded.calls)",
                    [
                        (day, reference, calls)
                        for day, spent in batch.spent.items()
                        for reference, calls in spent.items()
                    ],
                )
            batch.spent = {}

    def forget_ids(self) -> None:
        """Subjects were deleted: look their ids up again."""
        self._ids.clear()

    def _write_minute(self, minute: int, subjects: Mapping[str, Row]) -> None:
        by_id = {self._id(subject): _columns(row) for subject, row in subjects.items()}
        # In the order of their key: each page is touched once.
        ordered = sorted(by_id)
        for table, seconds in RESOLUTIONS.items():
            starts_at = minute - minute % seconds
            self.connection.executemany(
                _UPSERT.format(table=table),
                [(starts_at, number, *by_id[number]) for number in ordered],
            )

    def _id(self, subject: str) -> int:
        found = self._ids.get(subject)
        if found is None:
            self.connection.execute("INSERT OR IGNORE INTO subjects (name) VALUES (?)", (subject,))
            row = self.connection.execute("SELECT id FROM subjects WHERE name = ?", (subject,))
            found = self._ids[subject] = int(row.fetchone()[0])
        return found

    # -- one-off windows -------------------------------------------------------------------------

    def add_window(self, window: Window) -> Window:
        """Write it and give it its id; the given one is not looked at."""
        with self.transaction() as connection:
            made = connection.execute(
                "INSERT INTO windows (starts_at, ends_at, networks, nodes, reason, actor)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    window.starts_at,
                    window.ends_at,
                    json.dumps(window.networks),
                    json.dumps(window.nodes),
                    window.reason,
                    window.actor,
                ),
            )
            number = made.lastrowid or 0
        return next(iter(read_windows(connection, number=number)))

    def restore_windows(self, windows: Sequence[Window]) -> None:
        """Write windows that are known from before, under the ids by which people know them."""
        with self.transaction() as connection:
            connection.executemany(
                f"INSERT OR IGNORE INTO windows ({_WINDOW})"  # noqa: S608 - a constant
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        int(window.id[1:]),
                        window.starts_at,
                        window.ends_at,
                        json.dumps(window.networks),
                        json.dumps(window.nodes),
                        window.reason,
                        window.actor,
                        window.ended_by,
                    )
                    for window in windows
                ],
            )

    def end_window(self, number: int, *, actor: str, now: float) -> Window | None:
        """End it now, or call it off; None where there is none, or none that could be ended."""
        with self.transaction() as connection:
            done = connection.execute(
                "UPDATE windows SET ended_by = ?, ends_at = max(starts_at, ?)"
                " WHERE id = ? AND ended_by = '' AND ends_at > ?",
                (actor, now, number, now),
            )
            if not done.rowcount:
                return None
        return next(iter(read_windows(connection, number=number)))


def read_windows(
    connection: sqlite3.Connection,
    *,
    number: int | None = None,
    after: float | None = None,
    limit: int = 1000,
) -> Sequence[Window]:
    """One-offs, the newest first: one of them, or those that are not over after a time."""
    rows = connection.execute(
        f"SELECT {_WINDOW} FROM windows"  # noqa: S608 - a constant
        " WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR (ends_at > ?2 AND ended_by = ''))"
        " ORDER BY starts_at DESC, id DESC LIMIT ?3",
        (number, after, limit),
    )
    return [
        Window(
            id=f"w{key}",
            starts_at=starts_at,
            ends_at=ends_at,
            networks=tuple(json.loads(networks)),
            nodes=tuple(json.loads(nodes)),
            reason=reason,
            actor=actor,
            ended_by=ended_by,
        )
        for key, starts_at, ends_at, networks, nodes, reason, actor, ended_by in rows
    ]


def _columns(row: Row) -> tuple[int | None, ...]:
    milliseconds = (round(seconds * 1000) for seconds in row.seconds)
    return (*milliseconds, _kept(row.head), _kept(row.lag), _kept(row.network_head))


def _kept(number: int | None) -> int | None:
    """A node may say any number, and SQLite has 64 bits for it (Datatypes In SQLite, 2)."""
    return number if number is not None and abs(number) < INTEGER_END else None
