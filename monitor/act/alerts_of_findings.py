"""The alerts of findings: a row for every check, scope and bad level that its judge can give.

Prometheus sees levels and not reasons, so a row speaks for all reasons of its level; the status
page, which every runbook begins with, has the reason and the evidence. A level is confirmed in two
rounds before it is shown, so that `for` only has to outlast what heals by itself.
"""

from __future__ import annotations

from monitor.act.alerts_of_answers import ANSWERS_ALERTS
from monitor.act.alerts_of_beacon import BEACON_ALERTS
from monitor.act.alerts_of_chain import CHAIN_ALERTS
from monitor.act.alerts_of_client import CLIENT_ALERTS
from monitor.act.alerts_of_releases import RELEASE_ALERTS
from monitor.act.alerts_of_transport import TRANSPORT_ALERTS
from monitor.act.rules import CHECK, NETWORK, NODE, REFERENCE, Alert, finding, unseen_finding
from monitor.model import Level

_IDENTITY: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeWrongChain",
        check="identity",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=2,
        summary=f"Node {NODE} serves another chain",
        description="Its chain id or its block 0 is not that of the network. It answers every "
        "question correctly, about the wrong money. Nothing else that is said of this node means "
        "anything until this is over.",
    ),
    finding(
        "HeadwatchNodeChainDoubtful",
        check="identity",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        summary=f"Node {NODE} and the only reference serve different chains",
        description="With one reference, and a profile that does not name the chain, either of the "
        "two may be the stranger.",
    ),
    finding(
        "HeadwatchNodeChainUnknown",
        check="identity",
        scope="node",
        level=Level.UNKNOWN,
        severity="warning",
        minutes=5,
        summary=f"Which chain node {NODE} serves is not known",
        description="It did not say its chain id and block 0, or nobody says which they should be. "
        "Whether it serves the right chain cannot be said.",
    ),
)
_HEAD: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeBehind",
        check="head",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=2,
        keep_minutes=3,
        summary=f"Node {NODE} is behind the network",
        description="Its head is behind what a strict majority of the references has reached, by "
        "at least the profile's lag threshold. Balances and nonces read from it are old, and "
        "transactions built on them are lost.",
    ),
    finding(
        "HeadwatchNodeOutOfStep",
        check="head",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} is out of step with the references",
        description="It is behind one reference only, or there is only one, or it is far ahead of "
        "all of them. Who is wrong cannot be said for certain.",
    ),
    finding(
        "HeadwatchNodeUnseen",
        check="head",
        scope="node",
        level=Level.UNKNOWN,
        also="unless ignoring (check) headwatch_node_head_number",
        severity="critical",
        minutes=2,
        keep_minutes=2,
        summary=f"Node {NODE} does not answer",
        description="Its head could not be seen: no connection, no answer in time, or an answer "
        "that is none. It may be down, or healthy and out of reach from here.",
    ),
    finding(
        "HeadwatchNodeUncompared",
        check="head",
        scope="node",
        level=Level.UNKNOWN,
        also="and ignoring (check) headwatch_node_head_number",
        reasons=frozenset({"no_quorum", "internal_error", "confirming"}),
        severity="warning",
        minutes=10,
        summary=f"Node {NODE} answers, but cannot be judged",
        description="Its head is seen and there is nothing to compare it with, or headwatch itself "
        "failed to. It may be behind without anybody being told.",
    ),
)
_STALL: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeStalled",
        check="stall",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=2,
        summary=f"Node {NODE} stands still while the network moves",
        description="Its head has not changed while the references moved on by the lag threshold. "
        "It answers, and is dead in all but name; `eth_syncing` says false all the while.",
    ),
    finding(
        "HeadwatchNodeStallDoubtful",
        check="stall",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} stands still, by one reference's word",
        description="Its head has not changed while one reference moved on. No majority has, so "
        "that the reference may be the one that errs.",
    ),
    finding(
        "HeadwatchNodeStallUnknown",
        check="stall",
        scope="node",
        level=Level.UNKNOWN,
        severity="warning",
        minutes=10,
        summary=f"Whether node {NODE} moves is not known",
        description="The node or the references could not be seen for ten minutes, or were not "
        "judged. A stall would not be noticed.",
    ),
    finding(
        "HeadwatchNetworkQuiet",
        check="stall",
        scope="quorum",
        level=Level.DEGRADED,
        severity="warning",
        minutes=1,
        keep_minutes=2,
        summary=f"Network {NETWORK} makes no blocks",
        description="No reference has named a new block for longer than the chain's own gaps "
        "explain once in 30 days. It is the network, or all references at once, and not your "
        "nodes.",
    ),
    finding(
        "HeadwatchNetworkUnseen",
        check="stall",
        scope="quorum",
        level=Level.UNKNOWN,
        severity="info",
        minutes=10,
        summary=f"Whether network {NETWORK} makes blocks is not known",
        description="Without a head that a majority of the references agrees on, nobody can say "
        "whether the network stands still.",
    ),
)
_FORK: tuple[Alert, ...] = (
    finding(
        "HeadwatchNodeForked",
        check="fork",
        scope="node",
        level=Level.FAILED,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"Node {NODE} is on a fork of its own",
        description="Its blocks are not the network's, deeper than any reorg, or below what it "
        "calls final. Receipts say success, and the money never moved for anybody else.",
    ),
    finding(
        "HeadwatchNodeForkDoubtful",
        check="fork",
        scope="node",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Node {NODE} differs from the references: a deep reorg or a fork",
        description="Its hashes differ deeper than the chain's own reorgs reach once in 30 days, "
        "or there is only one reference to differ from.",
    ),
    finding(
        "HeadwatchNodeForkUnknown",
        check="fork",
        scope="node",
        level=Level.UNKNOWN,
        severity="warning",
        minutes=10,
        keep_minutes=5,
        summary=f"Whether node {NODE} is on a fork is not known",
        description="No hash could be compared, or the node parts from the majority together with "
        "a reference of its own client: then a client bug, and nobody is declared wrong.",
    ),
)
_REFERENCES: tuple[Alert, ...] = (
    finding(
        "HeadwatchReferenceUnusable",
        check="references",
        scope="reference",
        level=Level.DEGRADED,
        severity="warning",
        minutes=5,
        keep_minutes=5,
        summary=f"Reference {REFERENCE} contradicts the others",
        description="Its word stands alone or is refused: ahead, behind, another hash, another "
        "chain. It decides nothing as long as a majority of the others agrees; a second one would "
        "leave none.",
    ),
    finding(
        "HeadwatchReferenceUnseen",
        check="references",
        scope="reference",
        level=Level.UNKNOWN,
        severity="warning",
        minutes=15,
        keep_minutes=5,
        summary=f"Reference {REFERENCE} does not answer",
        description="It could not be seen, or its calls of the day are spent. It decides nothing "
        "by itself; a second one would leave no majority.",
    ),
    finding(
        "HeadwatchQuorumLost",
        check="references",
        scope="quorum",
        level=Level.UNKNOWN,
        severity="critical",
        minutes=2,
        keep_minutes=2,
        summary=f"No majority of the references of {NETWORK} can be believed",
        description="Too few answer, or they name different blocks, or they part along client "
        "families. Nothing can be said of any node of this network, and its gate is inconclusive.",
    ),
)

_UNSEEN: tuple[Alert, ...] = (
    unseen_finding(
        "HeadwatchCheckUnseen",
        scope="node",
        also="and ignoring (check) headwatch_node_head_number",
        summary=f"A check of node {NODE} sees nothing: {CHECK}",
        description="The node's head is seen, but not what this check asks for. It may have failed "
        "for hours without anybody being told.",
    ),
    unseen_finding(
        "HeadwatchNetworkCheckUnseen",
        scope="quorum",
        summary=f"A check of the references of {NETWORK} sees nothing: {CHECK}",
        description="What this check asks for could not be seen. It may have failed for hours "
        "without anybody being told.",
    ),
)
"""Of every check that a verdict can do without: that it sees nothing means the same of each."""

REQUIRED_ALERTS: tuple[Alert, ...] = (*_IDENTITY, *_HEAD, *_STALL, *_FORK, *_REFERENCES)
FINDING_ALERTS: tuple[Alert, ...] = (
    *REQUIRED_ALERTS,
    *CHAIN_ALERTS,
    *CLIENT_ALERTS,
    *ANSWERS_ALERTS,
    *TRANSPORT_ALERTS,
    *BEACON_ALERTS,
    *RELEASE_ALERTS,
    *_UNSEEN,
)
