"""kill -9 at any instant: no payment is lost, none is made twice, each slot is closed once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.killing import kill_again_and_again

SEED = 20180725


async def test_kill_at_random_instants_loses_nothing_and_pays_nothing_twice(
    tmp_path: Path, anvil_path: Path
) -> None:
    """A short run of the long one: eight kills over forty payments, with faults all the while."""
    tally = await kill_again_and_again(tmp_path, count=40, kills=8, seed=SEED, binary=anvil_path)
    sys.stdout.write(f"{tally}\n")
    assert tally.kills >= 8
    assert (tally.mined, tally.paid_wei, tally.closed) == (40, 40, 40)


@pytest.mark.wide
async def test_a_hundred_kills_over_five_hundred_payments(
    tmp_path: Path, anvil_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At least 100 kills over 500 payments with random faults; the count is printed."""
    tally = await kill_again_and_again(tmp_path, count=500, kills=100, seed=SEED, binary=anvil_path)
    with capsys.disabled():
        sys.stdout.write(f"\n{tally}\n")
    assert tally.kills >= 100
    assert (tally.mined, tally.paid_wei, tally.closed) == (500, 500, 500)
