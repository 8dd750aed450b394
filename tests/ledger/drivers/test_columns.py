"""A history as arrays."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from monitor.ledger.drivers.columns import (
    AMOUNT_MAX,
    BLOCK_MAX,
    NOBODY,
    Columns,
    check,
    place_of,
)
from monitor.ledger.kernels.bounds import OutOfBounds
from tests.ledger.drivers.whole import columns
from tests.poco.v1.world import history


@pytest.fixture(scope="module")
def whole() -> Columns:
    return columns(history(5, workers=8, orders=12))


def changed(whole: Columns, group: str, name: str, value: Any) -> Columns:
    """The last element of one column exchanged."""
    rows = getattr(whole, group)
    column = getattr(rows, name).copy()
    column[-1] = value
    replaced: Any = {group: rows._replace(**{name: column})}
    return dataclasses.replace(whole, **replaced)


@pytest.mark.parametrize(
    ("group", "name", "lowest", "highest"),
    [
        ("work_orders", "value", 0, AMOUNT_MAX),
        ("work_orders", "stake", 0, AMOUNT_MAX),
        ("work_orders", "app_price", 0, AMOUNT_MAX),
        ("work_orders", "dataset_price", 0, AMOUNT_MAX),
        ("moves", "stake", -AMOUNT_MAX, AMOUNT_MAX),
        ("moves", "locked", -AMOUNT_MAX, AMOUNT_MAX),
        ("work_orders", "scheduler", 0, None),
        ("work_orders", "requester", 0, None),
        ("work_orders", "app_owner", 0, None),
        ("work_orders", "dataset_owner", NOBODY, None),
        ("contributions", "worker", 0, None),
        ("moves", "account", 0, None),
    ],
)
def test_column_within_its_bounds_is_taken_and_beyond_them_refused(
    whole: Columns, group: str, name: str, lowest: int, highest: int | None
) -> None:
    """Amounts up to AMOUNT_MAX, and accounts that there are."""
    last = len(whole.accounts) - 1 if highest is None else highest
    for value in (lowest, last):
        check(changed(whole, group, name, value))
    for value in (lowest - 1, last + 1):
        with pytest.raises(OutOfBounds, match="outside"):
            check(changed(whole, group, name, value))


@pytest.mark.parametrize("group", ["work_orders", "contributions", "moves"])
def test_column_of_another_length_is_refused(whole: Columns, group: str) -> None:
    """No column of a group lacks a row, or has one more than the others."""
    rows = getattr(whole, group)
    for name in rows._fields:
        replaced: Any = {group: rows._replace(**{name: getattr(rows, name)[:-1]})}
        with pytest.raises(OutOfBounds):
            check(dataclasses.replace(whole, **replaced))


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("work_orders", "is_completed"),
        ("contributions", "is_enclave"),
        ("contributions", "is_proved"),
    ],
)
def test_truths_that_are_numbers_are_refused(whole: Columns, group: str, name: str) -> None:
    """A number where a truth value belongs would be added, and not asked."""
    rows = getattr(whole, group)
    numbers = getattr(rows, name).astype(np.int64)
    replaced: Any = {group: rows._replace(**{name: numbers})}
    with pytest.raises(OutOfBounds, match=name):
        check(dataclasses.replace(whole, **replaced))


def test_places_are_in_the_order_of_the_logs() -> None:
    """By block, then by index; the last that there can be has 63 bits."""
    places = [(0, 0), (0, 1), (0, 2**31 - 1), (1, 0), (5, 7), (BLOCK_MAX, 2**31 - 1)]
    numbers = [place_of(*place) for place in places]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < 2**63
