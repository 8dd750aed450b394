"""The verdict as text for people, and as the gate's own JSON. Pure."""

from __future__ import annotations

import json

from monitor.act.conformance import conformance_text
from monitor.act.report import gate_json, gate_text
from monitor.act.reports.told import Told


def as_text(told: Told) -> str:
    """What the terminal shows, without colours."""
    if told.conformance is not None:
        return conformance_text(told.verdict, told.conformance, colour=False) + "\n"
    return (
        gate_text(told.verdict, colour=False, ruling=told.ruling, comparisons=told.comparisons)
        + "\n"
    )


def as_json(told: Told) -> str:
    """The document of `docs/gate.schema.json`; a text in it is no command of a log either."""
    made = gate_json(
        told.verdict,
        version=told.version,
        ruling=told.ruling,
        comparisons=told.comparisons,
        conformance=told.conformance,
    )
    return json.dumps(made, indent=2).replace("##[", "#\\u0023[") + "\n"
