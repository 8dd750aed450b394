"""Panels: grafanalib's, with everything that a reader of this house expects already set.

Every panel has a title and a description, follows the data source that the board has chosen, and
shows its legend. Colours are Grafana's names, which it draws for dark and for light themes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafanalib import core

Json = dict[str, Any]
Panel = Any
"""A panel of grafanalib, which brings no types."""

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
PLUGIN_VERSION = "11.0.0"
"""Tells Grafana that options are in the present form, so that it repairs nothing from before."""
BLOCKS = "suffix:blocks"
LIMIT = "limit"
"""A query whose legend begins with this word is drawn as a dashed red line, and not filled."""
TIMELINE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression of a panel."""

    expression: str
    legend: str = "{{node}}"
    """`{{label}}` stands for the label's value."""
    exemplars: bool = False
    """Whether single observations are drawn over the curve, where the exporter names any."""


class Target(core.Target):  # type: ignore[misc] # it has no types
    """grafanalib's target, which knows neither exemplars nor that `instant` excludes `range`."""

    def __init__(self, query: Query, ref: str, *, instant: bool, is_table: bool) -> None:
        super().__init__(
            expr=query.expression,
            legendFormat=query.legend,
            refId=ref,
            instant=instant,
            format=core.TABLE_TARGET_FORMAT if is_table else core.TIME_SERIES_TARGET_FORMAT,
            datasource=DATASOURCE,
        )
        self.exemplars = query.exemplars

    def to_json_data(self) -> Json:
        written: Json = super().to_json_data()
        return written | {
            "editorMode": "code",
            "exemplar": self.exemplars,
            "range": not self.instant,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """What a value is called, and its colour from here up."""

    value: float
    color: str
    text: str = ""


LEVELS = (
    Step(0, "green", "ok"),
    Step(1, "purple", "unknown"),
    Step(2, "orange", "degraded"),
    Step(3, "red", "failed"),
)
"""As `headwatch_finding_level` counts them. Unknown is no shade of bad: nothing could be seen."""
VERDICTS = (Step(0, "green", "pass"), Step(1, "purple", "inconclusive"), Step(2, "red", "fail"))
CONFIDENCES = (Step(1, "orange", "low"), Step(2, "yellow", "fair"), Step(3, "green", "high"))
YES_IS_GOOD = (Step(0, "red", "no"), Step(1, "green", "yes"))
MAINTAINED = (Step(0, "green", "none"), Step(1, "blue", "maintenance"))
PLAIN = (Step(0, "text"),)
"""A number that is neither good nor bad."""
ANY_IS_BAD = (Step(0, "green"), Step(1, "red"))


def thresholds(steps: Sequence[Step]) -> list[Json]:
    """The first reaches down without end, which Grafana writes as null."""
    return [
        {"color": step.color, "value": step.value if index else None}
        for index, step in enumerate(steps)
    ]


def mappings(steps: Sequence[Step]) -> list[Json]:
    """Words instead of the numbers, for the steps that have words."""
    options = {
        f"{step.value:g}": {"color": step.color, "index": index, "text": step.text}
        for index, step in enumerate(steps)
        if step.text
    }
    return [{"type": "value", "options": options}] if options else []


def override(field: str, **properties: object) -> Json:
    """Properties of one field of a table; `__` in a name is the point of Grafana's path."""
    return {
        "matcher": {"id": "byName", "options": field},
        "properties": [
            {"id": name.replace("__", "."), "value": value} for name, value in properties.items()
        ],
    }


def timeseries(
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    soft_min: int | None = 0,
    stacked: bool = False,
    stepped: bool = False,
) -> Panel:
    """Curves over time. Gaps stay gaps: what was not seen is not drawn as if it had been."""
    dashed: Json = {
        "matcher": {"id": "byRegexp", "options": f"/^{LIMIT}/"},
        "properties": [
            {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
            {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [10, 10]}},
            {"id": "custom.fillOpacity", "value": 0},
        ],
    }
    has_limit = any(query.legend.startswith(LIMIT) for query in queries)
    return core.TimeSeries(
        **_frame(title, description, queries),
        unit=unit,
        thresholds=thresholds(PLAIN),
        axisSoftMin=soft_min,
        fillOpacity=30 if stacked else 5,
        stacking={"mode": "normal" if stacked else "none", "group": "A"},
        lineInterpolation="stepAfter" if stepped else "linear",
        showPoints="never",
        legendDisplayMode="table",
        legendPlacement="right",
        legendCalcs=["lastNotNull", "max"],
        tooltipMode="multi",
        tooltipSort="desc",
        overrides=[dashed] if has_limit else [],
        extraJson={"options": {"legend": {"showLegend": True}}, "pluginVersion": PLUGIN_VERSION},
    )


def stat(
    title: str,
    description: str,
    query: Query,
    *,
    unit: str = "none",
    steps: Sequence[Step] = PLAIN,
    named: bool = False,
    filled: bool = False,
    missing: str = "not seen",
) -> Panel:
    """One number, or its word, as of the end of the range; `named` shows the legend instead."""
    return core.Stat(
        **_frame(title, description, (query,), instant=True),
        format=unit,
        color={"mode": "thresholds"},
        thresholds=thresholds(steps),
        mappings=mappings(steps),
        colorMode="background" if filled else "value",
        graphMode="none",
        reduceCalc="lastNotNull",
        textMode="name" if named else "value",
        noValue=missing,
        extraJson={
            "options": {
                "percentChangeColorMode": "standard",
                "showPercentChange": False,
                "wideLayout": True,
            },
            "pluginVersion": PLUGIN_VERSION,
        },
    )


def timeline(
    title: str,
    description: str,
    *queries: Query,
    steps: Sequence[Step] = LEVELS,
    links: Sequence[tuple[str, str]] = (),
) -> Panel:
    """One bar each, coloured by what was so at that time; `steps` must give every value a word.

    `links` lead from its title, by their words and where to.
    """
    return core.StateTimeline(
        **_frame(title, description, queries),
        links=[
            core.DashboardLink(title=words, type="link", uri=url, keepTime=False)
            for words, url in links
        ],
        thresholds=thresholds(steps),
        mappings=mappings(steps),
        fillOpacity=80,
        rowHeight=0.85,
        showValue="never",
        tooltipMode="multi",
        extraJson={
            "fieldConfig": {"defaults": {"unit": "none"}},
            "options": {
                "legend": {"calcs": [], "showLegend": True},
                "perPage": TIMELINE_ROWS,
                "tooltip": {"sort": "desc"},
            },
            "pluginVersion": PLUGIN_VERSION,
        },
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: the query that fills it, or a label, and how it is drawn."""

    name: str
    source: str
    """An expression, or the name of a label that every row has."""
    unit: str = "none"
    steps: Sequence[Step] = ()
    """Colours the cell's background; empty leaves it plain."""
    link: str = ""
    """Where a click leads."""

    @property
    def is_label(self) -> bool:
        return self.source.isidentifier()


def table(title: str, description: str, *columns: Column, sort_by: str, hidden: str = "") -> Panel:
    """Rows as of now, joined by the labels that all expressions keep; the highest `sort_by` first.

    `hidden` is an expression that only brings labels.
    """
    filled = [column for column in columns if not column.is_label]
    queries = [Query(column.source, "") for column in filled]
    if hidden:
        queries.append(Query(hidden, ""))
    # Grafana names the value of the query with ref id A "Value #A".
    named = {f"Value #{_ref(index)}": column.name for index, column in enumerate(filled)}
    named |= {column.source: column.name for column in columns if column.is_label}
    order = {name: [c.name for c in columns].index(shown) for name, shown in named.items()}
    away = {"Time": True} | ({f"Value #{_ref(len(filled))}": True} if hidden else {})
    return core.Table(
        **_frame(title, description, queries, instant=True, is_table=True),
        thresholds=thresholds(PLAIN),
        unit="none",
        overrides=[_column(column) for column in columns],
        sortBy=[core.TableSortByField(displayName=sort_by, desc=True)],
        transformations=[
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": away,
                    "indexByName": order,
                    "renameByName": named,
                },
            },
        ],
        extraJson={
            "fieldConfig": {
                "defaults": {
                    "custom": {"cellOptions": {"type": "auto"}, "inspect": False},
                    "noValue": "not seen",
                }
            },
            "options": {"cellHeight": "sm", "frameIndex": 0},
            "pluginVersion": PLUGIN_VERSION,
        },
    )


def _column(column: Column) -> Json:
    properties: dict[str, object] = {"unit": column.unit}
    if column.steps:
        properties["color"] = {"mode": "thresholds"}
        properties["thresholds"] = {"mode": "absolute", "steps": thresholds(column.steps)}
        properties["mappings"] = mappings(column.steps)
        properties["custom__cellOptions"] = {"type": "color-background", "mode": "basic"}
    if column.link:
        title = f"{column.name} ${{__value.text}}"
        properties["links"] = [{"title": title, "url": column.link, "targetBlank": False}]
    return override(column.name, **properties)


def _frame(
    title: str,
    description: str,
    queries: Sequence[Query],
    *,
    instant: bool = False,
    is_table: bool = False,
) -> Mapping[str, Any]:
    """What every panel has."""
    return {
        "title": title,
        "description": description,
        "dataSource": DATASOURCE,
        "maxDataPoints": None,
        "targets": [
            Target(query, _ref(index), instant=instant, is_table=is_table)
            for index, query in enumerate(queries)
        ],
    }


def _ref(index: int) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index]
