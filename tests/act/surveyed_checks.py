"""What all checks beside the required ones wrote down and found, in a healthy network."""

from __future__ import annotations

from dataclasses import replace

from monitor.judge.clock import ClockSeen
from monitor.judge.logs import LogsSaid, LogsSeen
from monitor.judge.profile import IntervalsSeen
from monitor.judge.retention import RESOURCES, Kept, RetentionSeen
from monitor.judge.rpc import MethodSeen, RpcSeen
from monitor.judge.state import StateSeen
from monitor.judge.tags import FinalitySeen, Tags, Wait
from monitor.judge.trace import DEPTHS, ReorgSeen
from monitor.judge.upgrade import Config, Fork, UpgradeSeen
from monitor.judge.verdict import verdict_of
from monitor.judge.version import seen_of as seen_of_version
from monitor.model import (
    BlockNumber,
    Finding,
    Level,
    Observation,
    Snapshot,
    reference_label,
    subject_of,
)
from tests.act.snapshots import NETWORK, NOW, TIP, finding, head_at, observed
from tests.act.surveyed_clients import of_client
from tests.judge.test_beacon import WELL as CONSENSUS
from tests.judge.test_subscription import LIVE as SUBSCRIBED
from tests.judge.test_version import FEED, running

QUORUM = reference_label(NETWORK)
CALLS = (
    MethodSeen("eth_chainId", 20, 1, 1, 20, 0.1, 0.1),
    MethodSeen("eth_getBlockByNumber", 30, 0, 0, 30, 0.2, 0.2),
)
RULES = Fork(0, "0x07c9462e", 1, (14, 21, 11_684_671), frozenset(), frozenset())


def _of_chain(node: str) -> tuple[Observation[object], ...]:
    """Two reorgs of one block, and finality that follows the network's by 5 s."""
    depths = (2, *(0 for _ in DEPTHS))
    tags = Tags(head_at(TIP), head_at(TIP - 32), head_at(TIP - 65))
    wait = Wait(BlockNumber(TIP - 64), NOW - 5)
    behind = FinalitySeen(NOW, tags, BlockNumber(TIP - 64), behind=wait)
    return (
        observed(node, "reorg", ReorgSeen(total=2, blocks_total=2, depths=depths)),
        observed(node, "finality", behind),
    )


def _of_answers(node: str) -> tuple[Observation[object], ...]:
    """Right values and logs, a day of everything, and an upgrade in a month."""
    stamp = head_at(TIP - 1).stamp
    logs = LogsSeen(stamp, LogsSaid(3, "0xab", "0x00"), None, None, None)
    kept = tuple(Kept(resource, TIP - 7_200) for resource in RESOURCES)
    month = 30 * 86_400.0
    ahead = replace(RULES, activation_time=int(NOW + month), fork_id="0xcba2a1c0")
    return (
        observed(node, "state", StateSeen(stamp, ())),
        observed(node, "logs", logs),
        observed(node, "retention", RetentionSeen(TIP, TIP - 65, kept, is_declared=True)),
        observed(node, "upgrade", UpgradeSeen(Config(RULES, ahead), None, month, ())),
    )


def _of_transport(node: str) -> tuple[Observation[object], ...]:
    """A few calls too many, a websocket that lives, and a clock that is half a second ahead."""
    return (
        observed(node, "rpc", RpcSeen(CALLS)),
        observed(node, "subscription", SUBSCRIBED),
        observed(node, "clock", ClockSeen(0.5, 0.25, -3.0)),
    )


def _of_quorum() -> tuple[Observation[object], ...]:
    """What the references together have had of reorgs, call final, and of clocks."""
    once = ReorgSeen(total=1, blocks_total=1, depths=(1, *(0 for _ in DEPTHS)))
    final = FinalitySeen(NOW, Tags(head_at(TIP), None, None), BlockNumber(TIP - 64))
    return (
        observed(QUORUM, "reorg", once),
        observed(QUORUM, "finality", final),
        observed(QUORUM, "profile", IntervalsSeen(tuple(map(head_at, range(TIP - 99, TIP + 1))))),
        observed(QUORUM, "clock", ClockSeen(None, 0.25, -3.0)),
    )


def seen_of(node: str) -> tuple[Observation[object], ...]:
    """One observation of each check."""
    return (
        *_of_chain(node),
        *of_client(node),
        *_of_answers(node),
        *_of_transport(node),
        observed(node, "beacon", CONSENSUS),
        observed(node, "version", seen_of_version(running(8), FEED, NOW)),
    )


def found_of(node: str) -> tuple[Finding, ...]:
    """What is found of it, where the finding's own measure is what is exported, and elsewhere."""
    subject = subject_of(node)
    measured = {"reorg": 1.0, "state": 0.0, "logs": 0.0}
    return tuple(
        finding(one.check, subject, Level.OK, measured=measured.get(one.check))
        for one in seen_of(node)
    )


def surveyed(snapshot: Snapshot, *nodes: str) -> Snapshot:
    """The snapshot of a sidecar that asks these nodes, and the references, more than it must."""
    nodes = nodes or ("local",)
    seen = (*(one for node in nodes for one in seen_of(node)), *_of_quorum())
    found = [one for node in nodes for one in found_of(node)]
    found += [finding(one.check, subject_of(QUORUM), measured=1.0) for one in _of_quorum()]
    return replace(
        snapshot,
        observations=(*snapshot.observations, *seen),
        verdict=verdict_of((*snapshot.verdict.findings, *found), snapshot.at),
    )
