"""Where long work stands: a bar where somebody looks, a line now and then where nobody does."""

from __future__ import annotations

import io

import pytest

from monitor.commands.bar import LINE_SECONDS, Lines, counted, progress
from monitor.ledger.job import Step


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step("looking"), ""),
        (Step("replaying", 1234, 0, "events"), "1,234 events"),
        (Step("fetching", 0, 5678, "blocks"), "0 of 5,678 blocks"),
        (Step("fetching", 1234, 5678, "blocks"), "1,234 of 5,678 blocks"),
        (Step("fetching", 1, 2), "1 of 2"),
    ],
)
def test_counted_says_what_is_known(step: Step, text: str) -> None:
    """Nothing of what nobody counts, and no whole that nobody knows."""
    assert counted(step) == text


def test_lines_are_said_when_something_begins_and_not_too_often() -> None:
    """The same work is told again after a while, other work at once."""
    out, now = io.StringIO(), 100.0
    lines = Lines(out, lambda: now)
    for seconds in (0.0, LINE_SECONDS - 0.1, LINE_SECONDS):
        now = 100.0 + seconds
        lines.tell(Step("fetching", int(seconds), 20, "blocks"))
    lines.tell(Step("reading"))
    assert out.getvalue().splitlines() == [
        "headwatch: fetching: 0 of 20 blocks",
        "headwatch: fetching: 15 of 20 blocks",
        "headwatch: reading",
    ]


def test_progress_without_a_terminal_is_lines() -> None:
    """No control codes in a log."""
    out = io.StringIO()
    with progress(out) as tell:
        tell(Step("fetching", 1, 2, "blocks"))
    assert out.getvalue() == "headwatch: fetching: 1 of 2 blocks\n"


def test_progress_on_a_terminal_is_a_bar_that_goes() -> None:
    """What is done and how much of it, and in the end the line is empty again."""
    out = Terminal()
    with progress(out) as tell:
        tell(Step("fetching [events]", 1, 2, "blocks"))
        tell(Step("reading"))
    shown = out.getvalue()
    assert "\x1b[" in shown
    assert shown.endswith(("\x1b[2K", "\x1b[?25h", "\x1b[1A\x1b[2K"))
