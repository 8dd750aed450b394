"""sync: what the node says of its own synchronisation, beside where it really is.

Evidence goes before words. A geth whose consensus client died says `false` for hours while it falls
behind (go-ethereum issue 33687, besu issue 4436), and one that builds an index says that it is
syncing for hours while it is level. So the height is compared with the references', and what the
node says explains it: it never makes well what lies behind, nor bad what is level.

Where it is and where the references were is written down at the moment of asking: an answer that is
some rounds old would seem behind by as many blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import NoQuorum, Round
from monitor.model import Evidence, Finding, Head, Level, Observation, Unseen, subject_of

CHECK = "sync"
METHOD = "eth_syncing"
BEHIND_SAMPLES = 2
"""So many answers in a row, where there are as many: a node that is late by one block now and then
is none that is behind."""
RATE_SAMPLES_MIN = 3
RATE_SAMPLES_MAX = 20
"""Five minutes of answers at their usual pace: a rate of what goes on now."""
STAGES_SHOWN = 4

Said = Literal["synced", "syncing", "no_peers"]
"""`no_peers`: EthereumJS answers an error where nobody tells it how far the chain is."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How far one stage of a staged synchronisation has come (erigon, reth)."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to do besides importing blocks."""

    what: str
    """As in a sentence: `blocks of the transaction index`."""
    count: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the node comes closer; blocks a second, over the last answers."""

    rate: float
    """Of the node's own blocks."""
    closing: float
    """Of the distance to the references, which also move on; 0 or less is never."""


@dataclass(frozen=True, slots=True)
class SyncingSeen:
    """What `eth_syncing` said, and how far the node and the references were then."""

    said: Said
    head: Head | None
    """The node's, of the round in which it was asked."""
    reference: Head | None
    """What lag was measured from in that round; None without a quorum."""
    current: int | None = None
    """The block that it says it has come to: of a snap sync ahead of its head, which stays at 0."""
    highest: int | None = None
    """The block that it says it knows of: what it was told, which may be old."""
    stages: tuple[Stage, ...] = ()
    remaining: tuple[Remaining, ...] = ()
    mode: str = ""
    """What it calls the way it syncs; empty where it does not say."""
    pace: Pace | None = None
    """None with fewer than `RATE_SAMPLES_MIN` answers."""

    @property
    def position(self) -> int | None:
        """The height it has come to; None where that was not seen."""
        if self.head is None:
            return None
        if self.said != "syncing" or self.current is None:
            return self.head.number
        return max(self.head.number, self.current)

    @property
    def lag(self) -> int | None:
        """Blocks of its head behind the references, negative is ahead; None where not known."""
        if self.head is None or self.reference is None:
            return None
        return self.reference.number - self.head.number

    @property
    def distance(self) -> int | None:
        """Blocks from its position up to the references; 0 where it is level, or ahead."""
        if self.position is None or self.reference is None:
            return None
        return max(0, self.reference.number - self.position)

    @property
    def eta_seconds(self) -> float | None:
        """Until it is level at its pace; None where that is never, or not known."""
        if self.distance == 0:
            return 0.0
        if self.distance is None or self.pace is None or self.pace.closing <= 0:
            return None
        return self.distance / self.pace.closing


def _blocks(seen: SyncingSeen) -> float | None:
    return None if seen.distance is None else float(seen.distance)


def _rate(seen: SyncingSeen) -> float | None:
    return None if seen.pace is None else seen.pace.rate


def _unfinished(seen: SyncingSeen) -> float:
    return float(sum(one.count for one in seen.remaining))


OFFERS: tuple[Offer[SyncingSeen], ...] = (
    Offer(
        "sync.remaining_blocks",
        "blocks",
        "Blocks that the node has to import until it is level with the references",
        _blocks,
    ),
    Offer(
        "sync.rate_blocks_per_second",
        "blocks a second",
        "Blocks that the node came on in a second, over its last answers",
        _rate,
    ),
    Offer(
        "sync.eta_seconds",
        "seconds",
        "Until the node is level at its pace; no sample where that is never, or not known",
        lambda seen: seen.eta_seconds,
    ),
    Offer(
        "sync.unfinished_items",
        "items",
        "What the node says it has left to index or to heal, in whatever it counts",
        _unfinished,
    ),
)


