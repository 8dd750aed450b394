"""Whole histories: no difference where there is none, the chain's ledger, and every lie found."""

from __future__ import annotations

import copy
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Address
from monitor.poco.v1 import events as e
from monitor.poco.v1.compare import compare
from monitor.poco.v1.events import Event, Logged
from monitor.poco.v1.facts import Facts, MissingFact
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import Account, Pool, State
from tests.poco.v1.contracts import address
from tests.poco.v1.scenes import RICH, Scene, found, replayed, run, whys
from tests.poco.v1.world import World, history

STRANGER = address("stranger")
SIZES = st.fixed_dictionaries(
    {
        "workers": st.integers(1, 15),
        "orders": st.integers(0, 25),
        "pools": st.integers(1, 4),
        "in_flight": st.integers(1, 12),
        "team": st.integers(1, 8),
        "traps": st.booleans(),
        "veterans": st.integers(0, 1),
    }
)
WORLDS = st.builds(lambda seed, sizes: history(seed, **sizes), st.integers(0, 2**32), SIZES)


@settings(max_examples=60, deadline=None)
@given(WORLDS)
def test_replay_of_any_valid_history_is_the_chain_s_ledger(world: World) -> None:
    """No effect differs, nothing is impossible, every getter says what the rules say."""
    replay = replayed(world)
    assert replay.differences == []
    assert found(world) == []
    assert replay.state.stray == world.stray


@settings(max_examples=15, deadline=None)
@given(WORLDS, st.randoms(use_true_random=False))
def test_replay_continues_from_its_state_between_any_transactions(
    world: World, random: st.DataObject
) -> None:
    """Between transactions a state is all there is: a copy of it is a snapshot."""
    logged = world.logged
    ends = [n for n in range(1, len(logged)) if _are_apart(logged[n - 1], logged[n])]
    cuts = sorted(random.sample(ends, min(3, len(ends))))  # type: ignore[attr-defined]
    state = new_state(world.hub)
    for first, last in zip([0, *cuts], [*cuts, len(logged)], strict=True):
        replay = Replay(copy.deepcopy(state), world.facts)
        for each in logged[first:last]:
            replay.apply(each)
        replay.finish()
        assert replay.differences == []
        state = replay.state
    assert state == replayed(world).state


def _are_apart(one: Logged, other: Logged) -> bool:
    return one.transaction != other.transaction


EFFECTS = (e.Reward, e.Seize, e.AccurateContribution, e.FaultyContribution)
LIED = history(7, workers=8, orders=12, veterans=1)
PLACES = [n for n, each in enumerate(LIED.logged) if isinstance(each.event, EFFECTS)]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), st.integers(1, 10**18))
def test_replay_names_an_effect_that_was_changed(place: int, more: int) -> None:
    """One amount is another, one score somebody else's: that log is named, and no other effect."""
    at = LIED.logged[place]
    event = at.event
    if isinstance(event, e.Reward | e.Seize):
        lie: Event = event._replace(amount=event.amount + more)
    else:
        assert isinstance(event, e.AccurateContribution | e.FaultyContribution)
        lie = event._replace(worker=STRANGER)
    logged = [*LIED.logged[:place], at._replace(event=lie), *LIED.logged[place + 1 :]]
    replay = run(LIED, logged)
    places = {(each.block, each.log_index) for each in replay.differences}
    assert (at.block, at.log_index) in places
    assert {each.kind for each in replay.differences} == {"effect"}
    if isinstance(event, e.Reward | e.Seize):
        (difference,) = replay.differences
        assert (difference.predicted, difference.logged) == (event.amount, event.amount + more)
        assert difference.delta == more
    # What the contracts say they did is evidence, and moves nothing.
    told = replayed(LIED).state
    assert replay.state.accounts == told.accounts
    assert replay.state.scores == told.scores


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from([0, 2]))
def test_replay_names_an_effect_that_is_missing_or_twice(place: int, count: int) -> None:
    """Each effect is emitted once."""
    at = LIED.logged[place]
    logged = [*LIED.logged[:place], *[at] * count, *LIED.logged[place + 1 :]]
    differences = run(LIED, logged).differences
    assert len(differences) == 1
    assert differences[0].kind == "effect"
    assert differences[0].transaction == at.transaction


