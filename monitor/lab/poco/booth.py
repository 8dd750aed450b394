"""A small worker pool of its own, where one particular thing can be made to happen."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from monitor.lab.poco.accounts import named, result_of
from monitor.lab.poco.blocks import Receipt, Tx
from monitor.lab.poco.calls import allow, call, contribute, finalize, order, result_hash
from monitor.lab.poco.deployment import RLC
from monitor.lab.poco.scripts import Step
from monitor.lab.poco.stage import Pool, Stage, address_in, logs_of, only
from monitor.lab.poco.topics import HUB
from monitor.lab.poco.work import CONSENSUS_CLOCKS
from monitor.model import Address

T = TypeVar("T")
Act: TypeAlias = Generator[Step, Sequence[Receipt], T]
"""A piece of a script, and what it comes to."""

FUNDS_NRLC = 100 * RLC
CATEGORY = 1


@dataclass(frozen=True, slots=True)
class Booth:
    """A pool, its scheduler and its workers, all of one name."""

    stage: Stage
    name: str
    pool: Pool
    workers: tuple[Address, ...]

    @property
    def scheduler(self) -> Address:
        return self.pool.owner

    @property
    def timeout_seconds(self) -> int:
        """From the purchase of a work order to its `consensusTimeout`."""
        return CONSENSUS_CLOCKS * self.stage.clock_seconds(CATEGORY)

    def result(self, woid: Address) -> bytes:
        """What the computation comes to."""
        return result_of(self.stage.seed, f"{self.name} {woid}")

    def offer(self, value: int, volume: int) -> Act[int]:
        """A market order of the scheduler's; its index."""
        receipts = yield Step([self.order(self.pool.address, value=value, volume=volume)])
        return only(self.stage.market_orders(receipts))

    def order(self, pool: Address, *, value: int, volume: int) -> Tx:
        """A market order of the scheduler's, on whichever pool."""
        marketplace = self.stage.deployment.marketplace
        return order(
            marketplace, self.scheduler, pool, category=CATEGORY, value=value, volume=volume
        )

    def bought(self, *purchases: Tx) -> Act[list[Address]]:
        """The work orders that come of these transactions, in order."""
        receipts = yield Step(purchases)
        return self.stage.work_orders(receipts)

    def allow(self, woid: Address, workers: Sequence[Address]) -> Tx:
        return allow(self.scheduler, self.pool.address, woid, workers)

    def contribution(self, worker: Address, woid: Address, result: bytes | None = None) -> Tx:
        """Right, unless another result is named."""
        return contribute(worker, self.pool.address, woid, result or self.result(woid))

    def consensus(self, woid: Address) -> Tx:
        signature = "revealConsensus(address,bytes32)"
        hashed = result_hash(self.result(woid))
        return call(self.scheduler, self.pool.address, signature, woid, hashed)

    def reveal(self, worker: Address, woid: Address) -> Tx:
        signature = "reveal(address,bytes32)"
        return call(worker, self.pool.address, signature, woid, self.result(woid))

    def finalize(self, woid: Address) -> Tx:
        return finalize(self.scheduler, self.pool.address, woid, self.name)

    def completed(self, woid: Address, workers: Sequence[Address]) -> Act[None]:
        """From the authorisation to the end, with everybody right."""
        yield Step([self.allow(woid, workers)])
        yield Step([self.contribution(worker, woid) for worker in workers])
        yield Step([self.consensus(woid)])
        yield Step([self.reveal(worker, woid) for worker in workers])
        yield Step([self.finalize(woid)])


def opened(
    stage: Stage,
    name: str,
    *,
    workers: int = 2,
    subscription_lock: int = 0,
    ratios: tuple[int, int] | None = None,
) -> Act[Booth]:
    """A booth with everybody funded and subscribed; `ratios` of stake and of the scheduler."""
    scheduler = named(stage.seed, f"{name} scheduler")
    staff = tuple(named(stage.seed, f"{name} worker {one}") for one in range(workers))
    yield from funded(stage, (scheduler, *staff))
    create = "createWorkerPool(string,uint256,uint256,uint256)"
    receipts = yield Step([call(scheduler, stage.hub, create, name, subscription_lock, 0, 0)])
    log = only(logs_of(receipts, stage.hub, HUB["CreateWorkerPool"]))
    pool = Pool(address_in(log.topics[2]), scheduler)
    stage.pools.append(pool)
    change = "changeWorkerPoolPolicy(uint256,uint256,uint256,uint256)"
    policy = [] if ratios is None else [call(scheduler, pool.address, change, *ratios, 0, 0)]
    yield Step([*policy, *(call(one, pool.address, "subscribeToPool()") for one in staff)])
    return Booth(stage, name, pool, staff)


def funded(stage: Stage, accounts: Sequence[Address]) -> Act[None]:
    """Accounts of people, with RLC in the hub."""
    deployment = stage.deployment
    give, deposit = "transfer(address,uint256)", "deposit(uint256)"
    yield Step([call(deployment.owner, deployment.rlc, give, one, FUNDS_NRLC) for one in accounts])
    steps = []
    for one in accounts:
        steps.append(approval(stage, one))
        steps.append(call(one, stage.hub, deposit, FUNDS_NRLC))
    yield Step(steps)


def approval(stage: Stage, account: Address) -> Tx:
    """The hub may take the account's RLC."""
    rlc = stage.deployment.rlc
    return call(account, rlc, "approve(address,uint256)", stage.hub, FUNDS_NRLC)


def created(creator: Address, code: bytes) -> Act[Address]:
    """A contract made of this code."""
    receipts = yield Step([Tx(creator, None, code)])
    return only([one.contract for one in receipts if one.contract is not None])
