"""The account above its slots: gaps in its nonces, the local node's count, conflicts, the worst.

Pure. S1 to S3 are the last rows of the decision table (see `decide`); they are about nonces, and
hold before any hash is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from monitor.model import Evidence, Level
from monitor.transactions.cases import Gap
from monitor.transactions.sentences import count, of_counts
from monitor.transactions.signals import AccountSignals, in_a_row, seen
from monitor.transactions.words import (
    AccountCounters,
    AccountDecision,
    Decision,
    Slot,
    State,
)

GAP_NONCES_MAX = 1000
"""So many missing nonces are named; whoever signs with a nonce of 2^60 makes no longer list."""
ROUNDS = 2
"""A difference is told when it has lasted for so many (S1, S2), and so is a gap.

A node may be a block behind the others, and of two transactions sent at once the later may come in
first.
"""


class Nonces:
    """One walk up an account's nonces: what is missing below each slot. Mutable, used once."""

    def __init__(
        self, account: AccountSignals, slots: Sequence[Slot], before: AccountCounters
    ) -> None:
        """`slots` by nonce, as they are then walked."""
        self._account = account
        self._before = before
        self.gap_nonce: int | None = None
        self.gap_rounds = 0
        self._expected = account.nonce
        self._missing: list[int] = []
        self._highest_live = -1
        self._gap: Gap | None = None
        self.lowest = _lowest(account, slots)
        self._highest = max((slot.nonce for slot in slots if slot.attempts), default=-1)

    def is_followed(self, slot: Slot) -> bool:
        """Whether a known transaction waits for a nonce."""
        return slot.nonce < self._highest

    def gap_below(self, slot: Slot) -> Gap | None:
        """The lowest gap below a slot, whose nonce is not below the one before."""
        if self._expected is not None and self._expected < slot.nonce:
            room = GAP_NONCES_MAX - len(self._missing)
            for nonce in islice(self._account.dead(self._expected, slot.nonce), room):
                if self._has_lasted(nonce):
                    self._add(nonce, has_raw=False)
        return self._gap

    def _has_lasted(self, nonce: int) -> bool:
        """Whether the lowest nonce without a slot and without anything live is so for long."""
        if self.gap_nonce is None:
            before = self._before
            self.gap_nonce = nonce
            self.gap_rounds = in_a_row(
                before.gap_rounds if before.gap_nonce == nonce else 0,
                is_so=True,
                is_new=_is_new(self._account, before),
            )
        return self.gap_rounds >= ROUNDS

    def _add(self, nonce: int, *, has_raw: bool) -> None:
        # Of several, the one that nothing here can close is what is told.
        if self._gap is None or (self._gap.has_raw and not has_raw):
            self._gap = Gap(nonce, has_raw)
        if not has_raw:
            self._missing.append(nonce)

    def passed(self, slot: Slot, decision: Decision) -> None:
        """Go on above a slot of which this was decided."""
        if self._expected is None or slot.nonce < self._expected:
            return
        self._expected = slot.nonce + 1
        is_gone = decision.state in {State.DROPPED, State.LOST}
        is_empty = decision.state is State.GAP and not slot.attempts
        if (is_gone or is_empty) and not self._account.is_counted(slot.nonce):
            self._add(slot.nonce, has_raw=slot.has_raw)
        else:
            self._highest_live = slot.nonce

    @property
    def missing(self) -> tuple[int, ...]:
        """Nonces below a live one at which nothing is live and of which there are no bytes."""
        return tuple(nonce for nonce in self._missing if nonce < self._highest_live)


def _lowest(account: AccountSignals, slots: Sequence[Slot]) -> int | None:
    """The lowest nonce that is not known to be used; without a quorum, that never was mined."""
    if account.nonce is None:
        return next((slot.nonce for slot in slots if slot.mined_hash is None), None)
    return next((slot.nonce for slot in slots if slot.nonce >= account.nonce), None)


# -- S1 to S3 ------------------------------------------------------------------------------------


def ahead(account: AccountSignals) -> int | None:
    """S1: how many nonces the local node counts beyond every reference; None: not known."""
    local = None if account.local is None else seen(account.local.nonce_pending)
    counts = [seen(view.nonce_pending) for view in account.round_.references]
    known = [number for number in counts if number is not None]
    if account.is_blind or local is None or not known:
        return None
    return max(0, local - max(known))


def _unexplained(account: AccountSignals, slots: Sequence[Slot]) -> int:
    """Of the nonces that only the local node counts, those of which no transaction is known."""
    more, local = ahead(account), account.local
    counted_locally = None if local is None else seen(local.nonce_pending)
    if more is None or counted_locally is None:
        return 0
    alone = range(counted_locally - more, counted_locally)
    return more - sum(slot.nonce in alone for slot in slots if slot.attempts)


