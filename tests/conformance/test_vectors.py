"""Vectors are read as execution-apis write them, and what is broken is named by its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.conformance import vectors
from monitor.conformance.vectors import (
    BYTES_MAX,
    Expected,
    RoundTrip,
    Vector,
    VectorError,
    parse,
)
from tests.conformance.written import answers, asks, refuses, rendered

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
CODES = st.integers(-(2**31), 2**31)
ASCII = st.booleans()
"""Whether a JSON text is written in escapes."""


def as_bytes(value: Any, *, is_ascii: bool) -> bytes:
    # What UTF-8 has no way to write is always written in escapes.
    text = json.dumps(value, ensure_ascii=is_ascii)
    return text.encode("utf-8", "strict")


@st.composite
def written(draw: st.DrawFn) -> Vector:
    """Any vector whose notes are on one line each."""
    notes = draw(st.lists(st.text("abc: /", max_size=8).map(str.strip), max_size=3))
    is_speconly = draw(st.booleans())
    if is_speconly:
        notes = [*notes, "speconly: only the shape"]
    trips = []
    for index in range(draw(st.integers(1, 3))):
        params = as_bytes(draw(st.lists(VALUES, max_size=2)), is_ascii=draw(ASCII))
        result = as_bytes(draw(VALUES), is_ascii=draw(ASCII))
        expected = draw(st.sampled_from([Expected(result=result), Expected(code=draw(CODES))]))
        method = draw(st.text("eth_gX\u2028é", min_size=1, max_size=9))
        trips.append(RoundTrip(method, params, expected, len(notes) + 2 * index + 1))
    return Vector(tuple(notes), is_speconly, tuple(trips))


@given(written())
def test_vector_that_is_written_is_read_as_it_was(vector: Vector) -> None:
    """To the letter: JSON is kept as its bytes, with whatever line ends are inside of it."""
    assert parse(rendered(vector)) == vector


def test_file_is_notes_and_round_trips_in_their_order() -> None:
    """Empty lines, spaces and a carriage return at the end of a line are nothing."""
    lines = ["// reads two blocks", "//", "", asks("eth_a", "0x1"), answers(None)]
    lines += ["// and now an error", "  " + asks("eth_b") + " \r", refuses(-32000)]
    vector = parse("\n".join(lines).encode())
    assert vector == Vector(
        ("reads two blocks", ""),
        is_speconly=False,
        trips=(
            RoundTrip("eth_a", b'["0x1"]', Expected(result=b"null"), 4),
            RoundTrip("eth_b", b"[]", Expected(code=-32000), 7),
        ),
    )


@pytest.mark.parametrize(
    ("lines", "is_speconly"),
    [
        (["// speconly: true"], True),
        (["// about it", "// ", "// speconly: client response is only checked"], True),
        (["//speconly:"], True),
        (["// speconly"], False),
        (["// is not speconly: at all"], False),
        ([asks("eth_a"), answers(1), "// speconly: too late"], False),
        ([asks("eth_a"), "// speconly: too late", answers(1)], False),
    ],
)
def test_speconly_counts_before_the_first_request_only(
    lines: list[str], *, is_speconly: bool
) -> None:
    """A note between round trips promises nothing of the file."""
    vector = parse("\n".join([*lines, asks("eth_b"), answers(2)]).encode())
    assert vector.is_speconly is is_speconly


@pytest.mark.parametrize(
    ("request_", "params"),
    [
        ('{"method":"eth_a"}', b"[]"),
        (
            '{"method":"eth_a","params":[1e3, 12345678901234567890123]}',
            b"[1e3, 12345678901234567890123]",
        ),
        ('{"method":"eth_a","params":{"b": 1,"a": 2}}', b'{"b": 1,"a": 2}'),
    ],
)
def test_params_are_kept_to_the_letter(request_: str, params: bytes) -> None:
    """Numbers are not read, keys not sorted; params that are left out are none."""
    (trip,) = parse(f">> {request_}\n{answers(1)}".encode()).trips
    assert trip.params == params


DEEP = "[" * 100_000 + "]" * 100_000
BAD: dict[str, tuple[list[str], str]] = {
    "empty": ([], "it holds no request"),
    "notes only": (["// speconly: true"], "it holds no request"),
    "other line": (["// a", "-- b"], "line 2: expected a line that begins with >>, << or //"),
    "no answer": ([asks("eth_a")], "line 1: the request has no answer"),
    "two requests": ([asks("eth_a"), "", asks("eth_b")], "line 3: the request of line 1 has no"),
    "no request": (["// a", answers(1)], "line 2: this answer has no request"),
    "two answers": ([asks("eth_a"), answers(1), answers(2)], "line 3: this answer has no request"),
    "no JSON": ([">> {", answers(1)], "line 1: it is no request: "),
    "batch": ([">> [" + asks("eth_a")[3:] + "]", answers(1)], "line 1: it is no request: "),
    "no method": ([">> {}", answers(1)], "line 1: it is no request: "),
    "empty method": ([asks(""), answers(1)], "line 1: the request has no method"),
    "params": ([">> " + '{"method":"a","params":1}'], "line 1: its params are neither a list"),
    "deep request": ([f'>> {{"method":"a","params":{DEEP}}}'], "line 1: it is no request: nested"),
    "answer no JSON": ([asks("eth_a"), "<< nothing"], "line 2: it is no answer: "),
    "answer code": ([asks("eth_a"), '<< {"error":{"code":"1"}}'], "line 2: it is no answer: "),
    "neither": ([asks("eth_a"), '<< {"id":1}'], "line 2: the answer needs a result or an error"),
    "both": (
        [asks("eth_a"), '<< {"result":1,"error":{"code":1}}'],
        "line 2: the answer needs a result or an error, and not both",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_broken_file_is_named_by_its_line(name: str) -> None:
    """The first line at which it cannot be read, and why."""
    lines, said = BAD[name]
    with pytest.raises(VectorError) as caught:
        parse("\n".join(lines).encode())
    assert str(caught.value).startswith(said)


def test_error_beside_a_result_of_null_is_an_error() -> None:
    """As JSON-RPC 1.0 has it, which some clients still write."""
    answer = '<< {"result":null,"error":{"code":3}}'
    (trip,) = parse(f"{asks('eth_a')}\n{answer}".encode()).trips
    assert trip.expected == Expected(code=3)


def test_file_that_is_not_utf8_is_named_by_its_line() -> None:
    """What cannot be read is not guessed."""
    with pytest.raises(VectorError, match=r"^line 2: it is not UTF-8$"):
        parse(b"// a\n// \xff\n")


def test_file_may_be_as_large_as_the_limit_and_no_larger() -> None:
    """The limit itself is read, a byte more is not."""
    text = f"{asks('eth_a')}\n{answers(1)}\n// ".encode()
    assert parse(text + b"x" * (BYTES_MAX - len(text))).trips
    with pytest.raises(VectorError, match=f"^it is larger than {vectors.BYTES_MAX // 2**20} MiB$"):
        parse(text + b"x" * (BYTES_MAX - len(text) + 1))
