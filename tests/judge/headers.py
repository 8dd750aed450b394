"""Linked headers with given gaps, and the sums that a month of gaps makes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.judge.drift import Drift
from monitor.model import BlockNumber, Head
from tests.judge.builders import NOW, TIP, hash_of
from tests.judge.draws import Seconds

Gaps = NDArray[np.int64]


def headers(gaps: Iterable[int], *, tip: int = TIP, branch: str = "main") -> tuple[Head, ...]:
    """A chain that ends at `tip`, each header so many seconds after the one before."""
    times = list(itertools.accumulate(gaps, initial=int(NOW) - 1_000_000))
    first = tip - len(times) + 1
    return tuple(
        Head(BlockNumber(n), hash_of(n, branch), hash_of(n - 1, branch), timestamp)
        for n, timestamp in enumerate(times, start=first)
    )


def gaps_of(born: Seconds) -> Gaps:
    """The gaps between the timestamps of blocks: whole seconds, as headers have them."""
    seconds: Gaps = np.floor(born).astype(np.int64)
    return seconds[1:] - seconds[:-1]


def ratios(drift: Drift, gaps: NDArray[Any]) -> Seconds:
    """What each gap adds, by the drift's own rule."""
    lengths, where = np.unique(gaps, return_inverse=True)
    return np.array([drift.log_ratio(float(length)) for length in lengths])[where]


def crossings(added: Seconds, threshold: float) -> list[int]:
    """Where a sum that begins at 0, and anew after each, reaches the threshold."""
    found: list[int] = []
    begin = 0
    while begin < added.size:
        walk = np.cumsum(added[begin:])
        reached = walk - np.minimum(0.0, np.minimum.accumulate(walk)) >= threshold - 1e-9
        if not reached.any():
            break
        begin += int(np.argmax(reached)) + 1
        found.append(begin - 1)
    return found
