"""What checks say, and the alert that must tell of it: a row for each check, scope and level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.examples import DEGRADED, FAILED, UNKNOWN

NODE = {"node": "local"}
A_REFERENCE = {"reference": "a"}
QUORUM = {"reference": "quorum"}


@dataclass(frozen=True, slots=True)
class Judged:
    """A check's word on something, and the alert that must tell of it."""

    alert: str
    check: str
    subject: Mapping[str, str]
    level: int
    has_head: bool | None = None
    """Whether the node's head is shown; None where it makes no difference."""


JUDGED: tuple[Judged, ...] = (
    Judged("HeadwatchNodeWrongChain", "identity", NODE, FAILED),
    Judged("HeadwatchNodeChainDoubtful", "identity", NODE, DEGRADED),
    Judged("HeadwatchNodeChainUnknown", "identity", NODE, UNKNOWN),
    Judged("HeadwatchNodeBehind", "head", NODE, FAILED),
    Judged("HeadwatchNodeOutOfStep", "head", NODE, DEGRADED),
    Judged("HeadwatchNodeUnseen", "head", NODE, UNKNOWN, has_head=False),
    Judged("HeadwatchNodeUncompared", "head", NODE, UNKNOWN, has_head=True),
    Judged("HeadwatchNodeStalled", "stall", NODE, FAILED),
    Judged("HeadwatchNodeStallDoubtful", "stall", NODE, DEGRADED),
    Judged("HeadwatchNodeStallUnknown", "stall", NODE, UNKNOWN),
    Judged("HeadwatchNetworkQuiet", "stall", QUORUM, DEGRADED),
    Judged("HeadwatchNetworkUnseen", "stall", QUORUM, UNKNOWN),
    Judged("HeadwatchNodeForked", "fork", NODE, FAILED),
    Judged("HeadwatchNodeForkDoubtful", "fork", NODE, DEGRADED),
    Judged("HeadwatchNodeForkUnknown", "fork", NODE, UNKNOWN),
    Judged("HeadwatchReferenceUnusable", "references", A_REFERENCE, DEGRADED),
    Judged("HeadwatchReferenceUnseen", "references", A_REFERENCE, UNKNOWN),
    Judged("HeadwatchQuorumLost", "references", QUORUM, UNKNOWN),
    Judged("HeadwatchNodeReorgedFinal", "reorg", NODE, FAILED),
    Judged("HeadwatchNodeReorged", "reorg", NODE, DEGRADED),
    Judged("HeadwatchNetworkReorgedFinal", "reorg", QUORUM, FAILED),
    Judged("HeadwatchNetworkReorged", "reorg", QUORUM, DEGRADED),
    Judged("HeadwatchNodeFinalityWrong", "finality", NODE, FAILED),
    Judged("HeadwatchNodeFinalityOutOfStep", "finality", NODE, DEGRADED),
    Judged("HeadwatchNetworkFinalityStalled", "finality", QUORUM, DEGRADED),
    Judged("HeadwatchNetworkDrifted", "profile", QUORUM, DEGRADED),
    Judged("HeadwatchNodeNotSynced", "sync", NODE, DEGRADED),
    Judged("HeadwatchNodePeersFew", "peers", NODE, DEGRADED),
    Judged("HeadwatchNodePoolDeaf", "txpool", NODE, DEGRADED),
    Judged("HeadwatchNodeBlockRefused", "bad_blocks", NODE, DEGRADED),
    Judged("HeadwatchNodeRefusesChain", "bad_blocks", NODE, FAILED),
    Judged("HeadwatchNodeStateDiffers", "state", NODE, FAILED),
    Judged("HeadwatchNodeStateDoubtful", "state", NODE, DEGRADED),
    Judged("HeadwatchNodeLogsDiffer", "logs", NODE, FAILED),
    Judged("HeadwatchNodeLogsDoubtful", "logs", NODE, DEGRADED),
    Judged("HeadwatchNodeRetentionShrunk", "retention", NODE, DEGRADED),
    Judged("HeadwatchNodeUpgradeMissing", "upgrade", NODE, FAILED),
    Judged("HeadwatchNodeUpgradeDoubtful", "upgrade", NODE, DEGRADED),
    Judged("HeadwatchNodeCallsFailing", "rpc", NODE, DEGRADED, has_head=True),
    Judged("HeadwatchSubscriptionDown", "subscription", NODE, DEGRADED, has_head=True),
    Judged("HeadwatchNodeClockSkewed", "clock", NODE, DEGRADED),
    Judged("HeadwatchOwnClockSkewed", "clock", QUORUM, DEGRADED),
    Judged("HeadwatchNodeConsensusDoubtful", "beacon", NODE, DEGRADED),
    Judged("HeadwatchNodeVersionOld", "version", NODE, DEGRADED),
    Judged("HeadwatchCheckUnseen", "peers", NODE, UNKNOWN, has_head=True),
    Judged("HeadwatchNetworkCheckUnseen", "reorg", QUORUM, UNKNOWN),
)
