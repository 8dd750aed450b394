"""The names that EIP-2159 gives to what every client has: for dashboards that are made for them.

Off unless `http.eip2159` says otherwise. What is exported under them is what was seen of a node
from outside, labelled as all else is; where the node exports them itself, the target that is
scraped tells the two apart. `ethereum_peer_limit` has no equivalent in JSON-RPC, as the EIP says,
and is therefore never here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from monitor.act.exposition import Block, Labels, number
from monitor.act.metrics_of_clients import BEST, EIP_METRICS, HEIGHT, LABELS, PEERS
from monitor.act.readings import read
from monitor.judge.offers import BY_CHECK
from monitor.judge.verdict import reference_of
from monitor.model import Head, Reference, Snapshot, Unseen

PEERS_CHECK, PEERS_OFFER = "peers", "peers.connected_count"


class EipCollector:
    """What a snapshot says of its nodes, under the names of the EIP."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Block]:
        """A family each, where it has a sample: a node that was not seen has none."""
        snapshot = self._snapshot()
        blocks = {m.name: Block(m.family, m.help, m.type, m.unit) for m in EIP_METRICS}
        text = Labels(LABELS).text
        references = {one.name: reference_of(one, snapshot.at) for one in snapshot.networks}
        peers = _peers(snapshot)
        for reading in read(snapshot):
            head, facts = reading.head, reading.facts
            if facts.kind != "node" or head is None:
                continue
            values = {
                HEIGHT.name: float(head.number),
                BEST.name: _best(head, references.get(facts.network)),
                PEERS.name: peers.get(facts.label),
            }
            for name, value in values.items():
                if value is not None:
                    labels = text((facts.network, facts.name))
                    blocks[name].lines.append(f"{name}{labels} {number(value)}\n")
        return (block for block in blocks.values() if block.lines)


def _best(head: Head, reference: Reference | None) -> float:
    """The references know of the highest block, where they agree; else the node's own height is it.

    The EIP takes `highestBlock` of `eth_syncing`, which is the node's own guess, and its height
    where it does not synchronise.
    """
    return float(head.number if reference is None else max(head.number, reference.head.number))


def _peers(snapshot: Snapshot) -> dict[str, float]:
    """Peers by node, of those that said how many."""
    found = {}
    for one in snapshot.observations:
        if one.check == PEERS_CHECK and not isinstance(one.seen, Unseen):
            for offer in BY_CHECK[PEERS_CHECK]:
                count = offer.read and offer.read(one.seen)
                if offer.name == PEERS_OFFER and count is not None:
                    found[one.node] = count
    return found
