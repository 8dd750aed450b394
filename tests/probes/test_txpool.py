"""How many transactions wait at a node, in the words of the clients."""

from __future__ import annotations

import pytest

from monitor.judge.txpool import MinedBlock, TxpoolSeen
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.probes import txpool
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node
from tests.judge.builders import TIMEOUT, TIP, hash_of, round_of, witness
from tests.probes.situation import asked_of, failure_of
from tests.rpc.canned import Canned, Json, Refusal

ABSENT = Refusal("Method not found", -32601)
COUNT = "eth_getBlockTransactionCountByHash"
PINNED = TIP - 2
NOWHERE = round_of(*(witness(name, TIMEOUT) for name in "abc"))


@pytest.mark.parametrize(
    ("said", "pending", "queued"),
    [
        ({"pending": "0x10", "queued": "0x7"}, 16, 7),
        ({"pending": 16, "queued": 0}, 16, 0),
        ({"pending": "16", "queued": "7"}, 16, 7),
        ({"baseFee": "0x1", "pending": "0x0", "queued": "0x0"}, 0, 0),
    ],
    ids=["geth", "nethermind", "decimal", "erigon"],
)
async def test_pool_of_each_client_is_read(
    server: Canned, node: Node, said: Json, pending: int, queued: int
) -> None:
    """Numbers are numbers; the block beside them is one that the references agree on."""
    server.answers = {
        "txpool_status": said,
        COUNT: lambda params: {hash_of(PINNED): "0x8c"}[params[0]],
    }
    seen = await txpool.probe(asked_of(node))
    assert seen == TxpoolSeen(pending, queued, MinedBlock(PINNED, 140))


async def test_pool_of_besu_is_its_own_statistics(server: Canned, node: Node) -> None:
    """It has no `txpool_status`, and does not tell pending and queued apart."""
    server.answers = {
        "txpool_status": ABSENT,
        "txpool_besuStatistics": {"maxSize": 4096, "localCount": 1, "remoteCount": 20},
        COUNT: "0x8c",
    }
    assert await txpool.probe(asked_of(node)) == TxpoolSeen(21, None, MinedBlock(PINNED, 140))


async def test_pool_of_a_client_that_has_neither_is_absent(server: Canned, node: Node) -> None:
    """The check is skipped there, and not unknown."""
    server.answers = {"txpool_status": ABSENT, "txpool_besuStatistics": ABSENT}
    assert isinstance(await failure_of(txpool.probe(asked_of(node))), MethodAbsent)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Refusal("busy", -32000), CallRejected),
        ({"pending": "0x1"}, MalformedAnswer),
        ("0x1", MalformedAnswer),
        (None, MalformedAnswer),
    ],
)
async def test_pool_that_was_not_seen_is_raised(
    server: Canned, node: Node, said: Json, kind: type[Exception]
) -> None:
    """What was not said is no empty pool; besu's statistics do not stand in for a refusal."""
    server.answers = {"txpool_status": said}
    assert isinstance(await failure_of(txpool.probe(asked_of(node))), kind)
    assert "txpool_besuStatistics" not in server.methods
    assert "rpc_error" not in node.errors_total


@pytest.mark.parametrize("said", [None, ABSENT, Refusal("header not found", -32000), "many"])
async def test_block_that_was_not_seen_is_none(server: Canned, node: Node, said: Json) -> None:
    """The pool is seen all the same, and the sample has no block to speak of."""
    server.answers = {"txpool_status": {"pending": 0, "queued": 0}, COUNT: said}
    assert (await txpool.probe(asked_of(node))).block is None
    assert "rpc_error" not in node.errors_total


async def test_block_is_not_asked_for_without_a_quorum(server: Canned, node: Node) -> None:
    """Nobody knows which block is the network's."""
    server.answers = {"txpool_status": {"pending": 0, "queued": 0}}
    assert (await txpool.probe(asked_of(node, context=NOWHERE))).block is None
    assert server.methods == ["txpool_status"]


async def test_pool_of_a_real_node_is_empty_and_is_overridden_as_a_fault(
    proxy: FaultProxy, real: Node
) -> None:
    """Anvil has the method, and its pool is empty between blocks."""
    assert await txpool.probe(asked_of(real, context=NOWHERE)) == TxpoolSeen(0, 0, None)
    proxy.set(
        Fault("override", methods="txpool_status", result={"pending": "0x2", "queued": "0x0"})
    )
    assert (await txpool.probe(asked_of(real, context=NOWHERE))).pending == 2
