"""`net_peerCount`, in hexadecimal as the specification has it, and not otherwise."""

from __future__ import annotations

import pytest

from monitor.judge.peers import PeersSeen
from monitor.probes.peers import probe
from monitor.rpc.errors import MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node
from tests.probes.test_asked import asked_of
from tests.rpc.canned import Canned, Refusal


@pytest.mark.parametrize(("said", "count"), [("0x0", 0), ("0x2", 2), ("0x19", 25)])
async def test_probe_counts_the_peers(server: Canned, node: Node, said: str, count: int) -> None:
    """A quantity."""
    server.answers["net_peerCount"] = said
    assert await probe(asked_of(node)) == PeersSeen(count)


@pytest.mark.parametrize("said", [25, "25", None, "0x"])
async def test_probe_of_what_is_no_quantity_is_malformed(
    server: Canned, node: Node, said: object
) -> None:
    """Nothing is made of it."""
    server.answers["net_peerCount"] = said
    with pytest.raises(MalformedAnswer):
        await probe(asked_of(node))


async def test_probe_of_a_node_without_the_method_says_so(server: Canned, node: Node) -> None:
    """Namespaces are switched off as often as not: geth's words for it."""
    server.answers["net_peerCount"] = Refusal(
        "the method net_peerCount does not exist/is not available", -32601
    )
    with pytest.raises(MethodAbsent):
        await probe(asked_of(node))
