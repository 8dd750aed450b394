"""Text and JSON are what the terminal and the API show."""

from __future__ import annotations

import json

import pytest

from monitor.act.report import gate_json, gate_text
from monitor.act.reports.plain import as_json, as_text
from tests.act.reports.told import RUNS


@pytest.mark.parametrize("run", RUNS)
def test_text_and_json_are_those_of_the_gate(run: str) -> None:
    """The same document as `/api/v1/gate/NAME`, and the same text without colours."""
    told = RUNS[run]
    ruling, comparisons = told.ruling, told.comparisons
    made = gate_json(told.verdict, version="1.2.3", ruling=ruling, comparisons=comparisons)
    assert json.loads(as_json(told)) == json.loads(json.dumps(made))
    text = gate_text(told.verdict, colour=False, ruling=ruling, comparisons=comparisons)
    assert as_text(told) == text + "\n"
