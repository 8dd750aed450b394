"""Where two chains part: the first block that differs is found in a few steps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.canary.differences import SHOWN_MAX
from monitor.canary.header import (
    FAN_OUT,
    STEPS_MAX,
    Range,
    differing_fields,
    first_heights,
    heights_between,
    narrowed,
)


def found(parts_at: int, top: int, missing: frozenset[int] = frozenset()) -> tuple[Range, int]:
    """What a search comes to on chains that part at a height, and in how many steps."""
    search, heights = Range(-1, top), first_heights(top)
    for step in range(STEPS_MAX):
        if not heights or search.is_found:
            return search, step
        a = {height: f"a{height}" for height in heights}
        b = {h: f"a{h}" if h < parts_at else f"b{h}" for h in heights if h not in missing}
        search = narrowed(search, a, b)
        heights = heights_between(search)
    return search, STEPS_MAX


@given(st.data(), st.integers(0, 10**9))
def test_search_finds_the_first_block_that_differs(data: st.DataObject, top: int) -> None:
    """Anywhere from genesis to the top, on chains of any height, within the steps allowed."""
    parts_at = data.draw(st.integers(0, top))
    search, _ = found(parts_at, top)
    assert search.is_found
    assert (search.common, search.differs) == (parts_at - 1, parts_at)


def test_search_of_a_shallow_fork_takes_two_steps() -> None:
    """Most forks are shallow: near the top the heights lie close."""
    search, steps = found(20_000_000 - 5, 20_000_000)
    assert (search.differs, steps) == (20_000_000 - 5, 2)


def test_search_around_blocks_that_one_has_not_got_says_what_is_left() -> None:
    """Pruned history proves nothing: the range stays as wide as it is."""
    search, _ = found(50, 100, missing=frozenset(range(20, 80)))
    assert not search.is_found
    assert search.common < 20
    assert search.differs >= 80


def test_heights_are_below_the_difference_and_end_at_genesis() -> None:
    """Doubling from the top; a difference at genesis leaves nothing to ask."""
    assert first_heights(9) == (8, 7, 5, 1, 0)
    assert first_heights(1) == (0,)
    assert first_heights(0) == ()
    assert heights_between(Range(3, 4)) == ()
    assert heights_between(Range(-1, 3)) == (0, 1, 2)
    assert len(heights_between(Range(0, 1000))) == FAN_OUT


def test_fields_that_differ_are_those_of_the_header() -> None:
    """Hash and size follow from the rest, and the list of transactions is no header field."""
    block = {"number": "0x1", "stateRoot": "0xa", "hash": "0x1", "size": "0x2", "transactions": []}
    other = {**block, "stateRoot": "0xb", "hash": "0x2", "size": "0x3", "transactions": ["0x4"]}
    more = {**block, "requestsHash": "0xc"}

    def fields(a: object, b: object) -> tuple[tuple[str, str, str], ...]:
        return differing_fields(json.dumps(a).encode(), json.dumps(b).encode())

    assert fields(block, other) == (("stateRoot", "0xa", "0xb"),)
    assert fields(block, more) == (("requestsHash", "", "0xc"),)
    assert fields(block, block) == ()
    assert fields(None, block) == (("number", "", "0x1"), ("stateRoot", "", "0xa"))


@pytest.mark.parametrize("beyond", [b"1" * 5000, b"[" * 100_000, b"nonsense", b"\xff"])
def test_header_that_cannot_be_read_has_no_fields(beyond: bytes) -> None:
    """A number of five thousand digits, or nesting beyond reason, ends no run."""
    block = b'{"number": "0x1"}'
    hostile = b'{"number": %s}' % beyond
    assert differing_fields(block, hostile) == (("number", "0x1", ""),)
    assert differing_fields(hostile, hostile) == ()


def test_values_of_a_header_are_masked_before_they_are_cut() -> None:
    """A key that lies across the cut would show its first half."""
    said = json.dumps({"extraData": "x" * (SHOWN_MAX - 10) + "s3cretKey0123456789"}).encode()
    ((_, _, shown),) = differing_fields(b"{}", said, lambda text: text.replace("s3cretKey", "***"))
    assert "***" in shown
    assert "s3c" not in shown
