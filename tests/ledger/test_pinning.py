"""One block for everything: found by tag, height or hash, confirmed, and still there afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.lab.anvil import HASHES_ONLY, Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.ledger.calls import Pace
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.pinning import NUMBER_MAX, Referee, parsed, pin, still
from monitor.model import BlockNumber, BlockStamp, Hash32
from monitor.rpc.node import Node
from monitor.url import Url
from monitor.wire import open_session
from tests.ledger.parties import SECRET, parties
from tests.ledger.scene import TWICE, stamp_of
from tests.rpc.canned import Chain, Clock, Json, Refusal

MINE, OTHER = Chain(100), Chain(100, parts_after=80, salt="other")


# -- what is meant -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("finalized", "finalized"),
        ("SAFE", "safe"),
        (" latest ", "latest"),
        ("0", 0),
        ("12965000", 12_965_000),
        ("0xC5D488", 12_965_000),
        ("0x" + "AB" * 32, "0x" + "ab" * 32),
    ],
)
def test_parsed_block_as_operators_write_it(text: str, meant: str | int) -> None:
    """Tags and hashes in either case, heights in decimal or hex."""
    assert parsed(text) == meant


@pytest.mark.parametrize(
    "text",
    ["", "pending", "earliest", "-1", "1.5", "1e6", "0x", "0xzz", "0x" + "a" * 63, "9" * 19, "١٢"],
)
def test_parsed_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    """Blocks that are not there yet and typing errors are no place to read a ledger at."""
    with pytest.raises(ValueError, match="expected finalized, safe, latest, a height or a block"):
        parsed(text)


@given(st.integers(0, 10**15 - 1))
def test_parsed_height_is_the_same_in_decimal_and_in_hex(number: int) -> None:
    """Both ways of writing a height mean it."""
    assert parsed(str(number)) == parsed(hex(number)) == number


# -- which block it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "number"),
    [("finalized", 70), ("latest", 100), ("90", 90), ("0x5a", 90), (MINE.hash(90), 90), ("0", 0)],
    ids=["finalized", "latest", "height", "hex", "hash", "genesis"],
)
async def test_pin_is_the_block_that_is_named(at: str, number: int) -> None:
    """Whichever way a block is named, it comes with its number, its hash and its time."""
    async with parties(MINE) as (one,):
        one.canned.finalized = 70
        one.knows_hashes()
        assert await pin(one.node, at, confirmations=10) == stamp_of(MINE, number)


NO_TAG = {
    "geth": Refusal("finalized block not found", -32000),
    "geth before the merge": Refusal("invalid argument 0: hex string without 0x prefix", -32602),
    "besu": Refusal("Unknown block", -39001),
    "nethermind": Refusal("Finalized block is not available", -32000),
    "parity": Refusal("finalized is not available", -32000),
    "absent": Refusal("the method does not exist/is not available", -32601),
    "null": None,
}


@pytest.mark.parametrize("answer", NO_TAG.values(), ids=NO_TAG)
async def test_pin_without_a_tag_is_so_many_confirmations_below_the_head(answer: Json) -> None:
    """Chains and clients without finality have the profile's confirmations instead."""
    async with parties(MINE) as (one,):
        one.canned.finalized = answer
        assert await pin(one.node, confirmations=12) == stamp_of(MINE, 88)
        assert one.canned.calls[1]["params"][0] == "finalized"
        assert len(one.canned.calls) == 3


async def test_pin_with_more_confirmations_than_blocks_is_the_genesis() -> None:
    """A chain that has just begun has nothing below its first block."""
    async with parties(Chain(5)) as (one,):
        assert await pin(one.node, confirmations=12) == stamp_of(Chain(5), 0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Refusal("internal error", -32603), "rpc_error"),
        (Refusal("Too many requests", 429), "busy"),
        ({"number": "0x1"}, "malformed"),
    ],
    ids=["error", "busy", "nonsense"],
)
async def test_pin_whose_tag_could_not_be_seen_is_inconclusive(answer: Json, reason: str) -> None:
    """A node that fails is not one without the tag: another block would be pinned."""
    async with parties(MINE) as (one,):
        one.canned.finalized = answer
        with pytest.raises(CouldNotSee) as caught:
            await pin(one.node, confirmations=12, pace=TWICE)
        assert caught.value.reason == reason


