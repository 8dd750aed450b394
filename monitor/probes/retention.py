"""retention: how far back a node answers, by its own word, or by asking until it does not.

Only the node itself is asked. Where the oldest block stands still, two calls of each kind show it;
where it moves, as many as its distance has binary digits, twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from monitor.judge.retention import METHOD, Kept, Resource, RetentionSeen
from monitor.judge.seen import HeadSeen
from monitor.probes.asked import Asked
from monitor.rpc.decode import HexHash, Quantity
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node

NOBODY = "0x0000000000000000000000000000000000000000"
PRUNED_CODES = frozenset({4444})
"""geth: "pruned history unavailable" (EIP-4444)."""
PRUNED_TEXTS = (
    "missing trie node",  # geth, hash scheme
    "historical state",  # geth, path scheme: "historical state ... is not available"
    "state is not available",  # geth, erigon
    "no state available",  # nethermind
    "state not available",
    "world state unavailable",  # besu, of calls and proofs; of a balance it says null
    "pruned",  # reth, erigon, nethermind, and what is pruned of a history
    "maximum proof window",  # reth
    "old data not available",  # erigon
    "header not found",
    "block not found",
    "unknown block",
    "resource not found",  # EIP-1474, -32001
    "required data unavailable",  # anvil
)

Served = Callable[[int], Awaitable[bool]]


class _RawHead(msgspec.Struct, frozen=True):
    number: Quantity
    hash: HexHash


class _RawResource(msgspec.Struct, rename="camel", frozen=True):
    """One resource (execution-apis pull 755); what is disabled has no oldest block."""

    disabled: bool
    oldest_block: Quantity | None = None


class _RawCapabilities(msgspec.Struct, frozen=True):
    """`eth_capabilities`, as go-ethereum (`internal/ethapi/capabilities.go`) answers it."""

    head: _RawHead
    state: _RawResource
    logs: _RawResource
    receipts: _RawResource
    blocks: _RawResource


CAPABILITIES: Final[msgspec.json.Decoder[_RawCapabilities]] = msgspec.json.Decoder(_RawCapabilities)


class _RawTransactions(msgspec.Struct, frozen=True):
    """Of a block: hashes, which are counted."""

    transactions: list[HexHash]


_balance: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(Quantity | None)
_block: msgspec.json.Decoder[_RawTransactions | None] = msgspec.json.Decoder(
    _RawTransactions | None
)
_entries: msgspec.json.Decoder[list[msgspec.Raw] | None] = msgspec.json.Decoder(
    list[msgspec.Raw] | None
)


async def probe(asked: Asked[RetentionSeen]) -> RetentionSeen:
    """What the node serves. Raises RpcError."""
    newest = asked.heads[-1].seen if asked.heads else None
    if not isinstance(newest, HeadSeen):
        message = "no head to look back from"
        raise MalformedAnswer(message)
    final = None if newest.final is None else int(newest.final.number)
    try:
        said = await asked.node.ask(METHOD, (), CAPABILITIES)
    except MethodAbsent:
        head = int(newest.head.number)
        kept = await _tried(asked.node, head, asked.last)
        return RetentionSeen(head, final, kept, is_declared=False)
    resources: tuple[tuple[Resource, _RawResource], ...] = (
        ("state", said.state),
        ("bodies", said.blocks),
        ("receipts", said.receipts),
        ("logs", said.logs),
    )
    kept = tuple(
        Kept(name, None if one.disabled else int(one.oldest_block or "0x0", 16))
        for name, one in resources
        if one.disabled or one.oldest_block is not None
    )
    return RetentionSeen(int(said.head.number, 16), final, kept, is_declared=True)


async def _tried(node: Node, head: int, last: RetentionSeen | None) -> tuple[Kept, ...]:
    """States, blocks and receipts, each found by itself."""
    known = {one.resource: one.oldest for one in last.kept} if last is not None else {}
    tries: tuple[tuple[Resource, Served], ...] = (
        ("state", _states(node)),
        ("bodies", _bodies(node)),
        ("receipts", _receipts(node)),
    )
    found = await asyncio.gather(
        *(_kept(name, served, head, known.get(name)) for name, served in tries)
    )
    return tuple(one for one in found if one is not None)


async def _kept(resource: Resource, served: Served, head: int, known: int | None) -> Kept | None:
    try:
        return Kept(resource, await oldest(served, head, known))
    except MethodAbsent:
        return None


async def oldest(served: Served, head: int, known: int | None) -> int | None:
    """The lowest height that is served, where everything above it is; None where the head is not.

    `known` is where it was before: with it little is asked. At most twice the binary digits of the
    head are.
    """
    low, high = 0, head
    """What is below `low` is not served, what is at `high` and above is."""
    if known is not None and known <= head:
        if await served(known):
            high = known
            if known and not await served(known - 1):
                return known
        else:
            low, step = known + 1, 1
            while low + step < head and not await served(low + step):
                low, step = low + step + 1, 2 * step
            high = min(head, low + step)
    if high == head and not await served(head):
        return None
    while low < high:
        middle = (low + high) // 2
        if await served(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _states(node: Node) -> Served:
    async def served(number: int) -> bool:
        try:
            found = await node.ask("eth_getBalance", (NOBODY, hex(number)), _balance)
        except CallRejected as error:
            _raise_unless_gone(error)
            return False
        return found is not None

    return served


def _bodies(node: Node) -> Served:
    async def served(number: int) -> bool:
        return await _transactions(node, number) is not None

    return served


def _receipts(node: Node) -> Served:
    async def served(number: int) -> bool:
        """A block without transactions counts as served: it says nothing else."""
        count = await _transactions(node, number)
        if not count:
            return count is not None
        try:
            found = await node.ask("eth_getBlockReceipts", (hex(number),), _entries)
        except CallRejected as error:
            _raise_unless_gone(error)
            return False
        return found is not None and len(found) == count

    return served


async def _transactions(node: Node, number: int) -> int | None:
    """How many the block has; None where it is not there."""
    try:
        found = await node.ask("eth_getBlockByNumber", (hex(number), False), _block)
    except CallRejected as error:
        _raise_unless_gone(error)
        return None
    return None if found is None else len(found.transactions)


def _raise_unless_gone(error: CallRejected) -> None:
    """Raise the rejection again, unless it says that what was asked for is not kept."""
    text = str(error).lower()
    is_gone = error.code in PRUNED_CODES or any(word in text for word in PRUNED_TEXTS)
    if isinstance(error, MethodAbsent) or not is_gone:
        raise error
