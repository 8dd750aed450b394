"""Recursive Length Prefix, strictly: one encoding for one value (Yellow Paper, appendix B). Pure.

What is decoded comes from anybody, so the time it takes is linear in its length, whatever is in it:
the usual library copies a list once for each of its items and recurses as deep as it is nested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Item: TypeAlias = "bytes | list[Item]"
"""A string of bytes, or a list of items."""

DEPTH_MAX = 5
"""A blob transaction with its sidecar: wrapper, body, access list, entry, keys."""
ITEMS_MAX = 65_536
"""More than a transaction of 128 KiB needs for the smallest entries of its longest lists."""

SHORT_MAX = 55
"""The longest payload, in bytes, whose length fits into the first byte."""
STRING, LIST = 0x80, 0xC0
"""First bytes: of the empty string and of the empty list."""


class RlpError(ValueError):
    """Not the one encoding of anything; one line, without the bytes."""


def encode(item: bytes | Sequence[Item]) -> bytes:
    """The encoding of an item."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < STRING:
            return item
        return _header(len(item), STRING) + item
    payload = b"".join(encode(each) for each in item)
    return _header(len(payload), LIST) + payload


def encode_number(value: int) -> bytes:
    """A whole number as big-endian bytes without leading zeros; 0 is the empty string."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def decode(raw: bytes) -> Item:
    """The one item that `raw` encodes; raises RlpError where there is none, or something after it.

    Refused as well: a longer encoding than necessary, lists in more than `DEPTH_MAX` lists, and
    more than `ITEMS_MAX` items.
    """
    item, end = _Reader(raw).read(0, len(raw), 0)
    if end != len(raw):
        message = f"{len(raw) - end} bytes follow the end"
        raise RlpError(message)
    return item


def _header(length: int, offset: int) -> bytes:
    if length <= SHORT_MAX:
        return bytes([offset + length])
    digits = encode_number(length)
    return bytes([offset + SHORT_MAX + len(digits)]) + digits


class _Reader:
    """Reads items off bytes, which are sliced only where a string is taken out of them."""

    __slots__ = ("_left", "_raw")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._left = ITEMS_MAX

    def read(self, start: int, stop: int, depth: int) -> tuple[Item, int]:
        """The item at `start`, and where it ends: not beyond `stop`."""
        self._left -= 1
        if self._left < 0:
            message = f"more than {ITEMS_MAX} items"
            raise RlpError(message)
        if start >= stop:
            message = "cut off: nothing where an item should be"
            raise RlpError(message)
        first = self._raw[start]
        if first < STRING:
            return self._raw[start : start + 1], start + 1
        is_list = first >= LIST
        start, end = self._payload(start, stop, LIST if is_list else STRING)
        if not is_list:
            text = self._raw[start:end]
            if len(text) == 1 and text[0] < STRING:
                message = "a single byte with a length before it"
                raise RlpError(message)
            return text, end
        if depth == DEPTH_MAX:
            message = f"lists in more than {DEPTH_MAX} lists"
            raise RlpError(message)
        items: list[Item] = []
        while start < end:
            item, start = self.read(start, end, depth + 1)
            items.append(item)
        return items, end

    def _payload(self, start: int, stop: int, offset: int) -> tuple[int, int]:
        """Where the payload of the string or list at `start` begins and ends."""
        length = self._raw[start] - offset
        start += 1
        if length > SHORT_MAX:
            digits = self._raw[start : min(stop, start + length - SHORT_MAX)]
            if len(digits) != length - SHORT_MAX:
                message = "cut off within a length"
                raise RlpError(message)
            start += len(digits)
            length = int.from_bytes(digits, "big")
            if digits[0] == 0 or length <= SHORT_MAX:
                message = "a length that is written longer than necessary"
                raise RlpError(message)
        if length > stop - start:
            message = f"a length of {length} bytes where {stop - start} are left"
            raise RlpError(message)
        return start, start + length
