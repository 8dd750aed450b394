"""What is computed of one part."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.ledger.drivers.columns import OPEN
from monitor.ledger.drivers.stages import MovePart, ScorePart, TaskPart, scored, split, summed
from monitor.ledger.kernels.balances import settled
from tests.ledger.kernels import plain


@settings(deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 60) | st.none(), st.booleans()), max_size=30
    ),
    random=st.randoms(use_true_random=False),
)
def test_scored_is_the_score_of_each_worker_when_it_contributed(
    rows: list[tuple[int, int | None, bool]], random: Random
) -> None:
    """Every end before the contribution counts, none after it; in whatever order the rows are."""
    # Every place is of one event: an end, which comes later, is at its contribution's own number.
    events = [
        (worker, at, OPEN if delay is None else at + 100 * delay + number + 1, is_proved)
        for number, (worker, delay, is_proved) in enumerate(rows)
        for at in [100 * number]
    ]
    shuffled = list(events)
    random.shuffle(shuffled)
    worker, place, ended, proved = ([one[n] for one in shuffled] for n in range(4))
    part = ScorePart(_ints(worker), _ints(place), _ints(ended), np.array(proved, np.bool_))
    done = scored(part)

    def score(who: int, before: float) -> int:
        ends = sorted((e, p) for w, _, e, p in events if w == who and OPEN < e < before)
        return plain.scores([who] * len(ends), [1 if p else -1 for _, p in ends])[-1] if ends else 0

    assert done.score.tolist() == [score(w, p) for w, p, _, _ in shuffled]
    assert dict(zip(done.worker.tolist(), done.last.tolist(), strict=True)) == {
        who: score(who, float("inf")) for who in set(worker)
    }


def test_split_leaves_what_was_not_finalised_at_zero() -> None:
    """Between two that were: the stakes of those who did not prove are in the pot of their own."""
    done = split(
        TaskPart(
            value=_ints((45, 1000, 7)),
            stake=_ints((10, 300, 0)),
            scheduler_ratio=_ints((0, 0, 100)),
            is_completed=np.array([True, False, True]),
            offsets=_ints((0, 3, 5, 6)),
            score=_ints((0, 4, 16, 9, 9, 2)),
            is_enclave=np.array([True, False, False, False, False, True]),
            is_proved=np.array([True, False, True, True, False, True]),
        )
    )
    assert done.weight.tolist() == [1, 0, 5, 0, 0, 4]
    assert done.reward.tolist() == [55 // 6, 0, 55 * 5 // 6, 0, 0, 0]
    assert done.rest.tolist() == [55 - 55 // 6 - 55 * 5 // 6, 0, 7]


def test_summed_adds_stake_and_locked_by_account() -> None:
    """Each of both, for accounts that nothing moved as well."""
    part = MovePart(_ints((0, 2, 0)), _ints((5, 1, -7)), _ints((1, 0, 1)), 3)
    assert [settled(each).tolist() for each in summed(part)] == [[-2, 0, 1], [2, 0, 0]]


def _ints(values: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)
