"""Whom a node says it is connected with, in the words of the clients."""

from __future__ import annotations

import pytest

from monitor.judge.peers import OTHER, Peer
from monitor.model import Unseen
from monitor.probes import peers
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node
from tests.judge.builders import TIMEOUT, TIP, round_of, witness
from tests.probes.situation import asked_of, failure_of
from tests.rpc.canned import Canned, Json, Refusal, always

ABSENT = Refusal("the method admin_peers does not exist/is not available", -32601)
GETH = {
    "enode": "enode://f769f8cf@127.0.0.1:45591?discport=0",
    "id": "daa738efebf7e349b9f5b1a91d782e7355060bb15af8570e23463729d0632deb",
    "name": "Geth/v1.16.2-stable-2bd6bd01/linux-amd64/go1.24.4",
    "caps": ["eth/68", "eth/69", "snap/1"],
    "network": {
        "localAddress": "127.0.0.1:33236",
        "remoteAddress": "127.0.0.1:45591",
        "inbound": False,
        "trusted": False,
        "static": True,
    },
    "protocols": {
        "eth": {
            "version": 69,
            "earliestBlock": 0,
            "latestBlock": 996,
            "latestBlockHash": "0x" + "ab" * 32,
        },
        "snap": {"version": 1},
    },
}
HANDSHAKE = GETH | {
    "name": "erigon/v3.0.14/linux-amd64/go1.24.4",
    "network": {"inbound": True},
    "protocols": {"eth": "handshake", "snap": "handshake"},
}
BESU = {
    "version": "0x5",
    "name": "besu/v25.6.0/linux-x86_64/openjdk-java-21",
    "caps": ["eth/68"],
    "network": {"localAddress": "10.0.0.1:50115", "remoteAddress": "10.0.0.2:40303"},
    "port": "0x0",
    "id": "0xe143eadaf670d49afa3327cae2e655b083f5a89dac037c9af065914a9f8e6bce",
    "protocols": {"eth": {"difficulty": "0x0", "head": "0x" + "ab" * 32, "version": 68}},
    "enode": "enode://e143eada@10.0.0.2:40303",
}
NETHERMIND = {
    "name": "Nethermind/v1.31.10+8a2c4e1f/linux-x64/dotnet9.0.4",
    "network": {"inbound": True, "trusted": False, "static": False},
    "protocols": {"eth": {"version": 68}},
}
NETHERMIND_FORMERLY = {
    "clientId": "Nethermind/v1.14.5+ea73aebd/linux-x64/dotnet6.0.10",
    "host": "10.0.0.3",
    "port": 30303,
    "isBootnode": False,
    "enode": "enode://aa@10.0.0.3:30303",
}
ETHEREUMJS = {
    "id": "aa",
    "name": None,
    "protocols": {"eth": {"head": "0x" + "ab" * 32, "difficulty": "0"}},
    "network": {"remoteAddress": "127.0.0.1:30303"},
}


@pytest.mark.parametrize("said", ["0x19", 25, "25"], ids=["specified", "number", "decimal"])
async def test_peers_are_counted_where_the_node_keeps_them_to_itself(
    server: Canned, node: Node, said: Json
) -> None:
    """`admin_peers` is absent at most nodes: the count stands alone, and no call has failed."""
    server.answers = {"net_peerCount": said, "admin_peers": ABSENT}
    seen = await peers.probe(asked_of(node))
    assert (seen.count, seen.listed, seen.reference) == (25, None, TIP)
    assert set(node.errors_total) == {"unsupported"}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("Method not enabled", -32604),
        Refusal("admin_peers is forbidden for this key", -32000),
        Refusal("unauthorized", -32001),
    ],
)
async def test_peers_that_are_refused_are_no_failed_call(
    server: Canned, node: Node, refusal: Refusal
) -> None:
    """Not being told is the node's right: it does not count against its answers."""
    server.answers = {"net_peerCount": "0x3", "admin_peers": refusal}
    assert (await peers.probe(asked_of(node))).listed is None
    assert set(node.errors_total) == {"unsupported"}


@pytest.mark.parametrize(
    ("row", "peer"),
    [
        (GETH, Peer("geth", is_inbound=False, number=996)),
        (HANDSHAKE, Peer("erigon", is_inbound=True, number=None)),
        (BESU, Peer("besu", is_inbound=None, number=None)),
        (NETHERMIND, Peer("nethermind", is_inbound=True, number=None)),
        (NETHERMIND_FORMERLY, Peer("nethermind", is_inbound=None, number=None)),
        (ETHEREUMJS, Peer(OTHER, is_inbound=None, number=None)),
    ],
    ids=["geth", "handshake", "besu", "nethermind", "nethermind_formerly", "ethereumjs"],
)
async def test_peer_of_each_client_is_read(
    server: Canned, node: Node, row: Json, peer: Peer
) -> None:
    """What it says of each peer, and nothing that it does not say."""
    server.answers = {"net_peerCount": "0x1", "admin_peers": [row]}
    assert (await peers.probe(asked_of(node))).listed == (peer,)


async def test_peers_of_a_large_list_are_all_read(server: Canned, node: Node) -> None:
    """A hundred peers are some sixty kilobytes: well within what an answer may be."""
    server.answers = {"net_peerCount": "0x64", "admin_peers": [GETH] * 100}
    assert len((await peers.probe(asked_of(node))).peers) == 100


async def test_peers_whose_list_is_malformed_are_counted(server: Canned, node: Node) -> None:
    """What was not understood is not passed over: it is named beside the count."""
    server.answers = {"net_peerCount": "0x5", "admin_peers": [{"network": {"inbound": "yes"}}]}
    seen = await peers.probe(asked_of(node))
    assert seen.count == 5
    assert isinstance(seen.listed, Unseen)
    assert seen.listed.reason == "malformed"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Refusal("the method net_peerCount does not exist/is not available", -32601), MethodAbsent),
        (Refusal("busy", -32000), CallRejected),
        (None, MalformedAnswer),
        ("many", MalformedAnswer),
    ],
)
async def test_peers_that_were_not_counted_are_raised(
    server: Canned, node: Node, said: Json, kind: type[Exception]
) -> None:
    """Without a count there is nothing to judge, whatever the list says."""
    server.answers = {"net_peerCount": said, "admin_peers": [GETH]}
    assert isinstance(await failure_of(peers.probe(asked_of(node))), kind)


async def test_peers_without_a_quorum_have_no_height_to_be_behind(
    server: Canned, node: Node
) -> None:
    """They are counted and told apart all the same."""
    server.answers = {"net_peerCount": "0x1", "admin_peers": [GETH]}
    nowhere = round_of(*(witness(name, TIMEOUT) for name in "abc"))
    seen = await peers.probe(asked_of(node, context=nowhere))
    assert (seen.reference, seen.behind, len(seen.peers)) == (None, None, 1)


async def test_peers_of_a_gateway_that_answers_with_a_page_are_raised(
    server: Canned, node: Node
) -> None:
    """Both calls failed: there is no count."""
    server.respond = always("<html>502 Bad Gateway</html>")
    assert isinstance(await failure_of(peers.probe(asked_of(node))), MalformedAnswer)
