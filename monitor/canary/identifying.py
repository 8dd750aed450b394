"""Which chain both serve, and which hard forks they know of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

import msgspec

from monitor.canary import rules
from monitor.canary.asking import Pair
from monitor.canary.comparison import Comparison
from monitor.canary.rules import Forks
from monitor.model import Unseen
from monitor.probes.identity import probe
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Node

T = TypeVar("T")


class RawFork(msgspec.Struct, rename="camel", frozen=True):
    """One set of rules (EIP-7910)."""

    fork_id: str


class RawForks(msgspec.Struct, frozen=True):
    """The answer to `eth_config` (EIP-7910); `next` is null where none is scheduled."""

    current: RawFork
    next: RawFork | None = None


_forks: msgspec.json.Decoder[RawForks] = msgspec.json.Decoder(RawForks)


async def identity(pair: Pair) -> Comparison:
    """Chain id, genesis and versions of both."""
    return rules.identity(
        *await asyncio.gather(_seen(probe(pair.baseline)), _seen(probe(pair.candidate)))
    )


async def upgrades(pair: Pair) -> Comparison:
    """What every node says of its forks."""
    said = await asyncio.gather(*(_seen(_forks_of(node)) for node in pair.all))
    references = {node.label: one for node, one in zip(pair.references, said[2:], strict=True)}
    return rules.upgrades(said[0], said[1], references)


async def _forks_of(node: Node) -> Forks:
    found = await node.ask("eth_config", (), _forks)
    return Forks(found.current.fork_id, "" if found.next is None else found.next.fork_id)


async def _seen(asking: Coroutine[object, object, T]) -> T | Unseen:
    try:
        return await asking
    except RpcError as error:
        return error.unseen()
