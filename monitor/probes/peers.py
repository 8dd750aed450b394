"""peers: whom the node is connected with."""

from __future__ import annotations

from monitor.judge.peers import METHOD, PeersSeen
from monitor.probes.asked import Asked
from monitor.rpc import decode


async def probe(asked: Asked[PeersSeen]) -> PeersSeen:
    """`net_peerCount` (execution-apis). Raises RpcError."""
    count = await asked.node.ask(METHOD, (), decode.quantity)
    return PeersSeen(int(count, 16))
