"""Rules held against samples: pass, fail, or inconclusive where that cannot be said. Pure.

A rule is judged for each subject by itself, and the worst of them speaks for it: a mean over a
fleet would hide the one node that is broken. A fail needs enough samples that are fresh; a pass
also needs that the whole time asked for was watched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from monitor.model import VerdictWord
from monitor.policy.measures import Measure
from monitor.policy.rules import Rule
from monitor.policy.samples import Sample, Samples, Series, Subject
from monitor.policy.units import SECONDS, said

MAX_AGE_SECONDS = 60.0
"""The newest sample may be so old unless a rule says otherwise; polls come every few seconds."""
MAX_AGE_PACES = 2
"""What is measured more seldom may be so many times as old as the pause between two samples."""
_BADNESS: dict[VerdictWord, int] = {"pass": 0, "inconclusive": 1, "fail": 2}
_MISSING = {
    "node": "no node is watched",
    "quorum": "no references are watched",
    "journal": "no account is configured under `transactions`",
    "ledger": "no ledger is configured under `ledgers`",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one rule."""

    rule: Rule
    word: VerdictWord
    reason: str
    """A slug: held, broken, or why neither can be said: not_measured, no_data, too_few_samples,
    too_old, too_short, at_least."""
    actual: float | None
    """In the measure's unit, of the subject that was worst; None where nothing was measured."""
    subject: str
    """Whose value it is; empty where there is none."""
    samples: int
    """So many of that subject were looked at."""
    detail: str = ""
    """One line for a person, where the value alone does not say why."""

    @property
    def is_decisive(self) -> bool:
        """Whether its word counts for the verdict; else it is only told."""
        return self.rule.options.severity == "error"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What came of all rules of a gate, and of the checks with them."""

    name: str
    """The gate's."""
    word: VerdictWord
    results: tuple[Result, ...]
    """In the order of the rules."""
    is_aborted: bool = False
    """A rule failed that was to end it at once."""


def evaluate(rule: Rule, samples: Samples, now: float) -> Result:
    """The result of a rule, of the subject that was worst."""
    subjects = [
        subject
        for subject in samples.subjects.get(rule.measure.subjects, ())
        if rule.options.network in {"", subject.network}
    ]
    results = [_of_subject(rule, subject, samples, now) for subject in subjects]
    if not results:
        detail = _MISSING[rule.measure.subjects]
        return Result(rule, "inconclusive", "not_measured", None, "", 0, detail)
    return max(results, key=_badness)


def verdict_word(
    word: VerdictWord, results: Iterable[Result], *, strict: bool = False
) -> VerdictWord:
    """The word of a verdict and of its rules together; strict: a warning counts as an error."""
    words = [word, *(r.word for r in results if r.is_decisive or (strict and r.word == "fail"))]
    return max(words, key=lambda one: _BADNESS[one])


def aggregate(
    measure: Measure, aggregation: str, samples: Sequence[Sample], consecutive: int = 1
) -> float | None:
    """All samples as one value; None where there is nothing to divide by, or too little."""
    if measure.kind == "ratio":
        whole = sum(sample.whole for sample in samples)
        return sum(sample.value for sample in samples) / whole if whole else None
    if measure.kind == "count":
        return math.fsum(sample.value for sample in samples)
    values = [sample.value for sample in samples]
    if len(values) < max(1, consecutive):
        return None
    if measure.kind == "stored" or aggregation == "last":
        return values[-1]
    if aggregation == "max":
        return max(min(row) for row in _rows(values, consecutive))
    if aggregation == "min":
        return min(max(row) for row in _rows(values, consecutive))
    if aggregation == "mean":
        return math.fsum(values) / len(values)
    # The nearest rank: a value that was measured, and with few samples the worst of them.
    rank = math.ceil(int(aggregation.removeprefix("p")) * len(values) / 100)
    return sorted(values)[rank - 1]


def _rows(values: Sequence[float], length: int) -> Iterable[tuple[float, ...]]:
    """Every so many values in a row."""
    return zip(*(islice(values, start, None) for start in range(length)), strict=False)


def _badness(result: Result) -> tuple[int, float]:
    """The worst last: by word, then by how far the value is on the wrong side."""
    if result.actual is None:
        return _BADNESS[result.word], -math.inf
    distance = result.actual - result.rule.limit
    if result.rule.sign in {"<", "<="}:
        return _BADNESS[result.word], distance
    return _BADNESS[result.word], -distance if result.rule.sign in {">", ">="} else abs(distance)


def _of_subject(rule: Rule, subject: Subject, samples: Samples, now: float) -> Result:
    series = samples.series(rule.series, subject.name)
    if series is None:
        detail = f"{rule.measure.name} of {subject.name} is not watched"
        return Result(rule, "inconclusive", "not_measured", None, subject.name, 0, detail)
    over = rule.options.over_seconds
    kept = [s for s in series.samples if over is None or s.at >= now - over]
    actual = aggregate(rule.measure, rule.aggregation, kept, rule.options.consecutive)
    reason, detail = _blindness(rule, series, kept, now)
    if not reason and actual is None:
        reason, detail = "no_data", "there was nothing to divide by"
    if reason or actual is None:
        return Result(rule, "inconclusive", reason, actual, subject.name, len(kept), detail)
    word, reason, detail = _judged(rule, actual, kept[-1], now - series.began)
    return Result(rule, word, reason, actual, subject.name, len(kept), detail)


def _blindness(rule: Rule, series: Series, kept: Sequence[Sample], now: float) -> tuple[str, str]:
    """Why nothing can be said: a reason and a line; both empty where something can."""
    if not kept:
        if series.samples:
            age = said(round(now - series.samples[-1].at), SECONDS)
            return "too_old", f"the last sample is {age} old"
        return "no_data", series.why_none or "nothing was measured"
    if len(kept) < rule.samples_needed:
        return "too_few_samples", f"{len(kept)} of {rule.samples_needed} samples"
    age_seconds = now - kept[-1].at
    oldest_seconds = rule.options.max_age_seconds
    if oldest_seconds is None and rule.measure.kind != "stored":
        oldest_seconds = max(MAX_AGE_SECONDS, MAX_AGE_PACES * series.every_seconds)
    if oldest_seconds is not None and age_seconds > oldest_seconds:
        return "too_old", f"the last sample is {said(round(age_seconds), SECONDS)} old"
    return "", ""


def _judged(
    rule: Rule, actual: float, newest: Sample, watched_seconds: float
) -> tuple[VerdictWord, str, str]:
    if newest.is_at_least:
        holds, detail = rule.holds_from(actual), "at least so much: some are still waiting"
        if holds is None:
            return "inconclusive", "at_least", detail
        return ("pass", "held", detail) if holds else ("fail", "broken", detail)
    if not rule.holds(actual):
        return "fail", "broken", ""
    over = rule.options.over_seconds
    if over is not None and watched_seconds < over:
        watched = said(math.floor(max(0.0, watched_seconds)), SECONDS)
        return "inconclusive", "too_short", f"watched for {watched} of {said(over, SECONDS)}"
    return "pass", "held", ""
