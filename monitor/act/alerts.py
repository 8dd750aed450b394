"""Every alert in one table, and the alert that tells of a finding.

Prometheus evaluates the table (`alerts/headwatch.rules.yml` is generated from it), and headwatch
pushes the same alerts to an Alertmanager by itself, under the same labels: routes, inhibitions and
silences hold for both.
"""

from __future__ import annotations

from monitor.act.alerts_of_findings import FINDING_ALERTS
from monitor.act.alerts_of_headwatch import HEADWATCH_ALERTS, RECORDING_RULES
from monitor.act.alerts_of_ledgers import BOOKKEEPING_ALERTS, LEDGER_ALERTS
from monitor.act.alerts_of_transactions import ACCOUNT_ALERTS, WATCHDOG_ALERTS
from monitor.act.rules import OPTIONAL, Alert, Scope, duration
from monitor.judge.verdict import REQUIRED
from monitor.model import QUORUM, Finding, Level

__all__ = ["ALERTS", "BY_NAME", "RECORDING_RULES", "RUNBOOK_BASE", "alert_of", "labels_of"]

ALERTS: tuple[Alert, ...] = (
    *FINDING_ALERTS,
    *ACCOUNT_ALERTS,
    *WATCHDOG_ALERTS,
    *LEDGER_ALERTS,
    *BOOKKEEPING_ALERTS,
    *HEADWATCH_ALERTS,
)
BY_NAME = {alert.name: alert for alert in ALERTS}
RUNBOOK_BASE = "https://headwatch.example.org/runbook/"
"""Where the runbook is served: the sidecar does so below `/runbook/`. An alert's name follows."""


def scope_of(subject: str) -> Scope | None:
    """What a subject is; None for a transaction, which is told of with its account, and others."""
    kind, _, name = subject.partition(":")
    if kind == "node":
        return "node"
    if kind == "account":
        return "account"
    if kind == "ledger":
        return "ledger"
    if kind == "reference":
        return "quorum" if name.rsplit("/", 1)[-1] == QUORUM else "reference"
    return None


def alert_of(finding: Finding) -> Alert | None:
    """The alert that tells of this finding at its level; None for one that is well.

    Of a finding that closed, that is the alert of the level before: ask for it while it is bad.
    """
    scope = scope_of(finding.subject)
    if scope is None or finding.level == Level.OK:
        return None
    check = finding.check
    if finding.level == Level.UNKNOWN and check not in REQUIRED and scope in {"node", "quorum"}:
        check = OPTIONAL
    rows = [
        row
        for row in (*FINDING_ALERTS, *ACCOUNT_ALERTS, *LEDGER_ALERTS)
        if (row.check, row.scope) == (check, scope) and row.level in {None, finding.level}
    ]
    claimed = [row for row in rows if finding.reason in row.reasons]
    return next(iter(claimed or [row for row in rows if not row.reasons]), None)


def labels_of(finding: Finding, alert: Alert) -> dict[str, str]:
    """The labels that Prometheus' rule would give, without those of the scraped target.

    An empty label is no label: Alertmanager refuses an alert that carries one.
    """
    name = finding.subject.partition(":")[2]
    label = alert.scope if alert.scope in {"node", "account", "ledger"} else "reference"
    labels = {
        "alertname": alert.name,
        "check": finding.check,
        "network": finding.network,
        label: name.rsplit("/", 1)[-1] if label == "reference" else name,
        "severity": alert.severity,
    }
    return {label: value for label, value in labels.items() if value}


def runbook_url(alert: Alert, base: str = RUNBOOK_BASE) -> str:
    """The page that says what to do."""
    return f"{base.rstrip('/')}/{alert.name}"


def alerts_table() -> str:
    """The table of `docs/alerts.md`."""
    lines = ["| alert | severity | after | says |", "|---|---|---|---|"]
    for alert in ALERTS:
        after = duration(alert.for_seconds) if alert.for_seconds else "at once"
        link = f"[{alert.name}](../alerts/runbook/{alert.name}.md)"
        says = plain(alert.summary)
        lines.append(f"| {link} | {alert.severity} | {after} | {says} |")
    return "\n".join(lines) + "\n"


def plain(template: str) -> str:
    """A summary with `LABEL` in place of a label, for readers."""
    parts = template.split("{{ $labels.")
    rest = (part.split(" }}", 1) for part in parts[1:])
    return parts[0] + "".join(f"`{name}`{text}" for name, text in rest)
