from __future__ import annotations

from dataclasses import replace

from monitor.act.pages.node import NodePage, NodePast, network_of, node_of, node_page
from monitor.history import LagPoint, Uptime
from monitor.maintenance import Window
from monitor.model import Snapshot
from tests.act import snapshots
from tests.act.pages.test_bars import bar
from tests.act.snapshots import NOW


def page_of(snapshot: Snapshot, name: str = "local", **more: object) -> NodePage:
    facts = node_of(snapshot, name)
    assert facts is not None
    return node_page(snapshot, facts, refresh_seconds=5, **more)  # type: ignore[arg-type]


def test_node_page_speaks_of_one_node_alone() -> None:
    """Its verdict is its own: the trouble of another is not its."""
    snapshot = snapshots.stalled()
    sick, well = page_of(snapshot), page_of(snapshot, "spare")
    assert (sick.band.word, sick.band.headline) == ("fail", "Node local FAILED: stall")
    assert (well.band.word, well.band.headline) == (
        "pass",
        "Node spare is on the network's chain",
    )
    assert {card.subject for card in well.cards} == {"node spare"}


def test_node_page_shows_every_check_the_bad_ones_first() -> None:
    """What follows from another stands under it, and what is well is shown as well."""
    cards = page_of(snapshots.stalled()).cards
    assert [(card.check, card.level, card.depth) for card in cards] == [
        ("stall", "failed", 0),
        ("head", "failed", 1),
        ("fork", "ok", 0),
        ("identity", "ok", 0),
    ]


def test_node_page_shows_probes_and_raw_answers() -> None:
    """As `/probe?debug=1`: when it was asked, how long it took, what it said."""
    page = page_of(snapshots.unreachable())
    assert [row.probe for row in page.probes] == ["head", "identity", "fork"]
    assert page.probes[0].said == "not seen, refused: the connection was refused"
    assert "LAST ANSWER" in page.raw
    assert page_of(snapshots.healthy()).probes[0].said == "answered"


def test_node_page_without_a_past_leaves_it_out() -> None:
    """No history: no bars, no chart, no uptime, and no zero in their place."""
    page = page_of(snapshots.healthy())
    assert (page.has_history, page.uptime, page.slots, page.line.path) == (False, (), (), "")


def test_node_page_with_a_past_shows_it() -> None:
    """Bars, shares of three spans, and the line of its lag under the limit."""
    past = NodePast(
        bars=(None, bar(1), bar(2, failed=60)),
        uptime=Uptime(0.999, 1.0, None),
        lag=(LagPoint(NOW - 60, 100, 3, 103),),
        is_kept=True,
    )
    page = page_of(snapshots.stalled(), past=past)
    assert page.uptime == (("24 h", "99.9 %"), ("7 days", "100 %"), ("30 days", "not known"))
    assert [slot.level for slot in page.slots] == ["ok", "failed"]
    assert page.line.words == "at most 3 blocks behind, limit 2"


def test_node_page_names_only_the_windows_that_cover_it() -> None:
    """Maintenance of another node is of no interest here."""
    windows = [
        Window(name, NOW - 60, NOW + 60, (), (node,), "update", "alice")
        for name, node in (("w1", "spare"), ("w2", "local"))
    ]
    page = page_of(snapshots.stalled(), windows=windows)
    assert [row.what for row in page.windows] == ["node local"]


def test_node_page_badge_can_be_copied() -> None:
    """Markdown with the address under which people reach the page."""
    page = page_of(snapshots.healthy(), page_url="https://status.example.org/")
    assert page.badge == (
        "[![local](https://status.example.org/badge/local.svg)]"
        "(https://status.example.org/node/local)"
    )


def test_node_of_is_no_reference_and_no_stranger() -> None:
    """Only nodes have a page."""
    healthy = snapshots.healthy()
    assert node_of(healthy, "ethereum/a") is None
    assert node_of(healthy, "nobody") is None
    facts = node_of(healthy, "local")
    assert facts is not None
    assert network_of(healthy, replace(facts, network="elsewhere")) is None
