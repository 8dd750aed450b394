from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.act.html import html_of
from monitor.act.pages.story import RAW_BYTES_MAX, SENDS_MAX, STAGES_MAX, StoryPage, story_page
from monitor.act.transactions import find, veiled
from monitor.transactions.journal import Reader
from monitor.transactions.story import Stage, Story
from monitor.transactions.words import State
from tests.act.accounts import ALIAS, HOSTILE, raw_of, transaction, tx_hash, watched, written
from tests.act.markup import Document
from tests.act.snapshots import NOW, TIP, hash_of


async def story_of(tmp_path: Path, nonce: int = 17) -> Story:
    path = await written(tmp_path / "journal.sqlite")
    return find(Reader(path), f"{ALIAS}/{nonce}")


def page_of(story: Story) -> StoryPage:
    name = f"{ALIAS}/{story.slot.nonce}"
    return story_page(watched(), story, name=name, refresh_seconds=5)


async def test_page_tells_the_story_with_the_newest_first(tmp_path: Path) -> None:
    """Where it stands, since when, why, and what was sent to whom."""
    page = page_of(await story_of(tmp_path))
    assert (page.title, page.state) == (f"nonce 17 of {ALIAS}", "not propagated")
    assert (page.level, page.badge) == ("degraded", "warn")
    assert page.summary == "pending on local for 16 blocks, and no reference knows it"
    assert [stage.state for stage in page.stages] == ["not propagated", "pending"]
    newest, first = page.stages
    assert (newest.row, newest.lasted) == ("12", "3 min 20 s")
    assert first.lasted == "3 min 20 s"
    assert [row.source for row in newest.evidence] == ["local", "ethereum/a"]
    assert [(send.node, send.reaction) for send in page.sends] == [
        ("ethereum/b", "transport"),
        ("ethereum/a", "accepted"),
    ]
    (attempt,) = page.attempts
    assert dict(attempt.fields)["value"] == "2 ether"
    assert dict(attempt.fields)["gas"] == "21,000, at most 0.00063 ether"
    assert attempt.source == "came through the tap"
    assert raw_of(17).hex() in attempt.curl
    assert f"headwatch tx rebroadcast {tx_hash(17)}" in page.commands
    assert dict(page.facts)["age"] == "6 min 40 s"


async def test_page_of_a_closed_one_offers_nothing(tmp_path: Path) -> None:
    """Its nonce is used: what took it is marked, how long it took is said, no order is left."""
    page = page_of(await story_of(tmp_path, 16))
    assert (page.level, page.state, page.commands) == ("ok", "final ok", ())
    assert page.attempts[0].is_consumer
    assert dict(page.facts)["took"] == "13 min 20 s"
    assert dict(page.facts)["nonce taken by"] == tx_hash(16)
    assert page.stages[0].lasted == "", "an end does not last"
    assert page.stages[0].block == str(TIP - 60)
    assert page.stages[0].block_hash == hash_of(TIP - 60)


@pytest.mark.parametrize(
    ("state", "level"),
    [
        (State.FINAL_OK, "ok"),
        (State.REPLACED_SAME, "ok"),
        (State.CANCELLED, "degraded"),
        (State.FINAL_REVERTED, "failed"),
        (State.REPLACED_OTHER, "failed"),
    ],
)
async def test_page_of_every_end_has_its_colour(state: State, level: str, tmp_path: Path) -> None:
    """Nobody judges what is closed: how it ended is how bad it was."""
    story = await story_of(tmp_path, 16)
    last = replace(story.stages[-1], state=state)
    ended = replace(story, slot=replace(story.slot, state=state), stages=(*story.stages[:-1], last))
    page = page_of(ended)
    assert (page.level, page.stages[0].level) == (level, level)


async def test_page_of_a_hash_alone_says_what_is_missing(tmp_path: Path) -> None:
    """Without bytes there is no command, and who can help is named."""
    (attempt,) = page_of(await story_of(tmp_path, 19)).attempts
    assert (attempt.curl, attempt.fields) == ("", ())
    assert "only its sender can send it again" in attempt.note


