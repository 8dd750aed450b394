"""Text and JSON are what the terminal and the API show."""

from __future__ import annotations

import json

import pytest

from monitor.act.conformance import conformance_json, conformance_text
from monitor.act.report import gate_json, gate_text
from monitor.act.reports.plain import as_json, as_text
from tests.act.reports.told import RUNS

VECTORS = ("conformance", "blind conformance")


@pytest.mark.parametrize("run", [run for run in RUNS if run not in VECTORS])
def test_text_and_json_are_those_of_the_gate(run: str) -> None:
    """The same document as `/api/v1/gate/NAME`, and the same text without colours."""
    told = RUNS[run]
    ruling, comparisons = told.ruling, told.comparisons
    made = gate_json(told.verdict, version="1.2.3", ruling=ruling, comparisons=comparisons)
    assert json.loads(as_json(told)) == json.loads(json.dumps(made))
    text = gate_text(told.verdict, colour=False, ruling=ruling, comparisons=comparisons)
    assert as_text(told) == text + "\n"


@pytest.mark.parametrize("run", VECTORS)
def test_text_and_json_of_vectors_are_their_own(run: str) -> None:
    """The gate's document, and in it what came of the files."""
    told = RUNS[run]
    assert told.conformance is not None
    made = gate_json(told.verdict, version="1.2.3", conformance=told.conformance)
    assert json.loads(as_json(told)) == json.loads(json.dumps(made))
    assert made["conformance"] == conformance_json(told.conformance)
    assert as_text(told) == conformance_text(told.verdict, told.conformance, colour=False) + "\n"
