"""How long inclusion takes, when it is too long, and that a stop of it is seen though nothing ends.

The simulations are seeded: what they show once they show always.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.transactions.inclusion import (
    Cusum,
    Inclusion,
    InclusionModel,
    Quantile,
    alarm_threshold,
    quantile,
    run_length_blocks,
)

SLOTS = InclusionModel(interval_seconds=12.0, is_poisson=False, miss=0.003)
POISSON = InclusionModel(interval_seconds=14.55, is_poisson=True)
OFTEN = replace(SLOTS, budget_days=0.3)
"""A false alarm in 2,153 blocks: so often that a test can count them."""

models = st.builds(
    InclusionModel,
    interval_seconds=st.floats(0.05, 600),
    is_poisson=st.booleans(),
    miss=st.floats(0, 0.5),
    included_per_block=st.floats(0.25, 0.999),
    impaired_share=st.floats(0.01, 0.75),
)
delays = st.floats(0, 10**9)


def drawn_from(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - it draws blocks, not keys


# -- the model -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_seconds": 0.0},
        {"interval_seconds": math.inf},
        {"interval_seconds": math.nan},
        {"miss": 1.0},
        {"miss": -0.1},
        {"included_per_block": 0.24},
        {"included_per_block": 1.0},
        {"included_per_block": math.nan},
        {"impaired_share": 0.0},
        {"impaired_share": 0.76},
        {"budget_days": 0.0001},
        {"budget_days": math.inf},
    ],
)
def test_model_of_nothing_is_refused(wrong: dict[str, float]) -> None:
    """Numbers from which no threshold can be made are an error at once."""
    with pytest.raises(ValueError, match="no model of inclusion"):
        replace(SLOTS, **wrong)  # type: ignore[arg-type]


def test_model_of_a_chain_counts_its_blocks() -> None:
    """Empty slots are no blocks; a poisson chain has none."""
    assert SLOTS.blocks_a_day == pytest.approx(7178.4)
    assert replace(POISSON, miss=0.5).blocks_a_day == pytest.approx(86_400 / 14.55)


# -- the sum, and its threshold ------------------------------------------------------------------


def test_run_length_without_room_for_a_step_is_a_coin() -> None:
    """Where one miss is an alarm, the alarms are one in so many as misses are."""
    assert run_length_blocks(SLOTS, SLOTS.gain) == pytest.approx(10)
    assert run_length_blocks(SLOTS, SLOTS.gain / 2) == pytest.approx(10)


def test_run_length_of_two_misses_in_a_row_is_the_textbooks() -> None:
    """The mean time to two misses in a row is (1 + 1/q) / q; an inclusion loses all there is."""
    model = replace(SLOTS, included_per_block=0.9, impaired_share=0.1)
    assert model.loss > model.gain > 0
    assert run_length_blocks(model, 2 * model.gain) == pytest.approx((1 + 10) * 10)


@given(model=models, one=st.floats(0.01, 6), other=st.floats(0.01, 6))
def test_run_length_grows_with_the_threshold(
    model: InclusionModel, one: float, other: float
) -> None:
    """More evidence is asked for, and chance brings it less often; never quicker than e^h."""
    low, high = sorted((one, other))
    blocks = run_length_blocks(model, low)
    assert math.exp(low) * (1 - 1e-6) <= blocks
    assert blocks <= run_length_blocks(model, high) * (1 + 1e-6)
    assert blocks < math.inf


@pytest.mark.parametrize("model", [SLOTS, POISSON, OFTEN], ids=["slots", "poisson", "often"])
def test_threshold_keeps_to_the_budget_and_is_hardly_higher(model: InclusionModel) -> None:
    """One false alarm in the budget's days or longer, but not twice as long; lower would break."""
    budget_blocks = model.budget_days * model.blocks_a_day
    threshold = alarm_threshold(model)
    assert budget_blocks <= run_length_blocks(model, threshold) < 2 * budget_blocks
    assert run_length_blocks(model, threshold - 0.002) < budget_blocks
    assert threshold < math.log(budget_blocks)


