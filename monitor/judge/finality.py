"""finality: is what the node calls safe and final in order, never less, and what the network does?

Finality comes in steps, of an epoch or of a batch, and reaches one node before another. So nothing
is said of a difference before it is older than the chain's longest healthy silence, and than a
healthy node may be late to learn of it; only a block that the references do not have is said at
once. What the node itself had called final, the references too, and what it does not any more, is
its own contradiction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import NoQuorum, Round
from monitor.judge.tags import FinalitySeen, Tags
from monitor.model import (
    Evidence,
    Finding,
    Head,
    Level,
    Observation,
    Reference,
    Unseen,
    reference_label,
    short,
    subject_of,
)

CHECK = "finality"
METHOD = "eth_getBlockByNumber"
CONFIRMATIONS = 64
"""From which depth a block counts as final on a chain without the `finalized` tag."""
STALLED_FACTOR = 3
"""So many times the blocks that finality takes by the protocol, and it has stopped: six epochs,
where a beacon chain's inactivity leak begins (consensus-specs, `is_in_inactivity_leak`: the epoch
before is more than MIN_EPOCHS_TO_INACTIVITY_PENALTY, four, after the finalized one)."""


def final_number(round_: Round, head: Head | None) -> int | None:
    """The height up to which a majority of the operators calls blocks final.

    Where a majority says that there is no such tag, `CONFIRMATIONS` below the agreed head. None
    where neither is known.
    """
    said: dict[str, int] = {}
    without: set[str] = set()
    told = [(one.operator, one.seen.finalized) for one in round_.admitted if one.seen is not None]
    for operator, finalized in told:
        if isinstance(finalized, Head):
            said[operator] = min(finalized.number, said.get(operator, finalized.number))
        elif finalized is None:
            without.add(operator)
    ordered = sorted(said.values(), reverse=True)
    if len(ordered) >= round_.need:
        return ordered[round_.need - 1]
    if head is not None and len(without) >= round_.need:
        return max(0, head.number - CONFIRMATIONS)
    return None


def _lag(block: Head | Unseen | None, seen: FinalitySeen) -> float | None:
    return float(seen.tags.latest.number - block.number) if isinstance(block, Head) else None


def _behind(seen: FinalitySeen) -> float | None:
    mine = seen.tags.finalized
    return None if mine is None or seen.theirs is None else float(seen.theirs - mine.number)


OFFERS: tuple[Offer[FinalitySeen], ...] = (
    Offer(
        "finality.safe_lag_blocks",
        "blocks",
        "Blocks from what the node calls safe to its head",
        lambda seen: _lag(seen.tags.safe, seen),
    ),
    Offer(
        "finality.finalized_lag_blocks",
        "blocks",
        "Blocks from what the node calls final to its head",
        lambda seen: _lag(seen.tags.finalized, seen),
    ),
    Offer(
        "finality.behind_blocks",
        "blocks",
        "Blocks that the references call final and the node does not; negative is ahead",
        _behind,
    ),
    Offer(
        "finality.behind_seconds",
        "seconds",
        "Since the references call a block final that the node does not; 0 where it does",
        lambda seen: seen.waited(seen.behind),
    ),
    Offer(
        "finality.chain_lag_blocks",
        "blocks",
        "Blocks from what a majority of the references calls final to their head",
        lambda seen: None if seen.theirs is None else float(seen.tags.latest.number - seen.theirs),
        subjects="quorum",
    ),
)


def judge(
    history: Sequence[Observation[FinalitySeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding. Of a node, measured is how long what is said of it is so, in seconds.

    FAILED: a block that it calls final is not the references', or it called a higher one final,
    or another one of the same height. DEGRADED: its tags are out of order, `safe` goes back, or
    what it calls final is behind or ahead of the references'; or theirs stands. UNKNOWN: not seen,
    or nothing to compare it with.
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
        level=Level.UNKNOWN,
        reason="no_quorum",
        summary="",
    )
    if isinstance(context.reference, NoQuorum):
        summary = f"nothing to compare it with: {context.reference.words}"
        return (replace(blank, summary=summary),)
    if newest.node == reference_label(context.network):
        return (_of_chain(blank, newest, seen, policy),)
    return (_of_node(blank, newest, seen, context.reference, policy),)


def _of_chain(
    blank: Finding, newest: Observation[FinalitySeen], seen: FinalitySeen, policy: Policy
) -> Finding:
    head, final = seen.tags.latest, seen.theirs
    if final is None:
        summary = "no majority of the references says what is final"
        return replace(blank, reason="final_unseen", summary=summary)
    lag, promise = head.number - final, policy.profile.finality_blocks
    limit = None if promise is None else STALLED_FACTOR * promise
    is_stalled = limit is not None and lag >= limit
    words = "no promise of finality in its profile"
    if limit is not None:
        words = f"{limit} blocks ({policy.label}: {STALLED_FACTOR} times the {promise} it takes)"
    return replace(
        blank,
        level=Level.DEGRADED if is_stalled else Level.OK,
        reason="finality_stalled" if is_stalled else "finalizing",
        summary=f"block {final} is final, {lag} below the head",
        measured=float(lag),
        limit=None if limit is None else float(limit),
        unit="blocks",
        as_of=head.stamp,
        evidence=(Evidence(newest.node, METHOD, f"{final} is final", seen.at, threshold=words),),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    level: Level
    reason: str
    summary: str
    seconds: float = 0.0


def _of_node(
    blank: Finding,
    newest: Observation[FinalitySeen],
    seen: FinalitySeen,
    reference: Reference,
    policy: Policy,
) -> Finding:
    names = _names(seen.tags)
    told = max(_complaints(seen, policy), key=lambda one: one.level, default=None)
    if told is None:
        told = _Told(Level.OK, "in_order", names, seen.waited(seen.behind))
    level = told.level if reference.confidence != "low" else min(told.level, Level.DEGRADED)
    theirs = "not known" if seen.theirs is None else str(seen.theirs)
    return replace(
        blank,
        level=level,
        reason=told.reason,
        summary=told.summary,
        measured=told.seconds,
        limit=policy.finality_seconds,
        unit="seconds",
        as_of=seen.tags.latest.stamp,
        evidence=(
            Evidence(
                source=newest.node,
                method=f"{METHOD}(latest, safe, finalized)",
                said=f"{names}; final at the references: {theirs}",
                at=seen.at,
                block=None if seen.tags.finalized is None else seen.tags.finalized.stamp,
                threshold=policy.finality_words,
            ),
        ),
    )


def _names(tags: Tags) -> str:
    safe = tags.safe.number if isinstance(tags.safe, Head) else "not named"
    final = "not named" if tags.finalized is None else tags.finalized.number
    return f"latest {tags.latest.number}, safe {safe}, finalized {final}"


def _complaints(seen: FinalitySeen, policy: Policy) -> Iterator[_Told]:
    """What is wrong with the node's tags; of one level the first counts."""
    tags, mine, held = seen.tags, seen.tags.finalized, seen.compared
    if held is not None and held.mine.hash != held.theirs:
        level, reason = Level.FAILED, "finalized_differs"
        said = f"it calls {held.mine.number} {short(held.mine.hash)} final, the references have "
        said += short(held.theirs)
        if held.allies:
            level, reason = Level.DEGRADED, "finalized_split"
            said += f" there, but for {', '.join(held.allies)}"
        yield _Told(level, reason, said)
    if mine is not None and seen.is_replaced:
        said = f"block {mine.number} that it called final is another one now"
        yield _Told(Level.FAILED, "finalized_replaced", said)
    patience = policy.finality_seconds
    if seen.back is not None and seen.waited(seen.back) >= patience:
        said = f"it called {seen.back.number} final and now names {_named(mine)}"
        yield _Told(Level.FAILED, "finalized_backwards", said, seen.waited(seen.back))
    if not _is_ordered(tags):
        said = f"finalized is not at or below safe, and safe at or below latest: {_names(tags)}"
        yield _Told(Level.DEGRADED, "tags_unordered", said)
    if seen.ahead is not None and seen.waited(seen.ahead) >= patience:
        said = f"it calls {seen.ahead.number} final, which the references do not"
        yield _Told(Level.DEGRADED, "finalized_ahead", said, seen.waited(seen.ahead))
    if seen.behind is not None and seen.waited(seen.behind) >= patience:
        said = f"the references call {seen.behind.number} final and it names {_named(mine)}"
        yield _Told(Level.DEGRADED, "finality_behind", said, seen.waited(seen.behind))
    if seen.back_safe is not None and seen.waited(seen.back_safe) >= patience:
        said = f"it called {seen.back_safe.number} safe: {_names(tags)}"
        yield _Told(Level.DEGRADED, "safe_backwards", said, seen.waited(seen.back_safe))


def _named(head: Head | None) -> str:
    return "none" if head is None else str(head.number)


def _is_ordered(tags: Tags) -> bool:
    named = (tags.finalized, tags.safe, tags.latest)
    numbers = [head.number for head in named if isinstance(head, Head)]
    return numbers == sorted(numbers)
