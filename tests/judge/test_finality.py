"""Up to which block the references call the network final."""

from __future__ import annotations

import pytest

from monitor.judge.finality import CONFIRMATIONS, final_number
from monitor.judge.seen import HeadSeen
from monitor.model import Unseen
from tests.judge.builders import TIMEOUT, TIP, block, round_of, said, seen_head, witness

HEAD = block(TIP)
NEVER_SAID = Unseen("timeout", "no answer in 5 s")


def test_final_number_is_what_a_majority_of_operators_reaches() -> None:
    """Of 900, 800 and 700, two of three call 800 final; who is ahead alone decides nothing."""
    three = [
        witness(name, [said(seen_head(TIP, final=final))])
        for name, final in zip("abc", (900, 800, 700), strict=True)
    ]
    assert final_number(round_of(*three), HEAD) == 800


def test_final_number_of_an_operator_is_the_lowest_of_its_endpoints() -> None:
    """One operator is one vote, and what its endpoints say apart counts at its least."""
    mine = [witness("a", [said(seen_head(TIP, final=900))], operator="one")]
    mine += [witness("b", [said(seen_head(TIP, final=100))], operator="one")]
    other = witness("c", [said(seen_head(TIP, final=800))])
    assert final_number(round_of(*mine, other), HEAD) == 100


@pytest.mark.parametrize(("height", "final"), [(TIP, TIP - CONFIRMATIONS), (10, 0)])
def test_final_number_without_the_tag_is_some_blocks_below_the_head(
    height: int, final: int
) -> None:
    """A chain without finality has its depth; near the genesis nothing is below zero."""
    three = [witness(name, [said(seen_head(height))]) for name in "abc"]
    assert final_number(round_of(*three), block(height)) == final


def test_final_number_that_only_one_operator_names_is_not_known() -> None:
    """A single voice is no majority of three; nor is a tag that could not be asked for."""
    unsaid = HeadSeen(HEAD, NEVER_SAID)
    said_once = witness("a", [said(seen_head(TIP, final=900))])
    others = [witness(name, [said(unsaid)]) for name in "bc"]
    assert final_number(round_of(said_once, *others), HEAD) is None


def test_final_number_without_a_head_is_not_known() -> None:
    """Where there is no tag and no agreed head, nothing is final."""
    three = [witness(name, [said(seen_head(TIP))]) for name in "abc"]
    assert final_number(round_of(*three), None) is None
    silent = [witness(name, TIMEOUT) for name in "abc"]
    assert final_number(round_of(*silent), HEAD) is None
