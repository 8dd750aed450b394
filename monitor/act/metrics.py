"""Every metric that is exported, in one table.

State (heads, lag, findings) is drawn from the snapshot by `collector`; events (calls, scheduler
events, mistakes of ours) are counted by `instruments`. Base units, which the name ends with;
`_total` on counters only; labels are few and come from the configuration: never a hash, an address
or a URL.
"""

from __future__ import annotations

from monitor.act.metric import Metric
from monitor.act.metrics_of_checks import CHECK_METRICS
from monitor.act.metrics_of_clients import EIP_METRICS, LIMIT
from monitor.act.metrics_of_ledgers import LEDGER_METRICS
from monitor.act.metrics_of_transactions import TRANSACTION_METRICS

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
        "headwatch_finding_edge_timestamp_seconds",
        "gauge",
        "When a finding last opened, changed or closed, since the Unix epoch; none before the "
        "first of its edges in this process.",
        ("check", "network", "node", "reference", "kind"),
    ),
    Metric(
        "headwatch_maintenance",
        "gauge",
        "Whether a maintenance window keeps people from being told of a node or a reference.",
        ("network", "node", "reference"),
    ),
    Metric(
        "headwatch_maintenance_windows",
        "gauge",
        "Maintenance windows: active now, or planned.",
        ("state",),
    ),
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
    *CHECK_METRICS,
    *TRANSACTION_METRICS,
    *LEDGER_METRICS,
    # -- who is told --
    Metric(
        "headwatch_notifications_total",
        "counter",
        "Messages to an Alertmanager, a channel or a heartbeat: sent, failed (to be tried again) "
        "or dropped.",
        ("channel", "outcome"),
    ),
    Metric(
        "headwatch_notifications_held_total",
        "counter",
        "Edges that nobody was told of: maintenance, or flapping.",
        ("channel", "reason"),
    ),
    Metric(
        "headwatch_notifications_queued",
        "gauge",
        "Notices (of an Alertmanager: alerts) that wait for their channel.",
        ("channel",),
    ),
    Metric(
        "headwatch_notification_success_timestamp_seconds",
        "gauge",
        "When a channel last took a message, since the Unix epoch.",
        ("channel",),
    ),
    # -- the history --
    Metric("headwatch_history_size_bytes", "gauge", "Size of the history's file on disk."),
    Metric(
        "headwatch_history_errors_total",
        "counter",
        "Writes of the history that failed; what was to be written waits for the next.",
    ),
    Metric(
        "headwatch_history_lost_total",
        "counter",
        "Edges of findings, and minutes of one subject, that the history lacks for good: too many "
        "waited to be written.",
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


TABLE_HEAD = ("| name | type | labels | meaning |", "|---|---|---|---|")


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
        *TABLE_HEAD,
    ]
    lines += [_line(metric) for metric in METRICS]
    lines += [
        "",
        "## Under the names of EIP-2159",
        "",
        "With `http: {eip2159: true}` the page has these as well, for dashboards that are made for",
        "the names which [EIP-2159](https://eips.ethereum.org/EIPS/eip-2159) gives to what every",
        "client has. They say what was seen of a node from outside; one that was not seen has no",
        "sample. The highest block available is what the references agree on, or the node's own",
        "height where that is higher, or where they do not agree. The EIP's fourth name,",
        f"`{LIMIT}`, is left out: no JSON-RPC method tells how many peers a node allows.",
        "",
        *TABLE_HEAD,
        *(_line(metric) for metric in EIP_METRICS),
    ]
    return "\n".join(lines) + "\n"


def _line(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    return f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"
