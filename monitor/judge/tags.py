"""The tags of one node (`latest`, `safe`, `finalized`), against earlier ones and the network's.

A height that one names and the other does not yet is no difference before it has lasted: what is
waited for is the oldest that is outstanding, so that steps of finality, long or short, are the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.judge.quorum import Round, believed_hash, votes
from monitor.model import BlockNumber, Hash32, Head, Reference, Unseen


@dataclass(frozen=True, slots=True)
class Tags:
    """What an endpoint named at one moment (execution-apis, block tags)."""

    latest: Head
    safe: Head | Unseen | None
    """None: it has no such block."""
    finalized: Head | None


@dataclass(frozen=True, slots=True)
class Wait:
    """A height that one names and the other does not, and since when."""

    number: BlockNumber
    since: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A block that the node calls final, and what the references have at its height."""

    mine: Head
    theirs: Hash32
    allies: tuple[str, ...]
    """Operators that name the node's."""


@dataclass(frozen=True, slots=True)
class FinalitySeen:
    """The tags of one moment, and what of earlier ones they are held against.

    Of the references together `latest` is their head, and there are no other tags than `theirs`.
    """

    at: float
    tags: Tags
    theirs: BlockNumber | None
    """Up to here a majority of the references calls blocks final; None while that is not known."""
    compared: Compared | None = None
    promised: Head | None = None
    """The highest block that it has called final, and the references too."""
    promised_safe: Head | None = None
    """The highest that it has called safe, at or below the references' head."""
    behind: Wait | None = None
    """What the references call final and it does not."""
    ahead: Wait | None = None
    """What it calls final and the references do not."""
    back: Wait | None = None
    """What it has called final and does not any more."""
    back_safe: Wait | None = None

    is_replaced: bool = False
    """It names another block of a height that it had called final, and the references none."""

    @property
    def is_refuted(self) -> bool:
        """Whether the references have another block at the height of what it calls final."""
        return self.compared is not None and self.compared.theirs != self.compared.mine.hash

    @property
    def is_confirmed(self) -> bool:
        """Whether the references have the very block that it calls final."""
        held = self.compared
        return (
            held is not None and held.mine == self.tags.finalized and held.theirs == held.mine.hash
        )

    def waited(self, wait: Wait | None) -> float:
        """Seconds since; 0 where nothing is waited for."""
        return 0.0 if wait is None else self.at - wait.since


def compared(finals: Sequence[Head | None], round_: Round) -> Compared | None:
    """The first of these blocks at whose height the references agree on a hash."""
    for mine in finals:
        theirs = None if mine is None else believed_hash(round_, mine.number)
        if mine is not None and theirs is not None:
            cast = votes(round_.admitted, mine.number)
            allies = tuple(sorted(op for op, said in cast.items() if said == mine.hash))
            return Compared(mine, theirs, allies)
    return None


def held_against(
    before: FinalitySeen | None,
    seen: FinalitySeen,
    round_: Round,
) -> FinalitySeen:
    """What was seen now, against what the node said before and what the references say."""
    tags, theirs, at = seen.tags, seen.theirs, seen.at
    reference = round_.reference
    top = reference.head.number if isinstance(reference, Reference) else None
    mine = tags.finalized
    last = before or seen
    promised = _promised(last.promised, None if seen.is_refuted else mine, theirs)
    safe = tags.safe if isinstance(tags.safe, Head) else None
    promised_safe = _promised(last.promised_safe, safe, top)
    is_replaced = _is_replaced(promised, mine) and not seen.is_confirmed
    if mine is not None and seen.is_confirmed and _is_replaced(promised, mine):
        promised = mine
    return replace(
        seen,
        is_replaced=is_replaced,
        promised=promised,
        promised_safe=promised_safe,
        behind=_wait(last.behind, theirs, _number(mine), at),
        ahead=None if theirs is None else _wait(last.ahead, _number(mine), theirs, at),
        back=None if mine is None else _wait(last.back, _number(promised), _number(mine), at),
        back_safe=None
        if isinstance(tags.safe, Unseen)
        else _wait(last.back_safe, _number(promised_safe), _number(safe), at),
    )


def _is_replaced(promised: Head | None, mine: Head | None) -> bool:
    if promised is None or mine is None:
        return False
    return promised.number == mine.number and promised.hash != mine.hash


def _number(head: Head | None) -> BlockNumber | None:
    return None if head is None else head.number


def _promised(before: Head | None, mine: Head | None, bound: int | None) -> Head | None:
    """The higher of the two that lies within the bound: what goes beyond it was no promise.

    Without the bound what is beyond cannot be told, and nothing is kept (it could veto for ever).
    """
    within = [h for h in (before, mine) if h is not None and bound is not None]
    within = [h for h in within if bound is not None and h.number <= bound]
    return max(within, key=lambda head: head.number, default=None)


def _wait(
    before: Wait | None, there: BlockNumber | None, here: BlockNumber | None, at: float
) -> Wait | None:
    """For what is waited that is named there and not here: the oldest that is still outstanding."""
    if there is None or (here is not None and here >= there):
        return None
    if before is not None and (here is None or here < before.number) and before.number <= there:
        return before
    return Wait(there, at)
