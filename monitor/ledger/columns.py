"""Columns of bytes: hex as it stands in JSON in, Arrow arrays out, a column at a time.

Hex is `0x` and lower- or upper-case digits, as the schemas `hash32`, `address` and `bytes` of
execution-apis have it: no white space, no other prefix, no odd number of digits.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Ints = NDArray[np.int64]

OFFSET_MAX = 2**31 - 1
"""Where a value ends in a column is a signed number of 32 bits (Arrow columnar format)."""


def unhex(texts: Sequence[str], size: int) -> Bytes | None:
    """Texts of `0x` and so many bytes of hex, 1 or more, as a matrix; None where one is not."""
    import numpy as np

    if not texts:
        return np.empty((0, size), np.uint8)
    width = 2 * size + 2
    if set(map(len, texts)) != {width}:
        return None
    try:
        joined = np.frombuffer("".join(texts).encode("ascii"), np.uint8).reshape(-1, width)
        if not ((joined[:, 0] == ord("0")) & (joined[:, 1] == ord("x"))).all():
            return None
        found = binascii.unhexlify(joined[:, 2:].tobytes())
    except (UnicodeEncodeError, binascii.Error):
        return None
    return np.frombuffer(found, np.uint8).reshape(-1, size)


def unhex_any(texts: Sequence[str]) -> bytes | None:
    """The bytes of all texts in a row, where each is `0x` and an even number of hex digits."""
    return _unhexed(texts, _lengths(texts))


def _lengths(texts: Sequence[str]) -> Ints:
    import numpy as np

    return np.fromiter(map(len, texts), np.int64, len(texts))


def _unhexed(texts: Sequence[str], lengths: Ints) -> bytes | None:
    import numpy as np

    if (lengths < len("0x")).any() or (lengths % 2).any():
        return None
    try:
        joined = np.frombuffer("".join(texts).encode("ascii"), np.uint8)
        starts = lengths.cumsum() - lengths
        if not ((joined[starts] == ord("0")) & (joined[starts + 1] == ord("x"))).all():
            return None
        is_digit = np.ones(len(joined), np.bool_)
        is_digit[starts] = is_digit[starts + 1] = False
        return binascii.unhexlify(joined[is_digit].tobytes())
    except (UnicodeEncodeError, binascii.Error):
        return None


def fixed_values(matrix: Bytes) -> list[bytes]:
    """The rows of a matrix, each as bytes."""
    import numpy as np

    row = np.dtype((np.void, matrix.shape[1]))
    return cast("list[bytes]", np.ascontiguousarray(matrix).view(row).ravel().tolist())


def bytes_values(column: pa.Array) -> list[bytes]:
    """The values of a column of any lengths, none of them null."""
    import numpy as np

    if not len(column):
        return []
    _, ends, held = column.buffers()
    offsets = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    joined = b"" if held is None else held[first:last].to_pybytes()
    return [joined[start:end] for start, end in pairwise((offsets - first).tolist())]


def fixed_column(matrix: Bytes) -> pa.Array:
    """A row of the matrix a value, none of them null."""
    import pyarrow as pa

    buffers = [None, pa.py_buffer(matrix.tobytes())]
    return pa.Array.from_buffers(pa.binary(matrix.shape[1]), matrix.shape[0], buffers)


def topic_column(topics: Bytes, counts: Ints, number: int) -> pa.Array:
    """The topics at one position: `counts` of the rows belong to each log, null where fewer."""
    import numpy as np
    import pyarrow as pa

    starts, there = np.cumsum(counts) - counts, counts > number
    size = topics.shape[1]
    held = np.zeros((len(counts), size), np.uint8)
    held[there] = topics[starts[there] + number]
    valid = pa.py_buffer(np.packbits(there, bitorder="little").tobytes())
    buffers = [valid, pa.py_buffer(held.tobytes())]
    return pa.Array.from_buffers(pa.binary(size), len(counts), buffers)


def bytes_column(texts: Sequence[str], *, bytes_max: int = OFFSET_MAX) -> pa.Array | None:
    """Hex of any lengths, `0x` for none; None where a text is no hex, or together are too long."""
    import numpy as np
    import pyarrow as pa

    lengths = _lengths(texts)
    found = _unhexed(texts, lengths)
    if found is None or len(found) > bytes_max:
        return None
    offsets = np.zeros(len(texts) + 1, np.int32)
    offsets[1:] = np.cumsum(lengths // 2 - 1)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(found)]
    return pa.Array.from_buffers(pa.binary(), len(texts), buffers)


def fixed(batch: pa.RecordBatch, name: str) -> Bytes:
    """A column of fixed width as a matrix, a row for each log; what is null is any bytes."""
    import numpy as np

    column = batch.column(batch.schema.get_field_index(name))
    width = column.type.byte_width
    if not len(column):
        return np.empty((0, width), np.uint8)
    held = np.frombuffer(column.buffers()[1], np.uint8)
    start = column.offset * width
    return held[start : start + len(column) * width].reshape(len(column), width)
