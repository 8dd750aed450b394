"""`eth_config` in the words of several clients, of the node and of the references."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from monitor.judge.upgrade import Config
from monitor.model import Unseen
from monitor.probes import upgrade
from monitor.rpc.errors import MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node
from tests.judge.builders import NOW, run
from tests.probes.asking import asked_of, node_of
from tests.rpc.canned import Canned, Refusal, serving

HOODI: dict[str, Any] = {
    "activationTime": 1742999832,
    "blobSchedule": {"baseFeeUpdateFraction": 5007716, "max": 9, "target": 6},
    "chainId": "0x88bb0",
    "forkId": "0x0929E24E",
    "precompiles": {"ECREC": "0x0000000000000000000000000000000000000001"},
    "systemContracts": {"BEACON_ROOTS_ADDRESS": "0x000F3DF6D732807EF1319FB7B8BB8522D0BEAC02"},
}
"""As geth answers (EIP-7910); the draft wrote precompiles the other way round."""
ABSENT = Refusal("the method eth_config does not exist/is not available", -32601)


async def test_config_of_node_and_references_is_read_with_one_call_each(
    server: Canned, node: Node, session: aiohttp.ClientSession
) -> None:
    """What is null is none, who has no method is unseen."""
    upcoming = HOODI | {"activationTime": int(NOW) + 60, "forkId": "0x12345678"}
    server.answers = {"eth_config": {"current": HOODI, "next": upcoming, "last": upcoming}}
    knows_none = Canned(answers={"eth_config": {"current": HOODI, "next": None, "last": None}})
    lacks = Canned(answers={"eth_config": ABSENT})
    async with serving(knows_none, lacks):
        references = [
            node_of(f"net/{n}", one.url, session)
            for n, one in zip("ab", (knows_none, lacks), strict=True)
        ]
        seen = await upgrade.probe(asked_of(node, references, run(1000)))
    assert seen.config.current.fork_id == "0x0929e24e"
    assert seen.config.current.chain_id == 560_048
    assert seen.config.current.blob_schedule == (6, 9, 5_007_716)
    assert seen.config.next is not None
    assert seen.config.next.fork_id == "0x12345678"
    assert seen.seconds == 60
    assert seen.head_timestamp == int(NOW)
    first, second = seen.answers
    assert isinstance(first.seen, Config)
    assert first.seen.next is None
    assert isinstance(second.seen, Unseen)
    assert second.seen.reason == "unsupported"
    assert [len(one.calls) for one in (server, knows_none, lacks)] == [1, 1, 1]


async def test_config_names_addresses_whichever_way_they_are_written(
    server: Canned, node: Node
) -> None:
    """Names differ between clients and between drafts; addresses do not."""
    draft = HOODI | {"precompiles": {"0x0000000000000000000000000000000000000001": "ECREC"}}
    found = []
    for said in (HOODI, draft):
        server.answers = {"eth_config": {"current": said, "next": None}}
        found.append((await upgrade.probe(asked_of(node, (), run(1000)))).config)
    assert found[0] == found[1]
    assert found[0].current.system_contracts == {"0x000f3df6d732807ef1319fb7b8bb8522d0beac02"}


async def test_config_of_before_cancun_has_neither_blobs_nor_system_contracts(
    server: Canned, node: Node
) -> None:
    """What came later may be missing, or null."""
    old = {k: v for k, v in HOODI.items() if k != "systemContracts"} | {"blobSchedule": None}
    server.answers = {"eth_config": {"current": old, "next": None}}
    seen = await upgrade.probe(asked_of(node, (), ()))
    assert seen.config.current.blob_schedule is None
    assert seen.config.current.system_contracts == frozenset()
    assert (seen.head_timestamp, seen.seconds) == (None, None)


@pytest.mark.parametrize(
    "bad",
    [
        {"forkId": "0x0929e2"},
        {"activationTime": -1},
        {"activationTime": "0x0"},
        {"chainId": 1},
        {"precompiles": {str(number): "0x" for number in range(300)}},
    ],
    ids=["short_id", "negative", "hex_time", "number_as_id", "too_many"],
)
async def test_config_that_is_none_is_malformed(server: Canned, node: Node, bad: Any) -> None:
    """Strict at the edge: what is compared must be what it says it is."""
    server.answers = {"eth_config": {"current": HOODI | bad, "next": None}}
    with pytest.raises(MalformedAnswer):
        await upgrade.probe(asked_of(node, (), run(1000)))


async def test_config_of_a_node_without_the_method_is_not_seen(node: Node) -> None:
    """It is skipped, and not unknown for ever."""
    with pytest.raises(MethodAbsent):
        await upgrade.probe(asked_of(node, (), run(1000)))


async def test_config_of_a_real_node_is_read(real: Node) -> None:
    """Anvil follows one fork from the beginning, and knows of no other."""
    seen = await upgrade.probe(asked_of(real, (), run(1000)))
    assert seen.config.current.activation_time == 0
    assert seen.config.next is None
