"""What cannot happen: each is a difference at its log, with the values that disagree."""

from __future__ import annotations

import pytest

from monitor.model import Hash32
from monitor.poco.v1 import events as e
from monitor.poco.v1.events import Logged
from monitor.poco.v1.oddities import oddity, policy
from monitor.poco.v1.state import Pool
from tests.poco.v1.by_hand import GOOD, PAID, POOL, SCHEDULER

AT = Logged(5, 3, Hash32("0x" + "7a" * 32), e.MarketOrderClosed(4))


def test_oddity_is_a_difference_at_the_place_of_its_log() -> None:
    """Block, transaction and index; an account and a work order where there is one."""
    odd = oddity(AT, "why", account=GOOD, task=PAID)
    assert (odd.kind, odd.why, odd.account, odd.task) == ("invariant", "why", GOOD, PAID)
    assert (odd.block, odd.log_index, odd.transaction) == (5, 3, AT.transaction)
    assert (odd.predicted, odd.logged, odd.stored, odd.delta) == (None, None, None, None)


@pytest.mark.parametrize(
    ("values", "delta"),
    [((2, 5), 3), ((5, 2), -3), ((0, 0), 0), ((None, 2), None), (("active", "Reveal"), None)],
)
def test_oddity_delta_is_of_two_numbers_only(
    values: tuple[int | str | None, int | str | None], delta: int | None
) -> None:
    """What was logged less what was predicted; nothing of a word or of one number."""
    odd = oddity(AT, "why", values=values)
    assert (odd.predicted, odd.logged) == values
    assert odd.delta == delta


def test_policy_of_a_new_pool_has_minima_that_nobody_knows() -> None:
    """No event carries them, so the first update's old values are believed, and no later one's."""
    event = e.PolicyUpdate(POOL, 30, 40, 1, 2, 77, 5, 88, 6)
    assert list(policy(AT, event, Pool(SCHEDULER, 10))) == []
    known = Pool(SCHEDULER, 10, minimum_stake=0, minimum_score=0)
    assert [each.predicted for each in policy(AT, event, known)] == [0, 0]
