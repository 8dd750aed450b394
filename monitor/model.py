"""The words of the house: few, frozen, with units.

Everything that passes from one room to another is one of these values (or a `...Seen` of
`judge/`, which is built from them). Standard library only: every room may import this one.

Heights are called `number`, as in the JSON-RPC specification; times are seconds since the Unix
epoch, UTC; hashes are lower-case hex with `0x`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NewType, TypeVar

BlockNumber = NewType("BlockNumber", int)
"""The height of a block; genesis is 0."""
Hash32 = NewType("Hash32", str)
"""32 bytes as `0x` and 64 lower-case hex digits."""
Address = NewType("Address", str)
"""20 bytes as `0x` and 40 lower-case hex digits."""
Wei = NewType("Wei", int)
Gwei = NewType("Gwei", int)

S = TypeVar("S")


def short(long_hash: str) -> str:
    """A hash as sentences name it: both ends, since a lie may change either."""
    return f"{long_hash[:8]}…{long_hash[-6:]}"


class Level(enum.IntEnum):
    """How bad: the order is that of `worst-of`, in which not knowing is worse than being well."""

    OK = 0
    UNKNOWN = 1
    DEGRADED = 2
    FAILED = 3

    @property
    def word(self) -> str:
        """The word used in JSON, labels and pages."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Head:
    """One block header, as one node names it (execution-apis, `eth_getBlockByNumber`)."""

    number: BlockNumber
    hash: Hash32
    parent_hash: Hash32
    timestamp: int
    """Seconds, as written into the header by the block's producer."""

    @property
    def stamp(self) -> BlockStamp:
        return BlockStamp(self.number, self.hash, self.timestamp)


@dataclass(frozen=True, slots=True)
class BlockStamp:
    """The "as of": the block at which something was read or compared."""

    number: BlockNumber
    hash: Hash32
    timestamp: int


OurReason = Literal["budget", "no_quorum", "internal_error"]
"""`budget`, we did not ask, because the reference's calls of the day are spent; `no_quorum`, the
references were asked and no head of theirs can be believed; `internal_error`, we failed."""
UnseenReason = Literal["timeout", "refused", "rpc_error", "malformed", "unsupported", OurReason]


@dataclass(frozen=True, slots=True)
class Unseen:
    """Asked and could not see: not zero, not old, not false."""

    reason: UnseenReason
    detail: str
    """One line for a person; never a URL, never a key."""


@dataclass(frozen=True, slots=True)
class Observation(Generic[S]):
    """What one probe wrote down."""

    node: str
    """The label of the endpoint asked: a node's name, or `NETWORK/NAME` of a reference."""
    check: str
    """The name of the probe that asked (one probe may serve several checks)."""
    at: float
    """When the answer was complete."""
    took_seconds: float
    seen: S | Unseen


Confidence = Literal["low", "fair", "high"]
"""How far a reference may be trusted: one operator, two, three and more."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The heads a node is compared with, and why they are believed."""

    head: Head
    """The highest block on whose hash a strict majority of all operators agrees."""
    lag_head: Head
    """What lag is measured from: the second highest head, which one liar cannot move."""
    voters: tuple[str, ...]
    """Operators that named `head`'s hash; never fewer than a strict majority of the configured."""
    operators: int
    """Operators configured, answering or not."""
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who was asked, what they said, and by which measure it was judged."""

    source: str
    """A label, never a URL."""
    method: str
    """The JSON-RPC method, or the name of the rule that derived it."""
    said: str
    at: float
    block: BlockStamp | None = None
    threshold: str | None = None
    """The limit in words, with the profile and the false-alarm budget it comes from."""
    p_value: float | None = None
    """Probability of an observation at least this far out on a healthy node, where one is known."""


Key = tuple[str, str]
"""(check, subject): the identity of a finding, of an alert and of an action. Never a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged sentence, with its two numbers, and who said what."""

    check: str
    subject: str
    """`node:NAME`, `reference:NETWORK/NAME`, `reference:NETWORK/quorum`, `monitor`, ..."""
    network: str
    level: Level
    reason: str
    """A slug: stable, for machines."""
    summary: str
    """A sentence: for people."""
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    as_of: BlockStamp | None = None
    since: float | None = None
    """When this level was entered; filled by the fold."""
    because: Key | None = None
    """The finding that explains this one; it is shown and notified under it."""
    evidence: tuple[Evidence, ...] = ()

    @property
    def key(self) -> Key:
        return (self.check, self.subject)


VerdictWord = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything known now: the one state that metrics, page, terminal and gate are drawn from."""

    at: float
    findings: tuple[Finding, ...]
    """Sorted by (network, subject, check); each key once."""
    word: VerdictWord
    level: Level
    """The worst of `findings`."""
    skipped: tuple[Key, ...] = ()
    """Optional checks that an endpoint does not support: no finding, said so."""


