"""What a node refused, and what the references and itself have at those heights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from monitor.judge.bad_blocks import BadBlock, BadBlocksSeen
from monitor.model import Hash32
from monitor.probes import bad_blocks, peers, txpool
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent
from monitor.rpc.node import Limits, Node
from tests.judge.builders import TIMEOUT, TIP, agreeing, hash_of, round_of, run, witness
from tests.probes.conftest import Dial
from tests.probes.situation import asked_of, failure_of
from tests.rpc.canned import Canned, Chain, Json, Refusal, serving

BAD = Hash32("0x" + "bb" * 32)
NOWHERE = round_of(*(witness(name, TIMEOUT) for name in "abc"))
OLD = 20
"""A height that no link of the builders' heads reaches, so that the references are asked."""


@pytest.fixture
async def references(dial: Dial) -> AsyncIterator[tuple[Canned, ...]]:
    """Three references of one chain."""
    async with serving(*(Canned(Chain(100)) for _ in range(3))) as servers:
        yield servers


def wrapped(number: int, hash_: str) -> Json:
    """As geth lists it."""
    return {"hash": hash_, "block": {"number": hex(number), "hash": hash_}, "rlp": "0xf90211"}


def header(number: int, hash_: str) -> Json:
    return {
        "number": hex(number),
        "hash": hash_,
        "parentHash": hash_of(number - 1),
        "timestamp": "0x1",
    }


@pytest.mark.parametrize("said", [[], None])
async def test_bad_blocks_that_are_none_cost_one_call(
    server: Canned, node: Node, said: Json
) -> None:
    """The usual answer: nobody else is asked."""
    server.answers = {"debug_getBadBlocks": said}
    assert await bad_blocks.probe(asked_of(node)) == BadBlocksSeen(0, ())
    assert server.methods == ["debug_getBadBlocks"]


async def test_bad_block_of_somebody_is_compared_with_what_is_known_of_the_references(
    server: Canned, node: Node
) -> None:
    """Near the tip their hashes are known already; the node is asked only where they agree."""
    server.answers = {"debug_getBadBlocks": [wrapped(TIP - 1, BAD)]}
    seen = await bad_blocks.probe(asked_of(node))
    assert seen.newest == (BadBlock(BAD, TIP - 1, hash_of(TIP - 1)),)
    assert server.methods == ["debug_getBadBlocks"]


@pytest.mark.parametrize(
    ("own", "has"), [(None, None), (hash_of(TIP - 1), hash_of(TIP - 1)), (BAD, BAD)]
)
async def test_bad_block_of_the_network_is_asked_of_the_node_too(
    server: Canned, node: Node, own: Hash32 | None, has: Hash32 | None
) -> None:
    """It may lack it, have taken it since, or have another one there."""
    server.answers = {
        "debug_getBadBlocks": [wrapped(TIP - 1, hash_of(TIP - 1).upper().replace("X", "x"))],
        "eth_getBlockByNumber": None if own is None else header(TIP - 1, own),
    }
    (block,) = (await bad_blocks.probe(asked_of(node))).newest
    assert (block.hash, block.canonical, block.own) == (hash_of(TIP - 1), hash_of(TIP - 1), has)
    assert block.is_refused == (has != hash_of(TIP - 1))


async def test_bad_block_that_one_reference_contradicts_is_disputed(
    server: Canned, node: Node
) -> None:
    """The majority may be the wrong side (Holesky, February 2025)."""
    alone = witness("c", run(TIP, branch="other", above=TIP - 2))
    server.answers = {
        "debug_getBadBlocks": [wrapped(TIP - 1, hash_of(TIP - 1))],
        "eth_getBlockByNumber": None,
    }
    seen = await bad_blocks.probe(asked_of(node, context=round_of(*agreeing(names="ab"), alone)))
    (block,) = seen.newest
    assert (block.is_refused, block.is_disputed) == (True, True)


@pytest.mark.parametrize("differing", [0, 1, 2])
async def test_bad_block_far_below_is_asked_of_the_references(
    server: Canned, node: Node, dial: Dial, references: tuple[Canned, ...], differing: int
) -> None:
    """A strict majority says which block the network has; one that has another disputes it."""
    for reference in references[:differing]:
        reference.chain = Chain(100, parts_after=OLD - 1, salt=f"{reference.port.number}")
    theirs = Chain(100).hash(OLD)
    server.answers = {
        "debug_getBadBlocks": [wrapped(OLD, theirs)],
        "eth_getBlockByNumber": None,
    }
    asked = asked_of(node, references=[dial(one.url) for one in references])
    (block,) = (await bad_blocks.probe(asked)).newest
    assert block.canonical == (theirs if differing < 2 else None)
    assert block.is_disputed == (differing > 0)
    assert block.is_refused == (differing < 2)