DRIVING = (
    *(e.Deposit, e.Withdraw, e.WorkerPoolSubscription, e.WorkerPoolUnsubscription),
    *(e.WorkerPoolEviction, e.MarketOrderAskConsume, e.WorkOrderActive, e.Contribute),
    *(e.RevealConsensus, e.Reveal, e.Reopen, e.WorkOrderCompleted, e.WorkOrderClaimed),
    *(e.CreateWorkerPool, e.MarketOrderCreated, e.MarketOrderClosed, e.PolicyUpdate),
    *(e.AllowWorker, e.CreateApp, e.CreateDataset),
)
"""Without one of which the ledger is another, or what follows is impossible."""


@pytest.mark.parametrize("kind", DRIVING, ids=lambda kind: kind.__name__)
def test_replay_notices_that_all_logs_of_a_kind_are_missing(kind: type) -> None:
    """A node that hides logs is found out, whichever it hides."""
    world = history(3, workers=12, orders=25)
    kept = [each for each in world.logged if type(each.event) is not kind]
    assert len(kept) < len(world.logged)
    replay = run(world, kept)
    assert [*replay.differences, *compare(replay.state, world.stored)]


def test_replay_knows_every_event() -> None:
    """An event that can be decoded can be replayed."""
    assert set(Replay(new_state(STRANGER), Facts())._handlers) == set(get_args(Event))


def test_new_state_is_empty() -> None:
    """A hub in which nothing has happened."""
    assert new_state(STRANGER) == State(STRANGER)


# -- registries ----------------------------------------------------------------------------------


def test_replay_registers_what_the_hub_announces() -> None:
    """Categories, apps, datasets and pools; a pool starts with the ratios 30 and 1."""
    scene = Scene()
    state = scene.replayed().state
    assert state.clocks == {1: 300}
    assert (state.apps[scene.app].owner, state.apps[scene.app].price) == (scene.owner, 5)
    dataset = state.datasets[scene.dataset]
    assert (dataset.owner, dataset.price) == (scene.owner, 2)
    assert state.pools == {scene.pool: Pool(scene.scheduler, 10, 30, 1, None, None)}


@pytest.mark.parametrize("fact", ["orders", "subscription_locks", "work_orders"])
def test_replay_without_a_fact_asks_for_it_and_goes_on_when_it_is_there(fact: str) -> None:
    """It is raised before anything is changed, so that the event can be applied again."""
    scene = Scene()
    scene.finalized()
    world = scene.world
    held = getattr(world.facts, fact)
    wanted = dict(held)
    held.clear()
    replay = Replay(new_state(world.hub), world.facts)
    raised = []
    for logged in world.logged:
        try:
            replay.apply(logged)
        except MissingFact as missing:
            raised.append((missing.fact, missing.key))
            held[missing.key] = wanted[missing.key]
            replay.apply(logged)
    replay.finish()
    assert raised == [(fact, key) for key in wanted]
    assert replay.differences == []
    assert replay.state == scene.replayed().state


def test_policy_of_new_ratios_counts_from_the_next_work_order() -> None:
    """Terms are frozen when a work order is bought."""
    scene = Scene()
    before = scene.buy()
    scene.send().change_policy(scene.pool, 50, 20, 3, 4)
    after = scene.buy()
    replay = scene.replayed()
    assert replay.differences == []
    orders = replay.state.work_orders
    terms = [(orders[w.woid].stake_amount, orders[w.woid].scheduler_ratio) for w in (before, after)]
    assert terms == [(30, 1), (50, 20)]
    pool = replay.state.pools[scene.pool]
    assert (pool.minimum_stake, pool.minimum_score) == (3, 4)


