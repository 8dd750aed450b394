"""head: how far behind the network's head is the node, in blocks and seconds, with its sign?

Lag is measured from the second highest head among the references, so that one that lies ahead
moves nothing; FAILED needs the head that a strict majority has reached. A node's own
`eth_syncing` plays no part: it is false for hours on a node whose consensus client died
(go-ethereum issue 33687).
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.judge.profiles import Policy, lag_p_value
from monitor.judge.quorum import NoQuorum, Round
from monitor.judge.seen import HeadSeen
from monitor.model import Evidence, Finding, Head, Level, Observation, Reference, Unseen, subject_of

CHECK = "head"


def judge(
    history: Sequence[Observation[HeadSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding of the node's newest head: lag in blocks against `policy.lag_blocks`.

    Positive is behind. UNKNOWN when the node's head or the reference could not be seen.
    """
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (
            Finding(
                check=CHECK,
                subject=subject_of(newest.node),
                network=context.network,
                level=Level.UNKNOWN,
                reason=newest.seen.reason,
                summary=f"its head could not be seen: {newest.seen.detail}",
                evidence=(
                    Evidence(
                        newest.node, "eth_getBlockByNumber(latest)", newest.seen.detail, newest.at
                    ),
                ),
            ),
        )
    head = newest.seen.head
    said = Evidence(
        source=newest.node,
        method="eth_getBlockByNumber(latest)",
        said=f"block {head.number}, {now - head.timestamp:.0f} s old",
        at=newest.at,
        block=head.stamp,
    )
    if isinstance(context.reference, NoQuorum):
        return (
            Finding(
                check=CHECK,
                subject=subject_of(newest.node),
                network=context.network,
                level=Level.UNKNOWN,
                reason="no_quorum",
                summary=f"at block {head.number}; nothing to compare it with: "
                f"{context.reference.words}",
                as_of=head.stamp,
                evidence=(said,),
            ),
        )
    return (_compare(subject_of(newest.node), head, context, policy, said),)


def lag_of(head: Head, reference: Reference) -> int:
    """Blocks behind the reference; negative is ahead."""
    return reference.lag_head.number - head.number


def lag_seconds_of(head: Head, reference: Reference) -> int:
    """Seconds of block time behind the reference; negative is ahead."""
    return reference.lag_head.timestamp - head.timestamp


def is_jump(history: Sequence[Observation[HeadSeen]], policy: Policy) -> bool:
    """Whether the head moved so far since the last poll that the node may serve another chain."""
    if not history[1:]:
        return False
    newest, before = history[-1].seen, history[-2].seen
    if isinstance(newest, Unseen) or isinstance(before, Unseen):
        return False
    return abs(newest.head.number - before.head.number) > policy.jump_blocks


def _compare(subject: str, head: Head, context: Round, policy: Policy, said: Evidence) -> Finding:
    reference = context.reference
    assert isinstance(reference, Reference), "the judge has looked"
    lag = lag_of(head, reference)
    level, reason = Level.OK, "in_step"
    if lag >= policy.lag_blocks:
        agreed = reference.head.number - head.number >= policy.lag_blocks
        certain = agreed and reference.confidence != "low"
        level, reason = (Level.FAILED if certain else Level.DEGRADED), "behind"
    elif -lag >= policy.lag_blocks + policy.confirmations:
        # References may simply be late together; but a head that nobody else has is worth a look.
        level, reason = Level.DEGRADED, "ahead"
    seconds = lag_seconds_of(head, reference)
    where = "behind" if lag > 0 else "ahead of"
    summary = (
        f"block {head.number}, {abs(lag)} blocks ({abs(seconds)} s) {where} the references "
        f"at {reference.lag_head.number}"
        if lag
        else f"block {head.number}, level with the references"
    )
    return Finding(
        check=CHECK,
        subject=subject,
        network=context.network,
        level=level,
        reason=reason,
        summary=summary,
        measured=float(lag),
        limit=float(policy.lag_blocks),
        unit="blocks",
        as_of=head.stamp,
        evidence=(
            said,
            Evidence(
                source=f"{context.network} references ({', '.join(reference.voters)})",
                method="quorum",
                said=f"agreed on block {reference.head.number}, lag is measured from "
                f"{reference.lag_head.number}, confidence {reference.confidence}",
                at=context.at,
                block=reference.head.stamp,
                threshold=policy.lag_words,
                p_value=lag_p_value(policy.profile, lag) if lag > 0 else None,
            ),
        ),
    )
