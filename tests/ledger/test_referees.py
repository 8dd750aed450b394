"""Operators vote on one block: a majority of all of them, each once, and silence for nobody."""

from __future__ import annotations

import asyncio

import pytest

from monitor.ledger.errors import CouldNotSee
from monitor.ledger.referees import (
    Said,
    poll,
    require_height,
    require_majority,
)
from monitor.model import BlockNumber, Hash32, Head
from tests.ledger.parties import SECRET, parties
from tests.rpc.canned import Chain, Hang, Json, Refusal

NUMBER = 90


def block(letter: str) -> Head:
    """A block of which the hash is that letter, over and over."""
    return Head(BlockNumber(NUMBER), Hash32("0x" + letter * 64), Hash32("0x" + "0" * 64), 0)


OURS = block("a")


def said(*words: str) -> list[Said]:
    """What was said, shortly: `o:a` is operator o and hash a…, `-` lacks it, `?` is silent."""
    listed = []
    for each in words:
        operator, word = each.split(":")
        if word == "?":
            listed.append(Said(operator, silence=f"{operator}: timeout"))
        elif word == "-":
            listed.append(Said(operator, head=NUMBER - 2))
        else:
            listed.append(Said(operator, block(word), NUMBER + 5))
    return listed


# -- the hash ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("o:a",),
        ("o:a", "p:a"),
        ("o:a", "p:a", "q:b"),
        ("o:a", "p:a", "q:?"),
        ("o:a", "p:a", "q:-"),
        ("o:a", "p:a", "q:a", "r:b", "r:b", "r:b", "r:b"),
        ("o:a", "o:?", "p:a", "q:b"),
        ("o:a", "o:-"),
    ],
    ids=[
        *("nobody", "one", "both", "two of three", "one silent", "one behind"),
        *("one operator is loud", "one endpoint silent", "one endpoint behind"),
    ],
)
def test_require_majority_of_operators_for_the_hash_passes(words: tuple[str, ...]) -> None:
    """A strict majority of operators is enough, whatever the rest say and however often."""
    require_majority("mine", OURS, said(*words))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("o:b",), "forked"),
        (("o:b", "p:b", "q:a"), "forked"),
        (("o:b", "p:b", "q:?"), "forked"),
        (("o:b", "p:b", "q:a", "q:a", "q:a"), "forked"),
        (("o:-",), "ahead"),
        (("o:-", "p:-", "q:a"), "ahead"),
        (("o:-", "p:-", "q:?"), "ahead"),
        (("o:?",), "no_quorum"),
        (("o:a", "p:?"), "no_quorum"),
        (("o:a", "p:b"), "no_quorum"),
        (("o:a", "p:-"), "no_quorum"),
        (("o:a", "p:b", "q:c"), "no_quorum"),
        (("o:a", "p:?", "q:?"), "no_quorum"),
        (("o:a", "o:b"), "no_quorum"),
        (("o:a", "o:a", "o:a", "p:?"), "no_quorum"),
        (("o:a", "o:b", "p:a", "q:c"), "no_quorum"),
        (("o:a", "p:a", "q:b", "r:b"), "no_quorum"),
        (("o:a", "o:-", "p:-", "q:?"), "no_quorum"),
    ],
    ids=[
        *("one other", "two others", "two others, one silent", "loud and alone"),
        *("one behind", "two behind", "two behind, one silent"),
        *("silent", "half silent", "half other", "half behind", "three hashes", "two silent"),
        *("contradicts itself", "one operator thrice", "a vote lost", "half and half"),
        "behind and not",
    ],
)
def test_require_majority_of_less_is_inconclusive(words: tuple[str, ...], reason: str) -> None:
    """Another hash, nobody's yet, or no majority: each has its own reason."""
    with pytest.raises(CouldNotSee) as caught:
        require_majority("mine", OURS, said(*words))
    assert caught.value.reason == reason


def test_require_majority_for_another_hash_names_both_and_who() -> None:
    """Whoever is told of a fork is told of its place, both hashes, the voters and the remedy."""
    with pytest.raises(CouldNotSee) as caught:
        require_majority("mine", OURS, said("q:b", "o:b", "p:a"))
    assert caught.value.detail == (
        "block 90 is 0xaaaaaa…aaaaaa at mine and 0xbbbbbb…bbbbbb at 2 of 3 reference operators "
        "(o, q); try again once the reorg is over; a node that stays there has to be resynchronised"
    )


def test_require_majority_before_they_have_it_names_how_far_they_are() -> None:
    """The highest of their heads says how long to wait."""
    with pytest.raises(CouldNotSee) as caught:
        require_majority("mine", OURS, [*said("o:-"), Said("p", head=NUMBER - 7), Said("p")])
    assert "2 of 2 reference operators do not have it yet: the highest of them is at 88;" in (
        caught.value.detail
    )
    with pytest.raises(CouldNotSee, match="do not have it yet: no head was seen; name an earlier"):
        require_majority("mine", OURS, [Said("o")])


def test_require_majority_without_any_names_everybodys_word() -> None:
    """Where nobody wins, what each of them said is all there is to go by."""
    with pytest.raises(CouldNotSee) as caught:
        require_majority("mine", OURS, said("q:?", "p:-", "o:b"))
    assert caught.value.detail == (
        "block 90 is 0xaaaaaa…aaaaaa at mine; of 3 reference operators no majority says so: "
        "o 0xbbbbbb…bbbbbb, p does not have it yet, q could not be seen (q: timeout); check the "
        "network's references, or name an earlier block, such as finalized"
    )


