"""The ledger that the events so far have made. Mutable: one writer, `replay.py`.

Whole numbers, nRLC; addresses lower case. Everything is made of standard types, so that a snapshot
can be written and read back field for field.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from monitor.model import Address, Hash32
from monitor.poco.v1.facts import OrderFacts

NO_HASH = Hash32("0x" + "0" * 64)


class WorkOrderStatus(enum.IntEnum):
    """`IexecLib.WorkOrderStatusEnum`."""

    UNSET = 0
    ACTIVE = 1
    REVEALING = 2
    CLAIMED = 3
    COMPLETED = 4


class ContributionStatus(enum.IntEnum):
    """`IexecLib.ContributionStatusEnum`."""

    UNSET = 0
    AUTHORIZED = 1
    CONTRIBUTED = 2
    PROVED = 3
    REJECTED = 4


@dataclass(slots=True)
class Account:
    """`IexecHub.m_accounts`."""

    stake: int = 0
    """Free."""
    locked: int = 0


@dataclass(slots=True)
class Pool:
    """A worker pool as the ledger knows it; a new one starts with the ratios 30 and 1."""

    owner: Address
    subscription_lock: int
    stake_ratio: int = 30
    """Per cent of a work order's value that each contributor stakes; has no upper bound."""
    scheduler_ratio: int = 1
    """Per cent of the pot that is the scheduler's."""
    minimum_stake: int | None = None
    """What a subscriber must have free; no event carries a new pool's, so None until it changes."""
    minimum_score: int | None = None
    """What its score must be; None likewise."""


@dataclass(slots=True)
class Order:
    """A market order, and what is left of it."""

    facts: OrderFacts
    remaining: int
    is_closed: bool = False


@dataclass(slots=True)
class Priced:
    """An app or a dataset: whom its use pays, and how much."""

    owner: Address
    price: int


@dataclass(slots=True)
class Contribution:
    """One worker's part in one work order."""

    status: ContributionStatus = ContributionStatus.AUTHORIZED
    is_enclave: bool = False
    result_hash: Hash32 = NO_HASH
    score: int = 0
    """The worker's when it contributed: what its weight is computed from."""
    weight: int = 0
    """0 unless proved, in a completed work order."""


@dataclass(slots=True)
class WorkOrder:
    """A work order; its terms were frozen when it was bought."""

    pool: Address
    order: int
    """Index of the market order."""
    requester: Address
    scheduler: Address
    """The market order's owner."""
    value: int
    app: Address
    dataset: Address | None
    emit_cost: int
    """Price of the app and of the dataset."""
    stake_amount: int
    scheduler_ratio: int
    status: WorkOrderStatus = WorkOrderStatus.ACTIVE
    consensus: Hash32 = NO_HASH
    contributors: list[Address] = field(default_factory=list)
    """In the order of contribution, which is the order of payment."""
    contributions: dict[Address, Contribution] = field(default_factory=dict)
    """Of everybody who was authorised."""
    ended_at: tuple[int, int] | None = None
    """(block, log index) of `WorkOrderCompleted` or `WorkOrderClaimed` of the hub."""
    rewards: dict[Address, tuple[int, int]] = field(default_factory=dict)
    """Account -> net change of (stake, locked) at its end, the hub's own included."""
    kitty_drawn: int = 0
    """What its finalisation took out of the kitty."""


@dataclass(slots=True)
class State:
    """The whole ledger of one hub."""

    hub: Address
    accounts: dict[Address, Account] = field(default_factory=dict)
    """Of whom any event or lock spoke; the hub's own `locked` is the kitty."""
    scores: dict[Address, int] = field(default_factory=dict)
    succeeded: dict[Address, int] = field(default_factory=dict)
    failed: dict[Address, int] = field(default_factory=dict)
    pools: dict[Address, Pool] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    orders_made: int = 0
    """`MarketOrderCreated` events so far, as many as there are orders."""
    work_orders: dict[Address, WorkOrder] = field(default_factory=dict)
    apps: dict[Address, Priced] = field(default_factory=dict)
    datasets: dict[Address, Priced] = field(default_factory=dict)
    clocks: dict[int, int] = field(default_factory=dict)
    """Category -> `workClockTimeRef`, seconds."""
    affiliations: dict[Address, Address] = field(default_factory=dict)
    """Worker -> pool."""
    deposited: int = 0
    withdrawn: int = 0
    logged: dict[Address, int] = field(default_factory=dict)
    """Account -> Deposit - Withdraw + Reward - Seize, of the events alone."""
    stray: int = 0
    """RLC transferred to the hub outside `deposit`: credited to nobody, never to be had back."""
