"""The endpoint's own hashes, and the search for the block where two chains part."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from monitor.judge.fork import SEARCH_BLOCKS_MAX, SearchRange
from monitor.judge.seen import Ancestor, HeadSeen
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.model import BlockNumber, Observation, Unseen
from monitor.probes import fork, head
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer
from monitor.rpc.node import Node
from tests.probes.conftest import Dial
from tests.rpc.canned import Canned, Chain, Json, Refusal, serving

TOP = 1000
SEARCH_CALLS_MAX = 36
"""Of each endpoint: 9 heights in doubling distances, then 8 at a time between two of them."""
SEARCH_REQUESTS_MAX = 4


def search(depth: int, *, floor: int | None = None, is_common: bool = False) -> SearchRange:
    """A range as the judge names it: `TOP` differs."""
    lowest = max(0, TOP - SEARCH_BLOCKS_MAX) if floor is None else floor
    return SearchRange(BlockNumber(TOP), BlockNumber(lowest), is_common)


@pytest.fixture
async def pair(dial: Dial) -> AsyncIterator[Callable[[int], tuple[Canned, Canned, Node, Node]]]:
    """Two nodes whose chains part so many blocks below the top."""
    async with serving(Canned(), Canned()) as (mine, theirs):

        def parted(depth: int) -> tuple[Canned, Canned, Node, Node]:
            mine.chain = Chain(TOP + 5, parts_after=TOP - depth, salt="mine")
            theirs.chain = Chain(TOP + 9)
            mine.forget()
            theirs.forget()
            return mine, theirs, dial(mine.url), dial(theirs.url)

        yield parted


Pair = Callable[[int], tuple[Canned, Canned, Node, Node]]


def seen_at(chain: Chain, number: int) -> Observation[HeadSeen]:
    """The head as it would have been written down."""
    block = decode.header.decode(_bytes(chain.block(number)))
    assert block is not None
    return Observation("n", "head", float(number), 0.0, HeadSeen(block.head(), None))


def _bytes(value: object) -> bytes:
    return decode.encode(value)


# -- the search ----------------------------------------------------------------------------------


async def test_ancestor_is_exact_at_every_depth_and_cheap(pair: Pair) -> None:
    """For forks of 1 to 300 blocks: the last common block, or none above the floor."""
    worst_calls, worst_requests = 0, 0
    for depth in range(1, 301):
        mine, theirs, node, other = pair(depth)
        found = await fork.ancestor(node, other, search(depth))
        floor = TOP - SEARCH_BLOCKS_MAX
        expected = TOP - depth if depth <= SEARCH_BLOCKS_MAX else None
        assert found == Ancestor(expected, floor)  # type: ignore[arg-type]
        assert min(mine.heights) >= floor
        assert min(theirs.heights) >= floor
        worst_calls = max(worst_calls, len(mine.calls), len(theirs.calls))
        worst_requests = max(worst_requests, len(mine.requests), len(theirs.requests))
    assert worst_calls <= SEARCH_CALLS_MAX
    assert worst_requests <= SEARCH_REQUESTS_MAX


async def test_ancestor_of_a_shallow_fork_costs_one_batch(pair: Pair) -> None:
    """Most forks are shallow: a depth of one or two is in the first batch."""
    for depth in (1, 2):
        mine, _, node, other = pair(depth)
        found = await fork.ancestor(node, other, search(depth))
        assert found.number == TOP - depth
        assert len(mine.requests) == 1


@pytest.mark.parametrize("depth", [1, 7, 31, 32])
async def test_ancestor_above_a_height_known_to_be_common_is_found(pair: Pair, depth: int) -> None:
    """A range that begins with a common block always ends with one."""
    mine, _, node, other = pair(depth)
    found = await fork.ancestor(node, other, search(depth, floor=TOP - 32, is_common=True))
    assert found == Ancestor(BlockNumber(TOP - depth), BlockNumber(TOP - 32))
    assert min(mine.heights) >= TOP - 32


async def test_ancestor_below_the_finalized_block_is_not_looked_for(pair: Pair) -> None:
    """A fork deeper than finality is a disaster whatever its depth: the floor is never crossed."""
    mine, theirs, node, other = pair(100)
    found = await fork.ancestor(node, other, search(100, floor=TOP - 64))
    assert found == Ancestor(None, BlockNumber(TOP - 64))
    assert min(mine.heights + theirs.heights) == TOP - 64


async def test_ancestor_down_to_genesis_is_block_zero(dial: Dial) -> None:
    """A young chain may have parted right after its genesis."""
    async with serving(Canned(), Canned()) as (mine, theirs):
        mine.chain = Chain(5, parts_after=0, salt="mine")
        theirs.chain = Chain(5)
        found = await fork.ancestor(
            dial(mine.url), dial(theirs.url), SearchRange(BlockNumber(5), BlockNumber(0), False)
        )
    assert found == Ancestor(BlockNumber(0), BlockNumber(0))


async def test_ancestor_with_neighbouring_bounds_needs_no_question(pair: Pair) -> None:
    """The block right below is known to be common: there is nothing between."""
    mine, _, node, other = pair(1)
    found = await fork.ancestor(node, other, search(1, floor=TOP - 1, is_common=True))
    assert found.number == TOP - 1
    assert len(mine.requests) <= 1


@pytest.mark.parametrize("lacks", ["mine", "theirs"])
async def test_ancestor_without_the_floor_block_is_not_seen(pair: Pair, lacks: str) -> None:
    """A pruned node that has not the lowest block: "no common block" would be a false word."""
    mine, theirs, node, other = pair(300)
    poor = mine if lacks == "mine" else theirs
    poor.answers = {"eth_getBlockByNumber": without(poor, TOP - SEARCH_BLOCKS_MAX)}
    with pytest.raises(MalformedAnswer, match=f"block {TOP - SEARCH_BLOCKS_MAX} is not there"):
        await fork.ancestor(node, other, search(300))


@pytest.mark.parametrize("gone", range(TOP - 9, TOP))
async def test_ancestor_with_a_block_missing_on_the_way_is_never_too_high(
    pair: Pair, gone: int
) -> None:
    """A hole in one chain may hide the last common block, and the search ends all the same."""
    mine, _, node, other = pair(5)
    mine.answers = {"eth_getBlockByNumber": without(mine, gone)}
    found = await fork.ancestor(node, other, search(5))
    assert found.number is not None
    assert found.number <= TOP - 5
    assert found.number == TOP - 5 or gone == TOP - 5


async def test_ancestor_of_a_chain_that_changes_under_the_search_ends(pair: Pair) -> None:
    """Every answer of another fork: the search gives up after its steps."""
    mine, theirs, node, other = pair(50)
    turn = iter(range(10_000))

    def another(params: list[Json]) -> Json:
        chain = Chain(TOP + 5, parts_after=TOP - 1 - next(turn) * 7 % 250, salt=f"{next(turn)}")
        return chain.block(int(params[0], 16))

    mine.answers = {"eth_getBlockByNumber": another}
    found = await fork.ancestor(node, other, search(50))
    assert found.number is None or TOP - SEARCH_BLOCKS_MAX <= found.number < TOP + 1
    assert len(mine.requests) <= fork.STEPS_MAX
    assert len(theirs.requests) <= fork.STEPS_MAX


async def test_ancestor_of_chains_that_became_one_is_the_block_below(pair: Pair) -> None:
    """The node reorganised to the references' chain while it was being searched."""
    mine, theirs, node, other = pair(50)
    mine.chain = theirs.chain
    assert (await fork.ancestor(node, other, search(50))).number == TOP - 1