def is_stale(account: AccountSignals) -> bool | None:
    """S2: whether the local node's next nonce is one that the network has used; None: unknown."""
    local = None if account.local is None else seen(account.local.nonce_pending)
    if account.is_blind or local is None or account.nonce is None:
        return None
    return local < account.nonce


def conflicts(account: AccountSignals, slots: Sequence[Slot]) -> tuple[int, ...]:
    """S3: nonces that the sender signed twice, or at which the local pool has another hash."""
    found = set()
    known: dict[int, Slot] = {}
    for slot in slots:
        known[slot.nonce] = slot
        if len(slot.attempts) > 1:
            observed = {one.hash for one in slot.attempts if one.kind == "observed"}
            if len(observed) > 1:
                found.add(slot.nonce)
    for nonce, listed in account.pool_hashes.items():
        slot_there = known.get(nonce)
        if slot_there is not None and not listed <= {one.hash for one in slot_there.attempts}:
            found.add(nonce)
    return tuple(sorted(found))


def _is_new(account: AccountSignals, before: AccountCounters) -> bool:
    """Whether the network has a new head, so that this round counts."""
    head = account.round_.head
    return head is not None and head.number > before.counted_number


def counted(account: AccountSignals, nonces: Nonces, before: AccountCounters) -> AccountCounters:
    """The counters of an account with this round; on weak evidence nothing is counted."""
    head = account.round_.head
    if account.is_blind or head is None:
        return before
    is_new = _is_new(account, before)
    more = ahead(account)
    is_ahead = None if more is None else more > 0
    return AccountCounters(
        counted_number=max(head.number, before.counted_number),
        ahead_rounds=in_a_row(before.ahead_rounds, is_so=is_ahead, is_new=is_new),
        stale_rounds=in_a_row(before.stale_rounds, is_so=is_stale(account), is_new=is_new),
        gap_nonce=nonces.gap_nonce if account.sees_gaps else before.gap_nonce,
        gap_rounds=nonces.gap_rounds if account.sees_gaps else before.gap_rounds,
    )


# -- the worst -----------------------------------------------------------------------------------


def judge(
    account: AccountSignals,
    slots: Sequence[Slot],
    decisions: Mapping[int, Decision],
    nonces: Nonces,
    before: AccountCounters,
) -> AccountDecision:
    """The account as its slots and S1 to S3 make it; of two equally bad the first named here."""
    counters = counted(account, nonces, before)
    only_local = (ahead(account) or 0) if counters.ahead_rounds >= ROUNDS else 0
    stale = is_stale(account) is True and counters.stale_rounds >= ROUNDS
    twice = conflicts(account, slots)
    found = [_worst(slots, decisions)]
    if stale:
        found.insert(0, (Level.FAILED, "nonce_reused", _reuse(account), of_counts(account)))
    if twice:
        words = f"different transactions were signed for nonce {twice[0]}{_others(len(twice))}"
        found.append((Level.DEGRADED, "conflict", words, of_counts(account)))
    strange = _unexplained(account, slots) if only_local else 0
    if strange:
        words = (
            f"the local node counts {count(only_local, 'nonce')} that no reference does, "
            f"and of {strange} no transaction is known"
        )
        found.append((Level.DEGRADED, "local_ahead", words, of_counts(account)))
    level, reason, summary, evidence = max(found, key=lambda one: one[0])
    return AccountDecision(
        level=level,
        reason=reason,
        summary=summary,
        slots=decisions,
        evidence=evidence,
        nonce_network=account.nonce,
        lowest=nonces.lowest,
        gap_nonces=nonces.missing,
        local_only=only_local,
        is_local_stale=stale,
        conflicts=twice,
        counters=counters,
    )


Condition = tuple[Level, str, str, tuple[Evidence, ...]]
"""Level, slug, sentence, evidence."""


def _worst(slots: Sequence[Slot], decisions: Mapping[int, Decision]) -> Condition:
    """The worst slot, of equals the lowest nonce; where all are well, how many there are."""
    if not slots:
        return (Level.OK, "idle", "nothing is on its way", ())
    level = max(decisions[slot.id].level for slot in slots)
    worst = [slot for slot in slots if decisions[slot.id].level is level]
    first = decisions[worst[0].id]
    if level is Level.OK:
        words = f"{len(slots)} on their way or not final, all well; nonce {worst[0].nonce}: "
        return (level, "under_way", words + first.summary, first.evidence)
    words = f"nonce {worst[0].nonce}{_others(len(worst))}: {first.summary}"
    return (level, first.state.value, words, first.evidence)


def _others(number: int) -> str:
    return f" (and {number - 1} more)" if number > 1 else ""


def _reuse(account: AccountSignals) -> str:
    local = None if account.local is None else account.local.nonce_pending
    return (
        f"the local node would hand out nonce {local}, "
        f"and the network has used all below {account.nonce}"
    )
