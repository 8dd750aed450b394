"""fork: the endpoint's own hashes where it is compared, and where two chains part.

What follows from headers already seen is not asked again: a header names its parent's hash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from monitor.judge.fork import SearchRange
from monitor.judge.seen import NOTHING_KNOWN, Ancestor, ForkSeen, HeadSeen, chain_of
from monitor.model import BlockNumber, Hash32, Head, Observation
from monitor.rpc import decode
from monitor.rpc.errors import MalformedAnswer
from monitor.rpc.node import Node

METHOD = "eth_getBlockByNumber"
FAN_OUT = 8
"""Heights asked in one batch while searching: a chain of 256 blocks takes three batches."""
STEPS_MAX = 8
"""Narrowing ends by itself; a chain that changes under the search must not keep it going."""


def from_links(
    history: Sequence[Observation[HeadSeen]],
    wanted: Sequence[int],
    *,
    known: Mapping[Hash32, Head] = NOTHING_KNOWN,
    client: str = "",
) -> ForkSeen | None:
    """What the links of headers prove, where they prove all that is wanted: nothing is asked."""
    newest = history[-1].seen if history else None
    if not isinstance(newest, HeadSeen):
        return None
    chain = chain_of(history, (), known)
    if any(number not in chain.hashes for number in wanted):
        return None
    return ForkSeen(newest, chain, None, client)


async def probe(
    node: Node,
    history: Sequence[Observation[HeadSeen]],
    wanted: Sequence[int],
    *,
    known: Mapping[Hash32, Head] = NOTHING_KNOWN,
    client: str = "",
) -> ForkSeen:
    """The chain below the newest head of `history`, with the hashes at the heights `wanted`.

    `known` are blocks this endpoint named earlier; they count where links confirm them. Raises
    RpcError, and MalformedAnswer when `history` holds no head to stand on.
    """
    newest = history[-1].seen if history else None
    if not isinstance(newest, HeadSeen):
        message = "no head to compare at"
        raise MalformedAnswer(message)
    chain = chain_of(history, (), known)
    missing = [number for number in wanted if number not in chain.hashes]
    if missing:
        chain = chain_of(history, await blocks_at(node, missing), known)
    return ForkSeen(newest, chain, None, client)


async def blocks_at(node: Node, numbers: Sequence[int]) -> tuple[Head, ...]:
    """The endpoint's blocks at these heights; one it does not have is left out.

    Raises RpcError.
    """
    headers = await asyncio.gather(
        *(node.ask(METHOD, (hex(number), False), decode.header) for number in numbers)
    )
    return tuple(header.head() for header in headers if header is not None)


async def ancestor(node: Node, other: Node, search: SearchRange) -> Ancestor:
    """The highest common block below `search.highest`, which is known to differ.

    Hashes that are equal at one height are equal below it, so the height is found by narrowing:
    each step asks both endpoints for `FAN_OUT` heights of the range in one batch each. The first
    step goes down in doubling distances, because most forks are shallow. Raises RpcError.
    """
    differs, common = int(search.highest), int(search.lowest) if search.is_common else None
    floor = int(search.lowest)
    heights = _doubling(differs, floor)
    for _ in range(STEPS_MAX):
        if not heights:
            break
        mine, theirs = await asyncio.gather(_hashes(node, heights), _hashes(other, heights))
        for number in heights:
            if number not in mine or number not in theirs:
                continue
            if mine[number] == theirs[number]:
                common = number if common is None else max(common, number)
            else:
                differs = min(differs, number)
        if common is None:
            if floor not in mine or floor not in theirs:
                message = f"{METHOD}: block {floor} is not there to be compared"
                raise MalformedAnswer(message)
            return Ancestor(None, BlockNumber(floor))
        heights = _between(common, differs)
    return Ancestor(None if common is None else BlockNumber(common), BlockNumber(floor))


async def _hashes(node: Node, numbers: Sequence[int]) -> dict[int, Hash32]:
    return {head.number: head.hash for head in await blocks_at(node, numbers)}


def _doubling(differs: int, floor: int) -> list[int]:
    """One, two, four, ... below the difference, and the floor itself."""
    heights: list[int] = []
    distance = 1
    while differs - distance > floor:
        heights.append(differs - distance)
        distance *= 2
    return [*heights, floor] if floor < differs else heights


def _between(common: int, differs: int) -> list[int]:
    """Up to `FAN_OUT` heights that cut the open range (common, differs) into equal parts."""
    inside = differs - common - 1
    if inside <= FAN_OUT:
        return list(range(common + 1, differs))
    return [common + (inside + 1) * part // (FAN_OUT + 1) for part in range(1, FAN_OUT + 1)]
