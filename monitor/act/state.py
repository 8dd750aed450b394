"""The state for machines: what `/api/v1/state` answers and `headwatch status --json` prints. Pure.

The shape is `docs/state.schema.json`. It says what the status page says, of every endpoint; its
findings are those of the gate's document, word for word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from monitor import __version__
from monitor.act.readings import Reading, read, version_text
from monitor.act.report import Json, finding_json
from monitor.act.words import headline, rfc3339, since_of
from monitor.judge.verdict import reference_of
from monitor.maintenance import Window
from monitor.model import Level, NetworkFacts, Reference, Snapshot, subject_of

SCHEMA = "headwatch.state/1"


def state_json(snapshot: Snapshot, windows: Sequence[Window]) -> dict[str, object]:
    """The document of one moment: every value JSON, every time RFC 3339 in UTC.

    `windows` are shown as they come: the active first, then what is planned.
    """
    verdict = snapshot.verdict
    since = since_of(verdict)
    references = {n.name: reference_of(n, snapshot.at) for n in snapshot.networks}
    readings = read(snapshot)
    return {
        "schema": SCHEMA,
        "at": rfc3339(snapshot.at),
        "version": __version__,
        "ready": snapshot.ready,
        "verdict": verdict.word,
        "level": verdict.level.word,
        "since": None if since is None else rfc3339(since),
        "headline": headline(verdict),
        "networks": [_network(n, references[n.name], snapshot.at) for n in snapshot.networks],
        "nodes": [
            {**_endpoint(reading, snapshot), "subscription": reading.facts.subscription}
            for reading in readings
            if reading.facts.kind == "node"
        ],
        "references": [
            {
                **_endpoint(reading, snapshot),
                **_asked(reading, references.get(reading.facts.network)),
            }
            for reading in readings
            if reading.facts.kind == "reference"
        ],
        "findings": [finding_json(finding) for finding in verdict.findings],
        "skipped": [{"check": check, "subject": subject} for check, subject in verdict.skipped],
        "windows": [window_json(window, snapshot.at) for window in windows],
    }


def state_bytes(snapshot: Snapshot, windows: Sequence[Window]) -> bytes:
    """The same as text, on one line.

    Written entry by entry: the encoder lets nobody else run until it is done, and of a thousand
    nodes the document is some megabytes.
    """
    parts = [
        f"{_encode(name)}:[{','.join(map(_encode, part))}]"
        if isinstance(part, list)
        else f"{_encode(name)}:{_encode(part)}"
        for name, part in state_json(snapshot, windows).items()
    ]
    return f"{{{','.join(parts)}}}\n".encode()


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def level_of(reading: Reading) -> Level:
    """The worst of an endpoint's findings; UNKNOWN before the first of them."""
    return max((f.level for f in reading.findings.values()), default=Level.UNKNOWN)


def _network(network: NetworkFacts, reference: Reference | None, at: float) -> Json:
    """Without a reference that may be believed now, nothing is said of its head."""
    head = None if reference is None else reference.head
    return {
        "name": network.name,
        "profile": network.profile,
        "interval_seconds": network.interval_seconds,
        "head": None if head is None else head.number,
        "hash": None if head is None else head.hash,
        "age_seconds": None if head is None else round(at - head.timestamp, 3),
        "confidence": None if reference is None else reference.confidence,
        "voters": [] if reference is None else list(reference.voters),
        "operators": None if reference is None else reference.operators,
        "round_at": None if network.round_at is None else rfc3339(network.round_at),
        "round_seconds": None if network.round_at is None else round(network.round_seconds, 6),
        "rounds": network.rounds_total,
    }


def _endpoint(reading: Reading, snapshot: Snapshot) -> Mapping[str, object]:
    facts, head, unseen = reading.facts, reading.head, reading.unseen
    age = reading.age_seconds
    return {
        "name": facts.name,
        "network": facts.network,
        "level": level_of(reading).word,
        "client": version_text(facts.client),
        "head": None if head is None else head.number,
        "hash": None if head is None else head.hash,
        "lag_blocks": reading.lag_blocks,
        "lag_seconds": reading.lag_seconds,
        "age_seconds": None if age is None else round(age, 3),
        "checks": {check: finding.level.word for check, finding in reading.findings.items()},
        "silenced": subject_of(reading.label) in snapshot.silenced,
        "unseen": None if unseen is None else {"reason": unseen.reason, "detail": unseen.detail},
    }


def _asked(reading: Reading, reference: Reference | None) -> Mapping[str, object]:
    """What only a reference has: whose it is, whether it votes, and its budget."""
    facts = reading.facts
    return {
        "operator": facts.operator,
        "votes": reference is not None and facts.operator in reference.voters,
        "calls_today": facts.calls_today,
        "calls_a_day": facts.calls_a_day,
    }


def window_json(window: Window, at: float) -> Json:
    """One maintenance window, as it stands at this time."""
    return {
        "id": window.id,
        "active": window.is_active(at),
        "starts_at": rfc3339(window.starts_at),
        "ends_at": rfc3339(window.ends_at),
        "networks": list(window.networks),
        "nodes": list(window.nodes),
        "reason": window.reason,
        "actor": window.actor,
        "ended_by": window.ended_by,
    }
