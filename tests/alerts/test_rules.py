"""The committed rules are the table's, read only what is exported, and are proved in pairs."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from alerts.__main__ import main
from alerts.files import generated, page, rule_groups, yaml
from monitor.act.alerts import ALERTS, BY_NAME, RECORDING_RULES, RUNBOOK_BASE
from monitor.act.alerts_of_headwatch import INCLUSION, RPC
from monitor.act.rules import BURNS, SEVERITIES, Slo, burning, recorded
from tests.alerts.promql import complaints, labels_of_selector, selected

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "alerts"
TESTS = sorted((FOLDER / "tests").glob("*.test.yml"))
RULES = FOLDER / "headwatch.rules.yml"
BASE = "https://watch.example.net/book/"


@cache
def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def seconds_of(text: str) -> float:
    """A duration, as the parser of the language reads it; it knows no duration of nothing."""
    return 0 if text == "0s" else promql_parser.parse_duration(text).total_seconds()


def promtool_says(promtool: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(promtool), *arguments], capture_output=True, text=True, check=False, timeout=300
    )


# -- what is committed ---------------------------------------------------------------------------


GENERATED = generated()


@pytest.mark.parametrize("name", GENERATED)
def test_committed_file_is_the_generated_one(name: str) -> None:
    """A change of the table comes with its files: run `python -m alerts`."""
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name]


def test_generator_writes_another_base_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator's own address of the runbook reaches every file, and only changes are written."""
    arguments = ["--runbook-url", BASE, "--to", str(tmp_path)]
    assert main(arguments) == 0
    assert "alerts/headwatch.rules.yml" in capsys.readouterr().out
    for name in ("headwatch.rules.yml", "headwatch.prometheusrule.yml", "grafana.alerts.yml"):
        text = (tmp_path / "alerts" / name).read_text(encoding="utf-8")
        assert text.count(BASE) == len(ALERTS)
        assert RUNBOOK_BASE not in text
    assert main(arguments) == 0
    assert capsys.readouterr().out == ""


def test_page_without_its_marks_is_refused() -> None:
    """The table of the documentation cannot silently stop being written."""
    with pytest.raises(ValueError, match=r"docs/alerts\.md has lost"):
        page("# Alerts\n")


