"""Every change is told once, with a reason: the movements sum up to the ledger."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from hypothesis import given, settings

from monitor.poco.v1.movement import Movement, Reason
from tests.poco.v1.scenes import Scene, replayed
from tests.poco.v1.test_replay import WORLDS
from tests.poco.v1.world import World, history


@settings(max_examples=25, deadline=None)
@given(WORLDS)
def test_movements_sum_up_to_every_account_and_score(world: World) -> None:
    """Nothing is moved without a word, and no word moves nothing."""
    movements: list[Movement] = []
    state = replayed(world, watch=movements.append).state
    sums: Counter[tuple[str, str]] = Counter()
    for each in movements:
        sums[each.account, each.field] += each.delta
    for account, held in state.accounts.items():
        assert (sums[account, "stake"], sums[account, "locked"]) == (held.stake, held.locked)
    assert {a: sums[a, "score"] for a in state.scores} == state.scores
    assert {each.account for each in movements} == state.accounts.keys() | state.scores.keys()
    places = [(each.block, each.log_index) for each in movements]
    told = {(each.block, each.log_index) for each in world.logged}
    assert set(places) <= told


def test_movements_change_nothing_of_the_ledger() -> None:
    """Who is watched moves the same."""
    world = history(5)
    assert replayed(world, watch=lambda movement: None).state == replayed(world).state


def test_movements_have_every_reason() -> None:
    """Each word of the list happens."""
    movements: list[Movement] = []
    for seed in range(4):
        replayed(history(seed, orders=40), watch=movements.append)
    assert {each.reason for each in movements} == set(get_args(Reason))


def test_movements_of_a_work_order_name_it() -> None:
    """From its purchase, which is told before it has a name, to its end."""
    scene = Scene()
    scene.claimed()
    work = scene.finalized()
    movements: list[Movement] = []
    replayed(scene.world, watch=movements.append)
    mine = Counter(
        (each.reason, each.field, each.delta) for each in movements if each.task == work.woid
    )
    assert mine == Counter(
        {
            ("bought", "stake", -100): 1,
            ("bought", "locked", 100): 1,
            ("emit_cost", "stake", -7): 1,
            ("emit_cost", "locked", 7): 1,
            ("contributed", "stake", -30): 3,
            ("contributed", "locked", 30): 3,
            ("unlocked", "stake", 30): 3,
            ("unlocked", "locked", -30): 3,
            ("reward", "stake", 64): 2,
            ("proved", "score", 1): 2,
            ("seize", "locked", -30): 1,
            ("faulty", "score", 0): 1,
            ("scheduler", "stake", 2): 1,
            ("app", "stake", 5): 1,
            ("dataset", "stake", 2): 1,
            ("spent", "locked", -107): 1,
            ("kitty_out", "locked", -30): 1,
            ("kitty_out", "stake", 30): 1,
        }
    )
    outside = {each.reason for each in movements if each.task is None}
    assert outside == {"deposit", "subscribe", "order_made"}


def test_movements_of_a_claim_name_the_kitty_three_times() -> None:
    """Rewarded, and locked at once."""
    scene = Scene()
    work = scene.claimed()
    movements: list[Movement] = []
    replayed(scene.world, watch=movements.append)
    kitty = [
        (each.field, each.delta)
        for each in movements
        if each.task == work.woid and each.reason == "kitty_in"
    ]
    assert kitty == [("stake", 30), ("stake", -30), ("locked", 30)]
