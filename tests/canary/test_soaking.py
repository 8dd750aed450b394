"""Polls of all, for as long as was asked."""

from __future__ import annotations

import itertools

import pytest

from monitor.canary.soaking import LOOKS_MORE, SAMPLES_MIN, soak
from monitor.model import Unseen
from tests.canary.staged import staged
from tests.rpc.canned import Canned, Chain, Clock

START = 1000.0


class Ticking(Clock):
    """Time that passes by a second at every look."""

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


async def test_sample_is_what_each_said_at_one_moment() -> None:
    """Heads and peers; who does not answer is None, and a silent reference is left out."""
    node, other = Canned(Chain(100)), Canned(Chain(90))
    reference, silent = Canned(Chain(101)), Canned()
    node.answers["net_peerCount"] = "0x19"
    async with staged(node, other, a=reference, b=silent) as pair:
        await silent.port.close()
        samples = await soak(pair, seconds=0.0, poll_seconds=0.0, clock=Clock(START))
    assert len(samples) == SAMPLES_MIN
    one = samples[0]
    assert (one.at, one.baseline, one.candidate, one.references) == (START, 100, 90, (101,))
    assert one.baseline_peers == 25
    assert isinstance(one.candidate_peers, Unseen)
    assert one.candidate_peers.reason == "unsupported"


@pytest.mark.parametrize(("seconds", "at_least"), [(0.0, SAMPLES_MIN), (60.0, 15)])
async def test_soak_lasts_as_long_as_was_asked(seconds: float, at_least: int) -> None:
    """And takes a few samples where no time was."""
    told: list[float] = []
    async with staged(Canned(), Canned()) as pair:
        samples = await soak(
            pair,
            seconds=seconds,
            poll_seconds=0.0,
            clock=Ticking(START),
            progress=told.append,
        )
    assert len(samples) >= at_least
    assert told == sorted(told)
    assert told[-1] >= seconds - 5


async def test_node_that_goes_away_is_seen_no_more() -> None:
    """Not at its last height."""
    node, other = Canned(Chain(100)), Canned(Chain(100))
    other.answers["eth_getBlockByNumber"] = None
    async with staged(node, other) as pair:
        await node.port.close()
        (one, *_) = await soak(pair, seconds=0.0, poll_seconds=0.0, clock=Clock(START))
    assert (one.baseline, one.candidate) == (None, None)


@pytest.mark.parametrize(
    ("silent", "polls"),
    [(0, SAMPLES_MIN), (1, SAMPLES_MIN + 1), (9, SAMPLES_MIN + LOOKS_MORE)],
)
async def test_last_poll_that_did_not_see_the_candidate_is_made_again(
    silent: int, polls: int
) -> None:
    """One lost answer must not leave an hour without its end; a dead node stays dead."""
    node, other = Canned(Chain(100)), Canned(Chain(100))
    looks = itertools.count()

    def block(params: list[str]) -> object:
        is_silent = SAMPLES_MIN - 1 <= next(looks) < SAMPLES_MIN - 1 + silent
        return None if is_silent else other.chain.block(100)

    other.answers["eth_getBlockByNumber"] = block
    async with staged(node, other) as pair:
        samples = await soak(pair, seconds=0.0, poll_seconds=0.0, clock=Clock(START))
    assert len(samples) == polls
    assert (samples[-1].candidate is None) is (silent > LOOKS_MORE)
