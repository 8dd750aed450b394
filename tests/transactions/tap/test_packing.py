"""Looking into packed bodies, within limits."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.transactions.tap.packing import (
    MEMBERS_MAX,
    PackedError,
    TooLargeError,
    UnknownCodingError,
    unpacked,
)

LIMIT_BYTES = 1000


@given(st.binary(max_size=LIMIT_BYTES), st.sampled_from(("gzip", " GZIP ", "x-gzip")))
def test_gzip_is_unpacked(body: bytes, coding: str) -> None:
    """What was packed comes back, whatever it was."""
    assert unpacked(gzip.compress(body, mtime=0), coding, LIMIT_BYTES) == body


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_body_that_is_not_packed_is_itself(coding: str) -> None:
    """Nothing is unpacked that does not say so, and nothing of it is measured here."""
    body = b"x" * (LIMIT_BYTES + 1)
    assert unpacked(body, coding, LIMIT_BYTES) is body


def test_empty_body_is_empty_whatever_its_coding() -> None:
    """A request without a body may still name a coding."""
    assert unpacked(b"", "gzip", LIMIT_BYTES) == b""


@pytest.mark.parametrize("count", [2, MEMBERS_MAX])
def test_members_one_after_the_other_are_one_body(count: int) -> None:
    """Go reads them all, so a send may be in any of them."""
    members = [gzip.compress(b"%d," % index, mtime=0) for index in range(count)]
    expected = b"".join(b"%d," % index for index in range(count))
    assert unpacked(b"".join(members), "gzip", LIMIT_BYTES) == expected


def test_members_beyond_reason_are_refused() -> None:
    """A body of millions of empty parts would take minutes."""
    with pytest.raises(PackedError, match="more than 16 parts"):
        unpacked(gzip.compress(b"", mtime=0) * (MEMBERS_MAX + 1), "gzip", LIMIT_BYTES)


@pytest.mark.parametrize(("size", "fits"), [(999, True), (1000, True), (1001, False)])
@pytest.mark.parametrize("parts", [1, 2])
def test_limit_holds_unpacked_and_over_all_members(size: int, parts: int, *, fits: bool) -> None:
    """Exactly the limit passes; one byte more, in one member or over several, does not."""
    whole = b"\0" * size
    cuts = [whole] if parts == 1 else [whole[:600], whole[600:]]
    body = b"".join(gzip.compress(cut, mtime=0) for cut in cuts)
    if fits:
        assert unpacked(body, "gzip", LIMIT_BYTES) == whole
    else:
        with pytest.raises(TooLargeError, match="larger than 1000 bytes"):
            unpacked(body, "gzip", LIMIT_BYTES)


def test_bomb_is_not_unpacked_to_its_end() -> None:
    """A few kilobytes that unpack to a hundred megabytes stop at the limit."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"\0" * 2**20) for _ in range(100)) + packer.flush()
    with pytest.raises(TooLargeError):
        unpacked(bomb, "gzip", LIMIT_BYTES)


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip, gzip", "compress", "né"])
def test_other_coding_is_refused_by_its_name(coding: str) -> None:
    """What cannot be looked into may hold a send."""
    with pytest.raises(UnknownCodingError, match="is not read here, only gzip"):
        unpacked(b"x", coding, LIMIT_BYTES)


PACKED = gzip.compress(b"a send", mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        b"not gzip at all",
        PACKED[:-1],
        PACKED[:12],
        PACKED[:-8] + b"\0" * 8,
        PACKED + b"garbage",
        PACKED + PACKED[:10],
        b"\x1f\x8b",
    ],
)
def test_broken_gzip_is_refused(body: bytes) -> None:
    """A node may act on the whole part of a broken body; we do not let it."""
    with pytest.raises(PackedError) as caught:
        unpacked(body, "gzip", LIMIT_BYTES)
    assert "send" not in str(caught.value)
