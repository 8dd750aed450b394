from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.act.html import html_of
from monitor.act.pages.accounts import (
    CARDS_MAX,
    LINES_MAX,
    SLOTS_MAX,
    AccountCard,
    AccountsPart,
    Fact,
    accounts_part,
)
from monitor.act.pages.fleet import fleet_page
from monitor.model import AccountFacts, Level, SlotFacts, account_subject
from monitor.transactions.words import State
from tests.act import snapshots
from tests.act.accounts import (
    ALIAS,
    HOSTILE,
    OTHER,
    quiet_account,
    slot_facts,
    stuck_account,
    tx_hash,
    watched,
)
from tests.act.markup import Document
from tests.act.snapshots import NETWORK, NOW, finding

ETHER = 10**18


def part_of(*accounts: AccountFacts, **changes: object) -> AccountsPart:
    snapshot = replace(watched(), **changes)  # type: ignore[arg-type]
    part = accounts_part(replace(snapshot, accounts=accounts) if accounts else snapshot)
    assert part is not None
    return part


def card_of(facts: AccountFacts) -> AccountCard:
    part = part_of(facts)
    (card,) = (*part.cards, *part.quiet)
    return card


def fact_of(facts: AccountFacts, name: str) -> Fact:
    card = card_of(facts)
    (fact,) = (f for f in (*card.nonces, *card.facts, card.asked) if f.name == name)
    return fact


def test_section_is_not_there_where_no_account_is_watched() -> None:
    """Who watches nodes alone sees nothing of transactions."""
    page = fleet_page(snapshots.healthy(), refresh_seconds=5)
    assert page.accounts is None
    assert 'id="transactions"' not in html_of(page)


def test_section_has_a_card_for_trouble_and_a_line_for_rest() -> None:
    """What is on its way is seen at once; an account at rest takes a line."""
    part = part_of()
    assert [card.alias for card in part.cards] == [ALIAS]
    assert [card.alias for card in part.quiet] == [OTHER]
    (card,) = part.cards
    assert (card.level, card.badge) == ("degraded", "warn")
    assert card.summary == "1 of 3 transactions is not passed on: nonce 17"
    assert card.since == "11:03:20 UTC, for 3 min 20 s"
    assert [(s.words, s.level) for s in card.states] == [
        ("1 not propagated", "degraded"),
        ("1 blocked", "ok"),
        ("1 pending", "ok"),
    ]
    assert [slot.nonce for slot in card.slots] == ["17", "18", "19"]
    assert card.slots[0].hash == tx_hash(17)
    assert card.slots[0].age == "6 min 40 s"
    assert card.slots_left_out == 0


def test_account_that_failed_has_a_card_though_nothing_is_on_its_way() -> None:
    """A journal that cannot be written is no rest; one that nobody has judged yet is not well."""
    failed = finding("transactions", account_subject(OTHER), Level.FAILED, "journal_failed")
    snapshot = snapshots.with_finding(watched(), failed)
    part = accounts_part(snapshot)
    assert part is not None
    assert [card.alias for card in part.cards] == [OTHER, ALIAS], "the worst first"
    (card,) = part_of(replace(quiet_account(), alias="new")).quiet
    assert (card.level, card.badge, card.summary) == ("unknown", "unseen", "not judged yet")


@pytest.mark.parametrize(
    ("mode", "words"), [("acting", None), ("dry_run", "Dry run"), ("halted", "Halted")]
)
def test_banner_says_that_nothing_is_sent(mode: Any, words: str | None) -> None:
    """Whoever waits for help sees that none is coming."""
    part = part_of(transactions_mode=mode)
    assert (part.banner and part.banner[0]) == words
    snapshot = replace(watched(), transactions_mode=mode)
    html = html_of(fleet_page(snapshot, refresh_seconds=5))
    assert (f'class="banner {mode}"' in html) == (words is not None)


def test_nonces_are_the_network_s_and_the_node_s() -> None:
    """Where they differ, that is what is to be seen; where nothing was seen, no number is made."""
    facts = stuck_account()
    assert fact_of(facts, "nonce of the network") == Fact("nonce of the network", "17")
    assert fact_of(facts, "nonce of local") == Fact("nonce of local", "17")
    assert fact_of(facts, "with its pool") == Fact(
        "with its pool", "20", "3 known to it alone", is_odd=True
    )
    torn = replace(facts, nonces={**facts.nonces, (f"{NETWORK}/b", "latest"): 16})
    assert fact_of(torn, "nonce of the network").words == "16–17"
    assert fact_of(torn, "nonce of the network").note == "the references differ"
    unseen = replace(facts, nonces={})
    for name in ("nonce of the network", "nonce of local", "with its pool"):
        assert fact_of(unseen, name).words == "not seen"
    stale = fact_of(replace(facts, is_local_stale=True), "nonce of local")
    assert (stale.note, stale.is_odd) == ("behind the network", True)


def test_nonces_of_another_network_of_the_same_beginning_are_not_counted() -> None:
    """`ethereum-2018/a` is no reference of `ethereum`; neither is what a node has in its pool."""
    facts = stuck_account()
    more = {("ethereum-2018/a", "latest"): 99, (f"{NETWORK}/a", "pending"): 98}
    shown = fact_of(replace(facts, nonces={**facts.nonces, **more}), "nonce of the network")
    assert shown.words == "17"


