"""The verdict for machines, terminals and CI logs. Pure.

The shape of the gate JSON is `docs/gate.schema.json`; `/api/v1/verdict` answers with it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from monitor.act.comparisons import (
    comparison_json,
    comparison_lines,
    comparisons_headline,
    outcome_counts,
)
from monitor.act.conformance import conformance_json
from monitor.act.rulings import result_json, rule_lines, ruling_headline
from monitor.act.words import (
    clock_time,
    count_levels,
    duration,
    measure,
    plain,
    rfc3339,
    since_of,
)
from monitor.canary.comparison import Comparison
from monitor.checks import CHECKS
from monitor.conformance.outcome import Conformance
from monitor.model import BlockStamp, Evidence, Finding, Key, Level, Verdict
from monitor.policy.evaluation import Ruling

SCHEMA = "headwatch.gate/1"
Json = Mapping[str, object]
BY_NAME = {check.name: check for check in CHECKS}

_COLOURS = {
    Level.OK: "32",
    Level.UNKNOWN: "35",
    Level.DEGRADED: "33",
    Level.FAILED: "31",
}
_WORD_COLOURS = {"pass": "32", "inconclusive": "35", "fail": "31"}


def gate_json(
    verdict: Verdict,
    *,
    version: str,
    ruling: Ruling | None = None,
    comparisons: Sequence[Comparison] = (),
    conformance: Conformance | None = None,
) -> dict[str, object]:
    """The gate's document: every value JSON, every time RFC 3339 in UTC.

    With a ruling its word is the verdict: the checks' and the rules' together.
    """
    word = verdict.word if ruling is None else ruling.word
    return {
        "schema": SCHEMA,
        "verdict": word,
        "at": rfc3339(verdict.at),
        "headwatch": version,
        "policy": None if ruling is None else ruling.name,
        "findings": [finding_json(finding) for finding in verdict.findings],
        "skipped": [key_json(key) for key in verdict.skipped],
        "rules": [] if ruling is None else [result_json(r) for r in ruling.results],
        "comparisons": [comparison_json(one) for one in comparisons],
        "conformance": None if conformance is None else conformance_json(conformance),
        "data": {"ok": word == "pass"},
    }


def finding_json(finding: Finding) -> Json:
    """One finding, as in the gate's document."""
    return {
        "check": finding.check,
        "subject": finding.subject,
        "network": finding.network,
        "level": finding.level.word,
        "reason": finding.reason,
        "summary": finding.summary,
        "measured": finding.measured,
        "limit": finding.limit,
        "unit": finding.unit,
        "as_of": _stamp_json(finding.as_of),
        "since": None if finding.since is None else rfc3339(finding.since),
        "because": None if finding.because is None else key_json(finding.because),
        "evidence": [evidence_json(evidence) for evidence in finding.evidence],
    }


def evidence_json(evidence: Evidence) -> Json:
    """Who said what, as `docs/gate.schema.json` has it."""
    return {
        "source": evidence.source,
        "method": evidence.method,
        "said": evidence.said,
        "at": rfc3339(evidence.at),
        "block": _stamp_json(evidence.block),
        "threshold": evidence.threshold,
        "p_value": evidence.p_value,
    }


def _stamp_json(stamp: BlockStamp | None) -> Json | None:
    if stamp is None:
        return None
    return {"number": stamp.number, "hash": stamp.hash, "timestamp": stamp.timestamp}


def key_json(key: Key) -> Json:
    """The identity of a finding."""
    return {"check": key[0], "subject": key[1]}


