"""The alerts that an Alertmanager should know of: firing ones, and ended ones until it knows. Pure.

The whole board is posted each time, so that the newest state replaces what could not be sent, and
a receiver that lost everything has it again with the next post. What opened and ended while nobody
could be reached is never posted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.act.alerts import alert_of, labels_of
from monitor.act.notify.standing import Bad, Standing, cause_of
from monitor.act.notify.wording import runbook_url, spoken, subject_url
from monitor.act.words import measure, rfc3339, subject_words
from monitor.model import Finding, Key

Labels = tuple[tuple[str, str], ...]
"""Sorted: the identity of an alert in Alertmanager."""
ALSO_MAX = 10


@dataclass(slots=True)
class _Entry:
    """One alert on the board."""

    bad: Bad
    also: Sequence[Finding]
    """What it explains."""
    starts_at: float
    ends_at: float | None = None
    is_known: bool = False
    """Whether the receiver may have heard of it, so that it must hear of the end."""
    is_acknowledged: bool = False
    """Whether it surely has."""
    is_refused: bool = False
    """Refused for what it is: it is not posted again."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one post holds: each alert with its end as it was then, and if it was known before."""

    alerts: Mapping[Labels, dict[str, object]]
    ends: Mapping[Labels, float | None]
    known: frozenset[Labels]


@dataclass(slots=True)
class Board:
    """What should be known. Times are those of the caller's clock."""

    resolve_timeout_seconds: float
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels that every alert gets; those of ours win."""
    page_url: str = ""
    _entries: dict[Labels, _Entry] = field(default_factory=dict)
    _labels: dict[Key, tuple[Finding, Labels | None]] = field(default_factory=dict)
    """Of the findings that stand: looking up an alert takes longer than anything else here."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to post."""
        return all(entry.is_refused for entry in self._entries.values())

    @property
    def waiting(self) -> int:
        """How many alerts the receiver has yet to hear of, or of whose end."""
        return sum(
            not entry.is_refused and not (entry.is_acknowledged and entry.ends_at is None)
            for entry in self._entries.values()
        )

    def refresh(self, standing: Standing, silenced: Callable[[Finding], bool], now: float) -> bool:
        """Put on the board what stands now; whether alerts began or ended.

        A consequence begins no alert of its own, but one that has begun goes on until it is well.
        What a maintenance window silences is ended.
        """
        visible = {key: bad for key, bad in standing.items() if not silenced(bad.finding)}
        self._labels = {key: self._labelled(key, bad.finding) for key, bad in visible.items()}
        also: dict[Key, list[Finding]] = {}
        wanted: dict[Labels, Bad] = {}
        for key, bad in visible.items():
            labels = self._labels[key][1]
            if labels is None:
                continue
            cause = cause_of(bad.finding, visible)
            old = self._entries.get(labels)
            if cause is not None:
                also.setdefault(cause, []).append(bad.finding)
                if old is None or old.ends_at is not None:
                    continue
            wanted[labels] = bad
        is_changed = self._end(wanted, now)
        for labels, bad in wanted.items():
            is_changed |= self._begin(labels, bad, also.get(bad.finding.key, ()))
        return is_changed

    def _labelled(self, key: Key, finding: Finding) -> tuple[Finding, Labels | None]:
        old = self._labels.get(key)
        if old is not None and old[0] is finding:
            return old
        alert = alert_of(finding)
        if alert is None:
            return finding, None
        labels = {**self.labels, **labels_of(finding, alert)}
        return finding, tuple(sorted((name, value) for name, value in labels.items() if value))

    def _end(self, wanted: Mapping[Labels, Bad], now: float) -> bool:
        is_changed = False
        for labels, entry in list(self._entries.items()):
            if labels in wanted or entry.ends_at is not None:
                continue
            is_changed = True
            if entry.is_known and not entry.is_refused:
                entry.ends_at = now
            else:
                del self._entries[labels]
        return is_changed

    def _begin(self, labels: Labels, bad: Bad, also: Sequence[Finding]) -> bool:
        entry = self._entries.get(labels)
        if entry is not None and entry.ends_at is None:
            entry.bad, entry.also = bad, also
            return False
        since = bad.finding.since
        starts_at = bad.opened_at if since is None else since
        is_known = entry is not None and entry.is_known
        self._entries[labels] = _Entry(bad, also, starts_at, is_known=is_known)
        return True

    def _annotations(self, finding: Finding, also: Sequence[Finding]) -> dict[str, str]:
        alert = alert_of(finding)
        said = [measure(finding), "" if alert is None else alert.description]
        if also:
            names = [f"{f.check} of {subject_words(f.subject)}" for f in also[:ALSO_MAX]]
            more = f" and {len(also) - ALSO_MAX} more" if len(also) > ALSO_MAX else ""
            said.append(f"also: {', '.join(names)}{more}")
        annotations = {
            "summary": f"{subject_words(finding.subject)}: {spoken(finding.summary)}",
            "description": "\n".join(line for line in said if line),
            "runbook_url": runbook_url(self.page_url, finding),
        }
        return {name: text for name, text in annotations.items() if text}

    # -- posts -----------------------------------------------------------------------------------

    def sheet(self, now: float) -> Sheet:
        """All that is to be posted; from now on the receiver may have heard of it."""
        alerts: dict[Labels, dict[str, object]] = {}
        ends: dict[Labels, float | None] = {}
        known: set[Labels] = set()
        for labels, entry in self._entries.items():
            if entry.is_refused:
                continue
            # A clock that was set back: Alertmanager refuses what ends before it begins.
            entry.starts_at = min(entry.starts_at, now)
            alerts[labels] = {
                "labels": dict(labels),
                "annotations": self._annotations(entry.bad.newest, entry.also),
                "startsAt": rfc3339(entry.starts_at),
                "endsAt": rfc3339(self._end_of(entry, now)),
                "generatorURL": subject_url(self.page_url, entry.bad.finding.subject),
            }
            ends[labels] = entry.ends_at
            if entry.is_known:
                known.add(labels)
            entry.is_known = True
        return Sheet(alerts, ends, frozenset(known))

    def _end_of(self, entry: _Entry, now: float) -> float:
        """What is over is over now, whatever a clock said that was set back since."""
        if entry.ends_at is None:
            return now + self.resolve_timeout_seconds
        return max(min(entry.ends_at, now), entry.starts_at)

    def accepted(self, sheet: Sheet, labels: Iterable[Labels]) -> None:
        """The receiver has these: what it knows to be over is forgotten."""
        for each in labels:
            entry = self._entries.get(each)
            if entry is None or entry.ends_at != sheet.ends[each]:
                continue
            entry.is_acknowledged = True
            if entry.ends_at is not None:
                del self._entries[each]

    def refused(self, labels: Labels) -> None:
        """The receiver will never take this one."""
        entry = self._entries.get(labels)
        if entry is None:
            return
        entry.is_refused = True
        if entry.ends_at is not None:
            del self._entries[labels]

    def unreached(self, sheet: Sheet, labels: Iterable[Labels]) -> None:
        """These cannot have arrived: what was unknown before still is."""
        for each in set(labels) - sheet.known:
            entry = self._entries.get(each)
            if entry is None:
                continue
            entry.is_known = False
            if entry.ends_at is not None:
                del self._entries[each]
