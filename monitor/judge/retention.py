"""retention: how far back does the node answer?

Clients forget old states, receipts and, since EIP-4444, old blocks, and whoever asks for them gets
an error, null or an empty list. What a node serves may shrink without anybody's doing: a snapshot
was restored, a flag was lost with an upgrade. Whether it is enough, only its operator knows, by a
rule of a gate; too little for everybody is less than the chain may still take back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

CHECK = "retention"
METHOD = "eth_capabilities"
STATES_MIN = 64
"""Half of what geth keeps in memory (`core/state`, TriesInMemory), and two epochs of Ethereum."""
SHRUNK_RATIO = 0.5
"""Of the most that was served since: less is a change and no sliding window."""
DEFECTS_MIN = 2
"""So many blocks at least must be gone: of one block, half is nothing."""

Resource = Literal["state", "bodies", "receipts", "logs"]
RESOURCES: tuple[Resource, ...] = ("state", "bodies", "receipts", "logs")


@dataclass(frozen=True, slots=True)
class Kept:
    """How far back one kind of answers goes."""

    resource: Resource
    oldest: int | None
    """The lowest block for which it is served; None: for none at all."""


@dataclass(frozen=True, slots=True)
class RetentionSeen:
    """What a node serves, by its own word or as it was tried."""

    head: int
    final: int | None
    """The node's finalized block; None where it has none."""
    kept: tuple[Kept, ...]
    """Less those of which nothing is known."""
    is_declared: bool
    """By `eth_capabilities`; else by asking for old blocks until one is not there."""

    def blocks(self, resource: Resource) -> int | None:
        """Blocks below the head for which it is served; None where that is not known."""
        for one in self.kept:
            if one.resource == resource:
                return 0 if one.oldest is None else max(0, self.head - one.oldest)
        return None


def _served(resource: Resource) -> Offer[RetentionSeen]:
    words = {
        "state": "Blocks below its head whose states the node serves",
        "bodies": "Blocks below its head that the node serves",
        "receipts": "Blocks below its head whose receipts the node serves",
        "logs": "Blocks below its head whose logs the node serves",
    }

    def read(seen: RetentionSeen) -> float | None:
        blocks = seen.blocks(resource)
        return None if blocks is None else float(blocks)

    return Offer(
        f"retention.{resource}_blocks",
        "blocks",
        words[resource],
        read,
    )


OFFERS: tuple[Offer[RetentionSeen], ...] = tuple(_served(resource) for resource in RESOURCES)


def judge(
    history: Sequence[Observation[RetentionSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is the number of blocks served of what is worst, or of the state.

    DEGRADED: `too_little`, fewer states than 64, or receipts or blocks than the chain may still
    take back; `shrunk`, less than half of what it was within the observations that are kept.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    blank = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.OK,
        reason="retained",
        summary=_words(seen),
        unit="blocks",
        evidence=(Evidence(newest.node, _method(seen), _words(seen), newest.at),),
    )
    for reason, resource, limit in (*_too_little(seen, policy), *_shrunk(history, seen)):
        blocks = seen.blocks(resource) or 0
        summary = f"the {resource} of {blocks} blocks are served, fewer than {limit}"
        if reason == "shrunk":
            summary += ", which is half of what it was"
        return (
            replace(
                blank,
                level=Level.DEGRADED,
                reason=reason,
                summary=summary,
                measured=float(blocks),
                limit=float(limit),
            ),
        )
    state = seen.blocks("state")
    return (
        replace(
            blank,
            measured=None if state is None else float(state),
            limit=float(_states_min(seen, policy)),
        ),
    )


Defect = tuple[str, Resource, int]
"""Reason, what of, and how many blocks it should be."""


def _states_min(seen: RetentionSeen, policy: Policy) -> int:
    return min(seen.head, max(STATES_MIN, policy.confirmations))


def _too_little(seen: RetentionSeen, policy: Policy) -> Iterator[Defect]:
    unsettled = policy.confirmations
    if seen.final is not None:
        unsettled = max(unsettled, seen.head - seen.final)
    for resource in RESOURCES:
        wanted = _states_min(seen, policy) if resource == "state" else min(seen.head, unsettled)
        blocks = seen.blocks(resource)
        if blocks is not None and blocks < wanted:
            yield "too_little", resource, wanted


def _shrunk(history: Sequence[Observation[RetentionSeen]], seen: RetentionSeen) -> Iterator[Defect]:
    for resource in RESOURCES:
        blocks = seen.blocks(resource)
        before = [
            found
            for one in history[:-1]
            if isinstance(one.seen, RetentionSeen)
            and (found := one.seen.blocks(resource)) is not None
        ]
        most = max(before, default=0)
        wanted = int(most * SHRUNK_RATIO)
        if blocks is not None and blocks < wanted and most - blocks >= DEFECTS_MIN:
            yield "shrunk", resource, wanted


def _words(seen: RetentionSeen) -> str:
    told = [
        f"{one.resource} from block {one.oldest}"
        if one.oldest is not None
        else f"no {one.resource}"
        for one in seen.kept
    ]
    return ", ".join(told) or "it does not say what it serves"


def _method(seen: RetentionSeen) -> str:
    return METHOD if seen.is_declared else "by asking for old blocks"
