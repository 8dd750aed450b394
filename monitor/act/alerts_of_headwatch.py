"""The alerts that are no findings: of headwatch itself, and of budgets that run out.

Silence must not mean health: whatever stops the findings from being made, scraped or told is an
alert of its own, and `HeadwatchWatchdog` fires while all is well, for whoever misses it when
nothing is left that could fire.
"""

from __future__ import annotations

from monitor.act.rules import Alert, RecordingRule, Slo, burning, grew, recorded

JOB = "headwatch"
"""The name of the scrape job, which `up` and `absent` need; `prometheus.example.yml` uses it."""
OURS = 'node!~".+/.+"'
"""Nodes; a reference is labelled NETWORK/NAME. It is asked as its budget allows, and not ours."""
EVERY_ROUND = "head|identity|fork"
"""The probes of the required checks; others are asked as seldom as they are configured."""

RPC = Slo(
    name="NodeRpc",
    title="RPC calls of node {{ $labels.node }} ({{ $labels.network }})",
    # A method that the node does not have is an answer, and no outage.
    errors=f'headwatch_rpc_errors_total{{{OURS}, reason!="unsupported"}}',
    total=f"headwatch_rpc_calls_total{{{OURS}}}",
    without=("reason",),
    level="node",
    objective="0.99",
)
INCLUSION_SECONDS = 120.0
"""Some ten blocks of Ethereum: programs wait about so long for a receipt. A bucket's bound."""
INCLUSION = Slo(
    name="Inclusion",
    title="transactions of {{ $labels.account }} ({{ $labels.network }}) in time",
    good=f'headwatch_tx_inclusion_seconds_bucket{{le="{INCLUSION_SECONDS}"}}',
    total="headwatch_tx_inclusion_seconds_count",
    without=("le",),
    events_min=10,
    level="account",
    objective="0.95",
)
SLOS: tuple[Slo, ...] = (RPC, INCLUSION)
"""One row more is one objective more, with its recordings and its pair of alerts."""

BUDGET = RecordingRule(
    "reference:headwatch_reference_calls_today:ratio",
    "headwatch_reference_calls_today\n/\nheadwatch_reference_calls_today_limit",
    "budgets",
)

RECORDING_RULES: tuple[RecordingRule, ...] = (
    BUDGET,
    *(rule for slo in SLOS for rule in recorded(slo)),
)

