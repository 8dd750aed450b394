"""The checks beside the required ones: what each found, and the numbers it found it by.

A node, or a network, of which a check cannot be asked has no curve: not every client has every
method.
"""

from __future__ import annotations

from dataclasses import replace

from dashboards.board import Board, Line, Section
from dashboards.curves import EACH, NAMED, NODE, QUORUM, chain, curve, each, summed
from dashboards.node import PICKED as ONE_NODE
from dashboards.panels import (
    ANY_IS_BAD,
    BLOCKS,
    LEVELS,
    Query,
    Step,
    stat,
    timeline,
    timeseries,
)
from dashboards.promql import increase, series, worst

REQUIRED = ("identity", "head", "stall", "fork", "references")
"""Checks that have boards of their own."""
OPTIONAL = f'check!~"{"|".join(REQUIRED)}"'
PICKED = replace(ONE_NODE, everything=".+")

NOW = (
    stat(
        "Worst finding",
        "The worst level that any of these checks finds of a chosen node.",
        Query(f"max({series('headwatch_finding_level', NODE, OPTIONAL)})", "worst"),
        steps=LEVELS,
        filled=True,
        missing="none is on",
    ),
    stat(
        "Until it is level",
        "At the pace of the node that needs longest. None is told where it never will be.",
        Query(f"max({each('headwatch_sync_eta_seconds')})", "longest"),
        unit="s",
        missing="never, or not known",
    ),
    stat(
        "Fewest peers",
        "Peers of the node that has fewest.",
        Query(f"min({each('headwatch_peers_connected')})", "fewest"),
        steps=(Step(0, "red"), Step(1, "text")),
    ),
    stat(
        "Wrong values",
        "Values of accounts that are not what is proven or what the references say.",
        Query(f"sum({each('headwatch_state_differences')})", "wrong"),
        steps=ANY_IS_BAD,
        missing="not compared",
    ),
    stat(
        "Wrong logs",
        "Nodes' logs and receipts that are not what the block commits to.",
        Query(f"sum({each('headwatch_logs_differences')})", "wrong"),
        steps=ANY_IS_BAD,
        missing="not compared",
    ),
    stat(
        "Next upgrade",
        "Until the next upgrade that any chosen node knows of.",
        Query(f"min({each('headwatch_upgrade_next_seconds')})", "next"),
        unit="s",
        missing="none known",
    ),
    stat(
        "Headwatch's clock",
        "How far the references' clocks are ahead of headwatch's own, by HTTP dates; the furthest, "
        "ahead or behind.",
        Query(f"max(abs({series('headwatch_clock_own_skew_seconds')}))", "furthest"),
        unit="s",
    ),
)
FINDINGS = timeline(
    "Findings of nodes",
    "The level of each of these checks over time. Unknown: it could not see.",
    Query(
        worst(f"{EACH}, check", series("headwatch_finding_level", NODE, OPTIONAL)),
        "{{network}} {{node}} {{check}}",
    ),
)
CHAIN_FINDINGS = timeline(
    "Findings of networks",
    "What is found of the references of a network together: it is the chain's, and no node's.",
    Query(
        worst("network, check", series("headwatch_finding_level", QUORUM, OPTIONAL)),
        "{{network}} {{check}}",
    ),
)

# -- chain -------------------------------------------------------------------------------------

REORGS = timeseries(
    "Reorgs",
    "How many times a node, or the chain that the references agree on, replaced its newest blocks.",
    Query(summed(EACH, increase("headwatch_reorgs_total", NODE)), NAMED),
    Query(summed("network", increase("headwatch_reorgs_total", QUORUM)), "chain, {{network}}"),
    unit="none",
)
REPLACED = timeseries(
    "Blocks replaced",
    "Blocks that these reorgs replaced, together.",
    Query(summed(EACH, increase("headwatch_reorg_depth_blocks_sum", NODE)), NAMED),
    Query(
        summed("network", increase("headwatch_reorg_depth_blocks_sum", QUORUM)),
        "chain, {{network}}",
    ),
    unit=BLOCKS,
)
DEEPEST = timeseries(
    "Deepest of the latest reorgs",
    "Blocks that it replaced, 0 without any. What the chain has too is no node's fault.",
    Query(each("headwatch_reorg_deepest_blocks"), NAMED),
    Query(chain("headwatch_reorg_chain_deepest_blocks"), "chain, {{network}}"),
    unit=BLOCKS,
    stepped=True,
)
FINALITY = timeseries(
    "From final to head",
    "Blocks from what a node calls safe and final to its head, and from what a majority of the "
    "references calls final to theirs. It saws by the blocks that become final together.",
    curve("safe", "headwatch_finality_safe_lag_blocks"),
    curve("final", "headwatch_finality_finalized_lag_blocks"),
    Query(chain("headwatch_finality_chain_lag_blocks"), "chain, {{network}}"),
    unit=BLOCKS,
)
FINALITY_BEHIND = timeseries(
    "Finality behind the references'",
    "Blocks that the references call final and the node does not; negative is ahead.",
    Query(each("headwatch_finality_behind_blocks"), NAMED),
    unit=BLOCKS,
    soft_min=None,
)
FINALITY_WAITED = timeseries(
    "Finality behind since",
    "Since the references call a block final that the node does not; 0 where it does.",
    Query(each("headwatch_finality_behind_seconds"), NAMED),
    unit="s",
)

