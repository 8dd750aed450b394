"""Percentages, pots and splits."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.ledger.kernels.bounds import INT64_MAX, OutOfBounds
from monitor.ledger.kernels.compiled import Engine
from monitor.ledger.kernels.rewards import WEIGHT_SUM_MAX, percent_of, pots_of, split_rewards
from tests.ledger.kernels import plain
from tests.ledger.kernels.plain import untimed

AMOUNTS = st.integers(0, 10**17) | st.integers(0, INT64_MAX) | st.integers(0, 1000)
POTS = AMOUNTS | st.integers(INT64_MAX - 1000, INT64_MAX)
WEIGHTS = (
    st.lists(st.integers(0, 66), min_size=1, max_size=8)
    | st.lists(st.integers(0, WEIGHT_SUM_MAX // 8), min_size=1, max_size=8)
    | st.integers(1, WEIGHT_SUM_MAX).map(lambda each: [each, WEIGHT_SUM_MAX - each])
).filter(any)
ORDERS = st.lists(st.tuples(POTS, st.integers(0, 100), WEIGHTS), max_size=6)


@untimed
@given(orders=ORDERS)
@example(orders=[(INT64_MAX, 0, [WEIGHT_SUM_MAX]), (INT64_MAX, 0, [1, WEIGHT_SUM_MAX - 1])])
@example(orders=[(INT64_MAX, 0, [1]), (INT64_MAX, 0, [1, 2]), (INT64_MAX, 100, [3])])
@pytest.mark.parametrize("engine", plain.ENGINES)
def test_split_of_any_pots_is_exact(
    engine: Engine, orders: list[tuple[int, int, list[int]]]
) -> None:
    """Up to the last nRLC that 64 bits hold, and sums of weights up to the bound."""
    pots, ratios = [pot for pot, _, _ in orders], [ratio for _, ratio, _ in orders]
    offsets = [0, *accumulate(len(weights) for _, _, weights in orders)]
    flat = [weight for _, _, weights in orders for weight in weights]
    rewards, rests = split_rewards(pots, ratios, offsets, flat, engine=engine)
    expected = [plain.split(pot, ratio, weights) for pot, ratio, weights in orders]
    assert rewards.tolist() == [reward for rewards, _ in expected for reward in rewards]
    assert rests.tolist() == [rest for _, rest in expected]


@pytest.mark.parametrize("engine", plain.ENGINES)
def test_split_of_the_announced_example(engine: Engine) -> None:
    """45 RLC among scores 0, 4 and 16 with one per cent for the scheduler."""
    rewards, rests = split_rewards([45 * 10**9], [1], [0, 3], [1, 3, 5], engine=engine)
    assert rewards.tolist() == [4_950_000_000, 14_850_000_000, 24_750_000_000]
    assert rests.tolist() == [450_000_000]


@pytest.mark.parametrize("engine", plain.ENGINES)
@pytest.mark.parametrize(
    ("pots", "ratios", "offsets", "weights"),
    [
        pytest.param([1], [1], [0, 1], [0], id="nobody has weight"),
        pytest.param([1, 1], [1, 1], [0, 0, 1], [1], id="nobody contributed"),
        pytest.param([1], [1], [0, 2], [1, WEIGHT_SUM_MAX], id="weights above the bound"),
        pytest.param([1], [1], [0, 2], [2, -1], id="weight below zero"),
        pytest.param([-1], [1], [0, 1], [1], id="pot below zero"),
        pytest.param([INT64_MAX + 1], [1], [0, 1], [1], id="pot of more than 64 bits"),
        pytest.param([1], [101], [0, 1], [1], id="more than all for the scheduler"),
        pytest.param([1], [-1], [0, 1], [1], id="less than nothing for the scheduler"),
        pytest.param([1], [-(2**63)], [0, 1], [1], id="a ratio that would wrap"),
        pytest.param([1, 1], [1], [0, 1], [1], id="a ratio is missing"),
        pytest.param([1, 1], [1, 1], [0, 1], [1], id="a group is missing"),
    ],
)
def test_split_out_of_bounds_is_refused(
    engine: Engine, pots: list[int], ratios: list[int], offsets: list[int], weights: list[int]
) -> None:
    """Nothing wraps: what is not proved to be exact is not computed."""
    with pytest.raises(OutOfBounds):
        split_rewards(pots, ratios, offsets, weights, engine=engine)


@untimed
@given(amounts=st.lists(st.tuples(POTS, st.integers(0, 100)), max_size=20))
def test_percent_of_any_amount_is_exact(amounts: list[tuple[int, int]]) -> None:
    """No product leaves 64 bits."""
    found = percent_of([amount for amount, _ in amounts], [percent for _, percent in amounts])
    assert found.tolist() == [amount * percent // 100 for amount, percent in amounts]


@untimed
@given(
    values=st.lists(
        st.tuples(AMOUNTS, AMOUNTS | st.integers(0, INT64_MAX // 5), st.integers(0, 9)), max_size=9
    )
)
def test_pots_are_exact_or_refused(values: list[tuple[int, int, int]]) -> None:
    """A pot of more than 64 bits is no pot; a stake that nobody lost is not in the way."""
    expected = [value + stake * lost for value, stake, lost in values]
    columns = [[row[index] for row in values] for index in range(3)]
    if max(expected, default=0) > INT64_MAX:
        with pytest.raises(OutOfBounds, match="more than 64 bits"):
            pots_of(*columns)
    else:
        assert pots_of(*columns).tolist() == expected


@pytest.mark.parametrize(
    ("value", "stake", "lost", "is_refused"),
    [
        (INT64_MAX, INT64_MAX, 0, False),
        (INT64_MAX - 6, 3, 2, False),
        (INT64_MAX - 5, 3, 2, True),
        (1, INT64_MAX, 1, True),
    ],
)
def test_pot_at_its_bound(value: int, stake: int, lost: int, is_refused: bool) -> None:
    """The last that fits is taken, one more is not."""
    if is_refused:
        with pytest.raises(OutOfBounds):
            pots_of([value], [stake], [lost])
    else:
        assert pots_of([value], [stake], [lost]).tolist() == [value + stake * lost]
