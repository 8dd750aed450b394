"""Is this node on the network's chain? Yes or no with reasons: what `/-/synced` answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.checks import CHECKS
from monitor.judge.verdict import decides
from monitor.model import (
    Finding,
    Level,
    NodeFacts,
    Snapshot,
    node_subject,
    reference_label,
    subject_of,
)


@dataclass(frozen=True, slots=True)
class Synced:
    """The answer for one node."""

    node: str
    network: str
    reasons: tuple[Mapping[str, str], ...]
    """What speaks against it; empty when it is synced."""

    @property
    def is_synced(self) -> bool:
        return not self.reasons


def synced(snapshot: Snapshot, facts: NodeFacts) -> Synced:
    """Judged from the node's own findings and those of its network's references together.

    Anything FAILED speaks against it, and so does a required check that is UNKNOWN or was never
    made; DEGRADED does not. A single reference does not matter here: the quorum decides.
    """
    own = node_subject(facts.name)
    quorum = subject_of(reference_label(facts.network))
    found = {f.key: f for f in snapshot.verdict.findings if f.subject in {own, quorum}}
    reasons = [_reason(finding) for finding in found.values() if _speaks_against(finding)]
    reasons += [
        {
            "check": check,
            "subject": subject,
            "level": Level.UNKNOWN.word,
            "reason": "not_judged",
            "summary": "not judged yet",
        }
        for check, subject in _required(own, quorum)
        if (check, subject) not in found
    ]
    return Synced(facts.name, facts.network, tuple(reasons))


def _speaks_against(finding: Finding) -> bool:
    if finding.level == Level.FAILED:
        return True
    return finding.level == Level.UNKNOWN and decides(finding)


def _required(own: str, quorum: str) -> Iterator[tuple[str, str]]:
    """The required checks that must have been made: each at the subject it is mainly about."""
    for check in CHECKS:
        if check.required:
            yield check.name, own if "node" in check.scopes else quorum


def _reason(finding: Finding) -> Mapping[str, str]:
    return {
        "check": finding.check,
        "subject": finding.subject,
        "level": finding.level.word,
        "reason": finding.reason,
        "summary": finding.summary,
    }
