"""What is wrong, one card a finding, with who said what. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.act.alerts import alert_of
from monitor.act.report import BY_NAME
from monitor.act.words import clock_time, duration, measure, subject_words
from monitor.model import Evidence, Finding, Level

BADGES = {Level.OK: "ok", Level.UNKNOWN: "unseen", Level.DEGRADED: "warn", Level.FAILED: "FAIL"}
"""Colour and word say the same."""
EVIDENCE_ROWS_MAX = 12
"""Of one finding; there are as many as references and a few more."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """Who said what, and what it was measured against."""

    source: str
    method: str
    said: str
    at: str
    threshold: str
    p_value: str


@dataclass(frozen=True, slots=True)
class Card:
    """One finding."""

    anchor: str
    """Unique on the page."""
    depth: int
    level: str
    badge: str
    subject: str
    href: str
    """The page of its node or transaction; empty where it is about something else."""
    check: str
    title: str
    summary: str
    measured: str
    reason: str
    since: str
    because: str
    why: str
    remedy: str
    runbook: str
    """The page of the runbook: that of its alert; empty where nobody is alerted."""
    evidence: tuple[EvidenceRow, ...]


def card_of(finding: Finding, now: float, *, depth: int = 0, has_evidence: bool = True) -> Card:
    """The card of a finding; `depth` counts the findings that explain it."""
    check, alert = BY_NAME.get(finding.check), alert_of(finding)
    kind, _, name = finding.subject.partition(":")
    return Card(
        anchor=f"{finding.check}-{kind}-{name.replace('/', '-')}",
        depth=depth,
        level=finding.level.word,
        badge=BADGES[finding.level],
        subject=subject_words(finding.subject),
        href=href_of(finding.subject),
        check=finding.check,
        title=check.title if check is not None else finding.check,
        summary=finding.summary,
        measured=measure(finding),
        reason=finding.reason,
        since=since_words(finding.since, now),
        because=finding.because[0] if finding.because is not None and depth else "",
        why=check.why if check is not None else "",
        remedy=check.remedy if check is not None else "",
        runbook="" if alert is None else alert.name,
        evidence=evidence_rows(finding.evidence, now) if has_evidence else (),
    )


def href_of(subject: str) -> str:
    """Where a page says more of a subject; empty where none does."""
    kind, _, name = subject.partition(":")
    places = {"node": "/node/", "account": "/#account-", "tx": "/transactions/"}
    return f"{places[kind]}{name}" if kind in places else ""


def since_words(since: float | None, now: float) -> str:
    """`11:05:16 UTC, for 1 min 24 s`; empty where it is not known."""
    return "" if since is None else f"{clock_time(since, now)}, for {duration(now - since)}"


def evidence_rows(evidence: Sequence[Evidence], now: float) -> tuple[EvidenceRow, ...]:
    """The first of them: what was judged itself comes first."""
    return tuple(_rows(evidence[:EVIDENCE_ROWS_MAX], now))


def _rows(evidence: Sequence[Evidence], now: float) -> Iterator[EvidenceRow]:
    for each in evidence:
        yield EvidenceRow(
            source=each.source,
            method=each.method,
            said=each.said,
            at=clock_time(each.at, now),
            threshold=each.threshold or "",
            p_value="" if each.p_value is None else f"{each.p_value:.2g}",
        )
