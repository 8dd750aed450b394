"""Logs and receipts as a node sends them, and what they come to: digests, bloom, root.

The receipts of a block are committed to by its header, and with that by its hash (Yellow Paper,
section 4.3.1; EIP-2718 for those of typed transactions): whoever believes the hash can check them
against nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from eth_hash.auto import keccak

from monitor.judge.logs import LogsSaid, ReceiptsSaid
from monitor.probes.trie import ordered_root
from monitor.rpc.decode import HexHash, Quantity
from monitor.transactions import rlp
from monitor.transactions.rlp import Item

HexBytes = Annotated[str, msgspec.Meta(pattern=r"^0x(?:[0-9a-fA-F]{2})*\Z")]
HexAddress = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{40}\Z")]
HexBloom = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{512}\Z")]
Topics = Annotated[list[HexHash], msgspec.Meta(max_length=4)]

BLOOM_BYTES = 256
BLOOM_BITS_MASK = 8 * BLOOM_BYTES - 1
TYPES_KNOWN = range(5)
"""Legacy, EIP-2930, EIP-1559, EIP-4844, EIP-7702: their receipts are encoded alike. Those of other
chains (deposits, retries) hold more, or less, so that nothing is known of their root here."""


class RawLog(msgspec.Struct, rename="camel", frozen=True):
    """A log (execution-apis, `Log`), less what follows from the block it was asked by."""

    address: HexAddress
    topics: Topics
    data: HexBytes
    log_index: Quantity
    transaction_hash: HexHash

    @property
    def said(self) -> list[Item]:
        """What a receipt holds of it."""
        return [_bytes(self.address), [_bytes(one) for one in self.topics], _bytes(self.data)]


class RawReceipt(msgspec.Struct, rename="camel", frozen=True):
    """A receipt (execution-apis, `ReceiptInfo`), less what is the transaction's."""

    transaction_hash: HexHash
    cumulative_gas_used: Quantity
    gas_used: Quantity
    logs_bloom: HexBloom
    logs: list[RawLog]
    type: Quantity = "0x0"
    """Left out by clients of before EIP-2718."""
    status: Quantity | None = None
    root: HexHash | None = None
    """In the place of a status before Byzantium (EIP-658)."""

    @property
    def is_known(self) -> bool:
        """Whether its encoding is."""
        return int(self.type, 16) in TYPES_KNOWN and (self.status or self.root) is not None

    @property
    def encoded(self) -> bytes:
        """As it lies in the tree; only of a known one."""
        outcome = _number(self.status) if self.status is not None else _bytes(self.root or "")
        logs: list[Item] = [log.said for log in self.logs]
        body = rlp.encode(
            [outcome, _number(self.cumulative_gas_used), _bytes(self.logs_bloom), logs]
        )
        kind = int(self.type, 16)
        return bytes([kind]) + body if kind else body

    @property
    def told(self) -> list[Item]:
        """Everything that is compared, whatever its type."""
        return [
            _bytes(self.transaction_hash),
            _number(self.type),
            _number(self.status or "0x0"),
            _bytes(self.root or ""),
            _number(self.gas_used),
            _number(self.cumulative_gas_used),
            _bytes(self.logs_bloom),
            _told(self.logs),
        ]


_logs: msgspec.json.Decoder[list[RawLog]] = msgspec.json.Decoder(list[RawLog])
_receipts: msgspec.json.Decoder[list[RawReceipt]] = msgspec.json.Decoder(list[RawReceipt])


class _LogsDecoder:
    """Reads the logs of a block."""

    def decode(self, raw: msgspec.Raw, /) -> LogsSaid:
        """What they come to; raises what msgspec raises."""
        return logs_said(_logs.decode(raw))


class _ReceiptsDecoder:
    """Reads the receipts of a block."""

    def decode(self, raw: msgspec.Raw, /) -> ReceiptsSaid:
        """What they come to; raises what msgspec raises."""
        return receipts_said(_receipts.decode(raw))


LOGS: Final = _LogsDecoder()
RECEIPTS: Final = _ReceiptsDecoder()


def logs_said(logs: Sequence[RawLog]) -> LogsSaid:
    """Logs in the order they came in."""
    return LogsSaid(len(logs), _digest(_told(logs)), "0x" + bloom(logs).hex())


def receipts_said(receipts: Sequence[RawReceipt]) -> ReceiptsSaid:
    """Receipts in the order they came in, and whether the gas of each adds up to the sums."""
    before, adds_up = 0, True
    for receipt in receipts:
        total = int(receipt.cumulative_gas_used, 16)
        adds_up &= total - before == int(receipt.gas_used, 16)
        before = total
    is_known = all(receipt.is_known for receipt in receipts)
    root = ordered_root([receipt.encoded for receipt in receipts]) if is_known else None
    return ReceiptsSaid(
        count=len(receipts),
        root=None if root is None else "0x" + root.hex(),
        digest=_digest([receipt.told for receipt in receipts]),
        logs_digest=_digest(_told([log for receipt in receipts for log in receipt.logs])),
        adds_up=adds_up,
    )


def bloom(logs: Sequence[RawLog]) -> bytes:
    """The 2048 bits that addresses and topics set, three each (Yellow Paper, section 4.3.1)."""
    bits = 0
    for one in {text for log in logs for text in (log.address.lower(), *log.topics)}:
        mark = keccak(_bytes(one))
        for start in (0, 2, 4):
            bits |= 1 << (int.from_bytes(mark[start : start + 2], "big") & BLOOM_BITS_MASK)
    return bits.to_bytes(BLOOM_BYTES, "big")


def _told(logs: Sequence[RawLog]) -> list[Item]:
    return [[*log.said, _number(log.log_index), _bytes(log.transaction_hash)] for log in logs]


def _digest(items: list[Item]) -> str:
    return "0x" + keccak(rlp.encode(items)).hex()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _number(quantity: str) -> bytes:
    return rlp.encode_number(int(quantity, 16))
