"""Whether a node hears of transactions: an empty pool beside full blocks, for long."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.chains import ARBITRUM
from monitor.judge.profiles import Policy, policy
from monitor.judge.txpool import (
    DEAF_SAMPLES,
    DEAF_SECONDS,
    MINED_MIN,
    OFFERS,
    MinedBlock,
    Silence,
    TxpoolSeen,
    judge,
    silence_of,
)
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, agreeing, round_of

MINUTE = 60.0
FULL = 200
Seen = Observation[TxpoolSeen]


def observed(*seen: TxpoolSeen | Unseen, seconds: float = MINUTE) -> list[Seen]:
    """Samples so far apart, the last one now."""
    last = len(seen) - 1
    return [
        Observation("local", "txpool", NOW - seconds * (last - place), 0.1, one)
        for place, one in enumerate(seen)
    ]


def empty(number: int, transactions: int = FULL) -> TxpoolSeen:
    """Nothing waits, beside a block of so many transactions."""
    return TxpoolSeen(0, 0, MinedBlock(number, transactions))


def judged(history: list[Seen], rules: Policy = POLICY) -> Finding:
    (finding,) = judge(history, round_of(*agreeing()), rules, NOW)
    assert finding.key == ("txpool", "node:local")
    return finding


def test_txpool_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_txpool_that_was_not_seen_is_unknown() -> None:
    """Not having been counted is not being empty."""
    finding = judged(observed(*(empty(n) for n in range(20)), TIMEOUT))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


@pytest.mark.parametrize(
    ("seen", "summary"),
    [
        (TxpoolSeen(3, 5, None), "3 pending, 5 queued"),
        (TxpoolSeen(0, 5, None), "0 pending, 5 queued"),
        (TxpoolSeen(3, None, None), "3 pending"),
    ],
)
def test_txpool_that_holds_anything_hears(seen: TxpoolSeen, summary: str) -> None:
    """Whatever waits was heard of; besu does not tell pending and queued apart."""
    finding = judged(observed(*(empty(n) for n in range(20)), seen))
    assert (finding.level, finding.reason, finding.summary) == (Level.OK, "hears", summary)
    assert finding.measured == seen.pending


@pytest.mark.parametrize(
    ("samples", "seconds", "transactions", "is_deaf"),
    [
        (DEAF_SAMPLES + 1, MINUTE, FULL, True),
        (DEAF_SAMPLES, DEAF_SECONDS / (DEAF_SAMPLES - 1), FULL, True),
        (DEAF_SAMPLES, MINUTE, FULL, False),
        (DEAF_SAMPLES - 1, 2 * MINUTE, FULL, False),
        (40, 15.0, FULL, False),
        (MINED_MIN, MINUTE, 1, True),
        (MINED_MIN - 1, MINUTE, 1, False),
        (40, MINUTE, 0, False),
        (40, MINUTE, 6, False),
    ],
)
def test_txpool_is_deaf_when_it_was_empty_for_long_beside_full_blocks(
    samples: int, seconds: float, transactions: int, is_deaf: bool
) -> None:
    """Enough samples, enough time, enough transactions: each of the three alone says nothing."""
    history = observed(*(empty(n, transactions) for n in range(samples)), seconds=seconds)
    finding = judged(history)
    assert finding.reason == ("deaf_pool" if is_deaf else "empty")
    assert finding.level == (Level.DEGRADED if is_deaf else Level.OK)


def test_txpool_that_is_deaf_says_how_unlikely_that_is() -> None:
    """The evidence has the measure and the probability that a node that hears shows the same."""
    finding = judged(observed(*(empty(n, 28) for n in range(DEAF_SAMPLES + 1))))
    assert finding.summary == (
        "its pool has been empty for 600 s, while blocks that it was looked at with carried "
        "308 transactions"
    )
    evidence = finding.evidence[1]
    assert evidence.p_value == pytest.approx(math.exp(-15.4))
    assert evidence.threshold == (
        f"empty in 10 samples over 600 s with {MINED_MIN} transactions mined "
        "(p <= 1e-06 where one in 10 is public)"
    )


def test_txpool_of_a_chain_of_one_sequencer_is_never_deaf() -> None:
    """There is no public pool to hear of: what is sent goes to the sequencer."""
    finding = judged(observed(*(empty(n) for n in range(40))), policy(ARBITRUM))
    assert (finding.level, finding.reason) == (Level.OK, "no_public_pool")


def test_txpool_of_sixty_blocks_of_a_lab_is_not_deaf() -> None:
    """Its pool is empty between blocks that others made, and they carry transactions."""
    history = observed(*(empty(n, 50) for n in range(40)), seconds=0.25)
    assert judged(history).level == Level.OK


@pytest.mark.parametrize(
    ("history", "silence"),
    [
        (observed(), Silence(0, 0.0, 0)),
        (observed(TIMEOUT), Silence(0, 0.0, 0)),
        (observed(empty(1)), Silence(1, 0.0, FULL)),
        (observed(empty(1), empty(2)), Silence(2, MINUTE, 2 * FULL)),
        (observed(empty(1), empty(1)), Silence(2, MINUTE, FULL)),
        (observed(empty(1), TxpoolSeen(1, 0, None), empty(2)), Silence(1, 0.0, FULL)),
        (observed(empty(1), TIMEOUT, empty(2)), Silence(2, 2 * MINUTE, 2 * FULL)),
        (observed(TxpoolSeen(0, None, None), empty(2)), Silence(2, MINUTE, FULL)),
    ],
)
def test_silence_is_the_run_of_empty_samples_and_each_block_once(
    history: list[Seen], silence: Silence
) -> None:
    """What was not seen says nothing either way; a block that was looked at twice is one block."""
    assert silence_of(history) == silence


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(0, 39))
def test_txpool_that_once_held_something_begins_anew(mined: list[int], place: int) -> None:
    """Never is a time before the last transaction counted as silence."""
    history = observed(*(empty(n, count) for n, count in enumerate(mined)))
    at = place % len(mined)
    history[at] = Observation("local", "txpool", history[at].at, 0.1, TxpoolSeen(1, 0, None))
    silence = silence_of(history)
    assert silence.samples == len(mined) - at - 1
    assert silence.mined == sum(mined[at + 1 :])


def test_offers_are_the_numbers_of_one_answer() -> None:
    """Besu does not tell the queued apart: no sample, and not 0."""
    read = {offer.name: offer.read for offer in OFFERS if offer.read is not None}
    assert [one(TxpoolSeen(3, 5, None)) for one in read.values()] == [3.0, 5.0]
    assert [one(TxpoolSeen(3, None, None)) for one in read.values()] == [3.0, None]
