"""Effects as they were emitted, against those of the rules: each mistake is named, and only it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Hash32
from monitor.poco.difference import Difference
from monitor.poco.v1 import events as e
from monitor.poco.v1.effects import (
    Effect,
    EffectEvent,
    Emitted,
    compare,
    effect_of,
    expected,
    leftover,
)
from monitor.poco.v1.endings import Step
from monitor.poco.v1.events import Logged
from tests.poco.v1.by_hand import GOOD, HUB, OWNER, REQUESTER, SCHEDULER
from tests.poco.v1.by_hand import PAID as WOID

TRANSACTION = Hash32("0x" + "7a" * 32)
END = Logged(9, 12, TRANSACTION, e.WorkOrderCompleted(WOID, SCHEDULER))
STEPS = [
    Step("unlock", GOOD, 30, "unlocked"),
    Step("reward", GOOD, 128, "reward"),
    Step("proved", GOOD, 0, "proved"),
    Step("seize", REQUESTER, 30, "seize"),
    Step("faulty", REQUESTER, 0, "faulty"),
    Step("reward", SCHEDULER, 2, "scheduler"),
    Step("lock", SCHEDULER, 2, "kitty_in"),
    Step("reward", OWNER, 0, "app"),
]
WANTED = expected(STEPS, WOID)
EVENTS: list[EffectEvent] = [
    e.Reward(GOOD, 128),
    e.AccurateContribution(WOID, GOOD),
    e.Seize(REQUESTER, 30),
    e.FaultyContribution(WOID, REQUESTER),
    e.Reward(SCHEDULER, 2),
    e.Reward(OWNER, 0),
]


def emitted(events: list[EffectEvent]) -> list[Emitted]:
    """One log after another, the first at 3."""
    logged = (Logged(9, n, TRANSACTION, event) for n, event in enumerate(events, start=3))
    return [Emitted(at, effect_of(event)) for at, event in zip(logged, events, strict=True)]


def found(events: list[EffectEvent]) -> list[Difference]:
    return list(compare(WANTED, emitted(events), END, WOID))


def test_expected_has_an_effect_for_each_step_that_emits() -> None:
    """`lock` and `unlock` emit nothing; a zero is emitted as any other amount."""
    assert [effect_of(event) for event in EVENTS] == WANTED


def test_effect_words_say_what_it_is() -> None:
    """With its amount, or with its work order where a score moved."""
    assert WANTED[0].words == f"Reward of 128 nRLC for {GOOD}"
    assert WANTED[1].words == f"AccurateContribution of {GOOD} in {WOID}"
    assert [each.value for each in WANTED[:2]] == [128, "AccurateContribution"]
    assert Effect("Reward", OWNER, None, 0).value == 0


def test_compare_what_was_expected_gives_nothing() -> None:
    """The same in the same order is no difference."""
    assert found(EVENTS) == []


Change = Callable[[list[EffectEvent]], list[EffectEvent]]
MISTAKES: dict[str, tuple[Change, dict[str, object]]] = {
    "more": (
        lambda x: [e.Reward(GOOD, 129), *x[1:]],
        {"account": GOOD, "predicted": 128, "logged": 129, "delta": 1, "log_index": 3},
    ),
    "less": (
        lambda x: [*x[:2], e.Seize(REQUESTER, 0), *x[3:]],
        {"account": REQUESTER, "predicted": 30, "logged": 0, "delta": -30, "log_index": 5},
    ),
    "something for nothing": (
        lambda x: [*x[:5], e.Reward(OWNER, 4)],
        {"account": OWNER, "predicted": 0, "logged": 4, "delta": 4, "log_index": 8},
    ),
    "missing": (
        lambda x: [*x[:4], *x[5:]],
        {"account": SCHEDULER, "predicted": 2, "logged": None, "delta": -2, "log_index": 12},
    ),
    "missing score": (
        lambda x: [x[0], *x[2:]],
        {
            "account": GOOD,
            "predicted": "AccurateContribution",
            "logged": None,
            "delta": None,
            "log_index": 12,
        },
    ),
    "additional": (
        lambda x: [*x, e.Reward(OWNER, 9)],
        {"account": OWNER, "predicted": None, "logged": 9, "delta": 9, "log_index": 9},
    ),
    "additional score": (
        lambda x: [*x, e.AccurateContribution(WOID, OWNER)],
        {
            "account": OWNER,
            "predicted": None,
            "logged": "AccurateContribution",
            "delta": None,
            "log_index": 9,
        },
    ),
}


@pytest.mark.parametrize(("change", "fields"), MISTAKES.values(), ids=MISTAKES)
def test_compare_one_mistake_gives_one_difference(
    change: Change, fields: dict[str, object]
) -> None:
    """It has the account, both values, the delta and the place; what is not there has the end's."""
    (difference,) = found(change(EVENTS))
    assert {name: getattr(difference, name) for name in fields} == fields
    assert (difference.kind, difference.task) == ("effect", WOID)
    assert (difference.block, difference.transaction) == (9, TRANSACTION)


def test_compare_somebody_else_s_effect_gives_a_missing_and_an_additional_one() -> None:
    """Both accounts are named."""
    differences = found([*EVENTS[:4], e.Reward(HUB, 2), *EVENTS[5:]])
    assert [each.account for each in differences] == [SCHEDULER, HUB]
    assert sum(each.delta or 0 for each in differences) == 0


def test_compare_score_of_another_work_order_is_a_difference() -> None:
    """A score's event names its work order."""
    differences = found([EVENTS[0], e.AccurateContribution(OWNER, GOOD), *EVENTS[2:]])
    assert [(each.predicted, each.logged) for each in differences] == [
        ("AccurateContribution", None),
        (None, "AccurateContribution"),
    ]


def test_compare_order_of_effects_is_a_difference() -> None:
    """The contracts pay in the order of contribution: each that is out of place is named."""
    first, second, third, *rest = EVENTS
    differences = found([third, second, first, *rest])
    assert [each.log_index for each in differences] == [3, 5]
    assert differences[0].predicted == WANTED[0].words
    assert differences[0].logged == WANTED[2].words
    assert "effect 1 of the end" in differences[0].why
    assert "effect 3 of the end" in differences[1].why


@given(st.lists(st.sampled_from(EVENTS), max_size=8))
def test_compare_is_silent_of_what_was_expected_and_of_nothing_else(
    events: list[EffectEvent],
) -> None:
    """Whatever was emitted, there is a difference if and only if it is not what was to be."""
    assert (found(events) == []) == (events == EVENTS)


def test_leftover_effects_are_named_one_by_one() -> None:
    """With their own place, and the work order where the event has it."""
    differences = list(leftover(emitted(EVENTS[:2])))
    assert [(each.log_index, each.task, each.delta) for each in differences] == [
        (3, None, 128),
        (4, WOID, None),
    ]
    assert {each.kind for each in differences} == {"effect"}
    assert list(leftover([])) == []
