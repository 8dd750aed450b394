"""The past for machines: what `/api/v1/incidents` and `/api/v1/history` answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.act.report import Json, evidence_json, key_json
from monitor.act.words import rfc3339
from monitor.model import NetworkFacts

if TYPE_CHECKING:
    from monitor.history import Incident, LagPoint
    from monitor.history.record import Step


def incidents_json(incidents: Sequence[Incident]) -> Json:
    """Newest first, as the history has them; a level in words, a time in RFC 3339."""
    return {
        "schema": "headwatch.incidents/1",
        "incidents": [_incident(incident) for incident in incidents],
    }


def history_json(
    points: Sequence[LagPoint], *, node: str, network: NetworkFacts, hours: int
) -> Json:
    """Columns of one length, oldest first; null where nothing was seen.

    Times are seconds since the epoch: this is what a chart is drawn from.
    """
    return {
        "schema": "headwatch.history/1",
        "node": node,
        "network": network.name,
        "hours": hours,
        "limit_blocks": network.lag_blocks,
        "interval_seconds": network.interval_seconds,
        "at": [point.at for point in points],
        "head": [point.head for point in points],
        "network_head": [point.network_head for point in points],
        "lag_blocks": [point.lag_blocks for point in points],
    }


def _incident(incident: Incident) -> Json:
    closed_at, because = incident.closed_at, incident.because
    return {
        "id": incident.id,
        "check": incident.check,
        "subject": incident.subject,
        "network": incident.network,
        "opened_at": rfc3339(incident.opened_at),
        "closed_at": None if closed_at is None else rfc3339(closed_at),
        "level": incident.level.word,
        "worst": incident.worst.word,
        "reason": incident.reason,
        "summary": incident.summary,
        "because": None if because is None else key_json(because),
        "silenced": incident.silenced,
        "steps": [_step(step) for step in incident.steps],
    }


def _step(step: Step) -> Json:
    return {
        "at": rfc3339(step.at),
        "kind": step.kind,
        "level": step.level.word,
        "before": step.before.word,
        "reason": step.reason,
        "summary": step.summary,
        "evidence": [evidence_json(evidence) for evidence in step.evidence],
    }
