"""What clients answer to `eth_syncing`, in their own words."""

from __future__ import annotations

import pytest

from monitor.judge.sync import Pace, Remaining, Stage, SyncingSeen
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.model import Observation
from monitor.probes import sync
from monitor.rpc.errors import CallRejected, MalformedAnswer
from monitor.rpc.node import Node
from tests.judge.builders import NOW, TIMEOUT, TIP, block, round_of, run, witness
from tests.probes.situation import asked_of, failure_of
from tests.rpc.canned import Canned, Json, Refusal

HERE = SyncingSeen("syncing", block(TIP), block(TIP))

GETH = {
    "currentBlock": "0x1e275b",
    "healedBytecodeBytes": "0x0",
    "healedBytecodes": "0x0",
    "healedTrienodeBytes": "0x0",
    "healedTrienodes": "0x0",
    "healingBytecode": "0x0",
    "healingTrienodes": "0x0",
    "highestBlock": "0x9aa7dc",
    "startingBlock": "0x1a050b",
    "stateIndexRemaining": "0x0",
    "syncedAccountBytes": "0x238c4f4c",
    "syncedAccounts": "0x290fd6",
    "syncedBytecodeBytes": "0x2a37a3b7",
    "syncedBytecodes": "0x4ecb8",
    "syncedStorage": "0xa86b70",
    "syncedStorageBytes": "0x9474f7df",
    "txIndexFinishedBlocks": "0x0",
    "txIndexRemainingBlocks": "0x1",
}
"""Of a geth 1.16 that syncs Sepolia."""
ERIGON = {
    "startingBlock": "0x0",
    "currentBlock": "0x0",
    "highestBlock": "0x10c6f2",
    "stages": [
        {"stage_name": "OtterSync", "block_number": "0x10c6f0"},
        {"stage_name": "Execution", "block_number": "0x0"},
    ],
}
RETH = {
    "startingBlock": "0x0",
    "currentBlock": "0x0",
    "highestBlock": "0x64",
    "warpChunksAmount": None,
    "warpChunksProcessed": None,
    "stages": [
        {"stage_name": "Headers", "block": "0x64"},
        {"stage_name": "Bodies", "block": "0x2"},
    ],
}
NITRO = {
    "batchProcessed": 570,
    "batchSeen": 573,
    "blockNum": 5_612_321,
    "broadcasterQueuedMessagesPos": 0,
    "consensusSyncTarget": 5_612_400,
    "feedPendingMessageCount": 0,
    "lastL1BlockNum": "0x11f3d7a",
    "maxMessageCount": 5_612_400,
    "messageOfLastBlock": 5_612_322,
    "msgCount": 5_612_323,
}


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (False, SyncingSeen("synced", block(TIP), block(TIP))),
        (True, HERE),
        (
            GETH,
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                current=1976155,
                highest=10135516,
                remaining=(Remaining("blocks of the transaction index", 1),),
            ),
        ),
        (
            ERIGON,
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                current=0,
                highest=1099506,
                stages=(Stage("OtterSync", 1099504), Stage("Execution", 0)),
            ),
        ),
        (
            RETH,
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                current=0,
                highest=100,
                stages=(Stage("Headers", 100), Stage("Bodies", 2)),
            ),
        ),
        (
            {"stages": {"Headers": 100, "Bodies": "0x2"}},
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                stages=(Stage("Headers", 100), Stage("Bodies", 2)),
            ),
        ),
        (
            {"startingBlock": "0x0", "currentBlock": "0x1518", "highestBlock": "0x9567a3"},
            SyncingSeen("syncing", block(TIP), block(TIP), current=5400, highest=9791395),
        ),
        (
            {
                "startingBlock": "0x5a0",
                "currentBlock": "0x5a1",
                "highestBlock": "0x5b3",
                "pulledStates": "0x10",
                "knownStates": "0x30",
            },
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                current=1441,
                highest=1459,
                remaining=(Remaining("states to pull", 32),),
            ),
        ),
        (
            {
                "currentBlock": "0x5a1",
                "highestBlock": "0x5b3",
                "pulledStates": None,
                "knownStates": None,
            },
            SyncingSeen("syncing", block(TIP), block(TIP), current=1441, highest=1459),
        ),
        (
            {
                "isSyncing": True,
                "startingBlock": "0x0",
                "currentBlock": "0x12",
                "highestBlock": "0x3d",
                "syncMode": "FastBlocks, StateNodes",
            },
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                current=18,
                highest=61,
                mode="FastBlocks, StateNodes",
            ),
        ),
        ({"isSyncing": False}, SyncingSeen("synced", block(TIP), block(TIP))),
        (
            NITRO,
            SyncingSeen(
                "syncing",
                block(TIP),
                block(TIP),
                remaining=(Remaining("messages", 77), Remaining("batches", 3)),
            ),
        ),
        ({"err": "notStarted"}, HERE),
        ({}, HERE),
        ({"whatever": [1, 2], "progress": "47%"}, HERE),
    ],
    ids=[
        "false",
        "true",
        "geth",
        "erigon",
        "reth",
        "map_of_stages",
        "ethereumjs",
        "besu",
        "besu_null",
        "nethermind",
        "nethermind_synced",
        "nitro",
        "nitro_starting",
        "nothing",
        "arbitrary",
    ],
)
async def test_syncing_of_each_client_is_read(
    server: Canned, node: Node, said: Json, seen: SyncingSeen
) -> None:
    """One shape for all of them, beside the node's head and the references' of that round."""
    server.answers = {"eth_syncing": said}
    assert await sync.probe(asked_of(node)) == seen


