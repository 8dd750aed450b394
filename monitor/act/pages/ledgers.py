"""The ledgers: what each comes to, and where it is not what its rules say. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.act.pages.accounts import Fact, StateCount
from monitor.act.pages.cards import BADGES, since_words
from monitor.act.words import duration
from monitor.ledger.telling import CHECK, score_bands
from monitor.ledger.words import rlc
from monitor.model import Finding, LedgerFacts, Level, Snapshot, ledger_subject

SLOW_SECONDS = 600.0
WRONG = frozenset({"faulty"})
"""Outcomes of contributions that cost a stake."""


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """How many workers have a score in a band; `share` is that of the fullest band, in percent."""

    band: str
    count: str
    share: int


@dataclass(frozen=True, slots=True)
class LedgerCard:
    """One ledger."""

    anchor: str
    name: str
    network: str
    node: str
    protocol: str
    contract: str
    level: str
    badge: str
    since: str
    summary: str
    work_orders: tuple[StateCount, ...]
    contributions: tuple[StateCount, ...]
    facts: tuple[Fact, ...]
    has_report: bool
    scores: tuple[ScoreBar, ...]


def ledger_cards(snapshot: Snapshot) -> tuple[LedgerCard, ...]:
    """A card for each ledger, the worst first."""
    findings = {f.subject: f for f in snapshot.verdict.findings if f.check == CHECK}
    pairs = [(facts, findings.get(ledger_subject(facts.name))) for facts in snapshot.ledgers]
    pairs.sort(key=lambda pair: (-_level(pair[1]), pair[0].name))
    return tuple(_card(facts, finding, snapshot.at) for facts, finding in pairs)


def _level(finding: Finding | None) -> Level:
    """What was not compared yet is not known to be well."""
    return Level.UNKNOWN if finding is None else finding.level


def _card(facts: LedgerFacts, finding: Finding | None, now: float) -> LedgerCard:
    level = _level(finding)
    summary = "reconciled for the first time" if facts.is_running else "not reconciled yet"
    return LedgerCard(
        anchor=f"ledger-{facts.name}",
        name=facts.name,
        network=facts.network,
        node=facts.node,
        protocol=facts.protocol,
        contract=facts.contract,
        level=level.word,
        badge=BADGES[level],
        since="" if finding is None else since_words(finding.since, now),
        summary=summary if finding is None else finding.summary,
        work_orders=tuple(_work_orders(facts)),
        contributions=tuple(_contributions(facts)),
        facts=tuple(_facts(facts, now)),
        has_report=facts.reconciled_at is not None,
        scores=tuple(_scores(facts)),
    )


def _work_orders(facts: LedgerFacts) -> Iterator[StateCount]:
    for status, count in sorted({} if facts.totals is None else facts.totals.work_orders.items()):
        yield StateCount(f"{count:,} {status}", "ok" if status == "completed" else "none")


def _contributions(facts: LedgerFacts) -> Iterator[StateCount]:
    for outcome, count in sorted(
        {} if facts.totals is None else facts.totals.contributions.items()
    ):
        if count:
            yield StateCount(f"{count:,} {outcome}", "degraded" if outcome in WRONG else "none")


def _facts(facts: LedgerFacts, now: float) -> Iterator[Fact]:
    if facts.block is not None:
        yield Fact("compared at block", f"{facts.block.number:,}")
    age = None if facts.reconciled_at is None else max(0.0, now - facts.reconciled_at)
    yield Fact(
        "compared",
        "not yet" if age is None else f"{duration(age)} ago",
        "under way" if facts.is_running else "",
        is_odd=age is not None and age > SLOW_SECONDS,
    )
    if facts.took_seconds is not None:
        yield Fact("took", duration(facts.took_seconds))
    if facts.events:
        yield Fact("events", f"{facts.events:,}")
    if facts.differences:
        kinds = (
            f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(facts.differences.items())
        )
        many = sum(facts.differences.values())
        yield Fact("differences", f"{many:,}", ", ".join(kinds), is_odd=True)
    if facts.totals is not None:
        yield Fact("accounts", f"{facts.totals.accounts:,}")
        yield Fact("paid", rlc(facts.totals.paid))
        yield Fact("slashed, workers", rlc(facts.totals.slashed_workers))
        yield Fact("slashed, schedulers", rlc(facts.totals.slashed_schedulers))
        yield Fact("kitty", rlc(facts.totals.kitty))


def _scores(facts: LedgerFacts) -> Iterator[ScoreBar]:
    """The bands from the first to the last that has a worker."""
    bands = list(score_bands(() if facts.totals is None else facts.totals.scores).items())
    while bands and not bands[-1][1]:
        bands.pop()
    fullest = max((count for _, count in bands), default=0)
    for band, count in bands:
        yield ScoreBar(band, f"{count:,}", round(100 * count / fullest))
