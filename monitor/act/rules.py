"""What an alert and a recording rule are, and how the expressions of a kind are put together.

The rows are in `alerts_of_findings`, `alerts_of_transactions`, `alerts_of_ledgers` and
`alerts_of_headwatch`; who looks for one asks `alerts`.
Pure, and light: a sidecar that pushes to an Alertmanager loads this, a command line does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from monitor.judge.verdict import REQUIRED
from monitor.model import QUORUM, Level

Severity = Literal["critical", "warning", "info", "none"]
"""critical: a person now. warning: a person today. info: who looks. none: machines only."""
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Scope = Literal["node", "reference", "quorum", "account", "ledger"]
"""As in `checks`, which is not imported because it brings the probes and their HTTP client; and
`account` and `ledger`, of which no check speaks but the transaction watchdog and the
bookkeeping."""

SELECTORS: dict[Scope, str] = {
    "node": 'node!=""',
    "reference": f'reference!="", reference!="{QUORUM}"',
    "quorum": f'reference="{QUORUM}"',
}
"""Of `headwatch_finding_level`; the level of an account, or a ledger, is a metric of its own."""
NOT_IN_MAINTENANCE = "unless ignoring (check) headwatch_maintenance == 1"
"""A window silences people, of one sidecar: every sidecar of a fleet may name its node `local`, so
that matching on the names alone would silence them all."""
ALL_IN_MAINTENANCE = f'headwatch_maintenance{{reference="{QUORUM}"}}'
"""A window covers an account or a ledger where it covers all of its network (`Window.covers`). One
of a node does not: what was sent through it is on its way, or lost, whoever works on the node; and
what the chain holds does not become right by it."""


OPTIONAL = "*"
"""In the place of a check: every one that is not required."""
NODE = "{{ $labels.node }} ({{ $labels.network }})"
REFERENCE = "{{ $labels.reference }} of {{ $labels.network }}"
NETWORK = "{{ $labels.network }}"
CHECK = "{{ $labels.check }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One row: what Prometheus evaluates, and what a person is told."""

    name: str
    """Thing and condition, with the prefix `Headwatch`."""
    expr: str
    for_seconds: int
    """How long the expression must hold; 0 only where holding is the normal state."""
    keep_firing_for_seconds: int = 0
    """How long it goes on after the expression stopped holding, against flapping."""
    severity: Severity
    summary: str
    """One line; labels as `{{ $labels.node }}`."""
    description: str
    """What it means and what comes of it, in two or three sentences."""
    group: str
    """The rule group: `findings`, `transactions`, `ledgers`, `headwatch` or `budgets`."""
    check: str = ""
    """The check whose finding it is; empty for what is no finding."""
    scope: Scope | None = None
    level: Level | None = None
    """Of the finding; None for every bad one that has one of the reasons."""
    reasons: frozenset[str] = frozenset()
    """Only a finding with one of these reasons; empty for all that no other row claims."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """One row: a series that Prometheus computes ahead, named `level:metric:operation`."""

    record: str
    expr: str
    group: str


def finding(
    name: str,
    *,
    check: str,
    scope: Scope,
    level: Level,
    severity: Severity,
    minutes: int,
    keep_minutes: int = 0,
    also: str = "",
    reasons: frozenset[str] = frozenset(),
    summary: str,
    description: str,
) -> Alert:
    """The row of a finding; `also` is a further clause of its expression, a line of its own."""
    lines = [
        f'headwatch_finding_level{{check="{check}", {SELECTORS[scope]}}} == {level:d}',
        also,
        NOT_IN_MAINTENANCE,
    ]
    return Alert(
        name=name,
        expr="\n".join(line for line in lines if line),
        for_seconds=60 * minutes,
        keep_firing_for_seconds=60 * keep_minutes,
        severity=severity,
        summary=summary,
        description=description,
        group="findings",
        check=check,
        scope=scope,
        level=level,
        reasons=reasons,
    )


def unseen_finding(
    name: str, *, scope: Scope, also: str = "", summary: str, description: str
) -> Alert:
    """The row of every check that is not required and could not see, whichever it is."""
    names = "|".join(REQUIRED)
    lines = [
        f'headwatch_finding_level{{check!~"{names}", {SELECTORS[scope]}}} == {Level.UNKNOWN:d}',
        also,
        NOT_IN_MAINTENANCE,
    ]
    return Alert(
        name=name,
        expr="\n".join(line for line in lines if line),
        for_seconds=3600,
        severity="info",
        summary=summary,
        description=description,
        group="findings",
        check=OPTIONAL,
        scope=scope,
        level=Level.UNKNOWN,
    )


@dataclass(frozen=True, slots=True)
class Subjects:
    """What is judged beside the checks, under a label of its own: accounts, or ledgers."""

    scope: Scope
    """The label that names one, too."""
    check: str
    """The only one that speaks of them."""
    group: str

    @property
    def level(self) -> str:
        """The series of their levels."""
        return f'headwatch_{self.scope}_finding_level{{check="{self.check}"}}'

    def not_in_maintenance(self, *beside: str) -> str:
        """The clause that keeps an alert silent while all of the network is in maintenance.

        `beside` are labels that the expression has beside those of the subject.
        """
        labels = ", ".join((*beside, self.scope, "reference"))
        return f"unless ignoring ({labels}) {ALL_IN_MAINTENANCE} == 1"

    def alert(
        self,
        name: str,
        *,
        level: Level | None,
        compared: str | None = None,
        clauses: tuple[str, ...] = (),
        reasons: frozenset[str] = frozenset(),
        severity: Severity,
        minutes: int,
        keep_minutes: int = 0,
        summary: str,
        description: str,
    ) -> Alert:
        """The row of a finding of one of them; `clauses` are further lines of its expression.

        `compared` is how the level must be, other than equal to `level`. Each has a level as soon
        as it was judged: where any will do, the expression borrows its labels, so that what is
        pushed has the same.
        """
        if compared is None:
            compared = "" if level is None else f"== {level:d}"
        lines = [f"{self.level} {compared}".rstrip(), *clauses, self.not_in_maintenance("check")]
        return Alert(
            name=name,
            expr="\n".join(lines),
            for_seconds=60 * minutes,
            keep_firing_for_seconds=60 * keep_minutes,
            severity=severity,
            summary=summary,
            description=description,
            group=self.group,
            check=self.check,
            scope=self.scope,
            level=level,
            reasons=reasons,
        )


ACCOUNTS = Subjects("account", "transactions", "transactions")
"""The check is that of `transactions.telling`."""
LEDGERS = Subjects("ledger", "ledger", "ledgers")
"""The check is that of `ledger.telling`."""
of_account = ACCOUNTS.alert
of_ledger = LEDGERS.alert


@dataclass(frozen=True, slots=True)
class Signal:
    """What Prometheus sees of a reason: an expression, of series with further labels."""

    expr: str
    labels: tuple[str, ...] = ()
    """Those that the subject's level does not have, or that it has and the expression lacks."""

    @property
    def seen(self) -> str:
        """The clause of an alert that fires where it is so."""
        return self._clause("and")

    @property
    def unseen(self) -> str:
        """The clause of an alert that is silent there."""
        return self._clause("unless")

    def _clause(self, word: str) -> str:
        expr = self.expr
        if "\n" in expr:
            indented = expr.replace("\n", "\n  ")
            expr = f"(\n  {indented}\n)"
        return f"{word} ignoring ({', '.join(('check', *self.labels))}) {expr}"


