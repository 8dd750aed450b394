"""Work orders step by step: what freezes when, who is locked, and what cannot happen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.model import Hash32
from monitor.poco.v1 import events as e
from monitor.poco.v1.events import Event
from monitor.poco.v1.state import (
    NO_HASH,
    Account,
    Contribution,
    ContributionStatus,
    WorkOrder,
    WorkOrderStatus,
)
from tests.poco.v1.contracts import Work, address, digest
from tests.poco.v1.scenes import RICH, RIGHT, WRONG, Scene, run, whys

STRANGER = address("stranger")
Odd = Callable[[Scene, Work], Event]


def work_of(scene: Scene, work: Work) -> WorkOrder:
    return scene.replayed().state.work_orders[work.woid]


def test_work_order_locks_the_value_and_the_prices() -> None:
    """Of the requester; the scheduler's lock is the order's."""
    scene = Scene()
    work = scene.buy()
    replay = scene.replayed()
    assert replay.differences == []
    assert replay.state.accounts[scene.requester] == Account(RICH - 107, 107)
    assert replay.state.work_orders[work.woid] == WorkOrder(
        pool=scene.pool,
        order=1,
        requester=scene.requester,
        scheduler=scene.scheduler,
        value=100,
        app=scene.app,
        dataset=scene.dataset,
        emit_cost=7,
        stake_amount=30,
        scheduler_ratio=1,
    )


def test_work_order_without_a_dataset_costs_the_app_alone() -> None:
    """The zero address is no dataset."""
    scene = Scene()
    index = scene.order()
    work = scene.send().buy(index, scene.requester, scene.app, None)
    assert (work_of(scene, work).dataset, work_of(scene, work).emit_cost) == (None, 5)


def test_work_order_of_an_unknown_pool_is_a_difference() -> None:
    """A pool is announced before it emits."""
    scene = Scene()
    scene.buy()
    replay = run(scene.world, scene.without(e.CreateWorkerPool, e.WorkerPoolSubscription))
    assert "WorkOrderActive of " in replay.differences[0].why
    assert replay.state.work_orders == {}


def test_work_order_emitted_twice_is_a_difference() -> None:
    """The second is bought, and yet no other work order."""
    scene = Scene()
    work = scene.finalized()
    index = scene.order()
    scene.emit(
        e.MarketOrderAskConsume(index, scene.requester), e.WorkOrderActive(scene.pool, work.woid)
    )
    assert whys(scene.found()) == [
        f"WorkOrderActive of {work.woid}, which nobody has bought just before"
    ]
    assert work_of(scene, work).status is WorkOrderStatus.COMPLETED


def test_work_order_of_another_pool_than_was_bought_is_a_difference() -> None:
    """Its terms are those of the pool that emits it."""
    scene = Scene()
    other = scene.chain.create_pool(scene.owner, 0)
    index = scene.order()
    work = scene.buy()
    logged = [
        each._replace(event=e.MarketOrderAskConsume(index, scene.requester))
        if isinstance(each.event, e.MarketOrderAskConsume)
        else each._replace(event=e.WorkOrderActive(other, work.woid))
        if isinstance(each.event, e.WorkOrderActive)
        else each
        for each in scene.chain.logged
    ]
    replay = run(scene.world, logged)
    assert whys(replay.differences) == [
        f"{work.woid} was bought of an order of {scene.pool}, and {other} emits it",
        f"WorkOrderActivated of {work.woid}, which is active, of {other}",
    ]
    assert replay.state.work_orders[work.woid].pool == other


@pytest.mark.parametrize("kind", [e.CreateApp, e.CreateDataset])
def test_work_order_that_uses_what_is_not_registered_is_a_difference(kind: type) -> None:
    """It costs nothing that is known."""
    scene = Scene()
    work = scene.buy()
    replay = run(scene.world, scene.without(kind))
    used, rest = (scene.app, 2) if kind is e.CreateApp else (scene.dataset, 5)
    assert whys(replay.differences) == [f"{work.woid} uses {used}, which the hub has not announced"]
    assert replay.state.work_orders[work.woid].emit_cost == rest


# -- contributions -------------------------------------------------------------------------------


def test_contribution_keeps_the_score_of_its_moment() -> None:
    """Not that of the authorisation, and not that of the end."""
    scene = Scene()
    worker = scene.workers[2]
    first = scene.buy()
    scene.send().allow(first, worker)
    scene.finalized()
    scene.send().contribute(first, worker, RIGHT)
    scene.finalized()
    replay = scene.replayed()
    assert replay.differences == []
    assert replay.state.scores[worker] == 2
    part = replay.state.work_orders[first.woid].contributions[worker]
    assert part == Contribution(ContributionStatus.CONTRIBUTED, False, digest(RIGHT), 1, 0)


def test_contribution_locks_the_stake_when_it_is_made() -> None:
    """Who is authorised and does nothing has nothing at stake."""
    scene = Scene()
    work = scene.buy()
    worker, idle = scene.workers[:2]
    scene.send().allow(work, idle, is_enclave=True)
    scene.contribute(work, worker)
    replay = scene.replayed()
    assert replay.state.accounts[worker] == Account(RICH - 40, 40)
    assert replay.state.accounts[idle] == Account(RICH - 10, 10)
    order = replay.state.work_orders[work.woid]
    assert order.contributors == [worker]
    assert order.contributions[idle] == Contribution(is_enclave=True)


def test_authorisation_that_tells_another_score_is_a_difference() -> None:
    """The event tells the score of its moment (law 7)."""
    scene = Scene()
    work = scene.buy()
    scene.emit(e.AllowWorker(scene.pool, work.woid, scene.workers[0], 3))
    (difference,) = scene.found()
    assert (difference.kind, difference.account) == ("score", scene.workers[0])
    assert (difference.predicted, difference.logged, difference.delta) == (0, 3, 3)


def test_authorisation_of_no_member_is_a_difference() -> None:
    """Affiliation is asked for when a worker is authorised, and at no later step."""
    scene = Scene()
    work = scene.buy()
    leaving = scene.workers[0]
    scene.send().allow(work, leaving)
    scene.send().unsubscribe(leaving)
    scene.send().contribute(work, leaving, RIGHT)
    assert scene.found() == []
    scene.emit(e.AllowWorker(scene.pool, work.woid, STRANGER, 0))
    assert whys(scene.found()) == [f"{STRANGER} is authorised by {scene.pool} and is in no pool"]


def test_authorisation_twice_is_a_difference() -> None:
    """And does not undo what was contributed."""
    scene = Scene()
    work = scene.buy()
    scene.contribute(work, scene.workers[0])
    scene.emit(e.AllowWorker(scene.pool, work.woid, scene.workers[0], 0))
    assert "which was authorised before" in scene.found()[0].why
    part = work_of(scene, work).contributions[scene.workers[0]]
    assert part.status is ContributionStatus.CONTRIBUTED


def test_contribution_without_authorisation_counts_and_is_a_difference() -> None:
    """A log is missing, and only one: what follows is still compared."""
    scene = Scene()
    work = scene.buy()
    scene.send().allow(work, scene.workers[0], is_enclave=True)
    scene.send().contribute(work, scene.workers[0], RIGHT)
    scene.agree(work)
    scene.reveal(work, scene.workers[0])
    scene.send().finalize(work)
    replay = run(scene.world, scene.without(e.AllowWorker))
    assert whys(replay.differences) == [
        f"Contribute of {scene.workers[0]} in {work.woid}, which was never authorised"
    ]
    part = replay.state.work_orders[work.woid].contributions[scene.workers[0]]
    assert part.is_enclave


def test_contribution_twice_is_a_difference() -> None:
    """It is not paid twice, and the first stays what it was."""
    scene = Scene()
    work = scene.buy()
    worker = scene.workers[0]
    scene.contribute(work, worker)
    scene.emit(e.Contribute(scene.pool, work.woid, worker, digest(WRONG)))
    assert "which has contributed before" in scene.found()[0].why
    assert work_of(scene, work).contributors == [worker]
    assert work_of(scene, work).contributions[worker].result_hash == digest(RIGHT)


def test_consensus_makes_reveals_possible_and_a_reveal_proves() -> None:
    """The right ones are proved, the wrong and the silent stay contributed."""
    scene = Scene()
    work = scene.buy()
    for worker, is_right in zip(scene.workers, (False, True, True), strict=True):
        scene.contribute(work, worker, is_right=is_right)
    scene.agree(work)
    scene.reveal(work, scene.workers[2])
    replay = scene.replayed()
    assert replay.differences == []
    order = replay.state.work_orders[work.woid]
    assert (order.status, order.consensus) == (WorkOrderStatus.REVEALING, digest(RIGHT))
    statuses = [order.contributions[w].status for w in scene.workers]
    contributed = ContributionStatus.CONTRIBUTED
    assert statuses == [contributed, contributed, ContributionStatus.PROVED]


def test_consensus_that_nobody_contributed_is_a_difference() -> None:
    """A rejected contribution counts no more."""
    scene = Scene()
    work = scene.buy()
    scene.contribute(work, scene.workers[0])
    scene.contribute(work, scene.workers[1], is_right=False)
    scene.agree(work)
    scene.chain.mine(work.reveal_date)
    scene.chain.now = work.reveal_date
    scene.send().reopen(work)
    scene.emit(e.RevealConsensus(scene.pool, work.woid, digest(RIGHT)))
    assert whys(scene.found()) == [
        f"RevealConsensus of {work.woid}, to which nobody has contributed it"
    ]


def test_reopening_rejects_who_agreed_and_keeps_their_stakes_locked() -> None:
    """The others can still be right; no consensus stands."""
    scene = Scene()
    work = scene.buy()
    scene.contribute(work, scene.workers[0])
    scene.contribute(work, scene.workers[1], is_right=False)
    scene.agree(work)
    scene.chain.now = work.reveal_date
    scene.send().reopen(work)
    replay = scene.replayed()
    assert replay.differences == []
    order = replay.state.work_orders[work.woid]
    assert (order.status, order.consensus) == (WorkOrderStatus.ACTIVE, NO_HASH)
    statuses = [order.contributions[w].status for w in scene.workers[:2]]
    assert statuses == [ContributionStatus.REJECTED, ContributionStatus.CONTRIBUTED]
    assert replay.state.accounts[scene.workers[0]].locked == 40


def test_reopening_after_a_reveal_is_a_difference() -> None:
    """One reveal is enough for an end."""
    scene = Scene()
    work = scene.revealed()
    scene.emit(e.Reopen(scene.pool, work.woid))
    assert whys(scene.found()) == [f"Reopen of {work.woid}, in which somebody has revealed"]


@pytest.mark.parametrize("worker", [0, 1, None], ids=["wrong", "proved before", "stranger's"])
def test_reveal_of_what_is_no_consensus_is_a_difference(worker: int | None) -> None:
    """Only a contribution of the consensus is revealed, and once."""
    scene = Scene()
    work = scene.revealed()
    who = STRANGER if worker is None else scene.workers[worker]
    before = work_of(scene, work)
    scene.emit(e.Reveal(scene.pool, work.woid, who, RIGHT))
    assert whys(scene.found()) == [
        f"Reveal of {who} in {work.woid}, which has no contribution of the consensus to reveal"
    ]
    assert work_of(scene, work) == before


ODD: dict[str, Odd] = {
    "activated": lambda s, w: e.WorkOrderActivated(w.woid, s.pool),
    "authorised": lambda s, w: e.AllowWorker(s.pool, w.woid, s.workers[0], 0),
    "contributed": lambda s, w: e.Contribute(s.pool, w.woid, s.workers[0], RIGHT),
    "agreed": lambda s, w: e.RevealConsensus(s.pool, w.woid, RIGHT),
    "revealed": lambda s, w: e.Reveal(s.pool, w.woid, s.workers[1], RIGHT),
    "reopened": lambda s, w: e.Reopen(s.pool, w.woid),
    "completed": lambda s, w: e.WorkOrderCompleted(w.woid, s.pool),
    "claimed by the pool": lambda s, w: e.PoolWorkOrderClaimed(s.pool, w.woid),
    "claimed by the hub": lambda s, w: e.WorkOrderClaimed(w.woid, s.pool),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_step_after_the_end_is_a_difference_and_moves_nothing(odd: Odd) -> None:
    """Completed and claimed are final."""
    for end, word in ((Scene.finalized, "completed"), (Scene.claimed, "claimed")):
        scene = Scene()
        work = end(scene)
        before = scene.replayed().state
        scene.emit(odd(scene, work))
        replay = scene.replayed()
        (difference,) = replay.differences
        assert (difference.kind, difference.predicted) == ("status", word)
        assert difference.task == work.woid
        assert replay.state == before


FINALIZED: Odd = lambda s, w: e.FinalizeWork(s.pool, w.woid)  # noqa: E731


@pytest.mark.parametrize("odd", [*ODD.values(), FINALIZED], ids=[*ODD, "finalised"])
def test_step_of_an_unknown_work_order_is_a_difference(odd: Odd) -> None:
    """What nobody bought is unset."""
    scene = Scene()
    work = scene.buy()
    logged = scene.without(e.MarketOrderAskConsume, e.WorkOrderActive, e.WorkOrderActivated)
    scene.emit(odd(scene, work))
    replay = run(scene.world, [*logged, scene.chain.logged[-1]])
    assert [each.predicted for each in replay.differences] == ["unset"]


@pytest.mark.parametrize("odd", [*ODD.values(), FINALIZED], ids=[*ODD, "finalised"])
def test_step_by_another_pool_is_a_difference(odd: Odd) -> None:
    """A pool has its own work orders; another one's word is nothing."""
    scene = Scene()
    work = scene.finalized() if odd is FINALIZED else scene.buy()
    before = scene.replayed().state
    event = odd(scene, work)
    scene.emit(event._replace(pool=STRANGER))  # type: ignore[call-arg]
    replay = scene.replayed()
    (difference,) = replay.differences
    assert difference.why.endswith(f", of {scene.pool}")
    assert replay.state == before


