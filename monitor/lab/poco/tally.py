"""What a history came to, counted from the logs of its receipts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.lab.poco.blocks import Receipt
from monitor.lab.poco.stage import Pool
from monitor.lab.poco.topics import HUB, MARKETPLACE, POOL
from monitor.lab.poco.traps import Laid
from monitor.model import Address


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of what the contracts said, and of what was sent."""

    first_block: int
    """The hub's."""
    last_block: int
    """The last with a transaction; final, since empty ones follow it."""
    head: int
    transactions: int
    reverted: int
    workers: int
    """Accounts that ever subscribed."""
    pools: tuple[Address, ...]
    work_orders: tuple[Address, ...]
    """In order of purchase."""
    completed: int
    claimed: int
    left: int
    """Work orders that are neither."""
    reopened: int
    authorised: int
    contributions: int
    enclave: int
    """Contributions that an enclave signed."""
    proved: int
    accurate: int
    """Rewarded contributions; less than `proved` by those of claimed work orders."""
    faulty: int
    deposits: int
    withdrawals: int
    subscriptions: int
    unsubscriptions: int
    evictions: int
    policy_updates: int
    market_orders: int
    closed_orders: int
    """By `closeMarketOrder`, not by being bought up."""
    traps: Mapping[str, Laid]
    """Name of a trap -> where it was laid; what traps buy and do is in the counts above, too."""


class Tally:
    """Counts logs by who emitted them: only the deployment's own count."""

    def __init__(self, hub: Address, marketplace: Address, pools: list[Pool]) -> None:
        self._hub = hub
        self._marketplace = marketplace
        self._pools = pools
        self._counts: Counter[bytes] = Counter()
        self._workers: set[bytes] = set()
        self._last_block = 0
        self.work_orders: list[Address] = []

    def seen(self, receipts: Sequence[Receipt]) -> None:
        """Count a block's receipts."""
        pools = {pool.address for pool in self._pools}
        for receipt in receipts:
            self._last_block = receipt.block
            for log in receipt.logs:
                if log.address not in {self._hub, self._marketplace} and log.address not in pools:
                    continue
                topic = log.topics[0]
                self._counts[topic] += 1
                if topic == HUB["WorkOrderActivated"]:
                    self.work_orders.append(Address(f"0x{log.data[12:32].hex()}"))
                elif topic == POOL["WorkerSubscribe"]:
                    self._workers.add(log.topics[1])

    def summary(
        self,
        *,
        first_block: int,
        head: int,
        sent: tuple[int, int],
        enclave: int,
        traps: Mapping[str, Laid],
    ) -> Summary:
        """The counts so far; `sent` is how many transactions, and how many that reverted."""
        counts = self._counts
        completed, claimed = counts[HUB["WorkOrderCompleted"]], counts[HUB["WorkOrderClaimed"]]
        return Summary(
            first_block=first_block,
            last_block=self._last_block,
            head=head,
            transactions=sent[0],
            reverted=sent[1],
            workers=len(self._workers),
            pools=tuple(pool.address for pool in self._pools),
            work_orders=tuple(self.work_orders),
            completed=completed,
            claimed=claimed,
            left=len(self.work_orders) - completed - claimed,
            reopened=counts[POOL["Reopen"]],
            authorised=counts[POOL["AllowWorkerToContribute"]],
            contributions=counts[POOL["Contribute"]],
            enclave=enclave,
            proved=counts[POOL["Reveal"]],
            accurate=counts[HUB["AccurateContribution"]],
            faulty=counts[HUB["FaultyContribution"]],
            deposits=counts[HUB["Deposit"]],
            withdrawals=counts[HUB["Withdraw"]],
            subscriptions=counts[HUB["WorkerPoolSubscription"]],
            unsubscriptions=counts[HUB["WorkerPoolUnsubscription"]],
            evictions=counts[HUB["WorkerPoolEviction"]],
            policy_updates=counts[POOL["WorkerPoolPolicyUpdate"]],
            market_orders=counts[MARKETPLACE["MarketOrderCreated"]],
            closed_orders=counts[MARKETPLACE["MarketOrderClosed"]],
            traps=traps,
        )
