"""What the probe of a check that is not required is given: whom to ask, and what is known already.

References cost money: a question that several nodes are compared by is put to them once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from monitor.judge.answer import Answer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import CONTESTED_DEPTH, Round, believed_hash
from monitor.judge.seen import HeadSeen
from monitor.model import (
    BlockNumber,
    Hash32,
    Head,
    Observation,
    Reference,
    Unseen,
    subject_of,
)
from monitor.rpc.beacon import BeaconNode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Decoder, Node
from monitor.rpc.subscription import Subscription

S = TypeVar("S")
T = TypeVar("T")
REFERENCE = "reference:"
"""What the subject of a reference begins with."""


@dataclass(frozen=True, slots=True)
class Member:
    """One reference that may be asked."""

    node: Node
    operator: str
    client: str
    """The client's family; empty where unknown."""


class Panel:
    """The references of a network that are admitted in this round and answer in time."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        self._asked: dict[object, asyncio.Task[tuple[Answer[Any], ...]]] = {}

    async def ask(
        self, method: str, params: Sequence[object], decoder: Decoder[T]
    ) -> tuple[Answer[T], ...]:
        """One call, put to every member: once a panel, however many nodes want the answers.

        The parameters are the key, so that they must show what they are. Raises nothing but
        cancellation: an RpcError becomes the answer's `Unseen`.
        """

        async def question(node: Node) -> T:
            return await node.ask(method, params, decoder)

        return await self.each((method, repr(params)), question)

    async def each(
        self, key: object, question: Callable[[Node], Awaitable[T]]
    ) -> tuple[Answer[T], ...]:
        """A question of several calls, put to every member once a panel under this key."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._put(question))
        return await asyncio.shield(task)

    async def _put(self, question: Callable[[Node], Awaitable[T]]) -> tuple[Answer[T], ...]:
        # A group, so that where one crashes none goes on unheard.
        async with asyncio.TaskGroup() as group:
            put = [group.create_task(_answer(member, question)) for member in self.members]
        return tuple(task.result() for task in put)

    @property
    def tasks(self) -> tuple[asyncio.Task[tuple[Answer[Any], ...]], ...]:
        """The questions that were put, for whoever ends them: they outlive those who asked."""
        return tuple(self._asked.values())

    @property
    def is_asking(self) -> bool:
        """Whether somebody has not answered yet."""
        return not all(task.done() for task in self._asked.values())


async def _answer(member: Member, question: Callable[[Node], Awaitable[T]]) -> Answer[T]:
    seen: T | Unseen
    try:
        seen = await question(member.node)
    except RpcError as error:
        seen = error.unseen()
    return Answer(member.node.label, member.operator, member.client, seen)


@dataclass(frozen=True, slots=True)
class Pin:
    """One block, by the hash that a majority of the references believes."""

    number: BlockNumber
    hash: Hash32

    @property
    def parameter(self) -> dict[str, object]:
        """The block parameter of a call that this block answers, or nobody (EIP-1898)."""
        return {"blockHash": self.hash, "requireCanonical": True}


@dataclass(frozen=True, slots=True)
class Asked(Generic[S]):
    """One question, about to be asked of one endpoint.

    Of the quorum the endpoint is a reference that voted for the head, and `heads` the trail of
    elected heads.
    """

    node: Node
    panel: Panel
    round: Round
    policy: Policy
    heads: Sequence[Observation[HeadSeen]]
    """What was seen of its head, oldest first; the newest is of this round."""
    before: Sequence[Observation[S]]
    """What this probe wrote down earlier, oldest first, bounded."""
    clock: Callable[[], float]
    subscription: Subscription | None = None
    beacon: BeaconNode | None = None

    @property
    def is_quorum(self) -> bool:
        """Whether it is asked for the references together."""
        return subject_of(self.node.label).startswith(REFERENCE)

    @property
    def head(self) -> Head | None:
        """Its head in this round; None where it was not seen."""
        newest = self.heads[-1].seen if self.heads else None
        return newest.head if isinstance(newest, HeadSeen) else None

    @property
    def last(self) -> S | None:
        """What was seen last, however long ago; None where nothing was."""
        for observation in reversed(self.before):
            if not isinstance(observation.seen, Unseen):
                return observation.seen
        return None

    @property
    def pinned(self) -> Pin | None:
        """The block at which answers are compared: one that all have had time to import.

        It lies where the tip is not contested any more, at or below the node's head and the
        elected one, and has the hash that the references believe. None without a quorum, and where
        no such hash is known: a node far behind has nothing to be compared by.
        """
        reference, head = self.round.reference, self.head
        if not isinstance(reference, Reference) or head is None:
            return None
        number = max(0, min(head.number, reference.head.number) - CONTESTED_DEPTH)
        believed = believed_hash(self.round, number)
        return None if believed is None else Pin(BlockNumber(number), believed)

    def with_history(self, before: Sequence[Observation[Any]]) -> Asked[Any]:
        """The same, for the probe that wrote this down."""
        return replace(self, before=tuple(before))
