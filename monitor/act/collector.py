"""The snapshot as metric families: the page of `/metrics` and of `/probe`.

Families are built anew for every page from one immutable snapshot, so that a node that left the
configuration leaves no series behind, and a value that was not seen has no sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, get_args

from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from monitor import __version__
from monitor.act.collector_of_checks import put_checks
from monitor.act.collector_of_ledgers import put_ledgers
from monitor.act.collector_of_reorgs import put_reorgs, reorg_blocks
from monitor.act.collector_of_transactions import Watched, put_transactions, transaction_blocks
from monitor.act.exposition import Block, Labels, block_of, histogram_lines, number, page
from monitor.act.instruments import Instruments
from monitor.act.metric import Metric
from monitor.act.metrics import BY_NAME, METRICS
from monitor.act.readings import Reading, read, version_text
from monitor.judge.quorum import client_family
from monitor.judge.verdict import reference_of
from monitor.model import (
    QUORUM,
    Confidence,
    Finding,
    Level,
    NetworkFacts,
    Snapshot,
    VerdictWord,
    reference_label,
    subject_of,
)

RPC_REASONS = ("timeout", "refused", "rpc_error", "malformed")
"""Shown from zero on, so that `increase()` sees the first of them."""
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
VERDICT_WORDS: tuple[VerdictWord, ...] = get_args(VerdictWord)
ROWS = {metric.name: Labels(metric.labels) for metric in METRICS}


class Collector(Protocol):
    """Something that has families to show."""

    def collect(self) -> Iterable[Block]: ...


class Sheet:
    """Samples, filed under the rows of `METRICS`."""

    def __init__(self) -> None:
        self._rows = {name: (_block(BY_NAME[name]), labels) for name, labels in ROWS.items()}

    def put(self, name: str, value: float | None, *labels: str) -> None:
        """One sample, its labels in the order of the table; none where the value is None.

        Raises KeyError for a metric that is not in the table, ValueError for a wrong count of
        labels.
        """
        if value is None:
            return
        block, names = self._rows[name]
        block.lines.append(f"{name}{names.text(labels)} {number(float(value))}\n")

    def blocks(self) -> Iterator[Block]:
        """Those that have samples, in the order of the table."""
        return (block for block, _ in self._rows.values() if block.lines)


def _block(metric: Metric) -> Block:
    return Block(metric.family, metric.help, metric.type, metric.unit)


class StateCollector:
    """What a snapshot says, as metric families."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Block]:
        snapshot = self._snapshot()
        sheet = Sheet()
        _put_state(sheet, snapshot)
        for reading in read(snapshot):
            _put_endpoint(sheet, reading)
            if reading.facts.kind == "node":
                _put_node(sheet, reading)
            else:
                _put_reference(sheet, reading)
        for network in snapshot.networks:
            _put_network(sheet, network, snapshot)
        put_checks(sheet.put, snapshot)
        put_reorgs(sheet.put, snapshot)
        put_transactions(sheet.put, snapshot)
        put_ledgers(sheet.put, snapshot)
        yield from sheet.blocks()
        yield from reorg_blocks(snapshot)


def _put_state(sheet: Sheet, snapshot: Snapshot) -> None:
    verdict = snapshot.verdict
    sheet.put("headwatch_build_info", 1, __version__)
    sheet.put("headwatch_ready", snapshot.ready)
    for word in VERDICT_WORDS:
        sheet.put("headwatch_verdict", word == verdict.word, word)
    counts = dict.fromkeys(Level, 0)
    for finding in verdict.findings:
        counts[finding.level] += 1
        subject = _subject_labels(finding)
        if subject is not None:
            sheet.put(
                "headwatch_finding_level", finding.level, finding.check, finding.network, *subject
            )
    for level, count in counts.items():
        sheet.put("headwatch_findings", count, level.word)
    for edge in snapshot.edges:
        subject = _subject_labels(edge.finding)
        if subject is not None:
            labels = (edge.finding.check, edge.finding.network, *subject, edge.kind)
            sheet.put("headwatch_finding_edge_timestamp_seconds", edge.at, *labels)
    _put_maintenance(sheet, snapshot)
    networks = {facts.label: facts.network for facts in snapshot.endpoints}
    for seen in snapshot.observations:
        if seen.node in networks:
            sheet.put(
                "headwatch_observation_age_seconds",
                snapshot.at - seen.at,
                networks[seen.node],
                seen.node,
                seen.check,
            )


