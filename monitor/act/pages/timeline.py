"""Incidents: what was wrong, from when to when, and what was seen at each step. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.act.pages.band import Band, band_of
from monitor.act.pages.cards import BADGES, EvidenceRow, evidence_rows, href_of
from monitor.act.words import clock_time, duration, subject_words
from monitor.model import Snapshot

if TYPE_CHECKING:
    from monitor.history import Incident
    from monitor.history.record import Step

STEPS_MAX = 20
"""Of one incident: the newest; one that flaps for days has more."""


@dataclass(frozen=True, slots=True)
class StepRow:
    """One edge of an incident."""

    at: str
    kind: str
    level: str
    badge: str
    before: str
    reason: str
    summary: str
    evidence: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident, from the first edge to the last."""

    anchor: str
    level: str
    """The worst that it came to."""
    badge: str
    is_open: bool
    check: str
    subject: str
    href: str
    network: str
    summary: str
    reason: str
    began: str
    ended: str
    """Empty while it is open."""
    lasted: str
    because: str
    is_silenced: bool
    steps: tuple[StepRow, ...]
    steps_left_out: int


@dataclass(frozen=True, slots=True)
class IncidentsPage:
    """Everything that the template writes."""

    band: Band
    incidents: tuple[IncidentRow, ...]
    open_count: int
    network: str
    """The one that is shown; empty: all."""
    node: str
    networks: tuple[str, ...]
    nodes: tuple[str, ...]
    has_history: bool
    is_cut: bool
    """Whether there may be older ones."""


def incident_rows(
    incidents: Sequence[Incident], now: float, *, has_steps: bool = True
) -> tuple[IncidentRow, ...]:
    """The open ones first, then the newest."""
    ordered = sorted(incidents, key=lambda i: (i.closed_at is not None, -i.opened_at))
    return tuple(_row(incident, now, has_steps=has_steps) for incident in ordered)


def incidents_page(
    snapshot: Snapshot,
    incidents: Sequence[Incident] | None,
    *,
    refresh_seconds: int,
    limit: int,
    network: str = "",
    node: str = "",
) -> IncidentsPage:
    """The timeline; None: nothing is remembered here."""
    chosen = [(n, v) for n, v in (("network", network), ("node", node)) if v]
    query = "&".join(f"{name}={value}" for name, value in chosen)
    rows = incident_rows(incidents or (), snapshot.at)
    return IncidentsPage(
        band=band_of(
            snapshot,
            path="/incidents" + (f"?{query}" if query else ""),
            refresh_seconds=refresh_seconds,
        ),
        incidents=rows,
        open_count=sum(row.is_open for row in rows),
        network=network,
        node=node,
        networks=tuple(facts.name for facts in snapshot.networks),
        nodes=tuple(
            sorted(
                facts.name
                for facts in snapshot.endpoints
                if facts.kind == "node" and network in {"", facts.network}
            )
        ),
        has_history=incidents is not None,
        is_cut=len(rows) >= limit,
    )


def _row(incident: Incident, now: float, *, has_steps: bool) -> IncidentRow:
    ended = incident.closed_at
    steps = incident.steps[-STEPS_MAX:] if has_steps else ()
    return IncidentRow(
        anchor=f"incident-{incident.id}",
        level=incident.worst.word,
        badge=BADGES[incident.worst],
        is_open=ended is None,
        check=incident.check,
        subject=subject_words(incident.subject),
        href=href_of(incident.subject),
        network=incident.network,
        summary=incident.summary,
        reason=incident.reason,
        began=clock_time(incident.opened_at, now),
        ended="" if ended is None else clock_time(ended, now),
        lasted=duration((now if ended is None else ended) - incident.opened_at),
        because="" if incident.because is None else because_words(incident.because),
        is_silenced=incident.silenced,
        steps=tuple(_step(step, now) for step in steps),
        steps_left_out=len(incident.steps) - len(steps) if has_steps else 0,
    )


def because_words(key: tuple[str, str]) -> str:
    """`stall of node local`."""
    return f"{key[0]} of {subject_words(key[1])}"


def _step(step: Step, now: float) -> StepRow:
    return StepRow(
        at=clock_time(step.at, now),
        kind=step.kind,
        level=step.level.word,
        badge=BADGES[step.level],
        before=step.before.word,
        reason=step.reason,
        summary=step.summary,
        evidence=evidence_rows(step.evidence, now),
    )
