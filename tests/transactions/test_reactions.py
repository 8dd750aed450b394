"""What the clients say to eth_sendRawTransaction, string by string, and what follows from it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.transactions.reactions import (
    MEANING,
    PATTERNS,
    TAKEN,
    Pattern,
    Reaction,
    react,
    remedy_of,
)

HASH = "0x9fc76417374aa880d4449a1f7f31ec597f00b1f6f3dd2d66f4c9c6c445836d8b"
R = Reaction

SAID: tuple[tuple[Reaction, str, str], ...] = (
    (R.KNOWN, "geth", "already known"),
    (R.KNOWN, "nethermind", "already known"),
    (R.KNOWN, "nethermind 2025", "AlreadyKnown"),
    (R.KNOWN, "besu", "Known transaction"),
    (R.KNOWN, "erigon", "ALREADY_EXISTS: already known"),
    (R.KNOWN, "erigon", "ALREADY_EXISTS: existing txn with same hash"),
    (R.KNOWN, "reth", "already known"),
    (R.KNOWN, "anvil", "transaction already imported"),
    (R.KNOWN, "hardhat", f"Known transaction: {HASH}"),
    (R.KNOWN, "execution-apis 1000", "Already known transaction"),
    (R.NONCE_LOW, "geth", "nonce too low: next nonce 5, tx nonce 4"),
    (R.NONCE_LOW, "a wrapper", "Transaction failed: nonce too low: next nonce 5, tx nonce 4"),
    (R.NONCE_LOW, "nethermind", "nonce too low"),
    (R.NONCE_LOW, "nethermind 2025", "OldNonce, Current nonce: 5, nonce of rejected tx: 4"),
    (R.NONCE_LOW, "besu", "Nonce too low"),
    (R.NONCE_LOW, "erigon", "INTERNAL_ERROR: nonce too low"),
    (R.NONCE_LOW, "reth", "nonce too low: next nonce 5, tx nonce 4"),
    (R.NONCE_LOW, "anvil", "nonce too low"),
    (R.NONCE_LOW, "hardhat", "Nonce too low. Expected nonce to be 5 but got 4."),
    (R.NONCE_HIGH, "geth", "nonce too high: tx nonce 9, gapped nonce 7"),
    (R.NONCE_HIGH, "nethermind", "nonce too high"),
    (R.NONCE_HIGH, "nethermind", "nonce too far in future"),
    (R.NONCE_HIGH, "nethermind 2025", "NonceGap, Future nonce. Expected nonce: 7"),
    (R.NONCE_HIGH, "nethermind 2025", "NonceTooFarInFuture"),
    (R.NONCE_HIGH, "besu", "Nonce too high"),
    (R.NONCE_HIGH, "besu", "Transaction nonce is too distant from current sender nonce"),
    (R.NONCE_HIGH, "besu", "An invalid transaction with a lower nonce exists"),
    (R.NONCE_HIGH, "reth", "nonce too high"),
    (R.REPLACE_UNDERPRICED, "geth", "replacement transaction underpriced"),
    (
        R.REPLACE_UNDERPRICED,
        "geth, blobs",
        (
            "replacement transaction underpriced: new tx gas fee cap 200000000 <= 100000000 queued "
            "+ 100% replacement penalty"
        ),
    ),
    (R.REPLACE_UNDERPRICED, "nethermind", "replacement transaction underpriced"),
    (R.REPLACE_UNDERPRICED, "nethermind 2025", "ReplacementNotAllowed"),
    (R.REPLACE_UNDERPRICED, "besu", "Replacement transaction underpriced"),
    (R.REPLACE_UNDERPRICED, "erigon", "FEE_TOO_LOW: replacement transaction underpriced"),
    (R.REPLACE_UNDERPRICED, "erigon", "INTERNAL_ERROR: could not replace existing tx"),
    (R.REPLACE_UNDERPRICED, "reth", "replacement transaction underpriced"),
    (R.REPLACE_UNDERPRICED, "reth", "insufficient gas price to replace existing transaction"),
    (R.REPLACE_UNDERPRICED, "anvil", "replacement transaction underpriced"),
    (
        R.REPLACE_UNDERPRICED,
        "hardhat",
        (
            "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 22 is "
            "necessary to replace the existing transaction with nonce 0."
        ),
    ),
    (R.UNDERPRICED, "geth", "transaction underpriced"),
    (
        R.UNDERPRICED,
        "geth",
        "transaction gas price below minimum: gas tip cap 1, minimum needed 1000000",
    ),
    (R.UNDERPRICED, "nethermind", "transaction underpriced"),
    (R.UNDERPRICED, "nethermind 2025", "FeeTooLow"),
    (R.UNDERPRICED, "nethermind 2025", "FeeTooLowToCompete"),
    (R.UNDERPRICED, "besu", "Gas price below configured minimum gas price"),
    (R.UNDERPRICED, "besu", "Gas price below current base fee"),
    (R.UNDERPRICED, "besu", "blob gas price below current blob base fee"),
    (R.UNDERPRICED, "erigon", "FEE_TOO_LOW: underpriced"),
    (R.UNDERPRICED, "erigon", "FEE_TOO_LOW: fee too low"),
    (R.UNDERPRICED, "erigon", "fee too low"),
    (R.UNDERPRICED, "erigon", "FEE_TOO_LOW: anything"),
    (R.UNDERPRICED, "reth", "transaction underpriced"),
    (R.UNDERPRICED, "reth", "transaction priority fee below minimum required priority fee 100"),
    (R.UNDERPRICED, "reth", "max fee per blob gas less than block blob gas fee"),
    (R.UNDERPRICED, "anvil", "max fee per gas less than block base fee"),
    (R.POOL_FULL, "geth", "txpool is full"),
    (R.POOL_FULL, "geth", "future transaction tries to replace pending"),
    (R.POOL_FULL, "geth", "account limit exceeded: pooled 64 txs"),
    (R.POOL_FULL, "erigon", "INTERNAL_ERROR: pending sub-pool is full"),
    (R.POOL_FULL, "erigon", "INTERNAL_ERROR: baseFee sub-pool is full"),
    (R.POOL_FULL, "erigon", "INTERNAL_ERROR: queued sub-pool is full"),
    (R.POOL_FULL, "erigon", "INTERNAL_ERROR: spammer"),
    (R.POOL_FULL, "erigon", "INTERNAL_ERROR: blobs limit in txpool is full"),
    (R.POOL_FULL, "reth", "txpool is full"),
    (
        R.FUNDS,
        "geth",
        "insufficient funds for gas * price + value: balance 1, tx cost 3, overshot 2",
    ),
    (
        R.FUNDS,
        "geth",
        (
            "insufficient funds for gas * price + value: balance 1, queued cost 2, tx cost 3, "
            "overshot 4"
        ),
    ),
    (R.FUNDS, "nethermind", "insufficient funds for gas * price + value"),
    (R.FUNDS, "nethermind 2025", "InsufficientFunds, Account balance: 0, cumulative cost: 9"),
    (R.FUNDS, "besu", "Upfront cost exceeds account balance"),
    (R.FUNDS, "erigon", "INTERNAL_ERROR: insufficient funds"),
    (R.FUNDS, "reth", "insufficient funds for gas * price + value: have 1 want 3"),
    (R.FUNDS, "anvil", "Insufficient funds for gas * price + value"),
    (R.FUNDS, "hardhat", "sender doesn't have enough funds to send tx. The max upfront cost is: 9"),
    (R.NODE_CAP, "geth", "tx fee (1.50 ether) exceeds the configured cap (1.00 ether)"),
    (R.NODE_CAP, "geth", "only replay-protected (EIP-155) transactions allowed over RPC"),
    (R.NODE_CAP, "geth", "transaction type not supported: tx type 4 not supported by this pool"),
    (R.NODE_CAP, "geth", "batch too large"),
    (R.NODE_CAP, "besu", "Transaction fee cap exceeded"),
    (R.NODE_CAP, "besu", "ChainId is required"),
    (R.NODE_CAP, "besu", "Sender account not authorized to send transactions"),
    (R.NODE_CAP, "nethermind", "unsupported transaction type"),
    (R.NODE_CAP, "erigon", "tx fee (1.50 ether) exceeds the configured cap (1.00 ether)"),
    (R.NODE_CAP, "erigon", "only replay-protected (EIP-155) transactions allowed over RPC"),
    (R.NODE_CAP, "reth", "tx fee (2 wei) exceeds the configured cap (1 wei)"),
    (R.DELEGATED, "geth", "in-flight transaction limit reached for delegated accounts"),
    (R.DELEGATED, "geth", "gapped-nonce tx from delegated accounts"),
    (R.DELEGATED, "geth", "authority already reserved"),
    (R.DELEGATED, "geth", "authority nonce too low"),
    (R.DELEGATED, "nethermind", "delegation nonce gap"),
    (R.DELEGATED, "nethermind", "delegation authority has pending transaction"),
    (R.DELEGATED, "erigon", "EIP-7702 transaction with authority already reserved"),
    (R.DELEGATED, "reth", "in-flight transaction limit reached for delegated accounts"),
    (R.DELEGATED, "reth", "gapped-nonce tx from delegated accounts"),
    (R.DELEGATED, "reth", "authority already reserved"),
    (R.TYPE_CONFLICT, "geth", "address already reserved"),
    (R.TYPE_CONFLICT, "nethermind", "pending transaction type conflict"),
    (R.TYPE_CONFLICT, "erigon", "INTERNAL_ERROR: can't replace blob-txn with a non-blob-txn"),
    (R.TYPE_CONFLICT, "reth", "address already reserved"),
    (R.NOT_SYNCED, "nethermind", "node is syncing"),
    (
        R.NOT_SYNCED,
        "besu",
        (
            "Transaction pool not enabled. (Either txpool explicitly disabled, or node not yet in "
            "sync)."
        ),
    ),
    (R.NOT_SYNCED, "besu", "Initial sync is still in progress"),
    (R.NOT_SYNCED, "erigon", "txpool not started yet"),
    (
        R.NOT_SYNCED,
        "geth",
        "transaction type not supported: type 4 rejected, pool not yet in Prague",
    ),
    (
        R.NOT_SYNCED,
        "erigon",
        "INVALID: fork supporting this transaction type is not activated yet",
    ),
    (R.UNKNOWN_YET, "geth", "transaction indexing is in progress"),
    (R.INVALID, "geth", "invalid sender"),
    (R.INVALID, "geth", "intrinsic gas too low: gas 1, minimum needed 21000"),
    (R.INVALID, "geth", "insufficient gas for floor data gas cost: gas 1, minimum needed 9"),
    (R.INVALID, "geth", "exceeds block gas limit"),
    (R.INVALID, "geth", "transaction gas limit too high (cap: 16777216, tx: 16777217)"),
    (R.INVALID, "geth", "max priority fee per gas higher than max fee per gas"),
    (R.INVALID, "geth", "oversized data: transaction size 131073, limit 131072"),
    (R.INVALID, "geth", "rlp: expected input list for types.LegacyTx"),
    (R.INVALID, "geth", "Wrong sidecar format"),
    (R.INVALID, "geth", "unexpected sidecar version, want: 1, got: 0"),
    (R.INVALID, "geth", "missing sidecar in blob transaction"),
    (R.INVALID, "geth", "max initcode size exceeded: code size 49153, limit 49152"),
    (R.INVALID, "geth", "nonce has max value"),
    (R.INVALID, "nethermind", "failed to recover sender"),
    (R.INVALID, "nethermind", "gas limit reached"),
    (R.INVALID, "nethermind", "transaction invalid"),
    (R.INVALID, "nethermind", "transaction too large"),
    (R.INVALID, "nethermind", "sender not an eoa"),
    (R.INVALID, "besu", "Invalid signature"),
    (R.INVALID, "besu", "Intrinsic gas exceeds gas limit"),
    (R.INVALID, "besu", "Transaction gas limit exceeds block gas limit"),
    (R.INVALID, "besu", "Wrong chainId"),
    (R.INVALID, "besu", "Max priority fee per gas exceeds max fee per gas"),
    (R.INVALID, "erigon", "INVALID: negative value"),
    (R.INVALID, "erigon", "INVALID: invalid sender"),
    (R.INVALID, "erigon", "INTERNAL_ERROR: IntrinsicGas"),
    (R.INVALID, "erigon", "invalid chain id, expected: 1 got: 5"),
    (R.INVALID, "erigon", "INTERNAL_ERROR: gas limit is too high"),
    (R.INVALID, "reth", "intrinsic gas too low"),
    (R.INVALID, "reth", "exceeds block gas limit"),
    (R.INVALID, "reth", "exceeds max transaction gas limit"),
    (R.INVALID, "reth", "gas limit too high"),
    (R.INVALID, "reth", "invalid chain ID"),
    (R.INVALID, "reth", "invalid transaction signature"),
    (R.INVALID, "reth", "failed to decode signed transaction"),
    (R.INVALID, "reth", "sender is not an EOA"),
    (R.INVALID, "anvil", "Failed to decode transaction"),
    (R.INVALID, "anvil", "intrinsic gas too low"),
    (R.INVALID, "anvil", "invalid chain id for signer"),
    (R.INVALID, "execution-apis 1001", "Invalid sender"),
    (R.TRANSPORT, "besu", "Timeout expired"),
    (R.TRANSPORT, "a provider", "request timed out"),
    (R.TRANSPORT, "a provider", "context deadline exceeded"),
    (R.TRANSPORT, "a provider", "Too Many Requests"),
    (R.TRANSPORT, "a provider", "daily request count exceeded, request rate limited"),
    (R.TRANSPORT, "a provider", "503 Service Unavailable"),
    (R.TRANSPORT, "a provider", "502 Bad Gateway"),
    (R.TRANSPORT, "a provider", "read: connection reset by peer"),
    (R.TRANSPORT, "a provider", "dial tcp: connect: connection refused"),
    (R.UNRECOGNISED, "a guard", "unknown transaction"),
    (R.UNRECOGNISED, "a guard", f"Unknown transaction: {HASH}"),
    (R.UNRECOGNISED, "nobody", "internal error"),
    (R.UNRECOGNISED, "nobody", ""),
)
"""(what it means, who says it, the text): the table of the documentation, and its neighbours."""

hexes = st.from_regex(r"(0x)?[0-9a-f]{0,64}", fullmatch=True)
said = st.sampled_from(SAID)


@pytest.mark.parametrize(("reaction", "client", "text"), SAID)
def test_react_to_what_a_client_says_is_the_tables(
    reaction: Reaction, client: str, text: str
) -> None:
    """Every text of every client means what the table says, in any case and with any wrapping."""
    assert react(text) is reaction, client
    assert react(text.upper()) is reaction
    assert react(f"Transaction failed:\n  {text} (supplied gas 21000)") is reaction


def test_table_of_texts_has_every_reaction_but_success() -> None:
    """No reaction goes untested; success has no error text."""
    assert {reaction for reaction, _, _ in SAID} == set(Reaction) - {Reaction.ACCEPTED}


@pytest.mark.parametrize("row", PATTERNS, ids=lambda row: row.text)
def test_pattern_is_hidden_by_no_earlier_one_and_said_by_somebody(row: Pattern) -> None:
    """A row that an earlier one swallows would never be seen; one that no text needs is dead."""
    assert react(row.text) is row.reaction
    assert any(row.text in " ".join(text.lower().split()) for _, _, text in SAID)


@pytest.mark.parametrize("row", PATTERNS, ids=lambda row: row.text)
def test_pattern_can_be_made_by_no_hash_or_number(row: Pattern) -> None:
    """What is only hexadecimal would be found in a hash by chance."""
    assert re.search(r"[g-z_].*[g-z_]", row.text.replace("0x", ""))


@given(st.text())
def test_react_to_any_text_is_a_reaction(text: str) -> None:
    """Whatever a node says, the answer is one of the reactions, and it is explained."""
    assert react(text) in MEANING


@given(said, hexes, hexes)
def test_react_to_numbers_and_hashes_around_a_text_does_not_change(
    row: tuple[Reaction, str, str], before: str, after: str
) -> None:
    """A hash or a number before or after, even glued to it, is no part of what is said."""
    reaction, _, text = row
    assert react(f"{before}{text}{after}") is reaction
    assert react(f"{before} {text} {after}") is reaction


@given(said)
def test_react_does_not_tell_a_transaction_as_known_that_is_not(
    row: tuple[Reaction, str, str],
) -> None:
    """What begins with "un" is the opposite of known."""
    reaction, _, text = row
    if text.lower().startswith("known"):
        assert react("un" + text) is Reaction.UNRECOGNISED
    else:
        assert react("unknown transaction: " + text) is reaction


@pytest.mark.parametrize(
    "text", ["", "  ", "ends in a space ", "Already known", "two  spaces", "a\nline"]
)
def test_pattern_that_could_match_nothing_or_everything_is_refused(text: str) -> None:
    """A blank row would match every answer, and one in capitals none."""
    with pytest.raises(ValueError, match="must be lower-case"):
        Pattern(Reaction.KNOWN, text)


def test_meaning_of_every_reaction_is_there_with_a_remedy_where_it_was_not_taken() -> None:
    """Nothing that a node may say leaves a person without a next step, in one sentence."""
    assert set(MEANING) == set(Reaction)
    for reaction in Reaction:
        remedy = remedy_of(reaction.value)
        assert remedy == MEANING[reaction].remedy
        assert re.fullmatch(r"[A-Z][^.]*\.", remedy) or (reaction in TAKEN and remedy == "")
    assert remedy_of("a word of another version") == ""


def test_meaning_of_what_proves_nothing_is_no_refusal() -> None:
    """Taken is what a node has; what it did not say itself, or in no known words, is open."""
    assert {"accepted", "known"} == TAKEN
    outcomes = {reaction: meaning.outcome for reaction, meaning in MEANING.items()}
    unanswered = {R.UNKNOWN_YET, R.TRANSPORT, R.UNRECOGNISED}
    assert {one for one in Reaction if outcomes[one] == "unanswered"} == unanswered
    assert {one for one in Reaction if outcomes[one] == "accepted"} == {R.ACCEPTED, R.KNOWN}
