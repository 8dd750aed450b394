"""What the contracts do that nobody expects: lawful histories that mislead a naive ledger."""

from __future__ import annotations

import pytest

from monitor.poco.v1 import events as e
from monitor.poco.v1.facts import OrderFacts
from monitor.poco.v1.laws import locked_by
from monitor.poco.v1.state import Account, ContributionStatus, WorkOrderStatus
from tests.poco.v1.contracts import Work, address, digest
from tests.poco.v1.scenes import RICH, RIGHT, Scene, found, run


def amounts(scene: Scene, kind: type[e.Reward | e.Seize]) -> list[int]:
    return [each.event.amount for each in scene.chain.logged if isinstance(each.event, kind)]


def test_trap_effects_come_before_the_event_that_explains_them() -> None:
    """Several claims in one transaction of a contract: each closes what came before it."""
    scene = Scene()
    works = [scene.buy(value) for value in (100, 200, 300)]
    for work in works:
        scene.contribute(work, scene.workers[0])
    scene.chain.mine(works[-1].timeout)
    chain = scene.send()
    for work in works:
        chain.claim(work)
    assert amounts(scene, e.Seize) == amounts(scene, e.Reward) == [30, 60, 90]
    assert found(scene.world) == []
    assert scene.replayed().state.accounts[chain.hub] == Account(0, 180)


def test_trap_several_purchases_in_one_transaction_are_bound_in_order() -> None:
    """Each work order is of the order that was bought of just before it."""
    scene = Scene()
    indices = [scene.order(value, volume=2) for value in (100, 200)]
    chain = scene.send()
    buys = [indices[n] for n in (1, 0, 1, 0)]
    works = [chain.buy(n, scene.requester, scene.app, None) for n in buys]
    assert found(scene.world) == []
    orders = scene.replayed().state.work_orders
    assert [orders[work.woid].value for work in works] == [200, 100, 200, 100]
    assert [orders[work.woid].order for work in works] == buys


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
def test_trap_score_counts_by_the_log_and_not_by_the_block(*, is_before: bool) -> None:
    """A worker contributes in the block in which another of its work orders is finalised."""
    scene = Scene()
    worker = scene.workers[2]
    other = scene.buy()
    scene.send().allow(other, worker)
    work = scene.revealed()
    chain = scene.send()
    if is_before:
        chain.contribute(other, worker, RIGHT)
        chain.send()
        chain.finalize(work)
    else:
        chain.finalize(work)
        chain.send()
        chain.contribute(other, worker, RIGHT)
    assert chain.logged[-1].block == chain.logged[-3].block
    assert found(scene.world) == []
    part = scene.replayed().state.work_orders[other.woid].contributions[worker]
    assert part.score == (0 if is_before else 1)


def test_trap_amounts_of_nothing_are_emitted_all_the_same() -> None:
    """A work order of no value, without stakes: every Reward and Seize is there, of 0."""
    scene = Scene(app_price=0, dataset_price=0)
    scene.send().change_policy(scene.pool, 0, 100, 0, 0)
    scene.finalized(value=0)
    assert amounts(scene, e.Reward) == [0, 0, 0]
    assert amounts(scene, e.Seize) == [0, 0]
    assert found(scene.world) == []


@pytest.mark.parametrize(("value", "kitty"), [(0, 0), (3, 0), (4, 1)])
def test_trap_claim_of_little_leaves_the_kitty_empty(value: int, kitty: int) -> None:
    """30 % of 3 nRLC is nothing: Seize 0, Reward 0, and the next finalisation draws nothing."""
    scene = Scene()
    scene.claimed(value)
    assert amounts(scene, e.Reward) == amounts(scene, e.Seize) == [kitty]
    work = scene.finalized()
    assert found(scene.world) == []
    assert scene.replayed().state.work_orders[work.woid].kitty_drawn == kitty


def test_trap_right_and_unrevealed_is_faulty() -> None:
    """The consensus alone pays nobody."""
    scene = Scene()
    work = scene.buy()
    for worker in scene.workers:
        scene.contribute(work, worker)
    scene.agree(work)
    scene.reveal(work, scene.workers[0])
    scene.chain.now = work.reveal_date
    scene.send().finalize(work)
    assert found(scene.world) == []
    state = scene.replayed().state
    assert state.failed == dict.fromkeys(scene.workers[1:], 1)
    assert state.accounts[scene.workers[1]] == Account(RICH - 40, 10)


def reopened(scene: Scene) -> Work:
    """A work order to which the first worker was rejected, and that is active again."""
    work = scene.buy()
    scene.contribute(work, scene.workers[0])
    scene.agree(work)
    scene.chain.now = work.reveal_date
    scene.send().reopen(work)
    return work


def test_trap_rejected_is_faulty_when_the_work_order_completes() -> None:
    """However late; it could not contribute again."""
    scene = Scene()
    work = reopened(scene)
    scene.contribute(work, scene.workers[1])
    scene.agree(work)
    scene.reveal(work, scene.workers[1])
    scene.send().finalize(work)
    assert found(scene.world) == []
    state = scene.replayed().state
    part = state.work_orders[work.woid].contributions[scene.workers[0]]
    assert (part.status, part.weight) == (ContributionStatus.REJECTED, 0)
    assert state.failed == {scene.workers[0]: 1}


