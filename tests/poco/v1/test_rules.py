"""The arithmetic, against the tables of the contracts and against other ways to compute it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.poco.v1.rules import (
    ask_stake,
    kitty_share,
    log2_ceil,
    percentage,
    raised_score,
    seized_score,
    weight_of,
    work_stake,
    worker_reward,
    workers_share,
)
from tests.poco.v1.contracts import logarithm

AMOUNTS = st.integers(0, 10**17)


@pytest.mark.parametrize(
    ("x", "log"),
    [
        *((0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (16, 4), (17, 5)),
        *((2**29, 29), (2**29 + 1, 30), (2**53 + 1, 54), (2**64 - 1, 64), (2**64 + 1, 65)),
        *((2**254 + 1, 255), (2**255, 255), (2**255 + 1, 256), (2**256 - 1, 256)),
    ],
)
def test_log2_ceil_is_exact_at_every_power(x: int, log: int) -> None:
    """Rounded up, of whole numbers of any length; nothing of it is a float."""
    assert log2_ceil(x) == log


@given(st.integers(0, 2**255))
def test_log2_ceil_is_the_contracts_doubling(x: int) -> None:
    """`SafeMathOZ.log` doubles until it is no less."""
    assert log2_ceil(x) == logarithm(x)


@pytest.mark.parametrize(
    ("score", "plain", "enclave"),
    [
        *((0, 1, 1), (1, 1, 3), (2, 2, 4), (3, 3, 5), (4, 3, 5), (5, 4, 5), (6, 4, 6), (8, 4, 6)),
        *((9, 5, 6), (16, 5, 7), (17, 6, 7)),
    ],
)
def test_weight_of_a_score_is_the_contracts(score: int, plain: int, enclave: int) -> None:
    """1 and the logarithm; the score counts three times where an enclave signed."""
    assert (weight_of(score, False), weight_of(score, True)) == (plain, enclave)


@pytest.mark.parametrize(
    ("score", "raised", "seized"),
    [(0, 1, 0), (1, 2, 0), (49, 50, 0), (50, 51, 0), (51, 52, 1), (1000, 1001, 950)],
)
def test_score_after_a_contribution(score: int, raised: int, seized: int) -> None:
    """One up, or fifty down and never below zero."""
    assert (raised_score(score), seized_score(score)) == (raised, seized)


@pytest.mark.parametrize(
    ("amount", "ratio", "part"),
    [(0, 30, 0), (1, 100, 1), (1, 99, 0), (99, 1, 0), (100, 1, 1), (199, 1, 1), (33, 150, 49)],
)
def test_percentage_is_rounded_down(amount: int, ratio: int, part: int) -> None:
    """As `SafeMathOZ.percentage` does, above 100 too."""
    assert percentage(amount, ratio) == part
    assert work_stake(amount, ratio) == part


@pytest.mark.parametrize(("value", "stake"), [(0, 0), (3, 0), (4, 1), (6, 1), (7, 2), (100, 30)])
def test_ask_stake_is_thirty_per_cent(value: int, stake: int) -> None:
    """Of a value below 4 nRLC a scheduler stakes nothing."""
    assert ask_stake(value) == stake


@pytest.mark.parametrize(
    ("pot", "ratio", "share"),
    [
        *((0, 1, 0), (1, 1, 0), (99, 1, 98), (100, 1, 99), (101, 1, 99), (199, 1, 197)),
        *((100, 0, 100), (100, 100, 0), (45 * 10**9, 1, 44_550_000_000)),
    ],
)
def test_workers_share_rounds_the_complement_down(pot: int, ratio: int, share: int) -> None:
    """Of 101 nRLC at 1 % workers get 99, and not 101 less 1: the scheduler has two."""
    assert workers_share(pot, ratio) == share


@given(AMOUNTS, st.lists(st.integers(1, 257), min_size=1, max_size=8))
def test_worker_rewards_never_exceed_the_share(share: int, weights: list[int]) -> None:
    """Each is rounded down, so that less than one nRLC a worker remains."""
    total = sum(weights)
    rewards = [worker_reward(share, weight, total) for weight in weights]
    assert share - len(weights) < sum(rewards) <= share
    for weight, reward in zip(weights, rewards, strict=True):
        assert reward * total <= share * weight < (reward + 1) * total


@pytest.mark.parametrize(
    ("kitty", "drawn"),
    [
        *((0, 0), (1, 1), (999, 999), (1000, 1000), (1001, 1000), (9_999, 1000), (10_000, 1000)),
        *((10_009, 1000), (10_010, 1001), (10_019, 1001), (10**17 + 9, 10**16)),
    ],
)
def test_kitty_share_is_all_of_little_and_a_tenth_of_much(kitty: int, drawn: int) -> None:
    """The whole kitty up to 1,000 nRLC, 1,000 up to 10,009, a tenth rounded down above."""
    assert kitty_share(kitty) == drawn