def _put_maintenance(sheet: Sheet, snapshot: Snapshot) -> None:
    """0 or 1 for everything that can be judged, so that alerts need no `or`."""
    for facts in snapshot.endpoints:
        node, reference = (facts.name, "") if facts.kind == "node" else ("", facts.name)
        silenced = subject_of(facts.label) in snapshot.silenced
        sheet.put("headwatch_maintenance", silenced, facts.network, node, reference)
    for network in snapshot.networks:
        silenced = subject_of(reference_label(network.name)) in snapshot.silenced
        sheet.put("headwatch_maintenance", silenced, network.name, "", QUORUM)
    sheet.put("headwatch_maintenance_windows", snapshot.windows_active, "active")
    sheet.put("headwatch_maintenance_windows", snapshot.windows_planned, "planned")


def _subject_labels(finding: Finding) -> tuple[str, str] | None:
    """The labels `node` and `reference`; None for a subject that has neither.

    Accounts have a metric of their own. Transactions are counted in `headwatch_findings` alone: a
    hash in a label would grow without bound.
    """
    kind, _, name = finding.subject.partition(":")
    if kind == "node":
        return name, ""
    if kind == "reference":
        return "", name.rsplit("/", 1)[-1]
    return ("", "") if finding.subject == "monitor" else None


def _put_endpoint(sheet: Sheet, reading: Reading) -> None:
    facts, labels = reading.facts, (reading.facts.network, reading.label)
    sheet.put("headwatch_rpc_calls_total", facts.calls_total, *labels)
    for reason in sorted({*RPC_REASONS, *facts.errors_total}):
        sheet.put("headwatch_rpc_errors_total", facts.errors_total.get(reason, 0), *labels, reason)


def _put_node(sheet: Sheet, reading: Reading) -> None:
    facts = reading.facts
    labels = (facts.network, facts.name)
    if facts.client:
        client = version_text(client_family(facts.client))
        sheet.put("headwatch_node_info", 1, *labels, client, version_text(facts.client))
    if reading.head is not None:
        sheet.put("headwatch_node_head_number", reading.head.number, *labels)
        sheet.put("headwatch_node_head_timestamp_seconds", reading.head.timestamp, *labels)
    sheet.put("headwatch_node_head_age_seconds", reading.age_seconds, *labels)
    sheet.put("headwatch_node_head_lag_blocks", reading.lag_blocks, *labels)
    sheet.put("headwatch_node_head_lag_seconds", reading.lag_seconds, *labels)
    if reading.finalized is not None:
        sheet.put("headwatch_node_finalized_number", reading.finalized.number, *labels)
    sheet.put("headwatch_node_stalled_blocks", _measured(reading.findings, "stall"), *labels)
    sheet.put("headwatch_fork_apart_blocks", _measured(reading.findings, "fork"), *labels)
    if facts.subscription != "off":
        sheet.put("headwatch_subscription_live", facts.subscription == "live", *labels)


def _measured(findings: Mapping[str, Finding], check: str) -> float | None:
    """What a check measured; None where it could not see, whatever number it last had."""
    finding = findings.get(check)
    if finding is None or finding.reason == "stale":
        return None
    return finding.measured


def _put_reference(sheet: Sheet, reading: Reading) -> None:
    facts = reading.facts
    labels = (facts.network, facts.name)
    client = version_text(client_family(facts.client))
    sheet.put("headwatch_reference_info", 1, *labels, facts.operator, client)
    if reading.head is not None:
        sheet.put("headwatch_reference_head_number", reading.head.number, *labels)
    sheet.put("headwatch_reference_calls_today", facts.calls_today, *labels)
    sheet.put("headwatch_reference_calls_today_limit", facts.calls_a_day, *labels)


