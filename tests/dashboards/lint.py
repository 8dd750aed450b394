"""What a board must keep to, as rules: most are those of Grafana's dashboard-linter, said again.

Every rule is a function from a board to complaints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import combinations

from tests.alerts.promql import RATES, SERIES, Selected, selected
from tests.dashboards.boards import (
    REFERENCE,
    Json,
    expressions,
    filled,
    marks,
    panels,
    variables,
)

Complaints = Iterator[str]
Rule = Callable[[Json], Complaints]

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCRAPED = {"job": ".+", "instance": ".+"}
WITH_LEGEND = ("timeseries", "state-timeline")
COLUMNS = 24
ANY = {
    **SCRAPED,
    **dict.fromkeys(("network", "node", "reference", "account", "ledger"), ".*"),
}
APPEARED = re.compile(r"\((?P<counter>[^()]+) unless (?P=counter) offset \$__\w+\)")
"""A counter that was not there a window ago has grown by all that it counts."""


def breaks_variables(board: Json) -> Complaints:
    """The data source, the job and the instance can be chosen; the first values are everything."""
    datasource, *others = board["templating"]["list"]
    if (datasource["name"], datasource["type"], datasource["query"]) != (
        "datasource",
        "datasource",
        "prometheus",
    ):
        yield "the first variable does not choose a data source of Prometheus"
    named = {variable["name"]: variable for variable in others}
    for name, everything in SCRAPED.items():
        if name not in named:
            yield f"there is no variable {name}"
        elif not named[name]["multi"] or named[name].get("allValue") != everything:
            yield f"{name} cannot be all of {everything}"
    for name, variable in named.items():
        if variable["type"] != "query" or variable["datasource"] != DATASOURCE:
            yield f"{name} does not ask the chosen data source"
        if not variable.get("label"):
            yield f"{name} has no label"
        if variable["includeAll"] and variable.get("current", {}).get("value") != ["$__all"]:
            yield f"{name} does not begin with all"


def breaks_use(board: Json) -> Complaints:
    """Every variable is defined before it is used, and used."""
    defined: list[str] = []
    for variable in board["templating"]["list"]:
        for name in _referred(variable["query"]):
            if name not in defined:
                yield f"{variable['name']} follows {name}, which comes later or never"
        defined.append(variable["name"])
    used = set()
    for asked in expressions(board):
        for name in _referred(asked.expression):
            used.add(name)
            if name not in defined:
                yield f"{asked.where}: there is no variable {name}"
    for name in {*defined, "datasource"} - used:
        if name != "datasource" or DATASOURCE["uid"] not in json.dumps(board["panels"]):
            yield f"nothing uses {name}"


def _referred(text: str) -> set[str]:
    names = {found[1] or found[2] for found in REFERENCE.finditer(text)}
    return {name for name in names if not name.startswith("__")}


def breaks_reload(board: Json) -> Complaints:
    """A node that came within the chosen time can be chosen."""
    for variable in variables(board):
        if variable["refresh"] != 2:
            yield f"{variable['name']} is not read again when the time changes"


def breaks_board(board: Json) -> Complaints:
    """A board keeps its address, says what it is, and is changed where it is made."""
    if not board["uid"].startswith("headwatch-") or board.get("id") is not None:
        yield "its uid is not ours, or it has the id of one server"
    if board["editable"] or board["tags"] != ["headwatch"] or not board["description"]:
        yield "it can be edited, or is not tagged, or says nothing of itself"
    if not any(link["includeVars"] and link["keepTime"] for link in board["links"]):
        yield "no link leads to the other boards"


def breaks_panels(board: Json) -> Complaints:
    """A panel says what it shows, in which unit, from the chosen data source."""
    for panel in panels(board):
        title = panel.get("title") or f"panel {panel['id']}"
        shown = panel["fieldConfig"]["defaults"]
        if not panel.get("title") or not panel.get("description", "").endswith("."):
            yield f"{title}: no title, or no sentence that describes it"
        if not panel["targets"]:
            yield f"{title}: asks nothing"
        if any(each["datasource"] != DATASOURCE for each in (panel, *panel["targets"])):
            yield f"{title}: does not follow the chosen data source"
        if not shown.get("unit"):
            yield f"{title}: no unit"
        if shown["thresholds"]["steps"][0]["value"] is not None:
            yield f"{title}: its first threshold has a value"


def breaks_legends(board: Json) -> Complaints:
    """Every series has a name, and its panel says which is which."""
    for panel in panels(board):
        if panel["type"] not in WITH_LEGEND:
            continue
        if not panel["options"]["legend"]["showLegend"]:
            yield f"{panel['title']}: hides its legend"
        for target in panel["targets"]:
            if not target["legendFormat"]:
                yield f"{panel['title']}: a series without a name"


def breaks_grid(board: Json) -> Complaints:
    """Panels have ids of their own, lie beside each other, and are read from the top."""
    ids = [panel["id"] for panel in board["panels"]]
    if len(set(ids)) != len(ids):
        yield f"ids are used twice: {ids}"
    places = [(panel.get("title"), panel["gridPos"]) for panel in board["panels"]]
    for title, place in places:
        if place["x"] < 0 or place["x"] + place["w"] > COLUMNS or min(place["w"], place["h"]) < 1:
            yield f"{title} leaves the grid"
    for (title, a), (other, b) in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        if not beside and not below:
            yield f"{title} lies over {other}"
    if [(place["y"], place["x"]) for _, place in places] != sorted(
        (place["y"], place["x"]) for _, place in places
    ):
        yield "the panels are not in the order in which they are read"


def breaks_promql(board: Json) -> Complaints:
    """Every expression is PromQL, of metrics that are exported."""
    for asked in expressions(board):
        try:
            found = _selected(asked.expression)
        except (KeyError, ValueError) as error:
            yield f"{asked.where}: {error}"
            continue
        for one in found:
            if one.name not in SERIES:
                yield f"{asked.where}: {one.name} is not exported"


def breaks_matchers(board: Json) -> Complaints:
    """Every selector follows the variables, so that nothing of another installation is shown.

    A variable follows those before it, and those alone.
    """
    order = [variable["name"] for variable in board["templating"]["list"]]
    before = {f"variable {name}": set(order[:index]) for index, name in enumerate(order)}
    for asked in expressions(board):
        for one in _selected(asked.expression):
            labels = set(SERIES[one.name].labels) if one.name in SERIES else set()
            wanted = {*SCRAPED, *({"network"} & labels)} & before.get(asked.where, {*ANY})
            for label in wanted - one.labels:
                yield f"{asked.where}: {one.name} is not chosen by {label}"
            for label in one.labels - {*labels, *SCRAPED, "le"}:
                yield f"{asked.where}: {one.name} has no label {label}"


def breaks_rates(board: Json) -> Complaints:
    """Counters are read by how they grow, over the interval that Grafana chooses; gauges are not.

    A single number may be counted over all of the chosen time, and what has just appeared may be
    taken as it is.
    """
    for asked in expressions(board):
        windows = ("$__rate_interval", "$__range") if asked.instant else ("$__rate_interval",)
        bare = asked.expression
        for window in windows:
            bare = bare.replace(f"[{window}]", "")
        if "[" in bare:
            yield f"{asked.where}: a window that is not {' or '.join(windows)}"
        for one in _selected(APPEARED.sub("vector(0)", asked.expression)):
            counts = one.name in SERIES and SERIES[one.name].type in {"counter", "histogram"}
            if counts is not bool(RATES & set(one.inside)):
                yield f"{asked.where}: {' of '.join(one.inside) or 'the bare value'} of {one.name}"


def _selected(expression: str) -> list[Selected]:
    """Every selector. Raises ValueError for what is no PromQL, KeyError for an unknown variable."""
    return selected(filled(expression, ANY))


def breaks_annotations(board: Json) -> Complaints:
    """Openings, closings and maintenance are marked, from the chosen data source."""
    named = {each["name"]: each for each in board["annotations"]["list"]}
    if set(named) != {"Opened", "Closed", "Maintenance"}:
        yield f"it marks {sorted(named)}"
    for name, mark in named.items():
        if mark["datasource"] != DATASOURCE or not mark["enable"]:
            yield f"{name} does not follow the chosen data source, or is off"
        if mark["useValueForTime"] != ("timestamp_seconds" in mark["expr"]):
            yield f"{name} takes a time for a value, or a value for a time"
    for asked in marks(board):
        if "timestamp_seconds" in asked.expression and not asked.expression.startswith("1000 *"):
            yield f"{asked.where}: Grafana's times are milliseconds"


RULES: tuple[Rule, ...] = (
    breaks_variables,
    breaks_use,
    breaks_reload,
    breaks_board,
    breaks_panels,
    breaks_legends,
    breaks_grid,
    breaks_promql,
    breaks_matchers,
    breaks_rates,
    breaks_annotations,
)
