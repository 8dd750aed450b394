"""Which chain, and which program: asked in one batch, written down as it was said."""

from __future__ import annotations

import re

import pytest

from monitor.judge.seen import IdentitySeen
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.model import Hash32
from monitor.probes import identity
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent, RpcError
from monitor.rpc.node import Node
from tests.probes.conftest import Dial
from tests.rpc.canned import Canned, Refusal


async def test_identity_of_a_real_node_is_its_chain(real: Node) -> None:
    """Chain id, genesis and version of a real client."""
    seen = await identity.probe(real)
    assert seen.chain_id == 31337
    assert re.fullmatch("0x[0-9a-f]{64}", seen.genesis_hash)
    assert seen.client_version.startswith("anvil/")


async def test_identity_of_a_node_of_another_chain_is_what_it_says(
    proxy: FaultProxy, real: Node
) -> None:
    """The probe writes down and does not judge."""
    proxy.set(Fault("wrong_chain", chain_id=134))
    assert (await identity.probe(real)).chain_id == 134


async def test_identity_costs_one_request_of_three_calls(server: Canned, node: Node) -> None:
    """What is announced as its price is its price."""
    seen = await identity.probe(node)
    genesis = Hash32(server.chain.hash(0))
    assert seen == IdentitySeen(1337, genesis, server.version)
    assert len(server.requests) == 1
    assert len(server.calls) == 3


async def test_identity_without_a_genesis_is_malformed(server: Canned, node: Node) -> None:
    """A node that has no block 0 is on no chain that we could name."""
    server.answers = {"eth_getBlockByNumber": None}
    with pytest.raises(MalformedAnswer, match="no block 0"):
        await identity.probe(node)


@pytest.mark.parametrize("said", [1337, "1337", "", None, "0x", ["0x1"]])
async def test_identity_with_a_chain_id_of_another_shape_is_malformed(
    server: Canned, node: Node, said: object
) -> None:
    """net_version's decimal is not eth_chainId's hex."""
    server.chain_id = said
    with pytest.raises(MalformedAnswer, match="eth_chainId"):
        await identity.probe(node)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Refusal("the method eth_chainId does not exist/is not available", -32601), MethodAbsent),
        (Refusal("rate limit exceeded", -32005), CallRejected),
    ],
    ids=["geth_before_eip_695", "throttled"],
)
async def test_identity_that_is_refused_is_not_seen(
    server: Canned, node: Node, said: Refusal, kind: type[RpcError]
) -> None:
    """A geth from before EIP-695 has no such method: that is said, and not guessed at."""
    server.answers = {"eth_chainId": said}
    with pytest.raises(kind):
        await identity.probe(node)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Refusal("the method web3_clientVersion does not exist/is not available", -32601), None),
        (Refusal("this method is not allowed", -32000), None),
        (Refusal("rate limit exceeded", -32005), "rpc_error"),
        (1, "malformed"),
    ],
    ids=["geth_that_serves_eth_alone", "provider", "throttled", "malformed"],
)
async def test_identity_stands_where_the_version_alone_is_refused(
    server: Canned, node: Node, said: object, reason: str | None
) -> None:
    """The chain is known without the program; what is only asked too much is asked again."""
    server.answers = {"web3_clientVersion": said}
    if reason is None:
        seen = await identity.probe(node)
        assert seen == IdentitySeen(1337, Hash32(server.chain.hash(0)), "")
        assert node.errors_total == {"unsupported": 1}
    else:
        with pytest.raises(RpcError) as failure:
            await identity.probe(node)
        assert failure.value.reason == reason


async def test_identity_with_a_strange_version_is_one_printable_line(
    server: Canned, dial: Dial
) -> None:
    """The version is shown on pages and in terminals; it may hold neither lines nor our key."""
    node = dial(f"{server.url}/v3/s3cretKey0123456789")
    server.version = "Geth/v1\x1b[31m\nred\u202e s3cretKey0123456789 " + "x" * 1000
    version = (await identity.probe(node)).client_version
    assert version.isprintable()
    assert version.startswith("Geth/v1 [31m red *** x")
    assert len(version) <= 200
