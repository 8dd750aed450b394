"""What every report is drawn from: the verdict, the rules, and where each was configured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from monitor.act.comparisons import comparisons_headline, line_words
from monitor.act.conformance import conformance_headline, difference_words
from monitor.act.rulings import ruling_headline
from monitor.act.words import plain
from monitor.canary.comparison import TITLES as CANARY_TITLES
from monitor.canary.comparison import Comparison
from monitor.checks import CHECKS
from monitor.conformance.outcome import Conformance
from monitor.judge.verdict import decides
from monitor.model import Finding, Level, Verdict, VerdictWord
from monitor.policy.evaluation import Result, Ruling
from monitor.policy.units import said

REMEDIES = {check.name: check.remedy for check in CHECKS}
TITLES = {check.name: check.title for check in CHECKS}


@dataclass(frozen=True, slots=True)
class Told:
    """One run of the gate."""

    verdict: Verdict
    version: str
    """Of headwatch."""
    ruling: Ruling | None = None
    file: str = ""
    """The configuration, as it was named; empty for one-off use."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Line in that file by subject, and by `rule:INDEX` of the gate's rules."""
    comparisons: tuple[Comparison, ...] = ()
    """Of a canary run, which has neither findings nor rules."""
    conformance: Conformance | None = None
    """Of a run of vectors, which has nothing else."""

    @property
    def word(self) -> VerdictWord:
        """Of checks and rules together."""
        return self.verdict.word if self.ruling is None else self.ruling.word

    @property
    def headline(self) -> str:
        """The verdict in one sentence, printable and on one line."""
        if self.conformance is not None:
            return plain(conformance_headline(self.word, self.conformance))
        if self.comparisons:
            return plain(comparisons_headline(self.word, self.comparisons))
        return plain(ruling_headline(self.verdict, self.ruling))

    @property
    def results(self) -> tuple[Result, ...]:
        return () if self.ruling is None else self.ruling.results

    def points(self) -> Iterator[Point]:
        """Everything that was judged: findings, rules, and what was compared."""
        for finding in self.verdict.findings:
            yield _of_finding(finding, self.lines.get(finding.subject, 1))
        for index, result in enumerate(self.results):
            name = "" if self.ruling is None else self.ruling.name
            yield _of_rule(result, name, self.lines.get(f"rule:{index}", 1))
        for comparison in self.comparisons:
            yield _of_comparison(comparison)
        if self.conformance is not None:
            yield from _of_conformance(self.conformance)

    def worst(self) -> tuple[Point, ...]:
        """What is not well, the worst first."""
        bad = [point for point in self.points() if point.state not in WELL]
        return tuple(sorted(bad, key=lambda point: STATES.index(point.state)))


STATES = ("failed", "blind", "warned", "unseen", "skipped", "ok")
"""How a point stands, the worst first. `blind` decides that nothing can be said; `unseen` does
not; `skipped` was not asked for, or is not served."""
WELL = frozenset({"skipped", "ok"})
"""What nobody need look at."""


@dataclass(frozen=True, slots=True)
class Point:
    """One check of one subject, or one rule, as a report lists it."""

    suite: str
    """The check, or `rules of GATE`."""
    name: str
    """The subject, or the rule as it was written."""
    state: str
    """One of `STATES`."""
    slug: str
    """What is wrong, for machines: `head/behind`, `rule/broken`."""
    summary: str
    """One printable line."""
    detail: str
    """Evidence and remedy, in lines; may be empty."""
    line: int
    """In the configuration; 1 where it is not written there."""
    title: str
    """What the check asserts."""
    file: str = ""
    """Where `line` is; empty where it is in the configuration."""


def _of_finding(finding: Finding, line: int) -> Point:
    states = {
        Level.OK: "ok",
        Level.FAILED: "failed",
        Level.DEGRADED: "warned",
        Level.UNKNOWN: "blind" if decides(finding) else "unseen",
    }
    said_by = [f"{e.source}, {e.method}: {plain(e.said)}" for e in finding.evidence]
    said_by += [f"measured against {plain(e.threshold)}" for e in finding.evidence if e.threshold]
    if finding.because is not None:
        said_by.append(f"because of {finding.because[0]} of {finding.because[1]}")
    elif finding.level != Level.OK and finding.check in REMEDIES:
        said_by.append(f"remedy: {REMEDIES[finding.check]}")
    return Point(
        suite=finding.check,
        name=finding.subject,
        state=states[finding.level],
        slug=f"{finding.check}/{finding.reason}",
        summary=plain(finding.summary),
        detail="\n".join(said_by),
        line=line,
        title=TITLES.get(finding.check, finding.check),
    )


def _of_rule(result: Result, gate: str, line: int) -> Point:
    states = {
        ("pass", True): "ok",
        ("pass", False): "ok",
        ("fail", True): "failed",
        ("fail", False): "warned",
        ("inconclusive", True): "blind",
        ("inconclusive", False): "unseen",
    }
    value = "not measured"
    if result.actual is not None:
        value = f"is {said(result.actual, result.rule.measure.unit)}"
    why = plain(result.detail)
    summary = f"{result.rule.text}: {value}" + (f", {why}" if why else "")
    whose = f"{result.subject}, {result.samples} samples" if result.subject else ""
    return Point(
        suite=f"rules of {gate}",
        name=result.rule.text,
        state=states[result.word, result.is_decisive],
        slug=f"rule/{result.reason}",
        summary=summary,
        detail=whose,
        line=line,
        title=result.rule.measure.meaning,
    )


def _of_comparison(comparison: Comparison) -> Point:
    states = {
        "pass": "ok",
        "warn": "warned",
        "fail": "failed",
        "unknown": "blind" if comparison.is_blind else "unseen",
        "skipped": "skipped",
    }
    return Point(
        suite=f"canary {comparison.check}",
        name=comparison.subject,
        state=states[comparison.outcome],
        slug=f"canary/{comparison.check}_{comparison.reason}",
        summary=plain(comparison.summary),
        detail="\n".join(line_words(line) for line in comparison.lines),
        line=1,
        title=CANARY_TITLES[comparison.check],
    )


def _of_conformance(found: Conformance) -> Iterator[Point]:
    if found.blind:
        yield Point(
            suite="conformance",
            name=found.vectors,
            state="blind",
            slug="conformance/blind",
            summary=plain(found.blind),
            detail="",
            line=1,
            title="the node can be asked, and is on the vectors' chain",
        )
    states = {"pass": "ok", "fail": "failed", "unknown": "blind", "skipped": "skipped"}
    for one in found.files:
        yield Point(
            suite=f"conformance {one.method}",
            name=one.id,
            state=states[one.outcome],
            slug=f"conformance/{one.reason}",
            summary=plain(f"{one.name}: {one.summary}"),
            detail="\n".join(difference_words(difference) for difference in one.differences),
            line=one.line,
            title="the answers are those of execution-apis' test vectors",
            file=f"{found.vectors}/{one.id}.io",
        )