async def test_ancestor_with_a_refusal_raises_it(pair: Pair) -> None:
    """Not found out is not none."""
    mine, _, node, other = pair(50)
    mine.answers = {"eth_getBlockByNumber": Refusal("busy", -32000)}
    with pytest.raises(CallRejected):
        await fork.ancestor(node, other, search(50))


async def test_ancestor_of_a_lie_before_a_real_node_is_where_the_lie_begins(
    proxy: FaultProxy, real: Node, dial: Dial
) -> None:
    """Real blocks, and a proxy that names other hashes from one height on."""
    proxy.set(Fault("mutate_hash", from_number=14))
    honest = dial(proxy.upstream)
    found = await fork.ancestor(real, honest, SearchRange(BlockNumber(20), BlockNumber(0), False))
    assert found.number == 13


def without(node: Canned, gone: int) -> Callable[[list[Json]], Json]:
    """The node's blocks, but for one."""

    def block(params: list[Json]) -> Json:
        number = int(params[0], 16)
        return None if number == gone else node.chain.block(number)

    return block


# -- the endpoint's own hashes -------------------------------------------------------------------


async def test_probe_takes_linked_hashes_from_the_history(server: Canned, node: Node) -> None:
    """A header names its parent: what follows from heads already seen is not asked again."""
    history = [seen_at(server.chain, number) for number in (97, 98, 99, 100)]
    seen = await fork.probe(node, history, (100, 98, 96))
    assert server.requests == []
    assert [seen.chain.hashes[n] for n in (100, 98, 96)] == [
        server.chain.hash(n) for n in (100, 98, 96)
    ]
    assert seen.head.head.number == 100


