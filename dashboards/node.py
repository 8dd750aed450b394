"""One node: what every check says of it, and the numbers that the checks judged."""

from __future__ import annotations

from dashboards import promql
from dashboards.board import SHARED, Board, Line, Section, Variable, link_to
from dashboards.panels import (
    BLOCKS,
    LEVELS,
    MAINTAINED,
    YES_IS_GOOD,
    Query,
    Step,
    stat,
    timeline,
    timeseries,
)
from dashboards.promql import quantile, rate, series, worst

NODE = 'node=~"$node"'
LATENCIES = "headwatch_rpc_call_seconds"
PICKED = Variable(
    "node",
    "Node",
    promql.values(
        "node",
        "headwatch_finding_level",
        *(f'{each.name}=~"${each.name}"' for each in SHARED),
        'node!=""',
    ),
)


def _of_node(name: str, by: str = "node") -> str:
    return worst(by, series(name, NODE))


def _of_network(name: str) -> str:
    """The value for the networks that this node belongs to, and for no other one."""
    own = series("headwatch_finding_level", NODE)
    return worst("network", f"{series(name)} and on (network) {own}")


HEAD = _of_node("headwatch_node_head_number")
FINALIZED = _of_node("headwatch_node_finalized_number")
LAG_BLOCKS = _of_node("headwatch_node_head_lag_blocks")
AGE = _of_node("headwatch_node_head_age_seconds")
LAG_LIMIT = _of_network("headwatch_network_lag_limit_blocks")
INTERVAL = _of_network("headwatch_network_interval_seconds")
NETWORK_HEAD_AT = _of_network("headwatch_quorum_head_timestamp_seconds")

