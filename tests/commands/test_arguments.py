from __future__ import annotations

import argparse

import pytest

from monitor.commands.arguments import seconds_of
from monitor.commands.transaction_arguments import wei_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60", 60.0), ("60s", 60.0), ("5m", 300.0), ("250ms", 0.25), ("1.5h", 5400.0), ("0", 0.0)],
)
def test_time_with_a_unit_is_read_as_seconds(text: str, seconds: float) -> None:
    """Units are part of the text; a bare number is seconds."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 m", "1d", "1e3", "99999h", "9" * 400])
def test_time_that_is_none_is_refused_with_its_text(text: str) -> None:
    """What is no time, or longer than a week, is a usage error."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0", 0),
        ("1", 10**9),
        ("0.1", 10**8),
        ("12.345678901", 12_345_678_901),
        ("0.000000001", 1),
        ("999999999999999999.999999999", 10**27 - 1),
    ],
)
def test_amount_of_gwei_is_read_to_the_wei(text: str, wei: int) -> None:
    """What was written is what is meant: no float lies between."""
    assert wei_of(text) == wei


@pytest.mark.parametrize(
    "text", ["", "-1", "0.0000000001", "nan", "inf", "1e3", "1,5", "ten", "٣", ".5"]
)
def test_amount_that_is_none_is_refused_with_its_text(text: str) -> None:
    """Neither less than a wei nor more than there is; nor what is no number."""
    with pytest.raises(argparse.ArgumentTypeError, match="expected gwei"):
        wei_of(text)
