from __future__ import annotations

from pathlib import Path

from monitor.act.metrics import BY_NAME, METRICS, metrics_page
from monitor.act.metrics_of_ledgers import LEDGER_METRICS
from monitor.act.metrics_of_transactions import TRANSACTION_METRICS

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


def test_table_every_family_of_transactions_is_in_it() -> None:
    """What a part of the table declares is exported like the rest."""
    assert {metric.name for metric in TRANSACTION_METRICS} <= set(BY_NAME)
    prefixes = ("headwatch_tx_", "headwatch_tap_", "headwatch_account_")
    for metric in METRICS:
        is_part = metric in TRANSACTION_METRICS
        assert metric.name.startswith(prefixes) == is_part, metric.name


def test_table_every_family_of_ledgers_is_in_it() -> None:
    """That part of the table, too, is exported, and each row names its ledger."""
    assert {metric.name for metric in LEDGER_METRICS} <= set(BY_NAME)
    for metric in METRICS:
        assert metric.name.startswith("headwatch_ledger_") == (metric in LEDGER_METRICS)
        assert ("ledger" in metric.labels) == (metric in LEDGER_METRICS)


def test_docs_are_the_table() -> None:
    """`docs/metrics.md` is what the table says, so that neither can be forgotten."""
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == metrics_page()


def test_unit_is_the_last_word_of_a_name_where_it_is_one() -> None:
    """Seconds and blocks are units, a number is a number."""
    units = {name: BY_NAME[name].unit for name in BY_NAME}
    assert units["headwatch_node_head_lag_blocks"] == "blocks"
    assert units["headwatch_rpc_call_seconds"] == "seconds"
    assert units["process_cpu_seconds_total"] == "seconds"
    assert units["headwatch_node_head_number"] == ""
