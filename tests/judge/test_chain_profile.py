"""What a profile says of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.chain_profile import Model, Profile

PROFILE = Profile(
    key="x",
    version=1,
    model="slots",
    interval_seconds=10.0,
    arrival_seconds=1.0,
    skew_seconds=1.0,
    miss=0.25,
)


@pytest.mark.parametrize(
    ("model", "blocks"), [("slots", 6480), ("poisson", 8640), ("rota", 8640), ("traffic", 8640)]
)
def test_blocks_a_day_are_counted_less_the_empty_slots(model: Model, blocks: float) -> None:
    """Only slots stay empty; all else is a mean, a turn or the densest there may be.

    A rehearsal's day has as many blocks as its chain's.
    """
    assert replace(PROFILE, model=model).blocks_a_day == blocks
    assert replace(PROFILE, model=model, interval_seconds=2.5, speed=4).blocks_a_day == blocks
