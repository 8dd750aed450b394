"""What the probes beside the required ones are given: an endpoint, references, and a round."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

from monitor.judge.profiles import Policy
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
    references: Sequence[Node] = (),
    heads: Sequence[Observation[HeadSeen]] | None = None,
    before: Sequence[Observation[Any]] = (),
    context: Round | None = None,
    rules: Policy = POLICY,
    clock: Clock | None = None,
    subscription: Subscription | None = None,
    beacon: BeaconNode | None = None,
) -> Asked[Any]:
    """A question about this endpoint, in a round in which all is well unless it says otherwise.

    The references are of operators `op-a`, `op-b` and on.
    """
    members = [
        Member(one, f"op-{name}", "")
        for one, name in zip(references, ascii_lowercase, strict=False)
    ]
    return Asked(
        node=node,
        panel=Panel(members),
        round=round_of(*agreeing()) if context is None else context,
        policy=rules,
        heads=run(TIP) if heads is None else heads,
        before=before,
        clock=clock or Clock(NOW),
        subscription=subscription,
        beacon=beacon,
    )


async def failure_of(asked: Any) -> BaseException:
    """What a question ends with; one that ends well is a failure of its own."""
    ended: object = (await asyncio.gather(asked, return_exceptions=True))[0]
    assert isinstance(ended, BaseException), ended
    return ended
