"""The header of the pinned block, as a majority has it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from monitor.probes.asked import Pin
from monitor.probes.roots import believed_roots
from monitor.rpc.node import Node
from tests.judge.builders import block, run
from tests.probes.asking import asked_of, node_of
from tests.rpc.canned import Canned, serving

STAMP = block(998).stamp
PIN = Pin(STAMP.number, STAMP.hash)
HEADER: dict[str, Any] = {
    "number": "0x3e6",
    "hash": STAMP.hash,
    "timestamp": hex(STAMP.timestamp),
    "stateRoot": "0x" + "1A" * 32,
    "receiptsRoot": "0x" + "2b" * 32,
    "logsBloom": "0x" + "00" * 256,
    "transactions": [],
}
LIE = HEADER | {"stateRoot": "0x" + "ff" * 32}
OTHER_BLOCK = HEADER | {"hash": "0x" + "ee" * 32}


@pytest.mark.parametrize(
    ("said", "is_believed"),
    [
        ((HEADER, HEADER, HEADER), True),
        ((HEADER, HEADER, LIE), True),
        ((HEADER, LIE, None), False),
        ((HEADER, None, None), False),
        ((OTHER_BLOCK, OTHER_BLOCK, OTHER_BLOCK), False),
        ((HEADER,), True),
    ],
    ids=["all", "one_lies", "no_majority", "silence", "another_block", "single"],
)
async def test_roots_are_those_that_a_majority_names(
    node: Node, session: aiohttp.ClientSession, said: tuple[Any, ...], *, is_believed: bool
) -> None:
    """One call each; null is no header."""
    servers = [Canned(answers={"eth_getBlockByHash": one}) for one in said]
    async with serving(*servers):
        references = [
            node_of(f"net/{index}", one.url, session) for index, one in enumerate(servers)
        ]
        asked = asked_of(node, references, run(1000))
        roots = await believed_roots(asked, PIN)
        again = await believed_roots(asked, PIN)
    assert roots == again
    assert [len(one.calls) for one in servers] == [1] * len(servers)
    assert (roots is not None) is is_believed
    if roots is not None:
        assert roots.stamp == STAMP
        assert roots.state_root == "0x" + "1a" * 32
