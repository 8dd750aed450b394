from __future__ import annotations

from dataclasses import replace

from monitor.judge.verdict import verdict_of
from monitor.model import Level
from monitor.status.feed import Lost
from monitor.status.lines import changed_lines, first_lines, lost_line
from tests.act import snapshots
from tests.status.stage import state

AT = "2026-11-18T11:06:40.000Z"


def test_first_lines_say_the_verdict_and_what_is_not_ok() -> None:
    """A log begins with where it stands."""
    verdict, *bad = first_lines(state(snapshots.stalled()))
    assert verdict == f"{AT}  FAIL          node local FAILED: stall"
    assert len(bad) == 2
    assert bad[0].startswith(f"{AT}  failed        head  node local  block")
    assert bad[0].endswith("(because of stall)")


def test_no_change_is_no_line() -> None:
    """A round in which nothing changed says nothing, although its time is another."""
    before = state(snapshots.stalled())
    after = state(replace(snapshots.stalled(), at=snapshots.NOW + 7))
    assert list(changed_lines(before, after)) == []


def test_edge_is_one_line_with_both_levels() -> None:
    """Opening and closing are told with what the level was."""
    good, bad = (
        state(
            snapshots.with_finding(
                snapshots.healthy(), snapshots.finding("head", "node:local", level, "behind")
            )
        )
        for level in (Level.OK, Level.FAILED)
    )
    verdict, opened = changed_lines(good, bad)
    assert verdict.startswith(f"{AT}  FAIL")
    assert opened == f"{AT}  failed        head  node local (was ok)  head is failed"
    assert f"{AT}  ok            head  node local (was failed)  head is ok" in list(
        changed_lines(bad, good)
    )


def test_finding_that_was_never_told_of_opens_without_a_before() -> None:
    """A subject that comes with the state it is in, and a good one comes silently."""
    before = state(snapshots.healthy())
    new = snapshots.finding("head", "node:new", Level.DEGRADED, "behind")
    lines = list(changed_lines(before, state(snapshots.with_finding(snapshots.healthy(), new))))
    assert f"{AT}  degraded      head  node new  head is degraded" in lines


def test_bad_finding_that_disappears_is_told() -> None:
    """A node that left the configuration does not stay failed in the log."""
    stalled = snapshots.stalled()
    left = tuple(f for f in stalled.verdict.findings if f.subject != "node:local")
    after = replace(stalled, verdict=verdict_of(left, snapshots.NOW))
    lines = list(changed_lines(state(stalled), state(after)))
    assert f"{AT}  gone          stall  node local  not judged any more" in lines
    assert not [line for line in lines if "fork" in line]


def test_lost_line_names_the_place_and_the_attempt() -> None:
    """Whoever reads the log knows that what stands above may be old."""
    line = lost_line(Lost(3, "connection refused"), "127.0.0.1:9845")
    assert line == "127.0.0.1:9845: connection lost, trying again (3): connection refused"