_PRESENCE: tuple[Alert, ...] = (
    Alert(
        name="HeadwatchWatchdog",
        # Not `vector(1)`: a switch that outlived headwatch would vouch for a watch nobody keeps.
        expr=f'min(up{{job="{JOB}"}}) == 1',
        for_seconds=0,
        severity="none",
        summary="Headwatch is there, and the way of an alert to whoever misses this one works",
        description="This alert fires as long as every headwatch is scraped. Send it to something "
        "that tells you when it stops coming: then headwatch, Prometheus, Alertmanager or the way "
        "between them is broken.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchAbsent",
        expr=f'absent(headwatch_build_info{{job="{JOB}"}})',
        for_seconds=300,
        severity="critical",
        summary="There are no metrics of headwatch at all",
        description="No target of the job is scraped, or none is configured. No alert of a node "
        "can fire.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchScrapeFailed",
        expr=f'up{{job="{JOB}"}} == 0',
        for_seconds=120,
        severity="critical",
        summary="Headwatch at {{ $labels.instance }} cannot be scraped",
        description="The process is down, or unreachable for Prometheus. Its nodes are not "
        "watched, and no alert of them can fire.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchNotReady",
        expr="headwatch_ready == 0",
        for_seconds=300,
        severity="critical",
        summary="Headwatch has not finished its first round",
        description="Since its start some network was not judged once, so that nothing is said of "
        "its nodes.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchRoundsStopped",
        expr="time() - headwatch_round_timestamp_seconds\n"
        "> 60 + 2 * headwatch_network_interval_seconds",
        for_seconds=60,
        keep_firing_for_seconds=120,
        severity="critical",
        summary="Network {{ $labels.network }} is not judged any more",
        description="The last round was finished more than a minute and two blocks ago. What is "
        "shown of its nodes is old, and becomes unknown.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchObservationStale",
        expr=f'headwatch_observation_age_seconds{{check=~"{EVERY_ROUND}", {OURS}}}\n'
        "> ignoring (node, check) group_left ()\n"
        "(60 + 10 * headwatch_network_interval_seconds)",
        for_seconds=300,
        severity="warning",
        summary="Node {{ $labels.node }} ({{ $labels.network }}) was not asked for a while",
        description="Rounds go on, but neither an answer nor its absence was written down for this "
        "node, in the probe {{ $labels.check }}.",
        group="headwatch",
    ),
)
_MISTAKES: tuple[Alert, ...] = (
    Alert(
        name="HeadwatchInternalErrors",
        expr=grew("headwatch_internal_errors_total", "15m"),
        for_seconds=60,
        severity="warning",
        summary="Headwatch made a mistake of its own, in {{ $labels.place }}",
        description="A bug: it was caught and counted, and what it concerned is unknown. The log "
        "has the traceback.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchSchedulerErrors",
        expr='increase(headwatch_scheduler_events_total{event=~"error|missed"}[15m]) > 0',
        for_seconds=60,
        severity="warning",
        summary="A round of headwatch went wrong in the scheduler ({{ $labels.event }})",
        description="A round ended with an error that nothing else caught, or was not started at "
        "all.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchRoundsOverrunning",
        expr='increase(headwatch_scheduler_events_total{event="overrun"}[15m]) > 10',
        for_seconds=300,
        severity="warning",
        summary="Rounds of headwatch take longer than their interval",
        description="More than ten times in 15 minutes a round was due while the last one was "
        "still under way. Levels are confirmed later than they should be.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchSchedulerLagging",
        expr="headwatch_scheduler_lag_seconds > 5",
        for_seconds=600,
        severity="warning",
        summary="Headwatch starts its rounds late",
        description="For ten minutes rounds began more than five seconds after their time: the "
        "process does not get the processor, or its loop is held up.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchReloadFailed",
        expr="headwatch_config_last_reload_successful == 0",
        for_seconds=300,
        severity="warning",
        summary="Headwatch could not read its configuration",
        description="The old configuration stays in force. The next start will fail.",
        group="headwatch",
    ),
)
_TOLD: tuple[Alert, ...] = (
    Alert(
        name="HeadwatchNotificationsFailing",
        expr='rate(headwatch_notifications_total{outcome="failed"}[15m]) > 0',
        for_seconds=600,
        severity="warning",
        summary="Channel {{ $labels.channel }} does not take messages",
        description="Attempts to tell it fail, and are made again. Whoever relies on it hears late "
        "or not at all.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchNotificationsDropped",
        expr=grew('headwatch_notifications_total{outcome="dropped"}', "15m"),
        for_seconds=60,
        severity="warning",
        summary="Messages to channel {{ $labels.channel }} were thrown away",
        description="Its queue was full, or a message could not be delivered in time. Somebody was "
        "not told of something, and will not be.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchNotificationsStuck",
        expr="min_over_time(headwatch_notifications_queued[15m]) > 0",
        for_seconds=300,
        severity="warning",
        summary="Messages pile up before channel {{ $labels.channel }}",
        description="Its queue has not been empty for 15 minutes and more: the channel is slow, or "
        "does not answer.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchHistoryFailing",
        expr=grew("headwatch_history_errors_total", "15m"),
        for_seconds=60,
        severity="warning",
        summary="Headwatch cannot write its history",
        description="What should have been written waits in memory, and is lost with the process; "
        "the state that is judged is not. A full disk or wrong permissions, mostly.",
        group="headwatch",
    ),
    Alert(
        name="HeadwatchMaintenanceForgotten",
        expr="headwatch_maintenance == 1",
        for_seconds=86_400,
        severity="info",
        summary="{{ $labels.network }} {{ $labels.node }} {{ $labels.reference }} "
        "has been in maintenance for a day",
        description="Nobody is told what happens to it. If the work is done, end the window.",
        group="headwatch",
    ),
)
_SPENT: tuple[Alert, ...] = (
    Alert(
        name="HeadwatchReferenceBudgetLow",
        # The share of the day that is over, UTC, and a twentieth: a budget that is spent evenly
        # and wholly is no news.
        expr=f"{BUDGET.record} > 0.75\nand\n{BUDGET.record} > 0.05 + (time() % 86400) / 86400",
        for_seconds=900,
        severity="warning",
        summary="Reference {{ $labels.reference }} of {{ $labels.network }} will run out of calls",
        description="{{ $value | humanizePercentage }} of its calls of this day (UTC) are spent, "
        "more than the day is old. Until midnight it is asked less and less, and then not at all.",
        group="budgets",
    ),
)

HEADWATCH_ALERTS: tuple[Alert, ...] = (
    *_PRESENCE,
    *_MISTAKES,
    *_TOLD,
    *_SPENT,
    *(alert for slo in SLOS for alert in burning(slo)),
)
