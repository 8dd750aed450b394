from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitor.act.transactions import (
    Moment,
    Wanted,
    find,
    is_name,
    listing,
    ordered_json,
    public,
    states_of,
    story_json,
    veiled,
)
from monitor.transactions.journal import Reader
from monitor.transactions.orders import Delivery, Ordered, OrderError
from monitor.transactions.story import Said, Send, Story
from monitor.transactions.words import Attempt, State
from tests.act.accounts import ALIAS, raw_of, transaction, tx_hash, written
from tests.act.snapshots import NETWORK, NOW, TIP

HASH = tx_hash(18)


async def secret(tmp_path: Path) -> Story:
    """Nonce 18, of which nobody but the tap has been seen with anything."""
    path = await written(tmp_path / "journal.sqlite")
    return find(Reader(path), f"{ALIAS}/18")


def send(node: str, reaction: str) -> Send:
    return Send(1, HASH, node, "rebroadcast", NOW - 5, NOW - 4, reaction)


def said(node: str, words: str) -> Said:
    return Said(node, words, TIP, NOW)


@pytest.mark.parametrize(
    ("change", "is_public"),
    [
        ({}, False),
        ({"sends": (send("ethereum/a", "accepted"),)}, True),
        ({"sends": (send("ethereum/a", "known"),)}, True),
        ({"sends": (send("ethereum/a", "funds"),)}, False),
        ({"sends": (send("ethereum/a", "transport"),)}, False),
        ({"sends": (send("local", "accepted"),)}, False),
        ({"sources": {HASH: "ethereum/a"}}, True),
        ({"sources": {HASH: "local"}}, False),
        ({"said": (said("ethereum/a", f"{HASH}: pending"),)}, True),
        ({"said": (said("ethereum/a", f"{HASH}: queued"),)}, True),
        ({"said": (said("ethereum/a", f"{tx_hash(17)}: absent, {HASH}: mined"),)}, True),
        ({"said": (said("ethereum/a", f"{HASH}: absent"),)}, False),
        ({"said": (said("ethereum/a", f"{tx_hash(17)}: pending"),)}, False),
        ({"said": (said("local", f"{HASH}: pending"),)}, False),
        ({"consumer_hash": HASH}, True),
        ({"consumer_hash": tx_hash(99)}, False),
    ],
)
async def test_transaction_is_public_once_a_reference_has_it(
    change: dict[str, object], *, is_public: bool, tmp_path: Path
) -> None:
    """Taken, shown or pooled by a reference, or in a block; what its own node has is its own."""
    story = replace(await secret(tmp_path), **change)  # type: ignore[arg-type]
    assert public(story) == ({HASH} if is_public else set())
    shown, withheld = veiled(story)
    assert withheld == (() if is_public else (HASH,))
    assert (HASH in shown.raw) == is_public
    assert (shown.slot.attempts[0].transaction is not None) == is_public


async def test_transaction_in_a_block_is_public_where_it_is_known_which(tmp_path: Path) -> None:
    """Of several attempts only one is in the block: the others stay what they are."""
    story = await secret(tmp_path)
    mined = replace(story, slot=replace(story.slot, mined_number=TIP))
    assert public(mined) == {HASH}
    other = Attempt(tx_hash(18, 1), "replace", NOW, transaction(18, 1), has_raw=True)
    two = replace(mined, slot=replace(mined.slot, attempts=(*mined.slot.attempts, other)))
    assert public(two) == set()
    shown, withheld = veiled(replace(two, raw={**two.raw, other.hash: raw_of(18, 1)}))
    assert (withheld, shown.raw) == ((HASH, other.hash), {})
    assert story_json(shown, withheld)["withheld"] == [HASH, other.hash]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        (HASH, True),
        (HASH.upper().replace("0X", "0x"), True),
        ("0xabcdef", True),
        ("0xabcde", False),
        (f"{HASH}0", False),
        ("abcdef", False),
        ("scheduler/0", True),
        ("scheduler/-1", False),
        ("scheduler/1e3", False),
        (f"scheduler/{10**18}", False),
        ("a/b/1", False),
        ("/1", False),
        ("", False),
        ("0xabcdef\n", False),
    ],
)
def test_name_has_its_form(name: str, *, is_one: bool) -> None:
    """A hash, at least six digits of one, or ALIAS/NONCE, and nothing that a file could hold."""
    assert is_name(name) is is_one


def test_states_are_named_once_and_known() -> None:
    """What is no state is named with those that are."""
    assert states_of(["gap", "lost", "gap"]) == (State.GAP, State.LOST)
    assert states_of([]) == ()
    with pytest.raises(ValueError, match="found 'Gap', expected one of pending"):
        states_of(["Gap"])


async def test_listing_has_every_network_that_is_watched(tmp_path: Path) -> None:
    """One that the journal has never heard of is stale; one that is slow may be older."""
    reader = Reader(await written(tmp_path / "journal.sqlite", beat_at=NOW - 100))
    for interval, is_stale in ((12.0, True), (20.0, False), (19.9, True), (0.0, True)):
        moment = Moment(NOW, "acting", {NETWORK: interval, "gnosis": 5.0})
        document = listing(reader, Wanted(), moment)
        assert document["networks"] == [
            {"name": NETWORK, "number": TIP, "age_seconds": 100.0, "is_stale": is_stale},
            {"name": "gnosis", "number": None, "age_seconds": None, "is_stale": True},
        ]


def test_order_is_told_without_a_float() -> None:
    """Amounts of wei are decimal strings: no reader rounds them."""
    ordered = Ordered(
        act="cancel",
        network=NETWORK,
        alias=ALIAS,
        nonce=7,
        hash=None,
        deliveries=(Delivery("ethereum/a", "funds", "have 1 want 2"),),
        fee_cap_wei=2**70,
        tip_cap_wei=0,
    )
    document = ordered_json(ordered)
    assert (document["fee_cap_wei"], document["tip_cap_wei"]) == (str(2**70), "0")
    assert document["deliveries"] == [
        {"label": "ethereum/a", "reaction": "funds", "message": "have 1 want 2"}
    ]
    assert ordered_json(replace(ordered, fee_cap_wei=None))["fee_cap_wei"] is None


def test_find_in_no_journal_is_unavailable(tmp_path: Path) -> None:
    """Nobody is told that there is no such transaction where nobody could look."""
    with pytest.raises(OrderError) as caught:
        find(Reader(tmp_path / "none.sqlite"), HASH)
    assert caught.value.trouble == "unavailable"
