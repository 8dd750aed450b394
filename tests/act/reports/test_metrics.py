"""OpenMetrics, read back by Prometheus' own parser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from monitor.act.reports.metrics import openmetrics
from monitor.policy.rules import Options
from tests.act.reports.told import RUNS, troubled
from tests.act.rulings import HELD, ruling


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """By name and labels, each of which is there once (OpenMetrics 1.0, Labels)."""
    found = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


@pytest.mark.parametrize("run", RUNS)
def test_text_is_openmetrics(run: str) -> None:
    """It parses, and the verdict is one of three."""
    found = samples(openmetrics(RUNS[run]))
    words = [value for (name, _), value in found.items() if name == "headwatch_gate_verdict"]
    assert sorted(words) == [0.0, 0.0, 1.0]


def test_numbers_are_those_of_findings_and_rules() -> None:
    """A rule that could not be judged has none."""
    found = samples(openmetrics(troubled()))
    levels = [value for (name, _), value in found.items() if name.endswith("finding_level")]
    assert sorted(levels) == [0.0, 1.0, 1.0, 2.0, 3.0]
    rules = [(dict(labels), v) for (n, labels), v in found.items() if n.endswith("rule_value")]
    values = {labels["rule"]: value for labels, value in rules}
    assert values == {
        "head.lag_blocks.max < 3": 1.0,
        "rpc.error_ratio < 1%": 0.025,
        "rpc.latency_seconds.p95 < 500ms": 0.8125,
    }


def test_rules_of_the_same_text_are_told_apart_by_their_options() -> None:
    """Over another time they have other values; alike, they are one series."""
    rules = [
        replace(HELD, rule=replace(HELD.rule, options=options), actual=actual)
        for options, actual in (
            (Options(), 1.0),
            (Options(over_seconds=120.0), 2.0),
            (Options(over_seconds=120.0, consecutive=3), 3.0),
            (Options(over_seconds=120.0, severity="warn"), 2.0),
        )
    ]
    found = samples(openmetrics(replace(troubled(), ruling=ruling("pass", *rules))))
    values = {
        (dict(labels)["over_seconds"], dict(labels)["consecutive"]): value
        for (name, labels), value in found.items()
        if name == "headwatch_gate_rule_value"
    }
    assert values == {("", "1"): 1.0, ("120", "1"): 2.0, ("120", "3"): 3.0}


def test_outcomes_of_a_canary_run_are_numbers() -> None:
    """The worse, the higher."""
    found = samples(openmetrics(RUNS["canary"]))
    outcomes = {
        (dict(labels)["check"], dict(labels)["subject"]): value
        for (name, labels), value in found.items()
        if name.endswith("comparison_outcome")
    }
    assert outcomes["answers", "method:eth_call"] == 4.0
    assert outcomes["upgrades", "node:candidate"] == 1.0
    assert outcomes["identity", "node:candidate"] == 0.0
    assert len(outcomes) == 6
