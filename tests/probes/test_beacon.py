"""The consensus client, asked: what it says, put on one scale with the heads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.judge.beacon import BeaconSeen
from monitor.judge.seen import HeadSeen
from monitor.model import BlockNumber, Hash32, Head, Observation
from monitor.probes import beacon as beacon_probe
from monitor.rpc.beacon import FINALITY, GENESIS, PEER_COUNT, SPEC, SYNCING, BeaconNode
from monitor.rpc.errors import ConnectionRefused, MethodAbsent
from monitor.rpc.node import Node
from monitor.url import Url
from tests.judge.builders import TIMEOUT, round_of, said
from tests.probes.situation import asked_of
from tests.rpc.canned import Clock
from tests.rpc.consensus import GENESIS_TIME, Consensus, Said, serving_consensus

SLOT = 9_000_000
HERE = GENESIS_TIME + 12 * SLOT


@pytest.fixture
async def consensus() -> AsyncIterator[Consensus]:
    """A consensus client that is well."""
    async with serving_consensus(Consensus()) as server:
        yield server


@pytest.fixture
def beacon(consensus: Consensus, session: aiohttp.ClientSession) -> BeaconNode:
    """Our side of it."""
    return BeaconNode(Url(consensus.url), session)


def heads(slot: int) -> list[Observation[HeadSeen]]:
    """The node's head, of this slot."""
    block = Hash32("0x" + "11" * 32)
    head = Head(BlockNumber(20_000_000), block, block, GENESIS_TIME + 12 * slot)
    return [said(HeadSeen(head, None))]


async def test_probe_of_a_node_without_a_consensus_client_says_so(node: Node) -> None:
    """No check is made of it."""
    with pytest.raises(MethodAbsent):
        await beacon_probe.probe(asked_of(node))


async def test_probe_sees_all_on_one_scale(
    consensus: Consensus, beacon: BeaconNode, node: Node
) -> None:
    """Slots by the chain's own genesis and length: of our clock, and of the node's head."""
    context = round_of()
    asked = asked_of(
        node, heads=heads(SLOT - 1), context=context, clock=Clock(HERE + 13.0), beacon=beacon
    )
    assert await beacon_probe.probe(asked) == BeaconSeen(
        version="Lighthouse/v5.3.0-d6ba8c3/x86_64-linux",
        head_slot=SLOT,
        sync_distance=1,
        is_syncing=False,
        is_optimistic=False,
        el_offline=False,
        finalized_epoch=281_247,
        peers=56,
        clock_slot=SLOT + 1,
        reference_slot=None,
        execution_slot=SLOT - 1,
        epoch_slots=32,
        genesis_time=GENESIS_TIME,
        slot_seconds=12.0,
    )


async def test_probe_of_a_node_whose_head_is_not_seen_leaves_the_link_open(
    beacon: BeaconNode, node: Node
) -> None:
    """With a reference the consensus client is compared with that."""
    asked = asked_of(node, heads=[said(TIMEOUT)], beacon=beacon)
    seen = await beacon_probe.probe(asked)
    assert seen.execution_slot is None
    assert seen.reference_slot == (1_795_000_000 - GENESIS_TIME) // 12


async def test_probe_asks_once_how_time_is_counted(
    consensus: Consensus, beacon: BeaconNode, node: Node
) -> None:
    """It never changes, and the answer with the constants is a large one."""
    first = await beacon_probe.probe(asked_of(node, beacon=beacon))
    consensus.paths.clear()
    before: list[Observation[Any]] = [
        Observation("local", "beacon", 0.0, 0.0, first),
        said(TIMEOUT),
    ]
    again = await beacon_probe.probe(asked_of(node, beacon=beacon, before=before))
    assert again == first
    assert not {GENESIS, SPEC} & set(consensus.paths)


@pytest.mark.parametrize("path", [FINALITY, PEER_COUNT])
async def test_probe_of_a_client_that_withholds_something_knows_the_rest(
    consensus: Consensus, beacon: BeaconNode, node: Node, path: str
) -> None:
    """Prysm gives no states while it syncs, and that it syncs is the news."""
    consensus.answers[path] = Said('{"code":503,"message":"Beacon node is syncing"}', 503)
    seen = await beacon_probe.probe(asked_of(node, beacon=beacon))
    assert (seen.finalized_epoch is None) is (path == FINALITY)
    assert (seen.peers is None) is (path == PEER_COUNT)


@pytest.mark.parametrize("path", [SYNCING, FINALITY, GENESIS])
async def test_probe_of_a_client_behind_a_dead_gateway_is_refused(
    consensus: Consensus, beacon: BeaconNode, node: Node, path: str
) -> None:
    """A page of a load balancer is no answer of the client's."""
    consensus.answers[path] = Said("<html>Bad Gateway</html>", 502)
    with pytest.raises(ConnectionRefused, match="HTTP 502"):
        await beacon_probe.probe(asked_of(node, beacon=beacon))
