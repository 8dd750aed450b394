"""All nodes at one glance: the verdict, what stands against it, who is worst."""

from __future__ import annotations

from dashboards.board import Board, Line, Section, link_to
from dashboards.panels import (
    BLOCKS,
    LEVELS,
    VERDICTS,
    Column,
    Query,
    Step,
    stat,
    table,
    timeline,
    timeseries,
)
from dashboards.promql import rate, series, worst

NODES = 'node!=""'
OWN = 'node!~".*/.*"'
"""Without the references, whose calls are counted as NETWORK/NAME."""
NODE = "network, node"
LAG = series("headwatch_node_head_lag_blocks")
LAG_LIMIT = series("headwatch_network_lag_limit_blocks")
LEVEL_OF_NODE = worst(NODE, series("headwatch_finding_level", NODES))
FAIL = series("headwatch_verdict", 'verdict="fail"')
INCONCLUSIVE = series("headwatch_verdict", 'verdict="inconclusive"')
NOT_OK = series("headwatch_findings", 'level!="ok"')
MAINTENANCE = worst("network, node, reference", series("headwatch_maintenance"))
ERRORS = rate("headwatch_rpc_errors_total", OWN)
CALLS = rate("headwatch_rpc_calls_total", OWN)


def _count(level: Step) -> Query:
    findings = worst("check, network, node, reference", series("headwatch_finding_level"))
    return Query(f"sum({findings} == bool {level.value:g})", level.text)


def _level(title: str, level: Step, meaning: str) -> object:
    steps = (Step(0, "green"), Step(1, level.color))
    return stat(title, meaning, _count(level), steps=steps, filled=True)


VERDICT = stat(
    "Verdict",
    "The worst verdict of the chosen instances, over all of their networks. Inconclusive: "
    "something that is required could not be seen.",
    Query(f"max(2 * {FAIL} or {INCONCLUSIVE})", "verdict"),
    steps=VERDICTS,
    filled=True,
)
LAG_SHARE = stat(
    "Lag, of what is allowed",
    "The lag of the node that is nearest to its network's limit; from 100 % on it is behind.",
    Query(
        f"max({LAG} / on (job, instance, network) group_left {LAG_LIMIT})", "nearest to its limit"
    ),
    unit="percentunit",
    steps=(Step(0, "green"), Step(0.5, "yellow"), Step(1, "red")),
)
MAINTAINED = stat(
    "In maintenance",
    "Nodes and references about which nobody is told, because of a maintenance window.",
    Query(f"sum({MAINTENANCE})", "in maintenance"),
    steps=(Step(0, "green"), Step(1, "blue")),
    missing="0",
)
LEVELS_OF_NODES = timeline(
    "Worst finding of each node",
    "The worst level that any check found of a node, at each time. Unknown: it could not be seen, "
    "or there was nobody to compare it with.",
    Query(LEVEL_OF_NODE, "{{network}} {{node}}"),
)
LEVELS_OF_REFERENCES = timeline(
    "References",
    "The level of each reference, and as `quorum` that of all references of a network together. "
    "Without a quorum nothing can be said of a node.",
    Query(
        worst("network, reference", series("headwatch_finding_level", 'reference!=""')),
        "{{network}} {{reference}}",
    ),
)
NODE_TABLE = table(
    "Nodes now",
    "One row a node, the worst first; a click on its name opens the node's own board.",
    Column("Network", "network"),
    Column("Node", "node", link=link_to("node", network="Network", node="Node")),
    Column("Level", LEVEL_OF_NODE, steps=LEVELS),
    Column("Lag", worst(NODE, LAG), unit=BLOCKS),
    Column("Head", worst(NODE, series("headwatch_node_head_number"))),
    Column("Head age", worst(NODE, series("headwatch_node_head_age_seconds")), unit="s"),
    Column("Client", "client"),
    Column("Version", "version"),
    sort_by="Level",
    hidden=worst(f"{NODE}, client, version", series("headwatch_node_info")),
)
LAGS = timeseries(
    "Lag",
    "Blocks behind the references, and the limit from which a node is behind; negative is ahead.",
    Query(worst(NODE, LAG), "{{network}} {{node}}"),
    Query(worst("network", LAG_LIMIT), "limit {{network}}"),
    unit=BLOCKS,
)
AGES = timeseries(
    "Head age",
    "Since the timestamp of each node's latest block. It saws between zero and the time between "
    "two blocks; a climb is a stall of the node, or a quiet network.",
    Query(worst(NODE, series("headwatch_node_head_age_seconds")), "{{network}} {{node}}"),
    unit="s",
)
FINDINGS = timeseries(
    "Findings by level",
    "How many findings stand at each level, over all networks of the chosen instances.",
    Query(f"sum by (level) ({NOT_OK})", "{{level}}"),
    unit="none",
    stacked=True,
    stepped=True,
)
UNANSWERED = timeseries(
    "Calls without a usable answer",
    "The share of the calls to each node that timed out, were refused, or came back broken.",
    Query(
        f"sum by ({NODE}) ({ERRORS}) / sum by ({NODE}) ({CALLS})",
        "{{network}} {{node}}",
    ),
    unit="percentunit",
)

BOARD = Board(
    name="fleet",
    title="headwatch / Fleet",
    description="All watched nodes: the verdict, the findings, and who is worst.",
    sections=(
        Section(
            "",
            (
                Line(
                    4,
                    (
                        VERDICT,
                        _level("Failed", LEVELS[3], "Findings that are failed now."),
                        _level("Degraded", LEVELS[2], "Findings that are degraded now."),
                        _level("Unknown", LEVELS[1], "What could not be seen now."),
                        LAG_SHARE,
                        MAINTAINED,
                    ),
                ),
                Line(9, (LEVELS_OF_NODES,)),
                Line(9, (NODE_TABLE,)),
            ),
        ),
        Section("Heads", (Line(9, (LAGS, AGES)),)),
        Section("References", (Line(7, (LEVELS_OF_REFERENCES,)),)),
        Section("Findings and calls", (Line(8, (FINDINGS, UNANSWERED)),)),
    ),
)
