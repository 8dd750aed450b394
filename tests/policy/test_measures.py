"""The table of what can be ruled on: whole, unambiguous, and helpful where a path is wrong."""

from __future__ import annotations

import re

import pytest

from monitor.checks import CHECKS
from monitor.ledger.last import DIFFERENCES
from monitor.policy import measures
from monitor.policy.measures import BY_PATH, MEASURES, Measure, find
from monitor.policy.units import PolicyError
from monitor.transactions import reckoning


@pytest.mark.parametrize("check", [check.name for check in CHECKS])
def test_check_offers_something_to_rule_on(check: str) -> None:
    """Every row of the table of checks has its measures here."""
    assert [measure for measure in MEASURES if measure.check == check]


def test_paths_are_unambiguous() -> None:
    """Each path once, and none is the name of another measure."""
    paths = [path for measure in MEASURES for path in measure.paths]
    assert len(paths) == len(set(paths)) == len(BY_PATH)
    names = {measure.name for measure in MEASURES if measure.aggregations}
    assert not names & set(paths)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_measure_is_named_by_its_part_and_its_unit(measure: Measure) -> None:
    """The first word is whose it is, the last its unit, as everywhere in the house."""
    room, _, rest = measure.name.partition(".")
    assert room == measure.check
    if measure.unit in {"seconds", "blocks", "ratio", "operators"}:
        assert rest.endswith(f"_{measure.unit}")
    assert (measure.kind == "ratio") == (not measure.aggregations)
    assert re.fullmatch(r"[A-Z].*[^.]", measure.meaning)
    for path in measure.paths:
        assert find(path) == (measure, path.removeprefix(measure.name).removeprefix("."))


def test_measures_of_transactions_are_those_that_are_reckoned() -> None:
    """What the journal tells is what can be ruled on, by the same names and in the same units."""
    told = reckoning.measures([], [], [], 0.0)
    paths = {p: m.unit for m in MEASURES if m.check == "transactions" for p in m.paths}
    assert paths == {name: one.unit for name, one in told.items()}


def test_measure_of_ledgers_is_the_one_that_is_kept() -> None:
    """Under the path by which the ledger itself names it."""
    assert measures.DIFFERENCES.paths == (DIFFERENCES,)


@pytest.mark.parametrize(
    ("path", "expected", "found", "hint"),
    [
        (
            "head.lag_block.max",
            "no such measure",
            "head.lag_block.max",
            "did you mean head.lag_blocks.max?",
        ),
        (
            "rpc.latency.p95",
            "no such measure",
            "rpc.latency.p95",
            "did you mean rpc.latency_seconds.p95?",
        ),
        (
            "rpc.eror_ratio",
            "no such measure",
            "rpc.eror_ratio",
            "did you mean rpc.error_ratio or rpc.throttled_ratio.p99 or rpc.throttled_ratio.p95?",
        ),
        (
            "ledger.x",
            "no such measure",
            "ledger.x",
            "below ledger there is ledger.differences",
        ),
        (
            "zebra",
            "no such measure",
            "zebra",
            "docs/gate.md has all of them",
        ),
        (
            "head.lag_blocks",
            (
                "expected head.lag_blocks to be followed by one of "
                "max, min, mean, p50, p90, p95, p99, last"
            ),
            "",
            "write head.lag_blocks.max",
        ),
        (
            "head.lag_blocks.p96",
            "expected head.lag_blocks to be followed by max, min, mean, p50, p90, p95, p99, last",
            "p96",
            "write head.lag_blocks.max",
        ),
        (
            "rpc.error_ratio.p95",
            "expected rpc.error_ratio to be followed by nothing: it is a ratio",
            "p95",
            "write rpc.error_ratio",
        ),
    ],
)
def test_path_that_no_measure_has_is_refused_with_what_may_be_meant(
    path: str, expected: str, found: str, hint: str
) -> None:
    """A misspelt rule never passes silently: it says where to go from here."""
    with pytest.raises(PolicyError) as caught:
        find(path)
    assert (caught.value.expected, caught.value.found, caught.value.hint) == (expected, found, hint)
