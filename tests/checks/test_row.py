"""The table of checks: what makes a row usable by the loop and readable by people."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from monitor.checks import CHECKS, Check
from monitor.judge.offers import OPTIONAL_CHECKS
from monitor.judge.verdict import REQUIRED


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row.name)
def test_row_of_the_table_has_the_shape_of_the_contract(row: Check[object]) -> None:
    """A probe asks and waits; a judge takes history, context, policy and now, and does not."""
    assert inspect.iscoroutinefunction(row.probe)
    assert not inspect.iscoroutinefunction(row.judge)
    assert list(inspect.signature(row.judge).parameters) == ["history", "context", "policy", "now"]


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row.name)
def test_row_of_the_table_names_the_check_of_its_judge(row: Check[object]) -> None:
    """A finding is found under the name that its row has."""
    module = inspect.getmodule(row.judge)
    assert module is not None
    assert row.name == module.CHECK


def test_rows_that_share_a_probe_share_its_question() -> None:
    """Checks that read the same answer agree on who asks and by which methods."""
    asked: dict[str, Check[object]] = {}
    for row in CHECKS:
        first = asked.setdefault(row.asks, row)
        assert (first.probe, first.methods) == (row.probe, row.methods)
        assert (first.needs, first.compares) == (row.needs, row.compares)


def test_rows_that_are_not_required_are_those_that_offer_numbers() -> None:
    """By these names they are configured, counted and told of where they see nothing."""
    assert {row.name for row in CHECKS if not row.required} == set(OPTIONAL_CHECKS)


@pytest.mark.parametrize(
    "row", [row for row in CHECKS if not row.required], ids=lambda row: row.name
)
def test_row_that_is_not_required_asks_an_asked_and_speaks_of_nodes_or_all(
    row: Check[object],
) -> None:
    """Its probe needs one argument; a reference alone is not surveyed."""
    parameters = inspect.signature(row.probe).parameters.values()
    assert [one.name for one in parameters if one.default is inspect.Parameter.empty] == ["asked"]
    assert set(row.scopes) <= {"node", "quorum"}
    assert row.every_seconds >= 0
    assert row.asks not in {"head", "identity", "fork"}


@pytest.mark.parametrize("name", [*REQUIRED, "peers"])
def test_row_is_required_exactly_when_the_verdict_waits_for_it(name: str) -> None:
    """A check that is not listed among the required decides nothing when it cannot see."""
    assert replace(CHECKS[0], name=name).required is (name in REQUIRED)
