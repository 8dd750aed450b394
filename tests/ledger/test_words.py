from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.words import counted, moment, rlc, signed_rlc, table


@pytest.mark.parametrize(
    ("nrlc", "words"),
    [
        (0, "0.000000000 RLC"),
        (1, "0.000000001 RLC"),
        (-1, "-0.000000001 RLC"),
        (999_999_999, "0.999999999 RLC"),
        (10**9, "1.000000000 RLC"),
        (6_430_868_167, "6.430868167 RLC"),
        (-1_000_000_001, "-1.000000001 RLC"),
        (87_000_000 * 10**9 + 7, "87,000,000.000000007 RLC"),
    ],
)
def test_rlc_has_all_nine_decimals_and_no_more(nrlc: int, words: str) -> None:
    """Below, at and above one RLC, and with its sign."""
    assert rlc(nrlc) == words


@given(st.integers(min_value=-(2**256), max_value=2**256))
def test_rlc_of_any_amount_is_exact(nrlc: int) -> None:
    """What is written is what is meant, to the last nRLC, however large."""
    assert Fraction(rlc(nrlc, "").replace(",", "")) * 10**9 == nrlc


@pytest.mark.parametrize(
    ("nrlc", "words"), [(-1, "-0.000000001"), (0, "0.000000000"), (1, "+0.000000001")]
)
def test_signed_rlc_shows_which_way_it_went(nrlc: int, words: str) -> None:
    """A plus for more, a minus for less, nothing for no change."""
    assert signed_rlc(nrlc, "") == words


def test_moment_is_utc_and_survives_a_block_that_lies() -> None:
    """A header may hold any number."""
    assert moment(1_532_088_000) == "2018-07-20 12:00:00 UTC"
    assert moment(2**64 - 1) == f"{2**64 - 1} s"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 entries"), (1, "1 entry"), (1000, "1,000 entries")]
)
def test_counted_knows_one_from_many(number: int, words: str) -> None:
    """The noun follows its number."""
    assert counted(number, "entry", "entries") == words
    assert counted(number, "log").endswith(" log" if number == 1 else " logs")


def test_table_ends_numbers_level_and_leaves_empty_columns_out() -> None:
    """Names above values; a column with nothing in it takes no room."""
    rows = [("who", "", "never", "points"), ("a", "x", "", "5"), ("bcd", "", "", "1234567")]
    assert table(rows, right=frozenset({3})) == [
        "who      points",
        "a    x        5",
        "bcd     1234567",
    ]


def test_table_without_rows_shows_its_names() -> None:
    """Nothing to show is shown as such."""
    assert table([("who", "points")]) == ["who  points"]
