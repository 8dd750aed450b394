"""What was kept in memory while there was no file, as a batch to be written once there is one."""

from __future__ import annotations

import sqlite3

from monitor.history.record import Edge, level_of
from monitor.history.store import Batch
from monitor.history.tally import Row, Rows


def batch_of(connection: sqlite3.Connection) -> Batch:
    """Everything but windows, of which there are none without a file: the minutes of a day."""
    return Batch(_edges(connection), _rows(connection), _spent(connection))


def _rows(connection: sqlite3.Connection) -> Rows:
    rows: Rows = {}
    found = connection.execute(
        "SELECT starts_at, name, ok, unknown, degraded, failed, head, lag, network_head"
        " FROM minutes JOIN subjects ON subjects.id = subject"
    )
    for starts_at, name, ok, unknown, degraded, failed, head, lag, network_head in found:
        seconds = [each / 1000 for each in (ok, unknown, degraded, failed)]
        rows.setdefault(starts_at, {})[name] = Row(seconds, head, lag, network_head)
    return rows


def _edges(connection: sqlite3.Connection) -> list[Edge]:
    found = connection.execute(
        "SELECT steps.at, kind, check_name, subject, network, steps.level, before, steps.reason,"
        " steps.summary, because_check, because_subject, evidence, silenced"
        " FROM steps JOIN incidents ON incidents.id = incident ORDER BY steps.at, incident, number"
    )
    return [
        Edge(
            at=at,
            kind=kind,
            key=(check, subject),
            network=network,
            level=level_of(level),
            before=level_of(before),
            reason=reason,
            summary=summary,
            because=None if because_check is None else (because_check, because_subject),
            evidence=evidence,
            silenced=bool(silenced),
        )
        for (
            at,
            kind,
            check,
            subject,
            network,
            level,
            before,
            reason,
            summary,
            because_check,
            because_subject,
            evidence,
            silenced,
        ) in found
    ]


def _spent(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    spent: dict[str, dict[str, int]] = {}
    for day, reference, calls in connection.execute("SELECT day, reference, calls FROM spent"):
        spent.setdefault(day, {})[reference] = calls
    return spent
