"""What is counted as it happens: calls, messages, transactions, mistakes of ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from prometheus_client import Counter, Histogram, disable_created_metrics

from monitor.act.histogram import CallHistogram
from monitor.act.metrics import BY_NAME
from monitor.judge.offers import OPTIONAL_CHECKS
from monitor.judge.verdict import REQUIRED
from monitor.transactions.words import TERMINAL

CALL_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TAP_SECONDS_BUCKETS = (*CALL_SECONDS_BUCKETS, 30.0)
INCLUSION_SECONDS_BUCKETS = (
    *(1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0),
    *(120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0),
)
"""From the fastest chains to what nobody waits for; an objective names one of them."""
COMMIT_SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
SCHEDULER_EVENTS = ("error", "missed", "overrun")
PROPOSAL_OUTCOMES = ("sent", "failed")
FINAL_STATES = tuple(sorted(state.value for state in TERMINAL))

INTERNAL_PLACES = (
    *("round", "edges", "history", "notify", "http", "transactions", "tap", "gate"),
    *(f"judge_{check}" for check in (*REQUIRED, *OPTIONAL_CHECKS)),
    *(f"probe_{check}" for check in OPTIONAL_CHECKS),
)
"""Who catches mistakes of ours; more may come with more checks."""


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
        self.rpc_call_seconds = CallHistogram(
            calls.name,
            calls.help,
            ("node", "method"),
            unit=calls.unit,
            registry=None,
            buckets=CALL_SECONDS_BUCKETS,
        )
        """Labelled with the endpoint's label; the network is added when it is drawn."""
        self.internal_errors = _counter("headwatch_internal_errors_total")
        """Every place is there from the start: `increase()` does not see a series begin."""
        for place in INTERNAL_PLACES:
            self.internal_errors.labels(place=place)
        self.scheduler_events = _counter("headwatch_scheduler_events_total")
        for event in SCHEDULER_EVENTS:
            self.scheduler_events.labels(event=event)
        self.notifications = _counter("headwatch_notifications_total")
        self.notifications_held = _counter("headwatch_notifications_held_total")
        self.queued: dict[str, int] = {}
        """Messages that wait, by channel."""
        self.told_at: dict[str, float] = {}
        """When a channel last took a message."""
        self._watch_transactions()
        self.history_errors = _counter("headwatch_history_errors_total")
        self.history_lost = _counter("headwatch_history_lost_total")
        self.history_size_bytes = Dial("headwatch_history_size_bytes")
        self.scheduler_lag_seconds = Dial("headwatch_scheduler_lag_seconds")
        self.scrape_duration_seconds = Dial("headwatch_scrape_duration_seconds")
        self.config_last_reload_successful = Dial("headwatch_config_last_reload_successful")
        self.config_last_reload_success_timestamp_seconds = Dial(
            "headwatch_config_last_reload_success_timestamp_seconds"
        )

    def _watch_transactions(self) -> None:
        self.tx_inclusion_seconds = _histogram(
            "headwatch_tx_inclusion_seconds", INCLUSION_SECONDS_BUCKETS
        )
        """Observed with the exemplar `{"tx_hash": HASH}`: `observe(seconds, {...})`."""
        self.tx_closed = _counter("headwatch_tx_closed_total")
        self.tx_reorged = _counter("headwatch_tx_reorged_total")
        self.tx_signed = _counter("headwatch_tx_signed_total")
        sends = BY_NAME["headwatch_tx_sends_total"]
        labels = tuple(label for label in sends.labels if label != "network")
        self.tx_sends = Counter(sends.family, sends.help, labels, registry=None)
        """Labelled with the endpoint's label; the network is added when it is drawn."""
        self.tx_journal_commit_seconds = _histogram(
            "headwatch_tx_journal_commit_seconds", COMMIT_SECONDS_BUCKETS
        )
        self.tx_journal_errors = _counter("headwatch_tx_journal_errors_total")
        self.tx_proposals = _counter("headwatch_tx_proposals_total")
        for outcome in PROPOSAL_OUTCOMES:
            self.tx_proposals.labels(outcome=outcome)
        self.tap_requests = _counter("headwatch_tap_requests_total")
        self.tap_seconds = _histogram("headwatch_tap_seconds", TAP_SECONDS_BUCKETS)

    def begin(self, accounts: Collection[tuple[str, str]]) -> None:
        """These accounts, each a network and an alias, are there from zero on.

        `increase()` does not see a series begin, and the first nonce that somebody else takes may
        be the only one.
        """
        for network, account in accounts:
            labels = {"network": network, "account": account}
            self.tx_inclusion_seconds.labels(**labels)
            self.tx_reorged.labels(**labels)
            for state in FINAL_STATES:
                self.tx_closed.labels(**labels, state=state)

    @property
    def dials(self) -> tuple[Dial, ...]:
        return (
            self.history_size_bytes,
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


def _histogram(name: str, buckets: Sequence[float]) -> Histogram:
    metric = BY_NAME[name]
    return Histogram(
        metric.name,
        metric.help,
        metric.labels,
        unit=metric.unit,
        registry=None,
        buckets=buckets,
    )
