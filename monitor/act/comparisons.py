"""What came of a canary run, for machines and people. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from monitor.act.words import plain
from monitor.canary.comparison import ACCEPTED, OUTCOMES, Comparison, Line, Outcome
from monitor.model import VerdictWord

NAMED_COUNT_MAX = 3
"""How many comparisons a sentence names before it only counts them."""
MARKS: Mapping[Outcome, tuple[str, str]] = {
    "pass": ("✓", "32"),
    "warn": ("!", "33"),
    "fail": ("✗", "31"),
    "unknown": ("?", "35"),
    "skipped": ("-", "90"),
}
"""The tick mark of an outcome, and its colour on a terminal."""
ANSWERS: Mapping[VerdictWord, str] = {
    "pass": "the candidate may replace the baseline",
    "fail": "the candidate may not replace the baseline",
    "inconclusive": "nobody can say whether the candidate may replace the baseline",
}


def comparison_json(comparison: Comparison) -> Mapping[str, object]:
    """One comparison, as `docs/gate.schema.json` has it."""
    return {
        "check": comparison.check,
        "subject": comparison.subject,
        "outcome": comparison.outcome,
        "reason": comparison.reason,
        "summary": plain(comparison.summary),
        "asked": comparison.asked,
        "evidence": [
            {
                "what": plain(line.what),
                "baseline": plain(line.baseline),
                "candidate": plain(line.candidate),
            }
            for line in comparison.lines
        ],
    }


def comparisons_headline(word: VerdictWord, comparisons: Sequence[Comparison]) -> str:
    """The answer to the question of a canary run, and what decides it."""
    deciding = _deciding(word, comparisons)
    said = ANSWERS[word]
    if deciding:
        named = "; ".join(f"{c.check}: {plain(c.summary)}" for c in deciding[:NAMED_COUNT_MAX])
        more = len(deciding) - NAMED_COUNT_MAX
        return f"{said}: {named}" + (f"; and {more} more" if more > 0 else "")
    accepted = sum(one.reason == ACCEPTED for one in comparisons)
    warnings = sum(one.outcome == "warn" for one in comparisons)
    notes = [f"{accepted} accepted"] if accepted else []
    notes += [f"{warnings} warning{'s' * (warnings != 1)}"] if warnings else []
    return said + (f", with {' and '.join(notes)}" if notes else "")


def _deciding(word: VerdictWord, comparisons: Sequence[Comparison]) -> list[Comparison]:
    if word == "pass":
        return []
    if word == "inconclusive":
        return [one for one in comparisons if one.is_blind]
    failed = [one for one in comparisons if one.outcome == "fail"]
    return failed or [one for one in comparisons if one.outcome == "warn"]  # A strict gate.


def comparison_lines(comparisons: Sequence[Comparison], *, colour: bool) -> Iterator[str]:
    """One a comparison: its mark, the check, what was found; both values below what is not well."""
    width = max((len(one.check) for one in comparisons), default=0)
    for one in comparisons:
        mark, code = MARKS[one.outcome]
        painted = f"\x1b[{code}m{mark}\x1b[0m" if colour else mark
        reason = f"  [{one.reason}]" if one.outcome not in {"pass", "skipped"} else ""
        yield f"  {painted} {one.check:<{width}}  {plain(one.summary)}{reason}"
        if one.outcome in {"warn", "fail"}:
            for line in one.lines:
                yield f"    {'':<{width}}  - {line_words(line)}"


def line_words(line: Line) -> str:
    """Both values of one thing, in words."""
    said = [
        f"{who} {plain(value)}"
        for who, value in (("baseline", line.baseline), ("candidate", line.candidate))
        if value
    ]
    return f"{plain(line.what)}: {', '.join(said)}" if said else plain(line.what)


def outcome_counts(comparisons: Sequence[Comparison]) -> str:
    """`1 fail, 3 skipped, 8 pass`, the worst first."""
    counts = {name: sum(one.outcome == name for one in comparisons) for name in OUTCOMES}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)
