"""Percentages, pots, and how a pot is split by weight.

`WorkerPool.finalizeWork` of `iexec-poco@1.1.17`: the stakes of everybody who did not prove join the
order's value; `share = pot * (100 - schedulerRatio) / 100`; each gets `share * weight / W`; what is
left is the scheduler's.

With x = (x // d) * d + x % d, `x * w // d` is `(x // d) * w + (x % d) * w // d`, to the last digit.
For 0 <= w <= d the first product is at most x, the second below d * d: so 64 bits suffice for every
x of 64 bits, as long as d * d does. Here d is 100, or a sum of weights up to WEIGHT_SUM_MAX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.ledger.kernels.bounds import (
    INT64_MAX,
    OutOfBounds,
    ints,
    offsets_of,
    same_length,
    within,
)
from monitor.ledger.kernels.compiled import Engine, compiled, installed

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Ints

WEIGHT_SUM_MAX = 2**31
"""Of all contributions of one work order; its square has 62 bits."""


def percent_of(amounts: object, percents: object) -> Ints:
    """`amount * percent // 100` of amounts from 0 and percentages from 0 to 100."""
    import numpy as np

    amounts, percents = ints(amounts, "amounts"), ints(percents, "percents")
    same_length(amounts=amounts, percents=percents)
    within(amounts, 0, INT64_MAX, "amounts")
    within(percents, 0, 100, "percents")
    found: Ints = np.multiply(amounts // 100, percents)
    found += amounts % 100 * percents // 100
    return found


def pots_of(values: object, stakes: object, lost: object) -> Ints:
    """What is to be split: the value, and as many stakes as were lost. Raises OutOfBounds."""
    values, stakes, lost = ints(values, "values"), ints(stakes, "stakes"), ints(lost, "lost")
    same_length(values=values, stakes=stakes, lost=lost)
    for column, name in ((values, "values"), (stakes, "stakes"), (lost, "lost")):
        within(column, 0, INT64_MAX, name)
    room = (INT64_MAX - values) // lost.clip(min=1)
    if ((stakes > room) & (lost > 0)).any():
        message = "a value and the stakes lost to it have more than 64 bits"
        raise OutOfBounds(message)
    # Where nothing is lost, a stake of any size is taken times zero.
    return values + stakes * lost


def split_rewards(
    pots: object,
    scheduler_ratios: object,
    offsets: object,
    weights: object,
    *,
    engine: Engine | None = None,
) -> tuple[Ints, Ints]:
    """Each contribution's reward, and what each work order leaves to its scheduler; both in nRLC.

    The contributions of work order i are rows `offsets[i]` to `offsets[i + 1]` of `weights`, which
    are 0 where nothing was proved. Raises OutOfBounds, also for a work order without any weight,
    which the contract cannot finalise.
    """
    import numpy as np

    pots, weights = ints(pots, "pots"), ints(weights, "weights")
    ratios = ints(scheduler_ratios, "scheduler ratios")
    within(ratios, 0, 100, "scheduler ratios")
    shares = percent_of(pots, 100 - ratios)
    offsets = offsets_of(offsets, len(weights), "offsets")
    same_length(pots=pots, shares=shares, offsets=offsets[1:])
    within(weights, 0, WEIGHT_SUM_MAX, "weights")
    # 2^28 rows of 2^31: the sums have 59 bits.
    sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(weights)))
    totals = sums[offsets[1:]] - sums[offsets[:-1]]
    del sums
    within(totals, 1, WEIGHT_SUM_MAX, "the sum of weights")
    if (engine or installed()) == "numpy":
        return _columns(pots, shares, offsets, totals, weights)
    rewards, rests = np.empty(len(weights), np.int64), pots.copy()
    kernel = compiled(_loop, ("int64",) * 3, ("int64",) * 2)
    kernel(shares, offsets, weights, rewards, rests)
    return rewards, rests


def _loop(shares: Ints, offsets: Ints, weights: Ints, rewards: Ints, rests: Ints) -> None:
    """`rests` holds the pots to begin with."""
    for task in range(len(shares)):
        total, rest = 0, rests[task]
        for row in range(offsets[task], offsets[task + 1]):
            total += weights[row]
        quotient, remainder = shares[task] // total, shares[task] % total
        for row in range(offsets[task], offsets[task + 1]):
            reward = quotient * weights[row] + remainder * weights[row] // total
            rewards[row] = reward
            rest -= reward
        rests[task] = rest


def _columns(
    pots: Ints, shares: Ints, offsets: Ints, totals: Ints, weights: Ints
) -> tuple[Ints, Ints]:
    import numpy as np

    counts = np.diff(offsets)
    quotients, remainders = np.divmod(shares, totals)
    rewards: Ints = np.repeat(remainders, counts)
    rewards *= weights
    rewards //= np.repeat(totals, counts)
    rewards += np.repeat(quotients, counts) * weights
    # The running sum may wrap; the difference of two does not care, since the rewards of one work
    # order are at most its pot.
    sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(rewards)))
    return rewards, pots - (sums[offsets[1:]] - sums[offsets[:-1]])
