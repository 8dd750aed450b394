"""What came of a gate's rules, as machines and people are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.act.report import gate_json, gate_text
from monitor.act.rulings import result_json, rule_lines, ruling_headline
from monitor.model import Verdict
from monitor.policy.evaluation import Result, Ruling
from tests.act import snapshots
from tests.act.rulings import BLIND, BROKEN, HELD, NOWHERE, WARNED, ruling

VALIDATOR = Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "docs" / "gate.schema.json").read_text("utf-8"))
)
WELL = snapshots.healthy().verdict
STALLED = snapshots.stalled().verdict
SPLIT = snapshots.SITUATIONS["split"].verdict


@pytest.mark.parametrize(
    ("verdict", "given", "ok"),
    [
        (WELL, ruling("pass", HELD, WARNED), True),
        (WELL, ruling("fail", HELD, BROKEN), False),
        (WELL, ruling("inconclusive", BLIND, NOWHERE), False),
        (STALLED, ruling("fail", HELD), False),
    ],
)
def test_json_with_rules_fits_the_schema(verdict: Verdict, given: Ruling, *, ok: bool) -> None:
    """The word is that of checks and rules together; every rule is there, in its order."""
    text = json.dumps(gate_json(verdict, version="1.2.3", ruling=given), allow_nan=False)
    found = json.loads(text)
    assert list(VALIDATOR.iter_errors(found)) == []
    assert (found["verdict"], found["data"]["ok"]) == (given.word, ok)
    assert found["policy"] == "deploy"
    assert [rule["rule"] for rule in found["rules"]] == [r.rule.text for r in given.results]


def test_json_of_a_rule_says_what_was_asked_and_what_came_of_it() -> None:
    """Numbers in the unit that stands beside them; what there is not is null."""
    assert result_json(WARNED) == {
        "rule": "rpc.latency_seconds.p95 < 500ms",
        "severity": "warn",
        "network": None,
        "over_seconds": 120.0,
        "min_samples": 1,
        "consecutive": 1,
        "max_age_seconds": None,
        "verdict": "fail",
        "reason": "broken",
        "actual": 0.8125,
        "limit": 0.5,
        "unit": "seconds",
        "subject": "node:local",
        "samples": 1,
        "detail": "",
    }
    found = result_json(NOWHERE)
    assert (found["actual"], found["subject"], found["network"]) == (None, None, "ethereum")


@pytest.mark.parametrize(
    ("verdict", "given", "sentence"),
    [
        (WELL, ruling("pass", HELD), "; 1 rules"),
        (WELL, ruling("pass", HELD, WARNED), "; 2 rules, 1 of them warn"),
        (
            WELL,
            ruling("fail", HELD, BROKEN, BLIND),
            "1 of 3 rules failed: rpc.error_ratio < 1% (is 2.5%)",
        ),
        (
            WELL,
            ruling("fail", HELD, WARNED),
            "1 of 2 rules failed: rpc.latency_seconds.p95 < 500ms (is 812.5ms)",
        ),
        (
            WELL,
            ruling("inconclusive", HELD, NOWHERE),
            (
                "1 of 2 rules could not be judged: ledger.differences.count == 0 "
                "(no ledger is configured)"
            ),
        ),
        (
            WELL,
            ruling("fail", *[BROKEN] * 5),
            "5 of 5 rules failed: "
            + "; ".join(["rpc.error_ratio < 1% (is 2.5%)"] * 3)
            + "; and 2 more",
        ),
        (STALLED, ruling("fail", HELD), "FAILED: stall; 1 rules"),
        (STALLED, ruling("fail", BROKEN), "FAILED: stall; 1 of 1 rules failed: rpc.error_ratio"),
        (SPLIT, ruling("inconclusive", WARNED), "; 1 rules, 1 of them warn"),
    ],
)
def test_headline_names_what_decides(verdict: Verdict, given: Ruling, sentence: str) -> None:
    """Who reads one line has read why, of checks and of rules."""
    assert sentence in ruling_headline(verdict, given)


def test_headline_without_rules_is_that_of_the_checks() -> None:
    """Nothing is said of rules that nobody asked for."""
    assert ruling_headline(STALLED, None) == "node local FAILED: stall"


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (HELD, "  ✓ head.lag_blocks.max < 3  1 blocks  node:local, 12 samples"),
        (BROKEN, "  ✗ rpc.error_ratio < 1%  2.5%  node:local, 12 samples  [broken]"),
        (
            WARNED,
            "  ! rpc.latency_seconds.p95 < 500ms  812.5ms  node:local, 1 sample  [broken]  (warns)",
        ),
        (
            BLIND,
            (
                "  ? ledger.differences.count == 0  -  ledger:drop, 0 samples  "
                "never reconciled [no_data]"
            ),
        ),
        (
            NOWHERE,
            (
                "  ? ledger.differences.count == 0  -  0 samples  "
                "no ledger is configured [not_measured]"
            ),
        ),
    ],
)
def test_line_of_a_rule_has_its_mark_and_its_value(result: Result, line: str) -> None:
    """A tick, the rule, the value, whose it is, and why where it does not hold."""
    first, found = rule_lines(ruling(result.word, result), colour=False)
    assert (first, found) == ("rules of deploy", line)


def test_lines_of_rules_stand_below_each_other() -> None:
    """In columns, and on a terminal in colours; an early end is said."""
    given = ruling("fail", HELD, BROKEN, WARNED, is_aborted=True)
    first, *lines = rule_lines(given, colour=False)
    assert first == "rules of deploy, ended early"
    assert len({line.index("node:local") for line in lines}) == 1
    painted = list(rule_lines(given, colour=True))
    assert "\x1b[32m✓\x1b[0m" in painted[1]
    assert "\x1b[31m✗\x1b[0m" in painted[2]
    assert "\x1b[33m!\x1b[0m" in painted[3]


def test_text_with_rules_begins_with_the_word_of_both() -> None:
    """A node that is well and breaks a rule fails, and nothing says that it passed."""
    lines = gate_text(WELL, colour=False, ruling=ruling("fail", HELD, BROKEN)).splitlines()
    assert lines[0] == "FAIL  1 of 2 rules failed: rpc.error_ratio < 1% (is 2.5%)"
    assert "rules of deploy" in lines
    assert gate_text(WELL, colour=False).splitlines()[0].startswith("PASS")
