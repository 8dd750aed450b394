"""Two nodes, asked the same at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import msgspec

from monitor.canary.comparison import Comparison, Line
from monitor.canary.differences import Answer
from monitor.canary.questions import Question
from monitor.rpc.errors import CallRejected, MethodAbsent, RpcError
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session

LIMITS = Limits(deadline_seconds=20.0, body_bytes_max=64 * 2**20, batch_calls_max=20)
"""Traces and proofs are large and slow; a batch of many of them would miss any deadline."""
SAID_MAX = 300


@dataclass(frozen=True, slots=True)
class Pair:
    """The node in service, the one that is to replace it, and whom else to believe."""

    baseline: Node
    candidate: Node
    references: tuple[Node, ...] = ()

    @property
    def all(self) -> tuple[Node, ...]:
        return (self.baseline, self.candidate, *self.references)

    def masked(self, text: str) -> str:
        """A text on one line, without anything of the nodes' URLs; whole, whatever its length."""
        whole = len(text)
        for node in self.all:
            text = node.url.scrub(text, whole)
        return text


class Whole:
    """A decoder that leaves the JSON of a result as it came: most answers need no more."""

    def decode(self, raw: msgspec.Raw, /) -> bytes:
        return bytes(raw)


WHOLE = Whole()


@asynccontextmanager
async def opened(
    baseline: Url,
    candidate: Url,
    references: Mapping[str, Url],
    *,
    limits: Limits = LIMITS,
    clock: Callable[[], float] = time.time,
) -> AsyncIterator[Pair]:
    """The nodes, under the labels `baseline`, `candidate`, and the references' names."""
    async with open_session() as session:

        def node(label: str, url: Url) -> Node:
            return Node(label, url, session, clock=clock, limits=limits)

        pair = Pair(
            node("baseline", baseline),
            node("candidate", candidate),
            tuple(node(name, url) for name, url in references.items()),
        )
        try:
            yield pair
        finally:
            await asyncio.gather(*(one.close() for one in pair.all))


async def answers(
    node: Node, questions: Sequence[Question], *, is_alone: bool = False
) -> list[Answer]:
    """What one node says to each, in their order; whatever fails is an answer too.

    Alone each travels in a request of its own, and a call that hangs takes no other with it.
    """
    futures = []
    for one in questions:
        if is_alone:
            node.sample(one.method)
        futures.append(node.ask(one.method, one.params, WHOLE))
    said = await asyncio.gather(*futures, return_exceptions=True)
    return [answer_of(one) for one in said]


def answer_of(said: bytes | BaseException) -> Answer:
    """What a call came to, its failure too; raises what is no failure of a call."""
    if isinstance(said, bytes):
        return Answer(result=said)
    if isinstance(said, CallRejected):
        return Answer(code=said.code, is_absent=isinstance(said, MethodAbsent))
    if isinstance(said, RpcError):
        return Answer(unseen=said.reason)
    raise said


async def both(
    pair: Pair, questions: Sequence[Question], *, is_alone: bool = False
) -> list[tuple[Answer, Answer]]:
    """(baseline's, candidate's) answers, in the order of the questions."""
    mine, theirs = await asyncio.gather(
        *(answers(node, questions, is_alone=is_alone) for node in (pair.baseline, pair.candidate))
    )
    return list(zip(mine, theirs, strict=True))


def scrubbed(pair: Pair, comparison: Comparison) -> Comparison:
    """Without anything of the nodes' URLs, whatever a node may have echoed."""

    def clean(text: str) -> str:
        # Cut only at the end: half of one node's key, cut by another's turn, is masked by nobody.
        text = pair.masked(text)
        return text if len(text) <= SAID_MAX else text[: SAID_MAX - 1] + "…"

    lines = tuple(
        Line(clean(one.what), clean(one.baseline), clean(one.candidate)) for one in comparison.lines
    )
    return replace(comparison, summary=clean(comparison.summary), lines=lines)
