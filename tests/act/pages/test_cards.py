from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.act.pages.cards import EVIDENCE_ROWS_MAX, card_of, href_of
from monitor.model import Evidence, Finding, Level
from tests.act import snapshots
from tests.act.snapshots import NOW


def failed(check: str = "stall", subject: str = "node:local") -> Finding:
    return next(f for f in snapshots.stalled().verdict.findings if f.key == (check, subject))


def test_card_says_what_how_far_since_when_and_what_to_do() -> None:
    """What an operator needs in the night, with the way to more."""
    card = card_of(failed(), NOW)
    assert (card.level, card.badge) == ("failed", "FAIL")
    assert (card.subject, card.href) == ("node local", "/node/local")
    assert card.measured == "measured 9 blocks, limit 2 blocks"
    assert card.since == "11:05:16 UTC, for 1 min 24 s"
    assert card.remedy.startswith("If only this node stands")
    assert card.runbook == "HeadwatchNodeStalled"
    assert [row.source for row in card.evidence] == [
        "local",
        "ethereum references (one, three, two)",
    ]


def test_card_of_what_another_explains_names_its_cause() -> None:
    """Under its cause it says so; where the cause is not shown it stands by itself."""
    assert card_of(failed("head"), NOW, depth=1).because == "stall"
    assert card_of(failed("head"), NOW).because == ""


def test_card_of_a_reference_leads_to_no_node() -> None:
    """Only nodes have a page."""
    finding = next(f for f in snapshots.split().verdict.findings if f.subject.endswith("/quorum"))
    card = card_of(finding, NOW)
    assert card.href == ""
    assert "/" not in card.anchor


@pytest.mark.parametrize(
    ("subject", "href"),
    [
        ("node:local", "/node/local"),
        ("account:scheduler", "/#account-scheduler"),
        ("tx:0xabcdef", "/transactions/0xabcdef"),
        ("reference:ethereum/a", ""),
        ("monitor", ""),
    ],
)
def test_subject_leads_to_where_more_is_said(subject: str, href: str) -> None:
    """Nodes and transactions have pages, accounts a place on the first."""
    assert href_of(subject) == href


def test_card_of_an_unknown_check_is_still_a_card() -> None:
    """A finding of a check that has no row has no advice, and is shown all the same."""
    card = card_of(snapshots.finding("mystery", "node:local", Level.FAILED), NOW)
    assert (card.title, card.remedy, card.runbook) == ("mystery", "", "")


def test_card_evidence_has_a_limit() -> None:
    """Fifty references do not make one card endless."""
    row = Evidence("a", "quorum", "block 1", NOW)
    finding = replace(failed(), evidence=(row,) * 50)
    assert len(card_of(finding, NOW).evidence) == EVIDENCE_ROWS_MAX
    assert card_of(finding, NOW, has_evidence=False).evidence == ()
