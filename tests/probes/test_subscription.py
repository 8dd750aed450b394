"""What a node's websocket has told, as its check is given it."""

from __future__ import annotations

import aiohttp
import pytest

from monitor.judge.subscription import SubscriptionSeen
from monitor.model import BlockNumber, Hash32, Head
from monitor.probes import subscription
from monitor.rpc.errors import MethodAbsent
from monitor.rpc.node import Node
from monitor.rpc.subscription import Subscription
from monitor.url import Url
from tests.probes.situation import asked_of
from tests.rpc.canned import Clock


async def test_probe_of_a_node_without_a_websocket_says_that_there_is_none(node: Node) -> None:
    """No check is made of it."""
    with pytest.raises(MethodAbsent):
        await subscription.probe(asked_of(node))


async def test_probe_sees_how_long_everything_has_lasted(
    node: Node, session: aiohttp.ClientSession
) -> None:
    """Seconds since, by the clock of the question; nothing where nothing was told."""
    clock = Clock(1000.0)
    socket = Subscription(
        Url("ws://127.0.0.1:9/"), session, lambda _: None, clock=clock, deaf_seconds=24.0
    )
    clock.now = 1007.0
    block = Hash32("0x" + "11" * 32)
    socket.canary(Head(BlockNumber(7), block, block, 0))
    socket.canary(Head(BlockNumber(8), block, block, 0))
    socket.last_error, socket.redials_total = "refused", 3
    clock.now = 1010.0
    seen = await subscription.probe(asked_of(node, clock=clock, subscription=socket))
    assert seen == SubscriptionSeen("down", 10.0, 3.0, 24.0, None, 0, 0, 0, 0, 3, "refused")
    socket.state = "live"
    socket.heard_at = 1009.0
    seen = await subscription.probe(asked_of(node, clock=clock, subscription=socket))
    assert (seen.state, seen.in_state_seconds, seen.age_seconds) == ("live", 0.0, 1.0)
