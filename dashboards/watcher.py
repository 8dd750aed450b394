"""headwatch itself: whether it asks, judges and tells as it should, and what that costs."""

from __future__ import annotations

from dashboards.board import Board, Line, Section
from dashboards.panels import (
    ANY_IS_BAD,
    MAINTAINED,
    YES_IS_GOOD,
    Query,
    Step,
    stat,
    timeline,
    timeseries,
)
from dashboards.promql import RANGE_WINDOW, grown, increase, rate, series, worst

INSTANCE = "{{instance}}"
CHANNEL = "{{instance}} {{channel}}"
NETWORK = "{{instance}} {{network}}"
BY_CHANNEL = "instance, channel"
FAILED = 'outcome!="sent"'
RELOADED = "headwatch_config_last_reload_success_timestamp_seconds"


def _own(name: str) -> str:
    return worst("instance", series(name))


def _per_network(name: str) -> str:
    return worst("instance, network", series(name))


def _sum(by: str, expression: str) -> str:
    return f"sum by ({by}) ({expression})"


NOW = (
    stat(
        "Ready",
        "Whether every network has finished its first round, on every chosen instance.",
        Query(f"min({series('headwatch_ready')})", "ready"),
        steps=YES_IS_GOOD,
        filled=True,
    ),
    stat(
        "Internal errors",
        "Mistakes of headwatch itself within the chosen time; the log has their tracebacks.",
        Query(f"sum({grown('headwatch_internal_errors_total', window=RANGE_WINDOW)})", "mistakes"),
        steps=ANY_IS_BAD,
        missing="0",
    ),
    stat(
        "Configuration",
        "Whether the configuration could be read when it was last tried; if not, the old one is "
        "in force.",
        Query(f"min({series('headwatch_config_last_reload_successful')})", "reload"),
        steps=(Step(0, "red", "not readable"), Step(1, "green", "in force")),
    ),
    stat(
        "Messages not taken",
        "Messages within the chosen time that a channel did not take: failed and tried again, or "
        "dropped.",
        Query(
            f"sum({increase('headwatch_notifications_total', FAILED, window=RANGE_WINDOW)})",
            "not taken",
        ),
        steps=ANY_IS_BAD,
        missing="0",
    ),
    stat(
        "Slowest round",
        "How long the last round took, of its network's time between two blocks; the slowest.",
        Query(
            f"max({series('headwatch_round_duration_seconds')} "
            f"/ on (job, instance, network) {series('headwatch_network_interval_seconds')})",
            "slowest",
        ),
        unit="percentunit",
        steps=(Step(0, "green"), Step(0.5, "orange"), Step(1, "red")),
    ),
    stat(
        "Running since",
        "Since the process was started; the youngest of the chosen instances.",
        Query(f"time() - max({series('process_start_time_seconds')})", "youngest"),
        unit="s",
    ),
    stat(
        "Version",
        "The running version.",
        Query(worst("version", series("headwatch_build_info")), "{{version}}"),
        named=True,
    ),
)
ROUND_SECONDS = timeseries(
    "Length of a round",
    "How long the last round of each network took, and the time between two blocks, which it "
    "should stay well below.",
    Query(_per_network("headwatch_round_duration_seconds"), NETWORK),
    Query(worst("network", series("headwatch_network_interval_seconds")), "limit {{network}}"),
    unit="s",
)
ROUNDS = timeseries(
    "Rounds a minute",
    "Rounds finished; a subscription that delivers brings the next round forward.",
    Query(f"60 * {_sum('instance, network', rate('headwatch_rounds_total'))}", NETWORK),
    unit="none",
)
ROUND_AGE = timeseries(
    "Since the last round",
    "It saws between zero and the time between two rounds. What nobody confirms for a minute "
    "becomes unknown.",
    Query(f"time() - {_per_network('headwatch_round_timestamp_seconds')}", NETWORK),
    unit="s",
)
OBSERVED = timeseries(
    "Age of what is known",
    "The oldest observation of each probe: since it last wrote down an answer, or that there was "
    "none. A reference is asked as its budget allows.",
    Query(
        worst("network, check", series("headwatch_observation_age_seconds")),
        "{{network}} {{check}}",
    ),
    unit="s",
)
LATENESS = timeseries(
    "How late rounds start",
    "Between when the last round was due and when it was started; it grows when the loop is busy.",
    Query(_own("headwatch_scheduler_lag_seconds"), INSTANCE),
    unit="s",
)
EVENTS = timeseries(
    "Rounds that went wrong",
    "In the scheduler: error, missed, or overrun because the one before had not finished.",
    Query(
        _sum("instance, event", increase("headwatch_scheduler_events_total")),
        "{{instance}} {{event}}",
    ),
    unit="none",
    stacked=True,
)
MISTAKES = timeseries(
    "Internal errors by place",
    "Mistakes of headwatch itself, by the place that caught them.",
    Query(
        _sum("instance, place", grown("headwatch_internal_errors_total")),
        "{{instance}} {{place}}",
    ),
    unit="none",
    stacked=True,
)
SCRAPE = timeseries(
    "Drawing the metrics page",
    "How long the last page took; it grows with the number of nodes.",
    Query(_own("headwatch_scrape_duration_seconds"), INSTANCE),
    unit="s",
)
MESSAGES = timeseries(
    "Messages",
    "Messages to each channel: sent, failed (to be tried again), or dropped.",
    Query(
        _sum("channel, outcome", increase("headwatch_notifications_total")),
        "{{channel}} {{outcome}}",
    ),
    unit="none",
    stacked=True,
)
HELD = timeseries(
    "Held back",
    "Edges that nobody was told of, because of maintenance or flapping.",
    Query(
        _sum("channel, reason", increase("headwatch_notifications_held_total")),
        "{{channel}} {{reason}}",
    ),
    unit="none",
    stacked=True,
)
QUEUED = timeseries(
    "Waiting",
    "Messages that wait for their channel; they pile up while it is out of reach.",
    Query(worst(BY_CHANNEL, series("headwatch_notifications_queued")), CHANNEL),
    unit="none",
    stepped=True,
)
TAKEN = timeseries(
    "Since a channel last took a message",
    "A channel that is only told of edges may be silent for days; a heartbeat may not.",
    Query(
        "time() - " + worst(BY_CHANNEL, series("headwatch_notification_success_timestamp_seconds")),
        CHANNEL,
    ),
    unit="s",
)
MAINTENANCE = timeline(
    "Maintenance",
    "Nodes and references about which nobody is told.",
    Query(
        worst("network, node, reference", series("headwatch_maintenance")),
        "{{network}} {{node}}{{reference}}",
    ),
    steps=MAINTAINED,
)
WINDOWS = timeseries(
    "Maintenance windows",
    "Windows that are active now, and those that are planned.",
    Query(
        worst("instance, state", series("headwatch_maintenance_windows")),
        "{{instance}} {{state}}",
    ),
    unit="none",
    stepped=True,
)
HISTORY = timeseries(
    "Size of the history",
    "The history's file on disk.",
    Query(_own("headwatch_history_size_bytes"), INSTANCE),
    unit="bytes",
)
HISTORY_ERRORS = timeseries(
    "Writes of the history that failed",
    "What was to be written waits for the next; `lost` is what is gone because too much waited.",
    Query(_sum("instance", increase("headwatch_history_errors_total")), INSTANCE),
    Query(_sum("instance", increase("headwatch_history_lost_total")), "{{instance}} lost"),
    unit="none",
)
RELOAD = timeseries(
    "Age of the configuration",
    "Since the configuration in force was read; a reload brings it to zero.",
    Query(f"time() - {_own(RELOADED)}", INSTANCE),
    unit="s",
)
CPU = timeseries(
    "CPU",
    "Seconds of one core a second.",
    Query(_sum("instance", rate("process_cpu_seconds_total")), INSTANCE),
    unit="percentunit",
)
MEMORY = timeseries(
    "Memory",
    "Resident memory.",
    Query(_own("process_resident_memory_bytes"), INSTANCE),
    unit="bytes",
)
FILES = timeseries(
    "Open files",
    "Open file descriptors, connections included, and how many there may be.",
    Query(_own("process_open_fds"), INSTANCE),
    Query(_own("process_max_fds"), "limit {{instance}}"),
    unit="none",
)

BOARD = Board(
    name="watcher",
    title="headwatch / headwatch itself",
    description="Rounds, mistakes, messages, history and what headwatch itself needs.",
    sections=(
        Section("", (Line(4, NOW, (3, 3, 4, 4, 4, 3, 3)),)),
        Section(
            "Rounds", (Line(8, (ROUND_SECONDS, ROUNDS, ROUND_AGE)), Line(8, (OBSERVED, LATENESS)))
        ),
        Section("Mistakes", (Line(8, (MISTAKES, EVENTS)),)),
        Section(
            "Messages and maintenance",
            (
                Line(8, (MESSAGES, HELD)),
                Line(8, (QUEUED, TAKEN)),
                Line(7, (MAINTENANCE, WINDOWS)),
            ),
        ),
        Section("History and configuration", (Line(7, (HISTORY, HISTORY_ERRORS, RELOAD)),)),
        Section("Process", (Line(7, (CPU, MEMORY, FILES, SCRAPE)),)),
    ),
)
