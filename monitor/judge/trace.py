"""A chain followed from head to head: what is remembered of it, and how a reorg is read from that.

Heads that link need no question. Where one does not, its endpoint is asked which of the remembered
blocks it still has: what lies above the highest of those was replaced. A head that only steps back
to a block of the same chain replaces nothing: behind one address there may be several nodes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from monitor.model import BlockNumber, Hash32, Head

BLOCKS_COUNT_MAX = 64
"""Remembered of one chain: as deep as two epochs, past `finalized` of a healthy chain."""
REORGS_COUNT_MAX = 32
DEPTHS = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48, 64)
"""The upper bounds of the buckets in which depths are counted."""

Link = Literal["first", "known", "linked", "beyond", "parted", "apart"]
"""How a head hangs together with what is remembered: there is nothing yet; it is remembered; its
parent is; it lies above, its parent unseen; it contradicts what is remembered; it lies below or
between what is remembered, where nothing can be said."""


class Block(NamedTuple):
    """One remembered block."""

    number: BlockNumber
    hash: Hash32
    is_shared: bool | None = None
    """Whether a majority of the references had it, at any time; None while they named none."""


@dataclass(frozen=True, slots=True)
class Reorg:
    """One replacement of the newest blocks of a chain by others."""

    at: float
    depth_blocks: int
    """Blocks of the old chain that were replaced; at least so many, where some were not seen."""
    old: Block
    """The head that was left."""
    new: Block
    """The head that took its place."""
    common: Block | None
    """The highest remembered block that both have; None where none of the remembered is left."""
    is_final: bool
    """Whether a block at or below the one that was called final is among the replaced."""
    is_own: bool | None
    """Of a node: whether the references never had what it left. None: nobody can say."""


@dataclass(frozen=True, slots=True)
class ReorgSeen:
    """A chain as it was followed so far; everything in it is bounded but the counts."""

    chain: tuple[Block, ...] = ()
    """Ascending; heights may be missing between two polls."""
    reorgs: tuple[Reorg, ...] = ()
    """The newest, oldest first."""
    total: int = 0
    """Reorgs since the chain is followed."""
    blocks_total: int = 0
    """Blocks that they replaced."""
    depths: tuple[int, ...] = (0,) * (len(DEPTHS) + 1)
    """How many reorgs there were of each bucket of `DEPTHS`, and beyond; not cumulative."""
    final: BlockNumber | None = None
    """What was called final last."""
    head_at: float = float("-inf")
    """When the newest head that was followed was seen."""
    looked_at: float = float("-inf")
    """When remembered blocks were last asked for."""


def link_of(chain: Sequence[Block], head: Head) -> Link:
    """How this head hangs together with the chain so far."""
    if not chain:
        return "first"
    hashes = {block.number: block.hash for block in chain}
    parent = BlockNumber(head.number - 1)
    if hashes.get(head.number) == head.hash:
        return "known"
    if hashes.get(parent) == head.parent_hash:
        return "linked"
    if head.number in hashes or parent in hashes:
        return "parted"
    return "beyond" if head.number > chain[-1].number else "apart"


def doubtful(chain: Sequence[Block], head: Head) -> tuple[Block, ...]:
    """The remembered blocks that a head which does not link may still have below it, highest first.

    Its parent is not among them: either it is not remembered, or its hash is another.
    """
    return tuple(block for block in reversed(chain) if block.number < head.number - 1)


def joined(
    seen: ReorgSeen, head: Head, common: BlockNumber | None, at: float, *, own_blocks: int
) -> ReorgSeen:
    """The chain up to this head, above the remembered block that both have, and what it replaced.

    `common` is None where none of the remembered is left. From `own_blocks` replaced blocks on
    that the references had others instead of, the reorg is the endpoint's own.
    """
    floor = -1 if common is None else common
    kept = [block for block in seen.chain if block.number <= floor]
    gone = [block for block in seen.chain if block.number > floor]
    if head.number and not (kept and kept[-1].number == head.number - 1):
        kept.append(Block(BlockNumber(head.number - 1), head.parent_hash))
    new = Block(head.number, head.hash)
    seen = replace(seen, chain=(*kept, new)[-BLOCKS_COUNT_MAX:])
    if not gone:
        return seen
    depth = gone[-1].number - gone[0].number + 1
    reorg = Reorg(
        at=at,
        depth_blocks=depth,
        old=gone[-1],
        new=new,
        common=next((block for block in reversed(kept) if block.number == common), None),
        is_final=seen.final is not None and gone[0].number <= seen.final,
        is_own=_is_own(gone, own_blocks),
    )
    bucket = bisect_left(DEPTHS, depth)
    counts = tuple(count + (index == bucket) for index, count in enumerate(seen.depths))
    return replace(
        seen,
        reorgs=(*seen.reorgs, reorg)[-REORGS_COUNT_MAX:],
        total=seen.total + 1,
        blocks_total=seen.blocks_total + depth,
        depths=counts,
        final=None,
    )


def _is_own(gone: Sequence[Block], own_blocks: int) -> bool | None:
    if any(block.is_shared for block in gone):
        return False
    foreign = sum(block.is_shared is False for block in gone)
    return True if foreign >= own_blocks else None


def marked(seen: ReorgSeen, believed: Mapping[int, Hash32]) -> ReorgSeen:
    """The same, with what the references name at these heights; a block once shared stays so."""
    chain = tuple(
        block
        if block.is_shared or block.number not in believed
        else block._replace(is_shared=believed[block.number] == block.hash)
        for block in seen.chain
    )
    return seen if chain == seen.chain else replace(seen, chain=chain)
