"""Seeded gaps between blocks, drawn from a profile in bulk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.judge.profiles import PRIOR_BLOCKS, Profile, down_in_a_row

Seconds = NDArray[np.float64]
MONTH_SECONDS = 30 * 86_400.0
PAIRS = 2.07
"""How much more often a slot is empty after an empty one, on mainnet (reldo.dev, 2026-02-02)."""


def gaps(profile: Profile, draw: np.random.Generator, *, pairs: float = 1.0) -> Seconds:
    """The gaps of thirty days and a little more; `pairs`: how strongly empty slots attract."""
    count = int(MONTH_SECONDS / profile.interval_seconds)
    if profile.model == "poisson":
        return draw.exponential(profile.interval_seconds, size=count + 4 * int(count**0.5))
    if profile.model == "traffic":
        # Each gap of a rate of its own: Gamma rates make Lomax gaps.
        return draw.pareto(PRIOR_BLOCKS, count) * PRIOR_BLOCKS * profile.interval_seconds
    if profile.model == "rota":
        return _turns(profile, draw, count) * profile.interval_seconds
    runs = draw.geometric(1 - pairs * profile.miss, count).astype(np.float64)
    return np.where(draw.random(count) < profile.miss, 1 + runs, 1.0) * profile.interval_seconds


def _turns(profile: Profile, draw: np.random.Generator, count: int) -> NDArray[Any]:
    """Turns between sealed blocks, while authorities side by side go down and come back.

    Each hour others may be down; they are back a whole round before the next may be.
    """
    authorities = profile.authorities or 1
    turns = np.arange(count)
    hour = int(3600 / profile.interval_seconds)
    hours = turns // hour
    first = draw.integers(authorities, size=hours[-1] + 1)[hours]
    down = draw.integers(down_in_a_row(profile) + 1, size=hours[-1] + 1)[hours]
    is_back = turns % hour >= hour - authorities
    sealed = is_back | ((turns % authorities - first) % authorities >= down)
    return np.diff(np.flatnonzero(sealed))


def births(profile: Profile, draw: np.random.Generator, *, pairs: float = 1.0) -> Seconds:
    """When the blocks of thirty days are made."""
    times = np.cumsum(gaps(profile, draw, pairs=pairs))
    return times[times <= MONTH_SECONDS]


def silences(profile: Profile, born: Seconds, draw: np.random.Generator) -> Seconds:
    """What a node sees of the gaps: a block comes late by up to the arrival time, in its turn."""
    came = born + draw.random(born.size) * profile.arrival_seconds
    return np.diff(np.maximum.accumulate(came))


def lags(profile: Profile, born: Seconds, poll_seconds: float) -> NDArray[Any]:
    """Blocks between a reading of the node and one of the reference a whole skew later."""
    polls = np.arange(profile.skew_seconds, MONTH_SECONDS, poll_seconds)
    now = np.searchsorted(born, polls, side="right")
    return now - np.searchsorted(born, polls - profile.skew_seconds, side="right")
