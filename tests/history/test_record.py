"""The words of the past."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.history.record import SUMMARY_CHARACTERS_MAX, Bar, edge_of, level_of
from monitor.model import Level
from tests.history.samples import action


@pytest.mark.parametrize(
    ("seconds", "worst"),
    [
        ((60.0, 0.0, 0.0, 0.0), Level.OK),
        ((59.0, 1.0, 0.0, 0.0), Level.UNKNOWN),
        ((0.0, 59.0, 1.0, 0.0), Level.DEGRADED),
        ((59.999, 0.0, 0.0, 0.001), Level.FAILED),
    ],
)
def test_bar_is_as_bad_as_its_worst_second(
    seconds: tuple[float, float, float, float], worst: Level
) -> None:
    """A moment of failure is not hidden by an hour of health."""
    assert Bar(0.0, sum(seconds), *seconds).worst == worst


def test_edge_keeps_what_an_action_says() -> None:
    """Level, reason and cause as they were, the summary cut."""
    told = action("changed", Level.DEGRADED, 7.5)
    told = replace(
        told,
        before=Level.FAILED,
        finding=replace(told.finding, summary="x" * 9999, because=("stall", "node:local")),
    )
    edge = edge_of(told, silenced=True)
    assert (edge.at, edge.kind, edge.key, edge.network) == (7.5, "changed", told.key, "ethereum")
    assert (edge.level, edge.before, edge.reason) == (Level.DEGRADED, Level.FAILED, "behind")
    assert (edge.because, edge.silenced) == (("stall", "node:local"), True)
    assert len(edge.summary) == SUMMARY_CHARACTERS_MAX


def test_levels_are_stored_by_their_words() -> None:
    """A file says the same when the numbers of levels change."""
    assert [level_of(level.word) for level in Level] == list(Level)
