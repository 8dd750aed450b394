"""The weight of a contribution: 1 + L(score), with an enclave 1 + L(3 * score).

`WorkerPool.finalizeWork` of `iexec-poco@1.1.17`, with L of `SafeMathOZ.log`: L(0) = 0, and else
ceil(log2 x). Never by a logarithm in floats, which is wrong from 2^29 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.ledger.kernels.bounds import INT64_MAX, flags, ints, same_length, within
from monitor.ledger.kernels.compiled import Engine, compiled, installed

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Flags, Ints

ENCLAVE_FACTOR = 3
ENCLAVE_SCORE_MAX = INT64_MAX // ENCLAVE_FACTOR


def weights_of(scores: object, is_enclave: object, *, engine: Engine | None = None) -> Ints:
    """The weight of each, 1 to 64. Raises OutOfBounds where three times a score has no 64 bits."""
    import numpy as np

    scores, is_enclave = ints(scores, "scores"), flags(is_enclave, "is_enclave")
    same_length(scores=scores, is_enclave=is_enclave)
    within(scores, 0, INT64_MAX, "scores")
    if len(scores) and int(scores.max()) > ENCLAVE_SCORE_MAX:
        within(scores[is_enclave], 0, ENCLAVE_SCORE_MAX, "scores with an enclave")
    if (engine or installed()) == "numpy":
        return _columns(scores, is_enclave)
    weights = np.empty(len(scores), np.int64)
    compiled(_loop, ("int64", "boolean"), ("int64",))(scores, is_enclave, weights)
    return weights


def _loop(scores: Ints, is_enclave: Flags, weights: Ints) -> None:
    for row in range(len(scores)):
        rest = scores[row]
        if is_enclave[row]:
            rest *= ENCLAVE_FACTOR
        weight = 1
        if rest > 1:
            # The bit length of x - 1 is ceil(log2 x).
            rest -= 1
            while rest:
                weight += 1
                rest >>= 1
        weights[row] = weight


def _columns(scores: Ints, is_enclave: Flags) -> Ints:
    """ceil(log2 x) is the number of powers of two below x."""
    import numpy as np

    powers = np.left_shift(np.int64(1), np.arange(63, dtype=np.int64))
    counted = scores * np.where(is_enclave, ENCLAVE_FACTOR, 1)
    weights: Ints = np.searchsorted(powers, counted, side="left").astype(np.int64)
    weights += 1
    return weights