def test_threshold_of_the_documented_chain() -> None:
    """The numbers of the documentation: seven blocks, 84 seconds, for a stop on mainnet."""
    assert alarm_threshold(SLOTS) == pytest.approx(10.547, abs=0.002)
    assert math.ceil(alarm_threshold(SLOTS) / SLOTS.gain) == 7
    assert SLOTS.gain == pytest.approx(math.log(5.5))
    assert SLOTS.loss == pytest.approx(math.log(2))


def healthy_blocks_to_alarm(draw: random.Random, threshold: float) -> int:
    """Blocks until a healthy chain with one transaction waiting raises an alarm, drawn.

    At 0 an inclusion changes nothing, so the blocks until the next miss are drawn at once.
    """
    blocks, value = 0, 0.0
    while value < threshold:
        if value <= 0:
            blocks += int(math.log(1 - draw.random()) / math.log(0.9)) + 1
            value = SLOTS.gain
        else:
            blocks += 1
            value += SLOTS.gain if draw.random() >= 0.9 else -SLOTS.loss
    return blocks


def test_false_alarms_of_a_healthy_chain_come_once_in_thirty_days() -> None:
    """Simulated over years, block by block: within a factor of two of the budget."""
    draw = drawn_from("thirty days")
    counts = [healthy_blocks_to_alarm(draw, alarm_threshold(SLOTS)) for _ in range(30)]
    days = sum(counts) / len(counts) / SLOTS.blocks_a_day
    assert 30 / 2 < days < 30 * 2


def false_alarm_blocks(name: str, *, waiting: int, is_together: bool, alarms: int) -> float:
    """Blocks between false alarms of `OFTEN`, folded by `Inclusion` itself, on average."""
    draw = drawn_from(name)
    blocks = 0
    for _ in range(alarms):
        state = Inclusion.of(OFTEN)
        while not state.is_alarming and blocks < 40_000 * alarms:
            blocks += 1
            if is_together:
                included = waiting * (draw.random() < 0.9)
            else:
                included = sum(draw.random() < 0.9 for _ in range(waiting))
            state = state.after_block(included, waiting)
    return blocks / alarms


def test_false_alarms_with_one_waiting_come_as_often_as_reckoned() -> None:
    """The fold keeps to the run length that the threshold was made from."""
    expected = run_length_blocks(OFTEN, alarm_threshold(OFTEN))
    mean = false_alarm_blocks("one", waiting=1, is_together=True, alarms=60)
    assert expected / 2 < mean < expected * 2


def test_false_alarms_with_many_waiting_are_not_more_frequent() -> None:
    """Ten that are left out together by an empty block count as one; ten apart count as less."""
    expected = run_length_blocks(OFTEN, alarm_threshold(OFTEN))
    together = false_alarm_blocks("many", waiting=10, is_together=True, alarms=60)
    assert expected / 2 < together < expected * 2
    apart = false_alarm_blocks("apart", waiting=3, is_together=False, alarms=1)
    assert apart > expected * 10


# -- what is seen --------------------------------------------------------------------------------


def run_of(state: Inclusion, *blocks: tuple[int, int]) -> Inclusion:
    for included, exposed in blocks:
        state = state.after_block(included, exposed)
    return state


@pytest.mark.parametrize("waiting", [1, 7, 300])
def test_total_stop_is_an_alarm_within_the_stated_blocks(waiting: int) -> None:
    """Nothing is mined any more, so nothing is finished, and it is an alarm all the same."""
    draw = drawn_from(f"stop {waiting}")
    limit = math.ceil(alarm_threshold(SLOTS) / SLOTS.gain)
    for healthy in range(60):
        state = Inclusion.of(SLOTS)
        for _ in range(healthy):
            state = state.after_block(sum(draw.random() < 0.9 for _ in range(waiting)), waiting)
        stopped = [state := state.after_block(0, waiting) for _ in range(limit)]
        assert stopped[-1].is_alarming
    from_nothing = run_of(Inclusion.of(SLOTS), *[(0, waiting)] * (limit - 1))
    assert not from_nothing.is_alarming


