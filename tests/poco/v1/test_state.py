"""The ledger's shape: statuses by their numbers on the chain, and what a new thing is."""

from __future__ import annotations

from monitor.poco.v1.state import (
    NO_HASH,
    Account,
    Contribution,
    ContributionStatus,
    Pool,
    State,
    WorkOrderStatus,
)
from tests.poco.v1.by_hand import HUB, SCHEDULER


def test_statuses_have_the_numbers_of_the_contracts() -> None:
    """`IexecLib`'s enumerations: getters answer with these."""
    work_orders = ["UNSET", "ACTIVE", "REVEALING", "CLAIMED", "COMPLETED"]
    contributions = ["UNSET", "AUTHORIZED", "CONTRIBUTED", "PROVED", "REJECTED"]
    assert [WorkOrderStatus(n).name for n in range(5)] == work_orders
    assert [ContributionStatus(n).name for n in range(5)] == contributions


def test_new_pool_has_the_ratios_of_its_constructor() -> None:
    """30 and 1; neither is in the event that announces it (`WorkerPool`)."""
    pool = Pool(SCHEDULER, 10)
    assert (pool.stake_ratio, pool.scheduler_ratio) == (30, 1)


def test_new_contribution_is_authorised_and_nothing_more() -> None:
    """It stakes and says nothing yet."""
    assert Contribution() == Contribution(ContributionStatus.AUTHORIZED, False, NO_HASH, 0, 0)
    assert NO_HASH == "0x" + 64 * "0"


def test_states_share_nothing() -> None:
    """Two ledgers of one hub are two."""
    one, other = State(HUB), State(HUB)
    one.accounts[HUB] = Account(1, 1)
    one.orders_made += 1
    assert other == State(HUB) != one
