"""Whom a node is connected with: how many, who called whom, how far they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.chains import ARBITRUM
from monitor.judge.peers import (
    FAMILIES,
    OFFERS,
    OTHER,
    PEER_BEHIND_BLOCKS,
    PEERS_MIN,
    Peer,
    PeersSeen,
    family_of,
    judge,
)
from monitor.judge.profiles import Policy, policy
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, TIP, agreeing, round_of

INBOUND = Peer("geth", is_inbound=True, number=None)
OUTBOUND = Peer("reth", is_inbound=False, number=None)


def judged(seen: PeersSeen | Unseen, rules: Policy = POLICY) -> Finding:
    observation: Observation[PeersSeen] = Observation("local", "peers", NOW, 0.1, seen)
    (finding,) = judge([observation], round_of(*agreeing()), rules, NOW)
    assert finding.key == ("peers", "node:local")
    return finding


def test_peers_without_history_give_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_peers_that_were_not_seen_are_unknown() -> None:
    """Not having been counted is not being alone."""
    finding = judged(TIMEOUT)
    assert (finding.level, finding.reason, finding.measured) == (Level.UNKNOWN, "timeout", None)


@pytest.mark.parametrize(
    ("count", "level", "reason"),
    [
        (0, Level.DEGRADED, "no_peers"),
        (1, Level.DEGRADED, "few_peers"),
        (PEERS_MIN - 1, Level.DEGRADED, "few_peers"),
        (PEERS_MIN, Level.OK, "connected"),
        (50, Level.OK, "connected"),
    ],
)
def test_peers_are_judged_by_their_number(count: int, level: Level, reason: str) -> None:
    """Few are a warning, none has a word of its own, and neither is a failure."""
    finding = judged(PeersSeen(count))
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit) == (count, PEERS_MIN)
    assert [one.method for one in finding.evidence] == ["net_peerCount"]


@pytest.mark.parametrize(("count", "reason"), [(0, "no_peers_needed"), (3, "connected")])
def test_peers_of_a_chain_of_one_sequencer_are_not_missed(count: int, reason: str) -> None:
    """Nitro has no peers and says 0: its blocks come from the sequencer's feed."""
    finding = judged(PeersSeen(count), policy(ARBITRUM))
    assert (finding.level, finding.reason) == (Level.OK, reason)


@pytest.mark.parametrize(
    ("peers", "reason"),
    [
        ((OUTBOUND,) * 5, "outbound_only"),
        ((*(OUTBOUND,) * 4, INBOUND), "connected"),
        ((replace(OUTBOUND, is_inbound=None),) * 5, "connected"),
        ((), "connected"),
    ],
)
def test_peers_that_the_node_called_all_are_said_to_be_and_are_well(
    peers: tuple[Peer, ...], reason: str
) -> None:
    """A node behind a firewall hears all the same; nothing follows where nobody says who called."""
    finding = judged(PeersSeen(5, peers))
    assert (finding.level, finding.reason) == (Level.OK, reason)


def test_peers_that_are_described_are_told_by_client_direction_and_height() -> None:
    """The evidence has the mix; the heights count from two pauses of eth/69 on."""
    peers = (
        Peer("geth", is_inbound=True, number=TIP),
        Peer("reth", is_inbound=False, number=TIP - PEER_BEHIND_BLOCKS),
        Peer("geth", is_inbound=False, number=TIP - PEER_BEHIND_BLOCKS - 1),
        Peer(OTHER, is_inbound=None, number=None),
    )
    seen = PeersSeen(4, peers, reference=TIP)
    assert seen.behind == 1
    assert seen.clients == (("geth", 2), ("other", 1), ("reth", 1))
    assert judged(seen).evidence[1].said == (
        "2 geth, 1 other, 1 reth; 1 inbound, 2 outbound; 1 of 3 that name a height are behind"
    )


def test_peers_that_say_neither_height_nor_direction_are_told_by_client() -> None:
    """Besu names neither: there is no 0 where nothing was said."""
    seen = PeersSeen(3, (Peer("besu", None, None),) * 3, reference=TIP)
    assert (seen.behind, seen.told_apart(is_inbound=True)) == (None, None)
    assert judged(seen).evidence[1].said == "3 besu"
    assert PeersSeen(1, (Peer("geth", None, 5),)).behind is None


def test_peers_whose_list_was_not_seen_are_counted_all_the_same() -> None:
    """The list that did not come is named, and nothing follows from it."""
    finding = judged(PeersSeen(9, Unseen("timeout", "no answer in 5 s")))
    assert (finding.level, finding.reason) == (Level.OK, "connected")
    assert finding.evidence[1].said == "not seen: no answer in 5 s"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Geth/v1.16.2-stable-3a0b3f8c/linux-amd64/go1.24.4", "geth"),
        ("Nethermind/v1.31.10+8a2c4e1f/linux-x64/dotnet9.0.4", "nethermind"),
        ("besu/v25.6.0/linux-x86_64/openjdk-java-21", "besu"),
        ("erigon/v3.0.14/linux-amd64/go1.24.4", "erigon"),
        ("reth/v1.5.0-61e38f9/x86_64-unknown-linux-gnu", "reth"),
        ("EthereumJS/0.10.5/linux/node22.16.0", "ethereumjs"),
        ("nimbus-eth1 v0.1.0 [linux: amd64, rocksdb, nimbus-evm]", "nimbus"),
        ("Parity-Ethereum//v2.7.2-stable/x86_64-linux-gnu/rustc1.41.0", "parity"),
        ("ethrex/v0.1.0/x86_64-linux", "ethrex"),
        ("bor/v2.2.9/linux-amd64/go1.24", "bor"),
        ("gethx/v1", OTHER),
        ("", OTHER),
        ("<script>/1", OTHER),
    ],
)
def test_family_of_a_peer_is_one_of_few(name: str, family: str) -> None:
    """A peer names itself as it likes, and makes no label by it."""
    assert family_of(name) == family
    assert family in {*FAMILIES, OTHER}


def test_offers_are_the_numbers_of_one_answer() -> None:
    """What the node does not tell has no sample."""
    peers = (replace(INBOUND, number=0), OUTBOUND, OUTBOUND)
    read = {offer.name: offer.read for offer in OFFERS if offer.read is not None}
    assert [one(PeersSeen(3, peers, reference=TIP)) for one in read.values()] == [
        3.0,
        1.0,
        2.0,
        1.0,
    ]
    assert [one(PeersSeen(3)) for one in read.values()] == [3.0, None, None, None]
