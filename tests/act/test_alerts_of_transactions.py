"""The alert of an account's finding is the one that Prometheus fires, under the same labels."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from monitor.act.alerts import BY_NAME, alert_of, labels_of
from monitor.act.alerts_of_transactions import ACCOUNT_ALERTS
from monitor.act.collector import registry_of, render
from monitor.act.instruments import Instruments
from monitor.model import (
    Finding,
    Level,
    Snapshot,
    account_subject,
    reference_label,
    subject_of,
    transaction_subject,
)
from tests.act import snapshots

RULES = Path(__file__).parents[2] / "alerts" / "headwatch.rules.yml"
QUORUM = subject_of(reference_label(snapshots.NETWORK))
PAYER = {"network": snapshots.NETWORK, "account": "payer"}
READ = ("headwatch_account_", "headwatch_tx_", "headwatch_maintenance")
"""What the rules of accounts read; the rest of the page would only take time."""
RISING, STILL = "0+1x60", "0x60"


@dataclass(frozen=True, slots=True)
class Case:
    """What is found of an account, what is shown and counted beside it, and who tells of it."""

    reason: str
    level: Level
    alert: str
    facts: Mapping[str, object] = field(default_factory=dict)
    counted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of what went up, by the instrument's name."""

    @property
    def finding(self) -> Finding:
        return snapshots.account_finding("payer", self.level, self.reason)

    @property
    def snapshot(self) -> Snapshot:
        facts = {"states": {self.reason: 1}, **self.facts}
        watching = snapshots.watching(snapshots.healthy(), snapshots.account_facts(**facts))
        return snapshots.with_finding(watching, self.finding)

    @property
    def instruments(self) -> Instruments:
        instruments = Instruments()
        for name, labels in self.counted.items():
            counter = getattr(instruments, name)
            (counter.labels(**PAYER, **labels) if labels else counter).inc()
        return instruments


F, D, U = Level.FAILED, Level.DEGRADED, Level.UNKNOWN
TIP = {"states": {"underpriced_tip": 1}}
CASES = (
    Case("lost", F, "HeadwatchTransactionLost", {"gap_nonces": 1}),
    Case("local_fork", F, "HeadwatchTransactionForked"),
    Case("gap", F, "HeadwatchNonceGap", {"gap_nonces": 2}),
    Case("nonce_reused", F, "HeadwatchNonceReused", {"is_local_stale": True}),
    Case(
        "replaced_other",
        F,
        "HeadwatchTransactionReplaced",
        {"states": {}},
        {"tx_closed": {"state": "replaced_other"}},
    ),
    *(
        Case(
            "budget_exhausted",
            level,
            "HeadwatchTransactionBudgetExhausted",
            TIP,
            {"tx_signed": {"act": "replace", "result": "over_budget"}},
        )
        for level in (F, D)
    ),
    *(
        Case("journal_failed", level, "HeadwatchJournalFailing", {}, {"tx_journal_errors": {}})
        for level in (F, U)
    ),
    Case("what_nobody_thought_of", F, "HeadwatchAccountFailed"),
    Case("nonce_taken", D, "HeadwatchNonceTaken"),
    Case("local_only", D, "HeadwatchTransactionLocalOnly", {"local_only": 1}),
    Case("local_desync", D, "HeadwatchTransactionLocalOnly", {"local_only": 1}),
    Case("not_propagated", D, "HeadwatchTransactionNotPropagated", {"local_only": 1}),
    Case("local_ahead", D, "HeadwatchNonceAhead", {"local_only": 1}),
    Case("reorged_out", D, "HeadwatchTransactionReorged"),
    Case("reverted", D, "HeadwatchTransactionReverted"),
    Case(
        "final_reverted",
        D,
        "HeadwatchTransactionReverted",
        {"states": {}},
        {"tx_closed": {"state": "final_reverted"}},
    ),
    Case("unfunded", D, "HeadwatchTransactionUnfunded"),
    Case("underpriced_cap", D, "HeadwatchTransactionStuck"),
    Case("underpriced_tip", D, "HeadwatchTransactionStuck"),
    Case("stuck_other", D, "HeadwatchTransactionStuck"),
    Case("dropped", D, "HeadwatchTransactionDropped"),
    Case(
        "cap_blocks_bump",
        D,
        "HeadwatchTransactionCapped",
        TIP,
        {"tx_signed": {"act": "replace", "result": "capped"}},
    ),
    Case("gap", D, "HeadwatchAccountDegraded"),
    Case("conflict", D, "HeadwatchAccountDegraded"),
    Case("inclusion_slow", D, "HeadwatchAccountDegraded"),
    Case("halted", D, "HeadwatchAccountDegraded"),
    Case("evidence_weak", U, "HeadwatchEvidenceWeak", {"is_evidence_weak": True}),
    Case("stale", U, "HeadwatchAccountUnknown"),
    Case("internal_error", U, "HeadwatchAccountUnknown"),
)
BESIDE = {
    # What each of these is found with is seen of the other as well.
    ("local_ahead", D): {"HeadwatchAccountDegraded"},
    ("final_reverted", D): {"HeadwatchAccountDegraded"},
}
"""What Prometheus tells beside it, because a level is all that it sees."""


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.reason}-{c.level.word}")
def test_alert_of_an_account_is_the_one_of_its_reason_and_level(case: Case) -> None:
    """Whatever is found has one alert, and its labels name the account by its alias."""
    alert = alert_of(case.finding)
    assert alert is not None
    assert alert.name == case.alert
    assert labels_of(case.finding, alert) == {
        "alertname": case.alert,
        "check": "transactions",
        **PAYER,
        "severity": alert.severity,
    }


