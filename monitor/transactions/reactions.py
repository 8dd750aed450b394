"""What a node's answer to eth_sendRawTransaction means: the clients' texts, as data. Pure.

JSON-RPC gives one code, -32000, to nearly everything, and each client its own to the rest; the
texts are what tells the cases apart. They are compared as lower-case substrings, never by code.
Sources: geth core/txpool/errors.go, core/error.go, core/txpool/validation.go, rpc/errors.go;
Nethermind TxPoolErrorMessages.cs; Besu RpcErrorType.java; Erigon txpoolcfg.go (with a code before
the text); reth rpc-eth-types/src/error/mod.rs; anvil's error/mod.rs and hardhat's node, as they
answer.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["accepted", "refused", "unanswered"]
"""Whether a node took it, did not and said so, or has left that open."""


class Reaction(enum.StrEnum):
    """What a node's answer says of a transaction, whatever its words."""

    ACCEPTED = "accepted"
    """It returned the hash. geth says so too of what only its local tracker has."""
    KNOWN = "known"
    """It is in this node's pool already: presence there, and no progress."""
    NONCE_LOW = "nonce_low"
    """On this node's chain the nonce is used; by what, is not said."""
    NONCE_HIGH = "nonce_high"
    """Earlier nonces are missing in this node's chain and pool."""
    REPLACE_UNDERPRICED = "replace_underpriced"
    """Another transaction holds the nonce in this node's pool."""
    UNDERPRICED = "underpriced"
    """Below this node's floor, or below what its pool takes now."""
    POOL_FULL = "pool_full"
    """No room, for anybody or for this account."""
    FUNDS = "funds"
    """The balance at this node's head does not cover it."""
    NODE_CAP = "node_cap"
    """A setting or the version of this node forbids it."""
    DELEGATED = "delegated"
    """An EIP-7702 account may have only so many transactions in flight."""
    TYPE_CONFLICT = "type_conflict"
    """The account has blob transactions pooled here and this is none, or the other way round."""
    NOT_SYNCED = "not_synced"
    """This node takes nothing until it has synced."""
    UNKNOWN_YET = "unknown_yet"
    """On reads: the node cannot say yet. Never absence."""
    INVALID = "invalid"
    """The bytes themselves can never be mined."""
    TRANSPORT = "transport"
    """No answer of the node itself: the outcome is unknown."""
    UNRECOGNISED = "unrecognised"
    """A text that no row knows: to be looked at, and added."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One row: whose text contains this, says that. ValueError for a text that cannot match."""

    reaction: Reaction
    text: str
    """Lower-case with single spaces: the answer is brought to that form, too."""
    clients: tuple[str, ...] = ()
    """Who says it."""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.text or self.text != _plain(self.text):
            message = f"{self.text!r} must be lower-case text with single spaces"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a reaction, for whoever sent the transaction."""

    outcome: Outcome
    remedy: str = ""
    """One sentence, for a person: what to do about it. Empty where it was taken."""


def _plain(message: str) -> str:
    """Lower-case with single spaces."""
    return " ".join(message.lower().split())


def _rows(reaction: Reaction, *rows: tuple[str, str, str]) -> tuple[Pattern, ...]:
    """Rows of one reaction: (text, clients separated by spaces, note)."""
    return tuple(Pattern(reaction, text, tuple(who.split()), note) for text, who, note in rows)


PATTERNS: tuple[Pattern, ...] = (
    # What holds the words of another row comes before that row.
    *_rows(
        Reaction.DELEGATED,
        ("authority nonce too low", "geth", "of an authorization, not of the transaction"),
        ("authority already reserved", "geth reth erigon", "hidden as success by geth's tracker"),
        ("in-flight transaction limit reached for delegated", "geth reth", "hidden likewise"),
        ("gapped-nonce tx from delegated", "geth reth", "hidden likewise"),
        ("delegation nonce gap", "nethermind", ""),
        ("delegation authority has pending transaction", "nethermind", ""),
    ),
    *_rows(
        Reaction.TYPE_CONFLICT,
        ("address already reserved", "geth reth", "by the other sub-pool"),
        ("pending transaction type conflict", "nethermind", ""),
        ("can't replace blob-txn with a non-blob-txn", "erigon", "no fee helps, only blobs"),
    ),
    *_rows(
        Reaction.REPLACE_UNDERPRICED,
        (
            "replacement transaction underpriced",
            "geth nethermind besu erigon reth anvil hardhat",
            "",
        ),
        ("could not replace existing tx", "erigon", ""),
        ("insufficient gas price to replace", "reth", "its pool's own words, where not translated"),
        ("replacementnotallowed", "nethermind", "before 2026"),
    ),
    *_rows(
        Reaction.POOL_FULL,
        ("txpool is full", "geth reth erigon", "hidden as success by geth's tracker"),
        ("sub-pool is full", "erigon", ""),
        ("future transaction tries to replace pending", "geth", ""),
        ("account limit exceeded", "geth", ""),
        ("spammer", "erigon", "the account has more than its share"),
    ),
    *_rows(
        Reaction.KNOWN,
        ("already known", "geth nethermind erigon reth", "execution-apis 1000 as well"),
        ("already imported", "anvil reth", ""),
        ("existing txn with same hash", "erigon", ""),
        ("already_exists", "erigon", "its code"),
        ("alreadyknown", "nethermind", "before 2026"),
    ),
    *_rows(
        Reaction.NONCE_LOW,
        ("nonce too low", "geth nethermind besu erigon reth anvil hardhat", ""),
        ("oldnonce", "nethermind", "before 2026"),
    ),
    *_rows(
        Reaction.NONCE_HIGH,
        ("nonce too high", "geth nethermind besu reth", "geth and reth: of blob transactions"),
        ("nonce too far in future", "nethermind", ""),
        ("too distant from current sender nonce", "besu", "200 ahead"),
        (
            "invalid transaction with a lower nonce exists",
            "besu",
            "an earlier one is held up there",
        ),
        ("noncegap", "nethermind", "before 2026"),
        ("noncetoofarinfuture", "nethermind", "before 2026"),
    ),
    *_rows(
        Reaction.FUNDS,
        ("insufficient funds", "geth nethermind erigon reth anvil", "with what it has queued, too"),
        ("upfront cost exceeds account balance", "besu", ""),
        ("doesn't have enough funds to send tx", "hardhat", ""),
        ("insufficientfunds", "nethermind", "before 2026"),
    ),
    *_rows(
        Reaction.NOT_SYNCED,
        ("node is syncing", "nethermind", "not of what came by RPC"),
        ("transaction pool not enabled", "besu", "the pool is emptied when it loses sync"),
        ("initial sync is still in progress", "besu", ""),
        ("txpool not started yet", "erigon", ""),
        ("pool not yet in", "geth", "its head is before the fork that knows the type"),
        ("fork supporting this transaction type is not activated", "erigon", "likewise"),
    ),
    *_rows(
        Reaction.NODE_CAP,
        ("exceeds the configured cap", "geth erigon reth", "--rpc.txfeecap"),
        ("transaction fee cap exceeded", "besu", "--rpc-tx-feecap: of the price"),
        ("only replay-protected", "geth erigon", "a legacy transaction without EIP-155"),
        ("chainid is required", "besu", "likewise"),
        ("not authorized to send transactions", "besu", "permissioning"),
        ("transaction type not supported", "geth reth", "by this node's version or chain"),
        ("unsupported transaction type", "nethermind", "likewise"),
        ("batch too large", "geth", "nothing of it was run"),
    ),
    *_rows(Reaction.UNKNOWN_YET, ("transaction indexing is in progress", "geth", "on reads")),
    *_rows(
        Reaction.INVALID,
        ("invalid sender", "geth erigon reth", "execution-apis 1001 as well"),
        ("invalid signature", "besu", ""),
        ("invalid transaction signature", "reth", ""),
        ("failed to recover sender", "nethermind", ""),
        ("intrinsic gas too low", "geth reth anvil", ""),
        ("intrinsic gas exceeds gas limit", "besu", ""),
        ("intrinsicgas", "erigon", ""),
        ("insufficient gas for floor data gas cost", "geth", "EIP-7623"),
        ("exceeds block gas limit", "geth besu reth", "of today"),
        ("gas limit reached", "nethermind", ""),
        ("gas limit too high", "geth reth", "EIP-7825: 16,777,216"),
        ("gas limit is too high", "erigon", ""),
        ("exceeds max transaction gas limit", "reth", ""),
        ("max priority fee per gas higher than max fee per gas", "geth reth", ""),
        ("max priority fee per gas exceeds max fee per gas", "besu", ""),
        ("oversized data", "geth erigon reth", ""),
        ("transaction too large", "nethermind", ""),
        ("rlp:", "geth", "cannot be decoded"),
        ("failed to decode transaction", "anvil", ""),
        ("failed to decode signed transaction", "reth", ""),
        ("wrong sidecar format", "geth", "EIP-7594 wants cell proofs"),
        ("unexpected sidecar version", "geth", "likewise"),
        ("sender not an eoa", "geth nethermind", "EIP-3607"),
        ("sender is not an eoa", "reth", "EIP-3607"),
        ("invalid chain id", "erigon reth anvil", "or the node is on another chain"),
        ("wrong chainid", "besu", "likewise"),
        ("initcode size exceeded", "geth reth", "EIP-3860"),
        ("nonce has max value", "geth reth", "EIP-2681"),
        ("missing sidecar in blob transaction", "geth", "its mined form, not the pooled one"),
        ("transaction invalid", "nethermind", ""),
        ("invalid:", "erigon", "its code"),
    ),
    *_rows(
        Reaction.UNDERPRICED,
        ("gas price below minimum", "geth", "names the tip that is needed"),
        ("below minimum required priority fee", "reth", "names it, too"),
        ("below configured minimum gas price", "besu", ""),
        ("below current base fee", "besu", ""),
        ("below current blob base fee", "besu", ""),
        ("less than block base fee", "anvil geth reth", "anvil: never pooled"),
        ("less than block blob gas fee", "reth", ""),
        ("fee too low", "erigon", ""),
        ("fee_too_low", "erigon", "its code"),
        ("feetoolow", "nethermind", "before 2026"),
        ("underpriced", "geth nethermind erigon reth", "hidden as success by geth's tracker"),
    ),
    # What stands between the node and whoever asks says these.
    *_rows(
        Reaction.TRANSPORT,
        ("timeout", "besu", ""),
        ("timed out", "", ""),
        ("deadline exceeded", "", ""),
        ("too many requests", "", ""),
        ("rate limit", "", ""),
        ("service unavailable", "", ""),
        ("bad gateway", "", ""),
        ("connection reset", "", ""),
        ("connection refused", "", ""),
    ),
    # Last, so that the guard takes away no more than what the row after it would take.
    *_rows(Reaction.UNRECOGNISED, ("unknown transaction", "", "the opposite of the next row")),
    *_rows(Reaction.KNOWN, ("known transaction", "besu hardhat", "hardhat: with the hash")),
)
"""Tried in this order: the first row whose text is in the answer is what it says."""

MEANING: Mapping[Reaction, Meaning] = {
    Reaction.ACCEPTED: Meaning("accepted"),
    Reaction.KNOWN: Meaning("accepted"),
    Reaction.NONCE_LOW: Meaning(
        "refused",
        "Look up the receipts of every transaction known for this nonce, and find the one "
        "that used it; never send it again.",
    ),
    Reaction.NONCE_HIGH: Meaning(
        "refused",
        "Send the earlier nonces first, in order; what has no bytes is a gap to be filled.",
    ),
    Reaction.REPLACE_UNDERPRICED: Meaning(
        "refused",
        "Another transaction holds this nonce there: look at it (txpool_contentFrom) before "
        "raising the fees.",
    ),
    Reaction.UNDERPRICED: Meaning(
        "refused",
        "Send it to nodes with a lower floor, or replace it with higher fees.",
    ),
    Reaction.POOL_FULL: Meaning(
        "refused",
        "Send it to other nodes, and here again later.",
    ),
    Reaction.FUNDS: Meaning(
        "refused",
        "Fund the account, then send the same bytes again; a node that is behind may say so "
        "of an account that is funded.",
    ),
    Reaction.NODE_CAP: Meaning(
        "refused",
        "Change the setting or the version of this node, or send through another.",
    ),
    Reaction.DELEGATED: Meaning(
        "refused",
        "Wait until the delegated account's transaction in flight is mined; one at a time.",
    ),
    Reaction.TYPE_CONFLICT: Meaning(
        "refused",
        "Wait until the account's pooled transactions of the other kind (blob or not) are "
        "mined: no fee replaces one kind by the other.",
    ),
    Reaction.NOT_SYNCED: Meaning(
        "refused",
        "Send through the references until this node has synced.",
    ),
    Reaction.UNKNOWN_YET: Meaning(
        "unanswered",
        "Ask again later, or ask another node: it has not said that there is none.",
    ),
    Reaction.INVALID: Meaning(
        "refused",
        "The sender must sign this nonce anew: no node will ever take these bytes.",
    ),
    Reaction.TRANSPORT: Meaning(
        "unanswered",
        "Ask for the transaction by its hash, then send the same bytes again.",
    ),
    Reaction.UNRECOGNISED: Meaning(
        "unanswered",
        "Read what it says and act on that; report the text with the client's version, so that it "
        "is known.",
    ),
}
"""A text that nobody knows is no proof that nothing was pooled, and neither is an answer that was
not the node's own: the transaction may be on its way, and is looked for."""

TAKEN = frozenset(
    reaction.value for reaction, meaning in MEANING.items() if meaning.outcome == "accepted"
)
"""Whoever answers so has the transaction."""


def react(message: str) -> Reaction:
    """What an error text says, in any client's words, with whatever stands before or after them."""
    text = _plain(message)
    return next((row.reaction for row in PATTERNS if row.text in text), Reaction.UNRECOGNISED)


def remedy_of(reaction: str) -> str:
    """What a person may do about an answer, by the word that the journal has of it.

    Empty where it was taken, and for a word that is none of ours.
    """
    return next((what.remedy for known, what in MEANING.items() if known.value == reaction), "")
