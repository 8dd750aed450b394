"""Workflow commands, parsed as GitHub's runner parses them."""

from __future__ import annotations

from monitor.act.reports.annotations import TOLD_COUNT_MAX, workflow_commands
from tests.act.reports.told import RUNS, endless, healthy, troubled


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """Command, properties and message of a line, unescaped as actions/runner does."""
    assert line.startswith("::")
    head, message = line.removeprefix("::").split("::", 1)
    kind, _, rest = head.partition(" ")
    properties = dict(one.split("=", 1) for one in rest.split(","))
    for name, value in properties.items():
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            properties[name] = properties[name].replace(code, char)
        del value
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, char)
    return kind, properties, message


def test_annotation_is_at_its_file_and_line() -> None:
    """A comma in a path does not end the property."""
    kind, properties, message = parsed(workflow_commands(troubled()).splitlines()[0])
    assert kind == "error"
    assert properties["file"] == "deploy/head,watch.yaml"
    assert properties["line"] == "7"
    assert properties["title"] == "head: node:local"
    assert message.startswith("behind ")


def test_annotation_of_anything_is_one_command() -> None:
    """A node's own words begin no command of theirs."""
    text = workflow_commands(troubled())
    assert text.count("\n") == len(troubled().worst())
    kinds = ("::error ", "::warning ", "::notice ")
    assert all(line.startswith(kinds) for line in text.splitlines())


def test_annotations_beyond_what_github_shows_are_counted() -> None:
    """It shows ten of a kind and drops the rest silently."""
    lines = workflow_commands(endless(30)).splitlines()
    assert len(lines) == TOLD_COUNT_MAX + 1 == 10
    assert lines[-1] == "::error title=headwatch::21 more; the other reports have all of them"
    assert len(workflow_commands(endless(TOLD_COUNT_MAX)).splitlines()) == TOLD_COUNT_MAX


def test_annotations_of_health_are_none() -> None:
    """Nothing is said where all is well, and no file is named where there is none."""
    assert workflow_commands(healthy()) == ""
    assert "file=" not in workflow_commands(RUNS["blind"])