@pytest.mark.parametrize(
    ("spent", "limit", "words", "share", "is_odd"),
    [
        (0, ETHER, "0 of 1 ether", "0 %", False),
        (12 * 10**15, 5 * 10**16, "0.012 of 0.05 ether", "24 %", False),
        (ETHER - 1, ETHER, "0.999999999999999999 of 1 ether", "99 %", False),
        (ETHER, ETHER, "1 of 1 ether", "100 %", True),
        (0, 0, "0 of 0 ether", "", True),
    ],
)
def test_budget_is_exact_and_its_share_is_cut(
    spent: int, limit: int, words: str, share: str, *, is_odd: bool
) -> None:
    """100 % is all of it, and then it is marked."""
    facts = replace(stuck_account(), budget_spent_wei=spent, budget_limit_wei=limit)
    assert fact_of(facts, "gas of today") == Fact("gas of today", words, share, is_odd=is_odd)


def test_budget_is_not_there_where_nothing_may_be_signed() -> None:
    """Nothing can be spent of nothing."""
    facts = replace(stuck_account(), budget_limit_wei=None)
    assert "gas of today" not in [fact.name for fact in card_of(facts).facts]


def hole(nonce: int) -> SlotFacts:
    return replace(slot_facts(nonce, State.GAP, Level.FAILED, "nothing is known", 9.0), hash=None)


def test_gap_is_counted_and_its_nonces_are_named() -> None:
    """The list that the sender needs, as far as it is known and short."""
    facts = replace(stuck_account(), gap_nonces=2, slots=(hole(15), hole(14)))
    assert fact_of(facts, "missing nonces") == Fact("missing nonces", "2", "14, 15", is_odd=True)
    many = replace(facts, gap_nonces=9, slots=tuple(hole(nonce) for nonce in range(7)))
    assert fact_of(many, "missing nonces").note == "0, 1, 2, 3, 4, 5, …"
    assert "missing nonces" not in [fact.name for fact in card_of(stuck_account()).facts]
    html = html_of(fleet_page(replace(watched(), accounts=(facts,)), refresh_seconds=5))
    assert 'href="/transactions/"' not in html


def test_evidence_that_is_weak_is_marked() -> None:
    """Nothing is done on it, and that is seen beside when it was asked."""
    shown = fact_of(replace(stuck_account(), is_evidence_weak=True), "references asked")
    assert shown == Fact("references asked", "3.0 s ago", "too few answered", is_odd=True)
    assert fact_of(replace(stuck_account(), round_at=None), "references asked").words == "not yet"


def test_section_of_many_accounts_and_transactions_is_bounded() -> None:
    """A thousand accounts and as many transactions make no endless page; the rest is counted."""
    slots = tuple(slot_facts(n, State.PENDING, Level.OK, "x", 1.0) for n in range(30))
    busy = [
        replace(stuck_account(), alias=f"a{n:04d}", states={"pending": 1000}, slots=slots)
        for n in range(CARDS_MAX + 1)
    ]
    quiet = [replace(quiet_account(), alias=f"q{n:04d}") for n in range(1000)]
    part = part_of(*busy, *quiet)
    assert len(part.cards) == CARDS_MAX
    assert len(part.quiet) == LINES_MAX
    assert part.left_out == len(busy) + len(quiet) - CARDS_MAX - LINES_MAX
    assert {len(card.slots) for card in part.cards} == {SLOTS_MAX}
    assert {card.slots_left_out for card in part.cards} == {1000 - SLOTS_MAX}
    snapshot = replace(watched(), accounts=(*busy, *quiet))
    assert len(html_of(fleet_page(snapshot, refresh_seconds=5))) < 250_000


def test_section_in_html_links_and_names_everything() -> None:
    """Each transaction has its page, its whole hash in the title, and its sentence."""
    html = html_of(fleet_page(watched(), refresh_seconds=5))
    document = Document(html)
    for words in (
        "sent through local",
        "1 not propagated",
        "3 known to it alone",
        "0.012 of 0.05 ether",
        "rebroadcast: ethereum/a accepted",
        "Other accounts",
    ):
        assert words in document.text
    links = {a.get("href"): a.get("title") for tag, a in document.tags if tag == "a"}
    assert links[f"/transactions/{tx_hash(17)}"] in {tx_hash(17), None}
    assert 'id="transactions"' in html
    assert f'id="account-{ALIAS}"' in html
    assert f'href="/#account-{ALIAS}"' in html, "what is wrong links to its account"


def test_section_escapes_what_nodes_say() -> None:
    """A summary quotes nodes; it is text."""
    slot = replace(stuck_account().slots[0], summary=HOSTILE)
    snapshot = replace(watched(), accounts=(replace(stuck_account(), slots=(slot,)),))
    html = html_of(fleet_page(snapshot, refresh_seconds=5))
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_moment_before_the_round_that_is_shown_is_no_negative_time() -> None:
    """A clock that was set back makes no sign."""
    facts = replace(stuck_account(), round_at=NOW + 5)
    assert fact_of(facts, "references asked").words == "0.0 s ago"
