"""Situations written by hand: what a rule must see, and what it must leave in peace.

They know the metrics and not the expressions. A series is written as promtool reads it: `3x20` is a
3 and twenty more, `0+1x20` rises by one, `_x5` are five samples that are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STEP_SECONDS = 60
"""Between two samples, and two evaluations."""
LONG_STEP_SECONDS = 900
"""The same, of what takes a day."""
TARGET = {"instance": "a:9845", "job": "headwatch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What happens, and what must come of it. Series carry the labels of `TARGET` by themselves."""

    alert: str
    bad: Mapping[str, str] = field(default_factory=dict)
    """With these series it fires."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the alert is labelled with, beside its name, severity and target."""
    since: int = 0
    """From this second on the situation is bad."""
    good: Mapping[str, str] = field(default_factory=dict)
    """With these, which come close, it does not."""
    good_at: int | None = None
    """When it is looked at; else five minutes after the bad one fires."""
    value: str = ""
    """What stands for the value in its words."""
    step: int = STEP_SECONDS
    target: Mapping[str, str] = field(default_factory=lambda: TARGET)


SITUATIONS: tuple[Situation, ...] = (
    Situation(
        alert="HeadwatchWatchdog",
        bad={"up": "1x30", 'up{job="another"}': "0x30"},
        # One of two that is gone is enough: whoever misses the alert goes and looks.
        good={"up": "1x30", 'up{instance="b:9845"}': "0x30"},
        target={},
    ),
    Situation(
        alert="HeadwatchAbsent",
        bad={'headwatch_build_info{job="another"}': "1x30", "headwatch_ready": "1x30"},
        good={"headwatch_build_info": "1x30"},
        target={"job": "headwatch"},
    ),
    Situation(
        alert="HeadwatchScrapeFailed",
        bad={"up": "0x30"},
        good={"up": "1x30", 'up{job="another"}': "0x30"},
    ),
    Situation(
        alert="HeadwatchNotReady",
        bad={"headwatch_ready": "0x30"},
        good={"headwatch_ready": "0x4 1x30"},
    ),
    Situation(
        alert="HeadwatchRoundsStopped",
        bad={
            'headwatch_round_timestamp_seconds{network="ethereum"}': "0x30",
            'headwatch_network_interval_seconds{network="ethereum"}': "29x30",
        },
        labels={"network": "ethereum"},
        since=120,
        good={
            'headwatch_round_timestamp_seconds{network="ethereum"}': "0+60x30",
            'headwatch_network_interval_seconds{network="ethereum"}': "12x30",
            # Twenty minutes are not long on a chain with a block in ten.
            'headwatch_round_timestamp_seconds{network="slow"}': "0x30",
            'headwatch_network_interval_seconds{network="slow"}': "600x30",
        },
        good_at=1200,
    ),
    Situation(
        alert="HeadwatchObservationStale",
        bad={
            'headwatch_observation_age_seconds{check="head", network="x", node="local"}': "181x30",
            'headwatch_network_interval_seconds{network="x"}': "12x30",
            # The same network watched from elsewhere is another one.
            'headwatch_network_interval_seconds{network="x", instance="b:9845"}': "12x30",
        },
        labels={"check": "head", "network": "x", "node": "local"},
        good={
            'headwatch_observation_age_seconds{check="head", network="x", node="local"}': "180x30",
            # A reference is asked as its budget allows.
            'headwatch_observation_age_seconds{check="head", network="x", node="x/a"}': "999x30",
            'headwatch_network_interval_seconds{network="x"}': "12x30",
        },
    ),
    Situation(
        alert="HeadwatchInternalErrors",
        # The first of its kind: before it there is no series that could rise.
        bad={'headwatch_internal_errors_total{place="round"}': "_x5 1x30"},
        labels={"place": "round"},
        since=300,
        good={'headwatch_internal_errors_total{place="round"}': "2x60"},
        good_at=1800,
    ),
    Situation(
        alert="HeadwatchInternalErrors",
        bad={'headwatch_internal_errors_total{place="http"}': "1x20 2x30"},
        labels={"place": "http"},
        since=1260,
    ),
    Situation(
        alert="HeadwatchSchedulerErrors",
        bad={'headwatch_scheduler_events_total{event="error"}': "0x5 1x30"},
        labels={"event": "error"},
        since=360,
        good={
            'headwatch_scheduler_events_total{event="error"}': "1x30",
            'headwatch_scheduler_events_total{event="overrun"}': "0+1x30",
        },
    ),
    Situation(
        alert="HeadwatchSchedulerErrors",
        bad={'headwatch_scheduler_events_total{event="missed"}': "0x5 1x30"},
        labels={"event": "missed"},
        since=360,
    ),
    Situation(
        alert="HeadwatchRoundsOverrunning",
        bad={'headwatch_scheduler_events_total{event="overrun"}': "0x20 11x40"},
        labels={"event": "overrun"},
        since=1260,
        good={
            'headwatch_scheduler_events_total{event="overrun"}': "0x20 10x40",
            'headwatch_scheduler_events_total{event="error"}': "0x20 99x40",
        },
    ),
    Situation(
        alert="HeadwatchSchedulerLagging",
        bad={"headwatch_scheduler_lag_seconds": "5.1x40"},
        good={"headwatch_scheduler_lag_seconds": "5x40"},
    ),
    Situation(
        alert="HeadwatchReloadFailed",
        bad={"headwatch_config_last_reload_successful": "0x30"},
        good={"headwatch_config_last_reload_successful": "1x30"},
    ),
    Situation(
        alert="HeadwatchNotificationsFailing",
        bad={'headwatch_notifications_total{channel="ops", outcome="failed"}': "0+1x60"},
        labels={"channel": "ops", "outcome": "failed"},
        since=60,
        good={
            'headwatch_notifications_total{channel="ops", outcome="failed"}': "7x60",
            'headwatch_notifications_total{channel="ops", outcome="sent"}': "0+1x60",
        },
    ),
    Situation(
        alert="HeadwatchNotificationsDropped",
        bad={'headwatch_notifications_total{channel="ops", outcome="dropped"}': "_x5 1x30"},
        labels={"channel": "ops", "outcome": "dropped"},
        since=300,
        good={
            'headwatch_notifications_total{channel="ops", outcome="dropped"}': "0x60",
            'headwatch_notifications_total{channel="ops", outcome="failed"}': "0+1x60",
        },
    ),
    Situation(
        alert="HeadwatchNotificationsStuck",
        bad={'headwatch_notifications_queued{channel="ops"}': "1x40"},
        labels={"channel": "ops"},
        good={'headwatch_notifications_queued{channel="ops"}': "3 3 3 0 3 3 3 3 0 3 3 3 3 3 3"},
    ),
    Situation(
        alert="HeadwatchHistoryFailing",
        bad={"headwatch_history_errors_total": "0x5 1x30"},
        since=360,
        good={"headwatch_history_errors_total": "0x30"},
    ),
    Situation(
        alert="HeadwatchMaintenanceForgotten",
        bad={'headwatch_maintenance{network="ethereum", node="local"}': "1x100"},
        labels={"network": "ethereum", "node": "local"},
        good={'headwatch_maintenance{network="ethereum", node="local"}': "1x92 0x8"},
        step=LONG_STEP_SECONDS,
    ),
    Situation(
        alert="HeadwatchReferenceBudgetLow",
        bad={
            'headwatch_reference_calls_today{network="ethereum", reference="a"}': "800x60",
            'headwatch_reference_calls_today_limit{network="ethereum", reference="a"}': "1000x60",
        },
        labels={"network": "ethereum", "reference": "a"},
        value="80%",
        good={
            'headwatch_reference_calls_today{network="ethereum", reference="a"}': "740x60",
            'headwatch_reference_calls_today_limit{network="ethereum", reference="a"}': "1000x60",
        },
    ),
    Situation(
        alert="HeadwatchReferenceBudgetLow",
        # At ten in the evening a budget may be nearly spent: that is what it is for.
        good={
            'headwatch_reference_calls_today{network="ethereum", reference="a"}': "950x88",
            'headwatch_reference_calls_today_limit{network="ethereum", reference="a"}': "1000x88",
        },
        good_at=79_200,
        step=LONG_STEP_SECONDS,
    ),
    Situation(
        alert="HeadwatchReferenceBudgetLow",
        # By six in the evening three quarters of the day are over, and of the budget more.
        bad={
            'headwatch_reference_calls_today{network="ethereum", reference="a"}': "100x71 820x9",
            'headwatch_reference_calls_today_limit{network="ethereum", reference="a"}': "1000x80",
        },
        labels={"network": "ethereum", "reference": "a"},
        value="82%",
        since=64_800,
        good={
            'headwatch_reference_calls_today{network="ethereum", reference="a"}': "100x71 790x9",
            'headwatch_reference_calls_today_limit{network="ethereum", reference="a"}': "1000x80",
        },
        step=LONG_STEP_SECONDS,
    ),
    Situation(
        alert="HeadwatchNodeRpcBudgetBurningFast",
        bad={
            'headwatch_rpc_errors_total{network="x", node="local", reason="timeout"}': "0+15x120",
            'headwatch_rpc_errors_total{network="x", node="local", reason="refused"}': "0+5x120",
            'headwatch_rpc_calls_total{network="x", node="local"}': "0+100x120",
        },
        labels={"network": "x", "node": "local"},
        value="20%",
        since=60,
        good={
            'headwatch_rpc_errors_total{network="x", node="n", reason="timeout"}': "0+14x120",
            'headwatch_rpc_errors_total{network="x", node="n", reason="unsupported"}': "0+9x120",
            'headwatch_rpc_calls_total{network="x", node="n"}': "0+100x120",
            # A reference is not ours, and has its own alert.
            'headwatch_rpc_errors_total{network="x", node="x/a", reason="timeout"}': "0+99x120",
            'headwatch_rpc_calls_total{network="x", node="x/a"}': "0+100x120",
        },
    ),
    Situation(
        alert="HeadwatchNodeRpcBudgetBurningFast",
        # It was bad for half an hour, and has been well for ten minutes: nobody is woken any more.
        good={
            'headwatch_rpc_errors_total{network="x", node="n", reason="timeout"}': "0+9x30 270x60",
            'headwatch_rpc_calls_total{network="x", node="n"}': "0+10x120",
        },
        good_at=2400,
    ),
    Situation(
        alert="HeadwatchNodeRpcBudgetBurningFast",
        good={
            'headwatch_rpc_errors_total{network="x", node="n", reason="timeout"}': "0+90x60",
            'headwatch_rpc_calls_total{network="x", node="n"}': "0+100x60",
            'headwatch_maintenance{network="x", node="n"}': "1x60",
        },
    ),
    Situation(
        alert="HeadwatchNodeRpcBudgetBurningFast",
        # It came back at the end of its window, three minutes ago: what failed before is no news.
        good={
            'headwatch_rpc_errors_total{network="x", node="n", reason="timeout"}': "0+90x30 2700x9",
            'headwatch_rpc_calls_total{network="x", node="n"}': "0+100x60",
            'headwatch_maintenance{network="x", node="n"}': "1x30 0x30",
        },
        good_at=1980,
    ),
    Situation(
        alert="HeadwatchNodeRpcBudgetBurningSlow",
        bad={
            'headwatch_rpc_errors_total{network="x", node="local", reason="timeout"}': "0+7x120",
            'headwatch_rpc_calls_total{network="x", node="local"}': "0+100x120",
        },
        labels={"network": "x", "node": "local"},
        value="7%",
        since=60,
        good={
            'headwatch_rpc_errors_total{network="x", node="local", reason="timeout"}': "0+5x120",
            'headwatch_rpc_calls_total{network="x", node="local"}': "0+100x120",
        },
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a recording rule makes of a situation: a value for each of these labels, or nothing."""

    record: str
    series: Mapping[str, str]
    labels: Mapping[str, str]
    value: float
    nothing: Mapping[str, str]
    """With these series it records nothing."""
    at: int = 1800


_CALLS = {
    'headwatch_rpc_errors_total{network="x", node="n", reason="timeout"}': "0+15x60",
    'headwatch_rpc_errors_total{network="x", node="n", reason="refused"}': "0+10x60",
    'headwatch_rpc_errors_total{network="x", node="n", reason="unsupported"}': "0+60x60",
    'headwatch_rpc_calls_total{network="x", node="n"}': "0+100x60",
}
_REFERENCE_CALLS = {
    'headwatch_rpc_errors_total{network="x", node="x/a", reason="timeout"}': "0+15x60",
    'headwatch_rpc_calls_total{network="x", node="x/a"}': "0+100x60",
}
RECORDED: tuple[Recorded, ...] = (
    Recorded(
        record="reference:headwatch_reference_calls_today:ratio",
        series={
            'headwatch_reference_calls_today{network="x", reference="a"}': "250x60",
            'headwatch_reference_calls_today_limit{network="x", reference="a"}': "1000x60",
        },
        labels={"network": "x", "reference": "a"},
        value=0.25,
        nothing={'headwatch_reference_calls_today{network="x", reference="a"}': "250x60"},
    ),
    *(
        Recorded(
            record=f"node:headwatch_rpc_errors:ratio_rate{window}",
            series={**_CALLS, **_REFERENCE_CALLS},
            labels={"network": "x", "node": "n"},
            value=0.25,
            nothing=_REFERENCE_CALLS,
        )
        for window in ("5m", "30m", "1h", "6h")
    ),
)

OK, UNKNOWN, DEGRADED, FAILED = 0, 1, 2, 3
LEVELS = (OK, UNKNOWN, DEGRADED, FAILED)
