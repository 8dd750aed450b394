"""What is asked of the file. Functions of a connection; everything is bounded."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence

from monitor.evidence import read
from monitor.history.record import Bar, Incident, LagPoint, Step, Uptime, level_of
from monitor.history.store import RESOLUTIONS
from monitor.model import node_subject

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600
DAY_SECONDS = 86_400
SPANS_DAYS = (1, 7, 30)
INCIDENTS_MAX = 500
STEPS_MAX = 50
"""Of one incident; a page that shows a hundred of them shall not be of many megabytes."""
BARS_MAX = 1000
LAG_POINTS_MAX = 5000
FEW = 8
"""Up to so many subjects are looked up one by one; for more, all there is is read through."""

_SUMS = "sum(ok), sum(unknown), sum(degraded), sum(failed)"


def bars(
    connection: sqlite3.Connection,
    subjects: Sequence[str],
    *,
    span_seconds: float,
    count: int,
    now: float,
) -> Mapping[str, tuple[Bar | None, ...]]:
    """`count` bars of each subject, oldest first; the newest is the one that `now` is in.

    Bars begin at multiples of their length, so that they stay while time goes on. They are made of
    minutes or tens of them, or, where they reach back more than a day, of hours: a bar has what
    began in it.
    """
    count = max(1, min(count, BARS_MAX))
    length = max(span_seconds / count, MINUTE_SECONDS)
    begin = (math.floor(now / length) + 1 - count) * length
    table = "hours"
    if now - begin <= DAY_SECONDS:
        table = "tens" if length >= RESOLUTIONS["tens"] else "minutes"
    place = f"CAST((starts_at - {begin!r}) / {length!r} AS INTEGER)"
    found: dict[str, list[Bar | None]] = {subject: [None] * count for subject in subjects}
    rows = _sums(connection, subjects, table=table, place=place, begin=begin)
    for subject, number, *milliseconds in rows:
        if subject in found and 0 <= number < count and sum(milliseconds):
            levels = [each / 1000 for each in milliseconds]
            found[subject][number] = Bar(begin + number * length, sum(levels), *levels)
    return {subject: tuple(each) for subject, each in found.items()}


def uptime(
    connection: sqlite3.Connection, subjects: Sequence[str], *, now: float
) -> Mapping[str, Uptime]:
    """The share of known seconds that were OK, of the last day, week and 30 days."""
    hour = now - now % HOUR_SECONDS
    # The hour that has begun, and so many before it as make the span.
    begins = [hour - days * DAY_SECONDS + HOUR_SECONDS for days in SPANS_DAYS]
    place = " ".join(f"WHEN starts_at >= {begin!r} THEN {n}" for n, begin in enumerate(begins))
    rows = _sums(
        connection,
        subjects,
        table="hours",
        place=f"CASE {place} END",
        begin=begins[-1],
    )
    sums = {subject: [[0, 0] for _ in SPANS_DAYS] for subject in subjects}
    for subject, number, ok, *others in rows:
        # What is of the last day is of the last week too.
        for spans in sums.get(subject, ())[number:]:
            spans[0] += ok
            spans[1] += ok + sum(others)
    return {
        subject: Uptime(*(ok / known if known else None for ok, known in spans))
        for subject, spans in sums.items()
    }


def _sums(
    connection: sqlite3.Connection,
    subjects: Sequence[str],
    *,
    table: str,
    place: str,
    begin: float,
) -> sqlite3.Cursor:
    """(subject, place, milliseconds at each level) since `begin`, by an expression of the place."""
    step = RESOLUTIONS[table]
    first = max(math.ceil(begin / step) * step, _first(connection, table))
    if len(subjects) > FEW:
        return connection.execute(
            f"SELECT name, place, a, b, c, d FROM (SELECT subject, {place} AS place,"  # noqa: S608
            " sum(ok) AS a, sum(unknown) AS b, sum(degraded) AS c, sum(failed) AS d"
            f" FROM {table} WHERE starts_at >= ? GROUP BY subject, place)"
            " JOIN subjects ON subjects.id = subject",
            (first,),
        )
    marks = ", ".join("?" * len(subjects))
    return connection.execute(
        _TIMES + f"SELECT name, {place} AS place, {_SUMS} FROM times"  # noqa: S608
        f" CROSS JOIN subjects CROSS JOIN {table}"
        f" ON {table}.starts_at = times.at AND {table}.subject = subjects.id"
        f" WHERE name IN ({marks}) GROUP BY name, place",
        (first, step, _last(connection, table), *subjects),
    )


_TIMES = """
WITH RECURSIVE times(at) AS (
    SELECT ?1 WHERE ?1 <= ?3 UNION ALL SELECT at + ?2 FROM times WHERE at + ?2 <= ?3
)
"""
"""Every time that a row may have: one search each, where few of many subjects are wanted."""


def lag(
    connection: sqlite3.Connection, node: str, *, since: float, now: float
) -> tuple[LagPoint, ...]:
    """A point a minute of the last day, and one an hour before; oldest first."""
    day = now - now % HOUR_SECONDS - DAY_SECONDS
    points: list[LagPoint] = []
    for table, begin, end in (
        ("hours", since, day),
        ("minutes", max(since, day), now + DAY_SECONDS),
    ):
        step = RESOLUTIONS[table]
        rows = connection.execute(
            _TIMES + f"SELECT times.at, head, lag, network_head FROM times"  # noqa: S608
            f" CROSS JOIN subjects CROSS JOIN {table}"
            f" ON {table}.starts_at = times.at AND {table}.subject = subjects.id"
            " WHERE name = ?4 ORDER BY times.at DESC LIMIT ?5",
            (
                max(int(begin // step) * step, _first(connection, table)),
                step,
                min(_last(connection, table), end - 1),
                node_subject(node),
                LAG_POINTS_MAX,
            ),
        )
        points += reversed([LagPoint(*row) for row in rows])
    return tuple(points)


def _first(connection: sqlite3.Connection, table: str) -> int:
    """When the table begins: no time before it is looked for. 0 where it is empty."""
    found = connection.execute(f"SELECT min(starts_at) FROM {table}").fetchone()  # noqa: S608
    return int(found[0] or 0)


def _last(connection: sqlite3.Connection, table: str) -> int:
    """When its newest row begins; before all time where it is empty."""
    found = connection.execute(f"SELECT max(starts_at) FROM {table}").fetchone()  # noqa: S608
    return int(found[0] or -1)


def incidents(
    connection: sqlite3.Connection,
    *,
    subject: str | None,
    network: str | None,
    since: float,
    limit: int,
) -> tuple[Incident, ...]:
    """Newest first: those still open, and those that were at some time since."""
    rows = connection.execute(
        "SELECT id, check_name, subject, network, opened_at, closed_at, level, worst, reason,"
        " summary, because_check, because_subject, silenced FROM incidents"
        " WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR network = ?2)"
        " AND (closed_at IS NULL OR closed_at >= ?3)"
        " ORDER BY opened_at DESC, id DESC LIMIT ?4",
        (subject, network, since, max(1, min(limit, INCIDENTS_MAX))),
    ).fetchall()
    return tuple(
        Incident(
            id=number,
            check=check,
            subject=of,
            network=where,
            opened_at=opened_at,
            closed_at=closed_at,
            level=level_of(level),
            worst=level_of(worst),
            reason=reason,
            summary=summary,
            because=None if because_check is None else (because_check, because_subject),
            silenced=bool(silenced),
            steps=_steps(connection, number),
        )
        for (
            number,
            check,
            of,
            where,
            opened_at,
            closed_at,
            level,
            worst,
            reason,
            summary,
            because_check,
            because_subject,
            silenced,
        ) in rows
    )


def _steps(connection: sqlite3.Connection, incident: int) -> tuple[Step, ...]:
    rows = connection.execute(
        "SELECT at, kind, level, before, reason, summary, evidence FROM steps"
        " WHERE incident = ?1 AND (number = 1 OR number > "
        "  (SELECT max(number) FROM steps WHERE incident = ?1) - ?2 + 1) ORDER BY number",
        (incident, STEPS_MAX),
    )
    return tuple(
        Step(at, kind, level_of(level), level_of(before), reason, summary, read(evidence))
        for at, kind, level, before, reason, summary, evidence in rows
    )


def spent(connection: sqlite3.Connection, day: str) -> Mapping[str, int]:
    """Calls made on a day, by reference."""
    rows = connection.execute("SELECT reference, calls FROM spent WHERE day = ?", (day,))
    return {reference: int(calls) for reference, calls in rows}