# -- the height ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heads", "head", "is_behind"),
    [
        ({}, 1, False),
        ({"o": 100}, 97, False),
        ({"o": 100}, 96, True),
        ({"o": 100, "p": 97, "q": 10}, 94, False),
        ({"o": 100, "p": 97, "q": 10}, 93, True),
        ({"o": 10**9, "p": 97, "q": 96}, 94, False),
        ({"o": 10**9, "p": 97}, 94, False),
        ({"o": 10**9, "p": 97}, 93, True),
        ({"o": 100, "p": None}, 1, False),
        ({"o": 100, "p": None, "q": None}, 1, False),
        ({"o": 100, "p": 100, "q": None}, 96, True),
    ],
    ids=[
        *("nobody", "at the limit", "below it", "the median", "below the median"),
        *("one far ahead", "one of two far ahead", "below both", "half unseen"),
        *("no majority seen", "a majority seen"),
    ],
)
def test_require_height_is_what_a_majority_has_reached(
    heads: dict[str, int | None], head: int, is_behind: bool
) -> None:
    """A node may be as far below a majority of operators as is allowed, and one liar moves none."""
    listed = [Said(operator, head=seen) for operator, seen in heads.items()]
    if not is_behind:
        require_height("mine", head, listed, behind_blocks_max=3)
        return
    with pytest.raises(CouldNotSee, match="let the node catch up") as caught:
        require_height("mine", head, listed, behind_blocks_max=3)
    assert caught.value.reason == "behind"


def test_require_height_of_an_operator_is_its_highest_endpoints() -> None:
    """One operator's slow endpoint does not lower what it has reached, nor does it count twice."""
    two = [Said("o", head=100), Said("o", head=50), Said("p", head=98)]
    with pytest.raises(CouldNotSee) as caught:
        require_height("mine", 90, two, behind_blocks_max=3)
    assert caught.value.detail.startswith(
        "mine is at block 90 and a majority of the reference operators at 98: 8 blocks behind;"
    )


# -- asking --------------------------------------------------------------------------------------


async def test_poll_each_is_asked_for_the_height_and_its_head_in_one_request() -> None:
    """A reference is a guest's: one batch of two calls, and no second attempt."""
    async with parties(Chain(100), Chain(95)) as (one, two):
        listed = await poll([one.of("o"), two.of("p")], NUMBER)
        assert [(s.operator, s.head, s.silence) for s in listed] == [
            ("o", 100, None),
            ("p", 95, None),
        ]
        assert [s.block.hash for s in listed if s.block] == [Chain(100).hash(NUMBER)] * 2
        for party in (one, two):
            assert len(party.canned.requests) == 1
            assert len(party.canned.calls) == 2


ABSENT = {
    "null": None,
    "geth": Refusal("header not found", -32000),
    "besu": Refusal("Block not found", -32000),
    "reth": Refusal("unknown block", -39001),
}


@pytest.mark.parametrize("answer", ABSENT.values(), ids=ABSENT)
async def test_poll_a_block_that_it_does_not_have_is_lacking(answer: Json) -> None:
    """That there is no such block yet is said with null, or in a client's words."""
    async with parties(Chain(100)) as (one,):
        chain = one.canned.chain
        one.canned.answers["eth_getBlockByNumber"] = lambda params: (
            chain.block(80) if params[0] == "latest" else answer
        )
        (listed,) = await poll([one.of("o")], NUMBER)
        assert listed == Said("o", None, 80)


async def test_poll_whoever_fails_is_silent_and_its_key_is_not_shown() -> None:
    """A reference that refuses has no word, and neither its URL nor its key is in the sentence."""
    async with parties(Chain(100)) as (one,):
        one.canned.answers["eth_getBlockByNumber"] = Refusal(f"bad key {SECRET}", -32000)
        (listed,) = await poll([one.of("o")], NUMBER)
        assert listed.block is None
        assert listed.head is None
        assert listed.silence is not None
        assert listed.silence.startswith("n0: eth_getBlockByNumber: error -32000: bad key")
        assert SECRET not in listed.silence


async def test_poll_whoever_does_not_answer_is_silent_beside_the_others() -> None:
    """One endpoint that hangs takes no other's vote away."""
    async with parties(Chain(100), Chain(100), deadline_seconds=0.5) as (one, two):
        hang = Hang()
        two.canned.respond = hang
        listed = await poll([one.of("o"), two.of("p")], NUMBER)
        hang.released.set()
        assert listed[0].block is not None
        assert listed[1].block is None
        assert "no answer within 0.5 s" in (listed[1].silence or "")


async def test_poll_ended_from_outside_is_no_silence() -> None:
    """Who closes the node gets no verdict: nothing was said of any reference."""
    async with parties(Chain(100)) as (one,):
        hang = Hang()
        one.canned.respond = hang
        polling = asyncio.create_task(poll([one.of("o")], NUMBER))
        await hang.holding.wait()
        await one.node.close()
        with pytest.raises(asyncio.CancelledError):
            await polling
        hang.released.set()


async def test_poll_an_answer_of_another_height_is_no_vote() -> None:
    """Behind some addresses a cache answers with whatever block it has."""
    async with parties(Chain(100)) as (one,):
        stale = one.canned.chain.block(NUMBER - 1)
        one.canned.answers["eth_getBlockByNumber"] = lambda params: stale
        (listed,) = await poll([one.of("o")], NUMBER)
        assert listed.block is None
        assert listed.silence == "n0 answered block 89 when asked for block 90"
