"""Two nodes that say what they are told to say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from monitor.canary.asking import Pair, opened
from monitor.rpc.node import Limits
from monitor.url import Url
from tests.rpc.canned import Canned, Chain, Clock, nothing_unheard, serving

NOW = 1_700_000_000.0
DEADLINE_SECONDS = 5.0
PAYMENT = {"hash": "0x" + "b" * 64, "from": "0x" + "1" * 40, "to": "0x" + "2" * 40, "input": "0x"}


def chain_of(head: int, *, parts_after: int | None = None) -> Chain:
    """A chain; above a height one of its own."""
    return Chain(head, parts_after=parts_after, salt="own")


def serves_blocks(node: Canned) -> None:
    """Let a node have a payment in every block, and answer by number as the chain has it."""

    def block(params: list[Any]) -> Any:
        which = node.chain.head if params[0] == "latest" else int(params[0], 16)
        found = node.chain.block(which)
        if found is None:
            return None
        return found | {"transactions": [PAYMENT] if params[1] else [PAYMENT["hash"]]}

    node.answers["eth_getBlockByNumber"] = block


@asynccontextmanager
async def staged(baseline: Canned, candidate: Canned, **references: Canned) -> AsyncIterator[Pair]:
    """These nodes, listening and connected; nothing fails unheard."""
    with nothing_unheard():
        async with (
            serving(baseline, candidate, *references.values()),
            opened(
                Url(baseline.url),
                Url(candidate.url),
                {name: Url(one.url) for name, one in references.items()},
                limits=Limits(deadline_seconds=DEADLINE_SECONDS, batch_calls_max=20),
                clock=Clock(NOW),
            ) as pair,
        ):
            yield pair
