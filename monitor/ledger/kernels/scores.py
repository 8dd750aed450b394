"""The score after each event of a worker: 1 more for an accurate contribution, up to 50 less else.

`IexecHub.finalizeWorkOrder` of `iexec-poco@1.1.17`: `m_scores[w] + 1` after a success, and
`m_scores[w] - min(m_scores[w], 50)` after a failure. The clamp makes the order matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.ledger.kernels.bounds import OutOfBounds, ints, same_length, steps, within
from monitor.ledger.kernels.compiled import Engine, compiled, installed

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Ints, Steps

PENALTY = 50
NOBODY = -1
"""No worker has this number."""


def fold_scores(workers: object, moves: object, *, engine: Engine | None = None) -> Ints:
    """The score of the row's worker after the row, for rows sorted by worker, then by place.

    `moves` is 1 where a contribution was accurate, -1 where it was faulty, and 0 where the score is
    only looked at, as it is when a worker contributes. Everybody begins with 0. Raises OutOfBounds.
    """
    import numpy as np

    workers, moves = ints(workers, "workers"), steps(moves, "moves")
    same_length(workers=workers, moves=moves)
    within(workers[:1], 0, 2**63 - 1, "workers")
    if (workers[1:] < workers[:-1]).any():
        message = "the rows are not sorted by worker"
        raise OutOfBounds(message)
    if (engine or installed()) == "numpy":
        return _columns(workers, moves)
    scores = np.empty(len(workers), np.int64)
    compiled(_loop, ("int64", "int8"), ("int64",))(workers, moves, scores)
    return scores


def _loop(workers: Ints, moves: Steps, scores: Ints) -> None:
    worker, score = NOBODY, 0
    for row in range(len(workers)):
        if workers[row] != worker:
            worker, score = workers[row], 0
        if moves[row] > 0:
            score += 1
        elif moves[row] < 0:
            score -= min(score, PENALTY)
        scores[row] = score


def _columns(workers: Ints, moves: Steps) -> Ints:
    """The closed form: `s - min(s, 50)` is `max(0, s - 50)`, a walk that is reflected at zero.

    After n steps it stands at S(n) - min(0, S(1), ..., S(n)), with S the sums of the steps. To take
    the minima of all workers at once, each worker's sums are put below those of the one before.
    With 2^28 rows the sums stay within 50 * 2^28, and 2^28 workers apart by their span below 2^62.
    """
    import numpy as np

    if not len(workers):
        return np.empty(0, np.int64)
    taken = np.where(moves < 0, -PENALTY, moves).astype(np.int64)
    sums = np.cumsum(taken)
    firsts = np.flatnonzero(np.concatenate(([True], workers[1:] != workers[:-1])))
    lengths = np.diff(firsts, append=len(workers))
    sums -= np.repeat(sums[firsts] - taken[firsts], lengths)
    span = max(0, int(sums.max())) - min(0, int(sums.min())) + 1
    depths = np.repeat(np.arange(len(firsts), dtype=np.int64) * span, lengths)
    lows: Ints = np.minimum(sums, 0) - depths
    np.minimum.accumulate(lows, out=lows)
    lows += depths
    sums -= lows
    return sums
