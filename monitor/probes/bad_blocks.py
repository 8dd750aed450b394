"""bad_blocks: what the node refused, and what the references have at those heights."""

from __future__ import annotations

import asyncio

from monitor.judge.answer import agreed
from monitor.judge.bad_blocks import COMPARED_MAX, METHOD, BadBlock, BadBlocksSeen
from monitor.judge.quorum import believed_hash, votes
from monitor.model import Hash32, Unseen
from monitor.probes.asked import Asked
from monitor.rpc import decode, dialects
from monitor.rpc.dialects import RawBadBlock, number
from monitor.rpc.node import Node

BLOCK_METHOD = "eth_getBlockByNumber"
TICKS_APART = 8
"""Of the loop. Whoever asks at the same time does so within three, and their batch has gone."""


async def probe(asked: Asked[BadBlocksSeen]) -> BadBlocksSeen:
    """`debug_getBadBlocks`; for the highest of them, what the references and the node have there.

    Raises RpcError. The answer holds whole blocks, and may be larger than an answer is allowed to
    be: it travels apart from other questions, so that these have theirs.
    """
    for _ in range(TICKS_APART):
        await asyncio.sleep(0)
    # Who keeps the namespace closed, in whatever words, has not failed a call.
    listed = await asked.node.ask(METHOD, (), dialects.bad_blocks, is_answer=lambda _: True)
    blocks = sorted(
        {_block(row) for row in listed or ()},
        key=lambda block: (-1 if block.number is None else block.number, block.hash),
        reverse=True,
    )
    newest = blocks[:COMPARED_MAX]
    return BadBlocksSeen(
        count=len(blocks),
        newest=tuple(await asyncio.gather(*(_compared(asked, block) for block in newest))),
    )


def _block(row: RawBadBlock) -> BadBlock:
    height = row.height
    return BadBlock(
        hash=Hash32(row.named.lower()), number=None if height is None else number(height)
    )


async def _compared(asked: Asked[BadBlocksSeen], block: BadBlock) -> BadBlock:
    """With what the references have at its height; the node is asked where they have it."""
    if block.number is None:
        return block
    canonical, is_disputed = await _canonical(asked, block.number)
    own = None
    if canonical == block.hash:
        own = await _hash_at(asked.node, block.number)
    return BadBlock(block.hash, block.number, canonical, own, is_disputed)


async def _canonical(asked: Asked[BadBlocksSeen], height: int) -> tuple[Hash32 | None, bool]:
    """The block of a majority of the references at this height, and whether one has another."""
    said: set[Hash32]
    hash_ = believed_hash(asked.round, height)
    if hash_ is not None:
        said = set(votes(asked.round.admitted, height).values())
        return hash_, said != {hash_}

    async def question(node: Node) -> Hash32 | None:
        return await _hash_at(node, height)

    answers = await asked.panel.each((BLOCK_METHOD, "hash", height), question)
    hash_ = agreed(answers, asked.round.need)
    said = {
        one.seen for one in answers if one.seen is not None and not isinstance(one.seen, Unseen)
    }
    return hash_, bool(said - {hash_})


async def _hash_at(node: Node, height: int) -> Hash32 | None:
    header = await node.ask(BLOCK_METHOD, (hex(height), False), decode.header)
    return None if header is None else header.head().hash
