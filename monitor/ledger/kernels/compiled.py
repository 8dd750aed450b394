"""Which engine there is, and loops compiled by numba when they are first needed.

A loop is plain Python over arrays, that writes into the arrays it is given last. It must take every
constant from its own module: numba keeps what it compiled beside that module, and compiles anew
only when that file has changed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal, ParamSpec, TypeVar

Engine = Literal["numba", "numpy"]
P = ParamSpec("P")
R = TypeVar("R")


@cache
def installed() -> Engine:
    """The faster that can be imported."""
    return "numba" if importlib.util.find_spec("numba") else "numpy"


@cache
def compiled(
    loop: Callable[P, R], reads: Sequence[str], writes: Sequence[str], returns: str = "void"
) -> Callable[P, R]:
    """A loop as machine code; the first call in a process loads or compiles it (0.2 to 2 s).

    `reads` and `writes` are the element types of its arrays, in order. What is read may be
    read-only, as the columns of Arrow are.
    """
    import numba
    from numba import types

    arrays = [
        types.Array(getattr(types, name), 1, "C", readonly=readonly)
        for names, readonly in ((reads, True), (writes, False))
        for name in names
    ]
    signature = getattr(types, returns)(*arrays)
    try:
        found: Callable[P, R] = numba.njit(signature, cache=True, nogil=True)(loop)
    except RuntimeError as error:
        # A disk that cannot be written to keeps nothing: it is compiled in every process.
        if "no locator available" not in str(error):
            raise
        found = numba.njit(signature, nogil=True)(loop)
    return found
