"""The settings of gates: rules by name, for pipelines and for who asks the sidecar."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from monitor.config.kinds import Flag, Model, Name, Sentence, expects

Count = Annotated[
    int, Field(ge=1, le=10_000), expects("expected a whole number of samples from 1 to 10000")
]
RuleText = Annotated[str, Field(min_length=1, max_length=200), expects("expected a rule, as text")]


class GateRule(Model):
    """One thing that must hold for a gate to pass."""

    rule: RuleText
    """A path, a comparison and a limit with its unit; the measures are in docs/gate.md."""
    severity: Annotated[Literal["error", "warn"], expects("expected error or warn")] = "error"
    """Whether it decides the verdict, or only warns: error or warn."""
    over: Annotated[Sentence, expects("expected a time, such as 2m")] | None = None
    """Only samples of this last time count; up to 24h. Default: all of the gate's."""
    min_samples: Count = 1
    """With fewer samples of a subject the rule is inconclusive."""
    consecutive: Count = 1
    """So many samples in a row must be out of bounds; for paths that end in .max or .min."""
    abort_on_fail: Flag = False
    """Whether the gate ends as soon as this rule has failed."""
    max_age: Annotated[Sentence, expects("expected a time, such as 10m")] | None = None
    """The newest sample may be so old; up to 24h. Default: 1m or two of its paces, a ledger 30m."""
    network: Name | None = None
    """Only what belongs to this network. Default: all of them."""


def _alone(value: object) -> object:
    return {"rule": value} if isinstance(value, str) else value


class Gate(Model):
    """Rules that a pipeline waits for."""

    preset: Annotated[Literal["quick", "soak"], expects("expected quick or soak")] | None = None
    """Rules from the thresholds of each network, before the others: quick or soak."""
    rules: tuple[
        Annotated[GateRule, BeforeValidator(_alone, json_schema_input_type=RuleText | GateRule)],
        ...,
    ] = ()
    """The rules: each a text, or a mapping that begins with one."""
