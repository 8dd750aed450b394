"""reorg: has the chain, or the node alone, replaced blocks, and how many?

What is remembered for so long that it is of use afterwards: a reorg is over when it is seen. One
that is no deeper than the chain's own mostly are is counted and nothing more. A deep one of the
chain is told of the references together; the same at a node that went along is no fault of the
node. What a node alone had and left, it should have told nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import STALL_BUDGET_DAYS, Policy
from monitor.judge.quorum import CONTESTED_DEPTH, NoQuorum, Round, believed_hash
from monitor.judge.trace import Block, Reorg, ReorgSeen
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

CHECK = "reorg"
METHOD = "eth_getBlockByNumber"
FINAL = "finalized_reorged"
HELD_CONFIRMATIONS = 10
"""A reorg is told for so many times the confirmations of the profile, in blocks after it: who holds
receipts of a block that was replaced has by then long seen it confirmed or not."""

OFFERS: tuple[Offer[ReorgSeen], ...] = (
    Offer(
        "reorg.deepest_blocks",
        "blocks",
        "Blocks that the deepest of the node's latest reorgs replaced; 0 without any",
    ),
    Offer(
        "reorg.chain_deepest_blocks",
        "blocks",
        "Blocks that the deepest of the chain's latest reorgs replaced; 0 without any",
        subjects="quorum",
    ),
)


def held_blocks(policy: Policy) -> int:
    """For how many blocks after it a reorg is told."""
    return HELD_CONFIRMATIONS * policy.confirmations


def is_with_references(chain: Sequence[Block], context: Round) -> bool | None:
    """Whether the chain as it is remembered now is the references'; None where nobody can say.

    It is compared below the tip, which may be in flight, at the highest block they name.
    """
    settled = [b for b in chain if b.number <= chain[-1].number - CONTESTED_DEPTH] or chain
    for block in reversed(settled):
        believed = believed_hash(context, block.number)
        if believed is not None:
            return believed == block.hash
    return None


def judge(
    history: Sequence[Observation[ReorgSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is the depth of the deepest of the latest reorgs, 0 without any.

    FAILED: a node whose chain is not the references' left blocks that it had called final; or the
    references together did. DEGRADED: `policy.reorg_blocks` deep and the chain's, or the node's
    alone. UNKNOWN: no chain was followed.
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
        reason="no_reorg",
        summary=f"no reorg in the last {held_blocks(policy)} blocks, {seen.total} in all",
        measured=0.0,
        limit=float(policy.reorg_blocks),
        unit="blocks",
    )
    is_quorum = newest.node == reference_label(context.network)
    if is_quorum and isinstance(context.reference, NoQuorum):
        summary = f"no chain to follow: {context.reference.words}"
        return (
            replace(blank, level=Level.UNKNOWN, reason="no_quorum", summary=summary, measured=None),
        )
    latest = _latest(seen, policy)
    if not latest:
        return (blank,)
    found = [(_of_chain if is_quorum else _of_node)(r, seen, context, policy) for r in latest]
    level, reason, reorg = max(found, key=lambda one: (one[0], one[2].depth_blocks, one[2].at))
    deepest = max(reorg.depth_blocks for reorg in latest)
    return (
        replace(
            blank,
            level=level,
            reason=reason,
            summary=_words(reorg, reason),
            measured=float(deepest),
            evidence=(_evidence(newest, reorg, policy),),
        ),
    )


def _latest(seen: ReorgSeen, policy: Policy) -> tuple[Reorg, ...]:
    if not seen.chain:
        return ()
    tip = seen.chain[-1].number
    return tuple(r for r in seen.reorgs if tip - r.new.number < held_blocks(policy))


Told = tuple[Level, str, Reorg]


def _is_sure(context: Round) -> bool:
    reference = context.reference
    return isinstance(reference, Reference) and reference.confidence != "low"


def _of_chain(reorg: Reorg, seen: ReorgSeen, context: Round, policy: Policy) -> Told:
    del seen
    if reorg.is_final:
        return (Level.FAILED if _is_sure(context) else Level.DEGRADED), FINAL, reorg
    if reorg.depth_blocks >= policy.reorg_blocks:
        return Level.DEGRADED, "deep_reorg", reorg
    return Level.OK, "reorg", reorg


def _of_node(reorg: Reorg, seen: ReorgSeen, context: Round, policy: Policy) -> Told:
    if reorg.is_final:
        # What it is on now came of its last reorg: whether that is the network's can be seen.
        is_last = reorg == seen.reorgs[-1]
        if is_last and is_with_references(seen.chain, context) is False:
            return (Level.FAILED if _is_sure(context) else Level.DEGRADED), FINAL, reorg
        if reorg.is_own is not False:
            return Level.DEGRADED, FINAL, reorg
    if reorg.depth_blocks < policy.reorg_blocks:
        return Level.OK, "reorg", reorg
    if reorg.is_own is None:
        return Level.OK, "unplaced_reorg", reorg
    if reorg.is_own:
        return Level.DEGRADED, "own_reorg", reorg
    return Level.OK, "chain_reorg", reorg


_WHOSE = {
    FINAL: ", of which some had been called final",
    "own_reorg": "; the references never had them",
    "chain_reorg": "; the references had them too",
    "unplaced_reorg": "; whether the references had them was not seen",
}


def _words(reorg: Reorg, reason: str) -> str:
    count = "1 block" if reorg.depth_blocks == 1 else f"{reorg.depth_blocks} blocks"
    return (
        f"{count} up to {reorg.old.number} gave way to the chain of block "
        f"{reorg.new.number}{_WHOSE.get(reason, '')}"
    )


def _evidence(newest: Observation[ReorgSeen], reorg: Reorg, policy: Policy) -> Evidence:
    common = "none that is remembered" if reorg.common is None else f"{reorg.common.number}"
    return Evidence(
        source=newest.node,
        method=METHOD,
        said=f"block {reorg.old.number} {short(reorg.old.hash)} was replaced by the chain of "
        f"{reorg.new.number} {short(reorg.new.hash)}; the last common block is {common}",
        at=reorg.at,
        threshold=f"{policy.reorg_blocks} blocks ({policy.label}: {_why(policy)}); told for "
        f"{held_blocks(policy)} blocks, {HELD_CONFIRMATIONS} times its confirmations",
    )


def _why(policy: Policy) -> str:
    rate = policy.profile.fork_rate
    if rate is None:
        return "more than is usual on this chain"
    if rate == 0:
        return "this chain makes no reorgs of its own"
    return f"less than once in {STALL_BUDGET_DAYS:g} days"
