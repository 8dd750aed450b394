"""Thousands of calls at one block: in order, in slices, and never of another block."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from monitor.lab.anvil import Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.ledger.calls import Call, Pace, ask, block_parameter, call_many, data, header_at
from monitor.ledger.errors import CouldNotSee
from monitor.model import Address, BlockNumber, BlockStamp, Hash32
from monitor.rpc import decode
from monitor.rpc.node import Node
from monitor.url import Url
from monitor.wire import open_session
from tests.ledger.scene import REVERTED, TWICE, Heeding, Scene, calls_of, scene, stamp_of
from tests.rpc.canned import Chain, Clock, Hang, Json, Refusal


def told(scene: Scene, calls: list[Call]) -> None:
    """Let every call answer with its own calldata."""
    for call in calls:
        scene.said[call.to, "0x" + call.calldata.hex()] = "0x" + call.calldata.hex()


# -- many ----------------------------------------------------------------------------------------


async def test_call_many_answers_come_in_the_order_of_the_calls() -> None:
    """Each answer is that of its own call, over several slices and batches."""
    async with scene() as one:
        calls = calls_of(1234)
        told(one, calls)
        answers = await call_many(one.node, calls, one.at)
        assert answers == [call.calldata for call in calls]


async def test_call_many_nothing_asks_nothing() -> None:
    """Without calls nobody is asked."""
    async with scene() as one:
        assert await call_many(one.node, [], one.at) == []
        assert one.canned.requests == []


async def test_call_many_never_has_more_than_a_slice_under_way() -> None:
    """A node is never asked more at once than the pace says."""
    async with scene() as one:
        calls = calls_of(25)
        hang = Hang()
        hang.released.set()
        asked: list[int] = []
        one.canned.respond = hang
        pace = Pace(in_flight=10)
        progress: list[tuple[int, int]] = []

        def tell(done: int, total: int) -> None:
            progress.append((done, total))
            asked.append(len(one.canned.calls))

        await call_many(one.node, calls, one.at, pace=pace, progress=tell)
        assert progress == [(10, 25), (20, 25), (25, 25)]
        assert asked == [2 + 10, 2 + 20, 2 + 25]


async def test_call_many_reverts_are_none() -> None:
    """A revert is an answer of the contract; no bytes are what they are."""
    async with scene() as one:
        first, second, third = calls_of(3)
        one.said[first.to, "0x" + first.calldata.hex()] = "0x2a"
        one.said[second.to, "0x" + second.calldata.hex()] = REVERTED
        answers = await call_many(one.node, [first, second, third], one.at)
        assert answers == [b"\x2a", None, b""]


REVERTS = {
    "geth": Refusal("execution reverted", 3),
    "geth without a code": Refusal("execution reverted", -32000),
    "assert of solc 0.4": Refusal("invalid opcode: INVALID", -32000),
    "parity": Refusal("VM execution error.", -32015),
    "ganache": Refusal("VM Exception while processing transaction: revert", -32000),
    "hardhat": Refusal("Error: Transaction reverted without a reason string", -32603),
    "besu": Refusal("Execution reverted", -32000),
    "anvil": Refusal("EVM error InvalidFEOpcode", -32603),
    "all gas": Refusal("out of gas", -32000),
}


@pytest.mark.parametrize("refusal", REVERTS.values(), ids=REVERTS)
async def test_call_many_revert_in_the_words_of_each_client_is_none(refusal: Refusal) -> None:
    """However a client says it, and be it of the first call, by which the block is named."""
    async with scene() as one:
        calls = calls_of(2)
        told(one, calls)
        one.said[calls[0].to, "0x" + calls[0].calldata.hex()] = refusal
        assert await call_many(one.node, calls, one.at, pace=TWICE) == [None, calls[1].calldata]
        assert len(one.canned.calls) == 2 + 2


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Refusal("missing trie node 12 (path )", -32000), "pruned"),
        (Refusal("something new", -32000), "rpc_error"),
        (Refusal("Too many requests", -32000), "busy"),
        (Refusal("the method eth_call does not exist/is not available", -32601), "unsupported"),
        ("0x123", "malformed"),
        (None, "malformed"),
        ("0x 1 2 ", "malformed"),
    ],
    ids=["pruned", "unknown words", "busy", "absent", "odd digits", "null", "spaces"],
)
async def test_call_many_trouble_of_the_node_is_never_a_revert(refusal: Json, reason: str) -> None:
    """Whatever is no answer of the contract ends the reading, under its reason."""
    async with scene(label="alpha") as one:
        calls = calls_of(3)
        told(one, calls)
        one.said[calls[2].to, "0x" + calls[2].calldata.hex()] = refusal
        with pytest.raises(CouldNotSee, match="alpha: eth_call") as caught:
            await call_many(one.node, calls, one.at, pace=TWICE)
        assert caught.value.reason == reason


# -- again ---------------------------------------------------------------------------------------


async def test_call_many_what_fails_for_the_moment_is_asked_again() -> None:
    """Only what failed is asked again, and its answer takes its place."""
    async with scene() as one:
        calls = calls_of(3)
        told(one, calls)
        moods = iter([Refusal("header not found", -32000), "0x07"])
        one.said[calls[1].to, "0x" + calls[1].calldata.hex()] = lambda: next(moods)
        answers = await call_many(one.node, calls, one.at, pace=TWICE)
        assert answers == [calls[0].calldata, b"\x07", calls[2].calldata]
        assert len(one.canned.calls) == 2 + 3 + 1


async def test_call_many_silence_ends_as_a_timeout() -> None:
    """A node that does not answer is not waited for forever."""
    async with scene(deadline_seconds=0.2) as one:
        hang = Hang("eth_call")
        one.canned.respond = hang
        with pytest.raises(CouldNotSee) as caught:
            await call_many(one.node, calls_of(2), one.at, pace=TWICE)
        assert caught.value.reason == "timeout"
        hang.released.set()


async def test_call_many_cancelled_leaves_nobody_waiting() -> None:
    """Whoever gives up in the middle takes the calls under way along."""
    async with scene() as one:
        hang = Hang("eth_call")
        one.canned.respond = hang
        reading = asyncio.create_task(call_many(one.node, calls_of(2), one.at))
        await hang.holding.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        hang.released.set()


async def test_call_many_on_a_node_that_is_closed_is_no_answer() -> None:
    """A node that was closed has said nothing, and nothing is made of that."""
    async with scene() as one:
        hang = Hang("eth_call")
        one.canned.respond = hang
        reading = asyncio.create_task(call_many(one.node, calls_of(2), one.at))
        await hang.holding.wait()
        await one.node.close()
        with pytest.raises(asyncio.CancelledError):
            await reading
        hang.released.set()


# -- one block -----------------------------------------------------------------------------------


@pytest.mark.parametrize("heeding", ["heeds", "refuses", "ignores"])
async def test_block_parameter_is_a_hash_only_where_it_is_heeded(heeding: Heeding) -> None:
    """A node that refuses an object, or answers of another block, is asked by height."""
    async with scene() as one:
        calls = calls_of(1)
        told(one, calls)
        one.heeding = heeding
        block = await block_parameter(one.node, calls[0], one.at)
        assert block == ({"blockHash": one.at.hash} if heeding == "heeds" else hex(one.at.number))


async def test_block_parameter_of_a_probe_that_reverts_is_still_a_hash() -> None:
    """What the contract says of the probe says nothing of the node."""
    async with scene() as one:
        (call,) = calls_of(1)
        one.said[call.to, "0x" + call.calldata.hex()] = REVERTED
        assert await block_parameter(one.node, call, one.at) == {"blockHash": one.at.hash}


async def test_block_parameter_of_a_node_that_ignores_hashes_and_reverts_is_a_height() -> None:
    """A revert at a block that does not exist was of another block."""
    async with scene() as one:
        (call,) = calls_of(1)
        one.said[call.to, "0x" + call.calldata.hex()] = REVERTED
        one.heeding = "ignores"
        assert await block_parameter(one.node, call, one.at) == hex(one.at.number)


async def test_block_parameter_of_a_node_without_the_state_raises_its_reason() -> None:
    """A node with the block and without its state is pruned, whichever way it is asked."""
    async with scene() as one:
        one.prune = Refusal("missing trie node ab (path )", -32000)
        with pytest.raises(CouldNotSee) as caught:
            await call_many(one.node, calls_of(1), one.at, pace=TWICE)
        assert caught.value.reason == "pruned"


async def test_call_many_on_a_node_with_another_block_is_forked() -> None:
    """A height that holds another block is another chain; both hashes are named."""
    async with scene(Chain(100, parts_after=80, salt="mine")) as one:
        theirs = stamp_of(Chain(100))
        with pytest.raises(CouldNotSee) as caught:
            await call_many(one.node, calls_of(1), theirs)
        assert caught.value.reason == "forked"
        for named in (theirs.hash, one.at.hash):
            assert named[:8] in caught.value.detail


async def test_call_many_on_a_node_without_the_block_is_behind() -> None:
    """A node that has not come so far cannot be read there."""
    async with scene(Chain(50)) as one:
        with pytest.raises(CouldNotSee) as caught:
            await call_many(one.node, calls_of(1), stamp_of(Chain(100)))
        assert caught.value.reason == "behind"


async def test_call_many_by_height_notices_a_reorg_under_way() -> None:
    """Read by height, the block must be the pinned one afterwards too."""
    async with scene() as one:
        calls = calls_of(2)
        told(one, calls)
        one.heeding = "refuses"
        at = one.at

        def reorganise(done: int, total: int) -> None:
            one.canned.chain = Chain(100, parts_after=80, salt="mine")

        with pytest.raises(CouldNotSee) as caught:
            await call_many(one.node, calls, at, progress=reorganise)
        assert caught.value.reason == "forked"


# -- one call ------------------------------------------------------------------------------------


async def test_ask_failure_names_the_node_and_never_its_address() -> None:
    """The sentence has the label; the cause stays with it."""
    async with scene(label="alpha") as one:
        with pytest.raises(CouldNotSee, match=r"^alpha: eth_syncing") as caught:
            await ask(one.node, "eth_syncing", (), decode.text)
        assert caught.value.reason == "unsupported"
        assert one.canned.url not in str(caught.value)


async def test_header_at_a_height_without_a_block_is_none() -> None:
    """No block there is an answer."""
    async with scene(Chain(5)) as one:
        assert await header_at(one.node, 6) is None
        assert await header_at(one.node, 5) == Chain(5).hash(5)


# -- a real node ---------------------------------------------------------------------------------

CODES = {
    "0x602a60005260206000f3": bytes(31) + b"\x2a",  # returns 42
    "0x60006000fd": None,  # revert
    "0xfe": None,  # invalid opcode: assert of solc 0.4
    "0x5b600056": None,  # all gas burnt
    "0x600056": None,  # a jump to nowhere
    "0x01": None,  # an empty stack
    "0x": b"",  # no code
}


async def test_call_many_on_anvil_answers_by_hash_and_tells_reverts(anvil_path: Path) -> None:
    """Anvil heeds a block hash, and every way for a contract to fail is a revert."""
    chain = AnvilChain(chain_id=31337, genesis_timestamp=1_700_000_000)
    async with Anvil(chain, binary=anvil_path) as anvil, open_session() as session:
        node = Node("anvil", Url(anvil.url), session, clock=Clock(0.0))
        calls = [Call(Address(f"0x{n:040x}"), b"") for n in range(0xA0, 0xA0 + len(CODES))]
        for call, code in zip(calls, CODES, strict=True):
            await anvil.rpc("anvil_setCode", call.to, code)
        await anvil.rpc("anvil_mine", "0x3")
        block = await anvil.rpc("eth_getBlockByNumber", "0x2", False)
        at = BlockStamp(BlockNumber(2), Hash32(block["hash"]), int(block["timestamp"], 16))
        assert await block_parameter(node, calls[0], at) == {"blockHash": at.hash}
        assert await call_many(node, calls, at) == list(CODES.values())
        elsewhere = BlockStamp(BlockNumber(2), Hash32("0x" + "12" * 32), 0)
        with pytest.raises(CouldNotSee) as caught:
            await call_many(node, calls, elsewhere)
        assert caught.value.reason == "forked"
        await node.close()


@pytest.mark.parametrize("raw", [b'"0x"', b'"0x00ff"', b'"0xABcd"'])
def test_data_of_whole_bytes_is_read(raw: bytes) -> None:
    """An even number of digits of either case is bytes."""
    assert data.decode(msgspec.Raw(raw)) == bytes.fromhex(raw.decode()[3:-1])