def test_impaired_inclusion_is_an_alarm_after_some_blocks() -> None:
    """At half the rate, what the sum is tuned to, it takes 22 blocks on average: four minutes."""
    draw = drawn_from("impaired")
    taken = []
    for _ in range(300):
        state, blocks = Inclusion.of(SLOTS), 0
        while not state.is_alarming:
            state = state.after_block(int(draw.random() < 0.45), 1)
            blocks += 1
        taken.append(blocks)
    assert 15 < sum(taken) / len(taken) < 25


def test_alarm_ends_with_as_much_good_news_as_it_needed_bad() -> None:
    """A stop of a day does not keep the alarm up for another."""
    state = run_of(Inclusion.of(SLOTS), *[(0, 4)] * 7000)
    needed = math.ceil(alarm_threshold(SLOTS) / SLOTS.loss)
    assert run_of(state, *[(4, 4)] * (needed - 1)).is_alarming
    assert not run_of(state, *[(4, 4)] * (needed + 1)).is_alarming
    healed = run_of(state, *[(4, 4)] * (2 * needed))
    assert (healed.cusum.value, healed.blocks, healed.exposed, healed.included) == (0, 0, 0, 0)


def test_block_that_nothing_waited_for_changes_nothing() -> None:
    """Without a transaction there is no evidence, for or against."""
    state = run_of(Inclusion.of(SLOTS), (0, 1))
    assert state.after_block(0, 0) == state
    assert Inclusion.of(SLOTS).after_block(0, 0) == Inclusion.of(SLOTS)


def test_block_counts_as_the_mean_of_those_that_waited() -> None:
    """Two of three taken: two losses and a gain, divided by three."""
    state = run_of(Inclusion.of(SLOTS), (0, 1), (2, 3))
    expected = SLOTS.gain + (SLOTS.gain - 2 * SLOTS.loss) / 3
    assert state.cusum.value == pytest.approx(expected)
    assert (state.blocks, state.exposed, state.included) == (2, 4, 2)


@pytest.mark.parametrize(("included", "exposed"), [(1, 0), (2, 1), (-1, 1), (0, -1), (-1, -1)])
def test_block_that_took_more_than_waited_is_refused(included: int, exposed: int) -> None:
    """A count that cannot be is a mistake of ours, and is not evidence."""
    with pytest.raises(ValueError, match="cannot have been included"):
        Inclusion.of(SLOTS).after_block(included, exposed)


def test_summary_says_how_often_blocks_took_one_and_since_when() -> None:
    """Healthy, perhaps, and alarming are three sentences."""
    fresh = Inclusion.of(SLOTS)
    assert fresh.summary == "blocks take its transactions as they should"
    assert fresh.after_block(1, 1).summary == fresh.summary
    maybe = run_of(fresh, (1, 1), (0, 2), (1, 2))
    assert maybe.summary == (
        "blocks took a well-priced transaction 1 of 4 times in 2 blocks, which may be chance"
    )
    alarm = run_of(fresh, *[(0, 2)] * 7)
    assert alarm.summary == (
        "blocks took a well-priced transaction only 0 of 14 times in 7 blocks: "
        "chance does that once in 30 days"
    )


counts = st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(blocks=st.lists(counts, max_size=60))
def test_inclusion_of_any_blocks_is_a_number_within_its_bounds(
    blocks: list[tuple[int, int]],
) -> None:
    """From 0 to twice the threshold, whatever comes; counts agree with what was folded."""
    state = run_of(Inclusion.of(SLOTS), *blocks)
    assert 0 <= state.cusum.value <= 2 * state.cusum.threshold
    assert state.is_alarming == (state.cusum.value >= state.cusum.threshold)
    assert 0 <= state.included <= state.exposed <= sum(n for _, n in blocks)
    assert (state.blocks == 0) == (state.cusum.value == 0)


@given(blocks=st.lists(counts, max_size=30), block=counts)
def test_inclusion_of_one_less_is_never_better(
    blocks: list[tuple[int, int]], block: tuple[int, int]
) -> None:
    """A block that takes one fewer raises the sum, or leaves it at its bound."""
    included, exposed = block
    before = run_of(Inclusion.of(SLOTS), *blocks)
    fewer = before.after_block(max(0, included - 1), exposed)
    assert fewer.cusum.value >= before.after_block(included, exposed).cusum.value