def nested(findings: Sequence[Finding]) -> Iterator[tuple[int, Finding]]:
    """Each finding once, with its depth: under the one that explains it, causes worst first.

    A cause that is not among them, or a circle of causes, leaves a finding at the top.
    """
    keys = {finding.key for finding in findings}
    children: dict[Key | None, list[Finding]] = {}
    for finding in findings:
        cause = finding.because if finding.because in keys else None
        children.setdefault(cause, []).append(finding)
    told: set[Key] = set()

    def walk(finding: Finding, depth: int) -> Iterator[tuple[int, Finding]]:
        if finding.key in told:
            return
        told.add(finding.key)
        yield depth, finding
        for child in children.get(finding.key, ()):
            yield from walk(child, depth + 1)

    for finding in sorted(children.get(None, ()), key=lambda f: -f.level):
        yield from walk(finding, 0)
    for finding in findings:
        yield from walk(finding, 0)


def gate_text(
    verdict: Verdict,
    *,
    colour: bool,
    ruling: Ruling | None = None,
    comparisons: Sequence[Comparison] = (),
) -> str:
    """The verdict first; what is not OK, under its cause; a line for all else; then the rules.

    Of a canary run, which has no findings: the verdict, and a line for each comparison.
    """

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    if comparisons:
        word = paint(verdict.word.upper(), f"1;{_WORD_COLOURS[verdict.word]}")
        first = f"{word}  {plain(comparisons_headline(verdict.word, comparisons))}"
        body = comparison_lines(comparisons, colour=colour)
        last = f"{rfc3339(verdict.at)}  {outcome_counts(comparisons)}"
        return "\n".join((first, "", *body, "", last))
    of_all = verdict.word if ruling is None else ruling.word
    since = since_of(verdict) if of_all == verdict.word else None
    held = f" (for {duration(verdict.at - since)})" if since is not None else ""
    word = paint(of_all.upper(), f"1;{_WORD_COLOURS[of_all]}")
    lines = [f"{word}  {plain(ruling_headline(verdict, ruling))}{held}"]
    bad = [finding for finding in verdict.findings if finding.level != Level.OK]
    for depth, finding in nested(bad):
        lines += ["", *_bad_lines(finding, depth, verdict.at, paint(*_badge(finding)))]
    good = [finding for finding in verdict.findings if finding.level == Level.OK]
    if good:
        lines.append("")
    for finding in good:
        summary = plain(finding.summary)
        lines.append(
            f"{paint(*_badge(finding))}  {finding.check:<10}  {finding.subject}  {summary}"
        )
    for check, subject in verdict.skipped:
        lines.append(f"skipped   {check:<10}  {subject}  not supported by this endpoint")
    if ruling is not None:
        lines += ["", *rule_lines(ruling, colour=colour)]
    counts = ", ".join(f"{n} {level.word}" for level, n in count_levels(verdict.findings).items())
    lines += ["", f"{rfc3339(verdict.at)}  {counts or 'no findings'}"]
    return "\n".join(lines)


def _badge(finding: Finding) -> tuple[str, str]:
    return f"{finding.level.word:<8}", _COLOURS[finding.level]


def _bad_lines(finding: Finding, depth: int, now: float, badge: str) -> Iterator[str]:
    indent = "   " * depth
    since = ""
    if finding.since is not None:
        since = f"  since {clock_time(finding.since, now)} ({duration(now - finding.since)})"
    yield f"{indent}{badge}  {finding.check}  {finding.subject}  [{finding.network}]{since}"
    inner = indent + "   "
    yield f"{inner}{plain(finding.summary)}"
    measured = measure(finding)
    yield f"{inner}{f'{measured}; ' if measured else ''}reason {finding.reason}"
    for evidence in finding.evidence:
        yield f"{inner}- {evidence.source}, {evidence.method}: {plain(evidence.said)}"
        if evidence.threshold is not None:
            chance = f", p = {evidence.p_value:.2g}" if evidence.p_value is not None else ""
            yield f"{inner}  measured against {plain(evidence.threshold)}{chance}"
    check = BY_NAME.get(finding.check)
    # A finding that another explains is not what should be looked at first.
    if check is not None and not depth:
        yield f"{inner}remedy: {check.remedy} ({check.runbook})"
