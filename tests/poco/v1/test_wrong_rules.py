"""A rule that is wrong is found out by a history: the other model of the contracts has it right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache

import pytest

from monitor.poco.v1.compare import compare
from monitor.poco.v1.endings import V1, Rules
from tests.poco.v1.scenes import found, replayed
from tests.poco.v1.world import World, history
from tests.poco.v1.wrong_rules import WRONG_RULES

HISTORIES = 8


@cache
def world_of(number: int) -> World:
    """Some with veterans, whose scores a slash does not end at 0."""
    return history(number, workers=10, orders=40, pools=2, veterans=number % 2 * 3)


def is_caught(by: Rules, world: World) -> bool:
    """By the contracts' own effects, or by their getters; the laws are not needed."""
    replay = replayed(world, by=by)
    return bool(replay.differences or compare(replay.state, world.stored))


@pytest.mark.parametrize("number", range(HISTORIES))
def test_right_rules_are_silent_on_every_history(number: int) -> None:
    """What finds the wrong ones finds nothing in the right ones."""
    assert found(world_of(number)) == []


@pytest.mark.parametrize("wrong", WRONG_RULES.values(), ids=WRONG_RULES)
def test_wrong_rule_is_caught_by_a_history(wrong: Rules | Callable[[World], Rules]) -> None:
    """Effects or getters contradict it."""
    worlds = map(world_of, range(HISTORIES))
    assert any(is_caught(wrong if isinstance(wrong, Rules) else wrong(x), x) for x in worlds)


def test_wrong_rules_are_wrong_in_every_rule() -> None:
    """No rule is only ever tried as it is."""
    tried = {
        field.name
        for wrong in WRONG_RULES.values()
        if isinstance(wrong, Rules)
        for field in fields(Rules)
        if getattr(wrong, field.name) is not getattr(V1, field.name)
    }
    assert tried == {field.name for field in fields(Rules)}
