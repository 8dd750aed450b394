from __future__ import annotations

import pytest

from monitor.act.metric import Metric, MetricType


@pytest.mark.parametrize(
    ("name", "kind", "family", "unit"),
    [
        ("headwatch_tap_seconds", "histogram", "headwatch_tap_seconds", "seconds"),
        ("process_cpu_seconds_total", "counter", "process_cpu_seconds", "seconds"),
        ("headwatch_tx_budget_spent_wei", "gauge", "headwatch_tx_budget_spent_wei", "wei"),
        ("headwatch_node_head_number", "gauge", "headwatch_node_head_number", ""),
        ("headwatch_node_info", "info", "headwatch_node", ""),
        ("headwatch_tx_closed_total", "counter", "headwatch_tx_closed", ""),
    ],
)
def test_family_and_unit_are_read_from_the_name(
    name: str, kind: MetricType, family: str, unit: str
) -> None:
    """The suffix that a type brings belongs to no family, and a number of things has no unit."""
    metric = Metric(name, kind, "Of something.")
    assert (metric.family, metric.unit) == (family, unit)


def test_series_of_a_histogram_are_three_and_of_anything_else_one() -> None:
    """What may be queried is what Prometheus stores."""
    assert Metric("a_seconds", "histogram", "A.").series == (
        "a_seconds_bucket",
        "a_seconds_sum",
        "a_seconds_count",
    )
    assert Metric("a_total", "counter", "A.").series == ("a_total",)
