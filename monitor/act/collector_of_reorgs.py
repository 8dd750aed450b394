"""Reorgs as metric families: a counter and a histogram of depths for each chain that is followed.

Both are read from what the probe has counted, each reorg once, however often it is judged. They
stay while a node does not answer: what was counted is no less true.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.act.collector_of_transactions import Put
from monitor.act.exposition import Block, histogram_lines, number
from monitor.act.metrics_of_checks import LABELLED
from monitor.judge.trace import DEPTHS, ReorgSeen
from monitor.model import QUORUM, Snapshot, reference_label

REORGS = "headwatch_reorgs_total"
REORG_DEPTHS = "headwatch_reorg_depth_blocks"
BOUNDS = (*(number(float(depth)) for depth in DEPTHS), "+Inf")


def put_reorgs(put: Put, snapshot: Snapshot) -> None:
    """How many reorgs each followed chain has had."""
    for labels, seen in _followed(snapshot):
        put(REORGS, seen.total, *labels.values())


def reorg_blocks(snapshot: Snapshot) -> Iterator[Block]:
    """How deep they were, by followed chain."""
    children = [
        (labels, [float(count) for count in seen.depths], float(seen.blocks_total))
        for labels, seen in _followed(snapshot)
    ]
    metric = LABELLED[REORG_DEPTHS]
    if children:
        lines = histogram_lines(metric.name, BOUNDS, children)
        yield Block(metric.family, metric.help, metric.type, metric.unit, lines)


def _followed(snapshot: Snapshot) -> Iterator[tuple[dict[str, str], ReorgSeen]]:
    names = {
        facts.label: (facts.network, facts.name, "")
        for facts in snapshot.endpoints
        if facts.kind == "node"
    }
    names |= {reference_label(n.name): (n.name, "", QUORUM) for n in snapshot.networks}
    rows = LABELLED[REORGS].labels
    for one in snapshot.observations:
        if isinstance(one.seen, ReorgSeen) and one.node in names:
            yield dict(zip(rows, names[one.node], strict=True)), one.seen
