"""subscription: does the websocket tell of every head, when HTTP names it?

Sockets go deaf without closing (ethers issue 5121, bor issue 788, base node issue 3915): that HTTP
names newer heads is what tells. Nothing that a socket tells is believed, so that this is a warning:
the node is polled. A head that comes twice, or after its child, is counted and no trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.judge.answer import Word, spoken, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Finding, Level, Observation, Unseen

CHECK = "subscription"
METHOD = "eth_subscribe newHeads"
HEADS_MIN = 10
"""Of fewer heads no share is made."""
GAP_RATIO_MAX = 0.2
"""More gaps than one in five heads is no catching up after a pause, which leaves one."""


@dataclass(frozen=True, slots=True)
class SubscriptionSeen:
    """What a node's subscription to new heads has told, and what not."""

    state: Literal["live", "deaf", "down"]
    in_state_seconds: float
    behind_seconds: float | None
    """How long HTTP has named a higher head than it; None while it does not."""
    deaf_seconds: float
    """How long that may be."""
    age_seconds: float | None
    """Since a head was last told; None before the first."""
    heads: int
    """Different heights among the newest heads that this socket told, a score at most."""
    gaps: int
    """Places between those that were left out."""
    duplicates_total: int
    late_total: int
    """Heads that were told after their child."""
    redials_total: int
    error: str
    """Why the socket was last lost."""


OFFERS: tuple[Offer[SubscriptionSeen], ...] = (
    Offer(
        "subscription.age_seconds",
        "seconds",
        "Since the node's websocket last told of a head",
        lambda seen: seen.age_seconds,
    ),
    Offer(
        "subscription.gaps_count",
        "gaps",
        "Places that the newest twenty heads of the node's websocket leave out",
        lambda seen: float(seen.gaps),
    ),
    Offer(
        "subscription.duplicate_heads",
        "heads",
        "Heads that the node's websocket told again, since the start",
        lambda seen: float(seen.duplicates_total),
    ),
    Offer(
        "subscription.late_heads",
        "heads",
        "Heads that the node's websocket told after their child, since the start",
        lambda seen: float(seen.late_total),
    ),
)


def judge(
    history: Sequence[Observation[SubscriptionSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: down, deaf, with gaps, or live; of a socket just opened nothing bad is said."""
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    return (spoken(CHECK, newest, context, METHOD, _word(newest.seen), _said(newest.seen)),)


def _word(seen: SubscriptionSeen) -> Word:
    most = seen.deaf_seconds
    if seen.state == "down" and seen.in_state_seconds > most:
        why = f": {seen.error}" if seen.error else ""
        summary = f"the websocket has been down for {seen.in_state_seconds:.3g} s{why}"
        return Word(Level.DEGRADED, "down", summary, seen.in_state_seconds, most, "seconds")
    behind = seen.behind_seconds
    if behind is not None and behind > most:
        summary = f"HTTP names heads that the websocket has not told for {behind:.3g} s"
        return Word(Level.DEGRADED, "deaf", summary, behind, most, "seconds")
    if seen.heads >= HEADS_MIN and seen.gaps > GAP_RATIO_MAX * seen.heads:
        ratio = seen.gaps / seen.heads
        summary = f"among its newest {seen.heads} heads the websocket left {seen.gaps} gaps"
        return Word(Level.DEGRADED, "gaps", summary, ratio, GAP_RATIO_MAX, "ratio")
    if seen.state == "down":
        return Word(Level.OK, "dialling", "the websocket is being opened", None, most, "seconds")
    return Word(Level.OK, "live", "the websocket tells of new heads", behind, most, "seconds")


def _said(seen: SubscriptionSeen) -> str:
    age = "none" if seen.age_seconds is None else f"{seen.age_seconds:.3g} s ago"
    return (
        f"{seen.state}; last head: {age}; {seen.gaps} gaps in {seen.heads} heads; "
        f"{seen.duplicates_total} twice, {seen.late_total} late; dialled again "
        f"{seen.redials_total} times"
    )
