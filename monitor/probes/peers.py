"""peers: whom the node is connected with."""

from __future__ import annotations

import asyncio

from monitor.judge.peers import METHOD, Peer, PeersSeen, family_of
from monitor.model import Reference, Unseen
from monitor.probes.asked import Asked
from monitor.rpc import dialects
from monitor.rpc.dialects import RawPeer, RawPeerEth, number
from monitor.rpc.errors import CallRejected, RpcError

LIST_METHOD = "admin_peers"


async def probe(asked: Asked[PeersSeen]) -> PeersSeen:
    """`net_peerCount` (execution-apis), and `admin_peers` (go-ethereum) where it is served.

    Raises RpcError where they could not be counted. A node that keeps them to itself, as most do
    that serve strangers, is counted all the same.
    """
    count, listed = await asyncio.gather(
        asked.node.ask(METHOD, (), dialects.count),
        asked.node.ask(LIST_METHOD, (), dialects.peers, is_answer=lambda _: True),
        return_exceptions=True,
    )
    if isinstance(count, BaseException):
        raise count
    reference = asked.round.reference
    return PeersSeen(
        count=number(count),
        listed=_listed(listed),
        reference=reference.lag_head.number if isinstance(reference, Reference) else None,
    )


def _listed(answer: list[RawPeer] | BaseException) -> tuple[Peer, ...] | Unseen | None:
    if isinstance(answer, CallRejected):
        return None
    if isinstance(answer, RpcError):
        return answer.unseen()
    if isinstance(answer, BaseException):
        raise answer
    return tuple(_peer(row) for row in answer)


def _peer(row: RawPeer) -> Peer:
    eth = row.protocols.eth if row.protocols is not None else None
    height = eth.latest_block if isinstance(eth, RawPeerEth) else None
    return Peer(
        client=family_of(row.name or row.client_id or ""),
        is_inbound=row.network.inbound if row.network is not None else None,
        number=None if height is None else number(height),
    )
