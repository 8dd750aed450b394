from __future__ import annotations

import gzip
from dataclasses import replace

from monitor.act.html import html_of
from monitor.act.pages.bars import COUNT
from monitor.act.pages.fleet import CARDS_EVIDENCE_MAX, CARDS_MAX, FleetPast, fleet_page
from monitor.history import Bar, Uptime
from monitor.model import Level, Snapshot
from tests.act import pasts, snapshots
from tests.act.snapshots import NOW

PAGE_BYTES_MAX = 320_000


def lost_fleet() -> Snapshot:
    """Two hundred nodes of which every second one stands still and is behind because of it."""
    snapshot = snapshots.fleet(200)
    failed = [f for f in snapshots.stalled().verdict.findings if f.level == Level.FAILED]
    for number in range(0, 200, 2):
        subject = f"node:node-{number:03d}"
        for finding in failed:
            because = None if finding.because is None else ("stall", subject)
            moved = replace(finding, subject=subject, because=because)
            snapshot = snapshots.with_finding(snapshot, moved)
    return snapshot


def torn_past(snapshot: Snapshot) -> FleetPast:
    """A day in which no half hour of any node was as the one before."""

    def bar(place: int, level: Level) -> Bar:
        seconds = [0.0, 0.0, 0.0, 0.0]
        seconds[level] = 1234.5
        ok, unknown, degraded, failed = seconds
        begin = NOW - (COUNT - place) * 1800.0
        return Bar(begin, sum(seconds), ok, unknown, degraded, failed)

    subjects = [f"node:{facts.name}" for facts in snapshot.endpoints if facts.kind == "node"]
    return FleetPast(
        bars={s: tuple(bar(n, Level((n * 3 + 1) % 4)) for n in range(COUNT)) for s in subjects},
        uptime={subject: Uptime(0.9123, 0.98, 0.99) for subject in subjects},
        is_kept=True,
    )


def test_page_of_a_lost_fleet_is_bounded_and_says_what_it_left_out() -> None:
    """Two hundred failed findings do not make the page endless; the worst nodes are first."""
    page = fleet_page(lost_fleet(), refresh_seconds=5)
    assert len(page.networks[0].cards) == CARDS_MAX
    assert page.cards_left_out == 200 - CARDS_MAX
    assert page.networks[0].nodes[0].level == "failed"
    assert len(page.networks[0].nodes) == 200
    assert sum(bool(card.evidence) for card in page.networks[0].cards) == CARDS_EVIDENCE_MAX


def test_page_of_a_torn_fleet_stays_below_its_size() -> None:
    """Two hundred nodes, half of them failing, the worst day that bars can draw: 320 kB."""
    snapshot = lost_fleet()
    past = torn_past(snapshot)
    page = html_of(fleet_page(snapshot, refresh_seconds=5, past=past)).encode()
    assert len(page) < PAGE_BYTES_MAX, f"{len(page)} bytes"
    assert len(gzip.compress(page, 1)) < PAGE_BYTES_MAX // 4


async def test_page_of_a_fleet_with_a_history_stays_below_its_size() -> None:
    """Two hundred nodes with what a real history says of them: 320 kB."""
    snapshot = snapshots.fleet(200)
    subjects = [f"node:{facts.name}" for facts in snapshot.endpoints if facts.kind == "node"]
    history = await pasts.history_at()
    pasts.live_through(history, [(0.5, snapshot), (0.1, lost_fleet()), (0.4, snapshot)])
    await history.flush()
    past = FleetPast(
        await history.bars(subjects, span_seconds=86_400, count=COUNT),
        await history.uptime(subjects),
        await history.incidents(limit=6),
        is_kept=True,
    )
    await history.close()
    page = fleet_page(snapshot, refresh_seconds=5, past=past)
    row = page.networks[0].nodes[0]
    assert [level for level, _ in row.strip.paths] == ["failed", "ok"]
    assert row.uptime not in {"", "100 %"}
    assert len(page.incidents) == 6
    assert len(html_of(page).encode()) < PAGE_BYTES_MAX


def test_page_advice_of_a_check_is_given_once() -> None:
    """Forty times the same advice would be read by nobody."""
    cards = fleet_page(lost_fleet(), refresh_seconds=5).networks[0].cards
    assert [card.check for card in cards if card.remedy and not card.depth] == ["stall"]


def test_page_before_the_first_round_waits() -> None:
    """Nothing was asked, and the page says so instead of a number."""
    part = fleet_page(snapshots.beginning(), refresh_seconds=5).networks[0]
    assert part.agreement == "waiting for the first round"
    assert part.round == "no round yet"
    assert part.head == ""


def test_page_skipped_checks_are_named() -> None:
    """What was not asked is said."""
    healthy = snapshots.healthy()
    skipped = replace(healthy.verdict, skipped=(("sync", "node:local"),))
    page = fleet_page(replace(healthy, verdict=skipped), refresh_seconds=5)
    assert page.skipped == ("sync of node local",)


def test_page_marks_what_nobody_is_told_of() -> None:
    """A node under maintenance is marked where it stands."""
    snapshot = replace(snapshots.stalled(), silenced=frozenset({"node:local"}))
    rows = fleet_page(snapshot, refresh_seconds=5).networks[0].nodes
    assert [(row.name, row.is_silenced) for row in rows] == [("local", True), ("spare", False)]


def test_page_says_that_the_history_is_not_written() -> None:
    """Bars that end are explained where they are looked at."""
    past = FleetPast(is_kept=True, problem="the disk is <full>")
    html = html_of(fleet_page(snapshots.healthy(), refresh_seconds=5, past=past))
    assert "The history is not written now:</b> the disk is &lt;full&gt;" in html
