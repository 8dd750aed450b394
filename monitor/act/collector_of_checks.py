"""The checks beside the required ones as metric families: what a snapshot's observations offer.

A value that was not seen has no sample, and neither has one of a node that does not answer, or of
references without a majority.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.act.collector_of_transactions import Put
from monitor.judge.offer import Offer
from monitor.judge.offers import BY_CHECK
from monitor.judge.peers import PeersSeen
from monitor.judge.rpc import RpcSeen
from monitor.judge.seen import HeadSeen
from monitor.model import (
    Finding,
    Level,
    Observation,
    Snapshot,
    Unseen,
    reference_label,
    subject_of,
)

Found = Mapping[tuple[str, str], Finding]
"""By check and subject."""


def put_checks(put: Put, snapshot: Snapshot) -> None:
    """What the optional checks of every node and network offer."""
    found = {finding.key: finding for finding in snapshot.verdict.findings}
    heads = {o.node for o in snapshot.observations if isinstance(o.seen, HeadSeen)}
    labels: dict[str, tuple[str, ...]] = {
        facts.label: (facts.network, facts.name)
        for facts in snapshot.endpoints
        if facts.kind == "node"
    }
    labels |= {reference_label(network.name): (network.name,) for network in snapshot.networks}
    quorums = {reference_label(network.name) for network in snapshot.networks if network.reference}
    for seen in snapshot.observations:
        if seen.node in labels and (seen.node in heads or seen.node in quorums):
            for offer in BY_CHECK.get(seen.check, ()):
                if (offer.subjects == "quorum") == (seen.node in quorums):
                    put(offer.metric, _value(offer, seen, found), *labels[seen.node])
            if isinstance(seen.seen, PeersSeen):
                for client, count in seen.seen.clients:
                    put("headwatch_peers_clients", count, *labels[seen.node], client)
            if isinstance(seen.seen, RpcSeen):
                for one in seen.seen.methods:
                    ratio = one.failed / one.calls
                    put("headwatch_rpc_method_error_ratio", ratio, *labels[seen.node], one.method)


def _value(offer: Offer[Any], newest: Observation[Any], found: Found) -> float | None:
    if isinstance(newest.seen, Unseen):
        return None
    if offer.read is not None:
        return offer.read(newest.seen)
    finding = found.get((offer.check, subject_of(newest.node)))
    if finding is None or finding.level == Level.UNKNOWN:
        return None
    return finding.measured
