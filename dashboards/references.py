"""The references: whether they agree, how far they may be trusted, and what they cost."""

from __future__ import annotations

from dashboards import promql
from dashboards.board import SHARED, Board, Line, Section, Variable
from dashboards.panels import (
    BLOCKS,
    CONFIDENCES,
    LEVELS,
    Column,
    Query,
    Step,
    stat,
    table,
    timeline,
    timeseries,
)
from dashboards.promql import quantile, rate, series, worst

REFERENCE = 'reference=~"$reference"'
JUDGED = ('reference=~"$reference|quorum"', 'reference!=""')
CALLED = 'node=~".+/$reference"'
"""Calls to a reference are counted under NETWORK/NAME."""
EACH = "network, reference"
LATENCIES = "headwatch_rpc_call_seconds"
PICKED = Variable(
    "reference",
    "Reference",
    promql.values(
        "reference",
        "headwatch_reference_info",
        *(f'{each.name}=~"${each.name}"' for each in SHARED),
    ),
    ".*",
)


def _quorum(name: str) -> str:
    return worst("network", series(name))


HEAD = worst(EACH, series("headwatch_reference_head_number", REFERENCE))
LEVEL = worst(EACH, series("headwatch_finding_level", REFERENCE, 'reference!=""'))
SPENT = series("headwatch_reference_calls_today", REFERENCE)
BUDGET = series("headwatch_reference_calls_today_limit", REFERENCE)
SHARE = worst(EACH, f"{SPENT} / {BUDGET}")
VOTERS = _quorum("headwatch_quorum_voters")
OPERATORS = _quorum("headwatch_quorum_operators")
CONFIDENCE = series("headwatch_quorum_confidence")
LAG_HEAD = _quorum("headwatch_quorum_lag_head_number")
ERRORS = rate("headwatch_rpc_errors_total", CALLED)
CALLS = rate("headwatch_rpc_calls_total", CALLED)

NOW = (
    stat(
        "Worst finding",
        "The worst level found of a reference, or of all of a network together.",
        Query(f"max({series('headwatch_finding_level', *JUDGED)})", "worst"),
        steps=LEVELS,
        filled=True,
    ),
    stat(
        "Confidence",
        "How far the references may be trusted: low is a single operator, on whose word nothing "
        "fails. The lowest of the chosen networks.",
        Query(f"min({CONFIDENCE})", "lowest"),
        steps=CONFIDENCES,
        missing="no quorum",
    ),
    stat(
        "Operators that agree",
        "Operators that named the block which is believed, of those configured. A strict majority "
        "is needed. The lowest of the chosen networks.",
        Query(f"min({VOTERS} / {OPERATORS})", "lowest"),
        unit="percentunit",
        steps=(Step(0, "red"), Step(0.5, "yellow"), Step(1, "green")),
        missing="no quorum",
    ),
    stat(
        "Budget spent",
        "Calls of this day (UTC) of the reference that has spent most of its budget.",
        Query(f"max({SHARE})", "most"),
        unit="percentunit",
        steps=(Step(0, "green"), Step(0.8, "orange"), Step(1, "red")),
        missing="no budget",
    ),
    stat(
        "Without a new block",
        "Since any reference of a network named a new block; the longest of the chosen networks.",
        Query(f"max({_quorum('headwatch_quorum_still_seconds')})", "longest"),
        unit="s",
    ),
)
LEVELS_OVER_TIME = timeline(
    "Findings",
    "The level of each reference; `quorum` is all references of a network together.",
    Query(worst(EACH, series("headwatch_finding_level", *JUDGED)), "{{network}} {{reference}}"),
)
REFERENCES = table(
    "References now",
    "Who is asked, who runs it, and what is left of its budget; the worst first.",
    Column("Network", "network"),
    Column("Reference", "reference"),
    Column("Level", LEVEL, steps=LEVELS),
    Column("Operator", "operator"),
    Column("Client", "client"),
    Column("Head", HEAD),
    Column("Calls today", worst(EACH, SPENT)),
    Column("Budget", worst(EACH, BUDGET)),
    Column("Spent", SHARE, unit="percentunit"),
    sort_by="Level",
    hidden=worst(f"{EACH}, operator, client", series("headwatch_reference_info", REFERENCE)),
)
VOTES = timeseries(
    "Votes",
    "Operators that named the block which is believed, beside those configured. A gap: nobody "
    "could be believed.",
    Query(VOTERS, "agree, {{network}}"),
    Query(OPERATORS, "configured, {{network}}"),
    unit="none",
    stepped=True,
)
TRUST = timeline(
    "Confidence",
    "How far the references of each network may be trusted.",
    Query(f"min by (network) ({CONFIDENCE})", "{{network}}"),
    steps=CONFIDENCES,
)
BEHIND = timeseries(
    "Behind the second highest",
    "Blocks of each reference behind the height from which lag is measured; negative is ahead.",
    Query(f"{LAG_HEAD} - on (network) group_right {HEAD}", "{{network}} {{reference}}"),
    unit=BLOCKS,
)
HEADS = timeseries(
    "Heads",
    "The latest block of each reference, and the block that they agree on.",
    Query(HEAD, "{{network}} {{reference}}"),
    Query(_quorum("headwatch_quorum_head_number"), "agreed on, {{network}}"),
    unit="none",
    soft_min=None,
)
QUIET = timeseries(
    "Without a new block",
    "Since any reference named a new block, and the silence from which the network is quiet.",
    Query(_quorum("headwatch_quorum_still_seconds"), "{{network}}"),
    Query(_quorum("headwatch_network_stall_limit_seconds"), "limit {{network}}"),
    unit="s",
)
APART = timeseries(
    "Nodes apart from the references",
    "Blocks since a node's chain parted from the references', 0 on the same chain; from the limit "
    "on it is a fork.",
    Query(worst("network, node", series("headwatch_fork_apart_blocks")), "{{network}} {{node}}"),
    Query(_quorum("headwatch_network_confirmations_blocks"), "limit {{network}}"),
    unit=BLOCKS,
)
SPENDING = timeseries(
    "Budget of calls a day",
    "The share of each reference's budget that is spent; at 100 % it is not asked until midnight, "
    "UTC.",
    Query(SHARE, "{{network}} {{reference}}"),
    unit="percentunit",
)
UNANSWERED = timeseries(
    "Calls without a usable answer",
    "Their share of the calls to each reference.",
    Query(f"sum by (node) ({ERRORS}) / sum by (node) ({CALLS})", "{{node}}"),
    unit="percentunit",
)
LATENCY = timeseries(
    "Time of a call",
    "The 95 % quantile of each reference, over calls that travelled alone.",
    Query(quantile(0.95, LATENCIES, "node", CALLED), "{{node}}", exemplars=True),
    unit="s",
)

BOARD = Board(
    name="references",
    title="headwatch / References and forks",
    description="The references: votes, confidence, heads, budgets; and who is apart from them.",
    variables=(PICKED,),
    edges_of=JUDGED,
    sections=(
        Section(
            "",
            (Line(4, NOW, (5, 5, 5, 5, 4)), Line(8, (LEVELS_OVER_TIME,)), Line(8, (REFERENCES,))),
        ),
        Section("Agreement", (Line(8, (VOTES, TRUST)), Line(8, (APART, QUIET)))),
        Section("Heads", (Line(8, (BEHIND, HEADS)),)),
        Section("Calls", (Line(8, (SPENDING, UNANSWERED, LATENCY)),)),
    ),
)