CHAIN_PACE = timeseries(
    "Pace of the chain",
    "Mean time between its newest blocks, a thousand at most, and what the profile in force says.",
    Query(chain("headwatch_profile_interval_seconds"), "measured, {{network}}"),
    Query(chain("headwatch_network_interval_seconds"), "profile, {{network}}"),
    unit="s",
)
CHAIN_HEADERS = timeseries(
    "Headers that it is read from",
    "From 65 on something is said; 1,024 are kept.",
    Query(chain("headwatch_profile_headers"), "{{network}}"),
    unit="none",
    stepped=True,
)

# -- client ------------------------------------------------------------------------------------

REMAINING = timeseries(
    "Left to import",
    "Blocks until the node is level with the references.",
    Query(each("headwatch_sync_remaining_blocks"), NAMED),
    unit=BLOCKS,
)
PACE = timeseries(
    "Pace",
    "Blocks that the node came on in a second, over its last answers.",
    Query(each("headwatch_sync_rate_blocks_per_second"), NAMED),
    unit="suffix:blocks/s",
    soft_min=None,
)
LEVEL_IN = timeseries(
    "Until it is level",
    "At its pace, the references moving on meanwhile. A gap: never, or not known.",
    Query(each("headwatch_sync_eta_seconds"), NAMED),
    unit="s",
)
UNFINISHED = timeseries(
    "Left to index or to heal",
    "What the node says it has left, in whatever it counts. It may be level all the while.",
    Query(each("headwatch_sync_unfinished_items"), NAMED),
    unit="none",
)
PEERS = timeseries(
    "Peers",
    "Connected peers, those that called the node and those that it called; and those that name a "
    "height more than 64 blocks behind the references.",
    curve("connected", "headwatch_peers_connected"),
    curve("inbound", "headwatch_peers_inbound"),
    curve("outbound", "headwatch_peers_outbound"),
    curve("behind", "headwatch_peers_behind"),
    unit="none",
    stepped=True,
)
PEER_CLIENTS = timeseries(
    "Peers by client",
    "By the client that their names speak of; a node that does not tell of them has no curve.",
    Query(
        worst(f"{EACH}, client", series("headwatch_peers_clients", NODE)), "{{client}}, " + NAMED
    ),
    unit="none",
    stacked=True,
    stepped=True,
)
POOL = timeseries(
    "Transactions in the pool",
    "Pending ones could be mined now; queued ones wait for an earlier one.",
    curve("pending", "headwatch_txpool_pending"),
    curve("queued", "headwatch_txpool_queued"),
    unit="none",
)
BAD_BLOCKS = timeseries(
    "Blocks held invalid",
    "Blocks that the node lists as invalid; and of those, the ones that the references hold as "
    "theirs and the node does not have.",
    curve("listed", "headwatch_bad_blocks_listed_blocks"),
    curve("refused", "headwatch_bad_blocks_refused_blocks"),
    unit=BLOCKS,
    stepped=True,
)

VERSIONS = timeseries(
    "Versions behind",
    "Releases of its client that are newer than what a node runs, and advisories against it.",
    curve("releases", "headwatch_version_behind_releases"),
    curve("advisories", "headwatch_version_advisories"),
    unit="none",
    stepped=True,
)
VERSION_DAYS = timeseries(
    "Versions behind for",
    "Since the first release that is newer than what a node runs.",
    Query(each("headwatch_version_behind_seconds"), NAMED),
    unit="s",
)

# -- answers -----------------------------------------------------------------------------------

DIFFERENCES = timeseries(
    "Answers that differ",
    "At a block that all have: values of accounts, and whether logs and receipts differ.",
    curve("values", "headwatch_state_differences"),
    curve("logs", "headwatch_logs_differences"),
    unit="none",
    stepped=True,
)
RETENTION = timeseries(
    "How far back it answers",
    "Blocks below its head for which the node serves states, blocks, receipts and logs.",
    curve("states", "headwatch_retention_state_blocks"),
    curve("blocks", "headwatch_retention_bodies_blocks"),
    curve("receipts", "headwatch_retention_receipts_blocks"),
    curve("logs", "headwatch_retention_logs_blocks"),
    unit=BLOCKS,
)
UPGRADE = timeseries(
    "Until the next upgrade",
    "That the node knows of, by `eth_config`. Below zero it has passed, and the node has not "
    "changed. A gap: it knows of none.",
    Query(each("headwatch_upgrade_next_seconds"), NAMED),
    unit="s",
    soft_min=None,
)

