"""What is asked again before a difference is told, and how small the pieces are."""

from __future__ import annotations

import pytest

from monitor.ledger.confirming import (
    LOGS_A_PIECE,
    PIECES_MAX,
    PIECES_MIN,
    disputed_of,
    pieces,
    questions_of,
)
from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.compare import Questions, asked_of
from monitor.poco.v1.replay import Replay, new_state
from monitor.poco.v1.state import State
from tests.poco.v1.world import history


def replayed(seed: int) -> State:
    """The ledger of a small history."""
    world = history(seed, workers=8, orders=16)
    replay = Replay(new_state(world.hub), world.facts)
    for logged in world.logged:
        replay.apply(logged)
    return replay.state


@pytest.mark.parametrize(
    ("blocks", "logs", "width", "few"),
    [
        (1, 0, 1, LOGS_A_PIECE),
        (2, 10**6, 1, 500),
        (300, 0, 300 // PIECES_MIN, LOGS_A_PIECE),
        (300, 4 * LOGS_A_PIECE, 75, LOGS_A_PIECE),
        (10**7, 10**7, 10**7 // PIECES_MAX, 10**7 // PIECES_MAX),
    ],
)
def test_pieces_are_smaller_than_any_limit(blocks: int, logs: int, width: int, few: int) -> None:
    """At least three, of 50 logs on average; of a long history no more than some thousand."""
    reach = pieces(blocks, logs)
    assert (reach.blocks, reach.blocks_max, reach.logs_wanted) == (width, width, few)


def test_questions_of_differences_are_what_shows_them_again() -> None:
    """Accounts, work orders and contributions that differ, and nobody else's."""
    state = replayed(1)
    whole = asked_of(state)
    account, (pool, woid), pair = whole.accounts[1], whole.work_orders[0], whole.contributions[0]
    found = [
        Difference("stake", "", account=account, stored=1),
        Difference("status", "", task=woid, stored="active"),
        Difference("weight", "", account=pair[2], task=pair[1], stored=1),
        Difference("stake", "", account=Address("0x" + "12" * 20), stored=1),
    ]
    assert questions_of(state, found) == Questions((account,), ((pool, woid),), (pair,))
    assert questions_of(state, []) == Questions((), (), ())


def test_disputed_of_differences_are_those_with_a_getter() -> None:
    """What the events and the laws say is not to be read from anybody."""
    stored = [Difference("stake", "", stored=0), Difference("status", "", stored="unset")]
    others = [
        Difference("effect", "", logged=1),
        Difference("stake", "", predicted=1, logged=2),
        Difference("invariant", "", stored=1),
    ]
    assert disputed_of([*others, *stored]) == stored
