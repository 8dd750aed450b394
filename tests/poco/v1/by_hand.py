"""A small ledger written out by hand, every number of it lawful, and what the getters say of it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from monitor.model import Address, Hash32
from monitor.poco.v1.facts import OrderFacts
from monitor.poco.v1.state import (
    Account,
    Contribution,
    ContributionStatus,
    Order,
    Pool,
    Priced,
    State,
    WorkOrder,
    WorkOrderStatus,
)
from monitor.poco.v1.stored import Stored, StoredContribution, StoredWorkOrder


def named(number: int) -> Address:
    return Address(f"0x{number:040x}")


HUB, POOL = named(0x0D), named(0x90)
SCHEDULER, REQUESTER, OWNER = named(0x5C), named(0x4E), named(0x0E)
GOOD, FAULTY, IDLE = named(0xA1), named(0xA2), named(0xA3)
"""Workers: one that is paid, one that is not, one that was authorised and did nothing."""
APP, DATASET = named(0xAB), named(0xDA)
FAILED, PAID, UNPAID, RUNNING = (named(0xF0 + number) for number in range(4))
"""Work orders: claimed with no contribution, completed, claimed with one, active."""
STRANGER = named(0xEE)
RIGHT, WRONG = Hash32("0x" + "11" * 32), Hash32("0x" + "22" * 32)
ORDER = OrderFacts(category=1, value=100, volume=5, pool=POOL, owner=SCHEDULER)


def _work_order(**more: Any) -> WorkOrder:
    terms: dict[str, Any] = {
        "pool": POOL,
        "order": 1,
        "requester": REQUESTER,
        "scheduler": SCHEDULER,
        "value": 100,
        "app": APP,
        "dataset": DATASET,
        "emit_cost": 7,
        "stake_amount": 30,
        "scheduler_ratio": 1,
    }
    return WorkOrder(**{**terms, **more})


def _work_orders() -> dict[Address, WorkOrder]:
    contributed, proved = ContributionStatus.CONTRIBUTED, ContributionStatus.PROVED
    refunded = {REQUESTER: (107, -107), SCHEDULER: (0, -30), HUB: (0, 30)}
    return {
        FAILED: _work_order(status=WorkOrderStatus.CLAIMED, ended_at=(5, 4), rewards=refunded),
        PAID: _work_order(
            status=WorkOrderStatus.COMPLETED,
            consensus=RIGHT,
            contributors=[FAULTY, GOOD],
            contributions={
                GOOD: Contribution(proved, result_hash=RIGHT, score=4, weight=3),
                FAULTY: Contribution(contributed, result_hash=WRONG, score=60),
            },
            ended_at=(9, 12),
            rewards={
                # 128 of the share of 130 * 99 // 100, and the stake of 30.
                GOOD: (158, -30),
                FAULTY: (0, -30),
                # What is left of the pot, the stake of 30, and the whole kitty.
                SCHEDULER: (2 + 30 + 30, -30),
                OWNER: (7, 0),
                REQUESTER: (0, -107),
                HUB: (0, -30),
            },
            kitty_drawn=30,
        ),
        UNPAID: _work_order(
            status=WorkOrderStatus.CLAIMED,
            contributors=[FAULTY],
            contributions={FAULTY: Contribution(contributed, result_hash=WRONG, score=10)},
            ended_at=(13, 4),
            rewards={**refunded, FAULTY: (30, -30)},
        ),
        RUNNING: _work_order(
            contributors=[GOOD],
            contributions={
                GOOD: Contribution(contributed, is_enclave=True, result_hash=RIGHT, score=5),
                IDLE: Contribution(),
            },
        ),
    }


def ledger() -> State:
    """Deposits of 4,000 nRLC, five work orders offered, four bought, 5 nRLC astray."""
    return State(
        hub=HUB,
        accounts={
            GOOD: Account(1088, 40),
            FAULTY: Account(970, 0),
            SCHEDULER: Account(912, 60),
            REQUESTER: Account(786, 107),
            OWNER: Account(7, 0),
            HUB: Account(0, 30),
        },
        scores={GOOD: 5, FAULTY: 10},
        succeeded={GOOD: 5},
        failed={FAULTY: 1},
        pools={POOL: Pool(SCHEDULER, subscription_lock=10)},
        orders={1: Order(ORDER, remaining=1)},
        orders_made=1,
        work_orders=_work_orders(),
        apps={APP: Priced(OWNER, 5)},
        datasets={DATASET: Priced(OWNER, 2)},
        clocks={1: 300},
        affiliations={GOOD: POOL},
        deposited=4500,
        withdrawn=500,
        logged={
            GOOD: 1128,
            FAULTY: 970,
            SCHEDULER: 972,
            REQUESTER: 893,
            OWNER: 7,
            HUB: 30,
        },
        stray=5,
    )


def stored_of(state: State) -> Stored:
    """What the getters of contracts say that keep the rules, of everybody the ledger names."""
    good, faulty = sum(state.succeeded.values()), sum(state.failed.values())
    accounts = {who: (each.stake, each.locked) for who, each in state.accounts.items()}
    return Stored(
        accounts={**accounts, STRANGER: (0, 0)},
        scores={who: state.scores.get(who, 0) for who in {*accounts, STRANGER}},
        histories={state.hub: (good, faulty)},
        work_orders={
            woid: StoredWorkOrder(
                each.status, each.consensus, each.value, each.stake_amount, each.scheduler_ratio
            )
            for woid, each in state.work_orders.items()
        },
        contributions={
            (woid, worker): StoredContribution(
                part.status, part.result_hash, part.is_enclave, part.score, part.weight
            )
            for woid, each in state.work_orders.items()
            for worker, part in each.contributions.items()
        },
        hub_balance=state.deposited - state.withdrawn + state.stray,
    )


def with_entry(stored: Stored, field: str, key: object, value: object) -> Stored:
    """The same answers but for one of them."""
    assert field in {each.name for each in fields(stored)}
    changed: Any = {field: {**getattr(stored, field), key: value}}
    return replace(stored, **changed)
