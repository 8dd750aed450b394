from __future__ import annotations

from dataclasses import replace

from monitor.act.page import CARDS_MAX, page_of
from monitor.model import Level
from tests.act import snapshots


def test_page_of_a_lost_fleet_is_bounded_and_says_what_it_left_out() -> None:
    """Two hundred failed nodes do not make the page endless; the worst are first."""
    snapshot = snapshots.fleet(200)
    for number in range(100):
        failed = snapshots.finding("head", f"node:node-{number:03d}", Level.FAILED)
        snapshot = snapshots.with_finding(snapshot, failed)
    page = page_of(snapshot, refresh_seconds=5)
    assert len(page.networks[0].cards) == CARDS_MAX
    assert page.cards_left_out == 100 - CARDS_MAX
    assert page.networks[0].nodes[0].level == "failed"
    assert len(page.networks[0].nodes) == 200


def test_page_row_of_an_unseen_node_is_empty_where_nothing_was_seen() -> None:
    """Neither a zero nor an old height stands where the node did not answer."""
    row = page_of(snapshots.unreachable(), refresh_seconds=5).networks[0].nodes[0]
    assert (row.number, row.hash, row.lag_blocks, row.lag_seconds, row.age) == ("",) * 5
    assert row.errors == "the connection was refused"
    assert {cell.badge for cell in row.cells} == {"unseen"}


def test_page_row_before_the_first_round_is_not_judged() -> None:
    """A check that was never made is none, not ok."""
    part = page_of(snapshots.beginning(), refresh_seconds=5).networks[0]
    assert {cell.badge for cell in part.nodes[0].cells} == {"none"}
    assert part.agreement == "waiting for the first round"
    assert part.round == "no round yet"


def test_page_lag_keeps_its_sign() -> None:
    """Behind is plus, ahead is minus, and level is a plain zero."""
    rows = page_of(snapshots.stalled(), refresh_seconds=5).networks[0].nodes
    assert [(row.lag_blocks, row.lag_seconds) for row in rows] == [("+9", "+108 s"), ("0", "")]


def test_page_reference_without_a_budget_shows_its_calls() -> None:
    """A reference of one's own may be asked without limit."""
    healthy = snapshots.healthy()
    free = replace(healthy.endpoints[0], calls_a_day=None)
    shown = replace(healthy, endpoints=(free, *healthy.endpoints[1:]))
    rows = page_of(shown, refresh_seconds=5).networks[0].references
    assert [row.budget for row in rows[:2]] == ["4,100", "4,100 of 50,000"]


def test_page_lead_is_the_one_cause() -> None:
    """One cause is told at the top; several are only named there."""
    assert page_of(snapshots.split(), refresh_seconds=5).lead.startswith("No hash has 2 of 3")
    assert page_of(snapshots.healthy(), refresh_seconds=5).lead == ""
    worse = snapshots.with_finding(
        snapshots.stalled(), snapshots.finding("fork", "node:spare", Level.FAILED)
    )
    assert page_of(worse, refresh_seconds=5).lead == ""


def test_page_skipped_checks_are_named() -> None:
    """What was not asked is said."""
    healthy = snapshots.healthy()
    skipped = replace(healthy.verdict, skipped=(("sync", "node:local"),))
    page = page_of(replace(healthy, verdict=skipped), refresh_seconds=5)
    assert page.skipped == ("sync of node local",)
