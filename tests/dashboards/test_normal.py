from __future__ import annotations

import json
from typing import Any

from grafanalib import core

from dashboards import normal
from dashboards.__main__ import BOARDS


def raw(board: core.Dashboard) -> dict[str, Any]:
    """What grafanalib writes by itself."""
    text = json.dumps(board.to_json_data(), default=lambda value: value.to_json_data())
    found: dict[str, Any] = json.loads(text)
    return found


def nulls(value: object, path: str = "") -> list[str]:
    """Where a null stands."""
    if isinstance(value, dict):
        return [each for key, held in value.items() for each in nulls(held, f"{path}/{key}")]
    if isinstance(value, list):
        return [each for held in value for each in nulls(held, f"{path}/-")]
    return [path] if value is None else []


def test_nothing_is_null_but_the_first_thresholds() -> None:
    """Grafana reads a null as a choice, and not as none."""
    for board in BOARDS:
        before = nulls(raw(board.dashboard()))
        after = nulls(normal.plain(board.dashboard()))
        assert len(before) > len(after)
        assert all(path.endswith("/steps/-/value") for path in after)


def test_keys_of_long_ago_are_gone() -> None:
    """What Grafana 4 needed is not written, although grafanalib would."""
    board = core.Dashboard(
        title="T",
        panels=[
            core.Table(gridPos=core.GridPos(1, 1, 0, 0), targets=[core.Target(refId="A")]),
            core.RowPanel(title="R", gridPos=core.GridPos(1, 24, 0, 1)),
        ],
        templating=core.Templating([core.Template(name="a", query="b")]),
    )
    found, before = normal.plain(board), raw(board)
    assert before["schemaVersion"] == 12
    assert found["schemaVersion"] == normal.SCHEMA_VERSION
    panel, row = found["panels"]
    (variable,) = found["templating"]["list"]
    for old, new, keys in (
        (before, found, normal.LEGACY_BOARD),
        (before["timepicker"], found["timepicker"], normal.LEGACY_TIMEPICKER),
        (before["panels"][0], panel, normal.LEGACY_PANEL),
        (before["panels"][0]["targets"][0], panel["targets"][0], normal.LEGACY_TARGET),
        (before["templating"]["list"][0], variable, normal.LEGACY_VARIABLE),
    ):
        assert set(keys) <= set(old), "grafanalib does not write it any more"
        assert not set(keys) & set(new)
    assert set(row) <= set(normal.ROW_KEYS)
    assert "displayMode" not in panel["fieldConfig"]["defaults"]["custom"]


def test_variable_of_many_begins_with_all() -> None:
    """A board that was never opened shows everything, in the form that Grafana writes itself."""
    many = core.Template(name="a", query="b", includeAll=True, multi=True)
    board = core.Dashboard(title="T", templating=core.Templating([many]))
    (variable,) = normal.plain(board)["templating"]["list"]
    assert variable["current"] == {"selected": True, "text": ["All"], "value": ["$__all"]}


def test_axis_that_is_linear_has_no_base() -> None:
    """A key that means nothing is not written, although grafanalib would."""
    axis = {"type": "linear", "log": 2}
    for board in BOARDS:
        before, after = raw(board.dashboard()), normal.plain(board.dashboard())
        for old, new in zip(before["panels"], after["panels"], strict=True):
            if new["type"] == "timeseries":
                assert old["fieldConfig"]["defaults"]["custom"]["scaleDistribution"] == axis
                assert new["fieldConfig"]["defaults"]["custom"]["scaleDistribution"] == {
                    "type": "linear"
                }


def test_text_is_sorted_and_ends_its_line() -> None:
    """A change shows where it was made, and nowhere else."""
    text = normal.text(BOARDS[0].dashboard())
    assert text.endswith("}\n")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
