"""The alert of a finding is the one that Prometheus would fire for it, under the same labels."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from monitor.act.alerts import ALERTS, BY_NAME, alert_of, labels_of, plain, runbook_url
from monitor.act.alerts_of_findings import FINDING_ALERTS
from monitor.act.collector import registry_of, render
from monitor.act.rules import OPTIONAL
from monitor.checks import CHECKS
from monitor.judge.verdict import REQUIRED, WITHOUT_REFERENCE
from monitor.lab.scenarios import SCENARIOS
from monitor.model import Finding, Level, Snapshot, Unseen, reference_label, subject_of
from tests.act.snapshots import (
    NETWORK,
    TIP,
    finding,
    node_facts,
    observations_of,
    observed,
    snapshot_of,
)

ROOT = Path(__file__).parents[2]
RULES = ROOT / "alerts" / "headwatch.rules.yml"
JUDGES = ROOT / "monitor" / "judge"
NODE = subject_of("local")
REFERENCE = subject_of(reference_label(NETWORK, "a"))
QUORUM = subject_of(reference_label(NETWORK))


@dataclass(frozen=True, slots=True)
class Case:
    """What a judge may say, and the alert that tells of it."""

    check: str
    subject: str
    level: Level
    reason: str
    alert: str

    @property
    def finding(self) -> Finding:
        return finding(self.check, self.subject, self.level, self.reason)


F, D, U = Level.FAILED, Level.DEGRADED, Level.UNKNOWN
CASES = (
    Case("identity", NODE, F, "wrong_chain", "HeadwatchNodeWrongChain"),
    Case("identity", NODE, F, "wrong_genesis", "HeadwatchNodeWrongChain"),
    Case("identity", NODE, D, "wrong_chain", "HeadwatchNodeChainDoubtful"),
    Case("identity", NODE, U, "no_identity", "HeadwatchNodeChainUnknown"),
    Case("identity", NODE, U, "timeout", "HeadwatchNodeChainUnknown"),
    Case("head", NODE, F, "behind", "HeadwatchNodeBehind"),
    Case("head", NODE, D, "behind", "HeadwatchNodeOutOfStep"),
    Case("head", NODE, D, "ahead", "HeadwatchNodeOutOfStep"),
    Case("head", NODE, U, "timeout", "HeadwatchNodeUnseen"),
    Case("head", NODE, U, "refused", "HeadwatchNodeUnseen"),
    Case("head", NODE, U, "stale", "HeadwatchNodeUnseen"),
    Case("head", NODE, U, "no_quorum", "HeadwatchNodeUncompared"),
    Case("head", NODE, U, "internal_error", "HeadwatchNodeUncompared"),
    Case("head", NODE, U, "confirming", "HeadwatchNodeUncompared"),
    Case("stall", NODE, F, "stalled", "HeadwatchNodeStalled"),
    Case("stall", NODE, D, "stalled", "HeadwatchNodeStallDoubtful"),
    Case("stall", NODE, U, "refused", "HeadwatchNodeStallUnknown"),
    Case("stall", QUORUM, D, "network_quiet", "HeadwatchNetworkQuiet"),
    Case("stall", QUORUM, U, "no_quorum", "HeadwatchNetworkUnseen"),
    Case("fork", NODE, F, "forked", "HeadwatchNodeForked"),
    Case("fork", NODE, F, "finalized_differs", "HeadwatchNodeForked"),
    Case("fork", NODE, D, "reorg_or_fork", "HeadwatchNodeForkDoubtful"),
    Case("fork", NODE, U, "client_split", "HeadwatchNodeForkUnknown"),
    Case("fork", NODE, U, "hash_unseen", "HeadwatchNodeForkUnknown"),
    Case("references", REFERENCE, D, "other_hash", "HeadwatchReferenceUnusable"),
    Case("references", REFERENCE, U, "budget", "HeadwatchReferenceUnseen"),
    Case("references", QUORUM, U, "too_few", "HeadwatchQuorumLost"),
    Case("references", QUORUM, U, "split", "HeadwatchQuorumLost"),
    Case("references", QUORUM, U, "client_split", "HeadwatchQuorumLost"),
    Case("reorg", NODE, F, "finalized_reorged", "HeadwatchNodeReorgedFinal"),
    Case("reorg", NODE, D, "finalized_reorged", "HeadwatchNodeReorged"),
    Case("reorg", NODE, D, "own_reorg", "HeadwatchNodeReorged"),
    Case("reorg", QUORUM, F, "finalized_reorged", "HeadwatchNetworkReorgedFinal"),
    Case("reorg", QUORUM, D, "deep_reorg", "HeadwatchNetworkReorged"),
    Case("finality", NODE, F, "finalized_differs", "HeadwatchNodeFinalityWrong"),
    Case("finality", NODE, F, "finalized_replaced", "HeadwatchNodeFinalityWrong"),
    Case("finality", NODE, F, "finalized_backwards", "HeadwatchNodeFinalityWrong"),
    Case("finality", NODE, D, "finality_behind", "HeadwatchNodeFinalityOutOfStep"),
    Case("finality", NODE, D, "finalized_ahead", "HeadwatchNodeFinalityOutOfStep"),
    Case("finality", NODE, D, "finalized_split", "HeadwatchNodeFinalityOutOfStep"),
    Case("finality", NODE, D, "tags_unordered", "HeadwatchNodeFinalityOutOfStep"),
    Case("finality", NODE, D, "safe_backwards", "HeadwatchNodeFinalityOutOfStep"),
    Case("finality", QUORUM, D, "finality_stalled", "HeadwatchNetworkFinalityStalled"),
    Case("finality", QUORUM, U, "final_unseen", "HeadwatchNetworkCheckUnseen"),
    Case("profile", QUORUM, D, "drifted", "HeadwatchNetworkDrifted"),
    Case("sync", NODE, D, "says_synced", "HeadwatchNodeNotSynced"),
    Case("sync", NODE, D, "syncing", "HeadwatchNodeNotSynced"),
    Case("sync", NODE, D, "no_peers", "HeadwatchNodeNotSynced"),
    Case("peers", NODE, D, "few_peers", "HeadwatchNodePeersFew"),
    Case("peers", NODE, D, "no_peers", "HeadwatchNodePeersFew"),
    Case("txpool", NODE, D, "deaf_pool", "HeadwatchNodePoolDeaf"),
    Case("bad_blocks", NODE, D, "refused_block", "HeadwatchNodeBlockRefused"),
    Case("bad_blocks", NODE, D, "refused_canonical", "HeadwatchNodeBlockRefused"),
    Case("bad_blocks", NODE, F, "refused_canonical", "HeadwatchNodeRefusesChain"),
    Case("peers", NODE, U, "rpc_error", "HeadwatchCheckUnseen"),
    Case("state", NODE, F, "state_differs", "HeadwatchNodeStateDiffers"),
    Case("state", NODE, D, "state_differs", "HeadwatchNodeStateDoubtful"),
    Case("logs", NODE, F, "logs_differ", "HeadwatchNodeLogsDiffer"),
    Case("logs", NODE, D, "receipts_root_differs", "HeadwatchNodeLogsDoubtful"),
    Case("retention", NODE, D, "shrunk", "HeadwatchNodeRetentionShrunk"),
    Case("upgrade", NODE, F, "next_unknown", "HeadwatchNodeUpgradeMissing"),
    Case("upgrade", NODE, D, "due", "HeadwatchNodeUpgradeDoubtful"),
    *(
        Case("rpc", NODE, D, r, "HeadwatchNodeCallsFailing")
        for r in ("errors", "throttled", "slow")
    ),
    *(
        Case("subscription", NODE, D, r, "HeadwatchSubscriptionDown")
        for r in ("down", "deaf", "gaps")
    ),
    Case("clock", NODE, D, "skewed", "HeadwatchNodeClockSkewed"),
    Case("clock", NODE, D, "future_head", "HeadwatchNodeClockSkewed"),
    Case("clock", QUORUM, D, "own_clock", "HeadwatchOwnClockSkewed"),
    Case("clock", QUORUM, D, "future_head", "HeadwatchOwnClockSkewed"),
    Case("beacon", NODE, D, "el_offline", "HeadwatchNodeConsensusDoubtful"),
    Case("beacon", NODE, U, "refused", "HeadwatchCheckUnseen"),
    Case("version", NODE, D, "behind", "HeadwatchNodeVersionOld"),
    Case("version", NODE, D, "end_of_life", "HeadwatchNodeVersionOld"),
    Case("version", NODE, D, "vulnerable", "HeadwatchNodeVersionOld"),
    Case("version", NODE, U, "feed_unseen", "HeadwatchCheckUnseen"),
    Case("version", NODE, U, "no_feed", "HeadwatchCheckUnseen"),
    Case("version", NODE, U, "unreadable", "HeadwatchCheckUnseen"),
    Case("reorg", QUORUM, U, "no_quorum", "HeadwatchNetworkCheckUnseen"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.check}-{c.level.word}-{c.reason}")
def test_alert_of_a_finding_is_the_one_for_its_check_scope_and_level(case: Case) -> None:
    """What a judge says has one alert, whatever its reason."""
    alert = alert_of(case.finding)
    assert alert is not None
    assert alert.name == case.alert


@pytest.mark.parametrize(
    "well",
    [
        finding("head", NODE, Level.OK),
        finding("transactions", "tx:0xabc", Level.FAILED),
        finding("monitor", "monitor", Level.FAILED),
        finding("unheard_of", NODE, Level.FAILED),
    ],
    ids=lambda f: f"{f.check}-{f.level.word}",
)
def test_alert_of_what_is_well_or_no_series_is_none(well: Finding) -> None:
    """Nobody is told that all is well, nor under a label that Prometheus does not have."""
    assert alert_of(well) is None


def test_labels_hold_no_empty_one_and_name_one_subject() -> None:
    """Alertmanager refuses an empty label; a reference is named without its network."""
    for subject, label in ((NODE, "node"), (REFERENCE, "reference"), (QUORUM, "reference")):
        bad = finding("references" if subject != NODE else "head", subject, Level.UNKNOWN)
        alert = alert_of(bad)
        assert alert is not None
        labels = labels_of(bad, alert)
        assert all(labels.values())
        assert set(labels) == {"alertname", "check", "network", "severity", label}
        assert labels[label] == subject.rsplit(":", 1)[-1].rsplit("/", 1)[-1]


# -- every level has its row ---------------------------------------------------------------------


@pytest.mark.parametrize("row", CHECKS, ids=lambda row: row.name)
def test_check_has_an_alert_for_every_scope_and_level_of_its_judge(row: Any) -> None:
    """A level that a judge can give, and no person hears of, cannot be.

    Which levels it can give is read from its source: a new one there needs a row here.
    """
    source = (JUDGES / f"{row.name}.py").read_text(encoding="utf-8")
    given = {Level[word] for word in re.findall(r"Level\.([A-Z]+)\b", source)} - {Level.OK}
    alerts = [alert for alert in FINDING_ALERTS if alert.check == row.name]
    if not row.required:
        assert {alert.level for alert in alerts} == given - {Level.UNKNOWN}
        # That they see nothing is told of all of them in the same words.
        assert {a.scope for a in FINDING_ALERTS if a.check == OPTIONAL} >= set(row.scopes)
        return
    assert {alert.level for alert in alerts} == given
    assert {alert.scope for alert in alerts} == set(row.scopes)
    for scope in row.scopes:
        # What was not judged for a minute becomes UNKNOWN, whatever the judge.
        assert Level.UNKNOWN in {alert.level for alert in alerts if alert.scope == scope}


def test_cases_name_every_alert_of_a_finding() -> None:
    """None is left out of what is tried below."""
    assert {case.alert for case in CASES} == {alert.name for alert in FINDING_ALERTS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario_of_the_lab_has_an_alert_for_each_of_its_findings(scenario: Any) -> None:
    """Whatever is tried on real nodes would be told."""
    for (check, subject), level in scenario.findings:
        alert = alert_of(replace(finding(check, subject, level), network="dev"))
        assert alert is not None
        assert alert.severity in {"critical", "warning"}


def test_unseen_and_uncompared_share_a_level_and_no_reason() -> None:
    """Reasons that speak of the references never accuse a node of being down."""
    uncompared = BY_NAME["HeadwatchNodeUncompared"]
    assert WITHOUT_REFERENCE & {"no_quorum"} <= uncompared.reasons
    assert not uncompared.reasons & {"timeout", "refused", "rpc_error", "malformed", "stale"}


# -- and is the one of the rules -----------------------------------------------------------------


def shown(case: Case, *, silenced: bool = False) -> Snapshot:
    """A snapshot in which this is found, and the node's head is there where the reason says so.

    What is not required asks something else, of a node whose head is seen.
    """
    answers = case.check not in REQUIRED or case.reason not in {"timeout", "refused", "stale"}
    seen = observations_of("local", TIP)
    if not answers:
        seen = (observed("local", "head", Unseen("refused", "no")),)
    snapshot = snapshot_of((case.finding,), (node_facts(),), seen)
    return replace(snapshot, silenced=frozenset({case.subject} if silenced else ()))


def series_of(snapshot: Snapshot) -> list[dict[str, str]]:
    """What Prometheus stores of the metrics page; it keeps no empty labels."""
    lines = []
    page = render(registry_of(snapshot), "")[0].decode()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ", ".join(f'{k}="{v}"' for k, v in sample.labels.items() if v)
            lines.append({"series": f"{sample.name}{{{labels}}}", "values": f"{sample.value:g}x90"})
    return lines


def promtool_group(case: Case, *, silenced: bool) -> dict[str, object]:
    found = case.finding
    alert = alert_of(found)
    assert alert is not None
    pairs = {"__name__": "ALERTS", "alertstate": "firing", **labels_of(found, alert)}
    labels = ", ".join(f'{name}="{value}"' for name, value in pairs.items())
    expected = [] if silenced else [{"labels": f"{{{labels}}}", "value": 1}]
    return {
        "name": f"{case.check} {case.reason}",
        "interval": "1m",
        "input_series": series_of(shown(case, silenced=silenced)),
        # Of the whole rule file only this one fires for the finding.
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertstate="firing", check="{case.check}"}}',
                "eval_time": "80m",
                "exp_samples": expected,
            }
        ],
    }


@pytest.mark.parametrize("silenced", [False, True], ids=["told", "in maintenance"])
def test_finding_on_the_metrics_page_fires_its_alert_with_its_labels(
    promtool: Path, tmp_path: Path, silenced: bool
) -> None:
    """From finding to series to rule to alert: exactly what alert_of and labels_of say."""
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "5m",
        "tests": [promtool_group(case, silenced=silenced) for case in CASES],
    }
    path = tmp_path / "findings.test.yml"
    with path.open("w") as out:
        YAML().dump(document, out)
    done = subprocess.run(
        [str(promtool), "test", "rules", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- words ---------------------------------------------------------------------------------------


def test_names_are_unique_and_every_alert_is_in_the_table() -> None:
    """A name is an alert's identity: for routes, silences, pages and uids."""
    assert len(BY_NAME) == len(ALERTS)


def test_runbook_url_is_the_base_and_the_name() -> None:
    """With and without a slash at the end of the base."""
    alert = ALERTS[0]
    for base in ("https://a.example.org/runbook", "https://a.example.org/runbook/"):
        assert runbook_url(alert, base) == f"https://a.example.org/runbook/{alert.name}"


def test_plain_summary_names_its_labels() -> None:
    """Readers of the documentation see which label stands where."""
    assert plain("Node {{ $labels.node }} ({{ $labels.network }})") == "Node `node` (`network`)"


def test_table_of_alerts_loads_nothing_heavy() -> None:
    """A sidecar that pushes alerts pays nothing for knowing them."""
    heavy = ("aiohttp", "pydantic", "prometheus_client", "asyncio", "msgspec")
    program = "import sys, monitor.act.alerts; print(*(set(sys.argv[1:]) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program, *heavy],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stdout.split()
