"""What changed from one state to the next, as lines for a log: time, level, sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.act.words import rfc3339, subject_words
from monitor.model import Level
from monitor.status.document import FindingState, State
from monitor.status.feed import Lost


def first_lines(state: State) -> Iterator[str]:
    """Where it stands: the verdict, and every finding that is not ok."""
    yield _verdict_line(state)
    yield from (_line(state, finding) for finding in state.findings if finding.level != "ok")


def changed_lines(before: State, after: State) -> Iterator[str]:
    """The edges between two states; none where no level and no verdict changed."""
    if (before.verdict, before.headline) != (after.verdict, after.headline):
        yield _verdict_line(after)
    old = {(f.check, f.subject): f for f in before.findings}
    for finding in after.findings:
        was = old.pop((finding.check, finding.subject), None)
        if (was.level if was else "ok") != finding.level:
            yield _line(after, finding, was)
    for gone in old.values():
        if gone.level != Level.OK.word:
            subject = subject_words(gone.subject)
            yield f"{_time(after)}  gone          {gone.check}  {subject}  not judged any more"


def lost_line(lost: Lost, origin: str) -> str:
    """For stderr: what is printed on stdout stays a list of states."""
    return f"{origin}: connection lost, trying again ({lost.attempt}): {lost.reason}"


def _verdict_line(state: State) -> str:
    return f"{_time(state)}  {state.verdict.upper():<12}  {state.headline}"


def _line(state: State, finding: FindingState, was: FindingState | None = None) -> str:
    before = f" (was {was.level})" if was is not None else ""
    cause = f" (because of {finding.because.check})" if finding.because is not None else ""
    return (
        f"{_time(state)}  {finding.level:<12}  {finding.check}  "
        f"{subject_words(finding.subject)}{before}  {finding.summary}{cause}"
    )


def _time(state: State) -> str:
    return rfc3339(state.now)