def pace_of(
    before: Sequence[Observation[SyncingSeen]], seen: SyncingSeen, at: float
) -> Pace | None:
    """The pace from earlier answers (oldest first) up to this one, which came at `at`.

    Answers without a height count as none. A head that was rolled back makes it negative.
    """
    points = [(one.at, one.seen) for one in before if not isinstance(one.seen, Unseen)]
    points = [*points, (at, seen)][-RATE_SAMPLES_MAX:]
    placed = [
        (when, one.position, one.reference.number - one.position)
        for when, one in points
        if one.position is not None and one.reference is not None
    ]
    if len(placed) < RATE_SAMPLES_MIN:
        return None
    (began, first, far), (ended, last, near) = placed[0], placed[-1]
    if ended <= began:
        return None
    return Pace((last - first) / (ended - began), (far - near) / (ended - began))


def judge(
    history: Sequence[Observation[SyncingSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is the lag of the head when it was asked, against the profile's.

    DEGRADED at worst: whether a node that is behind has failed is for the head to say.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    words = _words(seen)
    blank = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.UNKNOWN,
        reason="no_quorum",
        summary=f"it says that it is {words}; nothing to compare it with",
        limit=float(policy.lag_blocks),
        unit="blocks",
        as_of=None if seen.head is None else seen.head.stamp,
        evidence=(Evidence(newest.node, METHOD, words, newest.at, threshold=policy.lag_words),),
    )
    if seen.lag is None or isinstance(context.reference, NoQuorum):
        return (blank,)
    blank = replace(blank, measured=float(seen.lag))
    if _is_behind(history, policy):
        reason: str = "says_synced" if seen.said == "synced" else seen.said
        return (replace(blank, level=Level.DEGRADED, reason=reason, summary=_behind(seen)),)
    summary = f"{words}, and level with the references"
    if seen.lag:
        where = "behind" if seen.lag > 0 else "ahead of"
        summary = f"{words}, {abs(seen.lag)} blocks {where} the references"
    reason = "says_syncing" if seen.said == "syncing" else seen.said
    reason = "indexing" if seen.said == "syncing" and seen.remaining else reason
    return (replace(blank, level=Level.OK, reason=reason, summary=summary),)


def _is_behind(history: Sequence[Observation[SyncingSeen]], policy: Policy) -> bool:
    """Whether the last answers, up to `BEHIND_SAMPLES` of them, all lie the threshold behind."""
    lags = [one.seen.lag for one in history if not isinstance(one.seen, Unseen)]
    known = [lag for lag in lags if lag is not None]
    return all(lag >= policy.lag_blocks for lag in known[-BEHIND_SAMPLES:])


def _words(seen: SyncingSeen) -> str:
    """What it says, as half a sentence."""
    if seen.said == "synced":
        return "not syncing"
    if seen.said == "no_peers":
        return "without a peer to learn the chain's height from"
    words = ["syncing"]
    if seen.mode:
        words.append(f"mode {seen.mode}")
    if seen.current is not None and seen.highest is not None:
        words.append(f"block {seen.current} of {seen.highest}")
    behind = sorted(seen.stages, key=lambda stage: stage.number)
    if behind:
        words.append("stages " + ", ".join(f"{s.name} {s.number}" for s in behind[:STAGES_SHOWN]))
    words.extend(f"{one.count} {one.what} left" for one in seen.remaining)
    return ", ".join(words)


def _behind(seen: SyncingSeen) -> str:
    """The whole sentence for a node that is behind."""
    assert seen.lag is not None, "the judge has looked"
    if seen.said == "synced":
        return f"it says that it is not syncing, and is {seen.lag} blocks behind the references"
    return f"{_words(seen)}; {seen.lag} blocks behind the references, {_expectation(seen)}"


def _expectation(seen: SyncingSeen) -> str:
    """How much of the way is behind it, how fast it goes, and when it is there."""
    assert seen.position is not None, "the judge has looked"
    assert seen.reference is not None, "the judge has looked"
    percent = 100 * min(1.0, seen.position / seen.reference.number)
    done = f"{percent:.1f} % there"
    if seen.pace is None:
        return f"{done}, its pace is not known yet"
    done = f"{done} at {seen.pace.rate:.3g} blocks/s"
    if seen.eta_seconds is not None:
        return f"{done}, {_duration(seen.eta_seconds)} to go"
    if seen.pace.rate <= 0 and seen.stages:
        return f"{done}: its stages are under way, and no block is done before the last of them"
    return f"{done}: at this pace it never arrives"


def _duration(seconds: float) -> str:
    """Roughly, as a person says it."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
