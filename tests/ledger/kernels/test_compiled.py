"""Loops compiled when they are needed."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from monitor.ledger.kernels.compiled import compiled, installed
from monitor.ledger.kernels.scores import fold_scores


def doubled(values: np.ndarray[tuple[int], np.dtype[np.int64]], out: object) -> int:
    for row in range(len(values)):
        out[row] = values[row] * 2  # type: ignore[index]
    return len(values)


def test_compiled_loop_is_made_once_and_takes_read_only_columns() -> None:
    """Columns of Arrow are read-only; what a loop only reads may be so."""
    kernel = compiled(doubled, ("int64",), ("int64",), "int64")
    assert compiled(doubled, ("int64",), ("int64",), "int64") is kernel
    column, out = np.arange(4, dtype=np.int64), np.zeros(4, np.int64)
    column.setflags(write=False)
    assert kernel(column, out) == 4
    assert out.tolist() == [0, 2, 4, 6]


def test_compiled_loop_writes_into_nothing_that_is_read_only() -> None:
    """What a loop writes is no column that somebody else reads."""
    out = np.zeros(4, np.int64)
    out.setflags(write=False)
    with pytest.raises(TypeError, match="No matching definition"):
        compiled(doubled, ("int64",), ("int64",), "int64")(np.zeros(4, np.int64), out)


def test_compiled_loop_without_a_place_to_keep_it_is_compiled_all_the_same() -> None:
    """A loop that has no file, as on a disk that cannot be written to, works and is not kept."""
    names: dict[str, object] = {}
    exec("def loop(values, out):\n    out[0] = values[0]", names)  # noqa: S102 - has no file
    loop = names["loop"]
    assert callable(loop)
    out = np.zeros(1, np.int64)
    compiled(loop, ("int64",), ("int64",))(np.array([7]), out)
    assert out.tolist() == [7]


def test_kernels_where_numba_is_not_installed_are_those_of_numpy() -> None:
    """Without numba nothing is missing but speed."""
    assert installed() == "numba"
    program = """
import sys
from importlib.machinery import PathFinder


class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "numba" else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = Without
from monitor.ledger.kernels.compiled import installed
from monitor.ledger.kernels.scores import fold_scores

print(installed(), fold_scores([3, 3, 4], [1, 0, -1]).tolist(), "numba" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    expected = fold_scores([3, 3, 4], [1, 0, -1]).tolist()
    assert done.stdout.strip() == f"numpy {expected} False", done.stderr
