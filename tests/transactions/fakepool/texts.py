"""What each client says to each refusal: its code and its exact words.

Sources, beside what anvil 1.7.1 answers itself: geth core/txpool/errors.go, core/error.go,
core/txpool/validation.go, internal/ethapi/api.go; Nethermind TxPoolErrorMessages.cs; Besu
RpcErrorType.java; Erigon txpoolcfg.go and txpool_grpc_server.go; reth rpc-eth-types/src/error;
hardhat's EDR, edr_mem_pool. Names in braces are the numbers that a `Refused` carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from tests.transactions.fakepool.refusals import Client, Refusal

Text: TypeAlias = tuple[int, str]
Texts: TypeAlias = Mapping[Refusal, Text]

R = Refusal


def _all(code: int, texts: Mapping[Refusal, str]) -> dict[Refusal, Text]:
    return {refusal: (code, text) for refusal, text in texts.items()}


_FUNDS = "insufficient funds for gas * price + value"
_UNPROTECTED = "only replay-protected (EIP-155) transactions allowed over RPC"
_TIP_ABOVE_CAP = "max priority fee per gas higher than max fee per gas"
_ETHER_CAP = "tx fee ({fee_ether:.2f} ether) exceeds the configured cap ({cap_ether:.2f} ether)"

GETH = _all(
    -32000,
    {
        R.KNOWN: "already known",
        R.NONCE_LOW: "nonce too low: next nonce {next}, tx nonce {nonce}",
        R.NONCE_GAP: "nonce too high: tx nonce {nonce}, gapped nonce {gap}",
        R.REPLACE: "replacement transaction underpriced",
        R.REPLACE_BLOB: (
            "replacement transaction underpriced: "
            "new tx gas fee cap {fee_cap} < {needed} queued + 100% replacement penalty"
        ),
        R.TYPE_CONFLICT: "address already reserved",
        R.UNDERPRICED: "transaction underpriced",
        R.FLOOR: "transaction gas price below minimum: gas tip cap {tip}, minimum needed {floor}",
        R.POOL_FULL: "txpool is full",
        R.FUTURE_FOR_PENDING: "future transaction tries to replace pending",
        R.ACCOUNT_LIMIT: "account limit exceeded: pooled {count} txs",
        R.FUNDS: _FUNDS + ": balance {balance}, tx cost {cost}, overshot {overshot}",
        R.FUNDS_QUEUED: (
            _FUNDS
            + ": balance {balance}, queued cost {queued}, tx cost {cost}, overshot {overshot}"
        ),
        R.COST_CAP: _ETHER_CAP,
        R.UNPROTECTED: _UNPROTECTED,
        R.IN_FLIGHT: "in-flight transaction limit reached for delegated accounts",
        R.OUT_OF_ORDER: "gapped-nonce tx from delegated accounts",
        R.AUTHORITY: "authority already reserved",
        R.INVALID_SENDER: "invalid sender: invalid transaction v, r, s values",
        R.CHAIN_ID: "invalid sender: invalid chain id for signer: have {have} want {want}",
        R.INTRINSIC_GAS: "intrinsic gas too low: gas {gas}, minimum needed {needed}",
        R.FLOOR_GAS: (
            "insufficient gas for floor data gas cost: gas {gas}, minimum needed {needed}"
        ),
        R.BLOCK_GAS: "exceeds block gas limit",
        R.GAS_CAP: "transaction gas limit too high (cap: {cap}, tx: {gas})",
        R.TIP_ABOVE_CAP: _TIP_ABOVE_CAP,
        R.OVERSIZED: "oversized data: transaction size {size}, limit {limit}",
        R.UNDECODABLE: "rlp: expected input list for types.LegacyTx",
        R.SIDECAR: "missing sidecar in blob transaction",
        R.SIDECAR_FORMAT: "Wrong sidecar format",
        R.INDEXING: "transaction indexing is in progress",
    },
)

NETHERMIND = _all(
    -32010,
    {
        R.KNOWN: "already known",
        R.NONCE_LOW: "nonce too low",
        R.NONCE_GAP: "nonce too high",
        R.NONCE_DISTANT: "nonce too far in future",
        R.REPLACE: "replacement transaction underpriced",
        R.TYPE_CONFLICT: "pending transaction type conflict",
        R.UNDERPRICED: "transaction underpriced",
        R.FLOOR: "transaction underpriced",
        R.FUNDS: _FUNDS,
        R.OUT_OF_ORDER: "delegation nonce gap",
        R.AUTHORITY: "delegation authority has pending transaction",
        R.NOT_SYNCED: "node is syncing",
        R.INVALID_SENDER: "failed to recover sender",
        R.SENDER_CODE: "sender not an eoa",
        R.INTRINSIC_GAS: "transaction invalid",
        R.BLOCK_GAS: "gas limit reached",
        R.OVERSIZED: "transaction too large",
    },
)

BESU: dict[Refusal, Text] = {
    R.KNOWN: (-32000, "Known transaction"),
    R.NONCE_LOW: (-32001, "Nonce too low"),
    R.NONCE_DISTANT: (-32000, "Transaction nonce is too distant from current sender nonce"),
    R.NONCE_HIGH: (-32006, "Nonce too high"),
    R.REPLACE: (-32000, "Replacement transaction underpriced"),
    R.FLOOR: (-32009, "Gas price below configured minimum gas price"),
    R.BELOW_BASE_FEE: (-32009, "Gas price below current base fee"),
    R.FUNDS: (-32004, "Upfront cost exceeds account balance"),
    R.COST_CAP: (-32000, "Transaction fee cap exceeded"),
    R.UNPROTECTED: (-32000, "ChainId is required"),
    R.NOT_SYNCED: (
        -32002,
        (
            "Transaction pool not enabled. "
            "(Either txpool explicitly disabled, or node not yet in sync)."
        ),
    ),
    R.INITIAL_SYNC: (-32008, "Initial sync is still in progress"),
    R.INVALID_SENDER: (-32002, "Invalid signature"),
    R.INTRINSIC_GAS: (-32003, "Intrinsic gas exceeds gas limit"),
    R.BLOCK_GAS: (-32005, "Transaction gas limit exceeds block gas limit"),
    R.TIP_ABOVE_CAP: (-32000, "Max priority fee per gas exceeds max fee per gas"),
    R.CHAIN_ID: (-32000, "Wrong chainId"),
    R.UNDECODABLE: (-32602, "Invalid transaction params (missing or incorrect)"),
}

ERIGON = _all(
    -32000,
    {
        R.KNOWN: "ALREADY_EXISTS: already known",
        R.DUPLICATE: "INTERNAL_ERROR: existing txn with same hash",
        R.NONCE_LOW: "INTERNAL_ERROR: nonce too low",
        R.REPLACE: "INTERNAL_ERROR: could not replace existing tx",
        R.REPLACE_BLOB: "FEE_TOO_LOW: replacement transaction underpriced",
        R.BLOB_BY_NORMAL: "INTERNAL_ERROR: can't replace blob-txn with a non-blob-txn",
        R.FLOOR: "FEE_TOO_LOW: underpriced",
        R.BLOB_FEE: "FEE_TOO_LOW: fee too low",
        R.PENDING_FULL: "INTERNAL_ERROR: pending sub-pool is full",
        R.BASE_FEE_FULL: "INTERNAL_ERROR: baseFee sub-pool is full",
        R.QUEUED_FULL: "INTERNAL_ERROR: queued sub-pool is full",
        R.ACCOUNT_LIMIT: "INTERNAL_ERROR: spammer",
        R.FUNDS: "INTERNAL_ERROR: insufficient funds",
        R.COST_CAP: _ETHER_CAP,
        R.UNPROTECTED: _UNPROTECTED,
        R.AUTHORITY: "INTERNAL_ERROR: EIP-7702 transaction with authority already reserved",
        R.NOT_SYNCED: "txpool not started yet",
        R.INVALID_SENDER: "INVALID: invalid sender",
        R.INTRINSIC_GAS: "INTERNAL_ERROR: IntrinsicGas",
        R.BLOCK_GAS: "INTERNAL_ERROR: gas limit is too high",
        R.GAS_CAP: "INTERNAL_ERROR: gas limit is too high",
        R.OVERSIZED: "INVALID: oversized data",
        R.CHAIN_ID: "invalid chain id, expected: {want} got: {have}",
        R.UNDECODABLE: "rlp: expected List",
    },
)

_RETH_INPUT, _RETH_REJECTED, _RETH_PARAMS = -32000, -32003, -32602
RETH: dict[Refusal, Text] = {
    R.KNOWN: (_RETH_INPUT, "already known"),
    R.NONCE_LOW: (_RETH_INPUT, "nonce too low: next nonce {next}, tx nonce {nonce}"),
    R.NONCE_GAP: (_RETH_INPUT, "nonce too high"),
    R.REPLACE: (_RETH_INPUT, "replacement transaction underpriced"),
    R.TYPE_CONFLICT: (_RETH_INPUT, "address already reserved"),
    R.UNDERPRICED: (_RETH_INPUT, "transaction underpriced"),
    R.FLOOR: (
        _RETH_REJECTED,
        "transaction priority fee below minimum required priority fee {floor}",
    ),
    R.POOL_FULL: (_RETH_REJECTED, "txpool is full"),
    R.ACCOUNT_LIMIT: (_RETH_REJECTED, "txpool is full"),
    R.FUNDS: (_RETH_REJECTED, _FUNDS + ": have {balance} want {cost}"),
    R.COST_CAP: (_RETH_INPUT, "tx fee ({fee} wei) exceeds the configured cap ({cap} wei)"),
    R.IN_FLIGHT: (_RETH_INPUT, "in-flight transaction limit reached for delegated accounts"),
    R.OUT_OF_ORDER: (_RETH_INPUT, "gapped-nonce tx from delegated accounts"),
    R.AUTHORITY: (_RETH_INPUT, "authority already reserved"),
    R.INVALID_SENDER: (_RETH_PARAMS, "invalid transaction signature"),
    R.INTRINSIC_GAS: (_RETH_INPUT, "intrinsic gas too low"),
    R.FLOOR_GAS: (_RETH_INPUT, "intrinsic gas too low"),
    R.BLOCK_GAS: (_RETH_INPUT, "exceeds block gas limit"),
    R.GAS_CAP: (_RETH_INPUT, "exceeds max transaction gas limit"),
    R.TIP_ABOVE_CAP: (_RETH_REJECTED, _TIP_ABOVE_CAP),
    R.OVERSIZED: (_RETH_INPUT, "oversized data: transaction size {size}, limit {limit}"),
    R.CHAIN_ID: (_RETH_INPUT, "invalid chain ID"),
    R.UNDECODABLE: (_RETH_PARAMS, "failed to decode signed transaction"),
}

ANVIL: dict[Refusal, Text] = {
    R.KNOWN: (-32003, "transaction already imported"),
    R.NONCE_LOW: (-32003, "nonce too low"),
    R.REPLACE: (-32003, "replacement transaction underpriced"),
    R.BELOW_BASE_FEE: (-32003, "max fee per gas less than block base fee"),
    R.FUNDS: (-32003, "Insufficient funds for gas * price + value"),
    R.INTRINSIC_GAS: (-32000, "intrinsic gas too low"),
    R.CHAIN_ID: (-32003, "invalid chain id for signer"),
    R.UNDECODABLE: (-32602, "Failed to decode transaction"),
}

HARDHAT = _all(
    -32000,
    {
        R.KNOWN: "Known transaction: {hash}",
        R.NONCE_LOW: (
            "Transaction nonce too low. Expected nonce to be at least {next} but got {nonce}."
        ),
        R.REPLACE: (
            "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least {needed} is "
            "necessary to replace the existing transaction with nonce {nonce}."
        ),
        R.FUNDS: (
            "Sender doesn't have enough funds to send tx. The max upfront cost is: {cost} and the "
            "sender's balance is: {balance}."
        ),
        R.BLOCK_GAS: "Transaction gas limit is {gas} and exceeds block gas limit of {limit}",
    },
)

TEXTS: Mapping[Client, Texts] = {
    "geth": GETH,
    "reth": RETH,
    "erigon": ERIGON,
    "nethermind": NETHERMIND,
    "besu": BESU,
    "anvil": ANVIL,
    "hardhat": HARDHAT,
}
