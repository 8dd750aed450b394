"""Each client refuses in the situations in which it refuses, in its own words."""

from __future__ import annotations

import pytest

from monitor.transactions.reactions import Reaction, react
from tests.transactions.fakepool.dialects import DIALECTS, POOL_METHODS
from tests.transactions.fakepool.payments import payment
from tests.transactions.fakepool.refusals import CLIENTS, Client, Refusal, Refused
from tests.transactions.fakepool.signed import decode
from tests.transactions.fakepool.situations import AT_NODE, IN_POOL, ON_ORDER, add, fresh
from tests.transactions.fakepool.texts import TEXTS

SAID: dict[Client, tuple[str, ...]] = {
    "geth": (
        "already known",
        "nonce too low: next nonce 3, tx nonce 1",
        "nonce too high: tx nonce 2, gapped nonce 0",
        "replacement transaction underpriced",
        (
            "replacement transaction underpriced: new tx gas fee cap 20000000001 < 40000000000 "
            "queued + 100% replacement penalty"
        ),
        "transaction underpriced",
        "transaction gas price below minimum: gas tip cap 2000000000, minimum needed 20000000001",
        "txpool is full",
        "future transaction tries to replace pending",
        "account limit exceeded: pooled 1 txs",
        (
            "insufficient funds for gas * price + value: balance 5, tx cost 420000000000001, "
            "overshot 419999999999996"
        ),
        (
            "insufficient funds for gas * price + value: balance 840000000000001, queued cost "
            "420000000000001, tx cost 420000000000001, overshot 1"
        ),
        "tx fee (42000.00 ether) exceeds the configured cap (1.00 ether)",
        "only replay-protected (EIP-155) transactions allowed over RPC",
        "in-flight transaction limit reached for delegated accounts",
        "gapped-nonce tx from delegated accounts",
        "authority already reserved",
        "address already reserved",
        "intrinsic gas too low: gas 20999, minimum needed 21000",
        "insufficient gas for floor data gas cost: gas 61000, minimum needed 61960",
        "exceeds block gas limit",
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
        "max priority fee per gas higher than max fee per gas",
        "oversized data: transaction size 131190, limit 131072",
        "invalid sender: invalid chain id for signer: have 1 want 31337",
        "missing sidecar in blob transaction",
    ),
    "nethermind": (
        "already known",
        "nonce too low",
        "nonce too high",
        "nonce too far in future",
        "replacement transaction underpriced",
        "transaction underpriced",
        "insufficient funds for gas * price + value",
        "delegation nonce gap",
        "delegation authority has pending transaction",
        "pending transaction type conflict",
        "sender not an eoa",
        "gas limit reached",
        "transaction invalid",
        "transaction too large",
    ),
    "besu": (
        "Known transaction",
        "Nonce too low",
        "Nonce too high",
        "Transaction nonce is too distant from current sender nonce",
        "Replacement transaction underpriced",
        "Gas price below configured minimum gas price",
        "Gas price below current base fee",
        "Upfront cost exceeds account balance",
        "Transaction fee cap exceeded",
        "ChainId is required",
        "Intrinsic gas exceeds gas limit",
        "Transaction gas limit exceeds block gas limit",
        "Wrong chainId",
    ),
    "erigon": (
        "ALREADY_EXISTS: already known",
        "INTERNAL_ERROR: nonce too low",
        "FEE_TOO_LOW: replacement transaction underpriced",
        "INTERNAL_ERROR: could not replace existing tx",
        "INTERNAL_ERROR: can't replace blob-txn with a non-blob-txn",
        "FEE_TOO_LOW: underpriced",
        "FEE_TOO_LOW: fee too low",
        "INTERNAL_ERROR: pending sub-pool is full",
        "INTERNAL_ERROR: baseFee sub-pool is full",
        "INTERNAL_ERROR: queued sub-pool is full",
        "INTERNAL_ERROR: spammer",
        "INTERNAL_ERROR: insufficient funds",
        "tx fee (42000.00 ether) exceeds the configured cap (1.00 ether)",
        "INTERNAL_ERROR: EIP-7702 transaction with authority already reserved",
        "invalid chain id, expected: 31337 got: 1",
        "INTERNAL_ERROR: gas limit is too high",
    ),
    "reth": (
        "already known",
        "nonce too low: next nonce 3, tx nonce 1",
        "nonce too high",
        "replacement transaction underpriced",
        "transaction underpriced",
        "transaction priority fee below minimum required priority fee 20000000001",
        "txpool is full",
        "insufficient funds for gas * price + value: have 5 want 420000000000001",
        "tx fee (42000000000000000000000 wei) exceeds the configured cap (1000000000000000000 wei)",
        "address already reserved",
        "intrinsic gas too low",
        "exceeds block gas limit",
        "exceeds max transaction gas limit",
        "invalid chain ID",
    ),
    "anvil": (
        "transaction already imported",
        "nonce too low",
        "replacement transaction underpriced",
        "max fee per gas less than block base fee",
        "Insufficient funds for gas * price + value",
        "intrinsic gas too low",
        "invalid chain id for signer",
    ),
    "hardhat": (
        f"Known transaction: {decode(payment(0)).hash}",
        "Transaction nonce too low. Expected nonce to be at least 3 but got 1.",
        (
            "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 22000000000 "
            "is necessary to replace the existing transaction with nonce 0."
        ),
        (
            "Sender doesn't have enough funds to send tx. The max upfront cost is: 420000000000001 "
            "and the sender's balance is: 5."
        ),
        "Transaction gas limit is 30000001 and exceeds block gas limit of 30000000",
    ),
}
"""What operators and issues quote, numbers filled in as the situations make them."""

