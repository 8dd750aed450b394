"""What the hub, its marketplace and its pools emit, decoded; with the place in the chain.

Fields are in the order of the Solidity events; addresses lower case; amounts in nRLC. A pool's
events carry the pool first, since its address is the emitter and no argument.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from monitor.model import Address, Hash32

Source: TypeAlias = Literal["hub", "marketplace", "pool", "token"]
"""Whose event it is: the same name means something else, or nothing, from anybody else."""

# -- the hub -------------------------------------------------------------------------------------


class WorkOrderActivated(NamedTuple):
    """`IexecHub.buyForWorkOrder`; the pool has named it just before, and the market its order."""

    woid: Address
    pool: Address


class WorkOrderClaimed(NamedTuple):
    """`IexecHub.claimFailedConsensus`: closes the effects of a claim."""

    woid: Address
    pool: Address


class WorkOrderCompleted(NamedTuple):
    """`IexecHub.finalizeWorkOrder`: closes the effects of a finalisation."""

    woid: Address
    pool: Address


class CreateApp(NamedTuple):
    """`IexecHub.createApp`; the owner is the transaction's sender, for good."""

    owner: Address
    app: Address
    name: str
    price: int


class CreateDataset(NamedTuple):
    """`IexecHub.createDataset`; its owner likewise."""

    owner: Address
    dataset: Address
    name: str
    price: int


class CreateWorkerPool(NamedTuple):
    """`IexecHub.createWorkerPool`; its owner likewise."""

    owner: Address
    pool: Address
    description: str


class CreateCategory(NamedTuple):
    """`IexecHub.createCategory`."""

    category: int
    clock_seconds: int
    """`workClockTimeRef`."""


class WorkerPoolSubscription(NamedTuple):
    """`IexecHub.registerToPool`."""

    pool: Address
    worker: Address


class WorkerPoolUnsubscription(NamedTuple):
    """`IexecHub.unregisterFromPool`, called by the worker."""

    pool: Address
    worker: Address


class WorkerPoolEviction(NamedTuple):
    """`IexecHub.evictWorker`, called by the pool's owner."""

    pool: Address
    worker: Address


class AccurateContribution(NamedTuple):
    """The worker's score went up by one."""

    woid: Address
    worker: Address


class FaultyContribution(NamedTuple):
    """The worker's score was slashed."""

    woid: Address
    worker: Address


class Deposit(NamedTuple):
    """`IexecHub.deposit`."""

    owner: Address
    amount: int


class Withdraw(NamedTuple):
    """`IexecHub.withdraw`."""

    owner: Address
    amount: int


class Reward(NamedTuple):
    """Free stake went up; which work order's end did it, is told later."""

    user: Address
    amount: int


class Seize(NamedTuple):
    """Locked stake went down; by which end, is told later."""

    user: Address
    amount: int


# -- the marketplace -----------------------------------------------------------------------------


class MarketOrderCreated(NamedTuple):
    """`Marketplace.createMarketOrder`; repeats an index where calls were nested."""

    index: int  # type: ignore[assignment] # as the contract has it; nobody asks for tuple.index


class MarketOrderClosed(NamedTuple):
    """`Marketplace.closeMarketOrder`; one that is sold out closes without a word."""

    index: int  # type: ignore[assignment] # as the contract has it; nobody asks for tuple.index


class MarketOrderAskConsume(NamedTuple):
    """`Marketplace.consumeMarketOrderAsk`: one work order is bought."""

    index: int  # type: ignore[assignment] # as the contract has it; nobody asks for tuple.index
    requester: Address


# -- a pool --------------------------------------------------------------------------------------


class PolicyUpdate(NamedTuple):
    """`WorkerPool.changeWorkerPoolPolicy`: old and new value of each ratio and minimum."""

    pool: Address
    old_stake_ratio: int
    stake_ratio: int
    old_scheduler_ratio: int
    scheduler_ratio: int
    old_minimum_stake: int
    minimum_stake: int
    old_minimum_score: int
    minimum_score: int


class WorkOrderActive(NamedTuple):
    """`WorkerPool.emitWorkOrder`: the terms are frozen."""

    pool: Address
    woid: Address


class PoolWorkOrderClaimed(NamedTuple):
    """`WorkOrderClaimed` of the pool: the first log of a claim."""

    pool: Address
    woid: Address


class AllowWorker(NamedTuple):
    """`WorkerPool.allowWorkerToContribute`, with the worker's score of then."""

    pool: Address
    woid: Address
    worker: Address
    score: int


class Contribute(NamedTuple):
    """`WorkerPool.contribute`."""

    pool: Address
    woid: Address
    worker: Address
    result_hash: Hash32


class RevealConsensus(NamedTuple):
    """`WorkerPool.revealConsensus`: from here on contributors can reveal."""

    pool: Address
    woid: Address
    consensus: Hash32


class Reveal(NamedTuple):
    """`WorkerPool.reveal`: the contribution is proved."""

    pool: Address
    woid: Address
    worker: Address
    result: Hash32


class Reopen(NamedTuple):
    """`WorkerPool.reopen`: nobody revealed; who agreed to the consensus is rejected."""

    pool: Address
    woid: Address


class FinalizeWork(NamedTuple):
    """`WorkerPool.finalizeWork`: the last log of a finalisation."""

    pool: Address
    woid: Address


class TransferToHub(NamedTuple):
    """`RLC.Transfer` to the hub; whether a deposit explains it, the replay finds out."""

    sender: Address
    amount: int


Event: TypeAlias = (
    WorkOrderActivated
    | WorkOrderClaimed
    | WorkOrderCompleted
    | CreateApp
    | CreateDataset
    | CreateWorkerPool
    | CreateCategory
    | WorkerPoolSubscription
    | WorkerPoolUnsubscription
    | WorkerPoolEviction
    | AccurateContribution
    | FaultyContribution
    | Deposit
    | Withdraw
    | Reward
    | Seize
    | MarketOrderCreated
    | MarketOrderClosed
    | MarketOrderAskConsume
    | PolicyUpdate
    | WorkOrderActive
    | PoolWorkOrderClaimed
    | AllowWorker
    | Contribute
    | RevealConsensus
    | Reveal
    | Reopen
    | FinalizeWork
    | TransferToHub
)


class Logged(NamedTuple):
    """One event at its place: the order of the ledger is (block, log index)."""

    block: int
    log_index: int
    transaction: Hash32
    event: Event
