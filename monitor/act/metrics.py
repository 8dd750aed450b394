"""Every metric that is exported, in one table, and the instruments that count as things happen.

State (heads, lag, findings) is drawn from the snapshot by `collector`; events (calls, scheduler
events, mistakes of ours) are counted here. Base units, which the name ends with; `_total` on
counters only; labels are few and come from the configuration: never a hash, an address or a URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prometheus_client import Counter, Histogram, disable_created_metrics

MetricType = Literal["gauge", "counter", "histogram", "info"]
UNITS = ("seconds", "blocks", "bytes")
CALL_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SCHEDULER_EVENTS = ("error", "missed", "overrun")


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: a family of series."""

    name: str
    """As it is queried; of a histogram without `_bucket`, `_sum` and `_count`."""
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The name without the suffix that its type brings (OpenMetrics 1.0)."""
        return self.name.removesuffix("_total").removesuffix("_info")

    @property
    def unit(self) -> str:
        """The base unit that the name ends with; empty where it is a number of things."""
        last = self.family.rsplit("_", 1)[-1]
        return last if last in UNITS else ""

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus stores it."""
        if self.type == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


_NODE = ("network", "node")
_REFERENCE = ("network", "reference")
_NETWORK = ("network",)

METRICS: tuple[Metric, ...] = (
    # -- the one evaluated state --
    Metric("headwatch_build_info", "info", "The running version.", ("version",)),
    Metric("headwatch_ready", "gauge", "Whether every network has finished its first round."),
    Metric(
        "headwatch_verdict",
        "gauge",
        "1 for the verdict that holds now, 0 for the others: pass, fail or inconclusive.",
        ("verdict",),
    ),
    Metric(
        "headwatch_finding_level",
        "gauge",
        "What one check found: 0 ok, 1 unknown, 2 degraded, 3 failed. Its subject is a node or a "
        "reference, and the other label is empty; reference=quorum is all of a network together.",
        ("check", "network", "node", "reference"),
    ),
    Metric("headwatch_findings", "gauge", "How many findings stand at each level.", ("level",)),
    Metric(
        "headwatch_observation_age_seconds",
        "gauge",
        "Since a probe last wrote down an answer or its absence; node is NETWORK/NAME where a "
        "reference was asked.",
        ("network", "node", "check"),
    ),
    # -- each node --
    Metric(
        "headwatch_node_info",
        "info",
        "The node's client, as it reports itself.",
        (*_NODE, "client", "version"),
    ),
    Metric("headwatch_node_head_number", "gauge", "Height of the node's latest block.", _NODE),
    Metric(
        "headwatch_node_head_timestamp_seconds",
        "gauge",
        "Timestamp in the header of the node's latest block, since the Unix epoch.",
        _NODE,
    ),
    Metric(
        "headwatch_node_head_age_seconds",
        "gauge",
        "Since the timestamp of the node's latest block.",
        _NODE,
    ),
    Metric(
        "headwatch_node_head_lag_blocks",
        "gauge",
        "Blocks behind the references; negative is ahead.",
        _NODE,
    ),
    Metric(
        "headwatch_node_head_lag_seconds",
        "gauge",
        "Block time behind the references; negative is ahead.",
        _NODE,
    ),
    Metric(
        "headwatch_node_finalized_number",
        "gauge",
        "Height of the node's finalized block, where its chain has one.",
        _NODE,
    ),
    Metric(
        "headwatch_node_stalled_blocks",
        "gauge",
        "Blocks by which the references moved on while the node's head stood still.",
        _NODE,
    ),
    Metric(
        "headwatch_fork_apart_blocks",
        "gauge",
        "Blocks since the node's chain parted from the references'; 0 on the same chain.",
        _NODE,
    ),
    Metric(
        "headwatch_subscription_live",
        "gauge",
        "Whether the node's newHeads subscription delivers; none where none is configured.",
        _NODE,
    ),
    # -- each reference, and all of a network together --
    Metric(
        "headwatch_reference_info",
        "info",
        "Who runs a reference, and its client.",
        (*_REFERENCE, "operator", "client"),
    ),
    Metric(
        "headwatch_reference_head_number",
        "gauge",
        "Height of the reference's latest block.",
        _REFERENCE,
    ),
    Metric(
        "headwatch_reference_calls_today",
        "gauge",
        "Calls spent of the reference's budget of this day, UTC.",
        _REFERENCE,
    ),
    Metric(
        "headwatch_reference_calls_today_limit",
        "gauge",
        "The reference's budget of calls a day.",
        _REFERENCE,
    ),
    Metric(
        "headwatch_quorum_head_number",
        "gauge",
        "Height of the highest block on whose hash a strict majority of operators agrees.",
        _NETWORK,
    ),
    Metric(
        "headwatch_quorum_head_timestamp_seconds",
        "gauge",
        "Timestamp in the header of that block, since the Unix epoch.",
        _NETWORK,
    ),
    Metric(
        "headwatch_quorum_lag_head_number",
        "gauge",
        "Height from which lag is measured: the second highest of the references.",
        _NETWORK,
    ),
    Metric("headwatch_quorum_voters", "gauge", "Operators that named that block.", _NETWORK),
    Metric("headwatch_quorum_operators", "gauge", "Operators configured.", _NETWORK),
    Metric(
        "headwatch_quorum_confidence",
        "gauge",
        "How far the references may be trusted: 1 low (one operator), 2 fair, 3 high.",
        _NETWORK,
    ),
    Metric(
        "headwatch_quorum_still_seconds",
        "gauge",
        "Since any reference named a new block.",
        _NETWORK,
    ),
    # -- the thresholds in force --
    Metric("headwatch_network_info", "info", "The chain profile in force.", ("network", "profile")),
    Metric(
        "headwatch_network_interval_seconds", "gauge", "Time between two blocks or slots.", _NETWORK
    ),
    Metric(
        "headwatch_network_lag_limit_blocks",
        "gauge",
        "The lag from which a node is behind.",
        _NETWORK,
    ),
    Metric(
        "headwatch_network_stall_limit_seconds",
        "gauge",
        "The silence from which the network as a whole is quiet.",
        _NETWORK,
    ),
    Metric(
        "headwatch_network_confirmations_blocks",
        "gauge",
        "The depth from which a difference of hashes is a fork.",
        _NETWORK,
    ),
    # -- how the asking goes --
    Metric("headwatch_rounds_total", "counter", "Rounds finished.", _NETWORK),
    Metric("headwatch_round_duration_seconds", "gauge", "How long the last round took.", _NETWORK),
    Metric(
        "headwatch_round_timestamp_seconds",
        "gauge",
        "When the last round was finished, since the Unix epoch.",
        _NETWORK,
    ),
    Metric(
        "headwatch_rpc_calls_total",
        "counter",
        "Calls sent, those within batches included; node is NETWORK/NAME for a reference.",
        _NODE,
    ),
    Metric(
        "headwatch_rpc_errors_total",
        "counter",
        "Calls without a usable answer; node is NETWORK/NAME for a reference.",
        (*_NODE, "reason"),
    ),
    Metric(
        "headwatch_rpc_call_seconds",
        "histogram",
        "Time of one call that travelled alone; node is NETWORK/NAME for a reference.",
        (*_NODE, "method"),
    ),
    # -- headwatch itself --
    Metric(
        "headwatch_internal_errors_total",
        "counter",
        "Mistakes of headwatch itself, by the place that caught them. The log has the traceback.",
        ("place",),
    ),
    Metric(
        "headwatch_scheduler_events_total",
        "counter",
        "Rounds that went wrong in the scheduler: error, missed or overrun.",
        ("event",),
    ),
    Metric("headwatch_scheduler_lag_seconds", "gauge", "How late the last round was started."),
    Metric(
        "headwatch_scrape_duration_seconds", "gauge", "How long the last metrics page took to draw."
    ),
    Metric(
        "headwatch_config_last_reload_successful",
        "gauge",
        "Whether the configuration could be read when it was last tried.",
    ),
    Metric(
        "headwatch_config_last_reload_success_timestamp_seconds",
        "gauge",
        "When the configuration in force was read, since the Unix epoch.",
    ),
    # -- the process, under the names that every exporter uses --
    Metric("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes."),
    Metric(
        "process_start_time_seconds",
        "gauge",
        "Start time of the process since unix epoch in seconds.",
    ),
    Metric(
        "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds."
    ),
    Metric("process_max_fds", "gauge", "Maximum number of open file descriptors."),
    Metric("process_open_fds", "gauge", "Number of open file descriptors."),
)