@pytest.mark.parametrize(
    ("place", "words"),
    [(1, "stake ratio"), (3, "scheduler's ratio"), (5, "minimum stake"), (7, "minimum score")],
)
def test_policy_whose_old_value_is_another_is_a_difference(place: int, words: str) -> None:
    """A missing update is noticed at the next one (law 7)."""
    scene = Scene()
    scene.send().change_policy(scene.pool, 40, 2, 3, 4)
    told = [scene.pool, 40, 50, 2, 20, 3, 30, 4, 40]
    told[place] = 9
    scene.emit(e.PolicyUpdate(*told))  # type: ignore[arg-type]
    (difference,) = scene.found()
    assert words in difference.why
    assert difference.delta == 9 - [40, 2, 3, 4][place // 2]


def test_policy_of_an_unknown_pool_is_a_difference() -> None:
    """Only pools that the hub announced have policies."""
    scene = Scene()
    scene.emit(e.PolicyUpdate(STRANGER, 30, 31, 1, 1, 0, 0, 0, 0))
    assert whys(scene.found()) == [
        f"PolicyUpdate of {STRANGER}, which the hub has not announced as a pool"
    ]


# -- accounts ------------------------------------------------------------------------------------


def test_deposit_and_withdrawal_move_free_stake() -> None:
    """And are summed, as are the events of each account."""
    scene = Scene()
    scene.send().withdraw(scene.requester, 400)
    state = scene.replayed().state
    assert state.accounts[scene.requester] == Account(RICH - 400, 0)
    assert state.logged[scene.requester] == RICH - 400
    assert (state.deposited, state.withdrawn, state.stray) == (5 * RICH, 400, 0)


STRAYS: dict[str, tuple[list[tuple[Address, int]], tuple[Address, int], int]] = {
    "its own transfer": ([(STRANGER, 7)], (STRANGER, 7), 0),
    "another amount": ([(STRANGER, 8)], (STRANGER, 7), 8),
    "somebody else's": ([(address("other"), 7)], (STRANGER, 7), 7),
    "no transfer": ([], (STRANGER, 7), 0),
    "two transfers, the last its own": ([(STRANGER, 7), (STRANGER, 7)], (STRANGER, 7), 7),
}


@pytest.mark.parametrize(("transfers", "deposit", "stray"), STRAYS.values(), ids=STRAYS)
def test_transfer_is_stray_unless_its_deposit_follows(
    transfers: list[tuple[Address, int]], deposit: tuple[Address, int], stray: int
) -> None:
    """A deposit is paid by the transfer just before it; any other RLC is nobody's."""
    scene = Scene()
    scene.emit(*(e.TransferToHub(*each) for each in transfers), e.Deposit(*deposit))
    replay = scene.replayed()
    is_paid = transfers[-1:] == [deposit]
    assert replay.state.stray == stray
    assert [each.account for each in replay.differences] == ([] if is_paid else [STRANGER])
    assert replay.state.accounts[STRANGER] == Account(7, 0)


def test_transfer_of_an_earlier_transaction_pays_no_deposit() -> None:
    """Somebody sent RLC to the hub by mistake; a deposit later is another matter."""
    scene = Scene()
    scene.emit(e.TransferToHub(STRANGER, 7))
    scene.emit(e.Deposit(STRANGER, 7))
    replay = scene.replayed()
    assert replay.state.stray == 7
    assert whys(replay.differences) == [
        f"a deposit of 7 nRLC by {STRANGER} without its RLC transfer before it"
    ]


def test_subscription_locks_until_the_worker_leaves_or_is_evicted() -> None:
    """The pool's own amount; eviction takes nothing."""
    scene = Scene()
    state = scene.replayed().state
    assert [state.accounts[w] for w in scene.workers] == [Account(RICH - 10, 10)] * 3
    assert state.affiliations == dict.fromkeys(scene.workers, scene.pool)
    scene.send().unsubscribe(scene.workers[0])
    scene.send().unsubscribe(scene.workers[1], is_eviction=True)
    replay = scene.replayed()
    assert replay.differences == []
    locked = [replay.state.accounts[w].locked for w in scene.workers]
    assert locked == [0, 0, 10]
    assert replay.state.affiliations == {scene.workers[2]: scene.pool}


def test_subscription_to_an_unknown_pool_is_a_difference() -> None:
    """It has no lock that anybody knows."""
    scene = Scene()
    scene.emit(e.WorkerPoolSubscription(STRANGER, scene.requester))
    replay = scene.replayed()
    assert "which the hub has not announced as a pool" in replay.differences[0].why
    assert scene.requester not in replay.state.affiliations


def test_subscription_of_a_member_is_a_difference() -> None:
    """A worker is in one pool at most."""
    scene = Scene()
    scene.emit(e.WorkerPoolSubscription(scene.pool, scene.workers[0]))
    assert whys(scene.found()) == [f"{scene.workers[0]} subscribes and is in {scene.pool}"]


@pytest.mark.parametrize("kind", [e.WorkerPoolUnsubscription, e.WorkerPoolEviction])
def test_unsubscription_of_no_member_is_a_difference(
    kind: type[e.WorkerPoolUnsubscription | e.WorkerPoolEviction],
) -> None:
    """Who is in no pool leaves none, and has nothing unlocked."""
    scene = Scene()
    scene.emit(kind(scene.pool, scene.requester))
    replay = scene.replayed()
    assert whys(replay.differences) == [f"{scene.requester} leaves {scene.pool} and is in no pool"]
    assert replay.state.accounts[scene.requester] == Account(RICH, 0)
