"""What the contracts' getters say at one block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.model import Address, Hash32


@dataclass(frozen=True, slots=True)
class StoredContribution:
    """`WorkerPool.getContribution(woid, worker)`, which reverts for one that is unset."""

    status: int
    result_hash: Hash32
    is_enclave: bool
    """Whether the enclave challenge is not the zero address."""
    score: int
    weight: int


@dataclass(frozen=True, slots=True)
class StoredWorkOrder:
    """`WorkOrder.m_status` and the pool's `m_consensus(woid)`."""

    status: int
    consensus: Hash32
    pool_reward: int
    stake_amount: int
    scheduler_ratio: int


@dataclass(frozen=True, slots=True)
class Stored:
    """The answers at one block; only what was asked for. A key that is absent was not asked."""

    accounts: Mapping[Address, tuple[int, int]]
    """Account -> (stake, locked), nRLC (`IexecHub.checkBalance`)."""
    scores: Mapping[Address, int]
    """`IexecHub.m_scores`."""
    histories: Mapping[Address, tuple[int, int]]
    """Account -> (success, failed) (`IexecHub.m_contributionHistory`)."""
    work_orders: Mapping[Address, StoredWorkOrder]
    contributions: Mapping[tuple[Address, Address], StoredContribution | None]
    """(work order, worker); None where the getter reverted: unset."""
    hub_balance: int
    """`RLC.balanceOf(hub)`, nRLC."""
