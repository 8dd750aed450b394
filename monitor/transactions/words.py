"""The words of the transaction watchdog: few, frozen, with units.

A *slot* is what a chain fills exactly once: (chain, sender, nonce). An *attempt* is one signed
transaction that would fill it; a replacement is another attempt of the same slot. A *view* is what
one endpoint said of one account, all of it at one head. Pure; every file of the room imports this.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from monitor.model import Address, Evidence, Hash32, Head, Level, Unseen, Wei


class State(enum.StrEnum):
    """Where a slot stands: the rows of the decision table (docs/transactions.md)."""

    PENDING = "pending"
    """On its way: pooled at a reference, fees fine, not old. Row 19."""
    EVIDENCE_WEAK = "evidence_weak"
    """Too few references were fresh to say anything. Row 0."""
    MINED = "mined"
    """In a block of the network, not yet final. Row 2."""
    REVERTED = "reverted"
    """In a block of the network with status 0, not yet final. Row 2."""
    LOCAL_LAG = "local_lag"
    """Mined on the network; the local node has not got there. Row 3."""
    LOCAL_FORK = "local_fork"
    """Mined only in a block of the local node that the network does not have. Row 4."""
    REORG_RUNNING = "reorg_running"
    """The references name different blocks for it. Row 5."""
    REORGED_OUT = "reorged_out"
    """It was mined, and its block is gone. Row 6."""
    NONCE_TAKEN = "nonce_taken"
    """The nonce is used on the network, and by none of the known attempts. Row 7."""
    GAP = "gap"
    """An earlier nonce has no live transaction anywhere. Row 8."""
    BLOCKED = "blocked"
    """Earlier nonces are on their way; nothing is to be done here. Row 9."""
    LOCAL_DESYNC = "local_desync"
    """Queued locally because the local node is behind: nobody else was told of it. Row 10."""
    LOCAL_ONLY = "local_only"
    """Pending locally, on a node that is off the network; unknown to the references. Row 11."""
    NOT_PROPAGATED = "not_propagated"
    """Pending on a healthy local node for blocks, unknown to the references. Row 12."""
    LOCAL_DROPPED = "local_dropped"
    """Pooled at references, gone locally: the node may hand out its nonce again. Row 13."""
    UNDERPRICED_CAP = "underpriced_cap"
    """Pooled, its fee cap is below the base fee. Row 14."""
    UNDERPRICED_TIP = "underpriced_tip"
    """Pooled, its tip is below what recent blocks took. Row 15."""
    UNFUNDED = "unfunded"
    """The balance does not cover this and the earlier live transactions. Row 16."""
    DROPPED = "dropped"
    """Unknown everywhere for rounds, its nonce free; its bytes are in the journal. Row 17."""
    LOST = "lost"
    """Dropped, and its bytes cannot be had: the sender must sign this nonce again. Row 17."""
    STUCK_OTHER = "stuck_other"
    """Pooled, priced well and old: something else keeps it out. Row 18."""
    FINAL_OK = "final_ok"
    """In a final block, status 1. Row 1."""
    FINAL_REVERTED = "final_reverted"
    """In a final block, status 0. Row 1; never tried again."""
    REPLACED_SAME = "replaced_same"
    """Another hash with the same recipient, value and input took the nonce, finally. Row 7."""
    CANCELLED = "cancelled"
    """A zero-value transfer to the sender itself took the nonce, finally. Row 7."""
    REPLACED_OTHER = "replaced_other"
    """A transaction with another purpose took the nonce, finally. Row 7."""


TERMINAL = frozenset(
    {
        State.FINAL_OK,
        State.FINAL_REVERTED,
        State.REPLACED_SAME,
        State.CANCELLED,
        State.REPLACED_OTHER,
    }
)
"""States that close a slot: entered at a final block only, and never left."""

Presence = Literal["pending", "queued", "mined", "absent"]
"""How a node has a transaction. `queued`: pooled, but not executable, and so not passed on."""
AttemptKind = Literal["observed", "replace", "cancel", "fill"]
"""`observed` was signed by its sender's program; the others were signed for us, on order."""


class Act(enum.StrEnum):
    """What may be done for a slot. The first two send bytes that the sender has signed."""

    REBROADCAST = "rebroadcast"
    """The same bytes, to references."""
    RESEND = "resend"
    """The same bytes, to the local node."""
    REPLACE = "replace"
    """The same payment with higher fees, signed anew."""
    CANCEL = "cancel"
    """A zero-value transfer to the sender itself at the same nonce."""
    FILL = "fill"
    """The same as cancel, at a nonce that nothing is known of, so that later ones can move."""
    PROPOSE = "propose"
    """An unsigned replacement, by webhook, for whoever has the key."""
    FIND_CONSUMER = "find_consumer"
    """Look in the blocks for the transaction that took the nonce."""
    EXPLAIN_REVERT = "explain_revert"
    """Ask a node why the transaction reverted."""