def in_state(*states: str) -> Signal:
    """A live transaction of the account is in one of these states."""
    operator, value = ("=~", "|".join(sorted(states))) if len(states) > 1 else ("=", states[0])
    return Signal(f'headwatch_tx_slots{{state{operator}"{value}"}} > 0', ("state",))


def grew(counter: str, window: str) -> str:
    """The expression of a counter that rose within the window, or first appeared in it.

    A counter with labels is exported from its first event on, and `increase` needs a sample before
    that: of a mistake that is made once it would never see anything.
    """
    appeared = f"{counter} > 0\n  unless {counter} offset {window}"
    return f"increase({counter}[{window}]) > 0\nor (\n  {appeared}\n)"


# -- objectives ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One objective: the share of events that may go wrong, and how fast that may be spent."""

    name: str
    """In the alerts' names: `HeadwatchNAMEBudgetBurningFast` and `...Slow`."""
    title: str
    """What burns, for a sentence: `RPC calls of node X without a usable answer`."""
    errors: str = ""
    """The selector of the counter of what went wrong."""
    good: str = ""
    """Instead of `errors`: the selector of the counter of what went right."""
    total: str
    """The selector of the counter of everything."""
    without: tuple[str, ...] = ()
    """The labels of `errors` or `good` that `total` lacks."""
    events_min: int = 0
    """Fewer events than so many in the long window say nothing: one of two would be a half."""
    level: Literal["node", "account", "process"]
    """What the ratio is of, first in the recorded series' names."""
    objective: str
    """The share that must go right, as a decimal fraction."""

    def record(self, window: str) -> str:
        """The name of the recorded ratio over a window."""
        metric = re.split(r"[{\s]", self.errors or self.good, maxsplit=1)[0]
        family = metric.removesuffix("_total").removesuffix("_bucket")
        return f"{self.level}:{family}:ratio_rate{window}"


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast a budget of 30 days is spent, and over which windows that is seen.

    The numbers are those of the Site Reliability Workbook, chapter 5: the long window says that it
    matters, the short one that it still goes on.
    """

    word: str
    long: str
    short: str
    factor: str
    severity: Severity
    minutes: int
    gone: str


BURNS = (
    Burn("Fast", "1h", "5m", "14.4", "critical", 2, "two days"),
    Burn("Slow", "6h", "30m", "6", "warning", 15, "five days"),
)


def recorded(slo: Slo) -> tuple[RecordingRule, ...]:
    """The ratio of errors over each window that its alerts look at, shortest first."""
    windows = [window for burn in BURNS for window in (burn.short, burn.long)]
    return tuple(
        RecordingRule(slo.record(window), _ratio(slo, window), "budgets")
        for window in sorted(windows, key=seconds_of)
    )


def _ratio(slo: Slo, window: str) -> str:
    counted = f"rate({slo.errors or slo.good}[{window}])"
    if slo.without:
        counted = f"sum without ({', '.join(slo.without)}) ({counted})"
    share = f"{counted}\n/\nrate({slo.total}[{window}])"
    return share if slo.errors else f"1 -\n{share}"


def burning(slo: Slo) -> tuple[Alert, ...]:
    """The pair of alerts: fast for a person now, slow for a person today."""
    return tuple(_burning(slo, burn) for burn in BURNS)


def _burning(slo: Slo, burn: Burn) -> Alert:
    limit = f"{burn.factor} * (1 - {slo.objective})"
    burns = [f"{slo.record(burn.long)} > {limit}", f"{slo.record(burn.short)} > {limit}"]
    if slo.events_min:
        burns.append(f"increase({slo.total}[{burn.long}]) >= {slo.events_min}")
    both = "\n  and\n  ".join(burns)
    return Alert(
        name=f"Headwatch{slo.name}BudgetBurning{burn.word}",
        expr=f"(\n  {both}\n)\n{_not_maintained(slo, burn.short)}",
        for_seconds=60 * burn.minutes,
        severity=burn.severity,
        summary=f"Error budget burns {burn.word.lower()}: {slo.title}",
        description=f"{{{{ $value | humanizePercentage }}}} of the last {burn.long} went wrong, "
        f"and the last {burn.short} were no better: at least {burn.factor} times what an objective "
        f"of {slo.objective} allows. At this pace a budget of 30 days is gone within {burn.gone}.",
        group="budgets",
    )


def _not_maintained(slo: Slo, window: str) -> str:
    """Maintenance of a moment ago still fills the windows: it counts as long as the short one."""
    if slo.level != "account":
        return f"unless max_over_time(headwatch_maintenance[{window}]) == 1"
    of_network = f"max_over_time({ALL_IN_MAINTENANCE}[{window}]) == 1"
    return f"unless ignoring (account, reference) {of_network}"


# -- durations -----------------------------------------------------------------------------------

UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def duration(seconds: int) -> str:
    """Seconds as Prometheus writes a duration: the largest unit that divides them."""
    unit = next((unit for unit, size in UNITS.items() if seconds and seconds % size == 0), "s")
    return f"{seconds // UNITS[unit]}{unit}"


def seconds_of(text: str) -> int:
    """The seconds of a duration of one unit. Raises ValueError, KeyError for anything else."""
    return int(text[:-1]) * UNITS[text[-1]]
