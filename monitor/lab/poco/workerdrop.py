"""A workerdrop on a chain of the lab: 311 workers, 170 work orders, by the contracts of 2018.

    async with PocoLab(seed=7) as lab:                            # monitor.lab.poco.lab
        summary = await lab.workerdrop(workers=8, orders=4)       # some seconds
        lab.url                                                   # a node to be asked
        lab.deployment.hub, lab.deployment.first_block            # what is asked about
        await plant(lab.deployment, Wrong(Field.SCORE, 1, someone))   # monitor.lab.poco.plant

`PocoLab` starts the node, deploys and drives. On a node that is there already the same is

    deployment = await deploy(anvil)
    summary = await Workerdrop(deployment, seed=7, workers=8, orders=4).run()

A history ends with empty blocks, so that all of it is final, and `Summary` counts what happened.
What a seed makes it makes again, transaction by transaction, to the hash of the last block. The
chain is the truth; nothing here computes a reward or a score.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from monitor.lab.poco.accounts import named
from monitor.lab.poco.blocks import Tx
from monitor.lab.poco.calls import call, order
from monitor.lab.poco.deployment import RLC, Deployment
from monitor.lab.poco.plan import (
    APP_PRICES,
    DATASET_PRICES,
    POOLS_MAX,
    Cast,
    Hall,
    Move,
    Offer,
    Plan,
    happens,
    plan_of,
    starting_policies,
)
from monitor.lab.poco.scripts import Play, Script, Step
from monitor.lab.poco.stage import Pool, Stage, address_in, logs_of, only
from monitor.lab.poco.tally import Summary, Tally
from monitor.lab.poco.topics import HUB
from monitor.lab.poco.traps import TRAPS, Laid, laying
from monitor.lab.poco.work import work_order
from monitor.model import Address

WIDTH = 16
"""Scripts that play at once."""
BLOCK_TRANSACTIONS = 100
"""In a block of the preparation."""
SPARE_NRLC_MAX = 50 * RLC

Progress = Callable[[int, int], None]
"""Told of the work orders that were bought, and of how many there will be."""


class Workerdrop:
    """One history after the deployment; `run` once."""

    def __init__(
        self,
        deployment: Deployment,
        *,
        seed: int = 0,
        workers: int = 311,
        orders: int = 170,
        traps: bool = True,
    ) -> None:
        self.stage = Stage(deployment, seed, random.Random(f"workerdrop {seed}"))
        self.cast = Cast(
            schedulers=tuple(named(seed, f"scheduler {one}") for one in range(POOLS_MAX)),
            workers=tuple(named(seed, f"worker {one}") for one in range(workers)),
            requesters=tuple(named(seed, f"requester {one}") for one in range(5)),
        )
        self.plan: Plan = plan_of(self.cast, self.stage.rng, orders=orders)
        self._orders = orders
        self._has_traps = traps
        self._laid: dict[str, Laid] = {}
        self._play = Play(deployment.blocks, self.stage.rng, width=WIDTH)
        self._tally = Tally(deployment.hub, deployment.marketplace, self.stage.pools)
        self._play.seen += [self.stage.seen, self._tally.seen]

    async def run(self, progress: Progress | None = None) -> Summary:
        """Play it all; ends with empty blocks, so that everything is final."""
        if progress is not None:
            bought, orders = self.stage.bought, self._orders
            # Traps buy too, and are not counted in what was asked for.
            self._play.seen.append(lambda _: progress(min(bought.total(), orders), orders))
        await self._play.run([self._prepare()])
        self._play.queue.extend(self._offer(offer) for offer in self.plan.offers)
        traps = TRAPS if self._has_traps else ()
        await self._play.run(
            [
                *(laying(trap, self.stage, self._laid) for trap in traps),
                *(self._policies(number, hall) for number, hall in enumerate(self.plan.halls)),
                *(self._move(move) for move in self.plan.moves),
                *(self._wallet(worker) for worker in self.cast.workers[::9]),
            ]
        )
        blocks = self.stage.deployment.blocks
        await blocks.settle()
        return self._tally.summary(
            first_block=self.stage.deployment.first_block,
            head=blocks.number,
            sent=(blocks.transactions, blocks.reverted),
            enclave=self.stage.enclaves,
            traps={trap.name: self._laid[trap.name] for trap in traps},
        )

    # -- before anybody works --------------------------------------------------------------------

    def _prepare(self) -> Script:
        """Everybody is given RLC and deposits it; pools, apps and datasets are made and joined."""
        stage, rng = self.stage, self.stage.rng
        hub, rlc, owner = stage.hub, stage.deployment.rlc, stage.deployment.owner
        people = (*self.cast.schedulers, *self.cast.requesters, *self.cast.workers)
        amounts = {
            one: self.plan.needs.get(one, 0) + rng.randrange(1, SPARE_NRLC_MAX) for one in people
        }
        give = "transfer(address,uint256)"
        yield from _in_blocks([call(owner, rlc, give, one, amounts[one]) for one in people])
        deposits = []
        for one in people:
            deposits.append(call(one, rlc, "approve(address,uint256)", hub, 2**128))
            first = amounts[one] if happens(rng, 0.8) else rng.randrange(amounts[one])
            deposits.append(call(one, hub, "deposit(uint256)", first))
            if first < amounts[one]:
                deposits.append(call(one, hub, "deposit(uint256)", amounts[one] - first))
        yield from _in_blocks(deposits)
        yield from self._goods()
        yield from self._halls()

    def _goods(self) -> Script:
        """Apps and datasets, each of a worker's or a requester's."""
        stage = self.stage
        owners = (self.cast.workers[0], *self.cast.requesters)
        for kind, prices, made in (
            ("App", APP_PRICES, stage.apps),
            ("Dataset", DATASET_PRICES, stage.datasets),
        ):
            signature = f"create{kind}(string,uint256,string)"
            receipts = yield Step(
                [
                    call(owner, stage.hub, signature, f"{kind} {number}", price, "{}")
                    for number, (owner, price) in enumerate(zip(owners, prices, strict=False))
                ]
            )
            logs = logs_of(receipts, stage.hub, HUB[f"Create{kind}"])
            made.extend(address_in(log.topics[2]) for log in logs)

    def _halls(self) -> Script:
        stage = self.stage
        signature = "createWorkerPool(string,uint256,uint256,uint256)"
        for number, hall in enumerate(self.plan.halls):
            made = call(hall.owner, stage.hub, signature, "pool", hall.subscription_lock, 0, 0)
            receipts = yield Step([made])
            log = only(logs_of(receipts, stage.hub, HUB["CreateWorkerPool"]))
            pool = Pool(address_in(log.topics[2]), hall.owner)
            stage.pools.append(pool)
            yield Step(
                [_policy(pool, hall, one) for one in range(starting_policies(number))],
            )
            yield from _in_blocks(
                [call(worker, pool.address, "subscribeToPool()") for worker in hall.workers]
            )
            stage.affiliations |= dict.fromkeys(hall.workers, pool.address)

    # -- while they work -------------------------------------------------------------------------

    def _offer(self, offer: Offer) -> Script:
        """Put a market order up; its work orders queue next."""
        stage = self.stage
        pool, marketplace = stage.pools[offer.pool], stage.deployment.marketplace
        made = order(
            marketplace,
            pool.owner,
            pool.address,
            category=offer.category,
            value=offer.value,
            volume=offer.volume,
        )
        receipts = yield Step([made])
        index = only(stage.market_orders(receipts))
        for task in reversed(offer.tasks):
            self._play.queue.appendleft(work_order(stage, offer, index, task))
        if offer.is_closed and offer.volume > len(offer.tasks):
            self._play.begin(self._close(offer, index))

    def _close(self, offer: Offer, index: int) -> Script:
        """Take off the market what nobody bought."""
        while self.stage.bought[index] < len(offer.tasks):
            yield Step()
        signature = "closeMarketOrder(uint256)"
        owner = self.stage.pools[offer.pool].owner
        yield Step([call(owner, self.stage.deployment.marketplace, signature, index)])

    def _policies(self, number: int, hall: Hall) -> Script:
        for one in range(starting_policies(number), len(hall.policies)):
            yield from self._patience(self.stage.rng.randrange(self._orders))
            yield Step([_policy(self.stage.pools[number], hall, one)])

    def _move(self, move: Move) -> Script:
        stage, worker = self.stage, move.worker
        yield from self._patience(move.after)
        while worker in stage.authorised:
            yield Step()
        address = stage.affiliations.pop(worker)
        pool = next(one for one in stage.pools if one.address == address)
        if move.is_evicted:
            yield Step([call(pool.owner, address, "evictWorker(address)", worker)])
        else:
            yield Step([call(worker, address, "unsubscribeFromPool()")])
        if move.to is not None:
            joined = stage.pools[move.to].address
            yield Step([call(worker, joined, "subscribeToPool()")])
            stage.affiliations[worker] = joined

    def _wallet(self, worker: Address) -> Script:
        """A little out, nothing out, nothing in, and the little in again."""
        stage = self.stage
        yield from self._patience(stage.rng.randrange(self._orders))
        for signature, amount in (
            *(("withdraw(uint256)", 1), ("withdraw(uint256)", 0)),
            *(("deposit(uint256)", 0), ("deposit(uint256)", 1)),
        ):
            yield Step([call(worker, stage.hub, signature, amount)])

    def _patience(self, bought: int) -> Script:
        """Until so many work orders have been bought."""
        while self.stage.bought.total() < bought:
            yield Step()


def _policy(pool: Pool, hall: Hall, one: int) -> Tx:
    signature = "changeWorkerPoolPolicy(uint256,uint256,uint256,uint256)"
    policy = hall.policies[one]
    return call(
        *(pool.owner, pool.address, signature, policy.stake_ratio, policy.scheduler_ratio),
        *(policy.minimum_stake, policy.minimum_score),
    )


def _in_blocks(transactions: Sequence[Tx]) -> Script:
    """All of them, as many a block as fit."""
    for start in range(0, len(transactions), BLOCK_TRANSACTIONS):
        yield Step(transactions[start : start + BLOCK_TRANSACTIONS])