DESTRUCTIVE = frozenset({Act.REPLACE, Act.CANCEL, Act.FILL})
"""What makes a transaction that was not there before; never done on weak evidence."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction, decoded (EIP-155, 2718, 2930, 1559, 4844, 7702)."""

    hash: Hash32
    type: int
    chain_id: int | None
    """None for a legacy transaction without replay protection."""
    sender: Address
    nonce: int
    to: Address | None
    """None for a contract creation."""
    value_wei: Wei
    gas: int
    fee_cap_wei: int
    """The most a unit of gas may cost: maxFeePerGas, or gasPrice."""
    tip_cap_wei: int
    """maxPriorityFeePerGas, or gasPrice."""
    blob_fee_cap_wei: int | None
    """maxFeePerBlobGas of type 3, else None."""
    data: bytes
    blob_count: int = 0
    authorizations: int = 0
    """How many EIP-7702 authorizations it carries."""

    @property
    def cost_max_wei(self) -> int:
        """What must be on the account for it to be valid: value and gas at its cap."""
        blobs = self.blob_count * 131_072 * (self.blob_fee_cap_wei or 0)
        return self.value_wei + self.gas * self.fee_cap_wei + blobs

    @property
    def purpose(self) -> tuple[Address | None, int, bytes]:
        """What it does, whatever it pays for gas."""
        return (self.to, self.value_wei, self.data)

    @property
    def is_cancellation(self) -> bool:
        """A transfer of nothing to oneself: what fills a nonce and does no more."""
        return self.to == self.sender and self.value_wei == 0 and not self.data


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signed transaction of a slot."""

    hash: Hash32
    kind: AttemptKind
    first_seen_at: float
    transaction: Transaction | None
    """Decoded from the bytes; None where only the hash and the nonce are known."""
    has_raw: bool
    """Whether the journal has its bytes, so that it can be sent again."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One nonce of one account, with every transaction that was ever seen for it."""

    id: int
    """The journal's number of it."""
    chain_id: int
    sender: Address
    nonce: int
    attempts: tuple[Attempt, ...]
    """Oldest first; never empty, but in a slot that is to be filled."""
    state: State
    since: float
    """When the state was entered."""
    first_seen_at: float
    first_seen_number: int | None = None
    """The network's height when it was first seen; None where that was not known."""
    mined_number: int | None = None
    """Height of the block in which it was last seen, by a quorum."""
    mined_hash: Hash32 | None = None
    closed_at: float | None = None

    @property
    def newest(self) -> Attempt | None:
        """The attempt that would be sent: the last one whose bytes are known, else the last."""
        sendable = tuple(attempt for attempt in self.attempts if attempt.has_raw)
        return next(reversed(sendable or self.attempts), None)

    @property
    def has_raw(self) -> bool:
        return any(attempt.has_raw for attempt in self.attempts)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction in a block, as one endpoint names it (execution-apis)."""

    hash: Hash32
    number: int
    block_hash: Hash32
    is_success: bool
    gas_used: int


@dataclass(frozen=True, slots=True)
class PoolEntry:
    """One transaction in a node's pool, as `txpool_contentFrom` or `txpool_content` lists it."""

    hash: Hash32
    nonce: int
    presence: Literal["pending", "queued"]


@dataclass(frozen=True, slots=True)
class View:
    """What one endpoint said of one account, all of it at one head.

    A hash that was not asked for is in neither mapping; one that was asked for and could not be
    seen is `Unseen`, which is never absence.
    """

    label: str
    operator: str
    at: float
    head: Head
    """Its latest block, the same before and after the other questions."""
    nonce_latest: int | Unseen
    """Transactions of the account in the chain up to `head`: the next nonce (`latest`)."""
    nonce_pending: int | Unseen
    """The same with its own pool counted (`pending`)."""
    presence: Mapping[Hash32, Presence | Unseen] = field(default_factory=dict)
    receipts: Mapping[Hash32, Receipt | Unseen | None] = field(default_factory=dict)
    """None: the endpoint says that there is none."""
    pool: tuple[PoolEntry, ...] | Unseen | None = None
    """All of the account's in its pool; None where it was not asked (references)."""
    balance_wei: int | Unseen | None = None
    """At `head`; None where it was not asked."""


