"""finality: the endpoint's `latest`, `safe` and `finalized` blocks, named at one moment.

Of the references together nothing is asked: every round knows what they call final.
"""

from __future__ import annotations

import asyncio

from monitor.judge.finality import final_number
from monitor.judge.seen import HeadSeen
from monitor.judge.tags import FinalitySeen, Tags, compared, held_against
from monitor.model import BlockNumber, Head
from monitor.probes.asked import Asked
from monitor.probes.head import METHOD, is_no_such_tag
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer, MethodAbsent, RpcError
from monitor.rpc.node import Node


async def probe(asked: Asked[FinalitySeen]) -> FinalitySeen:
    """The tags, against what was said before and what the references say.

    Raises RpcError; MethodAbsent where neither the endpoint nor the references know such tags, as
    before the merge. An endpoint that lost its tags while the references have theirs is one that
    lost its consensus client.
    """
    if asked.is_quorum:
        return _of_references(asked)
    tags = await _tags(asked.node)
    theirs = final_number(asked.round, None)
    if tags.finalized is None and tags.safe is None and theirs is None:
        message = f"{METHOD}: it has neither a safe nor a finalized block"
        raise MethodAbsent(message, 0)
    newest = asked.heads[-1].seen if asked.heads else None
    known = newest.final if isinstance(newest, HeadSeen) else None
    seen = FinalitySeen(
        asked.clock(),
        tags,
        None if theirs is None else BlockNumber(theirs),
        # The round has asked the references for what it then called final, a moment ago.
        compared((tags.finalized, known), asked.round),
    )
    return held_against(asked.last, seen, asked.round)


def _of_references(asked: Asked[FinalitySeen]) -> FinalitySeen:
    head = asked.head
    if head is None:
        message = "the references have no head"
        raise MalformedAnswer(message)
    theirs = final_number(asked.round, None)
    if theirs is None and final_number(asked.round, head) is not None:
        message = f"{METHOD}: the references have no finalized block"
        raise MethodAbsent(message, 0)
    tags = Tags(head, None, None)
    return FinalitySeen(asked.clock(), tags, None if theirs is None else BlockNumber(theirs))


async def _tags(node: Node) -> Tags:
    """In one batch, the lowest first: what is answered later has only moved up since."""
    finalized, safe, latest = await asyncio.gather(
        *(
            node.ask(METHOD, (tag, False), decode.header, is_answer=is_no_such_tag)
            for tag in ("finalized", "safe")
        ),
        node.ask(METHOD, ("latest", False), decode.header),
        return_exceptions=True,
    )
    if isinstance(latest, BaseException):
        raise latest
    if latest is None:
        message = f"{METHOD}: it has no latest block"
        raise MalformedAnswer(message)
    final = _named(finalized)
    if isinstance(final, RpcError):
        raise final
    also = _named(safe)
    return Tags(latest.head(), also.unseen() if isinstance(also, RpcError) else also, final)


def _named(answer: decode.RawHeader | BaseException | None) -> Head | RpcError | None:
    """The block of a tag, None where there is no such tag, or why it was not seen."""
    if isinstance(answer, CallRejected) and is_no_such_tag(answer):
        return None
    if isinstance(answer, RpcError):
        return answer
    if isinstance(answer, BaseException):
        raise answer
    return None if answer is None else answer.head()
