"""The alerts that an Alertmanager should know of, in every order of events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.act.notify.board import Board, Labels
from monitor.act.notify.standing import Standing, follow
from monitor.act.words import rfc3339
from monitor.model import Level
from tests.act.notify.stage import World, finding

OK, UNKNOWN, DEGRADED, FAILED = Level
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("stall", "head", "fork")), st.sampled_from(list(Level))),
        st.tuples(st.just("post"), st.sampled_from(("taken", "refused connection", "no answer"))),
    ),
    max_size=40,
)


def test_alert_that_no_row_tells_of_is_not_posted() -> None:
    """There is no name for it."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding("no such"), now=1.0), world.verdict(1.0))
    assert not board.refresh(standing, world.silenced, 1.0)
    assert board.is_empty


def test_labels_of_ours_win_and_empty_ones_are_left_out() -> None:
    """A configured label cannot take an alert away from its route."""
    world, board = World(), Board(300.0, {"node": "mine", "team": "nodes"})
    standing, _ = follow({}, world.put(finding(), now=1.0), world.verdict(1.0))
    board.refresh(standing, world.silenced, 1.0)
    (labels,) = board.sheet(1.0).alerts
    assert dict(labels)["node"] == "local"
    assert dict(labels)["team"] == "nodes"


def test_end_is_never_before_the_beginning() -> None:
    """Alertmanager refuses such an alert; a clock that was set back makes one."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding(), now=100.0), world.verdict(100.0))
    board.refresh(standing, world.silenced, 100.0)
    sheet = board.sheet(100.0)
    board.accepted(sheet, sheet.alerts)
    board.refresh({}, world.silenced, 50.0)
    (alert,) = board.sheet(50.0).alerts.values()
    assert str(alert["endsAt"]) >= str(alert["startsAt"])


def test_alert_of_a_later_time_begins_now() -> None:
    """Alertmanager refuses for good what ends before it begins, and fires until an end to come."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding(), now=7200.0), world.verdict(7200.0))
    board.refresh(standing, world.silenced, 7200.0)
    (alert,) = board.sheet(3600.0).alerts.values()
    assert (alert["startsAt"], alert["endsAt"]) == (rfc3339(3600.0), rfc3339(3900.0))
    (again,) = board.sheet(3700.0).alerts.values()
    assert (again["startsAt"], again["endsAt"]) == (rfc3339(3600.0), rfc3339(4000.0))
    board.refresh({}, world.silenced, 3800.0)
    (over,) = board.sheet(3700.0).alerts.values()
    assert (over["startsAt"], over["endsAt"]) == (rfc3339(3600.0), rfc3339(3700.0))


def test_refused_alert_is_not_posted_again_until_it_begins_anew() -> None:
    """What is refused for what it is may be another one next time."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding(), now=1.0), world.verdict(1.0))
    board.refresh(standing, world.silenced, 1.0)
    (labels,) = board.sheet(1.0).alerts
    board.refused(labels)
    board.refresh(standing, world.silenced, 2.0)
    assert board.is_empty
    assert board.waiting == 0
    board.refresh({}, world.silenced, 3.0)
    board.refused(labels)
    board.refresh(standing, world.silenced, 4.0)
    assert list(board.sheet(4.0).alerts) == [labels]


def test_alert_that_ends_while_its_refusal_is_under_way_is_gone() -> None:
    """Its end would be refused as well."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding(), now=1.0), world.verdict(1.0))
    board.refresh(standing, world.silenced, 1.0)
    (labels,) = board.sheet(1.0).alerts
    board.refresh({}, world.silenced, 2.0)
    board.refused(labels)
    assert not board.sheet(3.0).alerts


def test_alert_that_ends_while_nobody_is_reached_is_gone() -> None:
    """Nobody heard of it, so that nobody needs to hear of its end."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding(), now=1.0), world.verdict(1.0))
    board.refresh(standing, world.silenced, 1.0)
    sheet = board.sheet(1.0)
    board.refresh({}, world.silenced, 2.0)
    board.unreached(sheet, sheet.alerts)
    assert not board.sheet(3.0).alerts


def test_alert_that_opens_again_while_its_end_is_under_way_stays() -> None:
    """What was acknowledged is the end of the one before."""
    world, board = World(), Board(300.0)
    standing, _ = follow({}, world.put(finding(), now=1.0), world.verdict(1.0))
    board.refresh(standing, world.silenced, 1.0)
    first = board.sheet(1.0)
    board.accepted(first, first.alerts)
    board.refresh({}, world.silenced, 2.0)
    ending = board.sheet(2.0)
    board.refresh(standing, world.silenced, 3.0)
    board.accepted(ending, ending.alerts)
    assert board.waiting == 1
    assert len(board.sheet(4.0).alerts) == 1


@given(STEPS)
def test_whatever_happens_the_receiver_ends_up_with_what_is_firing(
    steps: list[tuple[str, object]],
) -> None:
    """And it was never sent the end of what it cannot have heard of."""
    world, board, now = World(), Board(1000.0), 0.0
    standing: Standing = {}
    firing: set[Labels] = set()
    heard: set[Labels] = set()
    for what, value in [*steps, ("post", "taken")]:
        now += 1.0
        if what != "post":
            edges = world.put(finding(what, level=Level(int(str(value)))), now=now)
            standing, _ = follow(standing, edges, world.verdict(now))
            board.refresh(standing, world.silenced, now)
            continue
        sheet = board.sheet(now)
        if value == "refused connection":
            board.unreached(sheet, sheet.alerts)
            continue
        for labels, end in sheet.ends.items():
            assert end is None or labels in heard
            heard.add(labels)
            (firing.add if end is None else firing.discard)(labels)
        if value == "taken":
            board.accepted(sheet, sheet.alerts)
    expected = Board(1000.0)
    expected.refresh(standing, world.silenced, now)
    assert firing == set(expected.sheet(now).alerts)
    assert board.waiting == 0
