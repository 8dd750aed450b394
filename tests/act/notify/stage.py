"""Findings, edges and verdicts of a small fleet, as the fold would hand them to who is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from prometheus_client import Counter

from monitor.act.instruments import Instruments
from monitor.judge.verdict import verdict_of
from monitor.model import Action, Finding, Key, Level, Verdict

NODE = "node:local"


def finding(
    check: str = "stall",
    subject: str = NODE,
    level: Level = Level.FAILED,
    because: Key | None = None,
    **more: object,
) -> Finding:
    """A finding; `more` are fields of `Finding`."""
    made = Finding(
        check=check,
        subject=subject,
        network="ethereum",
        level=level,
        reason="made",
        summary=f"{check} is {level.word}",
        because=because,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def edge(after: Finding, before: Level, at: float) -> Action:
    """The edge between two levels."""
    kind: Literal["opened", "changed", "closed"] = "changed"
    if before == Level.OK:
        kind = "opened"
    elif after.level == Level.OK:
        kind = "closed"
    return Action(kind, after.key, at, after, before)


@dataclass
class World:
    """The true state, from which edges come."""

    findings: dict[Key, Finding] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    def put(self, *findings: Finding, now: float) -> tuple[Action, ...]:
        """These are so now; the edges."""
        edges = []
        for each in findings:
            before = self.findings.get(each.key)
            level = Level.OK if before is None else before.level
            since = now if before is None or before.level != each.level else before.since
            new = replace(each, since=since)
            self.findings[each.key] = new
            if level != each.level:
                edges.append(edge(new, level, now))
        return tuple(edges)

    def verdict(self, now: float) -> Verdict:
        return verdict_of(self.findings.values(), now)

    def silenced(self, each: Finding) -> bool:
        return each.subject in self.silent


def count(instruments: Instruments, channel: str, outcome: str) -> float:
    """How many messages had this outcome."""
    return _value(instruments.notifications, channel=channel, outcome=outcome)


def held(instruments: Instruments, channel: str, reason: str) -> float:
    """How many edges were held back for this reason."""
    return _value(instruments.notifications_held, channel=channel, reason=reason)


def _value(counter: Counter, **labels: str) -> float:
    return sum(
        float(sample.value)
        for family in counter.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and sample.labels == labels
    )
