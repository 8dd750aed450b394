"""Whether both have the same blocks, and where they part."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.canary.asking import WHOLE, Pair
from monitor.canary.comparison import Comparison, Line
from monitor.canary.header import (
    STEPS_MAX,
    Range,
    differing_fields,
    first_heights,
    heights_between,
    narrowed,
)
from monitor.canary.traffic import Pin
from monitor.judge.quorum import CONTESTED_DEPTH
from monitor.model import Head, short
from monitor.probes.fork import blocks_at
from monitor.rpc import decode
from monitor.rpc.errors import MalformedAnswer, RpcError
from monitor.rpc.node import Node

METHOD = "eth_getBlockByNumber"
LOOKS = 3
"""A block in flight parts two nodes for a moment; a fork is there at every look."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What came of it, and the highest block that both agree on; None where there is none."""

    comparison: Comparison
    pin: Pin | None


async def consensus(pair: Pair, pause_seconds: float) -> Agreed:
    """Compare the highest block that both have had time to import; else find where they part.

    Raises nothing: what could not be seen is UNKNOWN.
    """
    try:
        return await _consensus(pair, pause_seconds)
    except RpcError as error:
        said = f"their blocks could not be compared: {error}"
        return Agreed(Comparison("consensus", "unknown", "unseen", said), None)


async def _consensus(pair: Pair, pause_seconds: float) -> Agreed:
    asked, height = 0, 0
    for look in range(LOOKS):
        if look:
            await asyncio.sleep(pause_seconds)
        heads = await asyncio.gather(_head(pair.baseline), _head(pair.candidate))
        height = max(0, min(head.number for head in heads) - CONTESTED_DEPTH)
        mine, theirs = await _hashes(pair, (height,))
        asked += 2
        if height not in mine or height not in theirs:
            who = "baseline" if height not in mine else "candidate"
            message = f"{METHOD}: the {who} has no block {height}"
            raise MalformedAnswer(message)
        if mine[height] == theirs[height]:
            lines = (Line(f"hash of block {height}", mine[height], theirs[height]),)
            said = f"the same block {height}, {short(mine[height])}"
            comparison = Comparison("consensus", "pass", "same_blocks", said, lines, asked)
            return Agreed(comparison, Pin(height, mine[height]))
    return await _parted(pair, height, asked)


async def _parted(pair: Pair, differs: int, asked: int) -> Agreed:
    search, heights = Range(-1, differs), first_heights(differs)
    common_hash = ""
    for _ in range(STEPS_MAX):
        if not heights or search.is_found:
            break
        mine, theirs = await _hashes(pair, heights)
        asked += len(heights)
        found = narrowed(search, mine, theirs)
        common_hash = mine.get(found.common, common_hash)
        if found == search:
            break  # What is left to ask, one of them does not have.
        search, heights = found, heights_between(found)
    fields = await _fields(pair, search.differs) if search.is_found else ()
    names = ", ".join(name for name, _, _ in fields) or "no field that either shows"
    lines = [Line(f"block {search.differs}: {name}", a, b) for name, a, b in fields]
    said = f"the chains part at block {search.differs}: {names} differ"
    if len(fields) == 1:
        said = f"the chains part at block {search.differs}: {names} differs"
    if not search.is_found:
        said = f"the chains part between blocks {search.common} and {search.differs}"
    sides, lone = await _sides(pair, search.differs)
    pin = Pin(search.common, common_hash) if common_hash else None
    if lone == "baseline":
        said += "; the references have the candidate's block"
        return Agreed(
            Comparison("consensus", "warn", "baseline_parted", said, (*lines, *sides), asked), pin
        )
    comparison = Comparison("consensus", "fail", "parted", said, (*lines, *sides), asked)
    return Agreed(comparison, pin)


async def _sides(pair: Pair, height: int) -> tuple[tuple[Line, ...], str]:
    """The references' blocks there; and who is alone, where most of them have the other's block."""
    mine, theirs = await _hashes(pair, (height,))
    seen = [
        (node.label, head.hash)
        for node in pair.references
        for head in await _blocks_or_none(node, (height,))
    ]
    lines = [Line(f"block {height}: hash", mine.get(height, ""), theirs.get(height, ""))]
    lines += [
        Line(f"block {height} of reference {label}: hash", hash_, "") for label, hash_ in seen
    ]
    with_candidate = sum(hash_ == theirs.get(height) for _, hash_ in seen)
    is_lone = 2 * with_candidate > len(pair.references) > 0
    return tuple(lines), "baseline" if is_lone else ""


async def _blocks_or_none(node: Node, heights: Sequence[int]) -> tuple[Head, ...]:
    try:
        return await blocks_at(node, heights)
    except RpcError:
        return ()


async def _fields(pair: Pair, height: int) -> tuple[tuple[str, str, str], ...]:
    """What differs in the two headers at a height."""
    mine, theirs = await asyncio.gather(
        *(node.ask(METHOD, (hex(height), False), WHOLE) for node in (pair.baseline, pair.candidate))
    )
    return differing_fields(mine, theirs, pair.masked)


async def _hashes(pair: Pair, heights: Sequence[int]) -> tuple[dict[int, str], dict[int, str]]:
    mine, theirs = await asyncio.gather(
        blocks_at(pair.baseline, heights), blocks_at(pair.candidate, heights)
    )
    return {one.number: one.hash for one in mine}, {one.number: one.hash for one in theirs}


async def _head(node: Node) -> Head:
    header = await node.ask(METHOD, ("latest", False), decode.header)
    if header is None:
        message = f"{METHOD}: the {node.label} has no latest block"
        raise MalformedAnswer(message)
    return header.head()
