"""The board of the optional checks leaves out the required ones and shows every other one."""

from __future__ import annotations

import re

from dashboards.checks import REQUIRED
from monitor.act.metrics_of_checks import CHECK_METRICS
from monitor.judge import verdict
from tests.dashboards.boards import BOARDS, targets

EXPRESSIONS = " ".join(each.expression for each in targets(BOARDS["checks"]))


def test_checks_that_are_left_out_are_the_required_ones() -> None:
    """They have boards of their own, and whoever adds one to them hears of it here."""
    assert REQUIRED == verdict.REQUIRED


def test_board_shows_every_metric_of_the_optional_checks_and_no_other() -> None:
    """What belongs to a check is looked for here."""
    beside = {"headwatch_finding_level", "headwatch_network_interval_seconds"}
    asked = set(re.findall(r"headwatch_\w+", EXPRESSIONS)) - beside
    shown = {metric.name for metric in CHECK_METRICS for name in metric.series if name in asked}
    assert shown == {metric.name for metric in CHECK_METRICS}
    assert asked <= {name for metric in CHECK_METRICS for name in metric.series}
