"""What holds of any ledger, whatever its history: conservation, and what every locked nRLC holds.

A law is checked on the ledger that the rules predict, and on what is stored only where `compare`
has not already looked: a number that was changed in the contracts' storage is one difference, not
three. What breaks a law is a rule that is wrong, a log that is missing, or a contract that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.compare import NO_ACCOUNT
from monitor.poco.v1.rules import ask_stake
from monitor.poco.v1.state import (
    ContributionStatus,
    State,
    WorkOrder,
    WorkOrderStatus,
)
from monitor.poco.v1.stored import Stored

LIVE = (WorkOrderStatus.ACTIVE, WorkOrderStatus.REVEALING)
Reason = Literal[
    "subscription", "order", "value", "emit_cost", "ask_stake", "contribution", "kitty"
]


class Hold(NamedTuple):
    """Why some of an account's RLC is locked."""

    reason: Reason
    """`order`: what is left of a market order; `value` and `emit_cost`: a requester's; `ask_stake`:
    the scheduler's, of a work order that runs; `kitty`: the hub's own."""
    of: Address | int | None
    """The pool, the market order's index or the work order; None for the kitty."""
    amount: int
    """nRLC, never 0."""


def locked_by(state: State, account: Address) -> list[Hold]:
    """What holds the account's locked RLC: subscription, orders by index, work orders as bought."""
    return holds(state).get(account, [])


def holds(state: State) -> dict[Address, list[Hold]]:
    """Of every account that has something locked, what holds it, by the rules alone."""
    found: dict[Address, list[Hold]] = {}

    def hold(account: Address, reason: Reason, of: Address | int | None, amount: int) -> None:
        if amount:
            found.setdefault(account, []).append(Hold(reason, of, amount))

    for worker, pool in state.affiliations.items():
        hold(worker, "subscription", pool, state.pools[pool].subscription_lock)
    for index, order in sorted(state.orders.items()):
        if not order.is_closed:
            hold(order.facts.owner, "order", index, ask_stake(order.facts.value) * order.remaining)
    for woid, task in state.work_orders.items():
        if task.status in LIVE:
            hold(task.requester, "value", woid, task.value)
            hold(task.requester, "emit_cost", woid, task.emit_cost)
            hold(task.scheduler, "ask_stake", woid, ask_stake(task.value))
            for worker in task.contributors:
                hold(worker, "contribution", woid, task.stake_amount)
    hold(state.hub, "kitty", None, _kitty(state))
    return found


def _kitty(state: State) -> int:
    """What failed work orders left there, less what finalisations drew."""
    tasks = state.work_orders.values()
    left = sum(ask_stake(task.value) for task in tasks if task.status == WorkOrderStatus.CLAIMED)
    return left - sum(task.kitty_drawn for task in tasks)


def conservation(state: State, stored: Stored) -> Iterator[Difference]:
    """1. What the hub owes its accounts is what it has, but for strays, to the last nRLC."""
    owed = sum(account.stake + account.locked for account in state.accounts.values())
    deposited = state.deposited - state.withdrawn
    if owed != deposited:
        yield Difference(
            kind="invariant",
            why=f"law 1: all accounts together hold {owed} nRLC, and deposits less withdrawals "
            f"are {deposited}",
            account=state.hub,
            predicted=owed,
            logged=deposited,
            delta=deposited - owed,
        )
    if owed + state.stray != stored.hub_balance:
        yield Difference(
            kind="invariant",
            why=f"law 1: the hub has {stored.hub_balance} nRLC on the token, and its accounts with "
            f"{state.stray} nRLC of strays make {owed + state.stray}",
            account=state.hub,
            predicted=owed + state.stray,
            stored=stored.hub_balance,
            delta=stored.hub_balance - owed - state.stray,
        )


def accounting(state: State, stored: Stored) -> Iterator[Difference]:
    """2. Each account's stake is what the events brought it; the hub's own is law 4."""
    del stored
    for account in sorted({*state.accounts, *state.logged} - {state.hub}):
        predicted = state.accounts.get(account, NO_ACCOUNT)
        total, logged = predicted.stake + predicted.locked, state.logged.get(account, 0)
        if total != logged:
            yield Difference(
                kind="invariant",
                why=f"law 2: by the rules {account} has {total} nRLC, free and locked, and the "
                f"events of its deposits, withdrawals, rewards and seizures make {logged}",
                account=account,
                predicted=total,
                logged=logged,
                delta=logged - total,
            )


def balance(state: State, stored: Stored) -> Iterator[Difference]:
    """3. The end of a work order moves RLC between accounts, and makes or burns none."""
    del stored
    for woid, task in state.work_orders.items():
        made = sum(stake + locked for stake, locked in task.rewards.values())
        if made:
            yield _of_task(woid, task, "law 3: its end made RLC out of nothing", 0, made)


def kitty(state: State, stored: Stored) -> Iterator[Difference]:
    """4. The hub has nothing free; locked it has what failures left and successes did not draw."""
    del stored
    hub = state.accounts.get(state.hub, NO_ACCOUNT)
    logged = state.logged.get(state.hub, 0)
    if hub.stake:
        yield Difference(
            kind="invariant",
            why=f"law 4: the hub's own free stake is {hub.stake} nRLC, and can only be 0",
            account=state.hub,
            predicted=0,
            delta=hub.stake,
        )
    if hub.locked != logged:
        yield Difference(
            kind="invariant",
            why=f"law 4: the kitty is {hub.locked} nRLC by the rules, and the hub's rewards less "
            f"its seizures make {logged}",
            account=state.hub,
            predicted=hub.locked,
            logged=logged,
            delta=logged - hub.locked,
        )


