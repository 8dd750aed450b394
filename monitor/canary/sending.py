"""A signed transaction, sent through the candidate and looked for everywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from monitor.canary.asking import WHOLE, Pair
from monitor.canary.comparison import NOT_ASKED, Comparison, Line
from monitor.model import Hash32
from monitor.rpc.errors import CallRejected, RpcError
from monitor.rpc.node import Node

CHECK = "transaction"
LOOK_SECONDS = 0.5
NULL = b"null"
_text: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)


async def transaction(
    pair: Pair,
    raw: bytes | None,
    hash_: Hash32 | None,
    *,
    deadline_seconds: float,
    clock: Callable[[], float],
) -> Comparison:
    """Send it through the candidate; the baseline or a reference must see it in time.

    In a pool or in a block. The hash is ours and not the candidate's word for it.
    """
    if raw is None or hash_ is None:
        said = "not asked for: --transaction FILE names a signed one to send through the candidate"
        return Comparison(CHECK, "skipped", NOT_ASKED, said)
    others = (pair.baseline, *pair.references)
    known = _knowing(others, await _asked(others, hash_))
    if known:
        said = f"{known[0]} had it before it was sent: that it arrives there proves nothing"
        return Comparison(CHECK, "unknown", "known_already", said, asked=1)
    began = clock()
    try:
        await pair.candidate.ask("eth_sendRawTransaction", ("0x" + raw.hex(),), _text)
    except CallRejected as error:
        said = f"the candidate refused it: {error}"
        return Comparison(CHECK, "fail", "refused", said, asked=1)
    except RpcError as error:
        said = f"nobody knows whether the candidate has it: {error}"
        return Comparison(CHECK, "unknown", "unseen", said, asked=1)
    while True:
        answers = await _asked(others, hash_)
        known, passed = _knowing(others, answers), clock() - began
        if known:
            lines = (Line(f"{hash_}, seen after", f"{passed:.1f} s by {known[0]}", "sent"),)
            said = f"sent through the candidate, and seen by {known[0]} after {passed:.1f} s"
            return Comparison(CHECK, "pass", "arrived", said, lines, 1)
        if passed >= deadline_seconds and all(one is None for one in answers):
            said = "it was sent, and nobody could be asked whether it has arrived"
            return Comparison(CHECK, "unknown", "nobody_asked", said, asked=1)
        if passed >= deadline_seconds:
            names = ", ".join(node.label for node in others)
            said = f"sent through the candidate, and after {passed:.0f} s known to none of: {names}"
            lines = (Line(str(hash_), "unknown", "sent"),)
            return Comparison(CHECK, "fail", "not_arrived", said, lines, 1)
        await asyncio.sleep(LOOK_SECONDS)


async def _asked(nodes: tuple[Node, ...], hash_: Hash32) -> list[bool | None]:
    """Whether each knows it; None where it did not answer."""
    return await asyncio.gather(*(_knows(node, hash_) for node in nodes))


def _knowing(nodes: tuple[Node, ...], answers: list[bool | None]) -> list[str]:
    return [node.label for node, knows in zip(nodes, answers, strict=True) if knows]


async def _knows(node: Node, hash_: Hash32) -> bool | None:
    try:
        said = await node.ask("eth_getTransactionByHash", (hash_,), WHOLE)
    except RpcError:
        return None
    return said != NULL
