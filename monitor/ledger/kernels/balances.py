"""Sums by account: exact whatever is added up on the way, refused where the end has no 64 bits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from monitor.ledger.kernels.bounds import OutOfBounds, ints, same_length, within
from monitor.ledger.kernels.compiled import Engine, compiled, installed

if TYPE_CHECKING:
    from monitor.ledger.kernels.bounds import Ints

HALF = 32
LOW = 2**HALF - 1
HIGH_MAX = 2 ** (HALF - 1) - 1
PART_MAX = 2**61
"""What the high half of a part, and of parts added, may reach: two of them add up to 63 bits."""


class Sums(NamedTuple):
    """Sums by account, in two halves: `high * 2^32 + low`.

    2^28 rows add up to 60 bits in each half, so neither wraps, whatever the amounts.
    """

    high: Ints
    low: Ints


def sums_by_account(
    accounts: object, amounts: object, count: int, *, engine: Engine | None = None
) -> Sums:
    """The amounts of each of `count` accounts, which are numbered from 0; any sign and order."""
    import numpy as np

    accounts, amounts = ints(accounts, "accounts"), ints(amounts, "amounts")
    same_length(accounts=accounts, amounts=amounts)
    within(accounts, 0, count - 1, "accounts")
    sums = Sums(np.zeros(count, np.int64), np.zeros(count, np.int64))
    if (engine or installed()) == "numpy":
        np.add.at(sums.high, accounts, amounts >> HALF)
        np.add.at(sums.low, accounts, amounts & LOW)
    else:
        compiled(_loop, ("int64",) * 2, ("int64",) * 2)(accounts, amounts, sums.high, sums.low)
    return carried(sums)


def _loop(accounts: Ints, amounts: Ints, high: Ints, low: Ints) -> None:
    for row in range(len(accounts)):
        high[accounts[row]] += amounts[row] >> HALF
        low[accounts[row]] += amounts[row] & LOW


def carried(sums: Sums) -> Sums:
    """The same sums with a low half of 32 bits."""
    return Sums(sums.high + (sums.low >> HALF), sums.low & LOW)


def added(parts: Iterable[Sums], count: int) -> Sums:
    """The sums of all parts; carried after each, so that any number of them may be added."""
    import numpy as np

    total = Sums(np.zeros(count, np.int64), np.zeros(count, np.int64))
    for part in parts:
        within(part.high, -PART_MAX, PART_MAX, "the high half of a part")
        total = carried(Sums(total.high + part.high, total.low + part.low))
        within(total.high, -PART_MAX, PART_MAX, "the high half of the sum")
    return total


def settled(sums: Sums) -> Ints:
    """The sums in one piece. Raises OutOfBounds for one that has no 64 bits."""
    high, low = carried(sums)
    bad = (high < -HIGH_MAX - 1) | (high > HIGH_MAX)
    if bad.any():
        row = int(bad.argmax())
        message = f"account {row} holds {(int(high[row]) << HALF) + int(low[row])}: over 64 bits"
        raise OutOfBounds(message)
    found: Ints = (high << HALF) | low
    return found
