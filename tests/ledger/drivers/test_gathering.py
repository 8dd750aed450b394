"""From events to columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from monitor.ledger.drivers.columns import BLOCK_MAX, NOBODY, OPEN, Columns, place_of
from monitor.ledger.drivers.gathering import (
    FIRST_SCHEDULER_RATIO,
    FIRST_STAKE_RATIO,
    ImpossibleHistory,
    columns_of,
)
from monitor.ledger.kernels.bounds import OutOfBounds
from monitor.poco.v1 import events as e
from monitor.poco.v1.facts import MissingFact, OrderFacts
from monitor.poco.v1.state import Pool
from tests.ledger.drivers.finished import (
    MAKER,
    OWNER,
    REQUESTER,
    RLC,
    VALUE,
    WORKERS,
    finished,
    gathered,
)
from tests.poco.v1.contracts import Chain, address, digest
from tests.poco.v1.world import history

EFFECTS = (e.Reward, e.Seize, e.AccurateContribution, e.FaultyContribution)


def listed(columns: Columns) -> list[Any]:
    """Columns that can be compared."""
    groups = (columns.work_orders, columns.contributions, columns.moves)
    arrays = [[column.tolist() for column in group] for group in groups]
    return [columns.accounts, columns.tasks, columns.hub, arrays]


def test_gathered_work_order_is_as_it_was_bought_done_and_finalised() -> None:
    """Every column of one history that is read off by eye."""
    chain = finished()
    found = gathered(chain)
    orders, contributions = found.work_orders, found.contributions
    name = found.accounts.__getitem__
    assert found.accounts[found.hub] == chain.hub
    assert found.tasks == tuple(chain.works)
    assert orders.value.tolist() == [VALUE]
    assert orders.stake.tolist() == [VALUE * 30 // 100]
    assert orders.scheduler_ratio.tolist() == [1]
    assert [name(orders.scheduler[0]), name(orders.requester[0])] == [OWNER, REQUESTER]
    assert [name(orders.app_owner[0]), name(orders.dataset_owner[0])] == [MAKER, MAKER]
    assert [orders.app_price[0], orders.dataset_price[0]] == [3, 4]
    assert orders.is_completed.tolist() == [True]
    assert orders.offsets.tolist() == [0, 3]
    assert [name(worker) for worker in contributions.worker] == list(WORKERS)
    assert contributions.is_enclave.tolist() == [False, True, False]
    assert contributions.is_proved.tolist() == [False, True, True]
    at = {type(one.event): place_of(one.block, one.log_index) for one in chain.logged}
    assert orders.ended.tolist() == [at[e.WorkOrderCompleted]]
    assert contributions.place[-1] == at[e.Contribute]
    ask = VALUE * 30 // 100 * 2
    assert set(zip(*(column.tolist() for column in found.moves), strict=True)) >= {
        (found.accounts.index(OWNER), -ask, ask),
        (found.accounts.index(WORKERS[0]), -10 * RLC, 10 * RLC),
        (found.accounts.index(REQUESTER), 100 * RLC, 0),
    }


def test_columns_follow_from_what_drives_the_ledger_and_not_from_its_effects() -> None:
    """Rewards and scores as they were emitted are evidence: without them the columns are equal."""
    chain = finished()
    driving = [one for one in chain.logged if not isinstance(one.event, EFFECTS)]
    assert len(driving) < len(chain.logged)
    assert listed(columns_of(driving, chain.facts(), chain.hub)) == listed(gathered(chain))


def test_contributions_are_laid_out_work_order_by_work_order() -> None:
    """Of two that go on at once, each one's are together and in their order; open ends are so."""
    chain = finished()
    pool, app = next(iter(chain.pools)), next(iter(chain.apps))
    chain.change_policy(pool, 0, 7, 0, 0)
    index = chain.create_order(OrderFacts(1, 1000, 2, pool, OWNER))
    works = [chain.buy(index, REQUESTER, app, None) for _ in range(2)]
    for worker, work in ((2, 1), (0, 0), (0, 1), (1, 0)):
        chain.allow(works[work], WORKERS[worker])
        chain.contribute(works[work], WORKERS[worker], digest("x"))
    found = gathered(chain)
    assert found.work_orders.offsets.tolist() == [0, 3, 5, 7]
    named = [found.accounts[worker] for worker in found.contributions.worker[3:]]
    assert named == [WORKERS[0], WORKERS[1], WORKERS[2], WORKERS[0]]
    assert found.work_orders.ended.tolist()[1:] == [OPEN, OPEN]
    assert found.work_orders.dataset_owner.tolist()[1:] == [NOBODY, NOBODY]
    assert found.work_orders.scheduler_ratio.tolist() == [1, 7, 7]
    assert found.work_orders.stake.tolist()[1:] == [0, 0]


def test_contributions_of_each_work_order_are_in_their_order_however_many_there_are() -> None:
    """Places ascend within a work order, in a history in which many go on at once."""
    world = history(1, workers=20, orders=60, in_flight=20)
    found = columns_of(world.logged, world.facts, world.hub)
    bounds = found.work_orders.offsets.tolist()
    assert bounds[-1] > 100
    for first, end in pairwise(bounds):
        places = found.contributions.place[first:end].tolist()
        assert places == sorted(set(places))


def test_new_pool_has_the_ratios_of_its_constructor() -> None:
    """The same that the replay begins with."""
    pool = Pool(OWNER, 0)
    assert (pool.stake_ratio, pool.scheduler_ratio) == (FIRST_STAKE_RATIO, FIRST_SCHEDULER_RATIO)


