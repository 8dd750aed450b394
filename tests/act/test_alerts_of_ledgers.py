"""The alert of a ledger's finding is the one that Prometheus fires, under the same labels.

From the outcome of a reconciliation on: its finding, its series, and the rules over them.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from monitor.act.alerts import BY_NAME, alert_of, labels_of
from monitor.act.alerts_of_ledgers import LEDGER_ALERTS
from monitor.act.collector import registry_of, render
from monitor.act.collector_of_ledgers import KINDS
from monitor.ledger.job import Outcome
from monitor.ledger.telling import finding_of
from monitor.maintenance import Window
from monitor.model import (
    Finding,
    Level,
    Snapshot,
    ledger_subject,
    reference_label,
    subject_of,
)
from monitor.poco.difference import Difference, Kind
from tests.act import ledgers, snapshots
from tests.act.ledgers import NAME
from tests.act.snapshots import NETWORK, NOW

RULES = Path(__file__).parents[2] / "alerts" / "headwatch.rules.yml"
QUORUM = subject_of(reference_label(NETWORK))
READ = ("headwatch_ledger_", "headwatch_maintenance")
"""What the rules of ledgers read; the rest of the page would only take time."""
UNSEEN = (
    *("behind", "ahead", "forked", "no_quorum", "pruned", "no_state", "not_there"),
    *("logs_truncated", "bad_logs", "logs_differ", "values_differ"),
    *("timeout", "refused", "busy", "budget", "rpc_error", "malformed", "unsupported"),
    *("wrong_chain", "not_a_hub", "broken_store", "internal_error", "stale", "confirming"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """What a reconciliation came to, and who tells of it."""

    alert: str
    kinds: tuple[Kind, ...] = ()
    """Of the differences, where everything was seen."""
    unseen: str = ""
    """The reason, where it was not."""
    before: tuple[Kind, ...] = ()
    """Of the differences at the last whole comparison, where this one saw not everything."""

    @property
    def finding(self) -> Finding:
        return finding_of(NAME, NETWORK, self.outcome, NOW - 60)

    @property
    def outcome(self) -> Outcome:
        if self.unseen:
            return Outcome("inconclusive", reason=self.unseen, detail="it could not be seen")
        return Outcome(
            "fail",
            block=ledgers.compared().block,
            differences_count=len(self.kinds),
            differences_by_kind=counts(self.kinds),
            differences=tuple(Difference(kind, f"a {kind} differs") for kind in self.kinds),
        )

    @property
    def snapshot(self) -> Snapshot:
        facts = ledgers.compared(differences=counts(self.kinds or self.before))
        return ledgers.kept(snapshots.healthy(), (facts, self.finding))


def counts(kinds: tuple[Kind, ...]) -> dict[str, int]:
    return {kind: kinds.count(kind) for kind in kinds}


MONEY, REPUTATION = "HeadwatchLedgerMoneyWrong", "HeadwatchLedgerReputationWrong"
MIXED, UNKNOWN = "HeadwatchLedgerWrong", "HeadwatchLedgerUnknown"
CASES = (
    Case(MONEY, ("stake",)),
    Case(MONEY, ("locked", "locked")),
    Case(MONEY, ("effect",)),
    Case(MONEY, ("invariant",)),
    Case(REPUTATION, ("score", "score", "score")),
    Case(REPUTATION, ("weight",)),
    Case(REPUTATION, ("contribution_score",)),
    Case(REPUTATION, ("status",)),
    Case(MIXED, ("stake", "locked")),
    Case(MIXED, ("score", "weight")),
    Case(MIXED, ("stake", "score")),
    Case(MIXED, KINDS),
    *(Case(UNKNOWN, unseen=reason) for reason in UNSEEN),
    Case(UNKNOWN, unseen="timeout", before=("stake",)),
    Case(UNKNOWN, unseen="timeout", before=("stake", "score")),
)


def title(case: Case) -> str:
    return "-".join((*case.kinds, case.unseen, *case.before)).strip("-")


@pytest.mark.parametrize("case", CASES, ids=title)
def test_alert_of_a_ledger_is_the_one_of_its_kinds_and_level(case: Case) -> None:
    """Whatever a reconciliation comes to has one alert, and its labels name the ledger."""
    alert = alert_of(case.finding)
    assert alert is not None
    assert alert.name == case.alert
    assert labels_of(case.finding, alert) == {
        "alertname": case.alert,
        "check": "ledger",
        "network": NETWORK,
        "ledger": NAME,
        "severity": alert.severity,
    }


def test_every_alert_of_a_ledger_tells_of_something() -> None:
    """No row is there that no outcome leads to, and each kind is somebody's."""
    assert {case.alert for case in CASES} == {alert.name for alert in LEDGER_ALERTS}
    assert {case.kinds[0] for case in CASES if len(set(case.kinds)) == 1} == set(KINDS)