async def test_syncing_of_a_node_without_peers_is_an_answer(server: Canned, node: Node) -> None:
    """EthereumJS says by an error that it has nobody to ask; no call has failed by that."""
    refusal = Refusal("no peer available for synchronization", -32603)
    server.answers = {"eth_syncing": refusal}
    seen = await sync.probe(asked_of(node, heads=run(TIP - 5)))
    assert seen == SyncingSeen("no_peers", block(TIP - 5), block(TIP))
    assert set(node.errors_total) == {"unsupported"}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Refusal("highest block header unavailable", -32603), CallRejected),
        (Refusal("request rate limited", -32005), CallRejected),
        ("false", MalformedAnswer),
        ({"currentBlock": "NaN"}, MalformedAnswer),
        ({"stages": [{"stage_name": "Headers"}]}, MalformedAnswer),
    ],
)
async def test_syncing_that_is_no_answer_is_raised(
    server: Canned, node: Node, said: Json, kind: type[Exception]
) -> None:
    """Not having been told is neither synced nor syncing."""
    server.answers = {"eth_syncing": said}
    assert isinstance(await failure_of(sync.probe(asked_of(node))), kind)


async def test_syncing_without_a_quorum_has_nothing_to_be_compared_with(
    server: Canned, node: Node
) -> None:
    """The answer is written down all the same."""
    server.answers = {"eth_syncing": False}
    nowhere = round_of(*(witness(name, TIMEOUT) for name in "abc"))
    seen = await sync.probe(asked_of(node, context=nowhere))
    assert (seen.said, seen.reference, seen.lag) == ("synced", None, None)


async def test_syncing_has_its_pace_from_the_third_answer_on(server: Canned, node: Node) -> None:
    """The pace is written down with the answer, from those before it."""
    server.answers = {"eth_syncing": {"currentBlock": "0x384", "highestBlock": "0x3e8"}}
    before = [
        Observation(
            "n",
            "sync",
            NOW - 30 + 15 * n,
            0.1,
            SyncingSeen("syncing", block(600 + 150 * n), block(TIP)),
        )
        for n in range(2)
    ]
    seen = await sync.probe(asked_of(node, heads=run(700), before=before))
    assert seen.pace == Pace(10.0, 10.0)
    assert seen.eta_seconds == 10.0
    assert (await sync.probe(asked_of(node, heads=run(700), before=before[1:]))).pace is None


async def test_syncing_of_a_real_node_is_false_and_overridden_as_a_fault(
    proxy: FaultProxy, real: Node
) -> None:
    """Anvil always says `false`; the lab makes it say what others do."""
    assert (await sync.probe(asked_of(real))).said == "synced"
    proxy.set(Fault("override", methods="eth_syncing", result=GETH))
    assert (await sync.probe(asked_of(real))).current == 1976155