REVEALING_ODD = ("authorised", "contributed", "agreed", "activated")
ACTIVE_ODD = ("revealed", "reopened", "completed")


@pytest.mark.parametrize(
    ("step", "is_revealing"),
    [*((step, True) for step in REVEALING_ODD), *((step, False) for step in ACTIVE_ODD)],
)
def test_step_out_of_turn_is_a_difference(step: str, *, is_revealing: bool) -> None:
    """Contributions before the consensus, reveals and the end after it."""
    scene = Scene()
    work = scene.revealed() if is_revealing else scene.buy()
    before = scene.replayed().state
    scene.emit(ODD[step](scene, work))
    replay = scene.replayed()
    assert [each.predicted for each in replay.differences] == [
        "revealing" if is_revealing else "active"
    ]
    assert replay.state == before


def test_finalised_by_the_pool_alone_is_a_difference() -> None:
    """The hub says first that it is completed."""
    scene = Scene()
    work = scene.revealed()
    scene.emit(e.FinalizeWork(scene.pool, work.woid))
    assert [each.predicted for each in scene.found()] == ["revealing"]


# -- ends ----------------------------------------------------------------------------------------


def test_finalisation_leaves_the_ledger_of_the_contracts() -> None:
    """Weights, scores, counts, net changes, and where it ended."""
    scene = Scene()
    work = scene.finalized()
    replay = scene.replayed()
    assert replay.differences == []
    state, order = replay.state, work_of(scene, work)
    faulty, *proved = scene.workers
    assert state.scores == {faulty: 0, proved[0]: 1, proved[1]: 1}
    assert state.succeeded == dict.fromkeys(proved, 1)
    assert state.failed == {faulty: 1}
    assert [order.contributions[w].weight for w in scene.workers] == [0, 1, 1]
    completed = scene.chain.logged[-2]
    assert order.ended_at == (completed.block, completed.log_index)
    assert order.kitty_drawn == 0
    # 64 of the share of 130 * 99 // 100 = 128 for each, and 2 for the scheduler.
    assert order.rewards == {
        faulty: (0, -30),
        proved[0]: (94, -30),
        proved[1]: (94, -30),
        scene.scheduler: (32, -30),
        scene.owner: (7, 0),
        scene.requester: (0, -107),
    }
    assert state.accounts[scene.owner] == Account(7, 0)
    assert state.accounts[scene.scheduler] == Account(RICH + 2, 0)


