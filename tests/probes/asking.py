"""What the probes of checks beside the required ones are given: a node, references, a round."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import aiohttp

from monitor.judge.seen import HeadSeen
from monitor.lab.anvil import Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.lab.proxy import FaultProxy
from monitor.model import Observation
from monitor.probes.asked import Asked
from monitor.rpc import decode
from monitor.rpc.node import Node
from monitor.url import Url
from tests.judge.builders import NAMELESS, NOW, round_of, said, witness
from tests.probes import situation
from tests.rpc.canned import Clock

HEADERS = 6


def log_program() -> str:
    """Init code that emits one log: a word of data under one topic (LOG1 is 0xa1)."""
    store = bytes([0x60, 42, 0x60, 0, 0x52])
    log = bytes([0x60, 1, 0x60, 32, 0x60, 0, 0xA1])
    return "0x" + (store + log).hex()


def node_of(label: str, url: str, session: aiohttp.ClientSession) -> Node:
    """Our side of any address."""
    return Node(label, Url(url), session, clock=Clock(NOW))


def asked_of(
    node: Node,
    references: Sequence[Node],
    heads: Sequence[Observation[HeadSeen]],
    *,
    before: Sequence[Any] = (),
) -> Asked[Any]:
    """One question, in a round in which these references have seen these heads."""
    names = ascii_lowercase[: len(references)]
    return situation.asked_of(
        node,
        references=references,
        heads=heads,
        before=[Observation("n", "x", NOW, 0.1, seen) for seen in before],
        context=round_of(*(witness(name, heads) for name in names), rules=NAMELESS),
        rules=NAMELESS,
    )


async def heads_of(node: Node) -> list[Observation[HeadSeen]]:
    """The newest blocks of a node, as it would have been seen block by block."""
    top = int(await node.ask("eth_blockNumber", (), decode.quantity), 16)
    found = []
    for number in range(max(0, top - HEADERS), top + 1):
        raw = await node.ask("eth_getBlockByNumber", (hex(number), False), decode.header)
        assert raw is not None
        found.append(said(HeadSeen(raw.head(), None)))
    return found


@dataclass(slots=True)
class Stage:
    """A real node behind a fault proxy, and three references that are the same node without."""

    anvil: Anvil
    proxy: FaultProxy
    node: Node
    references: tuple[Node, ...]

    async def mined(self, *kinds: str) -> None:
        """A block with a transaction of each kind (`pay`, `log`) that lies where is compared."""
        accounts = await self.anvil.rpc("eth_accounts")
        for index, kind in enumerate(kinds):
            told = {"from": accounts[index % len(accounts)], "gas": hex(100_000)}
            told |= {"to": accounts[-1], "value": "0x1"} if kind == "pay" else {}
            told |= {"data": log_program()} if kind == "log" else {}
            await self.anvil.rpc("eth_sendTransaction", told)
        await self.anvil.rpc("evm_mine")
        await self.anvil.rpc("anvil_mine", "0x2")

    async def asked(self, count: int = 3, *, before: Sequence[Any] = ()) -> Asked[Any]:
        """A question about the block that is compared now, with so many references."""
        heads = await heads_of(self.references[0])
        return asked_of(self.node, self.references[:count], heads, before=before)

    def calls(self) -> list[int]:
        """How many calls each reference has been asked."""
        return [one.calls_total for one in self.references]


@asynccontextmanager
async def stage(anvil_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Stage]:
    """A chain of 8 empty blocks."""
    chain = AnvilChain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as anvil:
        await anvil.rpc("anvil_mine", "0x8")
        proxy = FaultProxy({"node": anvil.url}, seed=7)
        await proxy.start()
        references = tuple(node_of(f"net/{name}", anvil.url, session) for name in "abc")
        yield Stage(anvil, proxy, node_of("local", proxy.url, session), references)
        await proxy.stop()
