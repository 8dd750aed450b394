from __future__ import annotations

from typing import Any

from dashboards import normal
from dashboards.board import Board, Line, Section
from dashboards.panels import (
    LEVELS,
    PLAIN,
    Column,
    Panel,
    Query,
    Step,
    mappings,
    stat,
    table,
    thresholds,
    timeline,
    timeseries,
)

READY = Query('headwatch_ready{job="a"}', "{{instance}}")


def written(panel: Panel) -> dict[str, Any]:
    """The panel as a board's file has it."""
    board = Board("x", "X", "A board.", (Section("", (Line(4, (panel,)),)),))
    found: dict[str, Any] = normal.plain(board.dashboard())["panels"][0]
    return found


def test_levels_have_the_colours_that_alerts_and_pages_have() -> None:
    """Green is ok, purple is unknown and neither good nor bad, orange degraded, red failed."""
    assert [(step.value, step.color, step.text) for step in LEVELS] == [
        (0, "green", "ok"),
        (1, "purple", "unknown"),
        (2, "orange", "degraded"),
        (3, "red", "failed"),
    ]
    ((found),) = mappings(LEVELS)
    assert found["options"]["3"] == {"color": "red", "index": 3, "text": "failed"}


def test_first_threshold_reaches_down_without_end() -> None:
    """Grafana writes that as null, and takes 0 for a threshold that a negative lag is below."""
    steps = thresholds((Step(0, "green"), Step(2, "red")))
    assert steps == [{"color": "green", "value": None}, {"color": "red", "value": 2}]
    assert written(stat("T", "D.", READY))["fieldConfig"]["defaults"]["thresholds"]["steps"] == [
        {"color": "text", "value": None}
    ]


def test_numbers_without_words_have_no_mapping() -> None:
    """A plain number is shown as itself."""
    assert mappings(PLAIN) == []


def test_target_says_whether_it_is_of_one_moment() -> None:
    """A stat asks once, a curve for a range; a curve may show exemplars."""
    (one,) = written(stat("T", "D.", READY))["targets"]
    assert (one["instant"], one["range"], one["format"]) == (True, False, "time_series")
    exemplary = Query("headwatch_ready", "x", exemplars=True)
    curve = written(timeseries("T", "D.", READY, exemplary, unit="s"))["targets"]
    assert [(each["instant"], each["range"], each["refId"]) for each in curve] == [
        (False, True, "A"),
        (False, True, "B"),
    ]
    assert [each["exemplar"] for each in curve] == [False, True]


def test_limit_is_drawn_as_a_dashed_line() -> None:
    """A limit is told from what is measured against it, by its legend's first word."""
    limited = timeseries("T", "D.", READY, Query("headwatch_ready", "limit {{network}}"), unit="s")
    (override,) = written(limited)["fieldConfig"]["overrides"]
    assert override["matcher"] == {"id": "byRegexp", "options": "/^limit/"}
    assert not written(timeseries("T", "D.", READY, unit="s"))["fieldConfig"]["overrides"]


def test_timeline_shows_its_legend_and_its_words() -> None:
    """They are ours: grafanalib writes neither a legend's switch nor a unit."""
    found = written(timeline("T", "D.", READY))
    assert found["options"]["legend"]["showLegend"] is True
    assert found["fieldConfig"]["defaults"]["unit"] == "none"
    assert found["fieldConfig"]["defaults"]["mappings"] == mappings(LEVELS)


def test_table_joins_its_queries_and_names_their_columns() -> None:
    """Each value is under its heading, in the order of the columns; helpers are hidden."""
    found = written(
        table(
            "T",
            "D.",
            Column("Node", "node", link="/d/x"),
            Column("Level", "max(headwatch_ready)", steps=LEVELS),
            Column("Client", "client"),
            sort_by="Level",
            hidden="headwatch_node_info{}",
        )
    )
    assert [target["format"] for target in found["targets"]] == ["table", "table"]
    merge, organize = found["transformations"]
    assert merge["id"] == "merge"
    assert organize["options"] == {
        "excludeByName": {"Time": True, "Value #B": True},
        "indexByName": {"node": 0, "Value #A": 1, "client": 2},
        "renameByName": {"node": "Node", "Value #A": "Level", "client": "Client"},
    }
    assert found["options"]["sortBy"] == [{"desc": True, "displayName": "Level"}]
    properties = {
        override["matcher"]["options"]: {each["id"] for each in override["properties"]}
        for override in found["fieldConfig"]["overrides"]
    }
    assert "links" in properties["Node"]
    assert {"mappings", "thresholds", "custom.cellOptions"} <= properties["Level"]


def test_timeline_leads_on_from_its_title() -> None:
    """The address holds all that is carried over, so that Grafana adds nothing."""
    found = written(timeline("T", "D.", READY, links=(("More", "/d/x"),)))
    (link,) = found["links"]
    assert (link["title"], link["url"], link["type"]) == ("More", "/d/x", "link")
    assert not link["targetBlank"] | link["includeVars"] | link["keepTime"]
    assert written(timeline("T", "D.", READY))["links"] == []
