"""What a majority of operators says, and what is said where nothing was seen."""

from __future__ import annotations

import pytest

from monitor.judge.answer import Answer, agreed, unseen
from monitor.model import Level, Unseen
from tests.judge.builders import NOW, TIMEOUT, agreeing, round_of, said, seen_head

NEED = 2
"""Of three operators."""


def answers(*said_by: tuple[str, str | None]) -> list[Answer[str]]:
    """Operator and answer; None was not seen."""
    return [
        Answer(f"net/{index}", operator, "", TIMEOUT if what is None else what)
        for index, (operator, what) in enumerate(said_by)
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), None),
        ((("x", "1"),), None),
        ((("x", "1"), ("y", "1")), "1"),
        ((("x", "1"), ("y", "1"), ("z", "2")), "1"),
        ((("x", "1"), ("y", "2"), ("z", "1")), "1"),
        ((("x", "2"), ("y", "1"), ("z", "1")), "1"),
        ((("x", "1"), ("y", "2"), ("z", "3")), None),
        ((("x", "1"), ("y", None), ("z", "1")), "1"),
        ((("x", "1"), ("y", None), ("z", None)), None),
        # Two references of one operator are one voice, and none where they differ.
        ((("x", "1"), ("x", "1")), None),
        ((("x", "1"), ("x", "2"), ("y", "1")), None),
        ((("x", "1"), ("x", "2"), ("y", "1"), ("z", "1")), "1"),
        ((("x", "1"), ("x", None), ("y", "1")), "1"),
    ],
)
def test_agreed_is_what_a_majority_of_operators_says(
    given: tuple[tuple[str, str | None], ...], expected: str | None
) -> None:
    """Silence counts against, and whoever says two things says none."""
    assert agreed(answers(*given), NEED) == expected


def test_agreed_needs_as_many_as_it_is_told() -> None:
    """One reference alone is a majority of one."""
    assert agreed(answers(("x", "1")), 1) == "1"
    assert agreed(answers(("x", "1"), ("y", "1")), 3) is None


def test_unseen_is_unknown_and_says_why() -> None:
    """Reason and detail are those of what was not seen, and so is the witness."""
    found = unseen("peers", said(Unseen("rpc_error", "no"), NOW), round_of(*agreeing()), "net_x")
    assert (found.key, found.level, found.reason) == (
        ("peers", "node:local"),
        Level.UNKNOWN,
        "rpc_error",
    )
    assert found.summary == "not seen: no"
    assert found.network == "net"
    (evidence,) = found.evidence
    assert (evidence.source, evidence.method, evidence.said, evidence.at) == (
        *("local", "net_x", "no"),
        NOW,
    )


def test_unseen_of_what_was_seen_is_a_mistake_of_ours() -> None:
    """A judge looks before it says that nothing was seen."""
    with pytest.raises(AssertionError, match="the judge has looked"):
        unseen("peers", said(seen_head(1)), round_of(*agreeing()), "net_x")
