"""Several canned nodes, each with our side of it: the one that is read, and its references."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from monitor.ledger.referees import Referee
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import Canned, Chain, Clock, Json, serving

SECRET = "k3y-of-an-operator"  # noqa: S105 - what must never be shown


class Party(NamedTuple):
    """A node that says what it is told to."""

    canned: Canned
    node: Node

    def of(self, operator: str) -> Referee:
        """The same as one endpoint of an operator."""
        return Referee(operator, self.node)

    def knows_hashes(self) -> None:
        """Let it answer for the hash of any block of its chain."""
        chain = self.canned.chain
        numbers = {chain.hash(number): number for number in range(chain.head + 1)}

        def by_hash(params: list[Json]) -> Json:
            number = numbers.get(params[0])
            return None if number is None else chain.block(number)

        self.canned.answers["eth_getBlockByHash"] = by_hash


@asynccontextmanager
async def parties(*chains: Chain, deadline_seconds: float = 5.0) -> AsyncIterator[list[Party]]:
    """A node for each chain, labelled n0, n1 and so on; their URLs carry a key."""
    canned = [Canned(chain) for chain in chains]
    async with serving(*canned), open_session() as session:
        limits = Limits(deadline_seconds=deadline_seconds)
        nodes = [
            Node(f"n{at}", Url(f"{one.url}/{SECRET}"), session, clock=Clock(0.0), limits=limits)
            for at, one in enumerate(canned)
        ]
        yield [Party(one, node) for one, node in zip(canned, nodes, strict=True)]
        for node in nodes:
            await node.close()
