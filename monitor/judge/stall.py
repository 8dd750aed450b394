"""stall: has the node stopped, or has the network gone quiet?

The order of the questions is what matters. References move and the node does not: the node
stalled, which is known within the lag threshold. Nobody moves: the network is quiet, and only then
does the long quantile of the chain's gaps count, and it is the network that is degraded, not the
node. A chain that halts must not declare all healthy nodes dead (zq2 issue 2246); missed slots,
which come in runs, must not either.

The same judge serves the quorum: its history is the trail of elected heads, with which nobody can
be compared, so that only the quiet quantile remains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.judge.profiles import Policy, gap_p_value
from monitor.judge.quorum import NoQuorum, Round
from monitor.judge.seen import HeadSeen
from monitor.model import (
    BlockNumber,
    Evidence,
    Finding,
    Head,
    Level,
    Observation,
    Reference,
    Unseen,
    reference_label,
    subject_of,
)

CHECK = "stall"


@dataclass(frozen=True, slots=True)
class Advance:
    """The last time a head moved, as far as the history reaches."""

    head: Head
    since: float
    """When this head was first seen; the true time is earlier where the history begins with it."""


def last_advance(history: Sequence[Observation[HeadSeen]]) -> Advance | None:
    """When the newest head was first seen, or None when nothing was seen.

    A reorg to another hash at the same height is movement too.
    """
    advance: Advance | None = None
    for observation in reversed(history):
        if isinstance(observation.seen, Unseen):
            continue
        head = observation.seen.head
        if advance is not None and head.hash != advance.head.hash:
            break
        advance = Advance(head, observation.at)
    return advance


def judge(
    history: Sequence[Observation[HeadSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: how long the head has stood still, and who else's has.

    UNKNOWN when the node or the reference could not be seen in this round.
    """
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        reason, detail = newest.seen.reason, newest.seen.detail
        return (_unknown(newest.node, context, reason, f"not seen: {detail}"),)
    if isinstance(context.reference, NoQuorum):
        summary = f"nothing to compare it with: {context.reference.words}"
        return (_unknown(newest.node, context, "no_quorum", summary),)
    mine = last_advance(history)
    if mine is None:  # pragma: no cover - the newest observation was seen
        return ()
    if newest.node == reference_label(context.network):
        return (_quiet(newest.node, mine, context, policy, now),)
    return (_local(newest.node, mine, context, policy, now),)


def _reference_then(context: Round, at: float, newest: BlockNumber) -> BlockNumber:
    """The height elected in the round that saw something at `at`; `newest` before there was any.

    A round's election comes a moment after its answers. The election before is a whole poll older,
    and where a poll is as long as a block it counts blocks that the node was not late for.
    """
    since = (
        observation.seen.head.number
        for observation in context.trail
        if observation.at >= at and not isinstance(observation.seen, Unseen)
    )
    return next(since, newest)


def _local(node: str, mine: Advance, context: Round, policy: Policy, now: float) -> Finding:
    reference = context.reference
    assert isinstance(reference, Reference), "the judge has looked"
    still_seconds = now - mine.since
    top = reference.lag_head.number
    moved = top - _reference_then(context, mine.since, top)
    behind = top - mine.head.number
    level, reason = Level.OK, "moving"
    summary = f"block {mine.head.number} for {still_seconds:.1f} s"
    if min(moved, behind) >= policy.lag_blocks:
        agreed = reference.head.number - mine.head.number >= policy.lag_blocks
        certain = agreed and reference.confidence != "low"
        level, reason = (Level.FAILED if certain else Level.DEGRADED), "stalled"
        summary = (
            f"stands at block {mine.head.number} for {still_seconds:.1f} s, while the references "
            f"moved {moved} blocks to {top}"
        )
    return Finding(
        check=CHECK,
        subject=subject_of(node),
        network=context.network,
        level=level,
        reason=reason,
        summary=summary,
        measured=float(max(0, min(moved, behind))),
        limit=float(policy.lag_blocks),
        unit="blocks",
        as_of=mine.head.stamp,
        evidence=(
            Evidence(
                source=node,
                method="eth_getBlockByNumber(latest)",
                said=f"block {mine.head.number} since {still_seconds:.1f} s",
                at=mine.since,
                block=mine.head.stamp,
            ),
            Evidence(
                source=f"{context.network} references ({', '.join(reference.voters)})",
                method="quorum",
                said=f"moved {moved} blocks in that time",
                at=context.at,
                block=reference.head.stamp,
                threshold=policy.lag_words,
            ),
        ),
    )


def _quiet(node: str, mine: Advance, context: Round, policy: Policy, now: float) -> Finding:
    still_seconds = now - mine.since
    quiet = still_seconds >= policy.stall_seconds
    p_value = gap_p_value(policy.profile, still_seconds)
    return Finding(
        check=CHECK,
        subject=subject_of(node),
        network=context.network,
        level=Level.DEGRADED if quiet else Level.OK,
        reason="network_quiet" if quiet else "moving",
        summary=f"no reference named a block after {mine.head.number} for {still_seconds:.1f} s",
        measured=still_seconds,
        limit=policy.stall_seconds,
        unit="seconds",
        as_of=mine.head.stamp,
        evidence=(
            Evidence(
                source=f"{context.network} references",
                method="quorum",
                said=f"block {mine.head.number} since {still_seconds:.1f} s",
                at=mine.since,
                block=mine.head.stamp,
                threshold=policy.stall_words,
                p_value=p_value,
            ),
        ),
    )


def _unknown(node: str, context: Round, reason: str, summary: str) -> Finding:
    return Finding(
        check=CHECK,
        subject=subject_of(node),
        network=context.network,
        level=Level.UNKNOWN,
        reason=reason,
        summary=summary,
    )
