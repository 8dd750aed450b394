"""The formats of `headwatch gate --output KIND=PATH`, any number of them in one run. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.act.reports.annotations import workflow_commands
from monitor.act.reports.codequality import codequality
from monitor.act.reports.junit import junit
from monitor.act.reports.markdown import markdown
from monitor.act.reports.metrics import openmetrics
from monitor.act.reports.plain import as_json, as_text
from monitor.act.reports.sarif import sarif
from monitor.act.reports.told import Told
from monitor.act.reports.variables import dotenv, github_output


@dataclass(frozen=True, slots=True)
class Kind:
    """One format."""

    draw: Callable[[Told], str]
    reader: str
    """Who reads it."""
    appends: bool = False
    """Whether the file belongs to others too, so that it is added to."""


KINDS: Mapping[str, Kind] = {
    "text": Kind(as_text, "people"),
    "json": Kind(as_json, "programs: docs/gate.schema.json"),
    "junit": Kind(junit, "every CI server's list of tests"),
    "sarif": Kind(sarif, "code scanning (SARIF 2.1.0)"),
    "markdown": Kind(markdown, "a job's summary: $GITHUB_STEP_SUMMARY", appends=True),
    "annotations": Kind(workflow_commands, "GitHub Actions, which reads them on stdout: PATH is -"),
    "github-output": Kind(github_output, "later steps of a job: $GITHUB_OUTPUT", appends=True),
    "codequality": Kind(codequality, "GitLab's artifacts:reports:codequality"),
    "dotenv": Kind(dotenv, "GitLab's artifacts:reports:dotenv"),
    "openmetrics": Kind(openmetrics, "GitLab's artifacts:reports:metrics, or a Pushgateway"),
}
"""By the KIND of `--output`."""
