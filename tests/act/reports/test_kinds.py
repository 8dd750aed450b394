"""The table of formats."""

from __future__ import annotations

import pytest

from monitor.act.reports.kinds import KINDS
from monitor.commands.gating import OUTPUT_KINDS
from tests.act.reports.told import RUNS


def test_kinds_are_those_that_the_command_names() -> None:
    """The help names every format without importing any."""
    assert tuple(KINDS) == OUTPUT_KINDS
    assert [name for name, kind in KINDS.items() if kind.appends] == ["markdown", "github-output"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run", RUNS)
def test_report_of_every_kind_ends_its_last_line(kind: str, run: str) -> None:
    """Files are added to and read line by line; only annotations may be none at all."""
    text = KINDS[kind].draw(RUNS[run])
    assert text.endswith("\n") or (kind, text) == ("annotations", "")
    assert KINDS[kind].reader


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run", RUNS)
def test_report_of_every_kind_can_be_shown_in_a_log_of_github(kind: str, run: str) -> None:
    """Its runner obeys the words of a node nowhere: no command but annotations begins a line."""
    text = KINDS[kind].draw(RUNS[run])
    for line in map(str.lstrip, text.splitlines()):
        assert line.startswith("::") == (kind == "annotations")
        assert "##[" not in line