async def test_bad_block_above_the_references_is_nobodys(
    server: Canned, node: Node, dial: Dial, references: tuple[Canned, ...]
) -> None:
    """Null is no other block: a height that they have not reached is not disputed."""
    server.answers = {"debug_getBadBlocks": [wrapped(TIP + 5, BAD)]}
    asked = asked_of(node, references=[dial(one.url) for one in references])
    assert (await bad_blocks.probe(asked)).newest == (BadBlock(BAD, TIP + 5),)


async def test_references_that_do_not_answer_make_no_majority(
    server: Canned, node: Node, dial: Dial, references: tuple[Canned, ...]
) -> None:
    """Silence of two of three is not agreement of the third."""
    for reference in references[:2]:
        reference.answers = {"eth_getBlockByNumber": Refusal("busy", -32000)}
    server.answers = {"debug_getBadBlocks": [wrapped(OLD, BAD)]}
    asked = asked_of(node, context=NOWHERE, references=[dial(one.url) for one in references])
    (block,) = (await bad_blocks.probe(asked)).newest
    assert block.canonical is None


async def test_bad_blocks_that_are_many_are_counted_and_the_highest_compared(
    server: Canned, node: Node
) -> None:
    """The same block twice is one; what names no height comes last."""
    listed = [wrapped(TIP - n, "0x" + f"{n:02x}" * 32) for n in range(10)]
    unshown = {"hash": BAD, "block": {"error": "transaction type not supported"}, "rlp": "0x"}
    server.answers = {"debug_getBadBlocks": [unshown, *listed, listed[0]]}
    seen = await bad_blocks.probe(asked_of(node))
    assert seen.count == 11
    assert [block.number for block in seen.newest] == list(range(TIP, TIP - 8, -1))


async def test_bad_block_without_a_height_is_compared_with_nothing(
    server: Canned, node: Node
) -> None:
    """There is nowhere to look."""
    server.answers = {"debug_getBadBlocks": [{"hash": BAD}]}
    assert await bad_blocks.probe(asked_of(node)) == BadBlocksSeen(1, (BadBlock(BAD, None),))


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (
            Refusal("the method debug_getBadBlocks does not exist/is not available", -32601),
            MethodAbsent,
        ),
        (Refusal("forbidden", -32000), CallRejected),
        ([{"rlp": "0xf9"}], MalformedAnswer),
        ("none", MalformedAnswer),
    ],
)
async def test_bad_blocks_that_were_not_seen_are_raised(
    server: Canned, node: Node, said: Json, kind: type[Exception]
) -> None:
    """Absent at most nodes, which skips the check; anything else is not an empty list."""
    server.answers = {"debug_getBadBlocks": said}
    assert isinstance(await failure_of(bad_blocks.probe(asked_of(node))), kind)
    assert "rpc_error" not in node.errors_total


async def test_node_that_does_not_say_what_it_has_is_not_accused(
    server: Canned, node: Node
) -> None:
    """The network has the block, and whether the node has it was not seen."""
    server.answers = {
        "debug_getBadBlocks": [wrapped(TIP - 1, hash_of(TIP - 1))],
        "eth_getBlockByNumber": Refusal("busy", -32000),
    }
    assert isinstance(await failure_of(bad_blocks.probe(asked_of(node))), CallRejected)


async def test_bad_blocks_too_large_to_be_read_spoil_nobody_elses_answer(
    server: Canned, node: Node
) -> None:
    """They travel apart: what was asked at the same time arrives, and the list says why not."""
    node.limits = Limits(body_bytes_max=2_000)
    server.answers = {
        "debug_getBadBlocks": [wrapped(TIP, BAD) | {"rlp": "0x" + "00" * 2_000}],
        "net_peerCount": "0x19",
        "txpool_status": {"pending": 3, "queued": 0},
    }
    listed, counted, pool = await asyncio.gather(
        bad_blocks.probe(asked_of(node)),
        peers.probe(asked_of(node)),
        txpool.probe(asked_of(node, context=NOWHERE)),
        return_exceptions=True,
    )
    assert isinstance(listed, MalformedAnswer)
    assert str(listed) == "the answer is larger than 2000 bytes"
    assert not isinstance(counted, BaseException)
    assert not isinstance(pool, BaseException)
    assert (counted.count, pool.pending) == (25, 3)