NOW = (
    stat(
        "Worst finding",
        "The worst level that any check finds of this node.",
        Query(_of_node("headwatch_finding_level"), "{{node}}"),
        steps=LEVELS,
        filled=True,
    ),
    stat(
        "Lag",
        "Blocks behind the references; negative is ahead.",
        Query(f"max({LAG_BLOCKS})", "lag"),
        unit=BLOCKS,
    ),
    stat("Head", "Height of the node's latest block.", Query(HEAD, "{{node}}")),
    stat(
        "Head age",
        "Since the timestamp of the node's latest block.",
        Query(AGE, "{{node}}"),
        unit="s",
    ),
    stat(
        "Subscription",
        "Whether its newHeads subscription delivers. Heads are polled all the same.",
        Query(_of_node("headwatch_subscription_live"), "{{node}}"),
        steps=(Step(0, "orange", "not live"), Step(1, "green", "live")),
        missing="none configured",
    ),
    stat(
        "Client",
        "The node's client and version, as it reports them.",
        Query(_of_node("headwatch_node_info", "client, version"), "{{version}}"),
        named=True,
    ),
    stat(
        "Maintenance",
        "Whether a maintenance window keeps people from being told of this node.",
        Query(_of_node("headwatch_maintenance"), "{{node}}"),
        steps=MAINTAINED,
        missing="none",
    ),
)
CHECKS = timeline(
    "Findings",
    "The level of each check over time.",
    Query(_of_node("headwatch_finding_level", "check"), "{{check}}"),
    links=(("The numbers behind the other checks", link_to("checks", "network", "node")),),
)
LAG = timeseries(
    "Lag in blocks",
    "Blocks behind the references, and the limit from which the node is behind; negative is ahead.",
    Query(LAG_BLOCKS, "{{node}}"),
    Query(LAG_LIMIT, "limit {{network}}"),
    unit=BLOCKS,
)
LAG_SECONDS = timeseries(
    "Lag in seconds",
    "Block time behind the references, and the time of as many blocks as the limit allows.",
    Query(_of_node("headwatch_node_head_lag_seconds"), "{{node}}"),
    Query(f"{LAG_LIMIT} * {INTERVAL}", "limit {{network}}"),
    unit="s",
)
HEADS = timeseries(
    "Head and network",
    "The node's latest block, the block that the references agree on, and the height from which "
    "lag is measured.",
    Query(HEAD, "{{node}}"),
    Query(_of_network("headwatch_quorum_head_number"), "agreed on"),
    Query(_of_network("headwatch_quorum_lag_head_number"), "lag is measured from"),
    unit="none",
    soft_min=None,
)
AGES = timeseries(
    "Head age",
    "Since the timestamp of the node's latest block, and of the network's. Only the node climbs: "
    "it stalls. Both climb: the network is quiet.",
    Query(AGE, "{{node}}"),
    Query(f"time() - {NETWORK_HEAD_AT}", "network"),
    unit="s",
)
STALL = timeseries(
    "Standing still",
    "Blocks by which the references moved on while the node's head stood still, and the limit.",
    Query(_of_node("headwatch_node_stalled_blocks"), "{{node}}"),
    Query(LAG_LIMIT, "limit {{network}}"),
    unit=BLOCKS,
)
FORK = timeseries(
    "Apart from the network's chain",
    "Blocks since the node's chain parted from the references', 0 on the same chain; from the "
    "limit on it is a fork.",
    Query(_of_node("headwatch_fork_apart_blocks"), "{{node}}"),
    Query(_of_network("headwatch_network_confirmations_blocks"), "limit {{network}}"),
    unit=BLOCKS,
)
FINALITY = timeseries(
    "Behind finality",
    "Blocks between the node's latest block and the one it calls final. It climbs while the chain "
    "does not finalize.",
    Query(f"{HEAD} - {FINALIZED}", "{{node}}"),
    unit=BLOCKS,
)
FINAL = timeseries(
    "Finalized block",
    "Height of the block that the node calls final.",
    Query(FINALIZED, "{{node}}"),
    unit="none",
    soft_min=None,
)
LATENCY = timeseries(
    "Time of a call",
    "Quantiles over calls that travelled alone, all methods together.",
    *(
        Query(quantile(q, LATENCIES, "node", NODE), f"{100 * q:g} %", exemplars=True)
        for q in (0.5, 0.95, 0.99)
    ),
    unit="s",
)
METHODS = timeseries(
    "Time of a call by method",
    "The 95 % quantile of each method.",
    Query(quantile(0.95, LATENCIES, "method", NODE), "{{method}}", exemplars=True),
    unit="s",
)
CALLS = timeseries(
    "Calls",
    "Calls a second to this node, those within batches included.",
    Query(f"sum by (node) ({rate('headwatch_rpc_calls_total', NODE)})", "{{node}}"),
    unit="reqps",
)
ERRORS = timeseries(
    "Calls without a usable answer",
    "Their share of all calls, by what went wrong.",
    Query(
        f"sum by (node, reason) ({rate('headwatch_rpc_errors_total', NODE)}) "
        f"/ on (node) group_left sum by (node) ({rate('headwatch_rpc_calls_total', NODE)})",
        "{{reason}}",
    ),
    unit="percentunit",
    stacked=True,
)
SUBSCRIPTION = timeline(
    "Subscription",
    "Whether the node's newHeads subscription delivers.",
    Query(_of_node("headwatch_subscription_live"), "{{node}}"),
    steps=YES_IS_GOOD,
)
OBSERVED = timeseries(
    "Age of what is known",
    "Since a probe last wrote down an answer of this node, or that there was none.",
    Query(_of_node("headwatch_observation_age_seconds", "check"), "{{check}}"),
    unit="s",
)

BOARD = Board(
    name="node",
    title="headwatch / Node",
    description="One node against its network: findings, lag, fork, stall, calls.",
    variables=(PICKED,),
    edges_of=(NODE,),
    sections=(
        Section("", (Line(4, NOW, (4, 3, 3, 3, 3, 5, 3)), Line(10, (CHECKS,)))),
        Section("Head", (Line(8, (LAG, LAG_SECONDS)), Line(8, (HEADS, AGES)))),
        Section("Stall, fork, finality", (Line(8, (STALL, FORK)), Line(8, (FINALITY, FINAL)))),
        Section(
            "Calls",
            (
                Line(8, (LATENCY, METHODS)),
                Line(8, (ERRORS, CALLS)),
                Line(6, (SUBSCRIPTION, OBSERVED)),
            ),
        ),
    ),
)
