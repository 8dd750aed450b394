"""The metrics of the checks beside the required ones: a part of the table in `metrics`.

What a check offers to be ruled on is a gauge by the same name; what has further labels has a row
here.
"""

from __future__ import annotations

from monitor.act.metric import Metric
from monitor.judge.offers import OFFERS

_LABELS = {"node": ("network", "node"), "quorum": ("network",)}

OFFERED_METRICS: tuple[Metric, ...] = tuple(
    Metric(offer.metric, "gauge", f"{offer.meaning}.", _LABELS[offer.subjects]) for offer in OFFERS
)
_FOLLOWED = ("network", "node", "reference")
"""Of the references together `node` is empty and `reference` is `quorum`."""
LABELLED_METRICS: tuple[Metric, ...] = (
    Metric(
        "headwatch_reorgs_total",
        "counter",
        "Reorgs of a node, or of the chain that the references agree on, since this process began.",
        _FOLLOWED,
    ),
    Metric(
        "headwatch_reorg_depth_blocks",
        "histogram",
        "Blocks that each of these reorgs replaced.",
        _FOLLOWED,
    ),
    Metric(
        "headwatch_peers_clients",
        "gauge",
        "Peers by the client that their names speak of; none where the node does not tell of them.",
        ("network", "node", "client"),
    ),
    Metric(
        "headwatch_rpc_method_error_ratio",
        "gauge",
        "Calls of a method without a usable answer, of those of the last 5 minutes.",
        ("network", "node", "method"),
    ),
)
LABELLED = {metric.name: metric for metric in LABELLED_METRICS}
CHECK_METRICS: tuple[Metric, ...] = (*OFFERED_METRICS, *LABELLED_METRICS)
