"""What an error object means that answers a read of the state: the clients' words, as data. Pure.

The same read may be refused because the contract reverted (a statement about the chain) or because
the node could not look (a statement about the node), and JSON-RPC gives both the code -32000. What
no row knows is never taken for a revert.

Sources. Reverts: graph-node `chain/ethereum/src/call_helper.rs` (RPC_EXECUTION_ERRORS, the Parity
constants), go-ethereum `core/vm/errors.go`, parity-ethereum PR 8448 and `rpc/src/v1/helpers/
errors.rs` (-32015), Nethermind `ErrorCodes.cs` (3, -32015; 4444 for expired history) and issues 727
and 2098, ganache's "VM Exception while processing transaction: revert", hardhat's "Transaction
reverted without a reason string", anvil 1.7 as it answers. State: erpc `architecture/evm/util.go`
(IsMissingDataError), nodecore `internal/upstreams/.../evm_bounds` (evmNoDataErrorHints),
go-ethereum issues 16471, 20874, 24070 and 32148, raiden issue 3566 (Parity's words), erigon issue
3152, reth issue 14952 and `EthApiError`, ethers.js issue 715 (Infura's words).
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MethodAbsent,
    RpcError,
)


class Meaning(enum.StrEnum):
    """What became of a read; the value is the slug of the reason."""

    REVERTED = "reverted"
    """The contract ended the call: revert, invalid opcode, all gas burnt."""
    NO_BLOCK = "no_block"
    """The node does not have the block, or not yet."""
    PRUNED = "pruned"
    """It has the block and no longer its state."""
    BUSY = "busy"
    """It could have answered and did not want to, for now."""
    UNSUPPORTED = "unsupported"
    REFUSED = "rpc_error"
    """For a reason that no row knows."""
    TIMEOUT = "timeout"
    UNREACHABLE = "refused"
    BUDGET = "budget"
    MALFORMED = "malformed"


TRANSIENT = frozenset({Meaning.NO_BLOCK, Meaning.BUSY, Meaning.TIMEOUT, Meaning.UNREACHABLE})
"""Worth asking again: of nodes behind one address, one may lack a block that others have."""


class Row(NamedTuple):
    """One row: whose message contains this, lower case, says that."""

    meaning: Meaning
    text: str
    clients: str
    """Who says it, for whoever keeps the table."""


REVERTED, NO_BLOCK, PRUNED, BUSY = (
    Meaning.REVERTED,
    Meaning.NO_BLOCK,
    Meaning.PRUNED,
    Meaning.BUSY,
)

ROWS = (
    # A reason given by the contract may hold any words, so what says "reverted" is read first.
    Row(REVERTED, "execution reverted", "geth, besu, erigon, nethermind, reth, anvil"),
    Row(Meaning.REFUSED, "database error", "anvil, reth: EVM error whose cause is their store"),
    Row(REVERTED, "vm execution error", "parity, openethereum, nethermind"),
    Row(REVERTED, "vm exception while processing transaction", "ganache, hardhat, moonbeam"),
    Row(REVERTED, "transaction reverted", "hardhat"),
    Row(REVERTED, "reverted 0x", "parity and proxies that put its `data` into the message"),
    Row(REVERTED, "invalid opcode", "geth, besu, erigon: assert of solc 0.4, which burns all gas"),
    Row(REVERTED, "bad instruction", "parity: Bad instruction fe"),
    Row(REVERTED, "evm error", "anvil, reth: EVM error InvalidFEOpcode"),
    Row(REVERTED, "out of gas", "geth, besu, parity: a getter that burns all gas"),
    Row(REVERTED, "invalid jump destination", "geth, besu"),
    Row(REVERTED, "bad jump", "parity"),
    Row(REVERTED, "stack underflow", "geth, erigon"),
    Row(REVERTED, "stack limit reached", "geth, erigon"),
    Row(REVERTED, "out of stack", "parity"),
    Row(NO_BLOCK, "header not found", "geth, erigon, reth"),
    Row(NO_BLOCK, "header for hash not found", "geth, since 1.9.6"),
    Row(NO_BLOCK, "block not found", "besu, reth, erigon"),
    Row(NO_BLOCK, "unknown block", "erigon, reth"),
    Row(NO_BLOCK, "could not find block", "nethermind, chains of cosmos"),
    Row(NO_BLOCK, "resource not found", "anvil, nethermind"),
    Row(NO_BLOCK, "blockoutofrange", "anvil: BlockOutOfRangeError"),
    Row(NO_BLOCK, "request beyond head block", "nitro"),
    Row(NO_BLOCK, "not currently canonical", "geth, with requireCanonical"),
    Row(PRUNED, "missing trie node", "geth"),
    Row(PRUNED, "historical state", "geth: historical state … is not available / unavailable"),
    Row(PRUNED, "state is not available", "geth, reth"),
    Row(PRUNED, "is not available", "geth with path scheme: state 0x… is not available"),
    Row(PRUNED, "state pruning", "parity: your node is running with state pruning"),
    Row(PRUNED, "pruned", "reth, nethermind, erigon: state at block … is pruned"),
    Row(PRUNED, "no state available", "nethermind: No state available for block"),
    Row(PRUNED, "no state found", "chains derived from geth"),
    Row(PRUNED, "state not found", "chains derived from geth"),
    Row(PRUNED, "state not available", "reth: Block state not available"),
    Row(PRUNED, "world state unavailable", "besu"),
    Row(PRUNED, "exceeds maximum proof window", "reth"),
    Row(PRUNED, "state already discarded", "geth: with snapshots"),
    Row(PRUNED, "old data not available", "erigon"),
    Row(PRUNED, "haven't been fully indexed", "geth: state histories"),
    Row(PRUNED, "archive", "infura, alchemy: no access to archive state"),
    Row(PRUNED, "archival", "providers' plans"),
    Row(PRUNED, "trie does not", "avalanche"),
    Row(PRUNED, "method handler crashed", "erigon 2021, beyond what it kept"),
    Row(BUSY, "rate limit", "providers"),
    Row(BUSY, "too many requests", "providers"),
    Row(BUSY, "limit exceeded", "EIP-1474 -32005"),
    Row(BUSY, "exceeded", "providers: the quota of a second, of a month"),
    Row(BUSY, "throttle", "providers"),
    Row(BUSY, "timeout", "geth: execution aborted (timeout = 5s)"),
    Row(BUSY, "timed out", "besu, providers"),
)

CODES = {
    3: REVERTED,  # execution-apis: "execution reverted"
    -32015: REVERTED,  # Parity, OpenEthereum, Nethermind: VM execution error
    -39001: NO_BLOCK,  # Engine API and execution-apis: unknown block
    4444: PRUNED,  # EIP-4444: pruned history unavailable
    -32005: BUSY,  # EIP-1474: limit exceeded
    429: BUSY,  # providers write their HTTP status there
    -32016: BUSY,  # Nethermind: timeout
    -32017: BUSY,  # Nethermind: module timeout
}
"""Codes that say more than their text; -32000, -32602 and -32603 say nothing."""

BY_ERROR: dict[type[RpcError], Meaning] = {
    MethodAbsent: Meaning.UNSUPPORTED,
    CallTimeout: Meaning.TIMEOUT,
    ConnectionRefused: Meaning.UNREACHABLE,
    BudgetSpent: Meaning.BUDGET,
}


def meaning_of(error: RpcError) -> Meaning:
    """What a failed read means; REFUSED for words that no row knows."""
    if isinstance(error, CallRejected) and not isinstance(error, MethodAbsent):
        return _of_rejection(error)
    return BY_ERROR.get(type(error), Meaning.MALFORMED)


def _of_rejection(error: CallRejected) -> Meaning:
    if error.code in CODES:
        return CODES[error.code]
    text = str(error).lower()
    return next((row.meaning for row in ROWS if row.text in text), Meaning.REFUSED)
