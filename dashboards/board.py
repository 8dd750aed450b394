"""A board: its variables, what is marked on its time axis, and panels laid out from the top.

A board is a file with a `BOARD` and a row in `__main__`; everything that all boards share is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafanalib import core

from dashboards import promql
from dashboards.panels import DATASOURCE, Json, Panel

TAG = "headwatch"
COLUMNS = 24
"""The width of Grafana's grid."""
EDGE = "headwatch_finding_edge_timestamp_seconds"
ANNOTATION_STEP = "60s"
REFRESH_INTERVALS = ["5s", "10s", "30s", "1m", "5m", "15m"]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a reader chooses at the top of a board."""

    name: str
    label: str
    query: str
    everything: str = ""
    """The expression of "All", which is then the default; empty allows one value at a time."""


JOB = Variable("job", "Job", promql.values("job", "headwatch_build_info"), ".+")
INSTANCE = Variable(
    "instance",
    "Instance",
    promql.values("instance", "headwatch_build_info", promql.JOB),
    ".+",
)
# A finding about headwatch itself has no network, and belongs to all of them.
NETWORK = Variable(
    "network",
    "Network",
    promql.values("network", "headwatch_network_info", promql.JOB, promql.INSTANCE),
    ".*",
)
SHARED = (JOB, INSTANCE, NETWORK)


@dataclass(frozen=True, slots=True)
class Line:
    """Panels beside each other, as high as each other."""

    height: int
    """In grid units of 30 pixels."""
    panels: tuple[Panel, ...]
    widths: tuple[int, ...] = ()
    """Of 24 columns; empty shares them equally."""


@dataclass(frozen=True, slots=True)
class Section:
    """Lines below a heading; the first of a board needs none."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One file of `json/`."""

    name: str
    """Of its file."""
    title: str
    description: str
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    """Beside those that all boards have."""
    edges_of: tuple[str, ...] = ()
    """Matchers that choose whose openings, closings and maintenance are marked."""

    @property
    def uid(self) -> str:
        """Stays the same for ever: links and bookmarks hold it."""
        return f"{TAG}-{self.name}"

    def dashboard(self) -> core.Dashboard:
        """As grafanalib has it; `normal` makes it what Grafana reads today."""
        return core.Dashboard(
            title=self.title,
            description=self.description,
            uid=self.uid,
            tags=[TAG],
            editable=False,
            graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
            refresh="30s",
            time=core.Time("now-3h", "now"),
            timePicker=core.TimePicker(REFRESH_INTERVALS, []),
            timezone="browser",
            version=1,
            links=[_links()],
            templating=core.Templating(
                [_datasource(), *(_template(each) for each in (*SHARED, *self.variables))]
            ),
            annotations=core.Annotations(_annotations(self.edges_of)),
            panels=_laid_out(self.sections),
        ).auto_panel_ids()


def link_to(name: str, *more: str, **fields: str) -> str:
    """A path to another board with this one's choices; `fields` are columns of the clicked row.

    `more` are variables that both boards have, beside those by which headwatch is chosen.
    """
    variables = ("datasource", "job", "instance", *more)
    chosen = [f"${{{variable}:queryparam}}" for variable in variables]
    chosen += [f"var-{variable}=${{__data.fields.{field}}}" for variable, field in fields.items()]
    return f"/d/{TAG}-{name}?{'&'.join(chosen)}&${{__url_time_range}}"


def _links() -> core.DashboardLink:
    """The other boards, with the same choices and the same time."""
    return core.DashboardLink(
        title="headwatch", type="dashboards", tags=[TAG], includeVars=True, keepTime=True
    )


def _datasource() -> core.Template:
    return core.Template(
        name="datasource", label="Data source", type="datasource", query="prometheus"
    )


def _template(variable: Variable) -> core.Template:
    return core.Template(
        name=variable.name,
        label=variable.label,
        query=variable.query,
        dataSource=DATASOURCE,
        refresh=core.REFRESH_ON_TIME_RANGE_CHANGE,
        includeAll=bool(variable.everything),
        multi=bool(variable.everything),
        allValue=variable.everything or None,
        sort=core.SORT_ALPHA_IGNORE_CASE_ASC,
    )


def _annotations(whose: Sequence[str]) -> list[Json]:
    """Openings and closings where they were, not where they were scraped; maintenance as spans."""
    labels = "check, network, node, reference"
    at = {kind: promql.series(EDGE, f'kind="{kind}"', *whose) for kind in ("opened", "closed")}
    edges = [
        _annotation(
            name,
            color,
            f"1000 * {promql.worst(labels, at[kind])}",
            titleFormat=f"{kind}: {{{{check}}}} of {{{{node}}}}{{{{reference}}}}",
            textFormat="{{network}}",
            tagKeys="check,network",
            useValueForTime=True,
        )
        for name, kind, color in (("Opened", "opened", "red"), ("Closed", "closed", "green"))
    ]
    windows = promql.series("headwatch_maintenance", *whose)
    return [
        *edges,
        _annotation(
            "Maintenance",
            "blue",
            f"{promql.worst('network, node, reference', windows)} == 1",
            titleFormat="maintenance of {{node}}{{reference}}",
            textFormat="{{network}}",
            tagKeys="network",
            useValueForTime=False,
        ),
    ]


def _annotation(name: str, color: str, expression: str, **formats: object) -> Json:
    return {
        "name": name,
        "iconColor": color,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "expr": expression,
        "step": ANNOTATION_STEP,
        **formats,
    }


def _laid_out(sections: Sequence[Section]) -> list[Any]:
    """Every panel with its place, line by line."""
    placed: list[Any] = []
    top = 0
    for section in sections:
        if section.title:
            place = core.GridPos(h=1, w=COLUMNS, x=0, y=top)
            placed.append(core.RowPanel(title=section.title, gridPos=place))
            top += 1
        for line in section.lines:
            left = 0
            widths = line.widths or (COLUMNS // len(line.panels),) * len(line.panels)
            for panel, width in zip(line.panels, widths, strict=True):
                panel.gridPos = core.GridPos(h=line.height, w=width, x=left, y=top)
                placed.append(panel)
                left += width
            top += line.height
    return placed
