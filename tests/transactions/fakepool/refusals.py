"""Why a pool refuses a transaction: one word for each situation, whatever the clients call it."""

from __future__ import annotations

import enum
from typing import Literal

Client = Literal["geth", "reth", "erigon", "nethermind", "besu", "anvil", "hardhat"]
CLIENTS: tuple[Client, ...] = ("geth", "reth", "erigon", "nethermind", "besu", "anvil", "hardhat")

Number = int | float | str


class Refusal(enum.Enum):
    """One situation. A client that has no text for it does not look."""

    KNOWN = enum.auto()
    """These very bytes are pooled here."""
    NONCE_LOW = enum.auto()
    """The chain has used the nonce."""
    NONCE_GAP = enum.auto()
    """A blob transaction would leave a gap (geth, reth); any from a peer (Nethermind, full)."""
    NONCE_DISTANT = enum.auto()
    """Further ahead of the chain than the client takes."""
    NONCE_HIGH = enum.auto()
    """Ahead of the chain at all, on a node that takes no future transaction."""
    REPLACE = enum.auto()
    """Another transaction has the nonce, and this one pays too little more."""
    REPLACE_BLOB = enum.auto()
    """The same among blob transactions, where the client has other words for it."""
    BLOB_BY_NORMAL = enum.auto()
    """A transaction without blobs would replace one with."""
    TYPE_CONFLICT = enum.auto()
    """The account has blob transactions pooled and this is none, or the other way round."""
    UNDERPRICED = enum.auto()
    """The pool is full of better ones."""
    FLOOR = enum.auto()
    """The tip, or the price, is below what the node's operator asks."""
    BELOW_BASE_FEE = enum.auto()
    """The fee cap is below the base fee, on a node that minds."""
    BLOB_FEE = enum.auto()
    """The blob fee cap is below the blob base fee."""
    POOL_FULL = enum.auto()
    """No room can be made."""
    PENDING_FULL = enum.auto()
    BASE_FEE_FULL = enum.auto()
    QUEUED_FULL = enum.auto()
    """Erigon's three sub-pools."""
    FUTURE_FOR_PENDING = enum.auto()
    """Full, and a transaction that is not executable would push one out that is."""
    ACCOUNT_LIMIT = enum.auto()
    """The account has as many pooled as it may."""
    FUNDS = enum.auto()
    """The balance does not cover it."""
    FUNDS_QUEUED = enum.auto()
    """The balance does not cover it together with those that are pooled."""
    COST_CAP = enum.auto()
    """It would pay more than the operator allows to be sent over RPC."""
    UNPROTECTED = enum.auto()
    """Signed without a chain id (before EIP-155)."""
    IN_FLIGHT = enum.auto()
    """A delegated account has one pooled already (EIP-7702)."""
    OUT_OF_ORDER = enum.auto()
    """A delegated account skips a nonce."""
    AUTHORITY = enum.auto()
    """It delegates an account that has transactions of its own pooled."""
    NOT_SYNCED = enum.auto()
    """The pool is shut until the node has synced."""
    INITIAL_SYNC = enum.auto()
    """The node has no state to look into yet."""
    INVALID_SENDER = enum.auto()
    SENDER_CODE = enum.auto()
    """The sender is a contract (EIP-3607)."""
    INTRINSIC_GAS = enum.auto()
    FLOOR_GAS = enum.auto()
    """EIP-7623."""
    BLOCK_GAS = enum.auto()
    """More gas than a block has."""
    GAS_CAP = enum.auto()
    """More gas than a transaction may have (EIP-7825)."""
    TIP_ABOVE_CAP = enum.auto()
    OVERSIZED = enum.auto()
    CHAIN_ID = enum.auto()
    UNDECODABLE = enum.auto()
    SIDECAR = enum.auto()
    """A blob transaction without its blobs."""
    SIDECAR_FORMAT = enum.auto()
    """With blob proofs where the chain wants cell proofs (EIP-7594)."""
    DUPLICATE = enum.auto()
    """Known, and found to be so only on the way into the pool (Erigon)."""
    INDEXING = enum.auto()
    """Of reads: the node cannot tell yet whether it is in a block."""


class Refused(Exception):
    """A pool does not take a transaction; the numbers are what a client's text may name."""

    def __init__(self, refusal: Refusal, **numbers: Number) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal
        self.numbers = numbers
