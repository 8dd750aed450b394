"""The committed boards, and what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

DIRECTORY = Path(__file__).resolve().parents[2] / "dashboards"
FILES = tuple(sorted((DIRECTORY / "json").glob("*.json")))
BOARDS: dict[str, Json] = {path.stem: json.loads(path.read_text("utf-8")) for path in FILES}
MACROS = {"__rate_interval": "1m", "__range": "20m"}
"""What Grafana would put in: four scrapes of 15 s, and all that was recorded."""
REFERENCE = re.compile(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))")
"""`$name`, `${name}` or `${name:format}`."""
LABEL_VALUES = re.compile(r"label_values\((?P<selector>.+), (?P<label>\w+)\)")


@dataclass(frozen=True, slots=True)
class Asked:
    """One PromQL expression of a board."""

    where: str
    expression: str
    instant: bool = False


def panels(board: Json) -> Iterator[Json]:
    """Every panel that shows something."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


def targets(board: Json) -> Iterator[Asked]:
    """What the panels ask."""
    for panel in panels(board):
        for target in panel["targets"]:
            where = f"{panel['title']} {target['refId']}"
            yield Asked(where, target["expr"], target["instant"])


def marks(board: Json) -> Iterator[Asked]:
    """What is asked for the marks on the time axis."""
    for each in board["annotations"]["list"]:
        yield Asked(f"annotation {each['name']}", each["expr"])


def variables(board: Json) -> Iterator[Json]:
    """Those that are filled by a query, in their order."""
    return (each for each in board["templating"]["list"] if each["type"] == "query")


def selectors(board: Json) -> Iterator[Asked]:
    """What the variables look through."""
    for variable in variables(board):
        found = LABEL_VALUES.fullmatch(variable["query"])
        assert found, variable["query"]
        yield Asked(f"variable {variable['name']}", found["selector"], instant=True)


def expressions(board: Json) -> Iterator[Asked]:
    """Everything in PromQL."""
    yield from targets(board)
    yield from marks(board)
    yield from selectors(board)


def filled(expression: str, values: Mapping[str, str]) -> str:
    """The expression with macros and variables replaced. Raises KeyError for an unknown one."""
    known = {**MACROS, **values}
    return REFERENCE.sub(lambda found: known[found[1] or found[2]], expression)