def history(state: State, stored: Stored) -> Iterator[Difference]:
    """5. The hub counts as many good and faulty contributions as there were.

    It has one count of each for all accounts (`m_contributionHistory` is a struct, no mapping), so
    that whatever `histories` is keyed by, its sum is compared.
    """
    if not stored.histories:
        return
    counted = stored.histories.values()
    for name, predicted, found in (
        ("good", sum(state.succeeded.values()), sum(good for good, _ in counted)),
        ("faulty", sum(state.failed.values()), sum(faulty for _, faulty in counted)),
    ):
        if predicted != found:
            yield Difference(
                kind="invariant",
                why=f"law 5: the hub counts {found} {name} contributions, and there were "
                f"{predicted}",
                account=state.hub,
                predicted=predicted,
                stored=found,
                delta=found - predicted,
            )


def locks(state: State, stored: Stored) -> Iterator[Difference]:
    """6. Every locked nRLC is held by something, and by one thing only."""
    del stored
    held = holds(state)
    for account in sorted({*held, *state.accounts}):
        amount = sum(hold.amount for hold in held.get(account, []))
        locked = state.accounts.get(account, NO_ACCOUNT).locked
        if amount != locked:
            yield Difference(
                kind="invariant",
                why=f"law 6: {locked} nRLC of {account} are locked, and what holds them makes "
                f"{amount}",
                account=account,
                predicted=amount,
                delta=locked - amount,
            )


def terms(state: State, stored: Stored) -> Iterator[Difference]:
    """7. A work order has the terms of the day it was bought, whatever its pool has changed since.

    That each event told the score and the policy of its moment is seen by the replay, as it comes.
    """
    for woid, found in sorted(stored.work_orders.items()):
        task = state.work_orders.get(woid)
        if task is None:
            continue
        for name, predicted, stored_value in (
            ("reward of the pool", task.value, found.pool_reward),
            ("stake of a contribution", task.stake_amount, found.stake_amount),
            ("scheduler's percentage", task.scheduler_ratio, found.scheduler_ratio),
        ):
            if predicted != stored_value:
                yield Difference(
                    kind="invariant",
                    why=f"law 7: the {name} of {woid} is {stored_value} on the chain, and was "
                    f"{predicted} when it was bought",
                    task=woid,
                    predicted=predicted,
                    stored=stored_value,
                    delta=stored_value - predicted,
                )


def payment(state: State, stored: Stored) -> Iterator[Difference]:
    """8. A finalised work order pays its value and the lost stakes, all of it and no more."""
    del stored
    for woid, task in state.work_orders.items():
        if task.status == WorkOrderStatus.COMPLETED:
            proved = sum(
                each.status == ContributionStatus.PROVED for each in task.contributions.values()
            )
            freed = sum(stake for stake, _ in task.rewards.values())
            # What became free at its end and is no pay for the work.
            freed -= task.stake_amount * proved + ask_stake(task.value)
            paid = freed - task.emit_cost - task.kitty_drawn
            pot = task.value + task.stake_amount * (len(task.contributors) - proved)
            if paid != pot:
                why = "law 8: its workers and its scheduler did not get its pot"
                yield _of_task(woid, task, why, pot, paid)


def _of_task(woid: Address, task: WorkOrder, why: str, predicted: int, found: int) -> Difference:
    block, log_index = task.ended_at or (None, None)
    return Difference(
        kind="invariant",
        why=f"{why}: {found} nRLC at the end of {woid}, where {predicted} were due",
        task=woid,
        predicted=predicted,
        delta=found - predicted,
        block=block,
        log_index=log_index,
    )


class Law(NamedTuple):
    """One sentence that is true of every ledger."""

    number: int
    says: str
    source: str
    """The contract and the function that make it so."""
    broken: Callable[[State, Stored], Iterator[Difference]]


LAWS = (
    Law(
        1,
        "sum of (stake + locked) = RLC.balanceOf(hub) - stray",
        "IexecHub.deposit, withdraw: the only ways in and out",
        conservation,
    ),
    Law(
        2,
        "stake + locked = Deposit - Withdraw + Reward - Seize",
        "IexecHub.reward, seize: each with its event; lock and unlock keep the sum",
        accounting,
    ),
    Law(
        3,
        "at each end, sum of Reward = sum of Seize",
        "WorkerPool.distributeRewards; IexecHub.finalizeWorkOrder, claimFailedConsensus",
        balance,
    ),
    Law(
        4,
        "hub.stake = 0, hub.locked = Reward(hub) - Seize(hub)",
        "IexecHub.claimFailedConsensus: reward and lock; finalizeWorkOrder: seize of a share",
        kitty,
    ),
    Law(
        5,
        "m_contributionHistory = (AccurateContribution, FaultyContribution)",
        "IexecHub.rewardForWork, seizeForWork",
        history,
    ),
    Law(
        6,
        "locked = subscription + orders + running work orders + kitty",
        "IexecHub.lock: registerToPool, lockForOrder, lockForWork, lockWorkOrderCost, "
        "claimFailedConsensus",
        locks,
    ),
    Law(
        7,
        "m_consensus keeps the terms of the emission",
        "WorkerPool.emitWorkOrder; the replay compares AllowWorkerToContribute.workerScore and "
        "the old values of WorkerPoolPolicyUpdate",
        terms,
    ),
    Law(
        8,
        "workers' rewards + scheduler's = value + stakeAmount * (contributors - proved)",
        "WorkerPool.distributeRewards",
        payment,
    ),
)


def check(state: State, stored: Stored) -> list[Difference]:
    """Every law that does not hold, in the order of the laws."""
    return [difference for law in LAWS for difference in law.broken(state, stored)]
