"""identity: which chain does this endpoint serve, and with which program?"""

from __future__ import annotations

import asyncio

from monitor.judge.seen import IdentitySeen
from monitor.rpc import decode
from monitor.rpc.errors import MalformedAnswer
from monitor.rpc.node import Node


async def probe(node: Node) -> IdentitySeen:
    """`eth_chainId` (EIP-695), block 0 and `web3_clientVersion`, in one batch.

    Raises RpcError.
    """
    chain_id, genesis, version = await asyncio.gather(
        node.ask("eth_chainId", (), decode.quantity),
        node.ask("eth_getBlockByNumber", ("0x0", False), decode.header),
        node.ask("web3_clientVersion", (), decode.text),
    )
    if genesis is None:
        message = "eth_getBlockByNumber: it has no block 0"
        raise MalformedAnswer(message)
    return IdentitySeen(
        chain_id=int(chain_id, 16),
        genesis_hash=genesis.head().hash,
        client_version=node.url.scrub(version),
    )
