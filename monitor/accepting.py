"""Findings that somebody has accepted, with a reason and an end: a gate's baseline.

They lie in a file of their own and not in the configuration, so that who may accept is settled by
who may change that file. What is accepted is shown, decides nothing, and counts again by itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace

from monitor.canary import comparison as canary
from monitor.canary.comparison import Comparison
from monitor.config.accepted import Accepted
from monitor.judge.verdict import ACCEPTED, verdict_of
from monitor.model import Finding, Level, Verdict


def accept(entries: Sequence[Accepted], verdict: Verdict, *, strict: bool = False) -> Verdict:
    """The verdict as if what is accepted were well; its finding says so, why, and until when.

    What follows from an accepted finding is judged by itself.
    """
    today = _day(verdict.at)
    valid = [entry for entry in entries if entry.until >= today]
    findings = tuple(_accepted(finding, valid) for finding in verdict.findings)
    return verdict_of(findings, verdict.at, verdict.skipped, strict=strict)


def _accepted(finding: Finding, entries: Sequence[Accepted]) -> Finding:
    entry = next((entry for entry in entries if covers(entry, finding)), None)
    if entry is None:
        return finding
    words = f"{finding.level.word} and accepted until {entry.until}, {entry.why}: "
    return replace(finding, level=Level.OK, reason=ACCEPTED, summary=words + finding.summary)


def covers(entry: Accepted, finding: Finding) -> bool:
    """Whether this is the finding that was accepted; what was not seen cannot be."""
    is_it = (entry.check, entry.subject) == finding.key
    is_reason = not entry.reasons or finding.reason in entry.reasons
    return is_it and is_reason and finding.level > Level.UNKNOWN


def notes(entries: Sequence[Accepted], verdict: Verdict) -> Iterator[str]:
    """What somebody should look at: entries that are over, and those for which there is nothing.

    `verdict` is what was found, before anything was accepted. Of what was not seen nobody can say
    that it is gone.
    """
    unseen = {finding.key for finding in verdict.findings if finding.level == Level.UNKNOWN}
    found = [
        (entry.check, entry.subject) in unseen
        or any(covers(entry, finding) for finding in verdict.findings)
        for entry in entries
    ]
    return _notes(entries, found, verdict.at)


def accept_comparisons(
    entries: Sequence[Accepted], comparisons: Sequence[Comparison], now: float
) -> tuple[Comparison, ...]:
    """The same of a canary run: what fails or warns, and was accepted, passes and says so."""
    valid = [entry for entry in entries if entry.until >= _day(now)]
    return tuple(_compared(one, valid) for one in comparisons)


def _compared(comparison: Comparison, entries: Sequence[Accepted]) -> Comparison:
    entry = next((entry for entry in entries if covers_comparison(entry, comparison)), None)
    if entry is None:
        return comparison
    verb = "failed" if comparison.outcome == "fail" else "warned"
    words = f"{verb} and accepted until {entry.until}, {entry.why}: {comparison.summary}"
    return replace(comparison, outcome="pass", reason=canary.ACCEPTED, summary=words)


def covers_comparison(entry: Accepted, comparison: Comparison) -> bool:
    """Whether this is what was accepted; what was not seen cannot be."""
    is_it = (entry.check, entry.subject) == (comparison.check, comparison.subject)
    is_reason = not entry.reasons or comparison.reason in entry.reasons
    return is_it and is_reason and comparison.outcome in {"fail", "warn"}


def notes_on_comparisons(
    entries: Sequence[Accepted], comparisons: Sequence[Comparison], now: float
) -> Iterator[str]:
    """As `notes`; `comparisons` are what was found, before anything was accepted."""
    unseen = {(one.check, one.subject) for one in comparisons if one.outcome == "unknown"}
    found = [
        (entry.check, entry.subject) in unseen
        or any(covers_comparison(entry, one) for one in comparisons)
        for entry in entries
    ]
    return _notes(entries, found, now)


def _notes(entries: Sequence[Accepted], found: Sequence[bool], now: float) -> Iterator[str]:
    today = _day(now)
    for entry, is_found in zip(entries, found, strict=True):
        what = f"{entry.check} of {entry.subject}"
        if entry.until < today:
            yield f"{what} was accepted until {entry.until}: it counts again"
        elif not is_found:
            yield f"{what} is accepted and was not found: take it out of the file"


def _day(at: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date()
