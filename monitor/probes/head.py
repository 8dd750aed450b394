"""head: the endpoint's `latest` and `finalized` blocks. The stall check reads the same answer."""

from __future__ import annotations

import asyncio

from monitor.judge.seen import HeadSeen
from monitor.model import Head, Unseen
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer, RpcError
from monitor.rpc.node import Node

CALLS = 2
METHOD = "eth_getBlockByNumber"
NO_TAG_CODES = frozenset({-39001, -32602, -32601})
NO_TAG_TEXTS = ("block not found", "unknown block", "finalized is not available")


async def probe(node: Node) -> HeadSeen:
    """`latest` and `finalized`, in one batch.

    Raises RpcError when `latest` was not seen. A node that has no such tag as `finalized` (every
    client before the merge) says so with null or an error of its own; one that fails to answer
    that call alone is written down as `Unseen` there, and its head still counts.
    """
    latest, finalized = await asyncio.gather(
        node.ask(METHOD, ("latest", False), decode.header),
        node.ask(METHOD, ("finalized", False), decode.header, is_answer=is_no_such_tag),
        return_exceptions=True,
    )
    if isinstance(latest, BaseException):
        raise latest
    if latest is None:
        message = f"{METHOD}: it has no latest block"
        raise MalformedAnswer(message)
    return HeadSeen(latest.head(), _finalized(finalized))


def _finalized(answer: decode.RawHeader | BaseException | None) -> Head | Unseen | None:
    if isinstance(answer, CallRejected) and is_no_such_tag(answer):
        return None
    if isinstance(answer, RpcError):
        return answer.unseen()
    if isinstance(answer, BaseException):
        raise answer
    return None if answer is None else answer.head()


def is_no_such_tag(error: CallRejected) -> bool:
    """Whether the error says that there is no finalized block, and not that it was not read.

    -39001: the Engine API's "unknown block" (besu, reth). -32602: invalid params, as geth 1.8 and
    Parity say of a tag they never heard of. The texts: geth "finalized block not found", erigon
    "unknown block".
    """
    text = str(error).lower()
    return error.code in NO_TAG_CODES or any(part in text for part in NO_TAG_TEXTS)
