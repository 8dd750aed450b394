"""Which block everything is read at, and that it is still the same one afterwards.

A ledger is read in thousands of calls, which are one statement only if they are of one block, and
the reference operators must have it too. Each way of failing has its own reason: `behind` (the node
lacks what was asked for, or what they have), `ahead` (they do not have it yet), `forked` (another
hash), `no_quorum`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from monitor.ledger.calls import PACE, Pace, ask
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.referees import Referee, poll, require_height, require_majority
from monitor.ledger.refusals import Meaning, meaning_of
from monitor.ledger.remedies import BEHIND, FORKED, unseen
from monitor.model import BlockNumber, BlockStamp, Hash32, Head, short
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected
from monitor.rpc.node import Node

__all__ = ["At", "Referee", "parsed", "pin", "still"]

Tag = Literal["finalized", "safe", "latest"]
At: TypeAlias = Tag | BlockNumber | Hash32
"""A tag, a height, or a hash."""
TAGS: tuple[Tag, ...] = ("finalized", "safe", "latest")
LATEST: Tag = "latest"
NO_TAG_CODES = frozenset({-32602, -32601})
NUMBER_MAX = 2**53
"""No height and no second goes beyond; up to here numbers of JSON are exact for every reader."""
_HEIGHT = re.compile(r"[0-9]{1,18}|0x[0-9a-f]{1,15}")
_HASH = re.compile(r"0x[0-9a-f]{64}")


def parsed(text: str) -> At:
    """A tag, a height (decimal or 0x) or a hash as an operator writes it; ValueError for others."""
    lowered = text.strip().lower()
    if lowered in TAGS:
        return lowered
    if _HASH.fullmatch(lowered):
        return Hash32(lowered)
    if _HEIGHT.fullmatch(lowered):
        return BlockNumber(int(lowered, 16 if lowered.startswith("0x") else 10))
    message = f"{text!r}: expected finalized, safe, latest, a height or a block hash"
    raise ValueError(message)


async def pin(
    node: Node,
    at: str = "finalized",
    references: Sequence[Referee] = (),
    *,
    confirmations: int,
    pace: Pace = PACE,
) -> BlockStamp:
    """The block that `at` names (see `parsed`), confirmed by a majority of reference operators.

    Where the node has no such tag as `finalized` or `safe`, it is the block `confirmations` below
    the head. For a tag, a node whose head is more than that below what a majority of operators has
    reached is `behind`. Raises CouldNotSee, and ValueError for what names no block.
    """
    wanted = parsed(at)
    head = await _tagged(node, LATEST, pace)
    if head is None:
        detail = f"{node.label} has no latest block"
        raise unseen(Meaning.MALFORMED, detail)
    if wanted in TAGS:
        block = await _below(node, head, cast("Tag", wanted), confirmations, pace)
    elif isinstance(wanted, int):
        block = await _of_height(node, wanted, head, pace)
    else:
        block = await _of_hash(node, Hash32(wanted), pace)
    said = await poll(references, block.number)
    if wanted in TAGS:
        require_height(node.label, head.number, said, behind_blocks_max=confirmations)
    require_majority(node.label, block, said)
    return block.stamp


async def still(
    node: Node, references: Sequence[Referee], stamp: BlockStamp, *, pace: Pace = PACE
) -> None:
    """Make sure that the pinned block is on the node's chain and the references' as before.

    Raises CouldNotSee for what has changed, and for what can no longer be seen.
    """
    there = await _numbered(node, stamp.number, pace)
    if there is None:
        detail = f"{node.label} no longer has block {stamp.number}, which was {short(stamp.hash)}"
        raise unseen(BEHIND, detail)
    if there.hash != stamp.hash:
        detail = (
            f"block {stamp.number} was {short(stamp.hash)} at {node.label} when it was pinned, "
            f"and is {short(there.hash)} now"
        )
        raise unseen(FORKED, detail)
    require_majority(node.label, there, await poll(references, stamp.number))


async def _below(node: Node, head: Head, tag: Tag, confirmations: int, pace: Pace) -> Head:
    """The block of a tag, or that of the head's confirmations where the node has no such tag."""
    block = head if tag == LATEST else await _tagged(node, tag, pace)
    if block is None:
        return await _of_height(node, max(0, head.number - confirmations), head, pace)
    return block


async def _of_height(node: Node, number: int, head: Head, pace: Pace) -> Head:
    block = await _numbered(node, number, pace)
    if block is None:
        detail = f"{node.label} has no block {number}: its head is {head.number}"
        raise unseen(BEHIND, detail)
    return block


async def _of_hash(node: Node, block_hash: Hash32, pace: Pace) -> Head:
    raw = await ask(node, "eth_getBlockByHash", (block_hash, False), decode.header, pace=pace)
    if raw is None:
        detail = f"{node.label} has no block {short(block_hash)}"
        raise unseen(BEHIND, detail)
    block = _head(node, raw)
    if block.hash != block_hash:
        detail = f"{node.label} answered {short(block.hash)} when asked for {short(block_hash)}"
        raise unseen(Meaning.MALFORMED, detail)
    canonical = await _numbered(node, block.number, pace)
    if canonical is None or canonical.hash != block_hash:
        other = "none" if canonical is None else short(canonical.hash)
        detail = f"block {block.number} of {node.label}'s chain is {other}, not {short(block_hash)}"
        raise unseen(FORKED, detail)
    return block


async def _tagged(node: Node, tag: Tag, pace: Pace) -> Head | None:
    """The block of a tag, or None where the node has no such tag, or none to show for it."""
    # That a tag is unknown looks like a block that is not there yet, and does not pass.
    pace = pace._replace(again=pace.again - {Meaning.NO_BLOCK})
    try:
        raw = await ask(node, "eth_getBlockByNumber", (tag, False), decode.header, pace=pace)
    except CouldNotSee as error:
        if isinstance(error.__cause__, CallRejected) and _is_no_such_tag(error.__cause__, tag):
            return None
        raise
    return None if raw is None else _head(node, raw)


def _is_no_such_tag(error: CallRejected, tag: Tag) -> bool:
    """Whether there is no such block, and not only none that was read; as in `probes/head`.

    geth: "finalized block not found", besu and reth: -39001, before the merge: invalid params.
    Elsewhere "is not available" is said of a state; of a tag it means that there is none.
    """
    text = str(error).lower()
    is_unavailable = tag in text and "is not available" in text
    return is_unavailable or meaning_of(error) == Meaning.NO_BLOCK or error.code in NO_TAG_CODES


async def _numbered(node: Node, number: int, pace: Pace) -> Head | None:
    """The block at a height; raises CouldNotSee."""
    asked = (hex(number), False)
    raw = await ask(node, "eth_getBlockByNumber", asked, decode.header, pace=pace)
    block = None if raw is None else _head(node, raw)
    if block is not None and block.number != number:
        detail = f"{node.label} answered block {block.number} when asked for block {number}"
        raise unseen(Meaning.MALFORMED, detail)
    return block


def _head(node: Node, raw: decode.RawHeader) -> Head:
    """The block of a header; raises CouldNotSee for numbers that no block has."""
    block = raw.head()
    if block.number > NUMBER_MAX or block.timestamp > NUMBER_MAX:
        detail = f"{node.label} answered a block {raw.number} of the time {raw.timestamp}"
        raise unseen(Meaning.MALFORMED, detail)
    return block
