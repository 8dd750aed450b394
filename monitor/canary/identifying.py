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
LOOKS = 3
"""One lost answer must not leave an hour's run without its end."""


class RawFork(msgspec.Struct, rename="camel", frozen=True):
    """One set of rules (EIP-7910)."""

    fork_id: str


class RawForks(msgspec.Struct, frozen=True):
    """The answer to `eth_config` (EIP-7910).

    `next` and `last` are null where none is scheduled; drafts have no `last`.
    """

    current: RawFork
    next: RawFork | None = None
    last: RawFork | msgspec.UnsetType | None = msgspec.UNSET


_forks: msgspec.json.Decoder[RawForks] = msgspec.json.Decoder(RawForks)


async def identity(pair: Pair) -> Comparison:
    """Chain id, genesis and versions of both."""
    return rules.identity(
        *await asyncio.gather(_seen(probe(pair.baseline)), _seen(probe(pair.candidate)))
    )


async def upgrades(pair: Pair, pause_seconds: float) -> Comparison:
    """What every node says of its forks; who gives no answer is asked again."""
    said = await asyncio.gather(*(_forks_or_unseen(node, pause_seconds) for node in pair.all))
    references = {node.label: one for node, one in zip(pair.references, said[2:], strict=True)}
    return rules.upgrades(said[0], said[1], references)


async def _forks_or_unseen(node: Node, pause_seconds: float) -> Forks | Unseen:
    for _ in range(LOOKS - 1):
        said = await _seen(_forks_of(node))
        if isinstance(said, Forks) or said.reason in rules.NO_CONFIG:
            return said
        await asyncio.sleep(pause_seconds)
    return await _seen(_forks_of(node))


async def _forks_of(node: Node) -> Forks:
    found = await node.ask("eth_config", (), _forks)
    last = None if isinstance(found.last, msgspec.UnsetType) else _id(found.last)
    return Forks(_id(found.current), _id(found.next), last)


def _id(fork: RawFork | None) -> str:
    """As a value that can be compared: hex is written in either case."""
    return "" if fork is None else fork.fork_id.lower()


async def _seen(asking: Coroutine[object, object, T]) -> T | Unseen:
    try:
        return await asking
    except RpcError as error:
        return error.unseen()
