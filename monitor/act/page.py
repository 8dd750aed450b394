"""The status page as rows and cards of words, which the template only lays out. Pure.

What is wrong comes first and everything is bounded, so that the page is read from the top also
with two hundred nodes of which half are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor import __version__
from monitor.act.readings import Reading, read, reference_of, version_text
from monitor.act.report import BY_NAME, nested
from monitor.act.words import (
    causes_of,
    clock_time,
    count_levels,
    duration,
    headline,
    measure,
    since_of,
    subject_words,
)
from monitor.checks import CHECKS
from monitor.judge.quorum import client_family
from monitor.model import Finding, Level, NetworkFacts, Snapshot, Verdict, VerdictWord

CARDS_MAX = 40
"""Of all networks together; the API has the rest."""
CARDS_OPEN_MAX = 6
"""Up to so many cards show their evidence at once."""
BADGES = {Level.OK: "ok", Level.UNKNOWN: "unseen", Level.DEGRADED: "warn", Level.FAILED: "FAIL"}
TITLES: dict[VerdictWord, str] = {"pass": "Pass", "fail": "Fail", "inconclusive": "Inconclusive"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One check of one endpoint, as a badge: its colour and its word say the same."""

    check: str
    level: str
    badge: str
    summary: str


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One line of a network's table of nodes; what was not seen is empty."""

    name: str
    level: str
    badge: str
    client: str
    version: str
    number: str
    hash: str
    lag_blocks: str
    lag_seconds: str
    age: str
    cells: tuple[Cell, ...]
    socket: str
    errors: str


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """One line of a network's table of references."""

    name: str
    level: str
    badge: str
    operator: str
    client: str
    votes: str
    number: str
    hash: str
    budget: str
    said: str
    errors: str


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
    """One finding that is not OK."""

    depth: int
    level: str
    badge: str
    subject: str
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
    evidence: tuple[EvidenceRow, ...]


