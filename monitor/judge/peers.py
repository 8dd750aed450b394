"""peers: has the node anybody to hear of blocks and transactions from, and whom?

Few peers are a warning and never a failure: since the merge blocks come through the consensus
client as well, so that a node without peers may still be on the network's chain; its transactions
go nowhere. That it stays behind is for other checks to say.

Who they are is told where the node tells it (`admin_peers`), and decides nothing: a peer's name is
its own word. Their heights are those of eth/69 (EIP-7642), which are sent once in 32 blocks or more
seldom, so that only a peer farther back than twice that is counted as behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round, client_family
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

CHECK = "peers"
METHOD = "net_peerCount"
PEERS_MIN = 3
"""With fewer, one that leaves or lies is a third of what the node hears (proxyd's minimum)."""
PEER_BEHIND_BLOCKS = 64
"""Two of the pauses that a peer may make between telling its height (EIP-7642: 32 blocks)."""
FAMILIES = (
    *("geth", "nethermind", "besu", "erigon", "reth", "ethrex"),
    *("ethereumjs", "nimbus", "bor", "parity"),
)
"""Clients that are told apart; a name is whatever a peer likes, and labels must be few."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer, as the node describes it."""

    client: str
    """One of `FAMILIES`, or `OTHER`."""
    is_inbound: bool | None
    """None where the node does not say who called whom (besu)."""
    number: int | None
    """Its height; None where it names none, as before eth/69."""


@dataclass(frozen=True, slots=True)
class PeersSeen:
    """Whom a node is connected with (execution-apis, `net_peerCount`)."""

    count: int
    listed: tuple[Peer, ...] | Unseen | None = None
    """None where the node does not tell of them: `admin_peers` is absent, or refused."""
    reference: int | None = None
    """The height of the references when it was asked; None without a quorum."""

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Those that are described."""
        return self.listed if isinstance(self.listed, tuple) else ()

    def told_apart(self, *, is_inbound: bool) -> int | None:
        """How many called the node, or were called; None where it does not say."""
        said = [peer.is_inbound for peer in self.peers if peer.is_inbound is not None]
        return said.count(is_inbound) if said else None

    @property
    def behind(self) -> int | None:
        """Peers whose height lies `PEER_BEHIND_BLOCKS` back; None where none is known."""
        named = [peer.number for peer in self.peers if peer.number is not None]
        if not named or self.reference is None:
            return None
        return sum(self.reference - number > PEER_BEHIND_BLOCKS for number in named)

    @property
    def clients(self) -> tuple[tuple[str, int], ...]:
        """How many of each family, the most frequent first."""
        counted = Counter(peer.client for peer in self.peers)
        return tuple(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def family_of(name: str) -> str:
    """The family in the name that a peer gives itself: `Geth/v1.16.2-stable/linux` is geth."""
    said = client_family(name)
    found = (one for one in FAMILIES if said == one or said.startswith((f"{one}-", f"{one} ")))
    return next(found, OTHER)


def _optional(value: int | None) -> float | None:
    return None if value is None else float(value)


OFFERS: tuple[Offer[PeersSeen], ...] = (
    Offer(
        "peers.connected_count",
        "peers",
        "Peers that the node is connected with",
        lambda seen: float(seen.count),
    ),
    Offer(
        "peers.inbound_count",
        "peers",
        "Peers that called the node; no sample where it does not say",
        lambda seen: _optional(seen.told_apart(is_inbound=True)),
    ),
    Offer(
        "peers.outbound_count",
        "peers",
        "Peers that the node called; no sample where it does not say",
        lambda seen: _optional(seen.told_apart(is_inbound=False)),
    ),
    Offer(
        "peers.behind_count",
        "peers",
        "Peers that name a height more than 64 blocks behind the references",
        lambda seen: _optional(seen.behind),
    ),
)


def judge(
    history: Sequence[Observation[PeersSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: how many peers there are, against `PEERS_MIN`.

    A chain of one sequencer (the model `traffic`) has no peers to have.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    well = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.OK,
        reason="connected",
        summary=f"{seen.count} peers",
        measured=float(seen.count),
        limit=float(PEERS_MIN),
        unit="peers",
        evidence=tuple(_evidence(newest, seen)),
    )
    if seen.count < PEERS_MIN and policy.profile.model == "traffic":
        summary = f"{well.summary}: blocks of this chain come from its sequencer"
        return (replace(well, reason="no_peers_needed", summary=summary, limit=None),)
    if not seen.count:
        return (replace(well, level=Level.DEGRADED, reason="no_peers", summary="no peers at all"),)
    if seen.count < PEERS_MIN:
        summary = f"{well.summary}, fewer than {PEERS_MIN}"
        return (replace(well, level=Level.DEGRADED, reason="few_peers", summary=summary),)
    if seen.told_apart(is_inbound=True) == 0:
        summary = f"{well.summary}, all of them called by the node: nobody can call it"
        return (replace(well, reason="outbound_only", summary=summary),)
    return (well,)


def _evidence(newest: Observation[PeersSeen], seen: PeersSeen) -> Iterable[Evidence]:
    yield Evidence(newest.node, METHOD, f"{seen.count} peers", newest.at)
    if isinstance(seen.listed, Unseen):
        yield Evidence(newest.node, "admin_peers", f"not seen: {seen.listed.detail}", newest.at)
    if not seen.peers:
        return
    said = ", ".join(f"{count} {client}" for client, count in seen.clients)
    inbound = seen.told_apart(is_inbound=True)
    if inbound is not None:
        said += f"; {inbound} inbound, {seen.told_apart(is_inbound=False)} outbound"
    if seen.behind is not None:
        named = sum(peer.number is not None for peer in seen.peers)
        said += f"; {seen.behind} of {named} that name a height are behind"
    yield Evidence(newest.node, "admin_peers", said, newest.at)
