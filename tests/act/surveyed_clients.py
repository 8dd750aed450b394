"""What the checks of the client wrote down of one node, with everything that they can tell."""

from __future__ import annotations

from monitor.judge.bad_blocks import BadBlocksSeen
from monitor.judge.peers import Peer, PeersSeen
from monitor.judge.sync import Pace, SyncingSeen
from monitor.judge.txpool import TxpoolSeen
from monitor.model import Observation
from tests.act.snapshots import TIP, head_at, observed

PEERS = PeersSeen(
    5,
    (
        Peer("geth", is_inbound=True, number=TIP),
        Peer("geth", is_inbound=False, number=TIP - 65),
        Peer("other", is_inbound=False, number=None),
    ),
    reference=TIP,
)


def of_client(node: str = "local") -> tuple[Observation[object], ...]:
    """One observation of each check."""
    syncing = SyncingSeen(
        "syncing", head_at(TIP - 100), head_at(TIP), pace=Pace(rate=2.1, closing=2.0)
    )
    return (
        observed(node, "sync", syncing),
        observed(node, "peers", PEERS),
        observed(node, "txpool", TxpoolSeen(120, 7, None)),
        observed(node, "bad_blocks", BadBlocksSeen(0, ())),
    )
