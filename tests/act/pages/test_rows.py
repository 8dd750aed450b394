from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.act.pages.rows import COLUMNS, OTHERS, node_row, reference_row
from monitor.act.readings import Reading, read
from monitor.model import Level, Snapshot
from tests.act import snapshots


def readings(snapshot: Snapshot, kind: str = "node") -> list[Reading]:
    return [reading for reading in read(snapshot) if reading.facts.kind == kind]


def test_row_of_an_unseen_node_is_empty_where_nothing_was_seen() -> None:
    """Neither a zero nor an old height stands where the node did not answer."""
    row = node_row(readings(snapshots.unreachable())[0])
    assert (row.number, row.hash, row.lag_blocks, row.lag_seconds, row.age) == ("",) * 5
    assert row.errors == "the connection was refused"
    assert {cell.badge for cell in row.cells if cell.check != OTHERS} == {"unseen"}


@pytest.mark.parametrize(
    ("levels", "level", "words"),
    [
        ((), "none", "not judged"),
        (("ok",), "ok", "all 1 are well"),
        (("ok", "ok"), "ok", "all 2 are well"),
        (("ok", "unknown"), "unknown", "b, of 2: b is unknown"),
        (("degraded", "unknown", "ok"), "degraded", "a, of 3: a is degraded"),
        (("degraded", "failed", "unknown"), "failed", "b, of 3: b is failed"),
    ],
)
def test_row_has_one_column_for_all_further_checks(
    levels: tuple[str, ...], level: str, words: str
) -> None:
    """The worst of them by name, and how many there are; the required have columns of their own."""
    further = [
        snapshots.finding(check, "node:local", Level[word.upper()])
        for check, word in zip("abc", levels, strict=False)
    ]
    healthy = snapshots.healthy()
    verdict = replace(healthy.verdict, findings=(*healthy.verdict.findings, *further))
    row = node_row(readings(replace(healthy, verdict=verdict))[0])
    assert tuple(cell.check for cell in row.cells) == COLUMNS
    cell = row.cells[-1]
    assert (cell.check, cell.level, cell.summary) == (OTHERS, level, words)
    assert {one.level for one in row.cells[:-1]} == {"ok"}


def test_row_before_the_first_round_is_not_judged() -> None:
    """A check that was never made is none, not ok."""
    row = node_row(readings(snapshots.beginning())[0])
    assert {cell.badge for cell in row.cells} == {"none"}
    assert row.level == "unknown"


def test_row_lag_keeps_its_sign() -> None:
    """Behind is plus, and level is a plain zero."""
    rows = [node_row(reading) for reading in readings(snapshots.stalled())]
    assert [(row.lag_blocks, row.lag_seconds) for row in rows] == [("+9", "+108 s"), ("0", "")]


def test_row_without_a_history_knows_no_bars() -> None:
    """What was not asked is not shown as well."""
    row = node_row(readings(snapshots.healthy())[0])
    assert (row.uptime, row.strip.paths, row.is_silenced) == ("", (), False)


def test_reference_without_a_budget_shows_its_calls() -> None:
    """A reference of one's own may be asked without limit."""
    healthy = snapshots.healthy()
    free = replace(healthy.endpoints[0], calls_a_day=None)
    shown = replace(healthy, endpoints=(free, *healthy.endpoints[1:]))
    rows = [reference_row(reading, ("one",)) for reading in readings(shown, "reference")]
    assert [row.budget for row in rows[:2]] == ["4,100", "4,100 of 50,000"]
    assert [row.votes for row in rows] == ["yes", "no", "no"]