def test_claim_leaves_the_ledger_of_the_contracts() -> None:
    """Everybody has the stake back but the scheduler, whose is the kitty's."""
    scene = Scene()
    work = scene.claimed()
    replay = scene.replayed()
    assert replay.differences == []
    state, order = replay.state, work_of(scene, work)
    assert order.status is WorkOrderStatus.CLAIMED
    assert state.scores == {}
    hub = scene.chain.hub
    assert state.accounts[hub] == Account(0, 30)
    assert order.rewards == {
        scene.workers[0]: (30, -30),
        scene.requester: (107, -107),
        scene.scheduler: (0, -30),
        hub: (0, 30),
    }
    claimed = scene.chain.logged[-1]
    assert order.ended_at == (claimed.block, claimed.log_index)


def test_finalisation_draws_from_the_kitty_of_an_earlier_claim() -> None:
    """Any pool's does."""
    scene = Scene()
    scene.claimed()
    work = scene.finalized()
    order = work_of(scene, work)
    assert order.kitty_drawn == 30
    assert order.rewards[scene.chain.hub] == (0, -30)
    assert order.rewards[scene.scheduler] == (62, -30)


def test_finalisation_of_nothing_proved_is_a_difference() -> None:
    """The contract divides by the sum of weights, and reverts where that is 0."""
    scene = Scene()
    work = scene.buy()
    scene.contribute(work, scene.workers[0])
    scene.agree(work)
    scene.emit(e.WorkOrderCompleted(work.woid, scene.pool))
    replay = scene.replayed()
    assert replay.differences[0].why == (
        f"WorkOrderCompleted of {work.woid}, in which nobody has revealed"
    )
    assert {each.kind for each in replay.differences[1:]} == {"effect"}


