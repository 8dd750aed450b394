"""The accounts that a block is about, and one call that reads their balances through the EVM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from monitor.model import Address
from monitor.probes.receipts import HexAddress, HexBytes

ACCOUNTS_MAX = 3
TRANSACTIONS_MAX = 16
"""So many of a block are looked through for accounts."""
SYSTEM_CONTRACTS = (
    Address("0x000f3df6d732807ef1319fb7b8bb8522d0beac02"),
    Address("0x0000f90827f1c53a10cb7a02335b175320002935"),
)
"""Beacon roots (EIP-4788) and block hashes (EIP-2935): every block writes to their storage."""

WORD_BYTES = 32
CALLER = "0x000000000000000000000000000000000000c0de"
"""Nobody: some clients lend the caller of an `eth_call` what it needs for its gas."""
BALANCE, MSTORE, PUSH1, PUSH20, RETURN = 0x31, 0x52, 0x60, 0x73, 0xF3
"""Opcodes (Yellow Paper, appendix H)."""


@dataclass(frozen=True, slots=True)
class BlockAccounts:
    """Fee recipient first, then who sent and received, then the system's; each once."""

    addresses: tuple[Address, ...]


class _RawParties(msgspec.Struct, frozen=True):
    """Of a transaction object (execution-apis)."""

    sender: HexAddress = msgspec.field(name="from")
    to: HexAddress | None = None
    """None where a contract is created."""


class _RawBlock(msgspec.Struct, frozen=True):
    """Of a block object with its transactions (execution-apis, `Block`)."""

    miner: HexAddress
    transactions: list[_RawParties]


_raw: msgspec.json.Decoder[_RawBlock] = msgspec.json.Decoder(_RawBlock)
_hex: msgspec.json.Decoder[str] = msgspec.json.Decoder(HexBytes)


class _AccountsDecoder:
    def decode(self, raw: msgspec.Raw, /) -> BlockAccounts:
        """The accounts of one block; raises what msgspec raises, of `null` as well."""
        block = _raw.decode(raw)
        named: list[str | None] = [block.miner]
        for one in block.transactions[:TRANSACTIONS_MAX]:
            named += (one.to, one.sender)
        found = dict.fromkeys(Address(one.lower()) for one in named if one is not None)
        return BlockAccounts((*found, *SYSTEM_CONTRACTS)[:ACCOUNTS_MAX])


ACCOUNTS: Final = _AccountsDecoder()


@dataclass(frozen=True, slots=True)
class WordsDecoder:
    """Reads so many words of 32 bytes, as numbers, and nothing else."""

    count: int

    def decode(self, raw: msgspec.Raw, /) -> tuple[int, ...]:
        """The words of what a call returned; raises what msgspec raises."""
        text, size = _hex.decode(raw).removeprefix("0x"), 2 * WORD_BYTES
        if len(text) != size * self.count:
            message = f"{len(text) // 2} bytes, not {self.count} words"
            raise msgspec.ValidationError(message)
        return tuple(int(text[at : at + size], 16) for at in range(0, len(text), size))


def balances_call(addresses: Sequence[Address]) -> dict[str, str]:
    """The transaction object of an `eth_call` that returns these balances, a word each.

    It creates a contract, whose code is what the call returns: nothing need be deployed for it.
    """
    program = bytearray()
    for index, address in enumerate(addresses):
        program += bytes([PUSH20, *bytes.fromhex(address.removeprefix("0x")), BALANCE])
        program += bytes([PUSH1, WORD_BYTES * index, MSTORE])
    program += bytes([PUSH1, WORD_BYTES * len(addresses), PUSH1, 0, RETURN])
    return {"from": CALLER, "data": "0x" + program.hex()}
