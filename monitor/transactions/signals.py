"""What one round says of an account and of a slot, folded into the signals of the decision table.

Pure. One operator is one vote, however many endpoints it runs; an operator whose endpoints
contradict each other, or one of which could not see, has no vote on that. What `need` operators
say is said by a quorum. Absence is made of answers that say so, never of answers that are missing.

`AccountSignals` is folded once a round; `SlotSignals` for each slot that needs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from monitor.model import Hash32, Unseen
from monitor.transactions.words import (
    AccountRound,
    Attempt,
    PoolEntry,
    Presence,
    Receipt,
    Slot,
    View,
)

T = TypeVar("T", bound=Hashable)
Operators = Mapping[str, Sequence[View]]
Standing = Receipt | Literal["mined", "out"] | None
"""Whether a view has a slot in a block: with its receipt, without it, not at all; None: unknown."""
RANKS: tuple[Presence, ...] = ("mined", "pending", "queued")
"""A slot with several attempts stands where the first of these says."""


# -- votes ---------------------------------------------------------------------------------------


def votes(operators: Operators, said: Callable[[View], T | None]) -> dict[str, T]:
    """What each operator says; `said` is None where a view cannot say."""
    cast = {}
    for operator, views in operators.items():
        answers = {said(view) for view in views}
        only = answers.pop()
        if only is not None and not answers:
            cast[operator] = only
    return cast


def named(cast: Mapping[str, T], need: int) -> T | None:
    """The value that at least `need` operators name, or None; a strict majority names one."""
    return next((value for value, count in Counter(cast.values()).items() if count >= need), None)


def reached(cast: Mapping[str, int], need: int) -> int | None:
    """The highest value that at least `need` operators have reached; None if too few say one.

    That is the value they name where they agree, and where their heads differ by a block the one
    that a majority has got to.
    """
    descending = sorted(cast.values(), reverse=True)
    return descending[need - 1] if len(descending) >= need else None


def in_a_row(before: int, *, is_so: bool | None, is_new: bool) -> int:
    """Rounds in a row with this one; a round counts once for each new head of the network.

    What cannot be known now (None) is neither counted nor begun anew.
    """
    if is_so is False:
        return 0
    return before + 1 if is_so and is_new else before


# -- what one view says --------------------------------------------------------------------------


def seen(value: int | Unseen | None) -> int | None:
    """A number, or None where it was not asked or could not be seen."""
    return value if isinstance(value, int) else None


def standing(view: View, slot: Slot) -> Standing:
    """Whether one view has any attempt of the slot in a block; `out` only if all are answered.

    Two attempts of one nonce cannot both be in a chain: nothing is made of a view that says so.
    """
    each = [_standing(view, attempt.hash) for attempt in slot.attempts]
    inside = [one for one in each if one is not None and one != "out"]
    if len(inside) == 1:
        return inside[0]
    return None if inside or None in each else "out"


def _standing(view: View, tx_hash: Hash32) -> Standing:
    presence = view.presence.get(tx_hash)
    if tx_hash in view.receipts:
        receipt = view.receipts[tx_hash]
        if receipt is None:
            # In a block by its hash and without a receipt: an index that is being written.
            return None if presence == "mined" else "out"
        return None if isinstance(receipt, Unseen) else receipt
    if presence is None or isinstance(presence, Unseen):
        return None
    return "mined" if presence == "mined" else "out"


def presence_of(
    view: View, attempts: Sequence[Attempt], pool: Mapping[Hash32, Presence]
) -> Presence | None:
    """How one view has a slot: the first of `RANKS` that it says of any attempt, or `absent`.

    None where that cannot be said. What its `pool` lists it has, whatever it says of the hash.
    """
    said: set[Presence | None] = set()
    for attempt in attempts:
        answer = view.presence.get(attempt.hash)
        if answer == "mined":
            said.add(answer)
        else:
            seen_answer = None if isinstance(answer, Unseen) else answer
            said.add(pool.get(attempt.hash, seen_answer))
    for rank in RANKS:
        if rank in said:
            return rank
    return "absent" if said == {"absent"} else None


# -- what all say of the account -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountSignals:
    """The signals of one account in one round, whatever the slot."""

    round_: AccountRound
    operators: Operators
    """The fresh references, by operator."""
    local: View | None
    """None where the local node could not be seen."""
    nonce: int | None
    """nl_R, the next nonce of the network: the highest that a quorum has reached."""
    balance_wei: int | None
    """What a quorum says is on the account."""
    pool: Mapping[Hash32, Presence]
    """What the local pool lists."""
    pool_hashes: Mapping[int, frozenset[Hash32]]
    """The same by nonce."""
    pending_highest: int | None
    """The highest pending count that anybody names: below it a nonce is live somewhere."""
    pending_votes: int
    """Operators whose pending counts could be seen."""
    mentioned: frozenset[Hash32]
    """Hashes that anybody has in a block: of all others, rows 1 to 5 have nothing to say."""
    spoken_of: frozenset[Hash32]
    """Hashes that anybody was asked about, or that the local pool lists."""

    @property
    def is_blind(self) -> bool:
        """Row 0: fewer operators are fresh than must agree, or there is no head to stand on."""
        return self.round_.head is None or len(self.operators) < self.round_.need

    @property
    def is_weak(self) -> bool:
        """Whether nothing destructive may follow: as `is_blind`, or one operator is all there is.

        Its word is enough to tell, and not enough to sign for.
        """
        return self.is_blind or self.round_.operators < 2  # noqa: PLR2004 - a second opinion

    @property
    def sees_gaps(self) -> bool:
        """Whether it could be known that a nonce is missing; if not, none is."""
        is_seen = self.local is not None and self.pending_votes >= self.round_.need
        return is_seen and self.nonce is not None and not self.is_blind

    def is_counted(self, nonce: int) -> bool:
        """Whether anybody counts, or the local pool lists, a transaction at a nonce."""
        counted = self.pending_highest is not None and nonce < self.pending_highest
        return counted or nonce in self.pool_hashes

    def dead(self, first: int, end: int) -> Iterator[int]:
        """The nonces in a range of which, no hash being known, nothing is live anywhere.

        Nobody counts or lists one, and that is known of a quorum and of the local node. Where its
        pool cannot be listed, its counts say so of one nonce: the next, if it counts none pending.
        """
        local, start = self.local, max(first, self.pending_highest or 0)
        if local is None or not self.sees_gaps:
            return
        if isinstance(local.pool, tuple):
            yield from (nonce for nonce in range(start, end) if nonce not in self.pool_hashes)
        elif local.nonce_latest == local.nonce_pending and start in range(first, end):
            yield from (start,) if start == local.nonce_latest else ()

    def is_dead(self, nonce: int) -> bool:
        """Whether nothing is live anywhere at this nonce; see `dead`."""
        return nonce in self.dead(nonce, nonce + 1)


def fold(round_: AccountRound) -> AccountSignals:
    """The signals of the account that a round makes."""
    operators: dict[str, list[View]] = {}
    for view in round_.references:
        operators.setdefault(view.operator, []).append(view)
    local = round_.local if isinstance(round_.local, View) else None
    everyone = (*round_.references, *(() if local is None else (local,)))
    entries: tuple[PoolEntry, ...] = ()
    if local is not None and isinstance(local.pool, tuple):
        entries = local.pool
    pending = [count for view in everyone if (count := seen(view.nonce_pending)) is not None]
    mentioned = {
        tx_hash
        for view in everyone
        for tx_hash, answer in (*view.receipts.items(), *view.presence.items())
        if isinstance(answer, Receipt) or answer == "mined"
    }
    return AccountSignals(
        round_=round_,
        operators=operators,
        local=local,
        nonce=reached(votes(operators, lambda view: seen(view.nonce_latest)), round_.need),
        balance_wei=named(votes(operators, lambda view: seen(view.balance_wei)), round_.need),
        pool={entry.hash: entry.presence for entry in entries},
        pool_hashes=_by_nonce(entries),
        pending_highest=max(pending, default=None),
        pending_votes=len(
            votes(operators, lambda view: isinstance(view.nonce_pending, int) or None)
        ),
        mentioned=frozenset(mentioned),
        spoken_of=frozenset(
            (
                *(tx_hash for view in everyone for tx_hash in (*view.receipts, *view.presence)),
                *(entry.hash for entry in entries),
            )
        ),
    )


def _by_nonce(entries: Sequence[PoolEntry]) -> Mapping[int, frozenset[Hash32]]:
    found: dict[int, frozenset[Hash32]] = {}
    for entry in entries:
        found[entry.nonce] = found.get(entry.nonce, frozenset()) | {entry.hash}
    return found


# -- what all say of one slot --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotSignals:
    """The signals of one slot in one round."""

    receipt: Receipt | None
    """By a quorum: the same block and the same status."""
    blocks: frozenset[Hash32]
    """The blocks that operators name for it."""
    is_asked: bool
    """Whether any reference was asked about it in this round."""
    local: Presence | None
    """P_L; None where it is not known."""
    local_number: int | None
    """The height at or below which the local node has it in a block."""
    holders: frozenset[str]
    """P_R: operators of which any endpoint has any attempt."""
    absentees: frozenset[str]
    """Operators that say of every attempt that they do not have it."""
    pooled: Mapping[Hash32, int]
    """At how many operators each attempt is pooled."""
    outside: Mapping[str, int]
    """Operators that have no attempt in a block, and the lowest head at which they say so."""
    outside_used: int
    """How many of them say in the same breath that the nonce is used."""
    is_deserted: bool
    """Whether every endpoint, the local node too, says that nothing is at this nonce, the next."""


UNASKED = SlotSignals(
    receipt=None,
    blocks=frozenset(),
    is_asked=False,
    local=None,
    local_number=None,
    holders=frozenset(),
    absentees=frozenset(),
    pooled={},
    outside={},
    outside_used=0,
    is_deserted=False,
)
"""Of a slot that nobody was asked about."""


def fold_slot(slot: Slot, account: AccountSignals) -> SlotSignals:
    """The signals of one slot that a round makes."""
    if slot.attempts and account.spoken_of.isdisjoint(one.hash for one in slot.attempts):
        return UNASKED
    operators, local = account.operators, account.local
    views = account.round_.references
    stands = {id(view): standing(view, slot) for view in views}
    has = {id(view): presence_of(view, slot.attempts, {}) for view in views}
    at_local = None if local is None else presence_of(local, slot.attempts, account.pool)
    blocks = votes(operators, lambda view: _block(stands[id(view)]))
    block = named(blocks, account.round_.need)
    outside = votes(operators, lambda view: stands[id(view)] == "out" or None)
    receipts = (one for one in stands.values() if isinstance(one, Receipt))
    return SlotSignals(
        receipt=next((one for one in receipts if _block(one) == block), None),
        blocks=frozenset(block_hash for _, block_hash, _ in blocks.values()),
        is_asked=any(
            attempt.hash in answers
            for view in views
            for answers in (view.receipts, view.presence)
            for attempt in slot.attempts
        ),
        local=at_local,
        local_number=None if local is None else _number(standing(local, slot), local),
        holders=frozenset(view.operator for view in views if has[id(view)] in RANKS),
        absentees=frozenset(votes(operators, lambda view: has[id(view)] == "absent" or None)),
        pooled=Counter(
            tx_hash
            for of_one in operators.values()
            for tx_hash in {
                attempt.hash
                for view in of_one
                for attempt in slot.attempts
                if view.presence.get(attempt.hash) in RANKS[1:]
            }
        ),
        outside={
            operator: min(view.head.number for view in operators[operator]) for operator in outside
        },
        outside_used=sum(
            all((seen(view.nonce_latest) or 0) > slot.nonce for view in operators[operator])
            for operator in outside
        ),
        is_deserted=account.is_dead(slot.nonce)
        and (at_local == "absent" or not slot.attempts)
        and all(
            view.nonce_latest == view.nonce_pending == slot.nonce
            and (has[id(view)] == "absent" or not slot.attempts)
            for view in views
        ),
    )


def _block(where: Standing) -> tuple[Hash32, Hash32, bool] | None:
    """What a vote on a receipt is about: which attempt, in which block, with which status."""
    if isinstance(where, Receipt):
        return (where.hash, where.block_hash, where.is_success)
    return None


def _number(where: Standing, view: View) -> int | None:
    if isinstance(where, Receipt):
        return where.number
    return view.head.number if where == "mined" else None