def _put_network(sheet: Sheet, network: NetworkFacts, snapshot: Snapshot) -> None:
    name = network.name
    sheet.put("headwatch_network_info", 1, name, network.profile)
    sheet.put("headwatch_network_interval_seconds", network.interval_seconds, name)
    sheet.put("headwatch_network_lag_limit_blocks", network.lag_blocks, name)
    sheet.put("headwatch_network_stall_limit_seconds", network.stall_seconds, name)
    sheet.put("headwatch_network_confirmations_blocks", network.confirmations, name)
    sheet.put("headwatch_rounds_total", network.rounds_total, name)
    if network.round_at is not None:
        sheet.put("headwatch_round_duration_seconds", network.round_seconds, name)
        sheet.put("headwatch_round_timestamp_seconds", network.round_at, name)
    quorum = subject_of(reference_label(name))
    still = {f.check: f for f in snapshot.verdict.findings if f.subject == quorum}
    sheet.put("headwatch_quorum_still_seconds", _measured(still, "stall"), name)
    reference = reference_of(network, snapshot.at)
    if reference is None:
        return
    sheet.put("headwatch_quorum_head_number", reference.head.number, name)
    sheet.put("headwatch_quorum_head_timestamp_seconds", reference.head.timestamp, name)
    sheet.put("headwatch_quorum_lag_head_number", reference.lag_head.number, name)
    sheet.put("headwatch_quorum_voters", len(reference.voters), name)
    sheet.put("headwatch_quorum_operators", reference.operators, name)
    confidence = CONFIDENCES.index(reference.confidence) + 1
    sheet.put("headwatch_quorum_confidence", confidence, name)


class InstrumentCollector:
    """What was counted, without the endpoints and accounts that are no longer configured."""

    def __init__(
        self,
        instruments: Instruments,
        networks: Mapping[str, str],
        watched: Watched | None = None,
    ) -> None:
        """`networks` is the network of each configured endpoint, by its label."""
        self._instruments = instruments
        self._networks = networks
        self._watched = watched

    def collect(self) -> Iterator[Block]:
        yield from self._calls()
        yield from transaction_blocks(self._instruments, self._networks, self._watched)
        counted = self._instruments
        for counter in (
            counted.internal_errors,
            counted.scheduler_events,
            counted.history_errors,
            counted.history_lost,
        ):
            yield from map(block_of, counter.collect())
        # The notifier forgets channels that are no longer configured.
        for counter in (counted.notifications, counted.notifications_held):
            yield from (block for block in map(block_of, counter.collect()) if block.lines)
        sheet = Sheet()
        for name, values in (
            ("headwatch_notifications_queued", counted.queued),
            ("headwatch_notification_success_timestamp_seconds", counted.told_at),
        ):
            for channel, value in dict(values).items():
                sheet.put(name, value, channel)
        for dial in counted.dials:
            sheet.put(dial.metric.name, dial.value)
        yield from sheet.blocks()

    def _calls(self) -> Iterator[Block]:
        histogram = self._instruments.rpc_call_seconds
        gone: set[str] = set()
        kept = []
        for labels, counts, total in histogram.children():
            network = self._networks.get(labels["node"])
            if network is None:
                gone.add(labels["node"])
            else:
                kept.append(({**labels, "network": network}, counts, total))
        block = _block(BY_NAME["headwatch_rpc_call_seconds"])
        block.lines.extend(histogram_lines(block.name, histogram.bounds, kept))
        if kept:
            yield block
        for node in gone:
            histogram.remove_by_labels({"node": node})


class ProcessFamilies:
    """Memory, processor and files of this process, as the library reads them."""

    def collect(self) -> Iterator[Block]:
        yield from map(block_of, ProcessCollector(registry=None).collect())


class Registry:
    """Everything to be shown of one moment, in the order of the page."""

    def __init__(self, *collectors: Collector) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Block]:
        for collector in self._collectors:
            yield from collector.collect()


def registry_of(snapshot: Snapshot, instruments: Instruments | None = None) -> Registry:
    """Everything to be shown of one moment; without instruments only what the snapshot says."""
    state = StateCollector(lambda: snapshot)
    if instruments is None:
        return Registry(state)
    networks = {facts.label: facts.network for facts in snapshot.endpoints}
    counted = InstrumentCollector(instruments, networks, Watched.of(snapshot))
    return Registry(state, counted, ProcessFamilies())


def is_openmetrics(accept: str) -> bool:
    """Whether an Accept header asks for OpenMetrics, in whatever version."""
    kinds = (part.split(";", 1)[0].strip().lower() for part in accept.split(","))
    return "application/openmetrics-text" in kinds


def render(registry: Collector, accept: str) -> tuple[bytes, str]:
    """The page and its content type: OpenMetrics 1.0 where asked for, else Prometheus' text.

    The header is not passed on as it came: the library fails on some versions and promises
    others that it does not write.
    """
    asked = "application/openmetrics-text; version=1.0.0" if is_openmetrics(accept) else ""
    _, content_type = choose_encoder(asked)
    return page(registry.collect(), openmetrics=bool(asked)), content_type
