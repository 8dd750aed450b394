"""How far back a node answers: by its word in several dialects, or by being tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.judge.retention import Kept, RetentionSeen
from monitor.model import BlockNumber
from monitor.probes import retention
from monitor.probes.retention import oldest
from monitor.rpc.errors import CallRejected, MalformedAnswer
from monitor.rpc.node import Node
from tests.judge.builders import TIMEOUT, block, run, said, seen_head
from tests.probes.asking import asked_of
from tests.rpc.canned import Canned, Refusal

HEAD = 1000
HASH = "0x" + "ab" * 32
GETH: dict[str, Any] = {
    "head": {"number": "0x3e8", "hash": HASH},
    "state": {
        "disabled": False,
        "oldestBlock": "0x369",
        "deleteStrategy": {"type": "window", "retentionBlocks": "0x80"},
    },
    "tx": {"disabled": False, "oldestBlock": "0x0"},
    "logs": {"disabled": True},
    "receipts": {"disabled": False, "oldestBlock": "0x64"},
    "blocks": {"disabled": False, "oldestBlock": "0x64"},
    "stateproofs": {"disabled": False, "oldestBlock": "0x369"},
}
"""A full node of geth in the words of `internal/ethapi/capabilities.go`."""


async def probed(node: Node, last: RetentionSeen | None = None) -> RetentionSeen:
    before = [] if last is None else [last]
    return await retention.probe(asked_of(node, (), run(HEAD), before=before))


async def test_retention_that_is_declared_is_taken_at_its_word(server: Canned, node: Node) -> None:
    """One call; what is disabled is served for no block."""
    server.answers = {"eth_capabilities": GETH}
    seen = await probed(node)
    assert seen.is_declared
    assert seen.kept == (
        Kept("state", 873),
        Kept("bodies", 100),
        Kept("receipts", 100),
        Kept("logs", None),
    )
    assert (seen.head, seen.final, len(server.calls)) == (1000, None, 1)


async def test_retention_of_which_a_node_does_not_say_how_far_is_not_known(
    server: Canned, node: Node
) -> None:
    """Nethermind with full pruning leaves the oldest state out, and says a window as a number."""
    unknown = {"disabled": False, "deleteStrategy": {"type": "window", "retentionBlocks": 128}}
    server.answers = {"eth_capabilities": GETH | {"state": unknown}}
    seen = await probed(node)
    assert seen.blocks("state") is None
    assert seen.blocks("bodies") == 900


@pytest.mark.parametrize("lacking", ["head", "state", "receipts"])
async def test_retention_that_says_half_is_malformed(
    server: Canned, node: Node, lacking: str
) -> None:
    """A missing member is an error and no default."""
    server.answers = {"eth_capabilities": {k: v for k, v in GETH.items() if k != lacking}}
    with pytest.raises(MalformedAnswer, match=lacking):
        await probed(node)


def pruned(
    server: Canned, *, states: int, blocks: int, receipts: int, gone: Refusal | None = None
) -> None:
    """Let the server serve each of these from some block on, with a transaction in each block."""

    def balance(params: list[Any]) -> Any:
        return "0x0" if int(params[1], 16) >= states else gone

    def body(params: list[Any]) -> Any:
        return {"transactions": [HASH]} if int(params[0], 16) >= blocks else gone

    def told(params: list[Any]) -> Any:
        return [{}] if int(params[0], 16) >= receipts else gone or []

    server.answers = {
        "eth_getBalance": balance,
        "eth_getBlockByNumber": body,
        "eth_getBlockReceipts": told,
    }


@pytest.mark.parametrize(
    "gone",
    [
        None,
        Refusal("pruned history unavailable", 4444),
        Refusal("missing trie node 12ab (path )", -32000),
        Refusal("historical state 0x12 is not available", -32000),
        Refusal("No state available for block 12", -32002),
        Refusal("World state unavailable", -32000),
        Refusal("old data not available due to pruning", -32000),
        Refusal("Resource not found", -32001),
    ],
    ids=[
        "besu_which_says_null",
        "eip_4444",
        "geth_by_hash",
        "geth_by_path",
        "nethermind",
        "besu_of_calls_and_proofs",
        "erigon",
        "anvil",
    ],
)
async def test_retention_that_is_not_declared_is_found_by_halves(
    server: Canned, node: Node, gone: Refusal | None
) -> None:
    """Whatever the client says of what it does not keep."""
    pruned(server, states=873, blocks=100, receipts=640, gone=gone)
    seen = await probed(node)
    assert not seen.is_declared
    assert seen.kept == (Kept("state", 873), Kept("bodies", 100), Kept("receipts", 640))
    states = [call for call in server.calls if call["method"] == "eth_getBalance"]
    assert len(states) <= 11


async def test_retention_that_stands_still_costs_two_calls_of_each_kind(
    server: Canned, node: Node
) -> None:
    """The oldest that is served, and the one below it."""
    pruned(server, states=873, blocks=100, receipts=640)
    last = await probed(node)
    server.forget()
    assert (await probed(node, last)).kept == last.kept
    assert [server.methods.count(m) for m in ("eth_getBalance", "eth_getBlockReceipts")] == [2, 2]
    pruned(server, states=903, blocks=100, receipts=640)
    server.forget()
    assert (await probed(node, last)).kept[0] == Kept("state", 903)
    assert server.methods.count("eth_getBalance") <= 12


async def test_retention_of_a_node_without_receipts_by_block_is_that_of_the_rest(
    server: Canned, node: Node
) -> None:
    """A method that is absent says nothing of what is kept."""
    pruned(server, states=0, blocks=0, receipts=0)
    del server.answers["eth_getBlockReceipts"]
    assert (await probed(node)).kept == (Kept("state", 0), Kept("bodies", 0))


async def test_retention_of_blocks_without_transactions_is_not_doubted(
    server: Canned, node: Node
) -> None:
    """They have no receipts to be kept."""
    pruned(server, states=0, blocks=0, receipts=HEAD + 1)
    server.answers["eth_getBlockByNumber"] = {"transactions": []}
    assert (await probed(node)).kept[2] == Kept("receipts", 0)


async def test_retention_that_is_refused_for_another_reason_is_not_seen(
    server: Canned, node: Node
) -> None:
    """A node that is busy has not forgotten anything."""
    pruned(server, states=0, blocks=0, receipts=0)
    for method in ("eth_getBalance", "eth_getBlockReceipts", "eth_getBlockByNumber"):
        server.answers[method] = Refusal("limit exceeded", -32005)
        with pytest.raises(CallRejected, match="limit exceeded"):
            await probed(node)


async def test_retention_without_a_head_is_not_asked_for(node: Node) -> None:
    """There is nothing to look back from."""
    with pytest.raises(MalformedAnswer, match="no head"):
        await retention.probe(asked_of(node, (), ()))
    with pytest.raises(MalformedAnswer, match="no head"):
        await retention.probe(replace(asked_of(node, (), ()), heads=[said(TIMEOUT)]))


async def test_retention_of_a_real_node_is_everything(real: Node) -> None:
    """Anvil keeps what it has made, and says nothing of it."""
    final = seen_head(20, final=12)
    assert final.final == block(BlockNumber(12))
    seen = await retention.probe(asked_of(real, (), [said(final)]))
    assert seen == RetentionSeen(
        20, 12, (Kept("state", 0), Kept("bodies", 0), Kept("receipts", 0)), is_declared=False
    )


@given(
    head=st.integers(0, 5000),
    served=st.integers(0, 5001),
    known=st.none() | st.integers(0, 6000),
)
@example(head=100, served=41, known=40)
@example(head=100, served=42, known=40)
@example(head=100, served=43, known=40)
@example(head=100, served=40, known=40)
@example(head=100, served=39, known=40)
@example(head=100, served=100, known=99)
@example(head=100, served=101, known=100)
@settings(max_examples=300, deadline=None)
async def test_oldest_is_found_wherever_it_was_before(
    head: int, served: int, known: int | None
) -> None:
    """From nothing, from above, from below, from beyond the head; in few questions."""
    asked: list[int] = []

    async def is_served(number: int) -> bool:
        asked.append(number)
        return number >= served

    assert await oldest(is_served, head, known) == (served if served <= head else None)
    assert len(asked) <= 2 * head.bit_length() + 4
    assert all(0 <= number <= head for number in asked)