@dataclass(frozen=True, slots=True)
class Market:
    """What inclusion costs (eth_feeHistory): of each price the highest that a quorum reaches."""

    base_fee_wei: int
    """Of the next block."""
    tip_low_wei: int
    """The 10th percentile of the tips in recent blocks, the median over those blocks."""
    tip_wei: int
    """The 50th percentile, likewise."""
    gas_limit: int
    """Of the newest block."""
    blob_base_fee_wei: int = 0


@dataclass(frozen=True, slots=True)
class AccountRound:
    """Everything one round saw of one account: the signals of section 6 of the decision table."""

    at: float
    network: str
    alias: str
    address: Address
    interval_seconds: float
    """Between two blocks."""
    head: Head | None
    """On which a strict majority of operators agrees; None where there is none."""
    need: int
    """Operators that must agree: a strict majority of those configured."""
    operators: int
    """Operators configured."""
    final_number: int | None
    """Height up to which blocks are final, by majority; None where that is not known."""
    references: tuple[View, ...]
    """Only those whose head was admitted by this round's election, and who answered."""
    local: View | Unseen
    local_synced: bool | None
    """Whether identity, head, stall and fork of the local node are ok; None: not known."""
    local_peers: int | Unseen
    market: Market | Unseen


@dataclass(frozen=True, slots=True)
class Counters:
    """What a slot's decision remembers from round to round; begins anew with the process.

    A round counts once for each new head of the network: three rounds are about three blocks.
    """

    counted_number: int = -1
    """The network's height at which rounds were last counted."""
    absent_rounds: int = 0
    """In a row: unknown to the local node, to a quorum and to all who answered; its nonce free."""
    taken_rounds: int = 0
    """In a row: its nonce used, and no receipt for any known hash, as a quorum says."""
    unmined_rounds: int = 0
    """In a row: it was mined, and a quorum has no receipt now."""
    forked_rounds: int = 0
    """In a row: in a block at the local node, and a quorum that is as high has it in none."""


@dataclass(frozen=True, slots=True)
class AccountCounters:
    """What an account's decision remembers from round to round; counted as `Counters` are."""

    counted_number: int = -1
    """The network's height at which rounds were last counted."""
    ahead_rounds: int = 0
    """In a row: the local node counts more of the account as pending than any reference (S1)."""
    stale_rounds: int = 0
    """In a row: the local node's next nonce is one that the network has used (S2)."""
    gap_nonce: int | None = None
    """The lowest nonce of which no hash is known and nothing is live, below one that is known."""
    gap_rounds: int = 0
    """In a row: that nonce was this one."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """The transaction that took a nonce, as found in a block of the network."""

    transaction: Transaction
    number: int
    block_hash: Hash32
    raw: bytes | None = None
    """Its bytes, where they could be had."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is true of one slot now, what would help, and why."""

    row: str
    """Of the decision table: `0` to `19`."""
    state: State
    level: Level
    summary: str
    """One sentence, for people, without the account's name."""
    acts: tuple[Act, ...] = ()
    """What would help, in this order; the policy decides what is done."""
    evidence: tuple[Evidence, ...] = ()
    counters: Counters = Counters()
    receipt: Receipt | None = None
    """By a quorum."""
    is_weak: bool = False
    """Whether nothing destructive may follow from it: too few references, or only one operator."""


@dataclass(frozen=True, slots=True)
class AccountDecision:
    """What is true of one account, and of each of its live slots."""

    level: Level
    reason: str
    """The worst condition, a slug: a state, or `nonce_reused`, `local_ahead`, `conflict`, ..."""
    summary: str
    slots: Mapping[int, Decision]
    """By the slot's id."""
    evidence: tuple[Evidence, ...] = ()
    nonce_network: int | None = None
    """The next nonce, by a quorum of references; None where there is none."""
    lowest: int | None = None
    """The lowest live nonce: the only one that is acted on."""
    gap_nonces: tuple[int, ...] = ()
    """Nonces from `nonce_network` on, below a live one, of which nothing is live anywhere."""
    local_only: int = 0
    """How many nonces the local node counts as pending beyond what any reference does (S1)."""
    is_local_stale: bool = False
    """The local node would hand out nonces that the network has used (S2)."""
    conflicts: tuple[int, ...] = ()
    """Nonces for which different hashes were seen that are not replacements of ours (S3)."""
    counters: AccountCounters = AccountCounters()
