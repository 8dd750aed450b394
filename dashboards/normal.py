"""grafanalib's JSON, brought from the form of Grafana 4 to the form of today.

grafanalib 0.7.1 writes schema version 12, nulls, and keys that have meant nothing for years.
Grafana repairs that at every load, by rules that nobody tests for us; here it is repaired once,
when the file is written, and the schema of `@grafana/schema` has the last word in the tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from grafanalib import core

Json = dict[str, Any]

SCHEMA_VERSION = 41
LEGACY_BOARD = ("__inputs", "gnetId", "hideControls", "id", "rows", "sharedCrosshair", "style")
LEGACY_TIMEPICKER = ("nowDelay", "time_options")
LEGACY_PANEL = (
    *("cacheTimeout", "editable", "error", "height", "hideTimeOverride", "minSpan", "span"),
    # Of tables; they stand in `fieldConfig` since Grafana 7.
    *("color", "columns", "fontSize", "mappings"),
)
LEGACY_TARGET = ("interval", "intervalFactor", "metric", "query", "step", "target")
LEGACY_VARIABLE = (
    *("auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags"),
    # What was chosen last, and what there was to choose: Grafana fills both in when it loads.
    *("current", "options"),
)
ROW_KEYS = ("collapsed", "gridPos", "id", "panels", "title", "type")
ALL: Json = {"selected": True, "text": ["All"], "value": ["$__all"]}


def plain(board: core.Dashboard) -> Json:
    """The board as it is written to its file."""
    raw = json.dumps(board.to_json_data(), default=lambda value: value.to_json_data())
    written: Json = _without(json.loads(raw), LEGACY_BOARD)
    written["schemaVersion"] = SCHEMA_VERSION
    written["timepicker"] = _without(written["timepicker"], LEGACY_TIMEPICKER)
    written["panels"] = [_panel(panel) for panel in written["panels"]]
    written["templating"] = {"list": [_variable(each) for each in written["templating"]["list"]]}
    return {key: _without_nulls(value) for key, value in written.items()}


def text(board: core.Dashboard) -> str:
    """The same as the text of the file: sorted, so that a change shows where it was made."""
    return json.dumps(plain(board), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _panel(panel: Json) -> Json:
    if panel["type"] == "row":
        return {key: panel[key] for key in ROW_KEYS}
    panel = _without(panel, LEGACY_PANEL)
    panel["targets"] = [_without(target, LEGACY_TARGET) for target in panel["targets"]]
    custom = panel["fieldConfig"]["defaults"].setdefault("custom", {})
    custom.pop("displayMode", None)  # `cellOptions` since Grafana 9.3
    if custom.get("scaleDistribution", {}).get("type") == "linear":
        custom["scaleDistribution"].pop("log")
    return panel


def _variable(variable: Json) -> Json:
    kept = _without(variable, LEGACY_VARIABLE)
    if kept["includeAll"]:
        kept["current"] = ALL
    return kept


def _without(value: Mapping[str, Any], keys: tuple[str, ...]) -> Json:
    return {key: held for key, held in value.items() if key not in keys}


def _without_nulls(value: object) -> object:
    """Nothing that is null, except a threshold's value, where null means without end."""
    if isinstance(value, dict):
        is_step = value.keys() == {"color", "value"}
        return {
            key: _without_nulls(held) for key, held in value.items() if held is not None or is_step
        }
    return [_without_nulls(held) for held in value] if isinstance(value, list) else value