EFFECTS: tuple[Event, ...] = (
    e.Reward(STRANGER, 5),
    e.Seize(STRANGER, 5),
    e.AccurateContribution(STRANGER, STRANGER),
    e.FaultyContribution(STRANGER, STRANGER),
)


@pytest.mark.parametrize("event", EFFECTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("ended", ["never", "by an end", "by another effect"])
def test_effect_without_an_end_in_its_transaction_is_a_difference(event: Event, ended: str) -> None:
    """It is not another transaction's; seen at the next one, or when all is over."""
    scene = Scene()
    work = scene.revealed()
    scene.emit(event)
    if ended == "by an end":
        scene.emit(e.WorkOrderCompleted(work.woid, scene.pool))
    elif ended == "by another effect":
        scene.send().finalize(work)
    first = scene.found()[0]
    assert "is followed by no end of a work order" in first.why
    own = next(each for each in scene.chain.logged if each.event == event)
    assert (first.block, first.log_index) == (own.block, own.log_index)
    if ended == "by another effect":
        assert len(scene.found()) == 1


def test_effects_are_summed_by_account_as_they_were_told() -> None:
    """For law 2, which holds them against the ledger."""
    scene = Scene()
    scene.emit(e.Reward(STRANGER, 5), e.Seize(STRANGER, 7))
    replay = scene.replayed()
    assert replay.state.logged[STRANGER] == -2
    assert STRANGER not in replay.state.accounts


def test_result_hash_is_the_event_s() -> None:
    """Lower-case hex, as it was decoded."""
    scene = Scene()
    work = scene.finalized()
    part = work_of(scene, work).contributions[scene.workers[1]]
    assert part.result_hash == Hash32(digest(RIGHT))
