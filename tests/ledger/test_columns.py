"""Columns of bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.columns import (
    OFFSET_MAX,
    bytes_column,
    bytes_values,
    fixed,
    fixed_column,
    fixed_values,
    topic_column,
    unhex,
    unhex_any,
)

TOPICS_MAX = 4
VALUES = st.lists(st.binary(max_size=8), max_size=6)
NO_HEX = st.text(alphabet="0x1aAfFgG \n²é\x00_+", max_size=10)


def hexed(values: list[bytes]) -> list[str]:
    return ["0x" + value.hex() for value in values]


def of_python(text: str) -> bytes | None:
    """What a text stands for, said the slow way."""
    digits = text[2:]
    is_hex = text.startswith("0x") and len(digits) % 2 == 0
    if not is_hex or any(each not in "0123456789abcdefABCDEF" for each in digits):
        return None
    return bytes.fromhex(digits)


@given(values=st.lists(st.binary(min_size=3, max_size=3), max_size=6), is_upper=st.booleans())
def test_unhex_of_texts_of_one_size_gives_their_bytes(values: list[bytes], is_upper: bool) -> None:
    """A row a text, in their order; digits of either case."""
    texts = ["0x" + (each.hex().upper() if is_upper else each.hex()) for each in values]
    found = unhex(texts, 3)
    assert found is not None
    assert found.shape == (len(values), 3)
    assert [row.tobytes() for row in found] == values


@given(texts=st.lists(NO_HEX | st.binary(max_size=3).map(lambda b: "0x" + b.hex()), max_size=4))
@pytest.mark.parametrize("size", [1, 2])
def test_unhex_of_any_texts_is_what_each_stands_for_or_none(size: int, texts: list[str]) -> None:
    """One that is no hex, or of another size, spoils all of them; nothing is guessed."""
    each = [of_python(text) for text in texts]
    found = unhex(texts, size)
    if any(value is None or len(value) != size for value in each):
        assert found is None
    else:
        assert found is not None
        assert [row.tobytes() for row in found] == each


@given(texts=st.lists(NO_HEX | st.binary(max_size=5).map(lambda b: "0x" + b.hex()), max_size=4))
def test_unhex_of_any_lengths_is_what_they_stand_for_or_none(texts: list[str]) -> None:
    """The same where lengths differ: the bytes in a row."""
    each = [of_python(text) for text in texts]
    found = unhex_any(texts)
    if None in each:
        assert found is None
    else:
        assert found == b"".join(value for value in each if value is not None)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("ab", id="no prefix"),
        pytest.param("0Xab", id="the other prefix"),
        pytest.param("0xa", id="half a byte"),
        pytest.param("0x a", id="white space"),
        pytest.param("0xag", id="no digit"),
        pytest.param("0x0x", id="a prefix inside"),
        pytest.param("0xab0xcd", id="two values in one"),
        pytest.param("0x\u0661\u0661", id="digits that are not ASCII"),
    ],
)
def test_text_that_is_no_hex_spoils_its_column(text: str) -> None:
    """Between two that are well, in whichever way a column is read."""
    assert unhex_any(["0xab", text, "0xcd"]) is None
    assert bytes_column(["0xab", text, "0xcd"]) is None
    assert unhex(["0xab", text, "0xcd"], 1) is None
    assert unhex([text], max(1, len(text) // 2 - 1)) is None


def test_half_bytes_of_two_texts_are_no_whole_one() -> None:
    """Two of an odd number of digits have an even number together, and are no hex all the same."""
    assert unhex_any(["0xa", "0xbcd"]) is None
    assert bytes_column(["0xabc", "0xd"]) is None


@given(each=VALUES)
def test_bytes_values_of_any_slice_are_those_of_its_rows(each: list[bytes]) -> None:
    """However a column came to be, with a buffer for its bytes or without, and from any row on."""
    for column in (bytes_column(hexed(each)), pa.array(each, pa.binary())):
        assert column is not None
        for start in range(len(each) + 1):
            for count in range(len(each) + 1 - start):
                assert bytes_values(column.slice(start, count)) == each[start : start + count]


@given(each=st.lists(st.binary(min_size=3, max_size=3), max_size=6))
def test_fixed_values_of_a_matrix_are_its_rows(each: list[bytes]) -> None:
    """Zeros at the end of a row are bytes as others are; rows that are taken apart as well."""
    matrix = np.frombuffer(b"".join(each), np.uint8).reshape(-1, 3)
    assert fixed_values(matrix) == each
    assert fixed_values(matrix[::2]) == each[::2]


@given(values=VALUES)
def test_bytes_column_holds_every_value_as_it_was(values: list[bytes]) -> None:
    """Of any lengths, none of them null, and `0x` is no bytes at all."""
    found = bytes_column(hexed(values))
    assert found is not None
    found.validate(full=True)
    assert found.type == pa.binary()
    assert found.null_count == 0
    assert found.to_pylist() == values


def test_bytes_column_beyond_its_offsets_is_refused() -> None:
    """What a column's offsets cannot reach is not put into one: the last byte that fits is."""
    assert np.iinfo(np.int32).max == OFFSET_MAX
    assert bytes_column(["0x0011", "0x2233"], bytes_max=4) is not None
    assert bytes_column(["0x0011", "0x223344"], bytes_max=4) is None


@given(values=st.lists(st.binary(min_size=20, max_size=20), max_size=6))
def test_fixed_column_and_back_is_the_same(values: list[bytes]) -> None:
    """A matrix becomes a column of as many values, and the same matrix again; slices as well."""
    matrix = np.frombuffer(b"".join(values), np.uint8).reshape(-1, 20)
    column = fixed_column(matrix)
    column.validate(full=True)
    assert column.to_pylist() == values
    batch = pa.RecordBatch.from_arrays([column], names=["address"])
    for start in range(len(values) + 1):
        for count in range(len(values) + 1 - start):
            back = fixed(batch.slice(start, count), "address")
            assert back.shape == (count, 20)
            assert back.tobytes() == b"".join(values[start : start + count])


def test_fixed_of_an_empty_batch_has_no_rows() -> None:
    """A batch without logs has no buffer to read from."""
    schema = pa.schema([pa.field("topic0", pa.binary(32))])
    assert fixed(pa.RecordBatch.from_pylist([], schema=schema), "topic0").shape == (0, 32)


@given(
    logs=st.lists(
        st.lists(st.binary(min_size=2, max_size=2), max_size=TOPICS_MAX), min_size=1, max_size=9
    )
)
def test_topic_columns_hold_each_log_s_topics_and_null_beyond_them(logs: list[list[bytes]]) -> None:
    """The topics of all logs in a row are dealt out by position; more than eight logs as well."""
    flat = b"".join(topic for log in logs for topic in log)
    topics = np.frombuffer(flat, np.uint8).reshape(-1, 2)
    counts = np.array([len(log) for log in logs], np.int64)
    for position in range(TOPICS_MAX):
        column = topic_column(topics, counts, position)
        column.validate(full=True)
        expected = [log[position] if len(log) > position else None for log in logs]
        assert column.to_pylist() == expected
