from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from monitor.act.collector import InstrumentCollector, Sheet, registry_of, render
from monitor.act.instruments import Instruments
from monitor.act.metrics import METRICS
from monitor.act.readings import VERSION_CHARACTERS_MAX
from monitor.judge.seen import HeadSeen
from monitor.model import Action, BlockNumber, Level, Snapshot, Unseen
from tests.act import ledgers, snapshots
from tests.act.surveyed_checks import surveyed

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]
NODE = {"network": snapshots.NETWORK, "node": "local"}


def instruments_in_use(node: str = "local") -> Instruments:
    instruments = Instruments()
    instruments.reloaded(at=snapshots.NOW)
    instruments.rpc_call_seconds.labels(node=node, method="eth_chainId").observe(0.02)
    instruments.internal_errors.labels(place="round").inc()
    instruments.scheduler_lag_seconds.set(0.004)
    instruments.scrape_duration_seconds.set(0.01)
    instruments.notifications.labels(channel="oncall", outcome="sent").inc()
    instruments.notifications_held.labels(channel="oncall", reason="maintenance").inc(0)
    instruments.queued["oncall"] = 0
    instruments.told_at["oncall"] = snapshots.NOW
    instruments.history_size_bytes.set(40_960)
    labels = {"network": snapshots.NETWORK, "account": "payer"}
    instruments.tx_signed.labels(**labels, act="replace", result="signed").inc()
    instruments.tx_sends.labels(node=node, act="rebroadcast", reaction="accepted").inc()
    instruments.tx_journal_commit_seconds.observe(0.004)
    instruments.tap_requests.labels(kind="send").inc()
    instruments.tap_seconds.labels(kind="send").observe(0.02)
    return instruments


def with_edges(snapshot: Snapshot) -> Snapshot:
    """As after a stall that healed a minute ago."""
    healed = next(f for f in snapshot.verdict.findings if f.check == "stall")
    edge = Action("closed", healed.key, snapshots.NOW - 60, healed, Level.FAILED)
    return replace(snapshot, edges=(edge,))


def page(snapshot: Snapshot, instruments: Instruments | None = None) -> str:
    return render(registry_of(snapshot, instruments), "")[0].decode()


def series(snapshot: Snapshot, instruments: Instruments | None = None) -> Series:
    return {
        (sample.name, frozenset((k, v) for k, v in sample.labels.items() if v)): sample.value
        for family in parse(page(snapshot, instruments))
        for sample in family.samples
    }


