"""What a store is told and tells."""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Address, Hash32


class Identity(NamedTuple):
    """Whose logs they are: a store holds those of one ledger and no other."""

    chain_id: int
    protocol: str
    """Such as "poco-v1"."""
    contract: Address
    """The hub."""

    def __str__(self) -> str:
        return f"{self.protocol} {self.contract} on chain {self.chain_id}"


class Mark(NamedTuple):
    """A height at which the store knows the hash of the block."""

    block: int
    hash: Hash32


class Snapshot(NamedTuple):
    """The state of the ledger at the end of a block, in the words of whoever put it there."""

    block: int
    hash: Hash32
    body: bytes
