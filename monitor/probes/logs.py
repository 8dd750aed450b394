"""logs: the logs and the receipts of one block, in the node's words and in the references'.

References are asked for the header alone, which is one call each, unless the node's answers do not
prove themselves under it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from monitor.judge.logs import LOGS_METHOD, RECEIPTS_METHOD, LogsSeen, ReceiptsSaid
from monitor.judge.quorum import believed_hash
from monitor.model import BlockNumber, BlockStamp
from monitor.probes.asked import Asked, Pin
from monitor.probes.receipts import LOGS, RECEIPTS
from monitor.probes.roots import believed_roots
from monitor.rpc.errors import MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node


async def probe(asked: Asked[LogsSeen]) -> LogsSeen:
    """What happened in the pinned block. Raises RpcError.

    Where that block is empty, and with it says nothing of what was wrong before, the last one that
    was not is asked for again, as long as it is believed.
    """
    if asked.pinned is None:
        message = "no block to compare at"
        raise MalformedAnswer(message)
    seen = await _seen(asked, asked.pinned)
    earlier = _earlier(asked)
    if earlier is not None and not seen.logs.count and not (seen.receipts and seen.receipts.count):
        seen = await _seen(asked, earlier)
    return seen


def _earlier(asked: Asked[LogsSeen]) -> Pin | None:
    """The block that was looked at last, if it was wrong and is believed."""
    last = asked.last
    if last is None or last.has_right_logs:
        return None
    stamp = last.stamp
    is_believed = believed_hash(asked.round, stamp.number) == stamp.hash
    return Pin(stamp.number, stamp.hash) if is_believed else None


async def _seen(asked: Asked[LogsSeen], pin: Pin) -> LogsSeen:
    roots, logs, receipts = await asyncio.gather(
        believed_roots(asked, pin),
        asked.node.ask(LOGS_METHOD, ({"blockHash": pin.hash},), LOGS),
        _receipts(asked.node, pin),
    )
    stamp = roots.stamp if roots is not None else BlockStamp(BlockNumber(pin.number), pin.hash, 0)
    seen = LogsSeen(
        stamp=stamp,
        logs=logs,
        receipts=receipts,
        receipts_root=None if roots is None else roots.receipts_root,
        logs_bloom=None if roots is None else roots.logs_bloom,
    )
    if not seen.has_right_logs:
        answers = await asked.panel.ask(LOGS_METHOD, ({"blockHash": pin.hash},), LOGS)
        seen = replace(seen, log_answers=answers)
    if receipts is not None and not seen.has_right_receipts:
        told = await asked.panel.ask(RECEIPTS_METHOD, (pin.hash,), RECEIPTS)
        seen = replace(seen, receipt_answers=told)
    return seen


async def _receipts(node: Node, pin: Pin) -> ReceiptsSaid | None:
    try:
        return await node.ask(RECEIPTS_METHOD, (pin.hash,), RECEIPTS)
    except MethodAbsent:
        return None
