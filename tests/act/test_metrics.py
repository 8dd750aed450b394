from __future__ import annotations

from pathlib import Path

import pytest

from monitor.act.metrics import BY_NAME, METRICS, Dial, Instruments, metrics_page

DOCS = Path(__file__).parents[2] / "docs"


def test_table_every_row_is_named_by_the_rules() -> None:
    """Ours begin with the prefix, `_total` marks counters and nothing else, units come last."""
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.name.startswith(("headwatch_", "process_")), metric.name
        assert (metric.type == "counter") == metric.name.endswith("_total"), metric.name
        assert (metric.type == "info") == metric.name.endswith("_info"), metric.name
        assert metric.help.endswith("."), metric.name
        assert not {"hash", "address", "url"} & set(metric.labels), metric.name


def test_table_histogram_names_its_three_series() -> None:
    """What dashboards may query of a histogram are its buckets, sum and count."""
    histograms = [metric for metric in METRICS if metric.type == "histogram"]
    assert [metric.series for metric in histograms] == [
        (
            "headwatch_rpc_call_seconds_bucket",
            "headwatch_rpc_call_seconds_sum",
            "headwatch_rpc_call_seconds_count",
        )
    ]


def test_docs_are_the_table() -> None:
    """`docs/metrics.md` is what the table says, so that neither can be forgotten."""
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page()


def test_dial_is_empty_until_it_is_set() -> None:
    """A reading that was never taken is not zero."""
    dial = Dial("headwatch_scheduler_lag_seconds")
    assert dial.value is None
    dial.set(0.0)
    assert dial.value == 0.0


def test_dial_outside_the_table_is_refused() -> None:
    """No metric can be exported that the documentation does not know."""
    with pytest.raises(KeyError):
        Dial("headwatch_invented")


def test_instruments_failed_reload_keeps_the_time_of_the_last_good_one() -> None:
    """The configuration in force is as old as it is, whatever was tried since."""
    instruments = Instruments()
    instruments.reloaded(at=100.0)
    assert instruments.config_last_reload_successful.value == 1.0
    instruments.reloaded(at=None)
    assert instruments.config_last_reload_successful.value == 0.0
    assert instruments.config_last_reload_success_timestamp_seconds.value == 100.0


def test_unit_is_the_last_word_of_a_name_where_it_is_one() -> None:
    """Seconds and blocks are units, a number is a number."""
    units = {name: BY_NAME[name].unit for name in BY_NAME}
    assert units["headwatch_node_head_lag_blocks"] == "blocks"
    assert units["headwatch_rpc_call_seconds"] == "seconds"
    assert units["process_cpu_seconds_total"] == "seconds"
    assert units["headwatch_node_head_number"] == ""
