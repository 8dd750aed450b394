"""Quantities: what is written, in the unit it is held in, or why not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.policy.units import (
    BLOCKS,
    DIGITS_MAX,
    GWEI,
    RATIO,
    SECONDS,
    PolicyError,
    Quantity,
    duration_seconds,
    in_unit,
    quantity,
    said,
)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("500ms", 0.5, SECONDS),
        ("36s", 36.0, SECONDS),
        ("2m", 120.0, SECONDS),
        ("1.5 h", 5400.0, SECONDS),
        ("1%", 0.01, RATIO),
        ("0.1 %", 0.001, RATIO),
        ("30gwei", 30.0, GWEI),
        ("3 blocks", 3.0, BLOCKS),
        ("1 block", 1.0, BLOCKS),
        (" 3 ", 3.0, ""),
        ("-5", -5.0, ""),
        ("2 operators", 2.0, "operators"),
    ],
)
def test_quantity_as_written_is_held_in_its_unit(text: str, value: float, unit: str) -> None:
    """Every unit that rules may use; what is no unit is taken as what is counted."""
    assert quantity(text) == Quantity(value, unit)


@pytest.mark.parametrize(
    "text", ["", "ms", "1e3", "0x10", "1,5s", ".5", "5.", "1 2", "nan", "9" * (DIGITS_MAX + 1), "³"]
)
def test_quantity_that_is_none_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(PolicyError) as caught:
        quantity(text)
    assert caught.value.expected == "expected a number and its unit"
    assert caught.value.found == text


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("500ms", SECONDS, 0.5),
        ("1%", RATIO, 0.01),
        ("0.01", RATIO, 0.01),
        ("0.99", RATIO, 0.99),
        ("0", RATIO, 0.0),
        ("100%", RATIO, 1.0),
        ("3", BLOCKS, 3.0),
        ("3 blocks", BLOCKS, 3.0),
        ("2 operators", "operators", 2.0),
        ("0", "differences", 0.0),
        ("30gwei", GWEI, 30.0),
    ],
)
def test_unit_that_fits_is_taken(text: str, unit: str, value: float) -> None:
    """A number alone is one where the unit goes without saying."""
    assert in_unit(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "expected", "hint"),
    [
        ("500", SECONDS, "expected a unit", "write ms, s, m or h, as in 500ms"),
        ("0", SECONDS, "expected a unit", "write ms, s, m or h, as in 500ms"),
        ("30", GWEI, "expected a unit", "write gwei, as in 30gwei"),
        ("1", RATIO, "expected a unit", "write %, as in 1%"),
        ("1.0", RATIO, "expected a unit", "write %, as in 1%"),
        ("-1", RATIO, "expected a unit", "write %, as in 1%"),
        ("1.01", RATIO, "expected a unit", "write %, as in 1%"),
        ("3 blocks", SECONDS, "expected seconds", "write ms, s, m or h, as in 500ms"),
        ("3s", BLOCKS, "expected blocks", "write blocks or nothing, as in 3"),
        ("1%", "errors", "expected errors", "write a number alone: it counts errors"),
        ("1d", SECONDS, "expected seconds", "write ms, s, m or h, as in 500ms"),
    ],
)
def test_unit_that_does_not_fit_is_refused_with_the_remedy(
    text: str, unit: str, expected: str, hint: str
) -> None:
    """A limit in another unit, or in none where one is needed, is a mistake that is told."""
    with pytest.raises(PolicyError) as caught:
        in_unit(text, unit)
    assert (caught.value.expected, caught.value.found, caught.value.hint) == (expected, text, hint)
    assert str(caught.value) == f"{expected}, found {text!r}; {hint}"


@pytest.mark.parametrize(("text", "seconds"), [("1ms", 0.001), ("2m", 120.0), ("24h", 86_400.0)])
def test_duration_within_bounds_is_taken(text: str, seconds: float) -> None:
    """Up to the bound, which is in it."""
    assert duration_seconds(text, most=86_400.0) == seconds


@pytest.mark.parametrize("text", ["0s", "-1s", "86401s", "25h"])
def test_duration_out_of_bounds_is_refused(text: str) -> None:
    """Nothing lasts no time, and nothing is remembered for ever."""
    with pytest.raises(PolicyError, match="above 0 and up to 86400s"):
        duration_seconds(text, most=86_400.0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, SECONDS, "500ms"),
        (0.0, SECONDS, "0s"),
        (1.0, SECONDS, "1s"),
        (-0.25, SECONDS, "-250ms"),
        (36.0, SECONDS, "36s"),
        (36.26, SECONDS, "36.26s"),
        (0.0123, RATIO, "1.23%"),
        (0.0, RATIO, "0%"),
        (3.0, BLOCKS, "3 blocks"),
        (2.5, BLOCKS, "2.5 blocks"),
        (1_000_000.0, "differences", "1000000 differences"),
    ],
)
def test_said_is_short_and_as_it_would_be_written(value: float, unit: str, text: str) -> None:
    """What was measured is told in the words of a rule."""
    assert said(value, unit) == text


@given(number=st.integers(-(10**9), 10**9), unit=st.sampled_from([SECONDS, RATIO, BLOCKS, GWEI]))
@settings(deadline=None)
def test_said_can_be_read_again(number: int, unit: str) -> None:
    """What is told of a whole number parses, and is that number."""
    value = number / 100 if unit == RATIO else float(number)
    text = said(value, unit)
    if len(text.strip("-%")) <= 4 or unit != RATIO:
        assert in_unit(text, unit) == pytest.approx(value)


def test_error_without_what_was_found_says_what_was_expected() -> None:
    """The parts that are not there are left out."""
    assert str(PolicyError("expected more")) == "expected more"
