"""Sums by account."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.kernels.balances import PART_MAX, Sums, added, settled, sums_by_account
from monitor.ledger.kernels.bounds import INT64_MAX, OutOfBounds
from monitor.ledger.kernels.compiled import Engine
from tests.ledger.kernels import plain
from tests.ledger.kernels.plain import untimed

ACCOUNTS = 3
AMOUNTS = st.integers(-(10**17), 10**17) | st.integers(-INT64_MAX - 1, INT64_MAX)
ROWS = st.lists(st.tuples(st.integers(0, ACCOUNTS - 1), AMOUNTS), max_size=40)


def exact(rows: list[tuple[int, int]]) -> list[int]:
    return [sum(amount for who, amount in rows if who == account) for account in range(ACCOUNTS)]


def summed(rows: list[tuple[int, int]], engine: Engine) -> Sums:
    accounts, amounts = [who for who, _ in rows], [amount for _, amount in rows]
    return sums_by_account(accounts, amounts, ACCOUNTS, engine=engine)


@untimed
@given(rows=ROWS, cut=st.integers(0, 40))
@pytest.mark.parametrize("engine", plain.ENGINES)
def test_sums_of_any_amounts_are_exact_or_refused(
    engine: Engine, rows: list[tuple[int, int]], cut: int
) -> None:
    """A sum may leave 64 bits on the way, and must not at its end; in one part or in two."""
    expected = exact(rows)
    sums = added((summed(rows[:cut], engine), summed(rows[cut:], engine)), ACCOUNTS)
    for found in (summed(rows, engine), sums):
        if max(expected) > INT64_MAX or min(expected) < -INT64_MAX - 1:
            with pytest.raises(OutOfBounds, match="over 64 bits"):
                settled(found)
        else:
            assert settled(found).tolist() == expected


@pytest.mark.parametrize("engine", plain.ENGINES)
@pytest.mark.parametrize(
    ("amounts", "is_refused"),
    [
        ([INT64_MAX, INT64_MAX, -INT64_MAX], False),
        ([INT64_MAX, 1], True),
        ([-INT64_MAX, -1], False),
        ([-INT64_MAX, -1, -1], True),
    ],
)
def test_sum_at_its_bounds(engine: Engine, amounts: list[int], is_refused: bool) -> None:
    """The last that fits is given, the next is refused with the number that it would be."""
    sums = sums_by_account([0] * len(amounts), amounts, 1, engine=engine)
    if is_refused:
        with pytest.raises(OutOfBounds, match=f"account 0 holds {sum(amounts)}"):
            settled(sums)
    else:
        assert settled(sums).tolist() == [sum(amounts)]


@pytest.mark.parametrize("engine", plain.ENGINES)
@pytest.mark.parametrize("account", [-1, 2])
def test_sum_of_an_account_that_is_not_there_is_refused(engine: Engine, account: int) -> None:
    """No amount goes to whoever stands at the other end of the array."""
    with pytest.raises(OutOfBounds, match="accounts"):
        sums_by_account([0, account], [1, 1], 2, engine=engine)


def test_sums_of_parts_beyond_what_is_proved_are_refused() -> None:
    """Halves that could wrap when they are added are not added."""
    zero, most = np.zeros(1, np.int64), np.full(1, PART_MAX, np.int64)
    assert added((Sums(most, zero),), 1).high.tolist() == [PART_MAX]
    with pytest.raises(OutOfBounds, match="of the sum"):
        added((Sums(most, zero), Sums(zero + 1, zero)), 1)
    with pytest.raises(OutOfBounds, match="of a part"):
        added((Sums(most + 1, zero),), 1)
