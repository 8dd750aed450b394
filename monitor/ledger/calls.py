"""Many calls of constant functions, all at one block.

The block is named by its hash (EIP-1898), so that a reorg under way cannot mix two chains. Whether
a node honours the hash is found out by asking it for a hash that no block has: some read an object
as no block at all, and answer of the latest one or with nothing (ethermint issue 460, ethers.js
issue 3690); others refuse it (geth before 1.9.6, ganache issue 745). These are asked by the height,
and must name the pinned hash at it before and after.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec

from monitor.ledger.errors import CouldNotSee
from monitor.ledger.refusals import TRANSIENT, Meaning, meaning_of
from monitor.ledger.remedies import BEHIND, FORKED, unseen
from monitor.model import Address, BlockStamp, Hash32, short
from monitor.rpc import decode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Decoder, Node

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Told (done, total) after every slice."""
Block = str | dict[str, str]
"""A block parameter: `{"blockHash": …}`, or a height in hex."""

NO_BLOCK = Hash32("0x" + "5ca1ab1e" * 8)
"""A hash that no block has."""
_HEX = re.compile(rb'"0x((?:[0-9a-fA-F]{2})*)"')
_IN_TRANSIT = TRANSIENT - {Meaning.NO_BLOCK} | {Meaning.BUDGET}
"""What says nothing of the block that was asked for."""


class Call(NamedTuple):
    """What is asked of which contract."""

    to: Address
    calldata: bytes


class Pace(NamedTuple):
    """How hard a node is asked, and how often again."""

    in_flight: int = 500
    """Calls between which the event loop gets no rest; `Node` makes batches of them."""
    pauses_seconds: tuple[float, ...] = (0.5, 2.0, 8.0)
    """Before each further attempt at what failed for the moment."""
    again: frozenset[Meaning] = TRANSIENT
    """What is worth another attempt."""


PACE = Pace()
FIRST = Pace(pauses_seconds=(0.5,), again=TRANSIENT - {Meaning.TIMEOUT})
"""Of the first call. Who never answered is more likely a wrong address than one in trouble."""


class _Bytes:
    """Reads the `bytes` of execution-apis: an even number of digits after `0x`."""

    def decode(self, raw: msgspec.Raw, /) -> bytes:
        text = bytes(raw)
        found = _HEX.fullmatch(text)
        if found is None:
            message = f"expected hex bytes, got {text[:40].decode(errors='replace')}"
            raise msgspec.ValidationError(message)
        return bytes.fromhex(found[1].decode())


data: Final = _Bytes()


def could_not_see(node: Node, error: RpcError) -> CouldNotSee:
    """The failed call as a reason why nothing can be said; it names the node by its label."""
    return unseen(meaning_of(error).value, f"{node.label}: {error}")


async def ask(
    node: Node, method: str, params: Sequence[object], decoder: Decoder[T], *, pace: Pace = PACE
) -> T:
    """One call, again where it failed for the moment; raises CouldNotSee."""
    (answer,) = await _ask_all(node, method, [params], decoder, pace)
    if isinstance(answer, RpcError):
        raise could_not_see(node, answer) from answer
    return answer


async def header_at(node: Node, number: int, *, pace: Pace = PACE) -> Hash32 | None:
    """The hash that a node has at a height, or None where it has no block; raises CouldNotSee."""
    params = (hex(number), False)
    raw = await ask(node, "eth_getBlockByNumber", params, decode.header, pace=pace)
    return None if raw is None else raw.head().hash