@pytest.mark.parametrize("name", ["orders", "subscription_locks", "work_orders"])
def test_fact_that_is_missing_is_named(name: str) -> None:
    """Nothing is taken to be zero because nobody read it."""
    chain = finished()
    nothing: Any = {name: {}}
    lacking = dataclasses.replace(chain.facts(), **nothing)
    with pytest.raises(MissingFact) as caught:
        columns_of(chain.logged, lacking, chain.hub)
    assert caught.value.fact == name
    assert caught.value.key in getattr(chain.facts(), name)


def dropped(logged: Iterable[e.Logged], kinds: type) -> list[e.Logged]:
    return [one for one in logged if not isinstance(one.event, kinds)]


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (e.CreateApp, "app 0x"),
        (e.CreateDataset, "dataset 0x"),
        (e.CreateWorkerPool, "pool 0x"),
        (e.MarketOrderCreated, "what remains of market order 1"),
        (e.MarketOrderAskConsume, "was bought of no market order"),
        (e.WorkOrderActive, "open work order 0x"),
        (e.Contribute, "what was contributed to 0x"),
    ],
)
def test_event_that_is_missing_makes_an_impossible_history(missing: type, named: str) -> None:
    """What follows from nothing is not made up."""
    chain = finished()
    with pytest.raises(ImpossibleHistory, match=named):
        columns_of(dropped(chain.logged, missing), chain.facts(), chain.hub)


@pytest.mark.parametrize(
    ("twice", "named"),
    [
        (e.Contribute, "twice"),
        (e.WorkOrderCompleted, "open work order 0x"),
        (e.WorkOrderActive, "no market"),
    ],
)
def test_event_that_comes_twice_makes_an_impossible_history(twice: type, named: str) -> None:
    """A worker contributes to a work order once, and it ends once."""
    chain = finished()
    logged = [again for one in chain.logged for again in [one] * (1 + isinstance(one.event, twice))]
    with pytest.raises(ImpossibleHistory, match=named):
        columns_of(logged, chain.facts(), chain.hub)


def test_close_of_an_order_never_made_is_an_impossible_history() -> None:
    """Neither its terms nor what remains of it are known."""
    chain = finished()
    closed = e.Logged(1, 0, digest("transaction"), e.MarketOrderClosed(9))
    with pytest.raises(ImpossibleHistory, match="market order 9"):
        columns_of([*chain.logged, closed], chain.facts(), chain.hub)


def test_closed_order_gives_back_what_is_left_and_only_once() -> None:
    """One of two was bought: one stake comes back; a second close of nothing moves nothing."""
    chain = finished()
    chain.close_order(1)
    found = gathered(chain)
    ask = VALUE * 30 // 100
    moves = list(zip(*(column.tolist() for column in found.moves), strict=True))
    assert moves[-1] == (found.accounts.index(OWNER), ask, -ask)
    again = [*chain.logged, chain.logged[-1]]
    assert len(columns_of(again, chain.facts(), chain.hub).moves.stake) == len(moves)


def test_order_that_is_never_announced_locks_as_well() -> None:
    """A pool that makes an order when asked for its owner: index 2 is announced twice, 1 never."""
    chain = Chain()
    pool = address("re-entrant")
    chain.deposit(pool, 100)
    chain.create_order(
        OrderFacts(1, 10, 1, pool, pool),
        lambda: chain.create_order(OrderFacts(1, 100, 2, pool, pool)),
    )
    moves = gathered(chain).moves
    assert sorted(moves.locked.tolist()) == [0, 3, 60]


def test_stake_that_nobody_paid_may_have_any_number_of_bits() -> None:
    """A ratio has no upper bound; where somebody did contribute, it is refused."""
    chain = finished()
    pool, app = next(iter(chain.pools)), next(iter(chain.apps))
    chain.change_policy(pool, 2**200, 1, 0, 0)
    work = chain.buy(1, REQUESTER, app, None)
    assert gathered(chain).work_orders.stake.tolist() == [VALUE * 30 // 100, 0]
    chain.allow(work, WORKERS[0])
    logged = list(chain.logged)
    chain.deposit(WORKERS[0], work.stake_amount)
    chain.contribute(work, WORKERS[0], digest("x"))
    with pytest.raises(OutOfBounds, match="stake has more than 64 bits"):
        columns_of([*logged, chain.logged[-1]], chain.facts(), chain.hub)


def test_amount_moved_that_has_no_64_bits_is_refused() -> None:
    """The largest that has is taken."""
    chain = Chain()
    chain.deposit(OWNER, 2**63 - 1)
    assert gathered(chain).moves.stake.tolist() == [2**63 - 1]
    chain.deposit(OWNER, 2**63)
    with pytest.raises(OutOfBounds, match="more than 64 bits are moved: stake 9223372036854775808"):
        gathered(chain)


@pytest.mark.parametrize(("block", "is_refused"), [(BLOCK_MAX, False), (BLOCK_MAX + 1, True)])
def test_block_beyond_what_a_place_holds_is_refused(block: int, is_refused: bool) -> None:
    """A place would wrap: the last block that fits is taken."""
    chain = finished()
    late = e.Logged(block, 0, digest("transaction"), e.Deposit(OWNER, 1))
    logged = [*chain.logged, late]
    if is_refused:
        with pytest.raises(OutOfBounds, match="is above"):
            columns_of(logged, chain.facts(), chain.hub)
    else:
        assert columns_of(logged, chain.facts(), chain.hub).moves.stake[-1] == 1
