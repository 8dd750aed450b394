"""What the reference operators say of one block, and whether that lets it be pinned.

One operator one vote, however many endpoints it runs, and one that contradicts itself has none. A
hash is believed when a strict majority of all operators names it, so that silence elects nothing
(as in `judge/quorum`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.judge.quorum import majority
from monitor.ledger.refusals import Meaning, meaning_of
from monitor.ledger.remedies import AHEAD, BEHIND, FORKED, NO_QUORUM, unseen
from monitor.model import Hash32, Head, short
from monitor.rpc import decode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Node


class Referee(NamedTuple):
    """One endpoint to compare with, and who runs it."""

    operator: str
    node: Node


@dataclass(frozen=True, slots=True)
class Said:
    """What one endpoint says of one height."""

    operator: str
    block: Head | None = None
    """None where it has no block there, or could not be seen."""
    head: int | None = None
    """Its own height, where that was seen."""
    silence: str | None = None
    """Why it could not be seen."""


async def poll(referees: Sequence[Referee], number: int) -> list[Said]:
    """What each says of a height. Each is asked once: it is one of several."""
    return list(await asyncio.gather(*(_say(referee, number) for referee in referees)))


async def _say(referee: Referee, number: int) -> Said:
    operator, node = referee
    there, head = await asyncio.gather(
        node.ask("eth_getBlockByNumber", (hex(number), False), decode.header),
        node.ask("eth_getBlockByNumber", ("latest", False), decode.header),
        return_exceptions=True,
    )
    for answer in (there, head):
        if isinstance(answer, BaseException) and not isinstance(answer, RpcError):
            raise answer
    height = None
    if head is not None and not isinstance(head, BaseException):
        height = head.head().number
    if isinstance(there, RpcError) and meaning_of(there) != Meaning.NO_BLOCK:
        return Said(operator, head=height, silence=f"{node.label}: {there}")
    block = None if there is None or isinstance(there, BaseException) else there.head()
    if block is not None and block.number != number:
        detail = f"{node.label} answered block {block.number} when asked for block {number}"
        return Said(operator, head=height, silence=detail)
    return Said(operator, block, height)


def require_height(label: str, head: int, said: Sequence[Said], *, behind_blocks_max: int) -> None:
    """Make sure that a node is not far below what a majority of operators has reached.

    Raises CouldNotSee. Where no majority says how high it is, nothing is required of the node.
    """
    heights: dict[str, int] = {}
    for one in said:
        if one.head is not None:
            heights[one.operator] = max(one.head, heights.get(one.operator, one.head))
    need = _need(said)
    descending = sorted(heights.values(), reverse=True)
    if len(descending) < need or not said:
        return
    reached = descending[need - 1]
    if head + behind_blocks_max < reached:
        detail = (
            f"{label} is at block {head} and a majority of the reference operators at {reached}: "
            f"{reached - head} blocks behind"
        )
        raise unseen(BEHIND, detail)


def require_majority(label: str, block: Head, said: Sequence[Said]) -> None:
    """Make sure that a strict majority of operators has this block; raises CouldNotSee if not.

    Without any operators nothing is required: the node is then believed.
    """
    if not said:
        return
    operators = {one.operator for one in said}
    cast = _votes(said)
    elected = majority(cast, _need(said))
    if elected == block.hash:
        return
    here = f"block {block.number} is {short(block.hash)} at {label}"
    if elected is not None:
        voters = sorted(operator for operator, hash_ in cast.items() if hash_ == elected)
        detail = (
            f"{here} and {short(elected)} at {len(voters)} of {len(operators)} reference operators "
            f"({', '.join(voters)})"
        )
        raise unseen(FORKED, detail)
    lacking = {o: [s for s in said if s.operator == o and _lacks(s)] for o in operators - set(cast)}
    late = {operator: them for operator, them in lacking.items() if them}
    if len(late) >= _need(said):
        heights = [one.head for them in late.values() for one in them if one.head is not None]
        highest = f"the highest of them is at {max(heights)}" if heights else "no head was seen"
        detail = (
            f"{here}, and {len(late)} of {len(operators)} reference operators do not have it yet: "
            f"{highest}"
        )
        raise unseen(AHEAD, detail)
    detail = f"{here}; of {len(operators)} reference operators no majority says so: {_told(said)}"
    raise unseen(NO_QUORUM, detail)


def _need(said: Iterable[Said]) -> int:
    return len({one.operator for one in said}) // 2 + 1


def _votes(said: Iterable[Said]) -> dict[str, Hash32]:
    named: dict[str, set[Hash32]] = {}
    for one in said:
        if one.block is not None:
            named.setdefault(one.operator, set()).add(one.block.hash)
    return {operator: next(iter(them)) for operator, them in named.items() if len(them) == 1}


def _lacks(one: Said) -> bool:
    return one.block is None and one.silence is None


def _told(said: Sequence[Said]) -> str:
    """Each endpoint's word, by operator."""
    words = []
    for one in sorted(said, key=lambda one: one.operator):
        if one.silence is not None:
            words.append(f"{one.operator} could not be seen ({one.silence})")
        elif one.block is None:
            words.append(f"{one.operator} does not have it yet")
        else:
            words.append(f"{one.operator} {short(one.block.hash)}")
    return ", ".join(words)
