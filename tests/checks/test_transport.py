"""The checks of the way to a node, in the rounds of a sidecar: what opens, and is told once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from monitor.checks import CHECKS
from monitor.model import Finding, Level
from monitor.sidecar import Sidecar
from tests.rpc.canned import Clock, Refusal, always, nothing_unheard, serving
from tests.test_sidecar import World

ROUNDS = 6
"""Enough calls to judge, and two rounds more to be certain."""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen, and whose dates are those of the one clock."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), *world.nodes):
            yield world


def found(sidecar: Sidecar, check: str, subject: str = "node:local") -> Finding:
    """What is known of it now."""
    return next(f for f in sidecar.verdict.findings if f.key == (check, subject))


async def test_calls_that_are_throttled_are_told_beside_a_head_that_is_seen(world: World) -> None:
    """The verdict is not worse for it: where the node is, is known."""
    world.nodes[0].answers = {
        method: Refusal("limit exceeded", -32005)
        for check in CHECKS
        for method in check.methods
        if method != "eth_getBlockByNumber"
    }
    world.nodes[0].finalized = Refusal("limit exceeded", -32005)
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, ROUNDS)
        finding = found(sidecar, "rpc")
        assert (finding.level, finding.reason, finding.because) == (
            Level.DEGRADED,
            "throttled",
            None,
        )
        assert found(sidecar, "head").level == Level.OK
        world.nodes[0].answers = {}
        await world.rounds(sidecar, ROUNDS)
        assert found(sidecar, "rpc").level == Level.OK


async def test_calls_to_a_node_that_is_gone_are_explained_by_its_head(world: World) -> None:
    """One trouble is told once; and it is over when the node is back, not five minutes later."""
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 2)
        world.nodes[0].respond = always("Too Many Requests", 429)
        await world.rounds(sidecar, 2 * ROUNDS)
        finding = found(sidecar, "rpc")
        assert (finding.level, finding.because) == (Level.DEGRADED, ("head", "node:local"))
        assert found(sidecar, "head").level == Level.UNKNOWN
        world.nodes[0].respond = None
        await world.rounds(sidecar, ROUNDS)
        assert found(sidecar, "rpc").level == Level.OK


async def test_clock_of_one_host_is_told_of_its_node(world: World) -> None:
    """The references agree with each other, and with us."""
    world.nodes[0].clock = lambda: world.clock.now + 60.0
    async with Sidecar(world.settings("local", "other"), clock=world.clock) as sidecar:
        await world.rounds(sidecar, 3)
        assert found(sidecar, "clock").reason == "skewed"
        assert found(sidecar, "clock", "node:other").level == Level.OK
        assert found(sidecar, "clock", "reference:dev/quorum").level == Level.OK


async def test_own_clock_is_told_once_and_of_no_node(world: World) -> None:
    """Everybody else's clock runs with everybody else's: it is ours that does not."""
    ahead = Clock(world.clock.now + 9.0)
    for one in (*world.references.values(), *world.nodes):
        one.clock = ahead
    async with Sidecar(world.settings("local"), clock=world.clock) as sidecar:
        for _ in range(3):
            ahead.now += 6.0
            await world.rounds(sidecar)
        assert found(sidecar, "clock", "reference:dev/quorum").reason == "own_clock"
        assert found(sidecar, "clock").level == Level.OK
        assert sidecar.verdict.word == "pass"
