"""One node or reference, and what it said lately: the memory between two rounds, all bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from monitor.judge.quorum import client_family
from monitor.judge.seen import Ancestor, ForkSeen, HeadSeen, IdentitySeen
from monitor.model import Hash32, Head, NodeFacts, Observation, Unseen
from monitor.rpc.beacon import BeaconNode
from monitor.rpc.node import Node
from monitor.rpc.subscription import Subscription
from monitor.url import Url

S = TypeVar("S")
HEADS_COUNT_MAX = 40
"""Sixteen linked headers, each seen twice, and room for a few that were not."""
NEWEST_COUNT = 2
KNOWN_COUNT_MAX = 64
DEEP_BLOCKS = 8
"""A reference's block this far below its head is not asked twice within `DEEP_SECONDS`."""
DEEP_SECONDS = 600.0


@dataclass(slots=True)
class Endpoint:
    """One node or reference, with what it said lately. Histories are oldest first and bounded."""

    node: Node
    operator: str = ""
    configured_client: str = ""
    version: str = ""
    """The client version as last reported; empty while unknown."""
    websocket: Url | None = None
    subscription: Subscription | None = None
    beacon: BeaconNode | None = None
    """Its consensus client, where one is configured."""
    heads: list[Observation[HeadSeen]] = field(default_factory=list)
    identities: list[Observation[IdentitySeen]] = field(default_factory=list)
    forks: list[Observation[ForkSeen]] = field(default_factory=list)
    surveys: dict[str, list[Observation[Any]]] = field(default_factory=dict)
    """By probe: what the checks beside the required ones wrote down."""
    known: dict[Hash32, Head] = field(default_factory=dict)
    """Blocks it named by number, to be confirmed by links before they count again."""
    deep: dict[int, tuple[Head, float, bool]] = field(default_factory=dict)
    """Of a reference: blocks it named by number, the time of the answer, and whether the block was
    deep at that time: one that was not may have been replaced before it was."""
    ancestor: tuple[Ancestor, float] | None = None
    """Of a node: where its chain parts from the references', and when that was found."""
    due_at: float = 0.0
    identity_due_at: float = 0.0
    calls_before: int = 0
    """Its calls when this round began."""
    calls_made: int = 0
    """Those of rounds since it was last due; what optional checks ask between them is not."""

    asking: asyncio.Task[None] | None = None
    """The question under way beside the rounds, while it hangs."""

    @property
    def is_hanging(self) -> bool:
        """Whether its last answer did not come in time."""
        newest = self.heads[-1].seen if self.heads else None
        return isinstance(newest, Unseen) and newest.reason == "timeout"

    @property
    def newest_head(self) -> Head | None:
        """The head of its newest answer; None while that is Unseen."""
        return _head(self.heads[-1]) if self.heads else None

    @property
    def newest(self) -> tuple[Observation[Any], ...]:
        """What each probe wrote down last."""
        histories: Sequence[Sequence[Observation[Any]]]
        histories = (self.heads, self.identities, self.forks, *self.surveys.values())
        return tuple(one for history in histories for one in history[-1:])

    async def close(self) -> None:
        """End what is under way."""
        await self.node.close()
        if self.asking is not None:
            self.asking.cancel()
            await asyncio.gather(self.asking, return_exceptions=True)

    @property
    def label(self) -> str:
        return self.node.label

    @property
    def name(self) -> str:
        """The name in the configuration: the last part of the label."""
        return self.label.rsplit("/", 1)[-1]

    @property
    def client(self) -> str:
        """The client's family: as configured, else as its version says."""
        return self.configured_client or client_family(self.version)

    def history(self, asks: str) -> Sequence[Observation[Any]]:
        """What a probe wrote down here."""
        histories: Mapping[str, Sequence[Observation[Any]]] = {
            "head": self.heads,
            "identity": self.identities,
            "fork": self.forks,
        }
        return histories[asks] if asks in histories else self.surveys.get(asks, ())

    def remember_head(self, observation: Observation[HeadSeen]) -> None:
        """Append; of three equal heads in a row the middle one says nothing and is dropped.

        What it named as deep while its head was far above is not deep once that is taken back, and
        nothing is deep where a head leaves the one before: how far down, nobody has asked yet.
        """
        before = next((head for head in map(_head, reversed(self.heads)) if head is not None), None)
        after = _head(observation)
        if before is not None and after is not None:
            is_lower = before.number - after.number >= DEEP_BLOCKS
            if is_lower or _leaves(self.heads, after):
                self.deep.clear()
        if _repeats(self.heads, observation):
            self.heads.pop()
        append(self.heads, observation, HEADS_COUNT_MAX)

    def remember_blocks(self, blocks: Sequence[Head], at: float) -> None:
        """Keep what a reference named by number, bounded, the oldest answers first to go."""
        newest = self.newest_head
        for block in blocks:
            is_deep = newest is not None and newest.number - block.number >= DEEP_BLOCKS
            self.deep.pop(block.number, None)
            self.deep[block.number] = (block, at, is_deep)
        self.remember_known(blocks)
        while len(self.deep) > KNOWN_COUNT_MAX:
            del self.deep[next(iter(self.deep))]

    def remember_known(self, blocks: Iterable[Head]) -> None:
        """Keep blocks it named by number, bounded, the oldest first to go."""
        self.known.update((block.hash, block) for block in blocks)
        while len(self.known) > KNOWN_COUNT_MAX:
            del self.known[next(iter(self.known))]

    def vouched(self, began: float) -> list[Head]:
        """The blocks named by number that still count: of this round, or deep and recent."""
        if self.newest_head is None:
            return []
        return [
            block
            for block, at, is_deep in self.deep.values()
            if at >= began or (is_deep and began - at < DEEP_SECONDS)
        ]

    def facts(self, network: str) -> NodeFacts:
        """What the pages say of it."""
        budget = self.node.budget
        return NodeFacts(
            name=self.name,
            network=network,
            kind="node" if budget is None else "reference",
            url=str(self.node.url),
            client=self.version or self.configured_client,
            operator=self.operator,
            calls_total=self.node.calls_total,
            calls_today=0 if budget is None else budget.spent,
            calls_a_day=None if budget is None else budget.calls_a_day,
            errors_total=dict(self.node.errors_total),
            subscription="off" if self.subscription is None else self.subscription.state,
        )


def _head(observation: Observation[HeadSeen]) -> Head | None:
    return observation.seen.head if isinstance(observation.seen, HeadSeen) else None


def _leaves(history: Sequence[Observation[HeadSeen]], new: Head) -> bool:
    """Whether the newest of the earlier heads at its height, or right below it, is not its own."""
    for head in map(_head, reversed(history)):
        if head is not None and head.number == new.number:
            return head.hash != new.hash
        if head is not None and head.number == new.number - 1:
            return head.hash != new.parent_hash
    return False


def _repeats(history: Sequence[Observation[HeadSeen]], new: Observation[HeadSeen]) -> bool:
    return len(history) > 1 and _head(history[-2]) == _head(history[-1]) == _head(new)


def shortened(trail: tuple[Observation[HeadSeen], ...]) -> tuple[Observation[HeadSeen], ...]:
    """The trail without the middle of three equal elections, bounded."""
    if _repeats(trail[:-1], trail[-1]):
        trail = (*trail[:-2], trail[-1])
    return trail[-HEADS_COUNT_MAX:]


def append(history: list[Observation[S]], observation: Observation[S], limit: int) -> None:
    """Append to a history of at most `limit` observations."""
    history.append(observation)
    if len(history) > limit:
        del history[0]
