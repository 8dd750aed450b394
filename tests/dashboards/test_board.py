from __future__ import annotations

import pytest

from dashboards.board import Board, Line, Section, Variable, link_to
from dashboards.normal import plain
from dashboards.panels import Query, stat


def _stat(title: str) -> object:
    return stat(title, "A number.", Query("headwatch_ready", "x"))


def test_panels_lie_line_by_line_below_their_headings() -> None:
    """Widths are shared equally where none are given; nothing lies over anything."""
    board = Board(
        "x",
        "X",
        "A board.",
        (
            Section("", (Line(4, (_stat("a"), _stat("b"), _stat("c")), (6, 6, 12)),)),
            Section("More", (Line(5, (_stat("d"), _stat("e"))), Line(6, (_stat("f"),)))),
        ),
    )
    places = [
        (panel["title"], *(panel["gridPos"][key] for key in "xywh"))
        for panel in plain(board.dashboard())["panels"]
    ]
    assert places == [
        ("a", 0, 0, 6, 4),
        ("b", 6, 0, 6, 4),
        ("c", 12, 0, 12, 4),
        ("More", 0, 4, 24, 1),
        ("d", 0, 5, 12, 5),
        ("e", 12, 5, 12, 5),
        ("f", 0, 10, 24, 6),
    ]


def test_widths_for_other_panels_are_refused() -> None:
    """A width too many is a panel forgotten."""
    board = Board("x", "X", "A board.", (Section("", (Line(4, (_stat("a"),), (6, 6)),)),))
    with pytest.raises(ValueError, match="zip"):
        board.dashboard()


def test_variable_of_one_value_cannot_be_all() -> None:
    """A board of one node shows one node."""
    one = Variable("node", "Node", "label_values(headwatch_node_head_number, node)")
    board = Board("x", "X", "A board.", (), variables=(one,))
    found = plain(board.dashboard())["templating"]["list"]
    assert [each["name"] for each in found] == ["datasource", "job", "instance", "network", "node"]
    assert found[-1]["includeAll"] is found[-1]["multi"] is False
    assert "allValue" not in found[-1]


def test_edges_of_a_board_are_those_of_its_subject() -> None:
    """A node's board marks what happened to that node."""
    board = Board("x", "X", "A board.", (), edges_of=('node=~"$node"',))
    found = plain(board.dashboard())["annotations"]["list"]
    assert all('node=~"$node"' in each["expr"] for each in found)
    assert ['kind="opened"' in each["expr"] for each in found] == [True, False, False]


def test_link_carries_what_was_chosen_and_what_was_clicked() -> None:
    """The other board opens with the same source and time, on the row that was clicked."""
    assert link_to("node", network="Network", node="Node") == (
        "/d/headwatch-node?${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
        "&var-network=${__data.fields.Network}&var-node=${__data.fields.Node}&${__url_time_range}"
    )


def test_link_carries_further_variables_that_both_boards_have() -> None:
    """A board of the same node opens on that node."""
    assert link_to("checks", "network", "node") == (
        "/d/headwatch-checks?${datasource:queryparam}&${job:queryparam}&${instance:queryparam}"
        "&${network:queryparam}&${node:queryparam}&${__url_time_range}"
    )
