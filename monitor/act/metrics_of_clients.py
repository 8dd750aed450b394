"""The metrics of EIP-2159, "Common Prometheus Metrics Names for Clients": exported on request.

Name, type and definition are the EIP's.
"""

from __future__ import annotations

from monitor.act.metric import Metric

LABELS = ("network", "node")
HEIGHT = Metric(
    "ethereum_blockchain_height", "gauge", "The current height of the canonical chain", LABELS
)
BEST = Metric(
    "ethereum_best_known_block_number", "gauge", "The estimated highest block available", LABELS
)
PEERS = Metric("ethereum_peer_count", "gauge", "The current number of peers connected", LABELS)
EIP_METRICS: tuple[Metric, ...] = (HEIGHT, BEST, PEERS)
LIMIT = "ethereum_peer_limit"
"""The EIP's fourth: it has no equivalent in JSON-RPC, so that nobody outside the node knows it."""
