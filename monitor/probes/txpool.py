"""txpool: how many transactions wait at the node, and whether blocks carry any."""

from __future__ import annotations

import asyncio

from monitor.judge.txpool import METHOD, MinedBlock, TxpoolSeen
from monitor.probes.asked import Asked, Pin
from monitor.rpc import dialects
from monitor.rpc.dialects import RawPool, number
from monitor.rpc.errors import CallRejected, MethodAbsent, RpcError

BESU_METHOD = "txpool_besuStatistics"
COUNT_METHOD = "eth_getBlockTransactionCountByHash"


async def probe(asked: Asked[TxpoolSeen]) -> TxpoolSeen:
    """`txpool_status`, or besu's own statistics; and the transactions of the pinned block.

    Raises RpcError where the pool was not seen. A block that was not seen is none.
    """
    pool, block = await asyncio.gather(_pool(asked), _mined(asked, asked.pinned))
    return TxpoolSeen(*pool, block)


async def _pool(asked: Asked[TxpoolSeen]) -> tuple[int, int | None]:
    try:
        said: RawPool = await asked.node.ask(METHOD, (), dialects.pool, is_answer=_is_refusal)
    except MethodAbsent:
        besu = await asked.node.ask(BESU_METHOD, (), dialects.besu_pool, is_answer=_is_refusal)
        return number(besu.local_count) + number(besu.remote_count), None
    return number(said.pending), number(said.queued)


async def _mined(asked: Asked[TxpoolSeen], pin: Pin | None) -> MinedBlock | None:
    """The pinned block, as the node has it; null is of a block that it does not have."""
    if pin is None:
        return None
    try:
        count = await asked.node.ask(
            COUNT_METHOD, (pin.hash,), dialects.optional_count, is_answer=_is_refusal
        )
    except RpcError:
        return None
    return None if count is None else MinedBlock(pin.number, number(count))


def _is_refusal(error: CallRejected) -> bool:
    """A node may keep its pool to itself, or not have the block: no call has failed by that."""
    del error
    return True
