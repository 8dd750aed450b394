"""Market orders: what they lock, in which order nested ones are made, what cannot happen."""

from __future__ import annotations

import pytest

from monitor.poco.v1 import events as e
from monitor.poco.v1.facts import OrderFacts
from monitor.poco.v1.state import Account
from tests.poco.v1.contracts import address
from tests.poco.v1.scenes import RICH, Scene, run, whys

STRANGER = address("stranger")


def scheduler_of(scene: Scene) -> Account:
    return scene.replayed().state.accounts[scene.scheduler]


def test_order_locks_thirty_per_cent_for_each_work_order_of_it() -> None:
    """Rounded down of one value, and then multiplied."""
    scene = Scene()
    scene.order(value=33, volume=4)
    assert scheduler_of(scene) == Account(RICH - 36, 36)


def test_order_locks_the_same_whatever_the_pool_asks_of_workers() -> None:
    """The 30 is the marketplace's constant, and not the pool's ratio."""
    scene = Scene()
    scene.send().change_policy(scene.pool, 150, 5, 0, 0)
    scene.order(value=100)
    assert scheduler_of(scene) == Account(RICH - 30, 30)


def test_order_closed_unlocks_what_is_left_of_it() -> None:
    """What was bought stays locked until its work order ends."""
    scene = Scene()
    index = scene.order(value=100, volume=3)
    scene.send().buy(index, scene.requester, scene.app, None)
    scene.send().close_order(index)
    replay = scene.replayed()
    assert replay.differences == []
    assert replay.state.accounts[scene.scheduler] == Account(RICH - 30, 30)
    assert (replay.state.orders[index].remaining, replay.state.orders[index].is_closed) == (2, True)


def test_order_sold_out_is_closed_and_unlocks_nothing() -> None:
    """The last work order of it takes its lock along."""
    scene = Scene()
    index = scene.order(value=100, volume=1)
    assert not scene.replayed().state.orders[index].is_closed
    scene.send().buy(index, scene.requester, scene.app, None)
    order = scene.replayed().state.orders[index]
    assert (order.remaining, order.is_closed) == (0, True)
    assert scheduler_of(scene) == Account(RICH - 30, 30)


@pytest.mark.parametrize("kind", [e.MarketOrderClosed, e.MarketOrderAskConsume])
@pytest.mark.parametrize("state", ["closed", "sold out", "never made"])
def test_order_that_is_not_on_offer_is_neither_closed_nor_bought_of(kind: type, state: str) -> None:
    """It is said, and nothing is moved."""
    scene = Scene()
    index = 9
    if state != "never made":
        index = scene.order()
    if state == "closed":
        scene.send().close_order(index)
    elif state == "sold out":
        scene.send().buy(index, scene.requester, scene.app, None)
    before = scene.replayed().state
    scene.emit(kind(index) if kind is e.MarketOrderClosed else kind(index, scene.requester))
    replay = scene.replayed()
    word = "was never made" if state == "never made" else "is closed or sold out"
    assert whys(replay.differences) == [f"{kind.__name__} of market order {index}, which {word}"]
    assert replay.state == before


def asks(*values: int) -> list[OrderFacts]:
    """Orders of a contract that is no pool and is asked who owns it."""
    return [OrderFacts(1, value, 1, STRANGER, address(f"{value}")) for value in values]


def locked(scene: Scene) -> dict[int, int]:
    """Value -> what its owner has locked."""
    accounts = scene.replayed().state.accounts
    values = (100, 200, 300, 400)
    return {value: accounts[address(f"{value}")].locked for value in values}


@pytest.fixture
def nested() -> Scene:
    """Four rich owners of orders."""
    scene = Scene()
    for value in (100, 200, 300, 400):
        scene.send().deposit(address(f"{value}"), RICH)
    return scene