@pytest.mark.parametrize("at", ["101", "0x" + "12" * 32], ids=["height", "hash"])
async def test_pin_of_a_block_that_the_node_lacks_is_behind(at: str) -> None:
    """What the node does not have cannot be read there; the sentence says which and what to do."""
    async with parties(MINE) as (one,):
        one.knows_hashes()
        with pytest.raises(
            CouldNotSee, match=r"n0 has no block .*; let the node catch up"
        ) as caught:
            await pin(one.node, at, confirmations=12, pace=TWICE)
        assert caught.value.reason == "behind"


async def test_pin_of_a_hash_off_the_nodes_chain_is_forked() -> None:
    """A block that a reorg left behind is known by its hash, and its height is another's."""
    async with parties(MINE) as (one,):
        one.canned.answers["eth_getBlockByHash"] = lambda params: OTHER.block(90)
        with pytest.raises(CouldNotSee) as caught:
            await pin(one.node, OTHER.hash(90), confirmations=12)
        assert caught.value.reason == "forked"
        for named in (MINE.hash(90), OTHER.hash(90)):
            assert named[:8] in caught.value.detail


@pytest.mark.parametrize("at", ["90", MINE.hash(90)], ids=["height", "hash"])
async def test_pin_answered_with_another_block_is_malformed(at: str) -> None:
    """What was not asked for is not taken for it."""
    async with parties(MINE) as (one,):
        one.canned.answers["eth_getBlockByNumber"] = lambda params: MINE.block(
            100 if params[0] == "latest" else 89
        )
        one.canned.answers["eth_getBlockByHash"] = lambda params: MINE.block(89)
        with pytest.raises(CouldNotSee) as caught:
            await pin(one.node, at, confirmations=12)
        assert caught.value.reason == "malformed"


@pytest.mark.parametrize("field", ["number", "timestamp"])
@pytest.mark.parametrize("beyond", [0, 1])
async def test_pin_of_a_number_that_no_block_has_is_malformed(field: str, beyond: int) -> None:
    """Up to 2^53 a number is exact for every reader; beyond it no store and no reader takes it."""
    async with parties(MINE) as (one,):
        block = MINE.block(70) | {field: hex(NUMBER_MAX + beyond)}
        one.canned.answers["eth_getBlockByNumber"] = lambda params: block
        if not beyond:
            stamp = await pin(one.node, "latest", confirmations=12)
            assert NUMBER_MAX in (stamp.number, stamp.timestamp)
            return
        with pytest.raises(CouldNotSee, match="answered a block 0x") as caught:
            await pin(one.node, "latest", confirmations=12)
        assert caught.value.reason == "malformed"


async def test_pin_on_a_node_without_a_latest_block_is_malformed() -> None:
    """Every node has a latest block."""
    async with parties(MINE) as (one,):
        one.canned.answers["eth_getBlockByNumber"] = None
        with pytest.raises(CouldNotSee, match="n0 has no latest block") as caught:
            await pin(one.node, confirmations=12, pace=TWICE)
        assert caught.value.reason == "malformed"


async def test_pin_on_a_node_that_is_not_there_is_refused_without_its_key() -> None:
    """Nobody listens: the sentence names the label and the remedy, never the URL."""
    async with parties(MINE) as (one,):
        await one.canned.port.unplug()
        with pytest.raises(CouldNotSee, match=r"^n0: .*; check that the node runs") as caught:
            await pin(one.node, confirmations=12, pace=TWICE)
        assert caught.value.reason == "refused"
        assert SECRET not in str(caught.value)
        assert one.canned.url not in str(caught.value)


async def test_pin_of_nonsense_asks_nobody() -> None:
    """What names no block is the operator's to correct."""
    async with parties(MINE) as (one,):
        with pytest.raises(ValueError, match="expected finalized"):
            await pin(one.node, "yesterday", confirmations=12)
        assert one.canned.requests == []


# -- references ----------------------------------------------------------------------------------


async def test_pin_that_the_references_confirm_costs_each_one_request() -> None:
    """References are asked for one height and their head, in one batch each."""
    async with parties(MINE, MINE, MINE) as (one, two, three):
        one.canned.finalized = 70
        referees = (two.of("o"), three.of("p"))
        assert await pin(one.node, references=referees, confirmations=3) == stamp_of(MINE, 70)
        assert [len(party.canned.requests) for party in (two, three)] == [1, 1]
        assert [party.canned.heights for party in (two, three)] == [[70], [70]]


async def test_pin_on_a_node_off_its_references_is_forked() -> None:
    """The node's chain is not theirs; nothing that it says of the ledger is of the same chain."""
    async with parties(OTHER, MINE, MINE) as (one, two, three):
        with pytest.raises(CouldNotSee, match=r"is 0x.* at n0 and 0x.* at 2 of 2") as caught:
            await pin(one.node, "90", (two.of("o"), three.of("p")), confirmations=12)
        assert caught.value.reason == "forked"
        shared = await pin(one.node, "80", (two.of("o"), three.of("p")), confirmations=12)
        assert shared == stamp_of(MINE, 80)


