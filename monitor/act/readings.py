"""What is shown of each endpoint: the snapshot's observations, facts and findings, together.

Metrics, page and terminal read the same `Reading`s, so that they cannot disagree. A value that was
not seen is None here, never the last one that was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from monitor.judge.head import lag_of, lag_seconds_of
from monitor.judge.seen import HeadSeen
from monitor.judge.verdict import STALE_SECONDS, reference_of
from monitor.model import (
    Finding,
    Head,
    NodeFacts,
    Observation,
    Reference,
    Snapshot,
    Unseen,
    subject_of,
)

VERSION_CHARACTERS_MAX = 64
_VERSION_MARKS = frozenset(" ._+-/()")


@dataclass(frozen=True, slots=True)
class Reading:
    """One node or reference, as it is shown everywhere."""

    facts: NodeFacts
    label: str
    """The name of a node, `NETWORK/NAME` of a reference: the `node` of its observations."""
    head: Head | None
    """None where the newest question was not answered, or the answer is too old."""
    finalized: Head | None
    unseen: Unseen | None
    """Why there is no head, where the newest question was not answered."""
    age_seconds: float | None
    """Since the timestamp of the head."""
    lag_blocks: int | None
    """Behind the reference; negative is ahead."""
    lag_seconds: int | None
    findings: Mapping[str, Finding]
    """By check."""


def read(snapshot: Snapshot) -> tuple[Reading, ...]:
    """One reading of each configured endpoint, in the snapshot's order."""
    references = {n.name: reference_of(n, snapshot.at) for n in snapshot.networks}
    heads = {o.node: o for o in snapshot.observations if o.check == "head"}
    findings: dict[str, dict[str, Finding]] = {}
    for finding in snapshot.verdict.findings:
        findings.setdefault(finding.subject, {})[finding.check] = finding
    return tuple(
        _read(
            facts,
            heads.get(facts.label),
            references.get(facts.network),
            findings.get(subject_of(facts.label), {}),
            snapshot.at,
        )
        for facts in snapshot.endpoints
    )


def _read(
    facts: NodeFacts,
    newest: Observation[object] | None,
    reference: Reference | None,
    findings: Mapping[str, Finding],
    at: float,
) -> Reading:
    seen = newest.seen if newest is not None else None
    # A reference is asked as its budget allows; a node is ours and asked in every round.
    stale = newest is not None and facts.kind == "node" and at - newest.at > STALE_SECONDS
    head = seen.head if isinstance(seen, HeadSeen) and not stale else None
    final = seen.final if isinstance(seen, HeadSeen) and not stale else None
    lag_blocks = lag_seconds = None
    if head is not None and reference is not None:
        lag_blocks, lag_seconds = lag_of(head, reference), lag_seconds_of(head, reference)
    return Reading(
        facts=facts,
        label=facts.label,
        head=head,
        finalized=final,
        unseen=seen if isinstance(seen, Unseen) else None,
        age_seconds=at - head.timestamp if head is not None else None,
        lag_blocks=lag_blocks,
        lag_seconds=lag_seconds,
        findings=findings,
    )


@lru_cache(maxsize=1024)
def version_text(version: str) -> str:
    """A client's own word of itself, made fit for a label: one short line of plain characters.

    The node chooses this text, so it may hold anything at all.
    """
    plain = "".join(
        c if c.isascii() and (c.isalnum() or c in _VERSION_MARKS) else "_"
        for c in version[:VERSION_CHARACTERS_MAX]
    )
    return plain.strip()
