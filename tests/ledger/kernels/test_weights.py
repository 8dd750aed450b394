"""The weight of a contribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.kernels.bounds import INT64_MAX, OutOfBounds
from monitor.ledger.kernels.compiled import Engine
from monitor.ledger.kernels.weights import ENCLAVE_SCORE_MAX, weights_of
from tests.ledger.kernels import plain
from tests.ledger.kernels.plain import untimed

AROUND = st.builds(
    lambda power, off: min(max(0, 2**power + off), INT64_MAX),
    st.integers(0, 63),
    st.integers(-2, 2),
)
SCORES = st.lists(AROUND | st.integers(0, INT64_MAX) | st.integers(0, 200), max_size=30)


@untimed
@given(scores=SCORES)
@pytest.mark.parametrize("engine", plain.ENGINES)
def test_weights_of_any_scores_are_those_of_the_rule(engine: Engine, scores: list[int]) -> None:
    """By bit length, at and around every power of two."""
    expected = [plain.weight(score, False) for score in scores]
    assert weights_of(scores, [False] * len(scores), engine=engine).tolist() == expected
    small = [score // 3 for score in scores]
    expected = [plain.weight(score, True) for score in small]
    assert weights_of(small, [True] * len(small), engine=engine).tolist() == expected


@pytest.mark.parametrize("engine", plain.ENGINES)
@pytest.mark.parametrize(
    ("score", "is_enclave", "weight"),
    [
        (0, False, 1),
        (1, False, 1),
        (2, False, 2),
        (3, False, 3),
        (4, False, 3),
        (5, False, 4),
        (16, False, 5),
        (17, False, 6),
        (0, True, 1),
        (1, True, 3),
        (2, True, 4),
        (3, True, 5),
        (2**29 - 1, False, 30),
        (2**29, False, 30),
        (2**29 + 1, False, 31),
        (2**62, False, 63),
        (2**62 + 1, False, 64),
        (INT64_MAX, False, 64),
        (ENCLAVE_SCORE_MAX, True, 64),
    ],
)
def test_weight_at_its_boundaries(
    engine: Engine, score: int, is_enclave: bool, weight: int
) -> None:
    """2^29 is where logarithms in floats begin to be one too high."""
    assert weights_of([score], [is_enclave], engine=engine).tolist() == [weight]


@pytest.mark.parametrize("engine", plain.ENGINES)
def test_weight_of_a_score_that_cannot_be_tripled_is_refused(engine: Engine) -> None:
    """It is refused with an enclave, where three times it would wrap, and taken without."""
    above = ENCLAVE_SCORE_MAX + 1
    assert weights_of([above], [False], engine=engine).tolist() == [63]
    with pytest.raises(OutOfBounds, match="enclave"):
        weights_of(np.array([0, above]), np.array([False, True]), engine=engine)
    with pytest.raises(OutOfBounds, match="scores"):
        weights_of([-1], [False], engine=engine)