@pytest.mark.parametrize(
    ("value", "ratio", "expected", "is_alarming"),
    [
        (0, -1, 0, False),
        (1, -0.5, 0.5, False),
        (2, 1, 3, True),
        (2, 0.9, 2.9, False),
        (5, 9, 6, True),
    ],
)
def test_cusum_stays_between_nothing_and_twice_its_threshold(
    value: float, ratio: float, expected: float, is_alarming: bool
) -> None:
    """At the threshold it alarms, below it does not."""
    cusum = Cusum(threshold=3.0, value=value).after(ratio)
    assert (cusum.value, cusum.is_alarming) == (expected, is_alarming)


# -- quantiles -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mined", "waiting", "percent", "expected"),
    [
        ([], [], 50, None),
        ([7], [], 50, Quantile(7, is_at_least=False)),
        ([1, 2, 3, 4], [], 50, Quantile(2, is_at_least=False)),
        ([4, 3, 2, 1], [], 51, Quantile(3, is_at_least=False)),
        ([1, 2, 3, 4], [], 100, Quantile(4, is_at_least=False)),
        ([1, 2, 3, 4], [], 1, Quantile(1, is_at_least=False)),
        (range(1, 101), [], 95, Quantile(95, is_at_least=False)),
        (range(1, 101), [], 99, Quantile(99, is_at_least=False)),
        (range(1, 101), [], 7, Quantile(7, is_at_least=False)),
        # One that waits is the longest: it moves the rank, and the mined ones still reach it.
        ([1, 2, 3], [9], 50, Quantile(2, is_at_least=False)),
        ([1, 2, 3], [9], 75, Quantile(3, is_at_least=False)),
        ([1, 2, 3], [9], 76, Quantile(9, is_at_least=True)),
        # One that is young may yet be any: what lies above its age is a lower bound.
        ([1, 2, 3], [0], 50, Quantile(1, is_at_least=True)),
        ([5, 5, 5], [0], 50, Quantile(5, is_at_least=False)),
        ([5, 5, 5], [0], 76, Quantile(5, is_at_least=True)),
        ([5], [5], 50, Quantile(5, is_at_least=False)),
        ([5], [5], 51, Quantile(5, is_at_least=True)),
        ([], [3, 9], 50, Quantile(3, is_at_least=True)),
    ],
)
def test_quantile_is_the_nearest_rank_and_says_where_it_is_a_bound(
    mined: list[float], waiting: list[float], percent: int, expected: Quantile | None
) -> None:
    """By hand; what still waits counts, with its age."""
    assert quantile(iter(mined), iter(waiting), percent=percent) == expected


@given(
    mined=st.lists(delays, max_size=12),
    waits=st.lists(st.tuples(delays, delays), max_size=12),
    percent=st.integers(1, 100),
)
def test_quantile_holds_however_long_the_others_will_have_waited(
    mined: list[float], waits: list[tuple[float, float]], percent: int
) -> None:
    """When all are mined, it has been reached or exceeded; and exactly reached where it says so."""
    now = quantile(mined, [age for age, _ in waits], percent=percent)
    then = quantile([*mined, *(age + more for age, more in waits)], percent=percent)
    if now is None or then is None:
        assert now is then is None
        assert (mined, waits) == ([], [])
        return
    assert not then.is_at_least
    assert then.seconds >= now.seconds
    assert now.is_at_least or then.seconds == now.seconds


def test_quantile_of_no_percentage_is_refused() -> None:
    """There is no 0 % and no 101 %."""
    for percent in (0, 101):
        with pytest.raises(ValueError, match="no quantile"):
            quantile([1.0], percent=percent)


def test_quantile_in_words_says_at_least() -> None:
    """A lower bound is told as one."""
    assert Quantile(12.345, is_at_least=False).words == "12.35 s"
    assert Quantile(84.0, is_at_least=True).words == "at least 84 s"
