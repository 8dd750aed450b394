"""What came of a gate's rules, for machines and people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from monitor.act.words import headline, plain
from monitor.model import Verdict, VerdictWord
from monitor.policy.evaluation import Result, Ruling
from monitor.policy.units import said

NAMED_COUNT_MAX = 3
"""How many rules a sentence names before it only counts them."""
MARKS: Mapping[VerdictWord, tuple[str, str]] = {
    "pass": ("✓", "32"),
    "fail": ("✗", "31"),
    "inconclusive": ("?", "35"),
}
"""The tick mark of a result, and its colour on a terminal."""
WARNED = ("!", "33")
"""Of a rule that failed and only warns."""


def result_json(result: Result) -> Mapping[str, object]:
    """One rule, as `docs/gate.schema.json` has it."""
    options, measure = result.rule.options, result.rule.measure
    return {
        "rule": result.rule.text,
        "severity": options.severity,
        "network": options.network or None,
        "over_seconds": options.over_seconds,
        "min_samples": options.min_samples,
        "consecutive": options.consecutive,
        "max_age_seconds": options.max_age_seconds,
        "verdict": result.word,
        "reason": result.reason,
        "actual": result.actual,
        "limit": result.rule.limit,
        "unit": measure.unit,
        "subject": result.subject or None,
        "samples": result.samples,
        "detail": plain(result.detail),
    }


def ruling_headline(verdict: Verdict, ruling: Ruling | None) -> str:
    """Checks and rules in one sentence; of each, what decides."""
    if ruling is None:
        return headline(verdict)
    count = len(ruling.results)
    bad = [r for r in ruling.results if r.word == ruling.word != "pass" and r.is_decisive]
    warned = [r for r in ruling.results if r.word == "fail" and not r.is_decisive]
    if not bad and ruling.word == "fail" != verdict.word:
        bad = warned  # A strict gate.
    if bad:
        named = "; ".join(_short(result) for result in bad[:NAMED_COUNT_MAX])
        more = len(bad) - NAMED_COUNT_MAX
        verb = "failed" if ruling.word == "fail" else "could not be judged"
        rules = f"{len(bad)} of {count} rules {verb}: {named}"
        rules += f"; and {more} more" if more > 0 else ""
    else:
        rules = f"{count} rules, {len(warned)} of them warn" if warned else f"{count} rules"
    return f"{headline(verdict)}; {rules}" if ruling.word == verdict.word else rules


def _short(result: Result) -> str:
    value = _value(result)
    return f"{result.rule.text} (is {value})" if value else f"{result.rule.text} ({result.detail})"


def _value(result: Result) -> str:
    return "" if result.actual is None else said(result.actual, result.rule.measure.unit)


def rule_lines(ruling: Ruling, *, colour: bool) -> Iterator[str]:
    """A line for the gate, then one a rule: its mark, the rule, its value, and whose it is."""
    yield f"rules of {ruling.name}" + (", ended early" if ruling.is_aborted else "")
    width = max((len(result.rule.text) for result in ruling.results), default=0)
    values = max((len(_value(result)) for result in ruling.results), default=0)
    for result in ruling.results:
        is_warning = result.word == "fail" and not result.is_decisive
        mark, code = WARNED if is_warning else MARKS[result.word]
        painted = f"\x1b[{code}m{mark}\x1b[0m" if colour else mark
        whose = f"{result.subject}, " if result.subject else ""
        line = (
            f"  {painted} {result.rule.text:<{width}}  {_value(result) or '-':<{values}}  {whose}"
        )
        line += f"{result.samples} sample{'' if result.samples == 1 else 's'}"
        why = plain(result.detail)
        if result.word != "pass":
            why = f"{why} [{result.reason}]" if why else f"[{result.reason}]"
        severity = "  (warns)" if result.rule.options.severity == "warn" else ""
        yield (f"{line}  {why}" if why else line) + severity