def test_ledger_that_is_right_has_no_alert() -> None:
    """Nobody is told that it compares equal, nor while it closes."""
    equal = finding_of(NAME, NETWORK, Outcome("pass", block=ledgers.compared().block), NOW)
    assert alert_of(equal) is None
    for case in CASES:
        assert alert_of(replace(case.finding, level=Level.OK)) is None


def test_reason_of_a_ledger_claims_nothing_of_another_subject() -> None:
    """A node or an account whose finding has the same word keeps its own alert."""
    for check, subject, name in (
        ("head", "node:local", "HeadwatchNodeBehind"),
        ("transactions", "account:payer", "HeadwatchAccountFailed"),
    ):
        alert = alert_of(snapshots.finding(check, subject, Level.FAILED, "stake"))
        assert alert is not None
        assert alert.name == name
    assert alert_of(snapshots.finding("head", ledger_subject(NAME), Level.FAILED)) is None


def test_window_covers_a_ledger_where_it_covers_the_whole_network() -> None:
    """What the rules read of the network's references is what the sidecar goes by as well."""
    window = Window(
        id="w1", starts_at=0.0, ends_at=9.0, networks=(), nodes=(), reason="upgrade", actor="me"
    )
    for given, is_covered in (
        (window, True),
        (replace(window, networks=(NETWORK,)), True),
        (replace(window, networks=("other",)), False),
        (replace(window, nodes=("local", NAME)), False),
        (replace(window, networks=(NETWORK,), nodes=("local",)), False),
    ):
        assert given.covers(NETWORK, ledger_subject(NAME)) == is_covered
        assert given.covers(NETWORK, QUORUM) == is_covered


# -- and is the one of the rules -----------------------------------------------------------------


def series_of(case: Case, silenced: frozenset[str]) -> list[dict[str, str]]:
    """What Prometheus stores of the page; it keeps no empty labels."""
    page = render(registry_of(replace(case.snapshot, silenced=silenced)), "")[0]
    lines: list[dict[str, str]] = []
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples if family.name.startswith(READ) else ():
            labels = ", ".join(f'{k}="{v}"' for k, v in sample.labels.items() if v)
            series = f"{sample.name}{{{labels}}}"
            lines.append({"series": series, "values": f"{sample.value:g}x60"})
    return lines


def group(case: Case, silenced: frozenset[str], *, is_told: bool) -> dict[str, object]:
    labels = {
        "__name__": "ALERTS",
        "alertstate": "firing",
        **labels_of(case.finding, BY_NAME[case.alert]),
    }
    pairs = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return {
        "name": title(case),
        "interval": "1m",
        "input_series": series_of(case, silenced),
        # Of the whole rule file only this fires for the ledger.
        "promql_expr_test": [
            {
                "expr": 'ALERTS{alertstate="firing", ledger=~".+"}',
                "eval_time": "40m",
                "exp_samples": [{"labels": f"{{{pairs}}}", "value": 1}] if is_told else [],
            }
        ],
    }


@pytest.mark.parametrize(
    ("silenced", "is_told"),
    [
        (frozenset[str](), True),
        (frozenset({QUORUM}), False),
        # A window of the node that is asked, and what cannot be: neither silences it.
        (frozenset({subject_of("local"), ledger_subject(NAME)}), True),
    ],
    ids=["told", "in maintenance", "node in maintenance"],
)
def test_finding_of_a_ledger_fires_its_alert_with_its_labels(
    promtool: Path, tmp_path: Path, silenced: frozenset[str], *, is_told: bool
) -> None:
    """From outcome to finding to series to rule: exactly what alert_of and labels_of say."""
    # All reasons of what was not seen are one level to Prometheus.
    seen = [case for case in CASES if case.unseen in {"", "timeout"}]
    tests = [group(case, silenced, is_told=is_told) for case in seen]
    path = tmp_path / "ledgers.test.yml"
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
