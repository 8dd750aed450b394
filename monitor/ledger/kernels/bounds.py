"""What the kernels may be given: integers of 64 bits, within bounds that are checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]
    """Identifiers, amounts in nRLC, scores, weights, places."""
    Steps: TypeAlias = NDArray[np.int8]
    Flags: TypeAlias = NDArray[np.bool_]

INT64_MAX = 2**63 - 1
ROWS_MAX = 2**28
"""Rows in one call: what the proofs in the kernels assume. More are made into parts."""


class OutOfBounds(ValueError):
    """A value for which exactness in 64 bits is not proved."""


def ints(values: object, name: str) -> Ints:
    """The values as 64-bit integers, side by side in memory; without a copy where they are so.

    Raises OutOfBounds for what is no integer of 64 bits, and for more than ROWS_MAX.
    """
    import numpy as np

    return np.ascontiguousarray(_integers(values, name), dtype=np.int64)


def steps(values: object, name: str) -> Steps:
    """The same of -1, 0 and 1, in a byte each."""
    import numpy as np

    found = _integers(values, name)
    within(found, -1, 1, name)
    return np.ascontiguousarray(found, dtype=np.int8)


def flags(values: object, name: str) -> Flags:
    """The same of truth values."""
    import numpy as np

    found = np.asarray(values)
    if found.size and found.dtype != np.bool_:
        message = f"{name} holds {found.dtype}, and not truth values"
        raise OutOfBounds(message)
    return np.ascontiguousarray(found, dtype=np.bool_)


def within(values: NDArray[Any], lowest: int, highest: int, name: str) -> None:
    """Raises OutOfBounds, with the first value that is not between the two, both included."""
    import numpy as np

    if not values.size or (values.min() >= lowest and values.max() <= highest):
        return
    row = int(np.flatnonzero((values < lowest) | (values > highest))[0])
    message = f"{name}[{row}] is {int(values[row])}, outside {lowest} to {highest}"
    raise OutOfBounds(message)


def same_length(**columns: NDArray[Any]) -> None:
    """Raises OutOfBounds where one of the columns has another length than the first."""
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        message = f"columns differ in length: {lengths}"
        raise OutOfBounds(message)


def offsets_of(values: object, rows: int, name: str) -> Ints:
    """Where each group begins in `rows` rows, and after them where the last ends, as in Arrow."""
    found = ints(values, name)
    is_whole = len(found) > 0 and found[0] == 0 and found[-1] == rows
    if not is_whole or (found[1:] < found[:-1]).any():
        message = f"{name} do not divide {rows} rows into groups"
        raise OutOfBounds(message)
    return found


def _integers(values: object, name: str) -> NDArray[Any]:
    import numpy as np

    found = np.asarray(values)
    if not found.size:
        return found.astype(np.int64)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        message = f"{name} holds {found.dtype} in {found.ndim} dimensions, and not a row of int64"
        raise OutOfBounds(message)
    if len(found) > ROWS_MAX:
        message = f"{name} has {len(found)} rows, more than {ROWS_MAX}"
        raise OutOfBounds(message)
    if found.dtype == np.uint64:
        within(found, 0, INT64_MAX, name)
    return found