def test_trap_rejected_has_its_stake_back_when_the_work_order_is_claimed() -> None:
    """And its score."""
    scene = Scene()
    work = reopened(scene)
    scene.chain.mine(work.timeout)
    scene.send().claim(work)
    assert found(scene.world) == []
    state = scene.replayed().state
    assert state.accounts[scene.workers[0]] == Account(RICH - 10, 10)
    assert state.failed == state.scores == {}


def test_trap_proved_gain_nothing_by_a_claim() -> None:
    """Every winner had revealed, nobody finalised in time: no pay, no score."""
    scene = Scene()
    work = scene.revealed(wrong=0)
    scene.chain.mine(work.timeout)
    scene.send().claim(work)
    assert found(scene.world) == []
    state = scene.replayed().state
    assert state.scores == {}
    assert [state.accounts[w] for w in scene.workers] == [Account(RICH - 10, 10)] * 3
    assert scene.owner not in state.accounts


def test_trap_requester_that_cannot_claim_leaves_its_locks_for_ever() -> None:
    """As a contract like IexecAPI: what is locked stays accounted for."""
    scene = Scene()
    work = scene.buy()
    scene.contribute(work, scene.workers[0])
    scene.chain.mine(10 * work.timeout)
    scene.finalized()
    assert found(scene.world) == []
    state = scene.replayed().state
    assert state.work_orders[work.woid].status is WorkOrderStatus.ACTIVE
    held = [(hold.reason, hold.amount) for hold in locked_by(state, scene.requester)]
    assert held == [("value", 100), ("emit_cost", 7)]


def test_trap_order_on_an_address_that_is_no_pool_locks_and_can_be_closed() -> None:
    """Only `m_owner()` is asked; such an order can have a volume beyond 64 bits."""
    scene = Scene()
    owner = scene.requester
    free = OrderFacts(1, 3, 2**200, address("no pool"), owner)
    dear = OrderFacts(1, 100, 2, address("no pool"), owner)
    indices = [scene.send().create_order(facts) for facts in (free, dear)]
    assert found(scene.world) == []
    assert scene.replayed().state.accounts[owner] == Account(RICH - 60, 60)
    for index in indices:
        scene.send().close_order(index)
    assert found(scene.world) == []
    assert scene.replayed().state.accounts[owner] == Account(RICH, 0)


def test_trap_one_person_can_be_everybody() -> None:
    """Scheduler, requester, worker, owner of app and dataset: one account."""
    scene = Scene()
    chain, one = scene.chain, scene.workers[0]
    app, dataset = chain.create_app(one, 5), chain.create_dataset(one, 2)
    pool = chain.create_pool(one, 10)
    scene.send().unsubscribe(one)
    scene.send().subscribe(one, pool)
    index = scene.send().create_order(OrderFacts(1, 100, 1, pool, one))
    work = scene.send().buy(index, one, app, dataset)
    scene.contribute(work, one)
    scene.agree(work)
    scene.reveal(work, one)
    scene.send().finalize(work)
    assert found(scene.world) == []
    assert scene.replayed().state.accounts[one] == Account(RICH - 10, 10)


def test_trap_worker_that_left_is_still_paid_and_slashed() -> None:
    """Affiliation is asked for at the authorisation only."""
    scene = Scene()
    work = scene.buy()
    for worker in scene.workers[:2]:
        scene.send().allow(work, worker)
        scene.send().unsubscribe(worker, is_eviction=worker == scene.workers[1])
    for number, worker in enumerate(scene.workers[:2]):
        scene.send().contribute(work, worker, digest(f"{number}"))
    scene.send().reveal_consensus(work, digest(digest("0")))
    scene.send().reveal(work, scene.workers[0], digest("0"))
    scene.send().finalize(work)
    assert found(scene.world) == []
    state = scene.replayed().state
    assert state.succeeded == {scene.workers[0]: 1}
    assert state.failed == {scene.workers[1]: 1}


def test_trap_rlc_sent_to_the_hub_is_nobody_s() -> None:
    """It is in the hub's balance, and in no account."""
    scene = Scene()
    scene.send().transfer(scene.owner, 77)
    assert found(scene.world) == []
    state = scene.replayed().state
    assert state.stray == 77
    assert scene.owner not in state.accounts


def test_trap_kitty_is_drawn_from_by_every_pool() -> None:
    """What one pool's scheduler lost, another one's gets: all up to 1,000, then a tenth."""
    scene = Scene()
    scene.claimed(value=40_000)
    kitties = []
    for _ in range(3):
        scene.finalized()
        kitties.append(scene.replayed().state.accounts[scene.chain.hub].locked)
    assert kitties == [12_000 - 1_200, 10_800 - 1_080, 9_720 - 1_000]
    assert found(scene.world) == []


STRANGERS = (
    e.PolicyUpdate(address("stranger"), 30, 99, 1, 99, 0, 0, 0, 0),
    e.WorkOrderActive(address("stranger"), address("work order 0")),
    e.Reopen(address("stranger"), address("work order 0")),
    e.WorkerPoolEviction(address("stranger"), address("worker 0")),
)


@pytest.mark.parametrize("event", STRANGERS, ids=lambda event: type(event).__name__)
def test_trap_look_alike_of_a_stranger_moves_nothing(event: e.Event) -> None:
    """Whoever emits what a pool emits is no pool, and changes no account."""
    scene = Scene()
    work = scene.revealed()
    before = scene.replayed().state
    scene.emit(event)
    after = run(scene.world, scene.chain.logged)
    assert len(after.differences) == 1
    assert after.state == before
    assert work.woid == address("work order 0")
