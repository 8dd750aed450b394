from __future__ import annotations

import pytest

from dashboards import promql


def test_selector_follows_the_variables() -> None:
    """Job and instance always, the network where the metric has one, then what is asked for."""
    assert promql.series("headwatch_ready") == 'headwatch_ready{job=~"$job", instance=~"$instance"}'
    assert promql.series("headwatch_node_head_number", 'node="a"') == (
        'headwatch_node_head_number{job=~"$job", instance=~"$instance", network=~"$network", '
        'node="a"}'
    )


def test_selector_with_a_network_of_its_own_keeps_it() -> None:
    """Two matchers of one label would be the reader's puzzle."""
    found = promql.series("headwatch_rounds_total", 'network!="x"')
    assert found.count("network") == 1


@pytest.mark.parametrize(
    "name", ["headwatch_renamed", "headwatch_rpc_call_seconds", "headwatch_rpc_calls"]
)
def test_selector_of_what_is_not_stored_is_refused(name: str) -> None:
    """A metric that was renamed fails when the board is made; a histogram is asked by its parts."""
    with pytest.raises(KeyError):
        promql.series(name)


@pytest.mark.parametrize("matcher", ['client="geth"', "node=a", 'le="1", x="2"'])
def test_matcher_that_can_match_nothing_is_refused(matcher: str) -> None:
    """A label that the metric lacks would make an empty panel."""
    with pytest.raises(ValueError, match="has the labels network, node"):
        promql.series("headwatch_node_head_number", matcher)


def test_rate_of_a_gauge_is_refused() -> None:
    """Only what counts has a rate."""
    with pytest.raises(ValueError, match="not a counter"):
        promql.rate("headwatch_ready")
    with pytest.raises(ValueError, match="not a counter"):
        promql.increase("headwatch_node_head_lag_blocks")


def test_growth_of_what_has_just_appeared_is_all_of_it() -> None:
    """The first mistake is seen, although nothing was counted before it."""
    found = promql.grown("headwatch_history_errors_total")
    counter = promql.series("headwatch_history_errors_total")
    assert f"({counter} unless {counter} offset $__rate_interval)" in found


def test_quantile_keeps_the_buckets_apart() -> None:
    """Without `le` in the sum there is no quantile."""
    found = promql.quantile(0.95, "headwatch_rpc_call_seconds", "node")
    assert "by (node, le)" in found
    assert "headwatch_rpc_call_seconds_bucket" in found


def test_variable_of_a_label_that_is_not_there_is_refused() -> None:
    """A variable that offers nothing empties all of its board."""
    assert promql.values("job", "headwatch_ready") == "label_values(headwatch_ready, job)"
    with pytest.raises(ValueError, match="no label node"):
        promql.values("node", "headwatch_ready")
