"""What the optional checks offer, as gauges: exactly what was seen of whom is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest

from monitor.act.collector_of_checks import put_checks
from monitor.act.metrics_of_checks import CHECK_METRICS, OFFERED_METRICS
from monitor.judge import offers
from monitor.judge.offer import Offer
from monitor.judge.offers import OFFERS
from monitor.judge.peers import PeersSeen
from monitor.judge.rpc import MethodSeen, RpcSeen
from monitor.model import Level, Observation, Snapshot, Unseen, reference_label
from tests.act.snapshots import (
    NETWORK,
    NOW,
    TIP,
    finding,
    network_facts,
    node_facts,
    observations_of,
    observed,
    quorum,
    snapshot_of,
)

QUORUM = reference_label(NETWORK)
PEERS = "headwatch_peers_connected"
Put = list[tuple[str, float | None, tuple[str, ...]]]


def put(snapshot: Snapshot) -> Put:
    """What is put, values that are none left out."""
    found: Put = []

    def note(name: str, value: float | None, *labels: str) -> None:
        if value is not None:
            found.append((name, value, labels))

    put_checks(note, snapshot)
    return found


def showing(*more: Observation[object], is_seen: bool = True, level: Level = Level.OK) -> Snapshot:
    """A node that was asked more than is required."""
    seen = observations_of("local", TIP)
    if not is_seen:
        seen = (observed("local", "head", Unseen("refused", "no")),)
    findings = (
        finding("peers", "node:local", level, measured=5.0),
        finding("peers", f"reference:{QUORUM}", level, measured=6.0),
    )
    shown = snapshot_of(findings, (node_facts(),), (*seen, *more))
    return replace(shown, networks=(network_facts(reference=quorum()),))


def test_failing_calls_are_shown_by_their_method() -> None:
    """Of a node that is seen; one whose head is not seen has no ratio of anything."""
    methods = (
        MethodSeen("eth_call", 4, 1, 0, 0, None, None),
        MethodSeen("eth_chainId", 2, 0, 0, 0, None, None),
    )
    seen = observed("local", "rpc", RpcSeen(methods))
    name = "headwatch_rpc_method_error_ratio"
    assert [one for one in put(showing(seen)) if one[0] == name] == [
        (name, 0.25, (NETWORK, "local", "eth_call")),
        (name, 0.0, (NETWORK, "local", "eth_chainId")),
    ]
    assert not [one for one in put(showing(seen, is_seen=False)) if one[0] == name]


def test_metrics_are_the_offers_by_their_own_names() -> None:
    """A gauge each, labelled by whom it speaks of."""
    assert [metric.name for metric in OFFERED_METRICS] == [offer.metric for offer in OFFERS]
    peers = next(metric for metric in CHECK_METRICS if metric.name == PEERS)
    assert (peers.type, peers.labels) == ("gauge", ("network", "node"))
    assert peers.help == "Peers that the node is connected with."


def test_value_that_was_seen_is_put() -> None:
    """Of the node that said it."""
    assert put(showing(observed("local", "peers", PeersSeen(7)))) == [
        (PEERS, 7.0, (NETWORK, "local"))
    ]


@pytest.mark.parametrize("reason", ["timeout", "unsupported"])
def test_value_that_was_not_seen_has_no_sample(reason: str) -> None:
    """Not zero, and not what it was before."""
    unseen = Unseen(reason, "no")  # type: ignore[arg-type]
    assert put(showing(observed("local", "peers", unseen))) == []


def test_value_of_a_node_that_is_gone_has_no_sample() -> None:
    """It was seen a minute ago, and the node is not there now."""
    assert put(showing(observed("local", "peers", PeersSeen(7)), is_seen=False)) == []


def test_value_of_somebody_unknown_has_no_sample() -> None:
    """A node that was taken out of the configuration."""
    assert put(showing(observed("gone", "peers", PeersSeen(7), NOW))) == []


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offers of both kinds under one check, as others may have them."""
    rows: tuple[Offer[PeersSeen], ...] = (
        Offer("peers.found_count", "peers", "Found"),
        Offer("peers.of_all_count", "peers", "Of all", subjects="quorum"),
    )
    monkeypatch.setitem(cast("dict[str, object]", offers.BY_CHECK), "peers", rows)


@pytest.mark.usefixtures("measured")
def test_value_without_a_reading_is_what_the_finding_measures() -> None:
    """Of the node and of the references together, each under its own name."""
    both = (observed("local", "peers", PeersSeen(7)), observed(QUORUM, "peers", PeersSeen(7)))
    assert put(showing(*both)) == [
        ("headwatch_peers_found", 5.0, (NETWORK, "local")),
        ("headwatch_peers_of_all", 6.0, (NETWORK,)),
    ]
    assert put(showing(*both, level=Level.UNKNOWN)) == []
    without = replace(showing(*both), networks=(network_facts(),))
    assert [labels for _, _, labels in put(without)] == [(NETWORK, "local")]
    unjudged = replace(showing(*both), verdict=replace(showing().verdict, findings=()))
    assert put(unjudged) == []
