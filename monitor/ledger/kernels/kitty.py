"""The kitty: what claims put into it, and what each finalisation draws; one scan in log order.

`IexecHub` of `iexec-poco@1.1.17`: a claim seizes the scheduler's stake and locks it for the hub
itself; a finalisation, of any pool, takes a tenth of the whole, 1000 nRLC at least, all if it is
less. Each draw depends on all before, so this is the one stage that is not divided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.ledger.kernels.bounds import (
    INT64_MAX,
    OutOfBounds,
    flags,
    ints,
    same_length,
    within,
)
from monitor.ledger.kernels.compiled import Engine, compiled, installed

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Flags, Ints

DRAW_MIN_NRLC = 1000
HIGHEST = 2**63 - 1


def scan_kitty(forfeits: object, draws: object, *, engine: Engine | None = None) -> Ints:
    """What is drawn at each end of a work order, in nRLC; ends in log order.

    `forfeits` is what the end puts in, 0 or more; `draws` whether it is a finalisation. What the
    kitty holds at last is the sum of the first minus that of what was drawn. Raises OutOfBounds
    where the kitty would hold more than 64 bits.
    """
    import numpy as np

    forfeits, draws = ints(forfeits, "forfeits"), flags(draws, "draws")
    same_length(forfeits=forfeits, draws=draws)
    within(forfeits, 0, INT64_MAX, "forfeits")
    drawn = np.zeros(len(forfeits), np.int64)
    # Without numba the ends are still few beside the contributions, and the loop is Python's.
    is_compiled = (engine or installed()) == "numba"
    kernel = compiled(_loop, ("int64", "boolean"), ("int64",), "int64") if is_compiled else _loop
    row = kernel(forfeits, draws, drawn) if is_compiled else _lists(forfeits, draws, drawn)
    if row >= 0:
        message = f"the kitty has more than 64 bits at end {row}"
        raise OutOfBounds(message)
    return drawn


def _loop(forfeits: Ints, draws: Flags, drawn: Ints) -> int:
    """The row at which the kitty leaves 64 bits, or -1."""
    kitty = 0
    for row in range(len(forfeits)):
        if forfeits[row] > HIGHEST - kitty:
            return row
        kitty += forfeits[row]
        if draws[row] and kitty > 0:
            drawn[row] = min(kitty, max(kitty // 10, DRAW_MIN_NRLC))
            kitty -= drawn[row]
    return -1


def _lists(forfeits: Ints, draws: Flags, drawn: Ints) -> int:
    """The same over Python's integers, which is faster than over the elements of arrays."""
    import numpy as np

    taken = [0] * len(forfeits)
    row = _loop(forfeits.tolist(), draws.tolist(), taken)  # type: ignore[arg-type]
    drawn[:] = np.array(taken, dtype=np.int64)
    return row
