"""fork: is the node on the same chain as its references?

Hashes are compared at the height both have, two below it, and at the node's own finalized block.
A difference at the tip may be a block in flight; one that is `policy.confirmations` blocks old is
a fork; one at or below finality is a disaster and is said at once. The common ancestor is looked
for by a bounded search (`probes/fork`), never from genesis.

Where the references themselves part along client families, nobody is declared wrong (Holesky,
February 2025: the majority was).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.judge.profiles import Policy
from monitor.judge.quorum import (
    CONTESTED_DEPTH,
    NoQuorum,
    Round,
    believed_hash,
    votes,
)
from monitor.judge.seen import Ancestor, Chain, ForkSeen, HeadSeen
from monitor.model import (
    BlockNumber,
    Evidence,
    Finding,
    Hash32,
    Level,
    Observation,
    Reference,
    Unseen,
    subject_of,
)

CHECK = "fork"
SEARCH_BLOCKS_MAX = 256
"""How far below the common height the ancestor is looked for where there is no finality."""


@dataclass(frozen=True, slots=True)
class SearchRange:
    """The common ancestor lies below `highest`, which differs."""

    highest: BlockNumber
    lowest: BlockNumber
    is_common: bool
    """Whether the chains are known to be equal at `lowest`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One height at which the node's hash and the believed one are both known."""

    number: BlockNumber
    mine: Hash32
    theirs: Hash32

    @property
    def differs(self) -> bool:
        return self.mine != self.theirs


def points(seen: HeadSeen, reference: Reference) -> tuple[BlockNumber, ...]:
    """The heights to compare at: common and two below it, and the node's final; highest first.

    The one between is not asked for. Links mostly prove it, and then tell two blocks in flight in a
    row from one fork of two blocks.
    """
    common = min(seen.head.number, reference.head.number)
    wanted = set(range(max(0, common - CONTESTED_DEPTH), common + 1))
    if seen.final is not None and seen.final.number <= reference.head.number:
        wanted.add(seen.final.number)
    return tuple(BlockNumber(number) for number in sorted(wanted, reverse=True))


def compare(seen: HeadSeen, chain: Chain, context: Round) -> tuple[Comparison, ...]:
    """The comparisons that can be made, highest first."""
    if isinstance(context.reference, NoQuorum):
        return ()
    mine = dict(chain.hashes)
    if seen.final is not None:
        mine[seen.final.number] = seen.final.hash
    result = []
    for number in points(seen, context.reference):
        theirs = believed_hash(context, number)
        if number in mine and theirs is not None:
            result.append(Comparison(number, mine[number], theirs))
    return tuple(result)


def search_range(compared: Sequence[Comparison], context: Round) -> SearchRange | None:
    """Where to look for the common ancestor; None when no comparison differs.

    Equal hashes at a height prove the chains equal below it, so the highest of them is a bottom
    that needs no asking. Else the bottom is the references' finalized block, or
    `SEARCH_BLOCKS_MAX` down on a chain without finality.
    """
    different = [c.number for c in compared if c.differs]
    if not different:
        return None
    lowest = different[-1]
    equal = [c.number for c in compared if not c.differs and c.number < lowest]
    if equal:
        return SearchRange(highest=lowest, lowest=equal[0], is_common=True)
    floor = max(0, lowest - SEARCH_BLOCKS_MAX)
    finalized = _finalized(context)
    if finalized is not None and floor < finalized < lowest:
        floor = finalized
    return SearchRange(highest=lowest, lowest=BlockNumber(floor), is_common=False)


def is_current(ancestor: Ancestor, search: SearchRange) -> bool:
    """Whether a parting point found earlier agrees with what this round has shown.

    It lies below what differs, and not below what is known to be equal.
    """
    if ancestor.number is None:
        return not search.is_common
    is_below = ancestor.number < search.highest
    return is_below and (not search.is_common or ancestor.number >= search.lowest)


def _finalized(context: Round) -> int | None:
    """The highest block that a strict majority of operators has finalized, or None."""
    finals: dict[str, int] = {}
    for witness in context.admitted:
        if witness.seen is not None and witness.seen.final is not None:
            number = witness.seen.final.number
            finals[witness.operator] = max(number, finals.get(witness.operator, number))
    descending = sorted(finals.values(), reverse=True)
    return descending[context.need - 1] if len(descending) >= context.need else None


