"""peers: has the node anybody to hear of blocks and transactions from?

Few peers are a warning and never a failure: since the merge blocks come through the consensus
client as well, so that a node without peers may still be on the network's chain; its transactions
go nowhere. That it stays behind is for other checks to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

CHECK = "peers"
METHOD = "net_peerCount"
PEERS_MIN = 3
"""With fewer, one that leaves or lies is a third of what the node hears (proxyd's minimum)."""


@dataclass(frozen=True, slots=True)
class PeersSeen:
    """Whom a node is connected with (execution-apis, `net_peerCount`)."""

    count: int


OFFERS: tuple[Offer[PeersSeen], ...] = (
    Offer(
        "peers.connected_count",
        "peers",
        "Peers that the node is connected with",
        lambda seen: float(seen.count),
    ),
)


def judge(
    history: Sequence[Observation[PeersSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: how many peers there are, against `PEERS_MIN`."""
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    count = newest.seen.count
    is_few = count < PEERS_MIN
    return (
        Finding(
            check=CHECK,
            subject=subject_of(newest.node),
            network=context.network,
            level=Level.DEGRADED if is_few else Level.OK,
            reason="few_peers" if is_few else "connected",
            summary=f"{count} peers" + (f", fewer than {PEERS_MIN}" if is_few else ""),
            measured=float(count),
            limit=float(PEERS_MIN),
            unit="peers",
            evidence=(Evidence(newest.node, METHOD, f"{count} peers", newest.at),),
        ),
    )
