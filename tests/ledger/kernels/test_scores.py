"""The score after each event."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.kernels.bounds import OutOfBounds
from monitor.ledger.kernels.compiled import Engine
from monitor.ledger.kernels.scores import fold_scores
from tests.ledger.kernels import plain
from tests.ledger.kernels.plain import untimed

HISTORIES = st.lists(
    st.tuples(
        st.integers(0, 2**63 - 1) | st.integers(0, 3),
        st.lists(st.sampled_from((1, 1, 1, 0, -1)), max_size=40)
        | st.integers(0, 130).map(lambda count: [1] * count + [-1, 0, -1, 1]),
    ),
    max_size=6,
).map(sorted)


@untimed
@given(history=HISTORIES)
@pytest.mark.parametrize("engine", plain.ENGINES)
def test_scores_of_any_history_are_those_of_the_rule(
    engine: Engine, history: list[tuple[int, list[int]]]
) -> None:
    """Both engines give what the rule gives row by row; workers do not see each other."""
    workers = np.array([worker for worker, moves in history for _ in moves], np.int64)
    moves = [move for _, many in history for move in many]
    expected = plain.scores(workers.tolist(), moves)
    assert fold_scores(workers, moves, engine=engine).tolist() == expected


@pytest.mark.parametrize("engine", plain.ENGINES)
@pytest.mark.parametrize(
    ("before", "after"), [(0, 0), (1, 0), (49, 0), (50, 0), (51, 1), (101, 51)]
)
def test_score_after_a_fault_is_fifty_less_and_never_below_zero(
    engine: Engine, before: int, after: int
) -> None:
    """The clamp is at 50: a score below it falls to 0."""
    moves = [1] * before + [-1, 0]
    assert fold_scores([7] * len(moves), moves, engine=engine).tolist()[-2:] == [after] * 2


@pytest.mark.parametrize("engine", plain.ENGINES)
def test_scores_of_rows_out_of_order_are_refused(engine: Engine) -> None:
    """A fold over unsorted rows would give a score that nobody has had."""
    with pytest.raises(OutOfBounds, match="sorted"):
        fold_scores([1, 0], [1, 1], engine=engine)
    with pytest.raises(OutOfBounds, match="workers"):
        fold_scores([-1, 0], [1, 1], engine=engine)
    with pytest.raises(OutOfBounds, match="length"):
        fold_scores([1, 1], [1], engine=engine)


def test_scores_of_many_workers_are_equal_in_both_engines() -> None:
    """A quarter of a million rows, with falls from great heights."""
    random = np.random.default_rng(7)
    workers = np.sort(random.integers(0, 500, 250_000))
    moves = np.where(random.random(250_000) < 0.99, 1, -1)
    one, two = (fold_scores(workers, moves, engine=engine) for engine in plain.ENGINES)
    assert np.array_equal(one, two)
    assert one.max() > 150
