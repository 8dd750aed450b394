"""The section of the ledgers on the first page."""

from __future__ import annotations

from monitor.act.html import html_of
from monitor.act.pages.fleet import fleet_page
from monitor.act.pages.ledgers import ScoreBar, ledger_cards
from tests.act import snapshots
from tests.act.ledgers import (
    NAME,
    OTHER,
    WHY,
    compared,
    differing,
    kept,
    two_ledgers,
    wrong,
)
from tests.act.snapshots import NOW


def test_section_is_not_there_where_no_ledger_is_configured() -> None:
    """Who watches nodes alone sees nothing of ledgers."""
    assert 'id="ledgers"' not in html_of(fleet_page(snapshots.healthy(), refresh_seconds=5))


def test_cards_have_the_worst_first_and_what_the_ledger_comes_to() -> None:
    """What differs is seen at once, with money to the last nRLC."""
    first, second = ledger_cards(two_ledgers())
    assert (first.name, first.level, first.badge) == (NAME, "failed", "FAIL")
    facts = {fact.name: fact.words for fact in first.facts}
    (many,) = (fact for fact in first.facts if fact.name == "differences")
    assert (many.words, many.note, many.is_odd) == ("3", "1 invariant, 2 stake", True)
    assert facts["paid"] == "2,400.000000001 RLC"
    assert facts["compared"] == "1 min ago"
    assert facts["took"] == "4.2 s"
    assert [one.words for one in first.contributions][1] == "3 faulty"
    assert (second.name, second.level) == (OTHER, "unknown")
    assert second.summary == "reconciled for the first time"


def test_scores_are_drawn_up_to_the_last_band_that_has_a_worker() -> None:
    """Bands that weigh the same; the fullest is the measure of all."""
    (card,) = ledger_cards(kept(snapshots.healthy(), (compared(), None)))
    assert card.scores == (
        ScoreBar("0", "2", 100),
        ScoreBar("1", "1", 50),
        ScoreBar("2", "0", 0),
        ScoreBar("3-4", "1", 50),
        ScoreBar("5-8", "0", 0),
        ScoreBar("9-16", "1", 50),
        ScoreBar("17-32", "1", 50),
    )


def test_ledger_that_was_not_reconciled_for_long_is_odd() -> None:
    """An age that is out of the ordinary is marked."""
    old = compared(reconciled_at=NOW - 3600)
    (card,) = ledger_cards(kept(snapshots.healthy(), (old, None)))
    (age,) = (fact for fact in card.facts if fact.name == "compared")
    assert (age.words, age.is_odd) == ("1 h ago", True)


def test_page_shows_differences_and_links_to_the_report() -> None:
    """What a person reads on the page is what was found, and where there is more."""
    page = html_of(fleet_page(kept(snapshots.healthy(), (wrong(), differing())), refresh_seconds=5))
    assert WHY in page
    assert f'href="/api/v1/ledger/{NAME}"' in page
    assert "2,400.000000001 RLC" in page