def test_every_alert_of_an_account_tells_of_something() -> None:
    """No row is there that no finding leads to."""
    assert {case.alert for case in CASES} == {alert.name for alert in ACCOUNT_ALERTS}


@pytest.mark.parametrize("alert", ACCOUNT_ALERTS, ids=lambda alert: alert.name)
def test_account_that_is_well_has_no_alert(alert: object) -> None:
    """Not even one whose reason has an alert at every level."""
    assert alert is not None
    for case in CASES:
        assert alert_of(replace(case.finding, level=Level.OK)) is None


def test_transaction_has_no_alert_of_its_own() -> None:
    """It is told of under its account: a hash would be another alert each time."""
    subject = transaction_subject(snapshots.hash_of(7))
    lost = snapshots.finding("transactions", subject, Level.FAILED, "lost")
    assert alert_of(lost) is None


def test_reason_of_an_account_claims_nothing_of_a_node() -> None:
    """A node whose finding has the same reason keeps its own alert."""
    behind = snapshots.finding("head", "node:local", Level.FAILED, "lost")
    alert = alert_of(behind)
    assert alert is not None
    assert alert.name == "HeadwatchNodeBehind"


# -- and is the one of the rules -----------------------------------------------------------------


def series_of(case: Case, *, silenced: frozenset[str]) -> list[dict[str, str]]:
    """What Prometheus stores of the page; of counters that something was counted by, that it rises.

    It keeps no empty labels.
    """
    page = render(registry_of(replace(case.snapshot, silenced=silenced), case.instruments), "")[0]
    lines: list[dict[str, str]] = []
    for family in text_string_to_metric_families(page.decode()):
        if not family.name.startswith(READ):
            continue
        for sample in family.samples:
            labels = ", ".join(f'{k}="{v}"' for k, v in sample.labels.items() if v)
            values = f"{sample.value:g}x60"
            if family.type == "counter":
                values = RISING if sample.value else STILL
            lines.append({"series": f"{sample.name}{{{labels}}}", "values": values})
    return lines


def group(case: Case, *, silenced: frozenset[str], expected: set[str]) -> dict[str, object]:
    samples = []
    for name in sorted(expected):
        labels = {
            "__name__": "ALERTS",
            "alertstate": "firing",
            **labels_of(case.finding, BY_NAME[name]),
        }
        pairs = ", ".join(f'{label}="{value}"' for label, value in labels.items())
        samples.append({"labels": f"{{{pairs}}}", "value": 1})
    return {
        "name": f"{case.reason} {case.level.word}",
        "interval": "1m",
        "input_series": series_of(case, silenced=silenced),
        # Of the whole rule file only this fires for the finding.
        "promql_expr_test": [
            {
                "expr": 'ALERTS{alertstate="firing", check="transactions"}',
                "eval_time": "40m",
                "exp_samples": samples,
            }
        ],
    }


@pytest.mark.parametrize(
    ("silenced", "is_told"),
    [
        (frozenset[str](), True),
        (frozenset({QUORUM}), False),
        # A window of the node that it sends through, and what cannot be: neither silences it.
        (frozenset({subject_of("local"), account_subject("payer")}), True),
    ],
    ids=["told", "in maintenance", "node in maintenance"],
)
def test_finding_of_an_account_fires_its_alert_with_its_labels(
    promtool: Path, tmp_path: Path, silenced: frozenset[str], *, is_told: bool
) -> None:
    """From finding to series to rule to alert: exactly what alert_of and labels_of say."""
    tests = []
    for case in CASES:
        told = {case.alert, *BESIDE.get((case.reason, case.level), ())}
        tests.append(group(case, silenced=silenced, expected=told if is_told else set()))
    path = tmp_path / "accounts.test.yml"
    with path.open("w") as out:
        YAML().dump({"rule_files": [str(RULES)], "evaluation_interval": "5m", "tests": tests}, out)
    done = subprocess.run(
        [str(promtool), "test", "rules", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
