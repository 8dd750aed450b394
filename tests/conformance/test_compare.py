"""An answer is as expected, or the places where it is not are named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.canary.differences import DIFFERENCES_MAX, Answer, Difference, Json
from monitor.conformance.compare import compare, shapes
from monitor.conformance.vectors import Expected

VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)
DEEP = b"[" * 100_000 + b"]" * 100_000


def found(expected: Json, answered: Json, *, is_speconly: bool = False) -> list[tuple[str, str]]:
    """(path, kind) of what differs."""
    wanted = Expected(result=json.dumps(expected).encode())
    answer = Answer(result=json.dumps(answered).encode())
    return [(one.path, one.kind) for one in compare(wanted, answer, is_speconly=is_speconly)]


@pytest.mark.parametrize(
    ("expected", "answered", "differs"),
    [
        ("0x1", "0x1", []),
        ("0x1", "0x2", [("", "changed")]),
        ("0xab", "0xAB", [("", "changed")]),
        ("0x1", "0x01", [("", "changed")]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 1, "b": 2}, [("b", "added")]),
        ({"a": 1, "b": None}, {"a": 1}, [("b", "removed")]),
        ({"a": [{"b": "0x1"}]}, {"a": [{"b": "0x2"}]}, [("a[0].b", "changed")]),
        ([1, 2], [2, 1], [("[0]", "changed"), ("[1]", "changed")]),
        ([1], [1, 2], [("", "changed")]),
        (None, {}, [("", "changed")]),
        (1, 1.0, []),
        (1, True, [("", "changed")]),
        (False, 0, [("", "changed")]),
        ("1", 1, [("", "changed")]),
    ],
)
def test_values_are_compared_to_the_letter(
    expected: Json, answered: Json, differs: list[tuple[str, str]]
) -> None:
    """Hex in the case in which it is written; the order of keys is nobody's."""
    assert found(expected, answered) == differs


BLOCK, PENDING = {"hash": "0x1", "n": None}, {"hash": None, "n": None}


@pytest.mark.parametrize(
    ("expected", "answered", "differs"),
    [
        ("0x1", "0xabcdef", []),
        ("0x1", None, [("", "changed")]),
        (None, None, []),
        (None, "0x1", [("", "changed")]),
        (1, 2.5, []),
        (1, True, [("", "changed")]),
        (True, False, []),
        (1, "1", [("", "changed")]),
        ({}, [], [("", "changed")]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, []),
        ({"a": {"b": 1}}, {"a": {}}, [("a.b", "removed")]),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 1}}, [("a.c", "added")]),
        ({"a": {"b": 1}}, {"a": {"b": "x"}}, [("a.b", "changed")]),
        ([1, 2, 3], [4], []),
        ([1], [4, 5, 6], []),
        ([1], [], []),
        ([], [1, "x"], []),
        ([1], ["x"], [("[0]", "changed")]),
        ([1], [2, "x", "y"], [("[1]", "changed")]),
        ([BLOCK, PENDING], [PENDING, BLOCK, BLOCK], []),
        ([BLOCK], [PENDING], [("[0].hash", "changed")]),
        ([BLOCK, 1], [1, "x", {"hash": "0x2"}], [("[1]", "changed"), ("[2]", "changed")]),
        ([[1]], [[]], []),
        ([[]], [["x"]], []),
        ([[1]], [["x"]], [("[0][0]", "changed")]),
    ],
)
def test_shape_is_keys_and_types(
    expected: Json, answered: Json, differs: list[tuple[str, str]]
) -> None:
    """Whatever the values, and however long a list, whose entries have a shape that is expected."""
    assert found(expected, answered, is_speconly=True) == differs


@given(VALUES)
def test_value_is_as_expected_of_itself(value: Json) -> None:
    """By its values and by its shape."""
    assert found(value, value) == []
    assert list(shapes(value, value)) == []


@given(VALUES, VALUES)
def test_what_is_equal_has_one_shape(a: Json, b: Json) -> None:
    """Where the shapes differ, the values do."""
    if found(a, b, is_speconly=True):
        assert found(a, b)


@pytest.mark.parametrize("is_speconly", [False, True])
@pytest.mark.parametrize(
    ("expected", "answer", "said"),
    [
        (Expected(code=3), Answer(code=3), None),
        (Expected(code=3), Answer(code=-32000), ("error 3", "error -32000")),
        (Expected(code=3), Answer(result=b"1"), ("error 3", "a result")),
        (Expected(result=b"1"), Answer(code=3), ("a result", "error 3")),
        (Expected(code=0), Answer(code=0), None),
    ],
)
def test_error_is_compared_by_its_code(
    expected: Expected, answer: Answer, said: tuple[str, str] | None, *, is_speconly: bool
) -> None:
    """An error where a result is expected is none, by its shape either."""
    wanted = () if said is None else (Difference("", "changed", *said),)
    assert compare(expected, answer, is_speconly=is_speconly) == wanted


@pytest.mark.parametrize("is_speconly", [False, True])
def test_value_beyond_reading_is_compared_by_its_bytes(*, is_speconly: bool) -> None:
    """Nested without end, or a number without end: equal bytes are equal, and others are not."""
    number = b"9" * 10_000
    for one in (DEEP, number):
        wanted = Expected(result=one)
        assert compare(wanted, Answer(result=one), is_speconly=is_speconly) == ()
        (other,) = compare(wanted, Answer(result=b"1"), is_speconly=is_speconly)
        assert other.path == ""
        assert other.candidate == "1"


def test_differences_are_as_many_as_are_told() -> None:
    """The first of them, in the order of the fields."""
    differs = found(list(range(200)), list(range(1, 201)))
    assert len(differs) == DIFFERENCES_MAX
    assert differs[0] == ("[0]", "changed")


def test_difference_tells_both_kinds_of_what_has_another_shape() -> None:
    """A value alone would not say why it is wrong."""
    (one,) = shapes({"a": "0x1"}, {"a": None})
    assert (one.baseline, one.candidate) == ('"0x1", a string', "null")