# -- transport ---------------------------------------------------------------------------------

FAILING = timeseries(
    "Calls without a usable answer, by method",
    "Their share of the calls of a method in the last 5 minutes.",
    Query(
        worst(f"{EACH}, method", series("headwatch_rpc_method_error_ratio", NODE)),
        "{{method}}, " + NAMED,
    ),
    unit="percentunit",
)
THROTTLED = timeseries(
    "Calls that were too many",
    "The share of calls of the last 5 minutes that were refused for being too many.",
    Query(each("headwatch_rpc_throttled_ratio"), NAMED),
    unit="percentunit",
)
SLOWEST = timeseries(
    "Slowest method",
    "What seven calls of ten do not exceed, of the slowest method of the last 5 minutes.",
    Query(each("headwatch_rpc_slowest_p70_seconds"), NAMED),
    unit="s",
)
SOCKET_AGE = timeseries(
    "Since the websocket told of a head",
    "It saws between zero and the time between two blocks.",
    Query(each("headwatch_subscription_age_seconds"), NAMED),
    unit="s",
)
SOCKET_HEADS = timeseries(
    "Heads of the websocket",
    "Places that its newest twenty heads leave out; heads that it told again, and heads that it "
    "told after their child, both since the start.",
    curve("left out", "headwatch_subscription_gaps"),
    curve("again", "headwatch_subscription_duplicate_heads"),
    curve("late", "headwatch_subscription_late_heads"),
    unit="none",
    stepped=True,
)
CLOCKS = timeseries(
    "Clocks",
    "By HTTP dates: how far the clock of a node's host is ahead of the references', and theirs of "
    "headwatch's own. Negative is behind.",
    Query(each("headwatch_clock_skew_seconds"), NAMED),
    Query(chain("headwatch_clock_own_skew_seconds"), "references, {{network}}"),
    unit="s",
    soft_min=None,
)

# -- consensus ---------------------------------------------------------------------------------

SLOTS = timeseries(
    "Slots apart",
    "From the consensus client's head to its clock; and by how many the node's head is ahead of "
    "its consensus client's, negative is behind.",
    curve("to its clock", "headwatch_beacon_sync_distance_slots"),
    curve("node ahead", "headwatch_beacon_apart_slots"),
    unit="suffix:slots",
    soft_min=None,
)
EPOCHS = timeseries(
    "Delay of finality",
    "Epochs from the finalized checkpoint to the epoch before the consensus client's head; 1 is "
    "the usual, more than 4 a leak.",
    Query(each("headwatch_beacon_finality_delay_epochs"), NAMED),
    unit="suffix:epochs",
    stepped=True,
)
CONSENSUS_PEERS = timeseries(
    "Peers of the consensus client",
    "That it is connected with.",
    Query(each("headwatch_beacon_peers"), NAMED),
    unit="none",
    stepped=True,
)

BOARD = Board(
    name="checks",
    title="headwatch / Checks",
    description="What the checks beside the required ones find of nodes and networks.",
    variables=(PICKED,),
    edges_of=(NODE,),
    sections=(
        Section(
            "",
            (
                Line(4, NOW, (4, 4, 3, 3, 3, 4, 3)),
                Line(10, (FINDINGS,)),
                Line(6, (CHAIN_FINDINGS,)),
            ),
        ),
        Section(
            "Chain",
            (
                Line(8, (REORGS, REPLACED, DEEPEST)),
                Line(8, (FINALITY, FINALITY_BEHIND, FINALITY_WAITED)),
                Line(8, (CHAIN_PACE, CHAIN_HEADERS)),
            ),
        ),
        Section(
            "Client",
            (
                Line(8, (REMAINING, PACE)),
                Line(8, (LEVEL_IN, UNFINISHED)),
                Line(8, (PEERS, PEER_CLIENTS)),
                Line(8, (POOL, BAD_BLOCKS)),
                Line(8, (VERSIONS, VERSION_DAYS)),
            ),
        ),
        Section("Answers", (Line(8, (DIFFERENCES, RETENTION, UPGRADE)),)),
        Section(
            "Transport",
            (Line(8, (FAILING, THROTTLED, SLOWEST)), Line(8, (SOCKET_AGE, SOCKET_HEADS, CLOCKS))),
        ),
        Section("Consensus client", (Line(8, (SLOTS, EPOCHS, CONSENSUS_PEERS)),)),
    ),
)
