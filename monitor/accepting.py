"""Findings that somebody has accepted, with a reason and an end: a gate's baseline.

They lie in a file of their own and not in the configuration, so that who may accept is settled by
who may change that file. What is accepted is shown, decides nothing, and counts again by itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import replace

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
    """Whether this is the finding that was accepted; one that is well is none."""
    is_it = (entry.check, entry.subject) == (finding.check, finding.subject)
    is_reason = not entry.reasons or finding.reason in entry.reasons
    return is_it and is_reason and finding.level != Level.OK


def notes(entries: Sequence[Accepted], verdict: Verdict) -> Iterator[str]:
    """What somebody should look at: entries that are over, and those for which there is nothing.

    `verdict` is what was found, before anything was accepted.
    """
    today = _day(verdict.at)
    for entry in entries:
        what = f"{entry.check} of {entry.subject}"
        if entry.until < today:
            yield f"{what} was accepted until {entry.until}: it counts again"
        elif not any(covers(entry, finding) for finding in verdict.findings):
            yield f"{what} is accepted and was not found: take it out of the file"


def _day(at: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date()
