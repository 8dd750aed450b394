from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator

import pytest

from monitor.act.metrics import METRICS
from tests.dashboards import lint
from tests.dashboards.boards import BOARDS, Json, expressions, marks, panels, targets

NOT_DRAWN = {
    "headwatch_finding_edge_timestamp_seconds": "marked on the time axis of every board",
    "headwatch_network_info": "fills the variable `network`",
    "headwatch_node_head_timestamp_seconds": "drawn as an age",
    "process_virtual_memory_bytes": "says little of what a process needs",
}
"""Metrics that no panel shows, and why."""


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.__name__)
def test_board_keeps_the_rule(rule: lint.Rule, name: str) -> None:
    """What the rule's docstring says is true of every board."""
    found = list(rule(BOARDS[name]))
    assert not found, "\n".join(found)


def test_boards_show_every_metric_or_it_is_said_why_not() -> None:
    """A metric that is new gets its panel, and an exception whose reason is gone is taken out."""
    asked = " ".join(each.expression for board in BOARDS.values() for each in targets(board))
    missing = {m.name for m in METRICS if not any(f"{s}{{" in asked for s in m.series)}
    assert missing == set(NOT_DRAWN)


def test_boards_have_uids_of_their_own() -> None:
    """No board replaces another one when they are imported."""
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)


def test_links_between_boards_lead_somewhere() -> None:
    """A link to a board names one that is there, and variables that it has."""
    uids = {board["uid"]: board for board in BOARDS.values()}
    found = set()
    for board in BOARDS.values():
        for link in (link for panel in panels(board) for link in _links(panel)):
            path, _, query = link["url"].partition("?")
            target = uids[path.removeprefix("/d/")]
            names = {v["name"] for v in target["templating"]["list"]}
            given = {p.partition("=")[0] for p in query.split("&") if p[0] == "v"}
            given |= {f"var-{name}" for name in re.findall(r"\$\{(\w+):queryparam\}", query)}
            assert given <= {f"var-{name}" for name in names}
            found.add((board["uid"], target["uid"]))
    assert found == {
        ("headwatch-fleet", "headwatch-node"),
        ("headwatch-node", "headwatch-checks"),
    }


def _links(panel: Json) -> Iterator[Json]:
    """Those of its title, and those of its columns."""
    yield from panel.get("links", ())
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            yield from each["value"] if each["id"] == "links" else ()


# -- the rules, shown something bad ----------------------------------------------------------------


def _variable(board: Json, name: str) -> Json:
    found: Json = next(v for v in board["templating"]["list"] if v["name"] == name)
    return found


def _asks(expression: str) -> Callable[[Json], object]:
    return lambda board: _target(board).update(expr=expression)


def _target(board: Json) -> Json:
    target: Json = next(panels(board))["targets"][0]
    return target