def judge(
    history: Sequence[Observation[ForkSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is the number of blocks since the chains parted, 0 on one chain.

    FAILED: `policy.confirmations` blocks apart, or different at a finalized block. DEGRADED: the
    same with only one reference, or `policy.reorg_blocks` apart but still within the reach of a
    reorg. UNKNOWN: nothing could be compared.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    blank = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.UNKNOWN,
        reason="",
        summary="",
        limit=float(policy.confirmations),
        unit="blocks",
    )
    if isinstance(seen, Unseen):
        return (replace(blank, reason=seen.reason, summary=f"not seen: {seen.detail}"),)
    blank = replace(blank, as_of=seen.head.head.stamp)
    if isinstance(context.reference, NoQuorum):
        summary = f"nothing to compare it with: {context.reference.words}"
        return (replace(blank, reason="no_quorum", summary=summary),)
    compared = compare(seen.head, seen.chain, context)
    if not compared:
        summary = "no height at which both its hash and the references' could be seen"
        return (replace(blank, reason="hash_unseen", summary=summary),)
    different = [c for c in compared if c.differs]
    evidence = tuple(_evidence(newest, c, context, policy) for c in different or compared[:1])
    blank = replace(blank, evidence=evidence)
    if different:
        return (_differs(blank, seen, compared, context, policy),)
    summary = f"same hash as the references at block {compared[0].number}"
    return (replace(blank, level=Level.OK, reason="same_chain", summary=summary, measured=0.0),)


def _differs(
    blank: Finding,
    seen: ForkSeen,
    compared: Sequence[Comparison],
    context: Round,
    policy: Policy,
) -> Finding:
    reference = context.reference
    search = search_range(compared, context)
    assert isinstance(reference, Reference), "without a reference nothing differs"
    assert search is not None, "the judge has looked"
    different = [c for c in compared if c.differs]
    apart, where = _apart(seen, search, reference)
    finalized = seen.head.final
    if finalized is not None and any(c.number <= finalized.number for c in different):
        level, reason = Level.FAILED, "finalized_differs"
    elif apart >= policy.confirmations:
        level, reason = Level.FAILED, "forked"
    elif apart >= policy.reorg_blocks or (seen.ancestor is None and not search.is_common):
        level, reason = Level.DEGRADED, "reorg_or_fork"
    else:
        level, reason = Level.OK, "tip_differs"
    ally = _ally(seen, different[0], context) if level != Level.OK else None
    if ally is not None:
        summary = (
            f"at block {different[0].number} it parts from the references together with {ally}, "
            f"along the {seen.client} client"
        )
        return replace(blank, reason="client_split", summary=summary)
    if reference.confidence == "low":
        level = min(level, Level.DEGRADED)
    summary = f"its hash at block {different[0].number} is not the references'; {where}"
    return replace(blank, level=level, reason=reason, summary=summary, measured=float(apart))


def _apart(seen: ForkSeen, search: SearchRange, reference: Reference) -> tuple[int, str]:
    """Blocks since the chains parted, counted on the longer of the two, and a half-sentence."""
    top = max(seen.head.head.number, reference.head.number)
    ancestor = seen.ancestor
    if ancestor is None or not is_current(ancestor, search):
        # The search found no answer for this round: the lowest difference is what is certain.
        apart = top - search.highest + 1
        return apart, f"they part at block {search.highest} or below"
    if ancestor.number is None:
        apart = top - ancestor.floor
        return apart, f"no common block down to {ancestor.floor}"
    apart = top - ancestor.number
    return apart, f"the last common block is {ancestor.number}, {apart} blocks ago"


def _ally(seen: ForkSeen, difference: Comparison, context: Round) -> str | None:
    """An operator of the node's own client family that names the node's hash, if none contradicts.

    It is the second witness that turns one stray node into a possible client bug.
    """
    if not seen.client:
        return None
    cast = votes(context.admitted, difference.number)
    kin = {op: said for op, said in cast.items() if context.families.get(op) == seen.client}
    if kin and all(said == difference.mine for said in kin.values()):
        return min(kin)
    return None


def _evidence(
    newest: Observation[ForkSeen], comparison: Comparison, context: Round, policy: Policy
) -> Evidence:
    cast = votes(context.admitted, comparison.number)
    agreeing = sorted(op for op, said in cast.items() if said == comparison.theirs)
    return Evidence(
        source=newest.node,
        method="eth_getBlockByNumber",
        said=f"block {comparison.number} is {comparison.mine} here and {comparison.theirs} "
        f"at {', '.join(agreeing)}",
        at=newest.at,
        threshold=policy.fork_words,
    )
