"""The situations as tests for promtool, in pairs.

A rule fires, and not a moment too soon; and in a situation that comes close, or in maintenance, it
stays silent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alerts.examples import (
    LEVELS,
    LONG_STEP_SECONDS,
    OK,
    RECORDED,
    SITUATIONS,
    STEP_SECONDS,
    TARGET,
    Recorded,
    Situation,
)
from alerts.examples_of_findings import A_REFERENCE, JUDGED, NODE, QUORUM, Judged
from alerts.examples_of_ledgers import LEDGER_SITUATIONS, RECONCILED
from alerts.examples_of_transactions import (
    RISES,
    TRANSACTION_SITUATIONS,
    TRANSACTIONS_RECORDED,
    WATCHED,
    Watched,
)
from monitor.act.alerts import BY_NAME, runbook_url
from monitor.act.rules import OPTIONAL, Alert, duration
from monitor.judge.verdict import REQUIRED

Test = dict[str, object]

BAD_SECONDS = 300
"""How long a finding stays bad after its alert fired, before it is well again."""
NETWORK = "ethereum"


def promtool_tests(base: str) -> dict[str, Test]:
    """The files of tests, by name."""
    judged = [test for case in JUDGED for test in _judged(case, base)]
    short, long = (
        [
            test
            for case in (*SITUATIONS, *TRANSACTION_SITUATIONS, *LEDGER_SITUATIONS)
            if case.step == step
            for test in _situation(case, base)
        ]
        for step in (STEP_SECONDS, LONG_STEP_SECONDS)
    )
    recorded = [test for case in (*RECORDED, *TRANSACTIONS_RECORDED) for test in _recorded(case)]
    watched = [test for case in WATCHED for test in _watched(case, WATCHED, base)]
    watched += [_maintained(cases) for cases in _apart()]
    ledgers = [test for case in RECONCILED for test in _watched(case, RECONCILED, base)]
    ledgers.append(_maintained(RECONCILED))
    return {
        "accounts.test.yml": _file(STEP_SECONDS, watched),
        "findings.test.yml": _file(STEP_SECONDS, judged),
        "headwatch.test.yml": _file(STEP_SECONDS, short),
        "headwatch-long.test.yml": _file(LONG_STEP_SECONDS, long),
        "ledgers.test.yml": _file(STEP_SECONDS, ledgers),
        "recorded.test.yml": _file(STEP_SECONDS, recorded),
    }


def _file(seconds: int, tests: list[Test]) -> Test:
    return {
        "rule_files": ["../headwatch.rules.yml"],
        "evaluation_interval": duration(seconds),
        "tests": tests,
    }


# -- what every test is made of ------------------------------------------------------------------


def _test(name: str, seconds: int, series: Mapping[str, str], looks: list[Test]) -> Test:
    return {
        "name": name,
        "interval": duration(seconds),
        "input_series": _input(series),
        "alert_rule_test": looks,
    }


def _input(series: Mapping[str, str]) -> list[Test]:
    return [{"series": key, "values": values} for key, values in series.items()]


def _look(alert: Alert, at: int, expected: Test | None = None) -> Test:
    return {
        "eval_time": duration(at),
        "alertname": alert.name,
        "exp_alerts": [] if expected is None else [expected],
    }


def _firing(alert: Alert, labels: Mapping[str, str], value: str, base: str) -> Test:
    def words(template: str) -> str:
        text = re.sub(r"{{ \$labels\.(\w+) }}", lambda m: labels.get(m[1], ""), template)
        return text.replace("{{ $value | humanizePercentage }}", value)

    return {
        "exp_labels": {"severity": alert.severity, **labels},
        "exp_annotations": {
            "summary": words(alert.summary),
            "description": words(alert.description),
            "runbook_url": runbook_url(alert, base),
        },
    }


def _series(name: str, labels: Mapping[str, str]) -> str:
    pairs = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{pairs}}}"


# -- findings ------------------------------------------------------------------------------------


def _judged(case: Judged, base: str) -> list[Test]:
    """Fires after `for` and ends after `keep_firing_for`; other levels; maintenance."""
    alert = BY_NAME[case.alert]
    subject = {"network": NETWORK, **case.subject}
    labels = {"check": case.check, **TARGET, **subject}
    fires_at = alert.for_seconds
    bad_count = (fires_at + BAD_SECONDS) // STEP_SECONDS
    well_at = (bad_count + 1) * STEP_SECONDS
    ends_at = well_at + alert.keep_firing_for_seconds
    count = ends_at // STEP_SECONDS + 10
    firing = _firing(alert, labels, "", base)
    head = _head(case.subject, count) if case.has_head else {}
    bad = {
        _series("headwatch_finding_level", labels): f"{case.level}x{bad_count} {OK}x{count}",
        # Windows of this sidecar that are over, of something else, and of another sidecar.
        **{
            _series("headwatch_maintenance", {**TARGET, **other}): f"{value}x{2 * count}"
            for other, value in (
                (subject, 0),
                ({**subject, **dict.fromkeys(case.subject, "other")}, 1),
                ({**subject, "instance": "b:9845"}, 1),
            )
        },
        **head,
    }
    looks = [
        _look(alert, fires_at - STEP_SECONDS),
        _look(alert, fires_at, firing),
        _look(alert, ends_at - STEP_SECONDS, firing),
        _look(alert, ends_at),
    ]
    silent_at = fires_at + BAD_SECONDS
    return [
        _test(f"{alert.name} fires", STEP_SECONDS, bad, looks),
        _test(
            f"{alert.name} is silent",
            STEP_SECONDS,
            _near(case, count),
            [_look(alert, silent_at)],
        ),
        _test(
            f"{alert.name} is silent in maintenance",
            STEP_SECONDS,
            {
                _series("headwatch_finding_level", labels): f"{case.level}x{count}",
                _series("headwatch_maintenance", {**TARGET, **subject}): f"1x{count}",
                **head,
            },
            [_look(alert, silent_at)],
        ),
    ]


def _head(subject: Mapping[str, str], count: int) -> dict[str, str]:
    labels = {**TARGET, "network": NETWORK, **subject}
    return {_series("headwatch_node_head_number", labels): f"100+1x{count}"}


def _near(case: Judged, count: int) -> dict[str, str]:
    """Every other level of the check, its level of every other check, and of other subjects."""
    is_quorum = case.subject == QUORUM
    series: dict[str, str] = {}
    for level in LEVELS:
        # There is one quorum, which is well; of nodes and references there may be several.
        if level != case.level and not (is_quorum and level != OK):
            subject = case.subject if is_quorum else dict.fromkeys(case.subject, f"at-{level}")
            series |= _level(case.check, subject, level, count)
    for check in sorted(_others(case)):
        series |= _level(check, case.subject, case.level, count)
    if BY_NAME[case.alert].check == OPTIONAL and case.has_head:
        series |= _head(case.subject, count)
    for other in (NODE, A_REFERENCE, QUORUM):
        if other != case.subject:
            series |= _level(case.check, other, case.level, count)
    if case.has_head is not None:
        # The same level, and of the head what the other of the two rows needs.
        subject = {"node": "other-way"}
        series |= _level(case.check, subject, case.level, count)
        series |= {} if case.has_head else _head(subject, count)
    return series


def _others(case: Judged) -> set[str]:
    """The checks of which the alert does not tell; one of every optional check, of the required."""
    if BY_NAME[case.alert].check == OPTIONAL:
        return set(REQUIRED)
    return {other.check for other in JUDGED} - {case.check}


def _level(check: str, subject: Mapping[str, str], level: int, count: int) -> dict[str, str]:
    labels = {"check": check, **TARGET, "network": NETWORK, **subject}
    return {_series("headwatch_finding_level", labels): f"{level}x{count}"}


# -- watched accounts, and ledgers -------------------------------------------------------------

SUBJECT = {"account": "payer", "ledger": "workerdrops"}
"""What one is called, by the label that names it."""
JOURNAL_ALERT = "HeadwatchJournalFailing"


def _watched(case: Watched, cases: Sequence[Watched], base: str) -> list[Test]:
    """Fires after `for` and ends; what comes close, of others, all `cases` among it."""
    alert = BY_NAME[case.alert]
    name = SUBJECT[str(alert.scope)]
    labels = {"check": alert.check, **TARGET, **_named(alert, name)}
    fires_at = alert.for_seconds + (STEP_SECONDS if case.is_counted else 0)
    bad_count = (fires_at + BAD_SECONDS) // STEP_SECONDS
    ends_at = (bad_count + 1) * STEP_SECONDS + alert.keep_firing_for_seconds
    # What is counted within a window is so until the sample before it last rose is out of it.
    ends_at += max(0, case.lasts_seconds - STEP_SECONDS)
    count = ends_at // STEP_SECONDS + 10
    firing = _firing(alert, labels, "", base)
    is_so = _subject(case, name, bad_count, count)
    looks = [
        _look(alert, fires_at - STEP_SECONDS),
        _look(alert, fires_at, firing),
        _look(alert, ends_at - STEP_SECONDS, firing),
        _look(alert, ends_at),
    ]
    silent = [_look(alert, fires_at + BAD_SECONDS)]
    title = f"{alert.name} {' '.join(_shown(case.signals))}".strip()
    return [
        _test(f"{title} fires", STEP_SECONDS, {**is_so, **_windows(count)}, looks),
        _test(f"{title} is silent", STEP_SECONDS, _beside(case, cases, count), silent),
    ]


def _apart() -> tuple[list[Watched], list[Watched]]:
    """All cases, and those of the journal, which is that of all accounts, by themselves."""
    journal = [case for case in WATCHED if case.alert == JOURNAL_ALERT]
    return [case for case in WATCHED if case.alert != JOURNAL_ALERT], journal


def _maintained(cases: Sequence[Watched]) -> Test:
    """Each is the case with a subject, whose network is in maintenance: nothing is told."""
    looks = {}
    series: dict[str, str] = {}
    for number, case in enumerate(cases):
        alert = BY_NAME[case.alert]
        at = alert.for_seconds + BAD_SECONDS
        looks[alert.name] = _look(alert, at)
        of_its_own = f"{SUBJECT[str(alert.scope)]}-{number}"
        series |= _subject(case, of_its_own, at // STEP_SECONDS, 0)
    longest = max(BY_NAME[case.alert].for_seconds for case in cases) + BAD_SECONDS
    series |= _window(f"1x{longest // STEP_SECONDS}", reference="quorum")
    scope = BY_NAME[cases[0].alert].scope
    name = f"{' '.join(looks) if len(looks) == 1 else f'{scope}s'} in maintenance"
    return _test(name, STEP_SECONDS, series, list(looks.values()))


def _shown(signals: Mapping[str, str]) -> list[str]:
    """What tells the cases of one alert apart: states, results, and kinds that there are."""
    label = re.compile(r'(?:state|result|kind)="(\w+)"')
    there = [key for key, value in signals.items() if value != "0"]
    return [word for key in there for word in label.findall(key)[:1]]


def _named(alert: Alert, name: str) -> dict[str, str]:
    return {"network": NETWORK, str(alert.scope): name}


def _subject(case: Watched, name: str, bad_count: int, count: int) -> dict[str, str]:
    """The series of one: bad for `bad_count` steps and one, then well for `count`."""
    alert = BY_NAME[case.alert]
    labels = {**TARGET, **_named(alert, name)}
    level = _series(f"headwatch_{alert.scope}_finding_level", {"check": alert.check, **labels})
    series = {level: f"{case.level}x{bad_count} 0x{count}"}
    for key, value in case.signals.items():
        metric, _, rest = key.rstrip("}").partition("{")
        own = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        # Of the process, and not of an account.
        beside = TARGET if "journal" in metric else labels
        values = f"{value}x{bad_count} 0x{count}"
        if value == RISES:
            values = f"0+1x{bad_count} {bad_count}x{count}"
        elif metric.endswith("_total"):
            values = f"{value}x{bad_count + count}"
        series[_series(metric, {**beside, **own})] = values
    return series


def _window(values: str, **labels: str) -> dict[str, str]:
    return {_series("headwatch_maintenance", {**TARGET, "network": NETWORK, **labels}): values}


def _windows(count: int) -> dict[str, str]:
    """Windows that silence somebody else: a node, a reference, another network, another sidecar."""
    return {
        **_window(f"0x{count}", reference="quorum"),
        **_window(f"1x{count}", node="local"),
        **_window(f"1x{count}", reference="a"),
        **_window(f"1x{count}", reference="quorum", network="other"),
        **_window(f"1x{count}", reference="quorum", instance="b:9845"),
    }


def _beside(case: Watched, cases: Sequence[Watched], count: int) -> dict[str, str]:
    """Subjects in what comes close: other signals, other levels, what other alerts tell of."""
    near = [replace(case, signals=signals) for signals in case.near]
    near += [replace(case, level=level) for level in case.silent_at]
    # The journal is that of all accounts, and its own alert's to tell.
    near += [other for other in cases if other.alert not in {case.alert, JOURNAL_ALERT}]
    series: dict[str, str] = {}
    for number, other in enumerate(near):
        series |= _subject(other, f"near-{number}", count, 0)
    return series


# -- everything else -----------------------------------------------------------------------------


def _situation(case: Situation, base: str) -> list[Test]:
    """Fires after `for`, not a step before; and is silent in the situation that comes close."""
    alert = BY_NAME[case.alert]
    fires_at = case.since + alert.for_seconds
    tests: list[Test] = []
    if case.bad or not case.good:
        firing = _firing(alert, {**case.target, **case.labels}, case.value, base)
        looks = [_look(alert, fires_at, firing)]
        if alert.for_seconds:
            looks.insert(0, _look(alert, fires_at - case.step))
        tests.append(_test(f"{alert.name} fires", case.step, _targeted(case.bad), looks))
    if case.good:
        at = case.good_at if case.good_at is not None else fires_at + 5 * STEP_SECONDS
        name = f"{alert.name} is silent"
        tests.append(_test(name, case.step, _targeted(case.good), [_look(alert, at)]))
    return tests


def _recorded(case: Recorded) -> list[Test]:
    sample = {"labels": _series("", {**TARGET, **case.labels}), "value": case.value}
    return [
        {
            "name": f"{case.record} {word}",
            "interval": duration(STEP_SECONDS),
            "input_series": _input(_targeted(series)),
            "promql_expr_test": [
                {
                    "expr": f"round({case.record}, 0.001)",
                    "eval_time": duration(case.at),
                    "exp_samples": samples,
                }
            ],
        }
        for word, series, samples in (
            ("is recorded", case.series, [sample]),
            ("is not recorded", case.nothing, []),
        )
    ]


def _targeted(series: Mapping[str, str]) -> dict[str, str]:
    """The series with the labels of the scraped target, where they do not say another one."""
    result = {}
    for key, values in series.items():
        name, _, rest = key.rstrip("}").partition("{")
        labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        result[_series(name, {**TARGET, **labels})] = values
    return result
