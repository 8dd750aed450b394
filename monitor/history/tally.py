"""Sums of what was seen each second, in memory until they are written. No clock, no IO.

A second belongs to the level that was seen at its begin. More than `GAP_SECONDS` between two
samples are not known: the machine slept, or the loop stood still.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.judge.head import lag_of
from monitor.judge.seen import HeadSeen
from monitor.judge.verdict import STALE_SECONDS, reference_of
from monitor.model import Observation, Snapshot, node_subject

MINUTE_SECONDS = 60
GAP_SECONDS = 10.0
ROWS_MAX = 60_000
"""Rows that wait to be written: an hour of 1,000 subjects, and some 20 MB."""


@dataclass(slots=True)
class Row:
    """One minute of one subject. Mutable: it is added to each second, and never leaves the room."""

    seconds: list[float]
    """At each level, by its number."""
    head: int | None = None
    lag: int | None = None
    network_head: int | None = None

    def add(self, other: Row) -> None:
        """Add what was seen later in the same minute."""
        for level, seconds in enumerate(other.seconds):
            self.seconds[level] += seconds
        if other.head is not None:
            self.head = other.head
        if other.network_head is not None:
            self.network_head = other.network_head
        if self.lag is None or (other.lag is not None and other.lag > self.lag):
            self.lag = other.lag


Rows = dict[int, dict[str, Row]]
"""By the minute's first second, then by subject."""


class Tally:
    """What was seen since it was last taken; at most `rows_max` rows, the oldest go first."""

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self.lost_total = 0
        """Rows that were dropped because there were too many."""
        self._rows: Rows = {}
        self._rows_max = rows_max
        self._levels: dict[str, int] = {}
        self._at: float | None = None

    def sample(self, snapshot: Snapshot) -> None:
        """Count the time since the last sample, and look at levels and heads."""
        now = snapshot.at
        if self._at is not None and 0 < now - self._at <= GAP_SECONDS:
            self._count(self._at, now)
        self._at = now
        levels: dict[str, int] = {}
        worst_of = levels.get
        for finding in snapshot.verdict.findings:
            level = finding.level
            if worst_of(finding.subject, -1) < level:
                levels[finding.subject] = level
        self._levels = levels
        self._look(snapshot)
        self._bound()

    def take(self) -> Rows:
        """Everything, to be written; the tally is empty then."""
        rows, self._rows = self._rows, {}
        return rows

    def put_back(self, rows: Rows) -> None:
        """What could not be written, to be tried again with the next."""
        newer, self._rows = self._rows, rows
        for minute, subjects in newer.items():
            known = self._rows.setdefault(minute, {})
            for subject, row in subjects.items():
                if subject in known:
                    known[subject].add(row)
                else:
                    known[subject] = row
        self._bound()

    def _count(self, since: float, now: float) -> None:
        while since < now:
            minute = int(since // MINUTE_SECONDS) * MINUTE_SECONDS
            until = min(now, minute + MINUTE_SECONDS)
            seconds = until - since
            rows = self._rows.setdefault(minute, {})
            for subject, level in self._levels.items():
                row = rows.get(subject)
                if row is None:
                    row = rows[subject] = Row([0.0, 0.0, 0.0, 0.0])
                row.seconds[level] += seconds
            since = until

    def _look(self, snapshot: Snapshot) -> None:
        now = snapshot.at
        minute = int(now // MINUTE_SECONDS) * MINUTE_SECONDS
        rows = self._rows.setdefault(minute, {})
        references = {each.name: reference_of(each, now) for each in snapshot.networks}
        heads = _heads(snapshot.observations)
        for facts in snapshot.endpoints:
            newest = heads.get(facts.name) if facts.kind == "node" else None
            if newest is None or now - newest.at > STALE_SECONDS:
                continue
            seen = newest.seen
            if not isinstance(seen, HeadSeen):
                continue
            subject = node_subject(facts.name)
            row = rows.get(subject)
            if row is None:
                row = rows[subject] = Row([0.0, 0.0, 0.0, 0.0])
            row.head = seen.head.number
            reference = references.get(facts.network)
            if reference is not None:
                row.network_head = reference.lag_head.number
                lag = lag_of(seen.head, reference)
                if row.lag is None or lag > row.lag:
                    row.lag = lag

    def _bound(self) -> None:
        count = sum(map(len, self._rows.values()))
        # Of the minute that is being counted nothing is dropped: the newest is worth most.
        while count > self._rows_max and len(self._rows) > 1:
            dropped = len(self._rows.pop(min(self._rows)))
            self.lost_total += dropped
            count -= dropped


def _heads(observations: Iterable[Observation[object]]) -> dict[str, Observation[object]]:
    return {each.node: each for each in observations if each.check == "head"}
