"""What the replay needs, no event carries, and the contracts never change: read once each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from monitor.model import Address


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """A market order as it was made (`Marketplace.getMarketOrder`)."""

    category: int
    value: int
    """nRLC that one work order bought of it pays."""
    volume: int
    """Work orders that could be bought of it when it was made; may exceed 64 bits."""
    pool: Address
    owner: Address
    """Whoever made it: its scheduler, who locks for it (`workerpoolOwner`)."""


@dataclass(frozen=True, slots=True)
class WorkOrderFacts:
    """A work order's immutable fields (`WorkOrder.m_app`, `m_dataset`)."""

    app: Address
    dataset: Address | None
    """None where the contract holds the zero address."""


@dataclass(slots=True)
class Facts:
    """Everything read so far; grows with the history, before the events that need it."""

    orders: dict[int, OrderFacts] = field(default_factory=dict)
    """By index, from 1: every index up to `m_orderCount`, announced or not."""
    subscription_locks: dict[Address, int] = field(default_factory=dict)
    """Pool -> nRLC that a subscription locks (`m_subscriptionLockStakePolicy`)."""
    work_orders: dict[Address, WorkOrderFacts] = field(default_factory=dict)
    enclaves: set[tuple[Address, Address]] = field(default_factory=set)
    """(work order, worker) that were authorised with an enclave challenge."""


FactName: TypeAlias = Literal["orders", "subscription_locks", "work_orders"]
"""The field that lacks it."""


class MissingFact(KeyError):
    """Something that an event needs has not been read: which, and of what."""

    def __init__(self, *, fact: FactName, key: Address | int) -> None:
        super().__init__(fact, key)
        self.fact: FactName = fact
        self.key = key

    def __str__(self) -> str:
        return f"the facts have no {self.key} in {self.fact}"
