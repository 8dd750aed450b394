"""Few peers are a warning, none are too, and whoever does not say is not known."""

from __future__ import annotations

import pytest

from monitor.judge.peers import OFFERS, PEERS_MIN, PeersSeen, judge
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, agreeing, round_of


def judged(seen: PeersSeen | Unseen) -> Finding:
    history = [Observation("local", "peers", NOW, 0.1, seen)]
    (found,) = judge(history, round_of(*agreeing()), POLICY, NOW)
    return found


@pytest.mark.parametrize(
    ("count", "level", "reason"),
    [
        (0, Level.DEGRADED, "few_peers"),
        (PEERS_MIN - 1, Level.DEGRADED, "few_peers"),
        (PEERS_MIN, Level.OK, "connected"),
        (PEERS_MIN + 1, Level.OK, "connected"),
    ],
)
def test_peers_are_few_below_the_minimum(count: int, level: Level, reason: str) -> None:
    """A node with few peers may be at the network's head: never a failure."""
    found = judged(PeersSeen(count))
    assert (found.key, found.level, found.reason) == (("peers", "node:local"), level, reason)
    assert (found.measured, found.limit, found.unit) == (float(count), float(PEERS_MIN), "peers")
    assert (f"fewer than {PEERS_MIN}" in found.summary) is (level == Level.DEGRADED)


def test_peers_that_were_not_seen_are_unknown() -> None:
    """Not seen is not none."""
    found = judged(Unseen("timeout", "no answer in 5 s"))
    assert (found.level, found.reason, found.measured) == (Level.UNKNOWN, "timeout", None)


def test_peers_without_history_give_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_peers_offer_their_count() -> None:
    """What rules and metrics read."""
    (offer,) = [offer for offer in OFFERS if offer.name == "peers.connected_count"]
    assert offer.read is not None
    assert offer.read(PeersSeen(7)) == 7.0