async def test_probe_asks_only_for_what_no_link_proves(server: Canned, node: Node) -> None:
    """A gap in the history is asked about by number, in one batch."""
    history = [seen_at(server.chain, number) for number in (90, 100)]
    seen = await fork.probe(node, history, (100, 99, 95, 90))
    assert server.heights == [95, 90]
    assert len(server.requests) == 1
    assert all(seen.chain.hashes[n] == server.chain.hash(n) for n in (100, 99, 95, 94, 90, 89))


async def test_probe_counts_known_blocks_only_where_links_confirm_them(
    server: Canned, node: Node
) -> None:
    """A block named earlier may be of a fork that was left since."""
    old = Chain(100, parts_after=90, salt="left")
    known = [seen_at(server.chain, 99).seen, seen_at(old, 97).seen]
    heads = [one.head for one in known if isinstance(one, HeadSeen)]
    seen = await fork.probe(
        node, [seen_at(server.chain, 100)], (98, 97), known={head.hash: head for head in heads}
    )
    assert server.heights == [97]
    assert seen.chain.hashes[98] == server.chain.hash(98)
    assert seen.chain.hashes[97] == server.chain.hash(97)


async def test_probe_without_a_block_leaves_its_hash_out(server: Canned, node: Node) -> None:
    """A block that the node does not have is not invented."""
    seen = await fork.probe(node, [seen_at(server.chain, 100)], (50, 500), client="geth")
    assert 500 not in seen.chain.hashes
    assert seen.chain.hashes[50] == server.chain.hash(50)
    assert seen.client == "geth"
    assert seen.ancestor is None


@pytest.mark.parametrize("newest", [None, Unseen("timeout", "no answer")])
async def test_probe_without_a_head_is_not_seen(
    server: Canned, node: Node, newest: Unseen | None
) -> None:
    """There is nothing to stand on: nothing is asked."""
    history: list[Observation[HeadSeen]] = []
    if newest is not None:
        history = [seen_at(server.chain, 99), Observation("n", "head", 0.0, 0.0, newest)]
    with pytest.raises(MalformedAnswer, match="no head to compare at"):
        await fork.probe(node, history, (99,))
    assert server.requests == []


async def test_probe_of_a_real_node_names_its_blocks(proxy: FaultProxy, real: Node) -> None:
    """The hashes are the node's own, by number and by link."""
    seen = await head.probe(real)
    history = [Observation("n", "head", 0.0, 0.0, seen)]
    found = await fork.probe(real, history, (20, 19, 12))
    blocks = {block.number: block.hash for block in await fork.blocks_at(real, (20, 19, 12))}
    assert {number: found.chain.hashes[number] for number in (20, 19, 12)} == blocks
    assert await fork.blocks_at(real, (21,)) == ()