def value(found: Series, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def names(found: Series) -> set[str]:
    return {name for name, _ in found}


def _openmetrics(snapshot: Snapshot, instruments: Instruments) -> list[Family]:
    body, content_type = render(registry_of(snapshot, instruments), "application/openmetrics-text")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    return list(parse_openmetrics(body.decode()))  # type: ignore[no-untyped-call]


def test_page_exports_exactly_the_table() -> None:
    """Every row of the table is exported once things have happened, and nothing else is."""
    watching = snapshots.watching(with_edges(surveyed(snapshots.healthy())))
    snapshot = ledgers.kept(watching, (ledgers.wrong(), ledgers.differing()))
    families = _openmetrics(snapshot, instruments_in_use())
    assert {family.name: family.type for family in families} == {
        metric.family: metric.type for metric in METRICS
    }
    units = {family.name: family.unit for family in families if family.name[0] == "h"}
    assert units["headwatch_node_head_age_seconds"] == "seconds"
    assert units["headwatch_node_head_lag_blocks"] == "blocks"


SITUATIONS = {
    **snapshots.SITUATIONS,
    "watching": snapshots.watching(snapshots.healthy()),
    "reconciling": ledgers.two_ledgers(),
    "surveyed": surveyed(snapshots.healthy()),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_page_in_every_situation_carries_the_labels_of_the_table(situation: str) -> None:
    """A sample has the labels that its row declares, no more and no fewer."""
    rows = {name: metric for metric in METRICS for name in metric.series}
    for family in parse(page(SITUATIONS[situation], instruments_in_use())):
        for sample in family.samples:
            row = rows[sample.name]
            assert set(sample.labels) - {"le"} == set(row.labels), sample


@pytest.mark.parametrize("situation", SITUATIONS)
def test_page_in_every_situation_pleases_promtool(situation: str, promtool: Path) -> None:
    """`promtool check metrics` has nothing to find."""
    text = page(SITUATIONS[situation], instruments_in_use())
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_state_healthy_shows_what_was_seen() -> None:
    """Head, age and lag are those of the newest observation, against the reference."""
    found = series(snapshots.healthy())
    assert value(found, "headwatch_node_head_number", **NODE) == snapshots.TIP
    assert value(found, "headwatch_node_head_age_seconds", **NODE) == 4.0
    assert value(found, "headwatch_node_head_lag_blocks", **NODE) == 0.0
    assert value(found, "headwatch_quorum_confidence", network=snapshots.NETWORK) == 3.0
    assert value(found, "headwatch_verdict", verdict="pass") == 1.0
    assert value(found, "headwatch_verdict", verdict="fail") == 0.0


def test_state_ahead_is_a_negative_lag() -> None:
    """The sign of the lag is kept: a node ahead of its references is not behind."""
    healthy = snapshots.healthy()
    ahead = replace(
        healthy,
        observations=(
            *(o for o in healthy.observations if o.node != "local"),
            *snapshots.observations_of("local", snapshots.TIP + 3),
        ),
    )
    found = series(ahead)
    assert value(found, "headwatch_node_head_lag_blocks", **NODE) == -3.0
    assert value(found, "headwatch_node_head_lag_seconds", **NODE) == -36.0


def test_state_unseen_head_has_no_sample() -> None:
    """What could not be seen is neither zero nor the last value, but its age is still told."""
    found = series(snapshots.unreachable())
    gone = {name for name in names(found) if name.startswith("headwatch_node_head")}
    assert not gone
    assert "headwatch_node_finalized_number" not in names(found)
    assert value(found, "headwatch_observation_age_seconds", check="head", **NODE) == 1.5
    level = value(found, "headwatch_finding_level", check="head", **NODE)
    assert level == float(Level.UNKNOWN)


def test_state_no_quorum_has_no_lag_and_no_reference() -> None:
    """Without a reference there is a head, but nothing it could be behind."""
    found = series(snapshots.split())
    assert value(found, "headwatch_node_head_number", **NODE) == snapshots.TIP
    assert value(found, "headwatch_node_head_lag_blocks", **NODE) is None
    assert not {name for name in names(found) if name.startswith("headwatch_quorum")}


def test_state_old_observation_has_no_sample() -> None:
    """A head that was not confirmed for a minute is not shown, although nothing replaced it."""
    later = replace(snapshots.healthy(), at=snapshots.NOW + 60.0)
    found = series(later)
    assert value(found, "headwatch_node_head_number", **NODE) is None
    assert value(found, "headwatch_quorum_head_number", network=snapshots.NETWORK) is None
    assert value(found, "headwatch_observation_age_seconds", check="head", **NODE) == 61.5


def test_state_stale_finding_measures_nothing() -> None:
    """The number that a stale finding carries is an old one."""
    stale = snapshots.finding("fork", "node:local", Level.UNKNOWN, "stale", measured=7.0)
    found = series(snapshots.with_finding(snapshots.healthy(), stale))
    assert value(found, "headwatch_fork_apart_blocks", **NODE) is None


def test_state_removed_node_leaves_no_series() -> None:
    """Nothing at all of a node is exported once it has left the configuration."""
    instruments = instruments_in_use("spare")
    both = snapshots.healthy("local", "spare")
    assert 'node="spare"' in page(both, instruments)
    only = snapshots.healthy("local")
    assert "spare" not in page(only, instruments)
    again = series(both, instruments)
    assert "headwatch_rpc_call_seconds_count" not in names(again)


def test_subject_transaction_is_counted_but_no_label() -> None:
    """A hash never becomes a label; the finding is still among those counted."""
    lost = snapshots.finding("transactions", f"tx:{snapshots.hash_of(1)}", Level.FAILED)
    text = page(snapshots.with_finding(snapshots.healthy(), lost))
    assert snapshots.hash_of(1) not in text
    assert 'headwatch_findings{level="failed"} 1.0' in text


def test_subject_monitor_has_no_node() -> None:
    """A finding about headwatch itself is about neither a node nor a reference."""
    own = replace(snapshots.finding("data", "monitor", Level.DEGRADED), network="")
    found = series(snapshots.with_finding(snapshots.healthy(), own))
    assert value(found, "headwatch_finding_level", check="data") == 2.0


def test_client_version_hostile_becomes_one_plain_short_label() -> None:
    """What a node says of itself cannot break the page out of its line, nor grow it."""
    hostile = 'Geth"} 1\nheadwatch_ready 0\n# https://h/key <script>' + "x" * 500
    healthy = snapshots.healthy()
    facts = replace(snapshots.node_facts(client=hostile))
    shown = replace(healthy, endpoints=(*healthy.endpoints[:-1], facts))
    lines = [line for line in page(shown).splitlines() if line.startswith("headwatch_node_info")]
    assert len(lines) == 1
    assert "<" not in lines[0]
    assert "://" not in lines[0]
    version = lines[0].split('version="')[1].split('"')[0]
    assert len(version) <= VERSION_CHARACTERS_MAX


def test_errors_are_shown_from_zero_on() -> None:
    """The first error is an increase, so the series must be there before it."""
    found = series(snapshots.healthy())
    assert value(found, "headwatch_rpc_errors_total", reason="refused", **NODE) == 0.0
    assert value(found, "headwatch_rpc_errors_total", reason="timeout", **NODE) == 2.0


def test_instruments_new_show_no_reading_that_was_not_taken() -> None:
    """A lag or a time that nobody set yet has no sample, while counters begin with zero."""
    found = series(snapshots.healthy(), Instruments())
    assert "headwatch_scheduler_lag_seconds" not in names(found)
    assert "headwatch_config_last_reload_success_timestamp_seconds" not in names(found)
    assert value(found, "headwatch_scheduler_events_total", event="missed") == 0.0


def test_instruments_two_do_not_meet() -> None:
    """Nothing is registered globally."""
    first, second = Instruments(), Instruments()
    first.internal_errors.labels(place="round").inc()
    found = series(snapshots.healthy(), second)
    assert value(found, "headwatch_internal_errors_total", place="round") == 0


def test_instruments_without_endpoints_forget_the_calls() -> None:
    """The memory of a node that is gone goes with it."""
    instruments = instruments_in_use()
    assert list(InstrumentCollector(instruments, {}).collect())
    found = series(snapshots.healthy(), instruments)
    assert "headwatch_rpc_call_seconds_count" not in names(found)


def test_instruments_leave_no_creation_times() -> None:
    """`_created` series are junk to every reader, and promtool says so."""
    assert "_created" not in page(snapshots.healthy(), instruments_in_use())


def test_sheet_refuses_what_is_not_in_the_table() -> None:
    """No metric can be exported that the documentation does not know."""
    with pytest.raises(KeyError):
        Sheet().put("headwatch_invented", 1)
    with pytest.raises(ValueError, match="expected 0 labels, found 1"):
        Sheet().put("headwatch_ready", 1, "a label too many")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/plain; version=0.0.4"),
        ("text/html,*/*;q=0.8", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=1.0.0; escaping=allow-utf-8", "application/openm"),
        ("application/openmetrics-text;version=x.y,text/plain", "application/openm"),
        ("application/openmetrics-text;version=99.0.0", "application/openmetrics-text; version=1."),
        ("text/plain;version=1.0.0;escaping=underscores", "text/plain; version=0.0.4"),
    ],
)
def test_format_follows_the_accept_header_within_what_is_written(
    accept: str, expected: str
) -> None:
    """The content type is what the page really is, also where the impossible is asked for."""
    body, content_type = render(registry_of(snapshots.healthy()), accept)
    assert content_type.startswith(expected)
    assert body.endswith(b"# EOF\n") == ("openmetrics" in content_type)


def test_height_of_256_bits_is_drawn() -> None:
    """A node may name any number at all; the page survives it."""
    healthy = snapshots.healthy()
    head = replace(
        snapshots.head_at(snapshots.TIP), number=BlockNumber(2**256 - 1), timestamp=2**256 - 1
    )
    lie = snapshots.observed("local", "head", HeadSeen(head, Unseen("timeout", "late")))
    shown = replace(healthy, observations=(*healthy.observations[:3], lie))
    assert value(series(shown), "headwatch_node_head_number", **NODE) == float(2**256)


def test_endpoint_that_says_nothing_of_itself_has_no_info() -> None:
    """An unknown client is no client named nothing; without a subscription none is dead."""
    healthy = snapshots.healthy()
    facts = replace(snapshots.node_facts(client=""), subscription="off")
    found = series(replace(healthy, endpoints=(*healthy.endpoints[:-1], facts)))
    assert "headwatch_node_info" not in names(found)
    assert "headwatch_subscription_live" not in names(found)


def test_observation_of_nobody_configured_is_not_shown() -> None:
    """What was written down of an endpoint that is gone has no age either."""
    healthy = snapshots.healthy()
    stray = snapshots.observed("gone", "head", Unseen("timeout", "late"))
    text = page(replace(healthy, observations=(*healthy.observations, stray)))
    assert "gone" not in text


def test_page_tells_when_a_finding_last_turned() -> None:
    """An annotation of a dashboard finds the time of an edge, and which way it went."""
    found = series(with_edges(snapshots.healthy()))
    labels = {**NODE, "check": "stall", "kind": "closed"}
    name = "headwatch_finding_edge_timestamp_seconds"
    assert value(found, name, **labels) == snapshots.NOW - 60
    assert name not in names(series(snapshots.healthy()))


def test_page_says_of_everything_that_is_judged_whether_people_are_told() -> None:
    """Alerts can subtract maintenance from every finding, also from those of all references."""
    silenced = replace(
        snapshots.healthy("local", "other"),
        silenced=frozenset({"node:local", "reference:ethereum/quorum"}),
        windows_active=1,
        windows_planned=2,
    )
    found = series(silenced)
    name = "headwatch_maintenance"
    assert value(found, name, network="ethereum", node="local") == 1
    assert value(found, name, network="ethereum", node="other") == 0
    assert value(found, name, network="ethereum", reference="a") == 0
    assert value(found, name, network="ethereum", reference="quorum") == 1
    assert value(found, "headwatch_maintenance_windows", state="active") == 1
    assert value(found, "headwatch_maintenance_windows", state="planned") == 2


def test_page_shows_the_channels_that_the_notifier_knows() -> None:
    """A channel that left the configuration leaves its gauges with it."""
    instruments = instruments_in_use()
    found = series(snapshots.healthy(), instruments)
    assert value(found, "headwatch_notifications_queued", channel="oncall") == 0
    assert value(found, "headwatch_notifications_total", channel="oncall", outcome="sent") == 1
    del instruments.queued["oncall"], instruments.told_at["oncall"]
    found = series(snapshots.healthy(), instruments)
    assert value(found, "headwatch_notifications_queued", channel="oncall") is None
