"""The check of a consensus client, in the rounds of a sidecar."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.config import Settings
from monitor.model import Level
from monitor.rpc.beacon import GENESIS
from monitor.sidecar import Sidecar
from tests.checks.test_transport import found
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    node_of,
    nothing_unheard,
    serving,
    settings_of,
)
from tests.rpc.consensus import Consensus, Said, serving_consensus
from tests.test_sidecar import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; their chain has slots of twelve seconds from its first block on."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), *world.nodes):
            yield world


@pytest.fixture
async def consensus(world: World) -> AsyncIterator[Consensus]:
    """The consensus client of the first node."""
    server = Consensus()
    server.answers[GENESIS] = Said(f'{{"data":{{"genesis_time":"{GENESIS_TIMESTAMP}"}}}}')
    async with serving_consensus(server):
        yield server


def settings(world: World, url: str) -> Settings:
    """Two nodes, one of which has a consensus client at this address."""
    local = node_of("local", world.nodes[0], beacon=url)
    return settings_of({"dev": world.network}, local, node_of("other", world.nodes[1]))


async def rounds(world: World, sidecar: Sidecar, consensus: Consensus, count: int) -> None:
    """So many rounds, in which the consensus client is where the chain is."""
    for _ in range(count):
        consensus.says(head_slot=world.chain.head)
        await world.rounds(sidecar)
        await sidecar.watches["dev"].surveyed()


async def test_consensus_client_is_judged_beside_its_node(
    world: World, consensus: Consensus
) -> None:
    """Well, then cut off from its node, then gone: the node's own head stands all the while."""
    async with Sidecar(settings(world, consensus.url), clock=world.clock) as sidecar:
        await rounds(world, sidecar, consensus, 3)
        assert found(sidecar, "beacon").reason == "in_sync"
        assert not [f for f in sidecar.verdict.findings if f.key == ("beacon", "node:other")]
        for _ in range(6):
            consensus.says(head_slot=world.chain.head, el_offline=True)
            await world.rounds(sidecar)
            await sidecar.watches["dev"].surveyed()
        finding = found(sidecar, "beacon")
        assert (finding.level, finding.reason) == (Level.DEGRADED, "el_offline")
        await consensus.port.unplug()
        await rounds(world, sidecar, consensus, 6)
        finding = found(sidecar, "beacon")
        assert (finding.level, finding.reason) == (Level.UNKNOWN, "refused")
        assert found(sidecar, "head").level == Level.OK
        assert sidecar.verdict.word == "pass"


async def test_consensus_client_lives_with_its_node(world: World, consensus: Consensus) -> None:
    """Kept while its address stays, another where it does not, and none where there is none."""
    async with Sidecar(settings(world, consensus.url), clock=world.clock) as sidecar:
        (local, other) = sidecar.watches["dev"].nodes
        first = local.beacon
        assert first is not None
        assert other.beacon is None
        sidecar.apply(settings(world, consensus.url))
        assert local.beacon is first
        sidecar.apply(settings(world, f"{consensus.url}/other"))
        assert local.beacon is not first
        sidecar.apply(settings(world, ""))
        assert sidecar.watches["dev"].nodes[0].beacon is None
