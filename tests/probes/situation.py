"""What the probes beside the required ones are given: an endpoint, references, and a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.model import Observation
from monitor.probes.asked import Asked, Member, Panel
from monitor.rpc.beacon import BeaconNode
from monitor.rpc.node import Node
from monitor.rpc.subscription import Subscription
from tests.judge.builders import NOW, POLICY, TIP, agreeing, round_of, run
from tests.rpc.canned import Clock


def asked_of(
    node: Node,
    *,
    references: Mapping[str, Node] | None = None,
    heads: Sequence[Observation[HeadSeen]] | None = None,
    before: Sequence[Observation[Any]] = (),
    context: Round | None = None,
    clock: Clock | None = None,
    subscription: Subscription | None = None,
    beacon: BeaconNode | None = None,
) -> Asked[Any]:
    """A question about this endpoint, in a round in which all is well unless it says otherwise."""
    members = [Member(one, f"op-{name}", "") for name, one in (references or {}).items()]
    return Asked(
        node=node,
        panel=Panel(members),
        round=round_of(*agreeing()) if context is None else context,
        policy=POLICY,
        heads=run(TIP) if heads is None else heads,
        before=before,
        clock=clock or Clock(NOW),
        subscription=subscription,
        beacon=beacon,
    )