CHOSEN = 'job=~"$job", instance=~"$instance"'


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (lint.breaks_variables, lambda b: b["templating"]["list"].pop(0)),
        (lint.breaks_variables, lambda b: b["templating"]["list"].remove(_variable(b, "job"))),
        (lint.breaks_variables, lambda b: _variable(b, "instance").update(allValue=".*")),
        (lint.breaks_variables, lambda b: _variable(b, "network").update(datasource={"uid": "x"})),
        (lint.breaks_variables, lambda b: _variable(b, "network").update(label="")),
        (lint.breaks_variables, lambda b: _variable(b, "network").pop("current")),
        (lint.breaks_use, _asks('headwatch_ready{job="$cluster"}')),
        (
            lint.breaks_use,
            lambda b: b["templating"]["list"].append({"name": "x", "query": "", "type": "custom"}),
        ),
        (lint.breaks_use, lambda b: b["templating"]["list"].reverse()),
        (lint.breaks_reload, lambda b: _variable(b, "job").update(refresh=1)),
        (lint.breaks_board, lambda b: b.update(editable=True)),
        (lint.breaks_board, lambda b: b.update(uid="abc")),
        (lint.breaks_board, lambda b: b.update(links=[])),
        (lint.breaks_panels, lambda b: next(panels(b)).update(title="")),
        (lint.breaks_panels, lambda b: next(panels(b)).update(description="")),
        (lint.breaks_panels, lambda b: next(panels(b)).update(targets=[])),
        (lint.breaks_panels, lambda b: next(panels(b)).update(datasource="Prometheus")),
        (lint.breaks_panels, lambda b: _target(b).update(datasource={"uid": "prom"})),
        (lint.breaks_panels, lambda b: next(panels(b))["fieldConfig"]["defaults"].pop("unit")),
        (lint.breaks_legends, lambda b: _timeline(b)["options"]["legend"].update(showLegend=False)),
        (lint.breaks_legends, lambda b: _timeline(b)["targets"][0].update(legendFormat="")),
        (lint.breaks_panels, lambda b: _steps(b)[0].update(value=0)),
        (lint.breaks_grid, lambda b: b["panels"][0].update(id=b["panels"][1]["id"])),
        (lint.breaks_grid, lambda b: b["panels"][0]["gridPos"].update(w=9)),
        (lint.breaks_grid, lambda b: b["panels"][-1]["gridPos"].update(x=13)),
        (lint.breaks_grid, lambda b: b["panels"].reverse()),
        (lint.breaks_promql, _asks(f"rate(headwatch_ready{{{CHOSEN}}})")),
        (lint.breaks_promql, _asks(f"sum(headwatch_ready{{{CHOSEN}}}")),
        (lint.breaks_promql, _asks(f"headwatch_renamed{{{CHOSEN}}}")),
        (lint.breaks_promql, _asks(f"headwatch_rpc_call_seconds{{{CHOSEN}}}")),
        (lint.breaks_matchers, _asks('headwatch_ready{job=~"$job"}')),
        (lint.breaks_matchers, _asks(f"headwatch_node_head_number{{{CHOSEN}}}")),
        (lint.breaks_matchers, _asks(f'headwatch_ready{{{CHOSEN}, node="a"}}')),
        (
            lint.breaks_matchers,
            lambda b: _variable(b, "instance").update(
                query="label_values(headwatch_build_info, instance)"
            ),
        ),
        (lint.breaks_rates, _asks(f"headwatch_history_errors_total{{{CHOSEN}}}")),
        (lint.breaks_rates, _asks(f"rate(headwatch_history_errors_total{{{CHOSEN}}}[5m])")),
        (lint.breaks_rates, _asks(f"rate(headwatch_ready{{{CHOSEN}}}[$__rate_interval])")),
        (lint.breaks_rates, _asks(f"deriv(headwatch_history_errors_total{{{CHOSEN}}}[$__range])")),
        (lint.breaks_annotations, lambda b: b["annotations"]["list"].pop()),
        (lint.breaks_annotations, lambda b: b["annotations"]["list"][0].update(enable=False)),
        (
            lint.breaks_rates,
            _asks(
                f"headwatch_history_errors_total{{{CHOSEN}}} "
                f"unless headwatch_scheduler_events_total{{{CHOSEN}}} offset $__range"
            ),
        ),
        (
            lint.breaks_annotations,
            lambda b: b["annotations"]["list"][0].update(useValueForTime=False),
        ),
        (
            lint.breaks_annotations,
            lambda b: b["annotations"]["list"][0].update(
                expr="headwatch_finding_edge_timestamp_seconds"
            ),
        ),
    ],
)
def test_rule_sees_what_breaks_it(rule: lint.Rule, change: Callable[[Json], object]) -> None:
    """A rule that has stopped seeing is noticed."""
    board = copy.deepcopy(BOARDS["fleet"])
    assert not list(rule(board))
    change(board)
    assert list(rule(board))


def _timeline(board: Json) -> Json:
    return next(panel for panel in panels(board) if panel["type"] == "state-timeline")


def _steps(board: Json) -> list[Json]:
    steps: list[Json] = next(panels(board))["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return steps


def test_rules_read_every_expression() -> None:
    """Panels, marks and variables are all among what the rules look at."""
    wheres = {asked.where for asked in expressions(BOARDS["fleet"])}
    assert {"Verdict A", "annotation Opened", "variable network"} <= wheres
    assert len(list(marks(BOARDS["fleet"]))) == 3
