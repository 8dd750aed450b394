"""identity: which chain does this endpoint serve, and with which program?"""

from __future__ import annotations

import asyncio

from monitor.judge.seen import IdentitySeen
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer, is_throttled
from monitor.rpc.node import Node


async def probe(node: Node) -> IdentitySeen:
    """`eth_chainId` (EIP-695), block 0 and `web3_clientVersion`, in one batch.

    Raises RpcError. A node that refuses to say its version, as a geth does that serves `eth_`
    alone, is on a chain all the same: its version is empty.
    """
    chain_id, genesis, version = await asyncio.gather(
        node.ask("eth_chainId", (), decode.quantity),
        node.ask("eth_getBlockByNumber", ("0x0", False), decode.header),
        node.ask("web3_clientVersion", (), decode.text, is_answer=_is_nameless),
        return_exceptions=True,
    )
    if isinstance(chain_id, BaseException):
        raise chain_id
    if isinstance(genesis, BaseException):
        raise genesis
    if genesis is None:
        message = "eth_getBlockByNumber: it has no block 0"
        raise MalformedAnswer(message)
    if isinstance(version, CallRejected) and _is_nameless(version):
        version = ""
    if isinstance(version, BaseException):
        raise version
    return IdentitySeen(
        chain_id=int(chain_id, 16),
        genesis_hash=genesis.head().hash,
        client_version=node.url.scrub(version),
    )


def _is_nameless(error: CallRejected) -> bool:
    """Whether the node does not say its version at all, and not only because it is asked much."""
    return not is_throttled(error)
