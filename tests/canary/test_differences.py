"""How two answers differ: what is new breaks nobody, what is gone or changed does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.canary.differences import (
    DIFFERENCES_MAX,
    Answer,
    Difference,
    Json,
    compare,
    differences,
    is_breaking,
    persistent,
)

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)
GONE = Answer(code=-32601, is_absent=True)
TIMEOUT = Answer(unseen="timeout")


def result(value: Json) -> Answer:
    return Answer(result=json.dumps(value).encode())


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ({"x": 1}, {"x": 1, "y": 2}, [("y", "added", "", "2")]),
        ({"x": 1, "y": None}, {"x": 1}, [("y", "removed", "null", "")]),
        ({"x": "0x1"}, {"x": "0x2"}, [("x", "changed", '"0x1"', '"0x2"')]),
        ({"x": [{"y": 1}]}, {"x": [{"y": 2}]}, [("x[0].y", "changed", "1", "2")]),
        ([1], [1, 2], [("", "changed", "1 entries", "2 entries")]),
        ([1, 2], [3], [("", "changed", "2 entries", "1 entries"), ("[0]", "changed", "1", "3")]),
        (None, {}, [("", "changed", "null", "{}")]),
        (True, 1, [("", "changed", "true", "1")]),
        ("0xAb", "0xaB", []),
        ("Ab", "aB", [("", "changed", '"Ab"', '"aB"')]),
        (1, 1.0, []),
        ("0x0a", "0xa", [("", "changed", '"0x0a"', '"0xa"')]),
        ({"a": [], "b": 1}, {"b": 1, "a": []}, []),
    ],
    ids=lambda value: json.dumps(value, default=str)[:30],
)
def test_differences_are_named_by_path_and_kind(
    a: Json, b: Json, found: list[tuple[str, str, str, str]]
) -> None:
    """Rows that are added change an answer; hex in upper case is the same value."""
    assert [(d.path, d.kind, d.baseline, d.candidate) for d in differences(a, b)] == found


@given(VALUES)
def test_value_differs_nowhere_from_itself(value: Json) -> None:
    """Whatever a node answers."""
    assert list(differences(value, value)) == []


@given(VALUES, VALUES)
def test_differences_the_other_way_round_are_the_same_places(a: Json, b: Json) -> None:
    """What is added one way is removed the other way."""
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    there = {(d.path, d.kind) for d in differences(a, b)}
    back = {(d.path, turned[d.kind]) for d in differences(b, a)}
    assert there == back


def test_long_value_is_cut() -> None:
    """A report shows that two bytecodes differ, and not all of them."""
    (one,) = differences("0x" + "0" * 999, "0x" + "0" * 998 + "1")
    assert len(one.baseline) == len(one.candidate) == 80


@pytest.mark.parametrize(
    ("baseline", "candidate", "said"),
    [
        (result(1), result(1), None),
        (result(1), result(2), ("1", "2")),
        (Answer(code=-32000), Answer(code=-32000), None),
        (Answer(code=-32000), Answer(code=3), ("error -32000", "error 3")),
        (Answer(code=3), result(None), ("error 3", "a result")),
        (result(None), Answer(code=3), ("a result", "error 3")),
        (result(1), TIMEOUT, ("a result", "no answer (timeout)")),
        (TIMEOUT, result(1), None),
        (TIMEOUT, TIMEOUT, None),
        (result(1), GONE, None),
        (GONE, result(1), None),
        (GONE, GONE, None),
    ],
)
def test_answers_are_compared_by_result_or_by_code(
    baseline: Answer, candidate: Answer, said: tuple[str, str] | None
) -> None:
    """Never by the words of an error; a method that is gone is another check's."""
    found = compare(baseline, candidate)
    if said is None:
        assert found == ()
    else:
        (one,) = found
        assert (one.kind, one.baseline, one.candidate) == ("changed", *said)
        assert is_breaking(found)


def test_answer_is_compared_without_what_is_not_of_it() -> None:
    """What moves by itself is taken out of both before."""
    pair = result({"a": 1, "now": 1}), result({"a": 1, "now": 2})
    assert [one.path for one in compare(*pair)] == ["now"]
    assert compare(*pair, lambda value: {"a": 1}) == ()


def test_answer_nested_beyond_reason_is_compared_as_bytes() -> None:
    """No answer of a node ends the run."""
    deep, deeper = (Answer(result=b"[" * n + b"]" * n) for n in (200_000, 200_001))
    (one,) = compare(deep, deeper)
    assert one.kind == "changed"
    assert compare(deep, deep) == ()


def test_differences_of_one_answer_are_bounded() -> None:
    """A block whose every transaction differs is told once, and not a thousand times."""
    found = compare(result([0] * 1000), result([1] * 1000))
    assert len(found) == DIFFERENCES_MAX


def test_breaking_is_what_is_gone_or_changed() -> None:
    """A field that is new is none."""
    added, gone = Difference("x", "added", "", "1"), Difference("y", "removed", "1", "")
    assert not is_breaking([added])
    assert is_breaking([added, gone])
    assert not is_breaking([])


def test_difference_that_misses_a_round_is_none() -> None:
    """Only the same place, in the same way, in every round; with the values of the last."""
    one, other = Difference("x", "changed", "1", "2"), Difference("y", "changed", "1", "2")
    late = Difference("x", "changed", "5", "6")
    assert persistent([[one, other], [one], [late]]) == (late,)
    assert persistent([[one], [], [one]]) == ()
    assert persistent([[one], [Difference("x", "removed", "1", "")]]) == ()
    assert persistent([]) == ()