FOREIGN = {("besu", Refusal.UNDECODABLE)}
"""Words that say too little to be put into a class: no client of ours ever sends such bytes."""

_INVALID = frozenset(AT_NODE | ON_ORDER | set(IN_POOL))
MEANT: dict[Refusal, Reaction] = dict.fromkeys(_INVALID, Reaction.INVALID) | {
    Refusal.KNOWN: Reaction.KNOWN,
    Refusal.DUPLICATE: Reaction.KNOWN,
    Refusal.NONCE_LOW: Reaction.NONCE_LOW,
    Refusal.NONCE_GAP: Reaction.NONCE_HIGH,
    Refusal.NONCE_DISTANT: Reaction.NONCE_HIGH,
    Refusal.NONCE_HIGH: Reaction.NONCE_HIGH,
    Refusal.REPLACE: Reaction.REPLACE_UNDERPRICED,
    Refusal.REPLACE_BLOB: Reaction.REPLACE_UNDERPRICED,
    Refusal.BLOB_BY_NORMAL: Reaction.TYPE_CONFLICT,
    Refusal.TYPE_CONFLICT: Reaction.TYPE_CONFLICT,
    Refusal.UNDERPRICED: Reaction.UNDERPRICED,
    Refusal.FLOOR: Reaction.UNDERPRICED,
    Refusal.BELOW_BASE_FEE: Reaction.UNDERPRICED,
    Refusal.BLOB_FEE: Reaction.UNDERPRICED,
    Refusal.POOL_FULL: Reaction.POOL_FULL,
    Refusal.PENDING_FULL: Reaction.POOL_FULL,
    Refusal.BASE_FEE_FULL: Reaction.POOL_FULL,
    Refusal.QUEUED_FULL: Reaction.POOL_FULL,
    Refusal.FUTURE_FOR_PENDING: Reaction.POOL_FULL,
    Refusal.ACCOUNT_LIMIT: Reaction.POOL_FULL,
    Refusal.FUNDS: Reaction.FUNDS,
    Refusal.FUNDS_QUEUED: Reaction.FUNDS,
    Refusal.COST_CAP: Reaction.NODE_CAP,
    Refusal.UNPROTECTED: Reaction.NODE_CAP,
    Refusal.IN_FLIGHT: Reaction.DELEGATED,
    Refusal.OUT_OF_ORDER: Reaction.DELEGATED,
    Refusal.AUTHORITY: Reaction.DELEGATED,
    Refusal.NOT_SYNCED: Reaction.NOT_SYNCED,
    Refusal.INITIAL_SYNC: Reaction.NOT_SYNCED,
    Refusal.INDEXING: Reaction.UNKNOWN_YET,
}
"""What the watchdog is to make of each; what is not said otherwise is invalid for good."""

IN_POOL_CASES = [
    (client, refusal) for client in CLIENTS for refusal in IN_POOL if refusal in TEXTS[client]
]


def _refused(client: Client, refusal: Refusal) -> Refused:
    pool = fresh(client)
    raw, is_local = IN_POOL[refusal](pool)
    with pytest.raises(Refused) as caught:
        add(pool, raw, is_local=is_local)
    return caught.value


@pytest.mark.parametrize(
    ("client", "refusal"), IN_POOL_CASES, ids=lambda value: getattr(value, "name", value)
)
def test_situation_of_a_refusal_makes_the_client_refuse_for_it(
    client: Client, refusal: Refusal
) -> None:
    """Whoever has words for a situation refuses in it, and for nothing else, with all its words."""
    refused = _refused(client, refusal)
    assert refused.refusal is refusal
    _, text = DIALECTS[client].error(refused)
    assert text
    assert "{" not in text


@pytest.mark.parametrize("client", CLIENTS)
def test_words_of_a_client_are_those_it_is_known_by(client: Client) -> None:
    """The numbers of the situation stand where the client has them; every text is one it says."""
    texts = {
        DIALECTS[client].error(_refused(client, refusal))[1]
        for refusal in IN_POOL
        if refusal in TEXTS[client]
    }
    assert set(SAID[client]) <= texts


def test_every_text_has_a_situation() -> None:
    """No client has words for something that cannot be made to happen."""
    for client in CLIENTS:
        assert set(TEXTS[client]) <= {*IN_POOL, *AT_NODE, *ON_ORDER}


@pytest.mark.parametrize("client", CLIENTS)
def test_texts_of_a_client_mean_to_the_watchdog_what_happened(client: Client) -> None:
    """The words that the bed speaks are in the table of reactions, in the class they belong to."""
    for refusal, (_, text) in TEXTS[client].items():
        if (client, refusal) not in FOREIGN:
            assert react(text) is MEANT[refusal], text


def test_methods_of_the_clients_are_those_of_their_pool_views() -> None:
    """Who lists one account's transactions, who shows raw bytes, and who has no peers to count."""
    has = {method: {c for c in CLIENTS if DIALECTS[c].has(method)} for method in POOL_METHODS}
    assert has["txpool_contentFrom"] == {"geth", "reth", "erigon", "besu"}
    assert has["txpool_content"] == {"geth", "reth", "erigon", "nethermind", "anvil"}
    assert has["eth_getRawTransactionByHash"] == {"geth", "reth", "erigon", "nethermind", "anvil"}
    assert "besu" in has["debug_getRawTransaction"]
    assert "anvil" not in has["net_peerCount"]
    assert {"nethermind", "hardhat"} <= has["eth_pendingTransactions"]
    assert not DIALECTS["geth"].has("anvil_mine")
    assert DIALECTS["geth"].has("eth_getBalance")
