"""Incidents in the file: what an edge does to them. Functions of a connection in a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import replace

from monitor.history.record import FORGOTTEN, Edge, level_of
from monitor.model import Key, Level

STEPS_KEPT_MAX = 100
"""Of one incident: the first, and the newest. A finding may go to and fro for days."""
FORGETFUL_KINDS = ("node:", "reference:")
"""Subjects that the configuration names; others come and go with what they speak of."""


def apply(connection: sqlite3.Connection, edge: Edge) -> None:
    """Open, continue or close the incident of the edge's key.

    One that is open already, from before a restart, goes on; a change whose opening was lost opens
    one; and a closing whose incident is gone changes nothing.
    """
    found = connection.execute(
        "SELECT id, level, worst, reason FROM incidents"
        " WHERE check_name = ? AND subject = ? AND closed_at IS NULL",
        edge.key,
    ).fetchone()
    if found is None:
        if edge.kind != "closed":
            _add_step(connection, _begin(connection, edge), replace(edge, kind="opened"))
        return
    number, level, worst, reason = found
    if edge.kind == "closed":
        connection.execute("UPDATE incidents SET closed_at = ? WHERE id = ?", (edge.at, number))
        _add_step(connection, number, replace(edge, before=level_of(level)))
        return
    connection.execute(
        "UPDATE incidents SET level = ?, worst = ?, reason = ?, summary = ?,"
        " because_check = ?, because_subject = ? WHERE id = ?",
        (
            edge.level.word,
            max(edge.level, level_of(worst)).word,
            edge.reason,
            edge.summary,
            *_because(edge),
            number,
        ),
    )
    # After a restart what was so before is not told as news.
    if (edge.level.word, edge.reason) != (level, reason):
        _add_step(connection, number, replace(edge, kind="changed", before=level_of(level)))


def open_keys(connection: sqlite3.Connection) -> frozenset[Key]:
    """The keys of the incidents that are open."""
    rows = connection.execute("SELECT check_name, subject FROM incidents WHERE closed_at IS NULL")
    return frozenset((check, subject) for check, subject in rows)


def is_forgotten(subject: str, configured: Collection[str]) -> bool:
    """Whether a subject is one that the configuration would name, and does not."""
    return subject.startswith(FORGETFUL_KINDS) and subject not in configured


def forget(connection: sqlite3.Connection, configured: Collection[str], at: float) -> int:
    """Close the open incidents of nodes and references that are no longer configured; how many."""
    rows = connection.execute(
        "SELECT check_name, subject, network, level FROM incidents WHERE closed_at IS NULL"
    ).fetchall()
    gone = [row for row in rows if is_forgotten(row[1], configured)]
    for check, subject, network, level in gone:
        edge = Edge(
            at=at,
            kind="closed",
            key=(check, subject),
            network=network,
            level=Level.UNKNOWN,
            before=level_of(level),
            reason=FORGOTTEN,
            summary="no longer configured",
            because=None,
            evidence="",
            silenced=False,
        )
        apply(connection, edge)
    return len(gone)


def _begin(connection: sqlite3.Connection, edge: Edge) -> int:
    made = connection.execute(
        "INSERT INTO incidents (check_name, subject, network, opened_at, level, worst, reason,"
        " summary, because_check, because_subject, silenced)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *edge.key,
            edge.network,
            edge.at,
            edge.level.word,
            edge.level.word,
            edge.reason,
            edge.summary,
            *_because(edge),
            edge.silenced,
        ),
    )
    return int(made.lastrowid or 0)


def _add_step(connection: sqlite3.Connection, incident: int, edge: Edge) -> None:
    (last,) = connection.execute(
        "SELECT coalesce(max(number), 0) FROM steps WHERE incident = ?", (incident,)
    ).fetchone()
    connection.execute(
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            incident,
            last + 1,
            edge.at,
            edge.kind,
            edge.level.word,
            edge.before.word,
            edge.reason,
            edge.summary,
            edge.evidence,
        ),
    )
    connection.execute(
        "DELETE FROM steps WHERE incident = ? AND number > 1 AND number <= ?",
        (incident, last + 2 - STEPS_KEPT_MAX),
    )


def _because(edge: Edge) -> tuple[str | None, str | None]:
    return edge.because or (None, None)