def test_prometheusrule_holds_the_groups_of_the_rule_file() -> None:
    """The operator's resource is the same rules in the envelope that its kind asks for."""
    resource = read(FOLDER / "headwatch.prometheusrule.yml")
    assert resource["apiVersion"] == "monitoring.coreos.com/v1"
    assert resource["kind"] == "PrometheusRule"
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", resource["metadata"]["name"])
    assert set(resource) == {"apiVersion", "kind", "metadata", "spec"}
    assert resource["spec"] == read(RULES)
    allowed = {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"}
    for group in resource["spec"]["groups"]:
        assert set(group) == {"name", "rules"}
        for rule in group["rules"]:
            assert set(rule) <= allowed
            assert isinstance(rule["expr"], str)


# -- what the rows say ---------------------------------------------------------------------------


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_alert_says_what_an_alert_must(alert: Any) -> None:
    """Prefix, severity, `for`, and words for a person; names hold no time and no label."""
    assert re.fullmatch(r"Headwatch([A-Z][a-z]+)+", alert.name)
    assert alert.severity in SEVERITIES
    assert (alert.for_seconds == 0) == (alert.name == "HeadwatchWatchdog")
    assert alert.for_seconds % 60 == 0
    assert alert.keep_firing_for_seconds % 60 == 0
    assert len(alert.summary) <= 120
    assert not alert.summary.endswith(".")
    assert alert.description.endswith(".")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_alert_words_name_only_labels_that_it_has(alert: Any) -> None:
    """No message has a hole where a label should be."""
    words = alert.summary + alert.description
    has = {"job", "instance"}
    for one in selected(alert.expr):
        has |= labels_of_selector(one.name)
    assert set(re.findall(r"\$labels\.(\w+)", words)) <= has
    assert set(re.findall(r"{{ (.*?) }}", words)) <= {
        *(f"$labels.{label}" for label in has),
        "$value | humanizePercentage",
    }


def test_durations_are_those_of_prometheus() -> None:
    """Every duration of the rules is read by the parser of its language, and is the row's."""
    for group in read(RULES)["groups"]:
        for rule in group["rules"]:
            if "alert" not in rule:
                continue
            alert = BY_NAME[rule["alert"]]
            assert seconds_of(rule["for"]) == alert.for_seconds
            assert seconds_of(rule.get("keep_firing_for", "0s")) == alert.keep_firing_for_seconds


def test_finding_alerts_are_silent_in_maintenance_of_their_own_target() -> None:
    """Every alert of a finding has the clause; one sidecar's window silences no other's node.

    An account or a ledger is silenced with its network: with what all of its references together
    are.
    """
    of_network = 'headwatch_maintenance{reference="quorum"}'
    for alert in ALERTS:
        if alert.check:
            matched = "ignoring (check) headwatch_maintenance"
            if alert.scope in {"account", "ledger"}:
                matched = f"ignoring (check, {alert.scope}, reference) {of_network}"
            assert alert.expr.endswith(f"\nunless {matched} == 1")


# -- what the expressions read -------------------------------------------------------------------

EXPRESSIONS = {
    **{alert.name: alert.expr for alert in ALERTS},
    **{rule.record: rule.expr for rule in RECORDING_RULES},
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression_reads_only_what_is_exported(name: str) -> None:
    """A renamed metric or label, or a counter that is compared as it is, cannot stay in a rule."""
    assert not list(complaints(EXPRESSIONS[name]))


@pytest.mark.parametrize(
    ("expr", "word"),
    [
        ("headwatch_gone == 1", "not exported"),
        ('headwatch_ready{node="a"} == 0', "has no label node"),
        ("headwatch_history_errors_total > 0", "a counter outside"),
        ("headwatch_history_errors_total > 0 unless headwatch_ready offset 5m", "a counter"),
        ("increase(headwatch_ready[5m]) > 0", "no counter"),
        ('node:headwatch_rpc_errors:ratio_rate5m{reason="x"} > 1', "has no label reason"),
    ],
)
def test_expression_that_reads_something_else_is_seen(expr: str, word: str) -> None:
    """The reading of expressions has not gone blind."""
    assert any(word in complaint for complaint in complaints(expr))


def test_recording_rules_are_named_level_metric_operation() -> None:
    """What a recorded series is can be read from its name."""
    for rule in RECORDING_RULES:
        assert re.fullmatch(
            r"(node|reference|account):headwatch_[a-z_]+:ratio(_rate\d+[mh])?", rule.record
        )


# -- promtool ------------------------------------------------------------------------------------


def test_rules_pass_every_lint_of_promtool(promtool: Path) -> None:
    """Prometheus' own program has nothing to say about the rules."""
    done = promtool_says(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(EXPRESSIONS)} rules found" in done.stdout


def test_example_of_prometheus_is_accepted_with_its_rules(promtool: Path) -> None:
    """What an operator copies is a configuration, and finds the rules beside it."""
    done = promtool_says(promtool, "check", "config", str(FOLDER / "prometheus.example.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout
    jobs = [job["job_name"] for job in read(FOLDER / "prometheus.example.yml")["scrape_configs"]]
    assert jobs == ["headwatch"]


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_rules_do_in_every_situation_what_they_should(promtool: Path, path: Path) -> None:
    """They fire, not a moment too soon, and stay silent in what comes close."""
    done = promtool_says(promtool, "test", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_has_a_case_that_fires_and_one_that_is_silent() -> None:
    """The pairs are complete."""
    fires: set[str] = set()
    silent: set[str] = set()
    recorded_cases: dict[str, set[bool]] = {}
    for path in TESTS:
        for test in read(path)["tests"]:
            for look in test.get("alert_rule_test", ()):
                (fires if look["exp_alerts"] else silent).add(look["alertname"])
            for look in test.get("promql_expr_test", ()):
                names = [one.name for one in selected(look["expr"])]
                recorded_cases.setdefault(names[0], set()).add(bool(look["exp_samples"]))
    assert fires == set(BY_NAME)
    assert silent == set(BY_NAME)
    assert recorded_cases == {rule.record: {True, False} for rule in RECORDING_RULES}


def test_every_for_is_proved_at_its_boundary() -> None:
    """One evaluation before `for` is over nothing fires; when it is, something does."""
    before, after = set(), set()
    for path in TESTS:
        for test in read(path)["tests"]:
            looks = test.get("alert_rule_test", ())
            for one, two in itertools.pairwise(looks):
                if not one["exp_alerts"] and two["exp_alerts"]:
                    before.add(one["alertname"])
                if one["exp_alerts"] and not two["exp_alerts"]:
                    after.add(one["alertname"])
    assert before == set(BY_NAME) - {"HeadwatchWatchdog"}
    assert after >= {alert.name for alert in ALERTS if alert.check}


# -- the tests themselves ------------------------------------------------------------------------


def stricter(expr: str) -> str:
    """Each number that is compared with, moved a little."""
    expr = re.sub(r"(== )(\d)$", lambda m: f"{m[1]}{int(m[2]) + 4}", expr, flags=re.MULTILINE)
    limit = re.compile(r"(> |^\()([\d.]+)", re.MULTILINE)
    return limit.sub(lambda m: f"{m[1]}{float(m[2]) * 1.5 + 1:g}", expr)


Mutation = Callable[[dict[str, Any]], None]


def _later(rule: dict[str, Any]) -> None:
    rule["for"] = f"{seconds_of(rule['for']) + 1:.0f}s"


def _sooner(rule: dict[str, Any]) -> None:
    rule["for"] = "0s"


def _always(rule: dict[str, Any]) -> None:
    left = rule["expr"].split(" > ")[0].split(" == ")[0].lstrip("(\n ")
    rule["expr"] = left if "\n" not in left else f"{left.splitlines()[0]} > -1"


def _stricter(rule: dict[str, Any]) -> None:
    rule["expr"] = stricter(rule["expr"])


def _another_severity(rule: dict[str, Any]) -> None:
    rule["labels"]["severity"] = "page"


def _another_word(rule: dict[str, Any]) -> None:
    rule["annotations"]["summary"] += "!"


def _no_maintenance(rule: dict[str, Any]) -> None:
    clause = r"\nunless ignoring \([^)]*\) headwatch_maintenance[^\n]*$"
    rule["expr"] = re.sub(clause, "", rule["expr"])


def _without_a_level(rule: dict[str, Any]) -> None:
    level = r"^(headwatch_(?:account|ledger)_finding_level{[^}]*}) [=>]= \d$"
    rule["expr"] = re.sub(level, r"\1", rule["expr"], flags=re.MULTILINE)


def _without_its_first_clause(rule: dict[str, Any]) -> None:
    first, *clauses = re.split(r"\n(?=and |unless )", rule["expr"])
    rule["expr"] = "\n".join((first, *clauses[1:]))


FINDINGS = {alert.name for alert in ALERTS if alert.check}
SUBJECTS = {alert.name for alert in ALERTS if alert.scope in {"account", "ledger"}}
LEVELLED = {
    alert.name
    for alert in ALERTS
    if re.match(r"headwatch_(account|ledger)_finding_level{[^}]*} [=>]= ", alert.expr)
}
COMPARED = {alert.name for alert in ALERTS if re.search("==|>", alert.expr)}


@pytest.mark.parametrize(
    ("mutation", "seen"),
    [
        (_later, set(BY_NAME)),
        (_sooner, set(BY_NAME) - {"HeadwatchWatchdog"}),
        (_stricter, COMPARED),
        (_another_severity, set(BY_NAME)),
        (_another_word, set(BY_NAME)),
        (_no_maintenance, FINDINGS),
        (_always, FINDINGS),
        (_without_a_level, LEVELLED),
        (_without_its_first_clause, {*SUBJECTS, "HeadwatchLedgerStale"}),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
@pytest.mark.wide
def test_tests_see_a_rule_that_is_broken(
    promtool: Path, tmp_path: Path, mutation: Mutation, seen: set[str]
) -> None:
    """Of every alert that is changed for the worse, some case fails: none is there for show."""
    failed = _failures(promtool, tmp_path, mutation)
    assert failed >= seen, f"nobody noticed {sorted(seen - failed)}"


def test_tests_see_a_threshold_that_is_broken(promtool: Path, tmp_path: Path) -> None:
    """The quick one of the above: a level is another number, and every finding's test says so."""
    assert _failures(promtool, tmp_path, _stricter, "findings.test.yml") == FINDINGS - SUBJECTS


def _failures(
    promtool: Path, folder: Path, mutation: Mutation, pattern: str = "*.test.yml"
) -> set[str]:
    groups: Any = rule_groups(RUNBOOK_BASE)
    for group in groups:
        for rule in group["rules"]:
            if "alert" in rule:
                mutation(rule)
    (folder / "headwatch.rules.yml").write_text(yaml({"groups": groups}))
    (folder / "tests").mkdir()
    said = ""
    for path in (FOLDER / "tests").glob(pattern):
        copy = folder / "tests" / path.name
        copy.write_text(path.read_text())
        said += promtool_says(promtool, "test", "rules", str(copy)).stderr
    return set(re.findall(r"alertname: (\w+)", said))


# -- objectives ----------------------------------------------------------------------------------

INVENTED = Slo(
    name="Invented",
    title="rounds",
    errors='headwatch_scheduler_events_total{event="error"}',
    total="headwatch_rpc_calls_total",
    without=("event",),
    level="process",
    objective="0.999",
)


def test_objective_of_another_kind_is_one_more_row(promtool: Path, tmp_path: Path) -> None:
    """A later objective needs no new code: its recordings and its pair are accepted rules."""
    rules: list[dict[str, object]] = [
        {"record": rule.record, "expr": rule.expr} for rule in recorded(INVENTED)
    ]
    rules += [
        {"alert": alert.name, "expr": alert.expr, "labels": {"severity": alert.severity}}
        for alert in burning(INVENTED)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml({"groups": [{"name": "objective", "rules": rules}]}))
    done = promtool_says(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(path))
    assert done.returncode == 0, done.stdout + done.stderr
    names = [rule.get("record", rule.get("alert")) for rule in rules]
    assert names == [
        *(f"process:headwatch_scheduler_events:ratio_rate{w}" for w in ("5m", "30m", "1h", "6h")),
        "HeadwatchInventedBudgetBurningFast",
        "HeadwatchInventedBudgetBurningSlow",
    ]


def test_objective_pair_is_that_of_the_workbook() -> None:
    """14.4 over 1 h and 5 min wakes somebody; 6 over 6 h and 30 min does not."""
    assert [(b.long, b.short, b.factor, b.severity) for b in BURNS] == [
        ("1h", "5m", "14.4", "critical"),
        ("6h", "30m", "6", "warning"),
    ]
    fast, slow = burning(replace(RPC, objective="0.95"))
    assert fast.expr.count("> 14.4 * (1 - 0.95)") == 2
    assert slow.expr.count("> 6 * (1 - 0.95)") == 2
    assert "rate1h" in fast.expr
    assert "rate6h" in slow.expr


def test_objective_of_what_went_right_records_what_did_not() -> None:
    """A histogram counts what was in time: the share that is told of is the rest."""
    (first, *_), (fast, slow) = recorded(INCLUSION), burning(INCLUSION)
    assert first.record == "account:headwatch_tx_inclusion_seconds:ratio_rate5m"
    assert first.expr.splitlines() == [
        "1 -",
        'sum without (le) (rate(headwatch_tx_inclusion_seconds_bucket{le="120.0"}[5m]))',
        "/",
        "rate(headwatch_tx_inclusion_seconds_count[5m])",
    ]
    for alert, window in ((fast, "1h"), (slow, "6h")):
        assert f"increase(headwatch_tx_inclusion_seconds_count[{window}]) >= 10" in alert.expr
    assert "increase" not in burning(RPC)[0].expr