async def test_page_for_others_withholds_what_is_not_public(tmp_path: Path) -> None:
    """Neither bytes nor payment of what nobody else has been seen with; and that it does."""
    story = await story_of(tmp_path, 18)
    shown, withheld = veiled(story)
    page = story_page(watched(), shown, name="x/18", refresh_seconds=5, withheld=withheld)
    (attempt,) = page.attempts
    assert (attempt.curl, attempt.fields) == ("", ())
    assert "those who may give orders" in attempt.note
    assert raw_of(18).hex() not in html_of(page)


async def test_page_of_a_long_transaction_leaves_the_command_to_the_terminal(
    tmp_path: Path,
) -> None:
    """A hundred kilobytes of hexadecimal are nothing to copy from a page."""
    story = await story_of(tmp_path)
    for size, is_shown in ((RAW_BYTES_MAX, True), (RAW_BYTES_MAX + 1, False)):
        (attempt,) = page_of(replace(story, raw={tx_hash(17): b"\x02" * size})).attempts
        assert bool(attempt.curl) == is_shown
        assert bool(attempt.note) != is_shown


async def test_page_of_a_long_story_is_bounded_and_counts_the_rest(tmp_path: Path) -> None:
    """The newest states and sends are shown; the API has all."""
    story = await story_of(tmp_path)
    stages = tuple(
        replace(story.stages[-1], at=NOW - 500 + n, summary=f"stage {n}")
        for n in range(STAGES_MAX + 7)
    )
    sends = tuple(replace(story.sends[0], id=n, node=f"ethereum/{n}") for n in range(SENDS_MAX + 3))
    page = page_of(replace(story, stages=stages, sends=sends))
    assert (len(page.stages), page.stages_left_out) == (STAGES_MAX, 7)
    assert page.stages[0].summary == f"stage {STAGES_MAX + 6}"
    assert (len(page.sends), page.sends_left_out) == (SENDS_MAX, 3)
    assert page.sends[0].node == f"ethereum/{SENDS_MAX + 2}"
    assert len(html_of(page)) < 300_000


async def test_page_of_blobs_and_delegations_says_so(tmp_path: Path) -> None:
    """What costs more than gas, and what acts for others, is on the page."""
    story = await story_of(tmp_path)
    special = replace(
        transaction(17),
        to=None,
        blob_count=2,
        blob_fee_cap_wei=3 * 10**9,
        authorizations=1,
        data=b"\x60" * 1200,
    )
    attempt = replace(story.slot.attempts[0], transaction=special)
    (card,) = page_of(replace(story, slot=replace(story.slot, attempts=(attempt,)))).attempts
    fields = dict(card.fields)
    assert fields["blobs"] == "2, at 3 gwei at most"
    assert fields["authorizations"] == "1"
    assert fields["to"] == "a new contract"
    assert fields["input"] == "1,200 bytes"


async def test_page_in_html_is_whole_and_escapes_what_nodes_say(tmp_path: Path) -> None:
    """Every tag is closed; a node's words are words; a send without an answer says so."""
    story = await story_of(tmp_path)
    last = replace(story.stages[-1], summary=HOSTILE)
    open_send = replace(story.sends[0], done_at=None, reaction="", message="")
    page = page_of(
        replace(story, stages=(*story.stages[:-1], last), sends=(*story.sends, open_send))
    )
    html = html_of(page)
    document = Document(html)
    assert document.open == []
    assert "<img src=x" not in html
    assert "\x1b" not in html
    assert "no answer is known" in document.text
    assert "a command that sends these bytes without headwatch" in document.text


async def test_page_of_an_empty_slot_is_one(tmp_path: Path) -> None:
    """A hole that is to be filled has no attempt yet, and maybe no history."""
    story = await story_of(tmp_path)
    page = page_of(replace(story, slot=replace(story.slot, attempts=()), stages=(), raw={}))
    assert (page.attempts, page.commands, page.summary, page.level) == ((), (), "", "unknown")
    assert "Nothing is known for this nonce" in html_of(page)


def test_stage_that_nobody_judged_is_new() -> None:
    """The first state of all is entered by being seen."""
    from monitor.act.pages.story import _stages

    stage = Stage(NOW - 5, None, State.PENDING, "", None, "seen")
    (row,) = _stages((stage,), None, NOW)
    assert (row.level, row.badge, row.lasted) == ("none", "new", "5.0 s")
