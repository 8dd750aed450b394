"""RLP: one encoding for one value, whatever is thrown at it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.transactions import rlp

reference: Any = import_module("rlp")
"""pyrlp, by its name, which brings no types."""

strings = st.one_of(
    st.binary(max_size=3), st.sampled_from([0, 1, 54, 55, 56, 57, 255, 256, 70_000]).map(bytes)
)
items: st.SearchStrategy[Any] = st.recursive(
    strings, lambda inner: st.lists(inner, max_size=4), max_leaves=12
)


def depth(item: Any) -> int:
    return 0 if isinstance(item, bytes) else 1 + max(map(depth, item), default=0)


@given(items.filter(lambda item: depth(item) <= rlp.DEPTH_MAX))
def test_rlp_of_anything_is_that_of_the_reference_and_comes_back(item: Any) -> None:
    """What is encoded is what pyrlp encodes, and decoding it gives the item again."""
    written = rlp.encode(item)
    assert written == reference.encode(item)
    assert rlp.decode(written) == item


@given(st.binary(max_size=80))
@example(b"")
@example(b"\xb8")
@example(b"\xf8\x00")
@example(b"\xc2\x81")
def test_rlp_of_any_bytes_is_the_one_encoding_or_refused(raw: bytes) -> None:
    """Bytes that are accepted are the encoding of what was read; pyrlp refuses the same ones."""
    try:
        item = rlp.decode(raw)
    except rlp.RlpError as error:
        if "lists in more" not in str(error):
            with pytest.raises(reference.DecodingError):
                reference.decode(raw)
    else:
        assert rlp.encode(item) == raw
        assert reference.decode(raw) == item


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("", "nothing where an item should be"),
        ("8100", "a single byte with a length"),
        ("817f", "a single byte with a length"),
        ("b800", "longer than necessary"),
        ("b837" + "01" * 55, "longer than necessary"),
        ("b90038" + "01" * 56, "longer than necessary"),
        ("f837" + "01" * 55, "longer than necessary"),
        ("f90038" + "01" * 56, "longer than necessary"),
        ("8201", "a length of 2 bytes where 1 are left"),
        ("c3820102c0", "1 bytes follow the end"),
        ("c2820102", "a length of 2 bytes where 1 are left"),
        ("c201", "a length of 2 bytes where 1 are left"),
        ("b9ff", "cut off within a length"),
        ("bf" + "ff" * 8, "a length of 18446744073709551615 bytes where 0 are left"),
        ("0101", "1 bytes follow the end"),
        ("c3c2c1", "a length of 3 bytes where 2 are left"),
    ],
)
def test_rlp_that_is_not_the_one_encoding_is_refused(raw: str, words: str) -> None:
    """Each way to be something else is named."""
    with pytest.raises(rlp.RlpError, match=words):
        rlp.decode(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["80", "00", "7f", "8180", "c0", "b838" + "01" * 56])
def test_rlp_at_the_boundary_is_accepted(raw: str) -> None:
    """The shortest of each form is one."""
    assert rlp.encode(rlp.decode(bytes.fromhex(raw))).hex() == raw


def test_rlp_of_numbers_has_no_leading_zeros() -> None:
    """Zero is the empty string."""
    assert [rlp.encode_number(n) for n in (0, 1, 255, 256)] == [b"", b"\1", b"\xff", b"\1\0"]


def nested(lists: int) -> bytes:
    raw = b""
    for _ in range(lists):
        raw = reference.codec.length_prefix(len(raw), 0xC0) + raw
    return raw


def test_rlp_nested_beyond_the_limit_is_refused_however_deep() -> None:
    """As deep as a transaction is, and no deeper: no recursion ends a program."""
    deepest: rlp.Item = []
    for _ in range(rlp.DEPTH_MAX - 1):
        deepest = [deepest]
    assert rlp.decode(nested(rlp.DEPTH_MAX)) == deepest
    for lists in (rlp.DEPTH_MAX + 1, 100_000):
        with pytest.raises(rlp.RlpError, match="lists in more than 5 lists"):
            rlp.decode(nested(lists))


def test_rlp_with_too_many_items_is_refused() -> None:
    """The list itself counts."""
    fits = rlp.encode([b"\x01"] * (rlp.ITEMS_MAX - 1))
    assert len(rlp.decode(fits)) == rlp.ITEMS_MAX - 1
    with pytest.raises(rlp.RlpError, match="more than 65536 items"):
        rlp.decode(rlp.encode([b"\x01"] * rlp.ITEMS_MAX))
