from __future__ import annotations

from monitor.act.pages.band import WINDOWS_MAX, band_of, window_rows
from monitor.maintenance import Window
from monitor.model import Level, Snapshot
from tests.act import snapshots
from tests.act.snapshots import NOW


def window(name: str = "w1", begin: float = -60, end: float = 3600, **more: object) -> Window:
    """A window from so many seconds from now to so many."""
    fields: dict[str, object] = {
        "networks": (),
        "nodes": ("local",),
        "reason": "client update",
        "actor": "alice",
    }
    return Window(name, NOW + begin, NOW + end, **{**fields, **more})  # type: ignore[arg-type]


def test_band_lead_is_the_one_cause() -> None:
    """One cause is told at the top; several are only named there."""

    def lead(snapshot: Snapshot) -> str:
        return band_of(snapshot, path="/", refresh_seconds=5).lead

    assert lead(snapshots.split()).startswith("No hash has 2 of 3")
    assert lead(snapshots.healthy()) == ""
    worse = snapshots.with_finding(
        snapshots.stalled(), snapshots.finding("fork", "node:spare", Level.FAILED)
    )
    assert lead(worse) == ""


def test_band_counts_worst_first_and_says_since_when() -> None:
    """What is read from across the room."""
    band = band_of(snapshots.stalled(), path="/", refresh_seconds=5)
    assert (band.word, band.title) == ("fail", "Fail")
    assert band.headline == "Node local FAILED: stall"
    assert band.counts == (("failed", "2 failed"), ("ok", "11 ok"))
    assert band.since == "11:05:16 UTC, for 1 min 24 s"


def test_band_links_keep_what_was_chosen() -> None:
    """Pausing a filtered page does not lose the filter."""
    plain = band_of(snapshots.healthy(), path="/", refresh_seconds=5)
    filtered = band_of(snapshots.healthy(), path="/incidents?node=local", refresh_seconds=5)
    assert (plain.joint, filtered.joint) == ("?", "&")


def test_window_that_is_active_says_until_when_and_whose_it_is() -> None:
    """Whoever wonders why nobody was told finds reason, person and end."""
    (row,) = window_rows([window()], NOW)
    assert row.is_active
    assert (row.what, row.reason, row.actor) == ("node local", "client update", "alice")
    assert row.until == "until 12:06:40 UTC, for another 1 h"


def test_window_that_is_near_says_when_it_begins() -> None:
    """A planned window is named a day ahead, one of next week not yet."""
    near = window("near", 3600, 7200, nodes=(), networks=("ethereum",))
    far = window("far", 7 * 86_400, 8 * 86_400)
    over = window("over", -7200, -3600)
    (row,) = window_rows([near, far, over], NOW)
    assert not row.is_active
    assert (row.what, row.until) == ("network ethereum", "from 12:06:40 UTC, for 1 h")


def test_windows_on_a_page_have_a_limit() -> None:
    """Two hundred windows do not push what is wrong off the page."""
    assert len(window_rows([window(f"w{n}") for n in range(200)], NOW)) == WINDOWS_MAX
    (row,) = window_rows([window(nodes=())], NOW)
    assert row.what == "everything"
