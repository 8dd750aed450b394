"""The lines of the tables of nodes and references. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.act.pages.bars import NOTHING, Strip
from monitor.act.pages.cards import BADGES
from monitor.act.readings import Reading, version_text
from monitor.act.state import level_of
from monitor.act.words import duration
from monitor.checks import CHECKS
from monitor.judge.quorum import client_family
from monitor.model import Level

NODE_CHECKS = tuple(check.name for check in CHECKS if "node" in check.scopes and check.required)
OTHERS = "others"
"""The column of all further checks together: a column each would not fit on a page."""
COLUMNS = (*NODE_CHECKS, OTHERS)


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
    is_silenced: bool
    """Nobody is told of it now."""
    strip: Strip
    uptime: str
    """Of the last 24 hours."""


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


def node_row(
    reading: Reading,
    *,
    is_silenced: bool = False,
    strip: Strip = NOTHING,
    uptime: str = "",
) -> NodeRow:
    """The line of a node."""
    facts, head, worst = reading.facts, reading.head, level_of(reading)
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
        cells=(*(_cell(check, reading) for check in NODE_CHECKS), _others(reading)),
        socket="" if facts.subscription == "off" else facts.subscription,
        errors=_errors(reading),
        is_silenced=is_silenced,
        strip=strip,
        uptime=uptime,
    )


def reference_row(reading: Reading, voters: Sequence[str]) -> ReferenceRow:
    """The line of a reference; `voters` are the operators whose word counted."""
    facts, head, worst = reading.facts, reading.head, level_of(reading)
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


def _cell(check: str, reading: Reading) -> Cell:
    finding = reading.findings.get(check)
    if finding is None:
        return Cell(check, "none", "none", "not judged")
    return Cell(check, finding.level.word, BADGES[finding.level], finding.summary)


def _others(reading: Reading) -> Cell:
    """The worst of the checks without a column, and how many there are."""
    found = [finding for check, finding in reading.findings.items() if check not in NODE_CHECKS]
    if not found:
        return Cell(OTHERS, "none", "none", "not judged")
    worst = max(found, key=lambda finding: finding.level)
    words = f"all {len(found)} are well"
    if worst.level != Level.OK:
        words = f"{worst.check}, of {len(found)}: {worst.summary}"
    return Cell(OTHERS, worst.level.word, BADGES[worst.level], words)


def _signed(value: int | None) -> str:
    """With its sign, since ahead is not behind; 0 has none."""
    return "" if value is None else f"{value:+d}" if value else "0"


def _errors(reading: Reading) -> str:
    """The newest failure in words, else how many calls have failed so far."""
    if reading.unseen is not None:
        return reading.unseen.detail
    counts = reading.facts.errors_total
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()) if count)
