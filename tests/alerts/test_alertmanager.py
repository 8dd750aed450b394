"""The example of Alertmanager: accepted, routed as it says, and silent about what is explained."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from monitor.act.alerts import ALERTS, BY_NAME
from monitor.act.rules import seconds_of
from monitor.judge.verdict import REQUIRED
from tests.alerts.conftest import CONFIGURATION, Inhibitor

RULES = CONFIGURATION.parent / "headwatch.rules.yml"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=60
    )


def amlint(*arguments: object) -> subprocess.CompletedProcess[str]:
    return run(Path(sys.executable).with_name("amlint"), *arguments)


def example() -> Any:
    return YAML(typ="safe").load(CONFIGURATION.read_text(encoding="utf-8"))


def test_example_is_accepted_by_amtool(amtool: Path) -> None:
    """Alertmanager itself loads it."""
    done = run(amtool, "check-config", CONFIGURATION)
    assert done.returncode == 0, done.stdout + done.stderr


def test_example_has_nothing_that_amlint_would_change() -> None:
    """No finding of any level, with the rules beside it: also none of those amtool passes."""
    done = amlint("check", "--strict", "--rules", RULES, CONFIGURATION)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout


@pytest.mark.parametrize(
    ("find", "put", "code"),
    [
        ("repeat_interval: 1m", "repeat_interval: 10s", "repeat-before-group"),
        ("HeadwatchQuorumLost", "HeadwatchQuorumGone", "inhibit-unknown-alertname"),
        ("equal: [job]", "equal: []", "inhibit-no-equal"),
    ],
)
def test_amlint_sees_a_mistake_that_amtool_passes(
    amtool: Path, tmp_path: Path, find: str, put: str, code: str
) -> None:
    """The linter looks: a size or a name that is wrong is found, though the file would load."""
    broken = tmp_path / "alertmanager.yml"
    text = CONFIGURATION.read_text(encoding="utf-8")
    broken.write_text(text.replace(find, put, 1))
    assert run(amtool, "check-config", broken).returncode == 0
    done = amlint("check", "--strict", "--rules", RULES, broken)
    assert done.returncode != 0
    assert code in done.stdout


# -- routes --------------------------------------------------------------------------------------

RECEIVERS = {"critical": "pager", "warning": "chat", "info": "chat", "none": "dead-man"}
ROUTED = [
    *(({"alertname": alert.name, "severity": alert.severity}) for alert in ALERTS),
    {"alertname": "SomebodyElses", "severity": "page"},
    {"alertname": "SomebodyElses"},
]


@pytest.mark.parametrize(
    "labels",
    [
        {"alertname": "HeadwatchNodeUnseen", "severity": "critical", "node": "local"},
        {"alertname": "HeadwatchNetworkQuiet", "severity": "warning", "network": "ethereum"},
        {"alertname": "HeadwatchCheckUnseen", "severity": "info"},
        {"alertname": "HeadwatchWatchdog", "severity": "none"},
        {"alertname": "SomebodyElses"},
    ],
    ids=lambda labels: labels["alertname"],
)
def test_route_leads_to_the_receiver_of_its_severity(amtool: Path, labels: dict[str, str]) -> None:
    """Alertmanager's own program says so; another receiver makes it fail."""
    receiver = RECEIVERS.get(labels.get("severity", ""), "chat")
    words = [f"{name}={value}" for name, value in labels.items()]
    test = (amtool, "config", "routes", "test", f"--config.file={CONFIGURATION}", *words)
    done = run(*test, f"--verify.receivers={receiver}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run(*test, "--verify.receivers=nobody").returncode == 1


def test_route_of_every_alert_is_as_written_and_every_route_is_reached(tmp_path: Path) -> None:
    """All alerts of the table reach whom their severity says, and no route is there for nothing."""
    cases = [
        {
            "name": labels["alertname"],
            "labels": labels,
            "expect": [RECEIVERS.get(labels.get("severity", ""), "chat")],
        }
        for labels in ROUTED
    ]
    path = tmp_path / "routes.yml"
    path.write_text(json.dumps(cases))
    done = amlint("test", "--fail-under", "100", CONFIGURATION, path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dead_man_route_has_sizes_that_work() -> None:
    """It tells at once, and repeats more often than whoever waits for it loses patience."""
    (route,) = [r for r in example()["route"]["routes"] if r["receiver"] == "dead-man"]
    wait, group, repeat = (
        seconds_of(route[f"{name}"]) for name in ("group_wait", "group_interval", "repeat_interval")
    )
    assert wait == 0
    assert group <= repeat, "it would be rounded up, silently"
    patience_seconds = 300
    assert 3 * (repeat + group) <= patience_seconds


def test_example_holds_no_secret_and_no_real_host() -> None:
    """Keys are read from files; addresses are those that exist nowhere."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    for url in re.findall(r"https?://[^\s\"']+", text):
        assert (urlsplit(url).hostname or "").endswith(".example.org")
    for word in re.findall(r"(\w*(?:key|token|secret|password|credentials)\w*):", text):
        assert word.endswith("_file"), word


# -- inhibitions ---------------------------------------------------------------------------------


def alert(name: str, **labels: str) -> dict[str, str]:
    row = BY_NAME[name]
    checked = {"check": row.check} if row.check else {}
    return {"alertname": name, "severity": row.severity, **checked, **labels}


NODE_ALERTS = (
    "HeadwatchNodeBehind",
    "HeadwatchNodeStalled",
    "HeadwatchNodeForked",
    "HeadwatchNodeRpcBudgetBurningFast",
    "HeadwatchNodeRpcBudgetBurningSlow",
    "HeadwatchNodeChainUnknown",
    "HeadwatchNodeStallUnknown",
    "HeadwatchNodeForkUnknown",
    "HeadwatchSubscriptionDown",
    "HeadwatchObservationStale",
)
OF_OPTIONAL_CHECKS = tuple(
    row.name
    for row in ALERTS
    if row.scope == "node" and row.check not in REQUIRED and row.name not in NODE_ALERTS
)
"""What else is found of a node: whatever is wrong with its chain, or its head, explains it."""
QUORUM_LOST = {"HeadwatchQuorumLost"}
OF_ACCOUNTS = {alert.name: alert for alert in ALERTS if alert.scope == "account"}
BLIND = ("HeadwatchEvidenceWeak", "HeadwatchAccountUnknown")
"""What becomes of an account that cannot be judged."""
UNJUDGED = ("HeadwatchNetworkUnseen", "HeadwatchNetworkCheckUnseen")
"""What becomes of a network whose references cannot be believed."""
OF_LEDGERS = {alert.name: alert for alert in ALERTS if alert.scope == "ledger"}
UNCOMPARED = ("HeadwatchLedgerUnknown", "HeadwatchLedgerStale")
"""What becomes of a ledger that cannot be compared."""


@pytest.mark.parametrize(
    ("cause", "follows", "stays"),
    [
        ("HeadwatchNodeUnseen", (*NODE_ALERTS, *OF_OPTIONAL_CHECKS), ()),
        (
            "HeadwatchNodeWrongChain",
            (
                "HeadwatchNodeForked",
                "HeadwatchNodeStalled",
                "HeadwatchNodeBehind",
                *OF_OPTIONAL_CHECKS,
            ),
            ("HeadwatchNodeRpcBudgetBurningFast", "HeadwatchNodeUnseen"),
        ),
        (
            "HeadwatchNodeForked",
            (
                "HeadwatchNodeStalled",
                "HeadwatchNodeBehind",
                "HeadwatchNodeOutOfStep",
                "HeadwatchSubscriptionDown",
                *OF_OPTIONAL_CHECKS,
            ),
            ("HeadwatchNodeRpcBudgetBurningSlow", "HeadwatchNodeWrongChain"),
        ),
        (
            "HeadwatchNodeStalled",
            ("HeadwatchNodeBehind", *OF_OPTIONAL_CHECKS),
            ("HeadwatchNodeForked",),
        ),
        ("HeadwatchNodeBehind", OF_OPTIONAL_CHECKS, ("HeadwatchNodeStalled",)),
        (
            "HeadwatchNodeStateDiffers",
            ("HeadwatchNodePeersFew", "HeadwatchNodeLogsDoubtful", "HeadwatchCheckUnseen"),
            ("HeadwatchNodeForked", "HeadwatchNodeBehind", "HeadwatchNodeUpgradeMissing"),
        ),
        (
            "HeadwatchNodePeersFew",
            ("HeadwatchCheckUnseen",),
            ("HeadwatchNodePoolDeaf", "HeadwatchNodeStateDiffers"),
        ),
        (
            "HeadwatchNodeRpcBudgetBurningFast",
            ("HeadwatchNodeRpcBudgetBurningSlow",),
            ("HeadwatchNodeBehind",),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_cause_silences_what_follows_of_the_same_node_only(
    inhibitor: Inhibitor, cause: str, follows: tuple[str, ...], stays: tuple[str, ...]
) -> None:
    """One thing is told of one node; another node, and the same name elsewhere, are not touched.

    Each is alone with the cause: beside a third, that one might be what silences it.
    """
    network = cause.lower()

    def here(name: str) -> dict[str, str]:
        return {"network": network, "node": name, "instance": "a:9845"}

    for name in (*follows, *stays):
        inhibitor.post(
            [
                alert(cause, **here(name)),
                alert(name, **here(name)),
                alert(name, **{**here(name), "node": f"not-{name}"}),
                alert(name, **{**here(name), "instance": "b:9845"}),
            ]
        )
    for name in follows:
        assert inhibitor.silenced_with({name}, **here(name)) == {name}
        assert not inhibitor.silenced(**{**here(name), "node": f"not-{name}"})
    for name in stays:
        assert name not in inhibitor.silenced(**here(name))
    assert not inhibitor.silenced(network=network, instance="b:9845")


def test_lost_quorum_silences_what_cannot_be_judged_without_it(inhibitor: Inhibitor) -> None:
    """Nodes are not told of one by one; the references that are the cause are, and other networks.

    A node that does not answer is told: that was seen without any reference.
    """
    follows = {
        "HeadwatchNodeUncompared",
        "HeadwatchNodeChainUnknown",
        "HeadwatchNodeStallUnknown",
        "HeadwatchNodeForkUnknown",
        "HeadwatchCheckUnseen",
    }
    for network, instance in (("parted", "a:9845"), ("parted", "b:9845"), ("whole", "a:9845")):
        here = {"network": network, "instance": instance}
        inhibitor.post(
            [
                *(alert(name, **here, node=name) for name in follows),
                *(alert(name, **here, reference="quorum") for name in UNJUDGED),
                *(alert(name, **here, account=name) for name in BLIND),
                *(alert(name, **here, ledger=name) for name in UNCOMPARED),
                alert("HeadwatchReferenceUnseen", **here, reference="a"),
                alert("HeadwatchNodeUnseen", **here, node="down"),
                alert("HeadwatchTransactionLost", **here, account="payer"),
                alert("HeadwatchLedgerMoneyWrong", **here, ledger="workerdrops"),
            ]
        )
    parted = {"network": "parted", "instance": "a:9845"}
    inhibitor.post([alert("HeadwatchQuorumLost", **parted, reference="quorum")])
    explained = {*follows, *BLIND, *UNCOMPARED, *UNJUDGED}
    assert inhibitor.silenced_with(explained, **parted) == explained
    assert not inhibitor.silenced(network="parted", instance="b:9845")
    assert not inhibitor.silenced(network="whole")


def test_stopped_rounds_silence_what_became_unknown_by_them(inhibitor: Inhibitor) -> None:
    """Headwatch's own failure is told as that, and not as the failure of every node."""
    of_nodes = {
        "HeadwatchNodeUnseen",
        "HeadwatchNodeUncompared",
        "HeadwatchNodeChainUnknown",
        "HeadwatchNodeStallUnknown",
        "HeadwatchNodeForkUnknown",
        "HeadwatchCheckUnseen",
        "HeadwatchObservationStale",
    }
    of_references = {*UNJUDGED, "HeadwatchReferenceUnseen", "HeadwatchQuorumLost"}
    for instance in ("a:9845", "b:9845"):
        here = {"network": "stopped", "instance": instance}
        inhibitor.post(
            [
                # Each of its own: none is silenced by another.
                *(alert(name, **here, node=name) for name in of_nodes),
                *(alert(name, **here, reference=name) for name in of_references - QUORUM_LOST),
                *(alert(name, **here, account=name) for name in BLIND),
                *(alert(name, **here, ledger=name) for name in UNCOMPARED),
                alert("HeadwatchNodeForked", **here, node="other"),
            ]
        )
    stopped = {"network": "stopped", "instance": "a:9845"}
    inhibitor.post(
        [
            alert("HeadwatchRoundsStopped", **stopped),
            *(alert(name, **stopped, reference=name) for name in QUORUM_LOST),
        ]
    )
    explained = of_nodes | of_references | {*BLIND, *UNCOMPARED}
    assert inhibitor.silenced_with(explained, **stopped) == explained
    assert not inhibitor.silenced(network="stopped", instance="b:9845")


def test_warning_silences_what_is_for_information_of_the_same(inhibitor: Inhibitor) -> None:
    """A network that is quiet is not told again as one of which nothing is known."""
    quiet = {"network": "quiet", "reference": "quorum", "instance": "a:9845"}
    elsewhere = ({"network": "other"}, {"instance": "b:9845"})
    unseen = "HeadwatchNetworkUnseen"
    inhibitor.post(
        [
            alert("HeadwatchNetworkQuiet", **quiet),
            *(alert(unseen, **{**quiet, **change}) for change in ({}, *elsewhere)),
        ]
    )
    assert inhibitor.silenced_with({unseen}, **quiet) == {unseen}
    for change in elsewhere:
        assert not inhibitor.silenced(**{**quiet, **change})


def test_alerts_without_a_subject_do_not_silence_each_other(inhibitor: Inhibitor) -> None:
    """Labels that both lack count as equal: a broken scrape must not hide a full queue."""
    here = {"instance": "c:9845", "job": "headwatch"}
    inhibitor.post(
        [
            alert("HeadwatchScrapeFailed", **here),
            alert("HeadwatchAbsent", job="headwatch"),
            alert("HeadwatchReloadFailed", **here),
            alert("HeadwatchNotificationsDropped", **here, channel="ops"),
            alert("HeadwatchMaintenanceForgotten", **here),
        ]
    )
    explained = {"HeadwatchAbsent"}
    assert inhibitor.silenced_with(explained, job="headwatch") == explained


# -- watched accounts ----------------------------------------------------------------------------


def test_worst_of_an_account_silences_what_else_is_found_of_it_and_of_no_other(
    inhibitor: Inhibitor,
) -> None:
    """Two accounts have neither node nor reference: they must not count as the same."""
    cause = "HeadwatchTransactionLost"
    here = {"network": "worst", "account": "payer", "instance": "a:9845"}
    others = ({"account": "other"}, {"network": "worst-2"}, {"instance": "b:9845"})
    less = {name for name, row in OF_ACCOUNTS.items() if row.severity == "warning"}
    critical = {name for name, row in OF_ACCOUNTS.items() if row.severity == "critical"}
    inhibitor.post(
        [
            *(alert(name, **here) for name in {*less, *critical}),
            *(alert(name, **{**here, **change}) for name in less for change in others),
        ]
    )
    assert cause in critical
    assert inhibitor.silenced_with(less, **here) == less
    for change in others:
        assert not inhibitor.silenced(**{**here, **change})


def test_fault_of_a_node_silences_nothing_of_the_accounts_that_send_through_it(
    inhibitor: Inhibitor,
) -> None:
    """A transaction that only a broken node knows is told, however much is said of the node."""
    here = {"network": "broken", "instance": "a:9845"}
    causes = [row.name for row in ALERTS if row.scope == "node"]
    told = {*OF_ACCOUNTS, "HeadwatchInclusionBudgetBurningFast"}
    inhibitor.post(
        [
            *(alert(name, **here, node="local") for name in causes),
            *(alert(name, **here, account=name) for name in told),
        ]
    )
    # Something of the node is silenced by now, so that causes have been heard of.
    assert inhibitor.silenced_with({"HeadwatchNodeBehind"}, **here, node="local")
    for name in told:
        assert not inhibitor.silenced(**here, account=name)


def test_worst_of_a_ledger_silences_what_else_is_found_of_it_and_of_no_other(
    inhibitor: Inhibitor,
) -> None:
    """Two ledgers of one network have no other label that would tell them apart."""
    here = {"network": "books", "ledger": "workerdrops", "instance": "a:9845"}
    others = ({"ledger": "beta"}, {"network": "books-2"}, {"instance": "b:9845"})
    unknown = "HeadwatchLedgerUnknown"
    critical = {name for name, row in OF_LEDGERS.items() if row.severity == "critical"}
    account = {"network": "books", "account": "payer", "instance": "a:9845"}
    inhibitor.post(
        [
            *(alert(name, **here) for name in {unknown, *critical}),
            *(alert(unknown, **{**here, **change}) for change in others),
            alert("HeadwatchTransactionStuck", **account),
        ]
    )
    assert critical == set(OF_LEDGERS) - {unknown}
    assert inhibitor.silenced_with({unknown}, **here) == {unknown}
    for change in others:
        assert not inhibitor.silenced(**{**here, **change})
    assert not inhibitor.silenced(**account)


def test_fault_of_a_node_silences_nothing_of_a_ledger(inhibitor: Inhibitor) -> None:
    """Which node a ledger asks is in no label; a difference was confirmed whatever the node is."""
    here = {"network": "broken-books", "instance": "a:9845"}
    causes = [row.name for row in ALERTS if row.scope == "node"]
    inhibitor.post(
        [
            *(alert(name, **here, node="local") for name in causes),
            *(alert(name, **here, ledger=name) for name in {*OF_LEDGERS, *UNCOMPARED}),
        ]
    )
    # Something of the node is silenced by now, so that causes have been heard of.
    assert inhibitor.silenced_with({"HeadwatchNodeBehind"}, **here, node="local")
    for name in {*OF_LEDGERS, *UNCOMPARED}:
        assert not inhibitor.silenced(**here, ledger=name)


def test_quiet_network_silences_that_a_ledger_is_old_and_nothing_else_of_it(
    inhibitor: Inhibitor,
) -> None:
    """Without blocks none becomes final; what was found before stands."""
    quiet = {"network": "no-final-blocks", "instance": "a:9845"}
    elsewhere = {**quiet, "network": "with-final-blocks"}
    stale, told = "HeadwatchLedgerStale", {"HeadwatchLedgerMoneyWrong", "HeadwatchLedgerUnknown"}
    inhibitor.post(
        [
            *(alert(name, **quiet, ledger=name) for name in {stale, *told}),
            alert(stale, **elsewhere, ledger=stale),
            alert("HeadwatchNetworkQuiet", **quiet, reference="quorum"),
        ]
    )
    assert inhibitor.silenced_with({stale}, **quiet) == {stale}
    assert not inhibitor.silenced(**elsewhere)


def test_quiet_network_silences_that_transactions_wait_and_not_that_one_is_lost(
    inhibitor: Inhibitor,
) -> None:
    """Nobody's are mined: that is told once. What is lost is lost in any weather."""
    quiet = {"network": "no-blocks", "instance": "a:9845"}
    follows = {"HeadwatchTransactionStuck", "HeadwatchInclusionBudgetBurningSlow"}
    stays = {"HeadwatchTransactionLost", "HeadwatchTransactionUnfunded"}
    elsewhere = {**quiet, "network": "with-blocks"}
    inhibitor.post(
        [
            *(alert(name, **quiet, account=name) for name in follows | stays),
            *(alert(name, **elsewhere, account=name) for name in follows),
            alert("HeadwatchNetworkQuiet", **quiet, reference="quorum"),
        ]
    )
    assert inhibitor.silenced_with(follows, **quiet) == follows
    assert not inhibitor.silenced(**elsewhere)


def test_fast_burn_of_one_account_leaves_the_slow_burn_of_another(inhibitor: Inhibitor) -> None:
    """A budget is that of an account, or of a node, and of nobody else."""
    here = {"network": "burning", "instance": "a:9845"}
    fast, slow = (f"HeadwatchInclusionBudgetBurning{word}" for word in ("Fast", "Slow"))
    inhibitor.post(
        [
            alert(fast, **here, account="payer"),
            alert(slow, **here, account="payer"),
            alert(slow, **here, account="other"),
        ]
    )
    assert inhibitor.silenced_with({slow}, **here, account="payer") == {slow}
    assert not inhibitor.silenced(**here, account="other")
