"""Why a transaction is not what it was meant to be: who took its nonce, and why it reverted."""

from __future__ import annotations

import contextlib

import msgspec

from monitor.model import Address, Hash32
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer
from monitor.rpc.node import UNREADABLE, Node
from monitor.transactions import raw, reading
from monitor.transactions.unsigned import RawError
from monitor.transactions.words import Consumer, Receipt, Transaction

SEARCH_BLOCKS_MAX = 120
"""How far back nodes without an archive know counts.

geth keeps the state of 128 blocks, its newest among them, and may be some blocks ahead (core,
TriesInMemory).
"""
REASON_CHARACTERS_MAX = 200


async def consumer(
    node: Node, address: Address, nonce: int, highest: int, lowest: int = 0
) -> Consumer | None:
    """The transaction of the account that took a nonce, found by bisecting its counts.

    Looks in at most the last 120 blocks up to `highest`. None where the nonce was taken before
    them, or is not taken at `highest`. Raises RpcError.
    """
    low = max(lowest, highest - SEARCH_BLOCKS_MAX)
    if await count(node, address, highest) <= nonce:
        return None
    if low > 0 and await count(node, address, low) > nonce:
        return None
    high = highest
    while high - low > 1:
        middle = (low + high) // 2
        if await count(node, address, middle) > nonce:
            high = middle
        else:
            low = middle
    return await _in_block(node, address, nonce, high)


async def count(node: Node, address: Address, number: int) -> int:
    """The account's transactions in the chain up to a height. Raises RpcError."""
    answer = await node.ask("eth_getTransactionCount", (address, hex(number)), decode.quantity)
    return int(answer, 16)


async def _in_block(node: Node, address: Address, nonce: int, number: int) -> Consumer | None:
    block = await node.ask("eth_getBlockByNumber", (hex(number), True), reading.block)
    if block is None:
        return None
    try:
        for written in block.transactions:
            found = reading.sender_of(written)
            if found.sender.lower() == address and int(found.nonce, 16) == nonce:
                bytes_ = await _bytes(node, written, Hash32(found.hash.lower()), address)
                if bytes_ is None:
                    return None
                block_hash = Hash32(block.hash.lower())
                return Consumer(raw.decode(bytes_), number, block_hash, bytes_)
    except UNREADABLE as error:
        message = f"eth_getBlockByNumber: {node.url.scrub(str(error))}"
        raise MalformedAnswer(message) from None
    return None


async def _bytes(node: Node, written: msgspec.Raw, hash_: Hash32, sender: Address) -> bytes | None:
    """Bytes of this hash, signed by the account; None where the node shows none (blobs)."""
    with contextlib.suppress(RawError):
        bytes_ = raw.rebuild(reading.fields_of(written) or {})
        raw.verify(bytes_, expected_hash=hash_, sender=sender)
        return bytes_
    try:
        shown = await node.ask("eth_getRawTransactionByHash", (hash_,), reading.hex_bytes)
        bytes_ = raw.from_hex(shown)
        raw.verify(bytes_, expected_hash=hash_, sender=sender)
    except (RawError, CallRejected):
        return None
    return bytes_


async def revert_reason(node: Node, transaction: Transaction, receipt: Receipt) -> str:
    """What the node says when the call is repeated on the block before; a guess, and said so.

    Earlier transactions of the same block are not repeated with it. Raises RpcError.
    """
    if transaction.to is None:
        call: dict[str, str] = {}
    else:
        call = {"to": transaction.to}
    call |= {
        "from": transaction.sender,
        "value": hex(transaction.value_wei),
        "gas": hex(transaction.gas),
        "data": "0x" + transaction.data.hex(),
    }
    if receipt.gas_used >= transaction.gas:
        return f"out of gas: all {transaction.gas} were used"
    try:
        await node.ask("eth_call", (call, hex(receipt.number - 1)), decode.text)
    except CallRejected as error:
        return node.url.scrub(str(error), REASON_CHARACTERS_MAX)
    return "it does not revert when it is repeated on the block before"