async def test_pin_against_two_endpoints_of_one_operator_is_one_vote() -> None:
    """An operator with two endpoints does not outvote two that have one each."""
    async with parties(MINE, OTHER, OTHER, MINE, MINE) as (one, two, three, four, five):
        referees = (two.of("o"), three.of("o"), four.of("p"), five.of("q"))
        assert await pin(one.node, "90", referees, confirmations=12) == stamp_of(MINE, 90)


async def test_pin_that_the_references_do_not_have_yet_is_ahead() -> None:
    """A block that only this node has may never be anybody else's."""
    async with parties(MINE, Chain(95), Chain(96)) as (one, two, three):
        with pytest.raises(CouldNotSee, match="the highest of them is at 96") as caught:
            await pin(one.node, "latest", (two.of("o"), three.of("p")), confirmations=3)
        assert caught.value.reason == "ahead"


@pytest.mark.parametrize(("head", "is_behind"), [(88, False), (87, True)], ids=["at", "below"])
async def test_pin_of_a_tag_on_a_node_behind_its_references(head: int, is_behind: bool) -> None:
    """The tag of a node that lags is an old block: beyond the confirmations it is not taken."""
    async with parties(Chain(head), MINE, MINE) as (one, two, three):
        one.canned.finalized = 70
        referees = (two.of("o"), three.of("p"))
        if not is_behind:
            assert (await pin(one.node, references=referees, confirmations=12)).number == 70
            return
        with pytest.raises(CouldNotSee, match=r"n0 is at block 87 .* at 100: 13 blocks") as caught:
            await pin(one.node, references=referees, confirmations=12)
        assert caught.value.reason == "behind"


async def test_pin_of_a_height_on_a_node_behind_its_references_is_taken() -> None:
    """Whoever names an old block gets it, however far the node has come."""
    async with parties(Chain(50), MINE) as (one, two):
        assert await pin(one.node, "40", (two.of("o"),), confirmations=3) == stamp_of(MINE, 40)


async def test_pin_with_half_of_the_references_silent_has_no_quorum() -> None:
    """Silence elects nobody, and is named with its reason and without a key."""
    async with parties(MINE, MINE, MINE) as (one, two, three):
        await three.canned.port.unplug()
        with pytest.raises(CouldNotSee, match="p could not be seen") as caught:
            await pin(one.node, "90", (two.of("o"), three.of("p")), confirmations=12)
        assert caught.value.reason == "no_quorum"
        assert SECRET not in caught.value.detail


# -- afterwards ----------------------------------------------------------------------------------


async def test_still_on_the_same_chain_passes() -> None:
    """The head may have grown; the block is the same at the node and at the references."""
    async with parties(Chain(100), Chain(100)) as (one, two):
        stamp = await pin(one.node, "90", (two.of("o"),), confirmations=12)
        one.canned.chain = two.canned.chain = Chain(120)
        await still(one.node, (two.of("o"),), stamp)


async def test_still_of_a_block_that_is_gone_is_behind() -> None:
    """A node that was rolled back below the block no longer has it."""
    async with parties(MINE) as (one,):
        one.canned.chain = Chain(89)
        with pytest.raises(CouldNotSee, match="n0 no longer has block 90, which was 0x") as caught:
            await still(one.node, (), stamp_of(MINE))
        assert caught.value.reason == "behind"


async def test_still_when_only_the_references_have_left_is_forked() -> None:
    """The references speak again afterwards: the node may be the last on a dead branch."""
    async with parties(MINE, MINE) as (one, two):
        stamp = await pin(one.node, "90", (two.of("o"),), confirmations=12)
        two.canned.chain = OTHER
        with pytest.raises(CouldNotSee) as caught:
            await still(one.node, (two.of("o"),), stamp)
        assert caught.value.reason == "forked"


async def test_still_that_cannot_be_seen_is_no_yes() -> None:
    """A node that is silent at the end has not confirmed anything."""
    async with parties(MINE) as (one,):
        one.canned.answers["eth_getBlockByNumber"] = Refusal("Too many requests", 429)
        with pytest.raises(CouldNotSee) as caught:
            await still(one.node, (), stamp_of(MINE), pace=Pace(pauses_seconds=()))
        assert caught.value.reason == "busy"


