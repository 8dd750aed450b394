"""Answers about accounts and transactions, decoded strictly: bytes in, frozen values out.

Only declared fields are decoded (execution-apis, `TransactionInfo`, `ReceiptInfo`; go-ethereum,
`txpool` namespace). A transaction object is kept as it came where it may have to be rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from monitor.model import Hash32
from monitor.rpc.decode import HexHash, Quantity
from monitor.transactions.words import Market, PoolEntry, Receipt

HexBytes = str
Pooled = dict[str, dict[str, msgspec.Raw]]
"""pending and queued, each nonce (decimal) -> transaction object."""
PARTS: tuple[tuple[str, Literal["pending", "queued"]], ...] = (
    ("pending", "pending"),
    ("baseFee", "pending"),
    ("queued", "queued"),
)
"""The parts of a pool's listing; Erigon lists apart what waits for a lower base fee."""


class RawTransactionPlace(msgspec.Struct, rename="camel", frozen=True):
    """Where a transaction is: in a block, or pooled where `blockHash` is null."""

    hash: HexHash
    block_hash: HexHash | None = None


class RawReceipt(msgspec.Struct, rename="camel", frozen=True):
    """A receipt. Before Byzantium there was no status; then it says nothing, and counts as 1."""

    transaction_hash: HexHash
    block_hash: HexHash
    block_number: Quantity
    gas_used: Quantity
    status: Quantity = "0x1"

    def receipt(self) -> Receipt:
        return Receipt(
            hash=Hash32(self.transaction_hash.lower()),
            number=int(self.block_number, 16),
            block_hash=Hash32(self.block_hash.lower()),
            is_success=int(self.status, 16) == 1,
            gas_used=int(self.gas_used, 16),
        )


class RawSender(msgspec.Struct, rename={"sender": "from"}, frozen=True):
    """Whose a transaction object is."""

    hash: HexHash
    sender: str
    nonce: Quantity


class RawFeeHistory(msgspec.Struct, rename="camel", frozen=True):
    """`eth_feeHistory`: base fees of the blocks and of the next one; rewards by percentile."""

    base_fee_per_gas: list[Quantity] | None = None
    reward: list[list[Quantity]] | None = None
    base_fee_per_blob_gas: list[Quantity] | None = None


class RawBlockWithTransactions(msgspec.Struct, rename="camel", frozen=True):
    """A block with its transactions as objects, each kept as it came."""

    hash: HexHash
    number: Quantity
    transactions: list[msgspec.Raw]


class RawGasLimit(msgspec.Struct, rename="camel", frozen=True):
    """What a block may hold."""

    gas_limit: Quantity


place: msgspec.json.Decoder[RawTransactionPlace | None] = msgspec.json.Decoder(
    RawTransactionPlace | None
)
receipt: msgspec.json.Decoder[RawReceipt | None] = msgspec.json.Decoder(RawReceipt | None)
fee_history: msgspec.json.Decoder[RawFeeHistory] = msgspec.json.Decoder(RawFeeHistory)
gas_limit: msgspec.json.Decoder[RawGasLimit] = msgspec.json.Decoder(RawGasLimit)
block: msgspec.json.Decoder[RawBlockWithTransactions | None] = msgspec.json.Decoder(
    RawBlockWithTransactions | None
)
raw_object: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
hex_bytes: msgspec.json.Decoder[HexBytes | None] = msgspec.json.Decoder(HexBytes | None)
content_from: msgspec.json.Decoder[Pooled] = msgspec.json.Decoder(Pooled)
content: msgspec.json.Decoder[dict[str, dict[str, msgspec.Raw]]] = msgspec.json.Decoder(
    dict[str, dict[str, msgspec.Raw]]
)
_by_nonce: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(
    dict[str, msgspec.Raw]
)
_sender: msgspec.json.Decoder[RawSender] = msgspec.json.Decoder(RawSender)
_fields: msgspec.json.Decoder[dict[str, object]] = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class PooledTransaction:
    """One transaction of a pool, with the object it was listed as."""

    entry: PoolEntry
    written: msgspec.Raw

    def fields(self) -> Mapping[str, object]:
        """The object as it came, to be rebuilt from. Raises msgspec.DecodeError."""
        return _fields.decode(self.written)


def fields_of(written: msgspec.Raw) -> Mapping[str, object] | None:
    """A transaction object; None for JSON's null. Raises msgspec.DecodeError."""
    return None if bytes(written) == b"null" else _fields.decode(written)


def sender_of(written: msgspec.Raw) -> RawSender:
    """Whose a transaction object is. Raises msgspec.DecodeError."""
    return _sender.decode(written)


def pooled(listed: Pooled, address: str) -> Iterator[PooledTransaction]:
    """The account's transactions in an answer of `txpool_contentFrom`.

    Raises msgspec.DecodeError where an object is none; those of other accounts, which some nodes
    would list, are left out.
    """
    for part, presence in PARTS:
        for written in listed.get(part, {}).values():
            known = _sender.decode(written)
            if known.sender.lower() == address:
                yield _pooled(known, presence, written)


def pooled_of_all(
    listed: Mapping[str, Mapping[str, msgspec.Raw]], address: str
) -> Iterator[PooledTransaction]:
    """The account's transactions in an answer of `txpool_content`, by address. Raises likewise."""
    for part, presence in PARTS:
        for owner, theirs in listed.get(part, {}).items():
            if owner.lower() != address:
                continue
            for written in _by_nonce.decode(theirs).values():
                yield _pooled(_sender.decode(written), presence, written)


def _pooled(
    known: RawSender, presence: Literal["pending", "queued"], written: msgspec.Raw
) -> PooledTransaction:
    entry = PoolEntry(Hash32(known.hash.lower()), int(known.nonce, 16), presence)
    return PooledTransaction(entry, written)


def market_of(history: RawFeeHistory, block_gas_limit: int) -> Market | None:
    """What inclusion costs; None where the answer has no base fee and no reward to tell from.

    Rewards were asked for at the percentiles 10 and 50; the median over the blocks is taken, so
    that one odd block moves nothing.
    """
    rewards = history.reward or []
    lows = sorted(int(reward[0], 16) for reward in rewards if len(reward) > 1)
    middles = sorted(int(reward[1], 16) for reward in rewards if len(reward) > 1)
    fees = history.base_fee_per_gas or []
    if not fees:
        return None
    blobs = history.base_fee_per_blob_gas or []
    return Market(
        base_fee_wei=int(fees[-1], 16),
        tip_low_wei=lows[len(lows) // 2] if lows else 0,
        tip_wei=middles[len(middles) // 2] if middles else 0,
        gas_limit=block_gas_limit,
        blob_base_fee_wei=int(blobs[-1], 16) if blobs else 0,
    )