@dataclass(frozen=True, slots=True)
class Action:
    """What to tell: only edges. Opened: left OK. Changed: another bad level. Closed: OK again."""

    kind: Literal["opened", "changed", "closed"]
    key: Key
    at: float
    finding: Finding
    before: Level


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What the pages say of one endpoint besides its findings."""

    name: str
    network: str
    kind: Literal["node", "reference"]
    url: str
    """Masked."""
    client: str
    """As reported or configured; empty where unknown."""
    operator: str = ""
    calls_total: int = 0
    calls_today: int = 0
    calls_a_day: int | None = None
    """The budget of a reference; `None` for a node, which is ours to ask."""
    errors_total: Mapping[str, int] = field(default_factory=dict)
    """By `UnseenReason`."""
    subscription: Literal["off", "live", "deaf", "down"] = "off"
    last_exchange: tuple[str, str] | None = None
    """The last request and answer, scrubbed and cut, for `/probe?debug=1`."""

    @property
    def label(self) -> str:
        """Under which its observations are written down: a reference's is `NETWORK/NAME`."""
        return reference_label(self.network, self.name) if self.kind == "reference" else self.name


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What the pages say of one network: its thresholds and its reference of the last round."""

    name: str
    profile: str
    """`KEY@VERSION`."""
    interval_seconds: float
    lag_blocks: int
    stall_seconds: float
    confirmations: int
    reference: Reference | None
    round_at: float | None
    """When the last round was complete; `None` before the first."""
    round_seconds: float
    rounds_total: int


TransactionsMode = Literal["off", "acting", "dry_run", "halted"]
"""Whether transactions are watched, and whether anything is sent for them."""


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """What the pages say of one nonce whose transaction is on its way."""

    nonce: int
    hash: Hash32 | None
    """Of the newest attempt; None where only a hole in the nonces is known."""
    state: str
    """A word of `transactions.words.State`."""
    level: Level
    summary: str
    first_seen_at: float
    since: float
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the pages say of one watched account besides its findings; never its address."""

    alias: str
    network: str
    node: str
    """The node that its program sends through."""
    round_at: float | None = None
    """When the references were last asked about it; None before the first time."""
    states: Mapping[str, int] = field(default_factory=dict)
    """Live transactions by state."""
    oldest_pending_seconds: float | None = None
    """Since the oldest that is in no block was first seen; None where there is none."""
    nonces: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The next nonce by (endpoint label, `latest` or `pending`), as last seen."""
    local_only: int = 0
    """Nonces that the node counts as pending beyond what any reference does."""
    is_local_stale: bool = False
    """The node would hand out nonces that the network has used."""
    gap_nonces: int = 0
    is_evidence_weak: bool = False
    budget_spent_wei: int = 0
    """Of this day (UTC), for what was signed by order or policy."""
    budget_limit_wei: int | None = None
    slots: tuple[SlotFacts, ...] = ()
    """The worst first, and of equals the lowest nonce; cut at a few dozen."""


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """What the pages say of one ledger besides its finding; amounts are nRLC."""

    name: str
    network: str
    node: str
    """The node that is asked."""
    protocol: str
    contract: Address
    is_running: bool = False
    """Whether it is being reconciled at this moment."""
    reconciled_at: float | None = None
    """When it was last compared whole, whatever came of it; None before the first time."""
    took_seconds: float | None = None
    """How long the last attempt took, whether it saw everything or not."""
    block: BlockStamp | None = None
    """At which it was last compared whole."""
    events: int = 0
    """Of the contracts, up to that block."""
    differences: Mapping[str, int] = field(default_factory=dict)
    """How many, by kind, at that block; kinds without any are absent."""
    totals: LedgerTotals | None = None
    """What it comes to at that block; None before the first time."""


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """What a ledger comes to since its first block, by its rules; amounts are nRLC."""

    paid: int
    """To workers and schedulers, for completed work orders, what came of the kitty included."""
    slashed_workers: int
    """Stakes of contributions that were wrong, unrevealed or rejected, in completed work orders."""
    slashed_schedulers: int
    """What schedulers lost for work orders that were claimed."""
    kitty: int
    """What the hub holds of those, to be drawn by later work orders."""
    accounts: int
    work_orders: Mapping[str, int]
    """By status, in lower case."""
    contributions: Mapping[str, int]
    """By outcome: accurate, faulty (both in completed work orders), returned (claimed), open."""
    scores: tuple[int, ...]
    """Ascending, of all accounts that have a score or contributed in a completed work order."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The immutable value that the metrics page, the status page and the API are drawn from."""

    at: float
    verdict: Verdict
    observations: tuple[Observation[object], ...]
    """The newest of each (node, probe)."""
    networks: tuple[NetworkFacts, ...]
    endpoints: tuple[NodeFacts, ...]
    ready: bool
    """Every network has finished its first round."""
    edges: tuple[Action, ...] = ()
    """The newest edge of each key that has had one since this process began."""
    silenced: frozenset[str] = frozenset()
    """Subjects that nobody is told of now, because of a maintenance window."""
    windows_active: int = 0
    windows_planned: int = 0
    accounts: tuple[AccountFacts, ...] = ()
    """Whose transactions are watched, by alias."""
    transactions_mode: TransactionsMode = "off"
    ledgers: tuple[LedgerFacts, ...] = ()
    """That are reconciled, by name."""


QUORUM = "quorum"
"""The reserved reference name under which a network's reference as a whole is judged."""


def reference_label(network: str, name: str = QUORUM) -> str:
    """The label of a reference in observations: names hold no slash, so labels are unambiguous."""
    return f"{network}/{name}"


def node_subject(name: str) -> str:
    """The subject of a configured node."""
    return f"node:{name}"


def account_subject(alias: str) -> str:
    """The subject of a watched account."""
    return f"account:{alias}"


def transaction_subject(hash_: str) -> str:
    """The subject of one transaction; its findings name their account's in `because`."""
    return f"tx:{hash_}"


def ledger_subject(name: str) -> str:
    """The subject of a configured ledger."""
    return f"ledger:{name}"


def subject_of(label: str) -> str:
    """The subject under which the endpoint with this label is judged."""
    return f"reference:{label}" if "/" in label else f"node:{label}"