async def call_many(
    node: Node,
    calls: Sequence[Call],
    at: BlockStamp,
    *,
    pace: Pace = PACE,
    progress: Progress | None = None,
) -> list[bytes | None]:
    """What each call returns at the block, in order; None where the contract reverted.

    An address without code answers with no bytes, and so do reverts on geth before 1.9.15: what
    that means is for whoever knows how many bytes there should be. Raises CouldNotSee for whatever
    a node says of itself, with the `Meaning` as its reason, `forked` where the height holds another
    block, and `behind` where it holds none.
    """
    if not calls:
        return []
    block = await block_parameter(node, calls[0], at, pace=pace)
    results: list[bytes | None] = []
    for start in range(0, len(calls), pace.in_flight):
        some = [_params(call, block) for call in calls[start : start + pace.in_flight]]
        answers = await _ask_all(node, "eth_call", some, data, pace)
        results.extend(_result(node, answer) for answer in answers)
        if progress is not None:
            progress(len(results), len(calls))
    if isinstance(block, str):
        await require_hash(node, at, pace=pace)
    return results


async def block_parameter(node: Node, probe: Call, at: BlockStamp, *, pace: Pace = PACE) -> Block:
    """How this node is told which block is meant: by hash, else by a height that holds it.

    Raises CouldNotSee where neither shows the state of the block.
    """
    by_hash: Block = {"blockHash": at.hash}
    asked = [_params(probe, {"blockHash": NO_BLOCK}), _params(probe, by_hash)]
    probing = pace._replace(again=pace.again - {Meaning.NO_BLOCK})
    of_none, of_pinned = await _ask_all(node, "eth_call", asked, data, probing)
    for answer in (of_none, of_pinned):
        if isinstance(answer, RpcError) and meaning_of(answer) in _IN_TRANSIT:
            raise could_not_see(node, answer) from answer
    heeds_hashes = isinstance(of_none, RpcError) and meaning_of(of_none) != Meaning.REVERTED
    if heeds_hashes and _is_of_contract(of_pinned):
        return by_hash
    await require_hash(node, at, pace=pace)
    by_number = hex(at.number)
    (of_number,) = await _ask_all(node, "eth_call", [_params(probe, by_number)], data, pace)
    _result(node, of_number)
    return by_number


async def require_hash(node: Node, at: BlockStamp, *, pace: Pace = PACE) -> None:
    """Make sure that a node has the pinned block at its height; raises CouldNotSee if not."""
    there = await header_at(node, at.number, pace=pace)
    if there is None:
        detail = f"{node.label} has no block {at.number}, which is {short(at.hash)}"
        raise unseen(BEHIND, detail)
    if there != at.hash:
        detail = f"{node.label} has {short(there)} at block {at.number}, not {short(at.hash)}"
        raise unseen(FORKED, detail)


def _params(call: Call, block: Block) -> Sequence[object]:
    return ({"to": call.to, "data": "0x" + call.calldata.hex()}, block)


def _is_of_contract(answer: bytes | RpcError) -> bool:
    return not isinstance(answer, RpcError) or meaning_of(answer) == Meaning.REVERTED


def _result(node: Node, answer: bytes | RpcError) -> bytes | None:
    if not isinstance(answer, RpcError):
        return answer
    if meaning_of(answer) == Meaning.REVERTED:
        return None
    raise could_not_see(node, answer) from answer


async def _ask_all(
    node: Node,
    method: str,
    asked: Sequence[Sequence[object]],
    decoder: Decoder[T],
    pace: Pace,
) -> list[T | RpcError]:
    """The answers or errors, in order."""
    answers: dict[int, T | RpcError] = {}
    left = list(range(len(asked)))
    for pause_seconds in (*pace.pauses_seconds, None):
        came = await asyncio.gather(
            *(node.ask(method, asked[index], decoder) for index in left), return_exceptions=True
        )
        for index, answer in zip(left, came, strict=True):
            if isinstance(answer, BaseException) and not isinstance(answer, RpcError):
                raise answer
            answers[index] = answer
        left = [index for index in left if _is_worth_another(answers[index], pace)]
        if not left or pause_seconds is None:
            break
        await asyncio.sleep(pause_seconds)
    return [answers[index] for index in range(len(asked))]


def _is_worth_another(answer: object, pace: Pace) -> bool:
    return isinstance(answer, RpcError) and meaning_of(answer) in pace.again
