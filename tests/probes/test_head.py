"""`latest` and `finalized`, in every dialect of having no finality."""

from __future__ import annotations

import pytest

from monitor.judge.seen import HeadSeen
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.model import Unseen
from monitor.probes import head
from monitor.rpc.errors import CallRejected, ConnectionRefused, MalformedAnswer
from monitor.rpc.node import Node
from tests.rpc.canned import Canned, Json, Refusal, always, as_calls, reply


async def test_head_of_a_real_node_is_its_newest_and_its_finalized_block(real: Node) -> None:
    """The finalized block of anvil lies two epochs of four blocks behind."""
    seen = await head.probe(real)
    assert seen.head.number == 20
    assert seen.final is not None
    assert seen.final.number == 12


async def test_head_costs_one_request_of_two_calls(server: Canned, node: Node) -> None:
    """What is announced as its price is its price."""
    server.finalized = 90
    seen = await head.probe(node)
    assert (seen.head.number, seen.head.hash) == (100, server.chain.hash(100))
    assert seen.final is not None
    assert seen.final.hash == server.chain.hash(90)
    assert len(server.requests) == 1
    assert len(server.calls) == head.CALLS


@pytest.mark.parametrize(
    "said",
    [
        None,
        Refusal("finalized block not found", -32000),
        Refusal("invalid argument 0: hex string without 0x prefix", -32602),
        Refusal("Invalid params: Invalid block number: invalid digit found in string.", -32602),
        Refusal("Unknown block", -39001),
        Refusal("unknown block", -32000),
        Refusal('block "finalized" not available (head block: 21459236)', -39001),
        Refusal("unsupported block tag: finalized", -32602),
        Refusal("the method eth_getBlockByNumber does not exist/is not available", -32601),
    ],
    ids=[
        "null",
        "geth_before_finality",
        "geth_1.8",
        "parity",
        "besu",
        "erigon",
        "erigon_3",
        "rskj",
        "absent",
    ],
)
async def test_finalized_that_a_client_does_not_know_is_none(
    server: Canned, node: Node, said: Json
) -> None:
    """There is none, which is not the same as not having seen it; the head is seen."""
    server.finalized = said
    seen = await head.probe(node)
    assert seen.head.number == 100
    assert seen.finalized is None
    assert set(node.errors_total) <= {"unsupported"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Refusal("rate limit exceeded", -32005), "rpc_error"),
        (Refusal("Internal error", -32603), "rpc_error"),
        (Refusal("daily request count exceeded, request rate limited"), "rpc_error"),
        ({"number": "0x5a"}, "malformed"),
        ("0x5a", "malformed"),
    ],
    ids=["throttled", "internal", "ganache_like", "half_a_block", "number"],
)
async def test_finalized_that_failed_is_unseen_and_the_head_still_counts(
    server: Canned, node: Node, said: Json, reason: str
) -> None:
    """One call of the two failed: its neighbour is an observation all the same."""
    server.finalized = said
    seen = await head.probe(node)
    assert seen.head.number == 100
    assert isinstance(seen.finalized, Unseen)
    assert seen.finalized.reason == reason
    assert seen.final is None


async def test_latest_refused_once_by_a_real_node_is_seen_the_next_time(
    proxy: FaultProxy, real: Node
) -> None:
    """The proxy refuses the first of the two calls, once: no head then, and one afterwards."""
    proxy.set(Fault("override", methods="eth_getBlockByNumber", error=(-32000, "busy"), times=1))
    with pytest.raises(CallRejected):
        await head.probe(real)
    assert (await head.probe(real)).final is not None


async def test_latest_null_is_malformed(server: Canned, node: Node) -> None:
    """A node without any block is no head at all, and not a head of zero."""
    server.answers = {"eth_getBlockByNumber": None}
    with pytest.raises(MalformedAnswer, match="it has no latest block"):
        await head.probe(node)


async def test_latest_that_is_pending_is_malformed(server: Canned, node: Node) -> None:
    """A block without a hash has not been made yet."""
    pending = server.chain.block(100) | {"hash": None, "number": None}
    server.answers = {"eth_getBlockByNumber": pending}
    with pytest.raises(MalformedAnswer, match="number"):
        await head.probe(node)


async def test_latest_that_failed_is_not_a_head_even_with_a_finalized_block(
    server: Canned, node: Node
) -> None:
    """What is finalized says nothing about where the node stands."""
    blocks = {"latest": Refusal("busy", -32000), "finalized": server.chain.block(90)}
    server.answers = {"eth_getBlockByNumber": lambda params: blocks[params[0]]}
    with pytest.raises(CallRejected, match="busy"):
        await head.probe(node)


async def test_head_of_a_node_that_refuses_everything_is_not_seen(
    server: Canned, node: Node
) -> None:
    """Both calls fail together, once, and nothing is left waiting."""
    server.respond = always("", 503)
    with pytest.raises(ConnectionRefused, match="HTTP 503"):
        await head.probe(node)


async def test_head_of_a_chain_at_its_genesis_is_block_zero(server: Canned, node: Node) -> None:
    """Zero is a height like any other."""
    server.chain.head = 0
    server.finalized = 0
    seen = await head.probe(node)
    assert seen == HeadSeen(seen.head, seen.head)
    assert seen.head.number == 0


async def test_head_through_single_calls_is_the_same(server: Canned, node: Node) -> None:
    """A server without batches is asked one by one."""
    server.finalized = 90

    async def no_batch(request: object, asked: Json) -> object:
        refused = {"id": None, "error": {"code": -32600, "message": "no batch"}}
        return reply(refused) if isinstance(asked, list) else None

    server.respond = no_batch  # type: ignore[assignment]
    seen = await head.probe(node)
    assert (seen.head.number, seen.final and seen.final.number) == (100, 90)
    assert [len(as_calls(request)) for request in server.requests] == [2, 1, 1]