@dataclass(frozen=True, slots=True)
class NetworkPart:
    """One network's section."""

    name: str
    profile: str
    head: str
    hash: str
    head_age: str
    confidence: str
    agreement: str
    thresholds: tuple[tuple[str, str], ...]
    """(what, in words)."""
    cards: tuple[Card, ...]
    nodes: tuple[NodeRow, ...]
    references: tuple[ReferenceRow, ...]
    round: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that the template writes."""

    word: VerdictWord
    title: str
    headline: str
    lead: str
    """What happened, where one finding alone made the verdict."""
    since: str
    counts: tuple[tuple[str, str], ...]
    """(level, how many in words), worst first."""
    networks: tuple[NetworkPart, ...]
    checks: tuple[str, ...]
    cards_open: bool
    cards_left_out: int
    skipped: tuple[str, ...]
    at: str
    version: str
    refresh_seconds: int


def page_of(snapshot: Snapshot, *, refresh_seconds: int) -> Page:
    """The page of one moment."""
    verdict, now = snapshot.verdict, snapshot.at
    bad = [finding for finding in verdict.findings if finding.level != Level.OK]
    cards = list(nested(bad))
    shown = cards[:CARDS_MAX]
    readings = read(snapshot)
    since = since_of(verdict)
    return Page(
        word=verdict.word,
        title=TITLES[verdict.word],
        headline=_sentence(headline(verdict)),
        lead=_lead(verdict),
        since="" if since is None else f"{clock_time(since, now)}, for {duration(now - since)}",
        counts=tuple(
            (level.word, f"{count} {level.word}")
            for level, count in count_levels(verdict.findings).items()
        ),
        networks=tuple(
            _network_part(
                network,
                [r for r in readings if r.facts.network == network.name],
                [(depth, f) for depth, f in shown if f.network == network.name],
                now,
            )
            for network in snapshot.networks
        ),
        checks=_node_checks(),
        cards_open=len(cards) <= CARDS_OPEN_MAX,
        cards_left_out=len(cards) - len(shown),
        skipped=tuple(f"{check} of {subject_words(subject)}" for check, subject in verdict.skipped),
        at=clock_time(now, now),
        version=__version__,
        refresh_seconds=refresh_seconds,
    )


def _lead(verdict: Verdict) -> str:
    causes = () if verdict.word == "pass" else causes_of(verdict)
    return _sentence(causes[0].summary) if len(causes) == 1 else ""


def _sentence(words: str) -> str:
    """With a capital; the rest stays, since names of nodes are as they are."""
    return words[:1].upper() + words[1:]


def _node_checks() -> tuple[str, ...]:
    return tuple(check.name for check in CHECKS if "node" in check.scopes)


def _network_part(
    network: NetworkFacts,
    readings: Sequence[Reading],
    found: Sequence[tuple[int, Finding]],
    now: float,
) -> NetworkPart:
    reference = reference_of(network, now)
    nodes = [r for r in readings if r.facts.kind == "node"]
    nodes.sort(key=lambda r: (-_worst(r), r.facts.name))
    head = hash_ = head_age = confidence = ""
    agreement = "no head of the references can be believed now"
    voters: tuple[str, ...] = ()
    if reference is not None:
        head, hash_ = str(reference.head.number), reference.head.hash
        head_age = duration(now - reference.head.timestamp)
        confidence, voters = reference.confidence, reference.voters
        agreement = f"{len(voters)} of {reference.operators} operators agree: {', '.join(voters)}"
    elif network.round_at is None:
        agreement = "waiting for the first round"
    return NetworkPart(
        name=network.name,
        profile=network.profile,
        head=head,
        hash=hash_,
        head_age=head_age,
        confidence=confidence,
        agreement=agreement,
        thresholds=_thresholds(network),
        cards=tuple(_card(depth, finding, now) for depth, finding in found),
        nodes=tuple(_node_row(reading) for reading in nodes),
        references=tuple(
            _reference_row(r, voters) for r in readings if r.facts.kind == "reference"
        ),
        round=_round_words(network, now),
    )


def _thresholds(network: NetworkFacts) -> tuple[tuple[str, str], ...]:
    blocks = f"{network.lag_blocks} block{'s' * (network.lag_blocks != 1)}"
    return (
        ("block time", f"{network.interval_seconds:g} s"),
        ("behind from", blocks),
        ("stalled from", f"{blocks} missed while the network moves"),
        ("forked from", f"{network.confirmations} blocks apart"),
        ("network quiet after", duration(network.stall_seconds)),
    )


def _round_words(network: NetworkFacts, now: float) -> str:
    if network.round_at is None:
        return "no round yet"
    return (
        f"round {network.rounds_total:,} took {network.round_seconds * 1000:.0f} ms, "
        f"{duration(now - network.round_at)} ago"
    )


def _worst(reading: Reading) -> Level:
    return max((f.level for f in reading.findings.values()), default=Level.UNKNOWN)


def _cell(check: str, reading: Reading) -> Cell:
    finding = reading.findings.get(check)
    if finding is None:
        return Cell(check, "none", "none", "not judged")
    return Cell(check, finding.level.word, BADGES[finding.level], finding.summary)


def _signed(value: int | None) -> str:
    """With its sign, since ahead is not behind; 0 has none."""
    return "" if value is None else f"{value:+d}" if value else "0"


def _node_row(reading: Reading) -> NodeRow:
    facts, head, worst = reading.facts, reading.head, _worst(reading)
    lag_seconds = _signed(reading.lag_seconds)
    return NodeRow(
        name=facts.name,
        level=worst.word,
        badge=BADGES[worst],
        client=version_text(client_family(facts.client)),
        version=version_text(facts.client),
        number="" if head is None else str(head.number),
        hash="" if head is None else head.hash,
        lag_blocks=_signed(reading.lag_blocks),
        lag_seconds=f"{lag_seconds} s" if reading.lag_seconds else "",
        age="" if reading.age_seconds is None else duration(reading.age_seconds),
        cells=tuple(_cell(check, reading) for check in _node_checks()),
        socket="" if facts.subscription == "off" else facts.subscription,
        errors=_errors(reading),
    )


def _errors(reading: Reading) -> str:
    """The newest failure in words, else how many calls have failed so far."""
    if reading.unseen is not None:
        return reading.unseen.detail
    counts = reading.facts.errors_total
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()) if count)


def _reference_row(reading: Reading, voters: Sequence[str]) -> ReferenceRow:
    facts, head, worst = reading.facts, reading.head, _worst(reading)
    finding = reading.findings.get("references")
    budget = f"{facts.calls_today:,}"
    if facts.calls_a_day is not None:
        budget += f" of {facts.calls_a_day:,}"
    return ReferenceRow(
        name=facts.name,
        level=worst.word,
        badge=BADGES[worst],
        operator=facts.operator,
        client=version_text(client_family(facts.client)),
        votes="yes" if facts.operator in voters else "no",
        number="" if head is None else str(head.number),
        hash="" if head is None else head.hash,
        budget=budget,
        said="" if finding is None else finding.summary,
        errors=_errors(reading),
    )


def _card(depth: int, finding: Finding, now: float) -> Card:
    check = BY_NAME.get(finding.check)
    since = finding.since
    return Card(
        depth=depth,
        level=finding.level.word,
        badge=BADGES[finding.level],
        subject=subject_words(finding.subject),
        check=finding.check,
        title=check.title if check is not None else finding.check,
        summary=finding.summary,
        measured=measure(finding),
        reason=finding.reason,
        since="" if since is None else f"{clock_time(since, now)}, for {duration(now - since)}",
        because=finding.because[0] if finding.because is not None and depth else "",
        why=check.why if check is not None else "",
        remedy=check.remedy if check is not None else "",
        runbook=check.runbook if check is not None else "",
        evidence=tuple(_evidence(finding, now)),
    )


def _evidence(finding: Finding, now: float) -> Iterator[EvidenceRow]:
    for evidence in finding.evidence:
        p_value = evidence.p_value
        yield EvidenceRow(
            source=evidence.source,
            method=evidence.method,
            said=evidence.said,
            at=clock_time(evidence.at, now),
            threshold=evidence.threshold or "",
            p_value="" if p_value is None else f"{p_value:.2g}",
        )
