"""Who intends what: within the bounds that keep the contracts willing."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lab.poco.accounts import named
from monitor.lab.poco.plan import (
    POOLS_MAX,
    STAKE_RATIO_MAX,
    WORKERS_A_POOL_MIN,
    Cast,
    Ending,
    Part,
    Plan,
    Task,
    happens,
    plan_of,
    starting_policies,
)
from monitor.model import Address
from tests.lab.poco.history import seeded


def planned(seed: int, *, workers: int, orders: int) -> Plan:
    cast = Cast(
        tuple(named(seed, f"scheduler {one}") for one in range(POOLS_MAX)),
        tuple(named(seed, f"worker {one}") for one in range(workers)),
        tuple(named(seed, f"requester {one}") for one in range(2)),
    )
    return plan_of(cast, seeded(seed), orders=orders)


def tasks(plan: Plan) -> list[Task]:
    return [task for offer in plan.offers for task in offer.tasks]


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), workers=st.integers(2, 80), orders=st.integers(1, 40))
def test_plan_of_any_size_holds_together(seed: int, workers: int, orders: int) -> None:
    """Everybody has one pool, every task its order, its workers the pool's, and no more."""
    plan = planned(seed, workers=workers, orders=orders)
    assert [task.number for task in tasks(plan)] == list(range(orders))
    homes = [worker for hall in plan.halls for worker in hall.workers]
    assert len(set(homes)) == len(homes) == workers
    assert len(plan.halls) == max(1, min(POOLS_MAX, workers // WORKERS_A_POOL_MIN))
    for offer in plan.offers:
        assert len(offer.tasks) <= offer.volume
        for task in offer.tasks:
            people = [share.worker for share in task.shares]
            assert len(set(people)) == len(people) >= 1
            assert set(people) <= set(plan.halls[offer.pool].workers)
            assert Part.RIGHT in {share.part for share in task.shares}
    for hall in plan.halls:
        assert all(policy.stake_ratio <= STAKE_RATIO_MAX for policy in hall.policies)
        assert all(0 <= policy.scheduler_ratio <= 100 for policy in hall.policies)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), orders=st.integers(1, 30))
def test_needs_cover_whatever_is_locked_at_once(seed: int, orders: int) -> None:
    """As if nothing were ever unlocked: nobody's transaction fails for want of stake."""
    plan = planned(seed, workers=20, orders=orders)
    least: Counter[Address] = Counter()
    for offer in plan.offers:
        least[plan.halls[offer.pool].owner] += offer.value * 30 // 100 * offer.volume
        for task in offer.tasks:
            least[task.requester] += offer.value
            for share in task.shares:
                ratio = max(policy.stake_ratio for policy in plan.halls[offer.pool].policies)
                least[share.worker] += offer.value * ratio // 100
    assert all(plan.needs.get(who, 0) >= amount for who, amount in least.items())


@pytest.mark.parametrize(
    ("orders", "ends"),
    [
        (1, {Ending.REOPENED}),
        (2, {Ending.REOPENED, Ending.CLAIMED}),
        (4, {Ending.REOPENED, Ending.CLAIMED, Ending.COMPLETED}),
        (6, set(Ending)),
        (170, set(Ending)),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_endings_are_as_many_kinds_as_there_is_room_for(
    seed: int, orders: int, ends: set[Ending]
) -> None:
    """From six work orders on, every way to end is meant at least once."""
    found = {task.ending for task in tasks(planned(seed, workers=20, orders=orders))}
    assert found == ends


def test_endings_come_in_an_order_of_the_seeds() -> None:
    """No ending has a place of its own."""
    first = {tasks(planned(seed, workers=20, orders=6))[0].ending for seed in range(40)}
    assert first == set(Ending)


def test_plan_of_a_seed_is_the_same_again() -> None:
    """And another seed's is another."""
    assert planned(1, workers=30, orders=20) == planned(1, workers=30, orders=20)
    assert planned(1, workers=30, orders=20) != planned(2, workers=30, orders=20)


def test_moves_leave_the_first_workers_and_never_go_to_the_first_pool() -> None:
    """Its minimum score comes to keep newcomers out; veterans stay where they are."""
    plan = planned(0, workers=311, orders=170)
    stay = {worker for hall in plan.halls for worker in hall.workers[:2]}
    assert {move.is_evicted for move in plan.moves} == {True, False}
    assert not stay & {move.worker for move in plan.moves}
    targets = {move.to for move in plan.moves}
    assert 0 not in targets
    assert {None, 1} <= targets
    assert all(0 <= move.after < 170 for move in plan.moves)


def test_policies_change_after_the_start_in_every_pool() -> None:
    """Some hold from the beginning; each pool has at least one more to come."""
    plan = planned(0, workers=311, orders=170)
    for pool, hall in enumerate(plan.halls):
        assert len(hall.policies) > starting_policies(pool)
    assert any(hall.policies[0].stake_ratio == 0 for hall in plan.halls)


def test_happens_never_and_always_at_the_ends() -> None:
    """A probability of nothing is never, and one of 1 always."""
    rng = seeded(0)
    assert not any(happens(rng, 0.0) for _ in range(50))
    assert all(happens(rng, 1.0) for _ in range(50))