# -- real nodes ----------------------------------------------------------------------------------

CHAIN = AnvilChain(chain_id=31337, genesis_timestamp=1_700_000_000)


async def stamp_at(anvil: Anvil, which: str) -> BlockStamp:
    block = await anvil.rpc("eth_getBlockByNumber", which, HASHES_ONLY)
    number, timestamp = int(block["number"], 16), int(block["timestamp"], 16)
    return BlockStamp(BlockNumber(number), Hash32(block["hash"]), timestamp)


async def test_pin_on_anvil_by_every_name_is_the_nodes_block(anvil_path: Path) -> None:
    """A real node's tags, heights and hashes are read as it means them."""
    async with Anvil(CHAIN, binary=anvil_path) as anvil, open_session() as session:
        node = Node("anvil", Url(anvil.url), session, clock=Clock(0.0))
        await anvil.rpc("anvil_mine", "0x14")
        for tag in ("finalized", "safe", "latest"):
            assert await pin(node, tag, confirmations=3) == await stamp_at(anvil, tag)
        tenth = await stamp_at(anvil, "0xa")
        assert await pin(node, "10", confirmations=3) == tenth
        assert await pin(node, tenth.hash, confirmations=3) == tenth
        with pytest.raises(CouldNotSee) as caught:
            await pin(node, "0x" + "12" * 32, confirmations=3, pace=TWICE)
        assert caught.value.reason == "behind"
        await node.close()


async def test_still_after_a_real_reorg_is_forked_and_below_it_is_not(anvil_path: Path) -> None:
    """Blocks replaced between the pin and the end are noticed, with both hashes."""
    async with Anvil(CHAIN, binary=anvil_path) as anvil, open_session() as session:
        node = Node("anvil", Url(anvil.url), session, clock=Clock(0.0))
        await anvil.rpc("anvil_mine", "0x14")
        deep = await pin(node, "finalized", confirmations=3)
        shallow = await pin(node, "18", confirmations=3)
        await anvil.rpc("anvil_reorg", 5, [])
        await still(node, (), deep)
        with pytest.raises(CouldNotSee) as caught:
            await still(node, (), shallow)
        assert caught.value.reason == "forked"
        for named in (shallow.hash, (await stamp_at(anvil, "0x12")).hash):
            assert named[:8] in caught.value.detail
        await node.close()


async def test_still_after_a_node_was_reverted_to_a_snapshot(anvil_path: Path) -> None:
    """A node restored from a backup lacks the block, and then has another in its place."""
    async with Anvil(CHAIN, binary=anvil_path) as anvil, open_session() as session:
        node = Node("anvil", Url(anvil.url), session, clock=Clock(0.0))
        await anvil.rpc("anvil_mine", "0x14")
        snapshot = await anvil.rpc("evm_snapshot")
        await anvil.rpc("anvil_mine", "0x2")
        stamp = await pin(node, "latest", confirmations=3)
        await anvil.rpc("evm_revert", snapshot)
        with pytest.raises(CouldNotSee) as caught:
            await still(node, (), stamp, pace=TWICE)
        assert caught.value.reason == "behind"
        await anvil.rpc("evm_increaseTime", 100)
        await anvil.rpc("anvil_mine", "0x2")
        with pytest.raises(CouldNotSee) as caught:
            await still(node, (), stamp)
        assert caught.value.reason == "forked"
        await node.close()


async def test_pin_between_real_nodes_of_two_forks(anvil_path: Path) -> None:
    """Two chains that part in the middle: below they are one, above they are forked."""
    async with (
        Anvil(CHAIN, name="a", binary=anvil_path) as ours,
        Anvil(CHAIN, name="b", binary=anvil_path) as theirs,
        open_session() as session,
    ):
        times = [CHAIN.genesis_timestamp + 12 * number for number in range(1, 12)]
        for anvil, late in ((ours, 0), (theirs, 1)):
            for number, timestamp in enumerate(times, 1):
                moment = timestamp + (late if number > 8 else 0)
                await anvil.rpc("evm_mine", {"timestamp": moment, "blocks": 1})
        node, other = (
            Node(name, Url(anvil.url), session, clock=Clock(0.0))
            for name, anvil in (("a", ours), ("b", theirs))
        )
        referees = (Referee("b", other),)
        assert (await pin(node, "8", referees, confirmations=0)).number == 8
        with pytest.raises(CouldNotSee) as caught:
            await pin(node, "9", referees, confirmations=0)
        assert caught.value.reason == "forked"
        await asyncio.gather(node.close(), other.close())
