"""The count that the calls themselves leave behind."""

from __future__ import annotations

import asyncio

from monitor.judge.rpc import MethodSeen, RpcSeen
from monitor.probes import rpc
from monitor.rpc import decode
from monitor.rpc.node import Node
from tests.probes.situation import asked_of
from tests.rpc.canned import Canned, Refusal, always


async def ask(node: Node, *methods: str) -> None:
    """Ask these in one batch, whatever comes of it."""
    calls = (node.ask(method, (), decode.text) for method in methods)
    await asyncio.gather(*calls, return_exceptions=True)


async def test_probe_of_a_node_that_was_not_called_sees_no_method(node: Node) -> None:
    """Nothing is asked for it."""
    assert await rpc.probe(asked_of(node)) == RpcSeen(())


async def test_probe_sees_what_became_of_each_method(server: Canned, node: Node) -> None:
    """Answers with how long they took, failures by reason, and the throttled ones among them."""
    server.answers = {"busy": Refusal("limit exceeded", -32005), "odd": 7}
    await ask(node, "eth_chainId", "eth_chainId", "busy", "odd", "absent")
    seen = await rpc.probe(asked_of(node))
    absent, busy, answered, odd = seen.methods
    assert absent == MethodSeen("absent", 1, 0, 0, 0, None, None)
    assert busy == MethodSeen("busy", 1, 1, 1, 0, None, None)
    assert odd == MethodSeen("odd", 1, 1, 0, 0, None, None)
    assert (answered.method, answered.calls, answered.failed) == ("eth_chainId", 2, 0)
    assert answered.timed == 2
    assert answered.p70_seconds is not None
    assert answered.mean_seconds is not None
    assert 0 < answered.mean_seconds <= answered.p70_seconds < 5.0
    assert dict(seen.reasons) == {"rpc_error": 1, "malformed": 1}
    assert (seen.recent, seen.recent_failed, seen.recent_throttled) == (5, 2, 1)
    assert (seen.calls, seen.failed, seen.throttled) == (5, 2, 1)


async def test_probe_sees_calls_that_were_refused_for_being_too_many(
    server: Canned, node: Node
) -> None:
    """HTTP 429; calls that were not made because it asked for silence with it are none."""
    server.respond = always("slow down", 429, Retry_After="30")
    await ask(node, "eth_chainId", "eth_chainId")
    server.respond = None
    await ask(node, "eth_chainId")
    seen = await rpc.probe(asked_of(node))
    assert (seen.calls, seen.failed, seen.throttled) == (2, 2, 2)
    assert len(server.requests) == 1


async def test_probe_sees_a_refusal_that_names_a_time_as_throttling(
    server: Canned, node: Node
) -> None:
    """503 with Retry-After (RFC 9110, section 10.2.3) is one; 503 alone is an outage."""
    server.respond = always("", 503, Retry_After="1")
    await ask(node, "eth_chainId")
    assert (await rpc.probe(asked_of(node))).throttled == 1


async def test_probe_sees_no_throttling_in_an_outage(server: Canned, node: Node) -> None:
    """The gateway says that nobody is there, and not when to come again."""
    server.respond = always("", 503)
    await ask(node, "eth_chainId")
    seen = await rpc.probe(asked_of(node))
    assert (seen.failed, seen.throttled) == (1, 0)
