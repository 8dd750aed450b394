"""The words of the journal: what is told to it, what it answers, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.model import Address, Evidence, Hash32, Level
from monitor.transactions.words import AttemptKind, Slot, State, Transaction


class JournalError(Exception):
    """What was asked was not done; `str()` is one line for a person."""


class AmbiguousError(JournalError):
    """Several transactions are meant by what was asked for."""


class JournalHeldError(JournalError):
    """Another process writes this journal."""


class JournalFullError(JournalError):
    """There is no room on the disk: nothing was written, and later calls try again."""


class JournalDamagedError(JournalError):
    """The file is no good: somebody must restore it, or move it away."""


class JournalFencedError(JournalError):
    """Another process has begun to write this journal: whatever we would do may be done twice."""


class OverBudgetError(JournalError):
    """What is to be signed would cost more than its account may still spend on this day."""


class SlotClosedError(JournalError):
    """The slot is closed: its nonce is used in a final block, and nothing is done for it."""


Outcome = Literal["refused", "unanswered"]
"""What the sender was told: a definite error of the node, or that the node could not be asked."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes that came through the tap and are not filed under a slot yet."""

    hash: Hash32
    raw: bytes
    at: float
    """When it came first."""
    source: str
    outcome: Outcome | None = None
    """None: it counts as sent, whether the node accepted it or we were killed before we knew.

    `refused` only where every delivery was: the sender was told so, and we must not send it unless
    some pool or chain has it after all.
    """
    message: str = ""
    """What the sender was told last; empty where it was no error."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a signature will cost at most, and the budget of the day that it must fit into."""

    wei: int
    budget_a_day_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which slot is meant, and under whose names it is filed."""

    network: str
    chain_id: int
    alias: str
    sender: Address
    nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A transaction of a watched account, seen in a pool, a chain or the tap."""

    network: str
    chain_id: int
    alias: str
    sender: Address
    nonce: int
    hash: Hash32
    transaction: Transaction | None
    """Decoded from the bytes; None where only the hash and the nonce are known."""
    raw: bytes | None
    source: str
    """The label of the endpoint that showed it, or `tap`."""
    number: int | None = None
    """The network's height, where it is known."""
    kind: AttemptKind = "observed"
    """Any other kind is made under a lease, and refused here."""

    @property
    def place(self) -> Place:
        return Place(
            network=self.network,
            chain_id=self.chain_id,
            alias=self.alias,
            sender=self.sender,
            nonce=self.nonce,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A slot has entered a state, or another block."""

    slot_id: int
    state: State
    at: float
    row: str
    """Of the decision table."""
    level: Level | None
    """None where nobody judged: it was closed."""
    summary: str
    evidence: tuple[Evidence, ...] = ()
    mined_number: int | None = None
    """Written into the slot as it is, None too: what is to be kept must be repeated."""
    mined_hash: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What a node said of a slot's transactions."""

    slot_id: int
    node: str
    said: str
    number: int | None
    """The node's height."""
    at: float


@dataclass(frozen=True, slots=True)
class Intent:
    """A send that was begun, and of which no answer is known."""

    id: int
    slot_id: int
    hash: Hash32
    raw: bytes
    node: str
    act: str
    at: float
    sender: Address
    nonce: int


@dataclass(frozen=True, slots=True)
class Beat:
    """How fresh the journal is: the last round of a network that was written down."""

    network: str
    number: int
    at: float


@dataclass(frozen=True, slots=True)
class Count:
    """How many slots of an account stand in a state."""

    network: str
    alias: str
    state: State
    slots: int


@dataclass(frozen=True, slots=True)
class Inclusion:
    """How long a transaction took from its first sight into a block, or has waited so far."""

    alias: str
    hash: Hash32
    first_seen_at: float
    mined_at: float | None
    """When it was first seen in the block it is in; None while it is in none."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A slot in a list, with the names and the last sentence that go with it."""

    network: str
    alias: str
    slot: Slot
    consumer_hash: Hash32 | None
    """What took the nonce, once that is final."""
    level: Level | None
    """Of the last state; None where nobody has judged it yet."""
    summary: str
