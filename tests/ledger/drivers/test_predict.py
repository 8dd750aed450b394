"""The stages one after the other, against the replay that specifies them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger.drivers.columns import AMOUNT_MAX
from monitor.ledger.drivers.gathering import columns_of
from monitor.ledger.drivers.local import InProcess
from monitor.ledger.drivers.predict import predict
from monitor.ledger.kernels.bounds import OutOfBounds
from monitor.poco.v1.facts import OrderFacts
from tests.ledger.drivers.finished import OWNER, REQUESTER, WORKERS, gathered
from tests.ledger.drivers.whole import (
    SEEDS,
    VALUES,
    columns,
    filled,
    predicted_by,
    priced,
    replayed,
    rewards_of,
    said_by,
    small,
)
from tests.poco.v1.contracts import Chain, digest
from tests.poco.v1.world import history

PARTS = st.integers(1, 9)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, parts=PARTS)
def test_prediction_of_any_history_is_that_of_the_replay_and_what_is_stored(
    seed: int, parts: int
) -> None:
    """Scores, weights, rewards and balances, to the last digit, however it is divided."""
    world = small(seed)
    held = columns(world)
    found = predicted_by(held, predict(held, InProcess(parts)))
    assert found == said_by(replayed(world, world.facts))
    assert found.accounts == filled(dict(world.stored.accounts))
    assert found.scores == {a: score for a, score in world.stored.scores.items() if score}
    for key, (score, weight) in found.contributions.items():
        stored = world.stored.contributions[key]
        assert stored is not None
        assert (stored.score, stored.weight) == (score, weight)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, parts=PARTS, values=VALUES)
def test_prediction_of_amounts_whose_products_have_128_bits_is_exact(
    seed: int, parts: int, values: list[int]
) -> None:
    """With the largest values that there may be, where a plain product in 64 bits would wrap."""
    world = small(seed)
    facts = priced(world, values)
    held = columns_of(world.logged, facts, world.hub)
    found = predicted_by(held, predict(held, InProcess(parts)))
    assert found == said_by(replayed(world, facts))


def test_histories_reach_every_rule_that_columns_have() -> None:
    """The comparisons above are of histories in which something is at stake."""
    worlds = [small(seed) for seed in range(40)]
    held = [columns(world) for world in worlds]
    found = [predict(each, InProcess()) for each in held]
    orders = [each.work_orders for each in held]
    ended = np.concatenate([one.ended >= 0 for one in orders])
    completed = np.concatenate([one.is_completed for one in orders])
    assert (~ended).any()
    assert (ended & ~completed).any()
    assert completed.any()
    assert max(int(one.drawn.max()) for one in found) > 1000
    assert any((one.dataset_price > 0).any() for one in orders)
    assert any(each.contributions.is_enclave.any() for each in held)
    proved = np.concatenate([each.contributions.is_proved for each in held])
    scores = np.concatenate([one.score for one in found])
    assert (scores[~proved] > 50).any()
    assert max(int(one.weight.max()) for one in found) > 5


def test_digest_is_of_all_digits_and_not_of_how_they_were_found() -> None:
    """Equal for any number of parts; another when any one digit of any column is."""
    world = history(1, workers=12, orders=30)
    held = columns(world)
    whole = predict(held, InProcess())
    assert {predict(held, InProcess(parts)).digest for parts in range(1, 40)} == {whole.digest}
    for field in dataclasses.fields(whole):
        column = getattr(whole, field.name).copy()
        column[-1] += 1
        assert dataclasses.replace(whole, **{field.name: column}).digest != whole.digest


def test_prediction_of_no_history_is_empty() -> None:
    """The hub has an account before anything happened."""
    world = history(1, workers=2, orders=1)
    held = columns_of([], world.facts, world.hub)
    for parts in (1, 3):
        found = predict(held, InProcess(parts))
        assert found.stake.tolist() == found.locked.tolist() == [0]
        assert len(found.reward) == len(found.rest) == 0
        assert rewards_of(held, found) == {}


@pytest.mark.parametrize(
    ("scheduler_ratio", "named"), [(0, "reward"), (100, "what is left of a pot")]
)
def test_pot_that_one_gets_whole_is_refused_where_it_is_no_amount(
    scheduler_ratio: int, named: str
) -> None:
    """Two lost stakes of one and a half times the value make it four times as much."""
    for value, is_refused in ((AMOUNT_MAX // 4, False), (AMOUNT_MAX // 4 + 1, True)):
        held = gathered(quarter_of_a_pot(value, scheduler_ratio))
        if is_refused:
            with pytest.raises(OutOfBounds, match=named):
                predict(held, InProcess())
        else:
            found = predict(held, InProcess())
            assert max(*found.reward.tolist(), *found.rest.tolist()) == AMOUNT_MAX


def quarter_of_a_pot(value: int, scheduler_ratio: int) -> Chain:
    """One work order, done by one of three."""
    chain = Chain()
    chain.create_category(300)
    app, pool = chain.create_app(OWNER, 0), chain.create_pool(OWNER, 0)
    chain.change_policy(pool, 150, scheduler_ratio, 0, 0)
    for user in (OWNER, REQUESTER, *WORKERS):
        # In several deposits, of which each is an amount.
        for _ in range(2):
            chain.deposit(user, AMOUNT_MAX)
    work = chain.buy(chain.create_order(OrderFacts(1, value, 1, pool, OWNER)), REQUESTER, app, None)
    right = digest("right")
    for number, worker in enumerate(WORKERS):
        chain.subscribe(worker, pool)
        chain.allow(work, worker)
        chain.contribute(work, worker, digest("wrong") if number else right)
    chain.reveal_consensus(work, digest(right))
    chain.reveal(work, WORKERS[0], right)
    chain.finalize(work)
    return chain


def test_value_that_is_no_amount_is_refused() -> None:
    """Before anything is computed."""
    world = small(4)
    held = columns_of(world.logged, priced(world, [AMOUNT_MAX + 1]), world.hub)
    with pytest.raises(OutOfBounds, match="outside"):
        predict(held, InProcess())


def test_balance_beyond_64_bits_is_refused() -> None:
    """Nothing wraps at last either: eight deposits of the largest amount are 2^63."""
    chain = Chain()
    for count, is_refused in ((7, False), (1, True)):
        for _ in range(count):
            chain.deposit(OWNER, AMOUNT_MAX)
        if is_refused:
            with pytest.raises(OutOfBounds, match="over 64 bits"):
                predict(gathered(chain), InProcess(3))
        else:
            assert 7 * AMOUNT_MAX in predict(gathered(chain), InProcess(3)).stake.tolist()