def test_nested_orders_lock_each_for_its_owner(nested: Scene) -> None:
    """Three calls in one another and one beside: the indices told are 3, 3, 4, 4."""
    chain, (outer, inner, innermost, last) = nested.send(), asks(100, 200, 300, 400)

    def during() -> None:
        chain.create_order(inner, lambda: chain.create_order(innermost))
        chain.create_order(last)

    chain.create_order(outer, during)
    told = [
        each.event.index for each in chain.logged if isinstance(each.event, e.MarketOrderCreated)
    ]
    assert told == [3, 3, 4, 4]
    replay = nested.replayed()
    assert replay.differences == []
    assert locked(nested) == {100: 30, 200: 60, 300: 90, 400: 120}
    assert list(replay.state.orders) == [3, 2, 4, 1]
    assert replay.state.orders_made == 4


def test_nested_order_can_be_closed_while_the_outer_is_made(nested: Scene) -> None:
    """An order exists when its own call has ended, and not only when the transaction has."""
    chain, (outer, inner) = nested.send(), asks(100, 200)
    chain.create_order(outer, lambda: chain.close_order(chain.create_order(inner)))
    replay = nested.replayed()
    assert replay.differences == []
    assert locked(nested) == {100: 30, 200: 0, 300: 0, 400: 0}


def test_order_whose_log_is_missing_is_found_and_still_locks(nested: Scene) -> None:
    """At the next transaction, or at the end, no call can be under way."""
    chain, (outer, inner) = nested.send(), asks(100, 200)
    chain.create_order(outer, lambda: chain.create_order(inner))
    (last,) = [n for n, each in enumerate(chain.logged) if each.event == e.MarketOrderCreated(2)][
        1:
    ]
    at_end = run(nested.world, [*chain.logged[:last], *chain.logged[last + 1 :]])
    nested.send().create_order(asks(300)[0])
    later = run(nested.world, [*chain.logged[:last], *chain.logged[last + 1 :]])
    for replay, count in ((at_end, 2), (later, 3)):
        assert whys(replay.differences) == [
            "market order 1 was made, and its MarketOrderCreated is missing"
        ]
        assert replay.differences[0].block == chain.logged[last].block
        assert replay.state.orders_made == count
        assert replay.state.accounts[address("100")].locked == 30
    assert later.state.accounts[address("300")].locked == 90


@pytest.mark.parametrize("index", [0, 1, 2])
def test_order_that_is_told_twice_is_a_difference(index: int) -> None:
    """There are as many events as orders."""
    scene = Scene()
    scene.order()
    scene.order()
    before = scene.replayed().state
    scene.emit(e.MarketOrderCreated(index))
    replay = scene.replayed()
    (difference,) = replay.differences
    assert (difference.predicted, difference.logged) == (2, index)
    assert replay.state == before


def test_purchase_that_names_no_work_order_is_a_difference() -> None:
    """The value is locked all the same; it is seen at the next purchase, or at the end."""
    scene = Scene()
    index = scene.order(volume=3)
    scene.emit(e.MarketOrderAskConsume(index, scene.requester))
    replay = scene.replayed()
    words = f"a work order was bought of market order {index}, and no pool named it"
    assert whys(replay.differences) == [words]
    assert replay.state.accounts[scene.requester] == Account(RICH - 100, 100)
    scene.emit(e.MarketOrderAskConsume(index, scene.requester))
    assert whys(scene.found()) == [words] * 2
    assert scene.replayed().state.orders[index].remaining == 1


def test_purchase_names_its_work_order_in_its_own_transaction() -> None:
    """A purchase of another transaction is not this work order's."""
    scene = Scene()
    work = scene.buy()
    logged = scene.chain.logged
    place = next(n for n, x in enumerate(logged) if isinstance(x.event, e.MarketOrderAskConsume))
    earlier = logged[place]._replace(transaction=logged[0].transaction)
    replay = run(scene.world, [*logged[:place], earlier, *logged[place + 1 :]])
    assert whys(replay.differences) == [
        f"WorkOrderActive of {work.woid}, which nobody has bought just before",
        f"WorkOrderActivated of {work.woid}, which is unset",
        "a work order was bought of market order 1, and no pool named it",
    ]
