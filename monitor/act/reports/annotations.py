"""Workflow commands of GitHub Actions: annotations at the lines of the configuration. Pure.

GitHub shows ten errors and ten warnings of a step and drops the rest silently, so that the worst
nine are told, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.act.reports.told import Point, Told

TOLD_COUNT_MAX = 9
KINDS = {"failed": "error", "blind": "error", "warned": "warning", "unseen": "notice"}


def workflow_commands(told: Told) -> str:
    """A line each; empty where all is well."""
    return "".join(f"{line}\n" for line in _lines(told))


def _lines(told: Told) -> Iterator[str]:
    worst = told.worst()
    for kind in ("error", "warning", "notice"):
        mine = [point for point in worst if KINDS[point.state] == kind]
        for point in mine[:TOLD_COUNT_MAX]:
            yield _command(kind, point, point.file or told.file)
        more = len(mine) - TOLD_COUNT_MAX
        if more > 0:
            yield f"::{kind} title=headwatch::{more} more; the other reports have all of them"


def _command(kind: str, point: Point, file: str) -> str:
    properties = {"title": f"{point.suite}: {point.name}"}
    if file:
        properties = {"file": file, "line": str(point.line), **properties}
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = f"{point.summary}\n{point.detail}" if point.detail else point.summary
    return f"::{kind} {said}::{_data(text)}"


def _data(text: str) -> str:
    """As actions/toolkit escapes the message of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As actions/toolkit escapes a property of a command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