BY_NAME = {metric.name: metric for metric in METRICS}


class Dial:
    """A gauge without labels that shows nothing until it is set."""

    __slots__ = ("metric", "value")

    def __init__(self, name: str) -> None:
        self.metric = BY_NAME[name]
        self.value: float | None = None

    def set(self, value: float) -> None:
        self.value = value


class Instruments:
    """What is counted as it happens, by the loop, the scheduler and the server.

    Nothing is registered globally: two of them, as in tests, do not meet.
    """

    def __init__(self) -> None:
        # Each child's creation time would be one more series that nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        calls = BY_NAME["headwatch_rpc_call_seconds"]
        self.rpc_call_seconds = Histogram(
            calls.name,
            calls.help,
            ("node", "method"),
            unit=calls.unit,
            registry=None,
            buckets=CALL_SECONDS_BUCKETS,
        )
        """Labelled with the endpoint's label; the network is added when it is drawn."""
        self.internal_errors = _counter("headwatch_internal_errors_total")
        self.scheduler_events = _counter("headwatch_scheduler_events_total")
        for event in SCHEDULER_EVENTS:
            self.scheduler_events.labels(event=event)
        self.scheduler_lag_seconds = Dial("headwatch_scheduler_lag_seconds")
        self.scrape_duration_seconds = Dial("headwatch_scrape_duration_seconds")
        self.config_last_reload_successful = Dial("headwatch_config_last_reload_successful")
        self.config_last_reload_success_timestamp_seconds = Dial(
            "headwatch_config_last_reload_success_timestamp_seconds"
        )

    @property
    def dials(self) -> tuple[Dial, ...]:
        return (
            self.scheduler_lag_seconds,
            self.scrape_duration_seconds,
            self.config_last_reload_successful,
            self.config_last_reload_success_timestamp_seconds,
        )

    def reloaded(self, *, at: float | None) -> None:
        """The configuration was read `at` this time; None: it could not be, the old one stays."""
        self.config_last_reload_successful.set(float(at is not None))
        if at is not None:
            self.config_last_reload_success_timestamp_seconds.set(at)


def _counter(name: str) -> Counter:
    metric = BY_NAME[name]
    return Counter(metric.family, metric.help, metric.labels, registry=None)


def metrics_page() -> str:
    """`docs/metrics.md`: the table, for readers."""
    lines = [
        "# Metrics",
        "",
        "Everything that `/metrics` exports; `/probe` exports the part of one target. The text is",
        "Prometheus' or OpenMetrics 1.0, as the scraper asks. A value that could not be seen has",
        "no sample: it is never zero and never the last one. How old everything is says",
        "`headwatch_observation_age_seconds`. Levels are 0 ok, 1 unknown, 2 degraded, 3 failed.",
        "",
        "| name | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        lines.append(f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |")
    return "\n".join(lines) + "\n"
