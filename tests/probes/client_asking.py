"""Questions put to canned nodes, as the survey of a network puts them to real ones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.model import Observation
from monitor.probes.asked import Asked, Member, Panel
from monitor.rpc.node import Node
from tests.judge.builders import NOW, POLICY, agreeing, round_of, run
from tests.rpc.canned import Clock


def asked_of(
    node: Node,
    *,
    context: Round | None = None,
    head: int = 1000,
    before: Sequence[Observation[Any]] = (),
    references: Sequence[Node] = (),
    rules: Policy = POLICY,
) -> Asked[Any]:
    """A question about a node whose head is at this height; each reference has its operator."""
    heads: list[Observation[HeadSeen]] = run(head)
    return Asked(
        node=node,
        panel=Panel(tuple(Member(one, f"op-{n}", "") for n, one in enumerate(references))),
        round=round_of(*agreeing()) if context is None else context,
        policy=rules,
        heads=heads,
        before=before,
        clock=Clock(NOW),
    )


async def failure_of(asked: Any) -> BaseException:
    """What a question ends with; one that ends well is a failure of its own."""
    ended: object = (await asyncio.gather(asked, return_exceptions=True))[0]
    assert isinstance(ended, BaseException), ended
    return ended
