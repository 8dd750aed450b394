"""reorg: the chain of an endpoint, followed from head to head.

What the rounds have seen is enough while heads link. Else the endpoint is asked by number for what
is remembered, the newest first and twice as many each time, until one of them is still there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from monitor.judge.finality import final_number
from monitor.judge.profiles import Policy
from monitor.judge.quorum import believed_hash
from monitor.judge.seen import LINK_DEPTH_MAX, HeadSeen
from monitor.judge.trace import Block, ReorgSeen, doubtful, joined, link_of, marked
from monitor.model import BlockNumber, Hash32, Head
from monitor.probes.asked import Asked
from monitor.probes.fork import blocks_at
from monitor.rpc.node import Node

REFERENCE_SECONDS = 60.0
"""How often a reference is asked on a chain that makes many blocks between two polls, where no head
links with the one before: references cost money."""


async def probe(asked: Asked[ReorgSeen]) -> ReorgSeen:
    """What is remembered, with every head since. Raises RpcError."""
    seen = asked.last or ReorgSeen()
    for observation in tuple(asked.heads):
        if isinstance(observation.seen, HeadSeen) and observation.at > seen.head_at:
            seen = await _follow(asked, seen, observation.seen, observation.at)
    if asked.is_quorum:
        final = final_number(asked.round, None)
        seen = replace(seen, final=seen.final if final is None else BlockNumber(final))
    return marked(seen, _believed(asked, seen.chain))


async def _follow(
    asked: Asked[ReorgSeen], seen: ReorgSeen, newest: HeadSeen, at: float
) -> ReorgSeen:
    head = newest.head
    link = link_of(seen.chain, head)
    common: BlockNumber | None = BlockNumber(head.number - 1)
    is_followed = link in {"first", "linked"}
    if link in {"beyond", "parted"}:
        is_paced = asked.is_quorum and link == "beyond" and _is_dense(asked.policy)
        if not is_paced or at - seen.looked_at >= REFERENCE_SECONDS:
            found = await _common(asked.node, seen.chain, head)
            is_followed, common = found.is_certain, found.number
            seen = replace(seen, looked_at=at)
    if is_followed:
        seen = joined(seen, head, common, at, own_blocks=asked.policy.reorg_blocks)
    # A head that was gone before it could be looked into is left to the next one.
    final = seen.final if newest.final is None else newest.final.number
    return replace(seen, head_at=at, final=final)


def _is_dense(policy: Policy) -> bool:
    """Whether two blocks and more are made between two polls, so that heads hardly ever link."""
    return policy.poll_seconds >= 2 * policy.profile.interval_seconds


class Found(NamedTuple):
    """The highest remembered block that is still there."""

    number: BlockNumber | None
    """None: none of them is."""
    is_certain: bool
    """False: the head itself is gone already, so that the answers say nothing of it."""


async def _common(node: Node, chain: Sequence[Block], head: Head) -> Found:
    """Where the chain of this head parts from the remembered one."""
    blocks = doubtful(chain, head)
    # Above what is remembered the head most often continues it, which one answer shows.
    is_head_seen = False
    count = 1
    while blocks:
        some, blocks = blocks[:count], blocks[count:]
        numbers = [block.number for block in some]
        wants_head = not is_head_seen and (count > 1 or head.number <= chain[-1].number)
        if wants_head:
            numbers.append(head.number)
        there = {one.number: one.hash for one in await blocks_at(node, numbers)}
        if wants_head and there.get(head.number) != head.hash:
            return Found(None, is_certain=False)
        is_head_seen = is_head_seen or wants_head
        for block in some:
            if there.get(block.number) == block.hash:
                return Found(block.number, is_certain=True)
        count *= 2
    return Found(None, is_certain=True)


def _believed(asked: Asked[ReorgSeen], chain: Sequence[Block]) -> dict[int, Hash32]:
    """What the references name at the newest of these heights, as far as their links reach."""
    named = (
        (block.number, believed_hash(asked.round, block.number))
        for block in chain[-LINK_DEPTH_MAX:]
    )
    return {number: believed for number, believed in named if believed is not None}
