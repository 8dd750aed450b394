"""references: can the references be believed, each of them and all together?

A reference that lies is an outlier of its own and moves no node's verdict. When no strict majority
of operators agrees, the answer is "could not see", never a node's fault.
"""

from __future__ import annotations

from collections.abc import Sequence

from monitor.judge.profiles import Policy
from monitor.judge.quorum import CONTESTED_DEPTH, NoQuorum, Round, Witness, believed_hash
from monitor.judge.seen import HeadSeen
from monitor.model import (
    Evidence,
    Finding,
    Level,
    Observation,
    Reference,
    Unseen,
    reference_label,
    short,
    subject_of,
)

CHECK = "references"


def judge(
    history: Sequence[Observation[HeadSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: of a single reference, or of the quorum when the history is its trail.

    A single reference is UNKNOWN when it did not answer and DEGRADED when its word is refused or
    stands alone; neither decides a gate. The quorum is UNKNOWN when there is none, which does.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    if newest.node == reference_label(context.network):
        return (_quorum(newest, context),)
    for witness in context.witnesses:
        if reference_label(context.network, witness.name) == newest.node:
            return (_single(newest, witness, context, policy),)
    return ()


def _quorum(newest: Observation[HeadSeen], context: Round) -> Finding:
    reference = context.reference
    if isinstance(reference, NoQuorum):
        return Finding(
            check=CHECK,
            subject=subject_of(newest.node),
            network=context.network,
            level=Level.UNKNOWN,
            reason=reference.reason,
            summary=reference.summary,
            measured=float(len({witness.operator for witness in context.admitted})),
            limit=float(context.need),
            unit="operators",
            evidence=tuple(_said(witness, context) for witness in context.witnesses),
        )
    agreeing = len(reference.voters)
    summary = (
        f"{agreeing} of {context.operators} operators agree on block {reference.head.number}, "
        f"confidence {reference.confidence}"
    )
    return Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.OK,
        reason="agreed",
        summary=summary,
        measured=float(agreeing),
        limit=float(context.need),
        unit="operators",
        as_of=reference.head.stamp,
        evidence=tuple(_said(witness, context) for witness in context.witnesses),
    )


def _said(witness: Witness, context: Round) -> Evidence:
    seen = witness.head.seen
    if isinstance(seen, Unseen):
        said = f"nothing: {seen.detail}"
        block = None
    else:
        said = f"block {seen.head.number}, {short(seen.head.hash)}"
        block = seen.head.stamp
    if witness.name in context.refused and block is not None:
        said += f"; not counted: {context.refused[witness.name][1]}"
    return Evidence(
        source=f"{reference_label(context.network, witness.name)} ({witness.operator})",
        method="eth_getBlockByNumber(latest)",
        said=said,
        at=witness.head.at,
        block=block,
    )


def _single(
    newest: Observation[HeadSeen], witness: Witness, context: Round, policy: Policy
) -> Finding:
    seen = witness.head.seen
    measured: float | None = None
    limit: float | None = None
    unit = ""
    if isinstance(seen, Unseen):
        level, reason = Level.UNKNOWN, str(seen.reason)
        summary = f"its head could not be seen: {seen.detail}"
    elif witness.name in context.refused:
        reason, sentence = context.refused[witness.name]
        level = Level.UNKNOWN if reason in {"identity_unseen", "no_identity"} else Level.DEGRADED
        summary = f"not counted: {sentence}"
    elif isinstance(context.reference, NoQuorum):
        level, reason = Level.OK, "answers"
        summary = f"at block {seen.head.number}; there is no majority to compare it with"
    else:
        level, reason, summary = _outlier(seen, witness, context, context.reference, policy)
        measured = float(context.reference.head.number - seen.head.number)
        limit, unit = float(policy.lag_blocks), "blocks"
    return Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=level,
        reason=reason,
        summary=summary,
        measured=measured,
        limit=limit,
        unit=unit,
        as_of=None if isinstance(seen, Unseen) else seen.head.stamp,
        evidence=(_said(witness, context),),
    )


def _outlier(
    seen: HeadSeen, witness: Witness, context: Round, reference: Reference, policy: Policy
) -> tuple[Level, str, str]:
    number = seen.head.number
    agreed = reference.head.number
    # With fewer than three the highest head is the lag head itself: it vouches for nobody.
    others = reference.lag_head if reference.confidence == "high" else reference.head
    if number - others.number >= policy.lag_blocks:
        ahead = number - others.number
        return (
            Level.DEGRADED,
            "ahead",
            f"names block {number}, {ahead} above what any other reference has",
        )
    if agreed - number >= policy.lag_blocks:
        return (
            Level.DEGRADED,
            "behind",
            f"is at block {number}, {agreed - number} behind the majority",
        )
    for point in _settled(number, agreed, witness):
        believed = believed_hash(context, point)
        if believed is None:
            continue
        theirs = witness.chain.hashes[point]
        if theirs == believed:
            break
        return (
            Level.DEGRADED,
            "other_hash",
            f"names {short(theirs)} at block {point}, the majority {short(believed)}",
        )
    else:
        return (Level.OK, "answers", f"at block {number}; no settled hash of it was compared yet")
    return (Level.OK, "agrees", f"at block {number}, with the majority")


def _settled(number: int, agreed: int, witness: Witness) -> list[int]:
    """Heights at which the witness names a hash that can be held against it, the best one first.

    One block at the tip may be in flight, so a difference must reach below it to count: two below
    the common height, or else above that, but two below the witness's own; or else further down.
    """
    best = max(0, min(number, agreed) - CONTESTED_DEPTH)
    highest = max(best, min(number - CONTESTED_DEPTH, agreed))
    named = sorted(n for n in witness.chain.hashes if n <= highest)
    return [*(n for n in named if n >= best), *(n for n in reversed(named) if n < best)]
