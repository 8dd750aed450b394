"""SARIF, held against OASIS' own schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft4Validator

from monitor.act.reports.sarif import UNNAMED, sarif
from tests.act.reports.told import RUNS, healthy, troubled


def run_of(text: str) -> Any:
    (run,) = json.loads(text)["runs"]
    return run


@pytest.mark.parametrize("run", RUNS)
def test_document_fits_the_schema_of_sarif(run: str, sarif_schema: Any) -> None:
    """In every situation, whatever nodes have said."""
    document = json.loads(sarif(RUNS[run]))
    assert [error.message for error in Draft4Validator(sarif_schema).iter_errors(document)] == []


def test_schema_of_sarif_refuses_a_level_that_there_is_not(sarif_schema: Any) -> None:
    """The schema sees what it is to see."""
    document = json.loads(sarif(troubled()))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert list(Draft4Validator(sarif_schema).iter_errors(document))


def test_result_is_at_its_level_and_its_line() -> None:
    """Code scanning shows it at what configured it."""
    results = run_of(sarif(troubled()))["results"]
    head = next(one for one in results if one["ruleId"] == "head/behind")
    place = head["locations"][0]["physicalLocation"]
    assert head["level"] == "error"
    assert place["artifactLocation"]["uri"] == "deploy/head,watch.yaml"
    assert place["region"]["startLine"] == 7
    levels = {one["ruleId"]: one["level"] for one in results}
    assert levels["peers/behind"] == "warning"
    assert levels["txpool/behind"] == "note"
    assert levels["rule/no_data"] == "error"


def test_rule_of_every_result_is_declared() -> None:
    """By index and by name."""
    run = run_of(sarif(troubled()))
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[one["ruleIndex"]] for one in run["results"]] == [
        one["ruleId"] for one in run["results"]
    ]


def test_run_that_saw_nothing_was_not_successful() -> None:
    """A scan that saw nothing must not close what an earlier one found."""
    (blind,) = run_of(sarif(RUNS["blind"]))["invocations"]
    assert blind["executionSuccessful"] is False
    assert len(blind["toolExecutionNotifications"]) == 1
    (well,) = run_of(sarif(healthy()))["invocations"]
    assert (well["executionSuccessful"], well["toolExecutionNotifications"]) == (True, [])
    assert run_of(sarif(healthy()))["results"] == []


def test_fingerprint_is_of_the_thing_and_not_of_its_numbers() -> None:
    """The same trouble tomorrow is the same alert; without a file it has a place all the same."""
    first = run_of(sarif(RUNS["blind"]))["results"][0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == UNNAMED
    results = run_of(sarif(troubled()))["results"]
    prints = [one["partialFingerprints"]["headwatch/v1"] for one in results]
    assert len(set(prints)) == len(prints)
