"""bad_blocks: has the node refused a block that the network took?

Clients keep the last blocks that they found invalid (`debug_getBadBlocks`). A block that the
references hold as theirs and that the node refused, and does not have, is the beginning of a fork,
and says why: the node has a consensus bug, an old version without the last fork, or a broken
database. geth keeps the list over restarts, so that one the node has by now taken is past.

Nobody is declared wrong where a reference contradicts the others at that height, where there is no
quorum, or only one reference: on Holesky in February 2025 the clients that refused were right.

Any other bad block is somebody else's mistake, rightly refused. Those at heights that are not final
yet are told, since whose mistake it is may not be settled; older ones are only counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.judge.answer import unseen
from monitor.judge.finality import final_number
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import (
    Evidence,
    Finding,
    Hash32,
    Level,
    Observation,
    Reference,
    Unseen,
    short,
    subject_of,
)

CHECK = "bad_blocks"
METHOD = "debug_getBadBlocks"
COMPARED_MAX = 8
"""The newest of them are compared with the references; geth keeps ten."""


@dataclass(frozen=True, slots=True)
class BadBlock:
    """One block that the node refused."""

    hash: Hash32
    number: int | None
    """None where the node does not say."""
    canonical: Hash32 | None = None
    """What a majority of the references has at that height; None where not known."""
    own: Hash32 | None = None
    """What the node itself has there now; None where it has nothing, or was not asked."""
    is_disputed: bool = False
    """Whether a reference has another block there."""

    @property
    def is_networks(self) -> bool:
        """Whether the network has it."""
        return self.canonical == self.hash

    @property
    def is_refused(self) -> bool:
        """Whether the network has it and the node still does not."""
        return self.is_networks and self.own != self.hash


@dataclass(frozen=True, slots=True)
class BadBlocksSeen:
    """What `debug_getBadBlocks` listed."""

    count: int
    newest: tuple[BadBlock, ...]
    """The highest `COMPARED_MAX`, highest first."""


OFFERS: tuple[Offer[BadBlocksSeen], ...] = (
    Offer(
        "bad_blocks.listed_blocks",
        "blocks",
        "Blocks that the node lists as invalid",
        lambda seen: float(seen.count),
    ),
    Offer(
        "bad_blocks.refused_blocks",
        "blocks",
        "Of those, blocks that the references hold as theirs and the node does not have",
        lambda seen: float(sum(block.is_refused for block in seen.newest)),
    ),
)


def judge(
    history: Sequence[Observation[BadBlocksSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is how many blocks are listed.

    FAILED: one of them is the network's, and the node does not have it. DEGRADED: the same where
    the references may be wrong; or one lies above what they call final.
    """
    del policy, now
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
        reason="none",
        summary="it lists no bad block",
        measured=float(seen.count),
        unit="blocks",
        evidence=tuple(_evidence(newest, block) for block in seen.newest),
    )
    refused = [block for block in seen.newest if block.is_refused]
    if refused:
        return (_refused(blank, refused[-1], context),)
    unsettled = [block for block in seen.newest if _is_unsettled(block, context)]
    if unsettled:
        highest = unsettled[0]
        summary = (
            f"it refused block {highest.number}, {short(highest.hash)}, at a height that is not "
            "final yet"
        )
        return (replace(blank, level=Level.DEGRADED, reason="refused_block", summary=summary),)
    if any(block.is_networks for block in seen.newest):
        summary = f"{seen.count} listed; what the network took of them it has taken since"
        return (replace(blank, reason="accepted_since", summary=summary),)
    if seen.count:
        summary = f"{seen.count} listed, none that the network has"
        return (replace(blank, reason="past", summary=summary),)
    return (blank,)


def _refused(blank: Finding, block: BadBlock, context: Round) -> Finding:
    reference = context.reference
    summary = f"it refused block {block.number}, {short(block.hash)}, which the references have"
    is_certain = isinstance(reference, Reference) and reference.confidence != "low"
    if block.is_disputed:
        is_certain, summary = False, f"{summary}, though not all of them"
    level = Level.FAILED if is_certain else Level.DEGRADED
    return replace(blank, level=level, reason="refused_canonical", summary=summary)


def _is_unsettled(block: BadBlock, context: Round) -> bool:
    """Whether it lies above what is final, so that what the network has there may still change."""
    head = context.reference.head if isinstance(context.reference, Reference) else None
    final = final_number(context, head)
    if block.number is None or block.is_networks or final is None:
        return False
    return block.number > final


def _evidence(newest: Observation[BadBlocksSeen], block: BadBlock) -> Evidence:
    at = "at a height it does not say" if block.number is None else f"block {block.number}"
    said = f"refused {at}, {block.hash}"
    if block.canonical is not None:
        said += f"; the references have {block.canonical}"
    if block.own is not None:
        said += f"; it has {block.own}"
    return Evidence(newest.node, METHOD, said, newest.at)
