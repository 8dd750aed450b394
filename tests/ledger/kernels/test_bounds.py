"""What the kernels may be given."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.ledger.kernels import bounds
from monitor.ledger.kernels.bounds import OutOfBounds, flags, ints, offsets_of, same_length, steps


def test_ints_of_whole_numbers_are_taken_as_they_are() -> None:
    """What is a column of int64 already is not copied, narrower ones are widened."""
    column = np.array([1, -2, 3], dtype=np.int64)
    assert ints(column, "x") is column
    assert ints(np.array([1, 255], np.uint8), "x").dtype == np.int64
    assert ints([], "x").dtype == np.int64
    assert ints(column[::2], "x").flags.c_contiguous


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(np.array([1.0]), id="floats"),
        pytest.param(np.array([[1]]), id="matrix"),
        pytest.param(np.array(["1"]), id="text"),
        pytest.param([2**64], id="more than 64 bits"),
        pytest.param(np.array([2**63], np.uint64), id="64 bits without a sign"),
        pytest.param([True], id="truth"),
    ],
)
def test_ints_of_anything_else_are_refused(values: object) -> None:
    """A float, or an integer that would wrap, never becomes an amount."""
    with pytest.raises(OutOfBounds, match="stakes"):
        ints(values, "stakes")


def test_ints_of_unsigned_that_fit_are_taken() -> None:
    """The last number with a sign's room is one of them."""
    assert ints(np.array([2**63 - 1], np.uint64), "x").tolist() == [2**63 - 1]


def test_ints_of_too_many_rows_are_refused() -> None:
    """The proofs count rows: a row more than they assume is not taken. Nothing is allocated."""
    most = np.broadcast_to(np.int8(0), (bounds.ROWS_MAX + 1,))
    with pytest.raises(OutOfBounds, match="rows, more than"):
        ints(most, "x")


@pytest.mark.parametrize("value", [-2, 2])
def test_steps_outside_one_are_refused(value: int) -> None:
    """A step is one up, one down, or none; and the complaint names the row."""
    assert steps([1, 0, -1], "moves").tolist() == [1, 0, -1]
    with pytest.raises(OutOfBounds, match=rf"moves\[1\] is {value}, outside -1 to 1"):
        steps([0, value], "moves")


def test_flags_of_numbers_are_refused() -> None:
    """A number is no truth value, even where it is 0 or 1."""
    assert flags([True, False], "x").tolist() == [True, False]
    assert flags([], "x").dtype == np.bool_
    with pytest.raises(OutOfBounds, match="truth"):
        flags([1, 0], "x")


def test_columns_of_two_lengths_are_refused() -> None:
    """A column that lacks a row is named with the others."""
    same_length(a=ints([1], "a"), b=ints([2], "b"))
    with pytest.raises(OutOfBounds, match="'a': 1, 'b': 2"):
        same_length(a=ints([1], "a"), b=ints([1, 2], "b"))


@pytest.mark.parametrize("values", [[], [0], [1, 3], [0, 2], [0, 4], [0, 2, 1, 3]])
def test_offsets_that_do_not_divide_the_rows_are_refused(values: list[int]) -> None:
    """Groups begin at row 0, end at the last, and none ends before it begins."""
    assert offsets_of([0, 0, 3], 3, "offsets").tolist() == [0, 0, 3]
    with pytest.raises(OutOfBounds, match="do not divide 3 rows"):
        offsets_of(values, 3, "offsets")
