"""Every query of every board, executed by a real Prometheus on what headwatch really exports."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from monitor.act.metrics import METRICS
from tests.dashboards import recording
from tests.dashboards.boards import BOARDS, LABEL_VALUES, Asked, Json, marks, targets, variables
from tests.dashboards.boards import filled as filled_in
from tests.dashboards.recording import BEGIN, END, SCRAPE_SECONDS
from tests.dashboards.server import Recorded

# Workers of one run share it, so that there is one server.
pytestmark = pytest.mark.xdist_group("prometheus")


def chosen(prometheus: Recorded, board: Json) -> dict[str, str]:
    """What each variable stands for when the board is opened: all, or its first value."""
    values: dict[str, str] = {}
    for variable in variables(board):
        found = LABEL_VALUES.fullmatch(variable["query"])
        assert found, variable["query"]
        selector = filled_in(found["selector"], values)
        offered = prometheus.values(found["label"], selector, BEGIN, END)
        assert offered, f"the variable {variable['name']} offers nothing: {selector}"
        values[variable["name"]] = variable.get("allValue") or offered[0]
    return values


def empty(prometheus: Recorded, asked: Asked, values: dict[str, str]) -> Iterator[str]:
    """A complaint where an expression finds no series, or no number in any."""
    expression = filled_in(asked.expression, values)
    if asked.instant:
        found = prometheus.instant(expression, END)
    else:
        found = prometheus.range(expression, BEGIN, END, SCRAPE_SECONDS)
    numbers = [float(value) for series in found for _, value in series]
    if not any(math.isfinite(number) for number in numbers):
        yield f"{asked.where} finds nothing in {len(found)} series: {expression}"


@pytest.mark.parametrize("name", BOARDS)
def test_panels_find_series(name: str, filled: Recorded) -> None:
    """No panel is empty: each query is one that Prometheus answers from our own metrics."""
    values = chosen(filled, BOARDS[name])
    asked = list(targets(BOARDS[name]))
    complaints = [word for each in asked for word in empty(filled, each, values)]
    assert len(asked) > 10
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("name", BOARDS)
def test_annotations_find_series(name: str, filled: Recorded) -> None:
    """Openings and closings lie in the time that was recorded, in milliseconds; so do windows."""
    values = chosen(filled, BOARDS[name])
    for each in marks(BOARDS[name]):
        assert not list(empty(filled, each, values))
        expression = filled_in(each.expression, values)
        found = filled.range(expression, BEGIN, END, SCRAPE_SECONDS)
        numbers = [float(value) for series in found for _, value in series]
        if "timestamp" in each.expression:
            assert all(1000 * BEGIN <= number <= 1000 * END for number in numbers)
        else:
            assert set(numbers) == {1.0}


def test_variables_offer_what_is_watched(filled: Recorded) -> None:
    """A reader chooses nodes, references, accounts and ledgers by their names alone."""
    offered = {}
    for name, variable in (
        ("node", "node"),
        ("references", "reference"),
        ("transactions", "account"),
        ("ledger", "ledger"),
    ):
        query = next(v["query"] for v in variables(BOARDS[name]) if v["name"] == variable)
        found = LABEL_VALUES.fullmatch(query)
        assert found
        everything = {"job": ".+", "instance": ".+", "network": ".*"}
        selector = filled_in(found["selector"], everything)
        offered[variable] = filled.values(found["label"], selector, BEGIN, END)
    assert offered == {
        "node": ["local", "spare"],
        "reference": ["a", "b", "c"],
        "account": ["payer", "worker"],
        "ledger": ["beta", "workerdrops"],
    }


def test_numbers_are_those_of_the_recording(filled: Recorded) -> None:
    """What the first panels show at the end is the stall that was recorded."""
    board = BOARDS["fleet"]
    values = chosen(filled, board)
    asked = {each.where: filled_in(each.expression, values) for each in targets(board)}

    def number(where: str) -> float:
        (((_, value),),) = filled.instant(asked[where], END)
        return float(value)

    assert number("Verdict A") == 2.0
    assert number("Failed A") == 2.0
    assert number("Unknown A") == 0.0
    assert number("Lag, of what is allowed A") == 4.5


def test_numbers_of_transactions_are_those_of_the_recording(filled: Recorded) -> None:
    """What the first panels show at the end is the transaction that was lost."""
    board = BOARDS["transactions"]
    values = chosen(filled, board)
    asked = {each.where: filled_in(each.expression, values) for each in targets(board)}

    def numbers(where: str, at: float = END) -> list[float]:
        return [float(value) for ((_, value),) in filled.instant(asked[where], at)]

    assert numbers("Worst finding A") == [3.0]
    assert numbers("Live A") == [7.0]
    assert numbers("Not as they should be A") == [3.0]
    assert numbers("Included in time A") == [1.0]
    assert [numbers("Mode A", at) for at in (BEGIN, END)] == [[3.0], [1.0]]


def test_numbers_of_ledgers_are_those_of_the_recording(filled: Recorded) -> None:
    """What the first panels show is the ledger that came to differ, and what it comes to."""
    board = BOARDS["ledger"]
    values = chosen(filled, board)
    asked = {each.where: filled_in(each.expression, values) for each in targets(board)}

    def numbers(where: str, at: float = END) -> list[float]:
        return [float(value) for ((_, value),) in filled.instant(asked[where], at)]

    assert [numbers("Worst finding A", at) for at in (BEGIN, END)] == [[0.0], [3.0]]
    assert [numbers("Differences A", at) for at in (BEGIN, END)] == [[0.0], [3.0]]
    assert numbers("Last compared A") == [60.0]
    assert numbers("Paid A") == [2_400.000000001]
    assert numbers("Slashed A") == [43.5]
    assert numbers("Kitty A") == [13.5]
    assert numbers("Right contributions A") == [1540 / 1543]
    assert numbers("Blocks below the head A") == [64.0]
    bands = [numbers(f"Workers by score {ref}") for ref in "ABCDEFGHIJKLM"]
    assert [band for (band,) in bands] == [2, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0]


def test_numbers_of_checks_are_those_of_the_recording(filled: Recorded) -> None:
    """What the first panels show is what the checks wrote down of the node, and of the network."""
    board = BOARDS["checks"]
    values = chosen(filled, board)
    asked = {each.where: filled_in(each.expression, values) for each in targets(board)}

    def number(where: str) -> float:
        (((_, value),),) = filled.instant(asked[where], END)
        return float(value)

    assert number("Worst finding A") == 0.0
    assert number("Until it is level A") == 50.0
    assert number("Fewest peers A") == 5.0
    assert [number(f"Wrong {what} A") for what in ("values", "logs")] == [0.0, 0.0]
    assert number("Next upgrade A") == 30 * 86_400
    assert number("Headwatch's clock A") == 0.25
    for ref in "AB":
        found = filled.range(asked[f"Reorgs {ref}"], BEGIN, END, SCRAPE_SECONDS)
        assert max(float(value) for series in found for _, value in series) >= 1.0


def test_mistake_that_was_made_once_is_shown(filled: Recorded) -> None:
    """Whether the counter was there before the mistake or began with it."""
    board = BOARDS["watcher"]
    values = chosen(filled, board)
    where = "Internal errors by place A"
    (asked,) = (each.expression for each in targets(board) if each.where == where)
    counter = "headwatch_internal_errors_total{"
    expression = filled_in(asked, values).replace(counter, f'{counter}place="http", ')
    made = END - recording.MISTAKE_SECONDS
    before = filled.instant(expression, made - SCRAPE_SECONDS)
    assert [float(value) for ((_, value),) in before] == [0.0]
    assert [float(value) for ((_, value),) in filled.instant(expression, made)] == [1.0]
    assert [float(value) for ((_, value),) in filled.instant(expression, END)] == [0.0]


def test_recording_holds_every_metric(page: str) -> None:
    """Nothing is missing from what the boards are tried on."""
    assert set(recording.names(page)) == {name for metric in METRICS for name in metric.series}


def test_query_of_what_is_not_exported_is_noticed(filled: Recorded) -> None:
    """A panel that would be empty fails its test."""
    for instant in (True, False):
        assert list(empty(filled, Asked("here", "headwatch_renamed", instant), {}))
        assert list(empty(filled, Asked("here", "headwatch_ready / 0 - 0", instant), {}))
        assert not list(empty(filled, Asked("here", "headwatch_ready", instant), {}))


def test_query_that_is_refused_is_noticed(filled: Recorded) -> None:
    """Prometheus' own words come with the failure."""
    with pytest.raises(AssertionError, match="parse error"):
        filled.instant("sum(", END)
