"""Boards against Grafana's own types, and through the parser of Grafana's own SDK. No network."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from dashboards.schema import renew
from tests.dashboards.boards import BOARDS, DIRECTORY, Json, panels

PROMETHEUS_ANNOTATION = ("expr", "step", "tagKeys", "textFormat", "titleFormat", "useValueForTime")
"""What the data source adds to an annotation, which `@grafana/schema` does not type."""
DEFAULTS = {
    "allowCustomValue": True,
    "auto": False,
    "auto_count": 30,
    "auto_min": "10s",
    "builtIn": 0,
    "fiscalYearStartMonth": 0,
    "footer": {"show": False, "reducer": [], "countRows": False},
    "placement": "inControlsMenu",
    "repeatDirection": "h",
    "showTypeIcons": False,
    "skipUrlSync": False,
}
"""What the SDK writes although nobody said it: its own defaults."""


@cache
def schema(name: str) -> Json:
    text = (DIRECTORY / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    found: Json = json.loads(text)
    return found


@cache
def board_schema() -> Draft7Validator:
    opened = copy.deepcopy(schema("dashboard"))
    properties = opened["definitions"]["AnnotationQuery"]["properties"]
    assert not set(PROMETHEUS_ANNOTATION) & set(properties)
    properties.update(dict.fromkeys(PROMETHEUS_ANNOTATION, True))
    return Draft7Validator(opened)


def breaks_schema(board: Json) -> Iterator[str]:
    """Where a board, or a panel's options or its field's, is not what Grafana's types say."""
    for error in board_schema().iter_errors(board):
        yield f"{error.json_path}: {error.message[:300]}"
    for panel in panels(board):
        types = {
            "Options": panel["options"],
            "FieldConfig": panel["fieldConfig"]["defaults"]["custom"],
        }
        for name in renew.PANELS[panel["type"]]:
            typed = {**schema(panel["type"]), "$ref": f"#/definitions/{name}"}
            for error in Draft7Validator(typed).iter_errors(types[name]):
                yield f"{panel['title']} {name} {error.json_path}: {error.message[:300]}"


@pytest.mark.parametrize("name", BOARDS)
def test_board_is_what_grafana_types_say(name: str) -> None:
    """No key that Grafana does not know, none that it needs is missing, in the board or a panel."""
    found = list(breaks_schema(BOARDS[name]))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "change",
    [
        lambda board: board.update(rows=[]),
        lambda board: board["panels"][0].update(span=6),
        lambda board: board["panels"][0]["fieldConfig"]["defaults"]["thresholds"].update(steps=""),
        lambda board: board["panels"][0]["options"].pop("wideLayout"),
        lambda board: board["panels"][0]["options"].update(colorMode="backgrund"),
        lambda board: board["annotations"]["list"][0].update(invented=1),
        lambda board: board["templating"]["list"][1].update(refresh=7),
        lambda board: _curve(board)["fieldConfig"]["defaults"]["custom"].update(lineWidth="1"),
        lambda board: _curve(board)["options"]["legend"].pop("showLegend"),
    ],
)
def test_schema_sees_what_breaks_it(change: Callable[[Json], object]) -> None:
    """The schemas are closed, and those of panels are looked at."""
    board = copy.deepcopy(BOARDS["fleet"])
    change(board)
    assert list(breaks_schema(board))


def _curve(board: Json) -> Json:
    return next(panel for panel in panels(board) if panel["type"] == "timeseries")


# -- the SDK ---------------------------------------------------------------------------------------


@cache
def through_sdk() -> Callable[[Json], Json]:
    """What is read by the SDK's model and written again."""
    with warnings.catch_warnings():
        # The SDK would rather have boards in its second form; people import the first.
        warnings.filterwarnings("ignore", "Prefer using dashboardv2", DeprecationWarning)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard

        register_default_plugins()

    def read_and_written(board: Json) -> Json:
        found: Json = json.loads(JSONEncoder().encode(Dashboard.from_json(board)))
        return found

    return read_and_written


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """What was lost, changed, or added beyond the SDK's defaults."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            if key not in after:
                yield f"{path}/{key} is lost"
            elif key in before:
                yield from differences(before[key], after[key], f"{path}/{key}")
            elif DEFAULTS.get(key, ...) != after[key]:
                yield f"{path}/{key} is added: {after[key]}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}/{index}")
    elif before != after:
        yield f"{path} is {after} after {before}"


@pytest.mark.parametrize("name", BOARDS)
def test_board_is_the_same_after_the_sdk_has_read_it(name: str) -> None:
    """An independent parser understands all of a board: nothing is lost, nothing is changed."""
    found = list(differences(BOARDS[name], through_sdk()(BOARDS[name])))
    assert not found, "\n".join(found)


def test_key_that_the_sdk_does_not_know_is_lost() -> None:
    """The comparison sees what a parser drops or changes."""
    board = copy.deepcopy(BOARDS["fleet"])
    board["panels"][0]["options"]["colourMode"] = "value"
    assert [each for each in differences(board, through_sdk()(board)) if "is lost" in each]
    assert list(differences({"a": 1, "b": [1]}, {"a": 2, "b": [1, 2]}))
    assert list(differences({}, {"c": 1}))


# -- the files -------------------------------------------------------------------------------------


def test_schemas_are_those_that_renew_makes() -> None:
    """Every schema has its source, and the page beside them says of which version."""
    directory = DIRECTORY / "schema"
    assert {path.name for path in directory.glob("*.json")} == set(renew.sources())
    page = (directory / "README.md").read_text(encoding="utf-8")
    for package in renew.PACKAGES:
        name, _, version = package.rpartition("@")
        assert f"`{name}` {version}" in page.replace("\n", " ")
    assert "Apache-2.0" in page
    used = {panel["type"] for board in BOARDS.values() for panel in panels(board)}
    assert used == set(renew.PANELS)


def test_package_of_another_digest_is_not_believed(tmp_path: Path) -> None:
    """A version that was published anew is refused, and both digests are named."""
    packages = {
        f"node_modules/{package.rpartition('@')[0]}": {"integrity": digest}
        for package, digest in renew.PACKAGES.items()
    }
    lock = tmp_path / "package-lock.json"
    lock.write_text(json.dumps({"packages": packages}))
    renew._believe(lock)
    packages["node_modules/@grafana/schema"] = {"integrity": "sha512-other"}
    lock.write_text(json.dumps({"packages": packages}))
    with pytest.raises(renew.RenewalError, match="sha512-other, expected sha512-rk8"):
        renew._believe(lock)


def test_renewal_that_fails_says_why_and_writes_nothing(tmp_path: Path) -> None:
    """The schemas that are there stay."""
    with pytest.raises(renew.RenewalError, match="ended with"):
        renew._run(("python3", "-c", "raise SystemExit(3)"), tmp_path)
    with pytest.raises(renew.RenewalError, match="no-such-program"):
        renew._run(("no-such-program",), tmp_path)
    assert not list(tmp_path.iterdir())
