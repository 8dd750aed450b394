"""One watched account in memory: its live slots, what was decided of them, what is asked next.

The journal is the truth; this is what a round works on. Everything here is rebuilt from the journal
when a process begins.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from monitor.config.transactions import Account
from monitor.model import AccountFacts, Hash32, Level, SlotFacts, Unseen
from monitor.transactions.inclusion import Inclusion
from monitor.transactions.rules import Rules
from monitor.transactions.sight import Question
from monitor.transactions.words import (
    TERMINAL,
    AccountCounters,
    AccountDecision,
    AccountRound,
    Consumer,
    Counters,
    Decision,
    Slot,
    State,
    View,
)

IDLE_SECONDS = 30.0
"""How often the references are asked about an account of which nothing is on its way."""
BLIND_SECONDS = 10.0
"""The same while something is on its way, and the references name no head to go by."""
RECEIPTS_A_ROUND_MAX = 64
EARLY_DEPTH = 3
LATER_DEPTHS = 8
"""A mined transaction is looked at in each of its first blocks, then in every eighth."""
POOLED = frozenset({"pending", "queued"})
SLOTS_SHOWN_MAX = 30
EXPOSED_BLOCKS_MAX = 50
"""So many blocks between two looks are counted, and no more."""
SLOW = "inclusion_slow"
AFTERMATH_SECONDS = 600.0
"""How long a bad end is told: long enough for a level to open, and for somebody to look."""
IN_BLOCK = frozenset({State.MINED, State.REVERTED, State.LOCAL_LAG})
"""States in which the network has it in a block, as far as was seen last."""


def day_of(at: float) -> str:
    """The UTC day that budgets are counted by."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date().isoformat()


@dataclass(slots=True)
class Ward:
    """One account under watch. Mutable, and the keeper's alone."""

    account: Account
    rules: Rules
    network: str
    slots: dict[int, Slot] = field(default_factory=dict)
    """Live ones, by nonce."""
    counters: dict[int, Counters] = field(default_factory=dict)
    account_counters: AccountCounters = field(default_factory=AccountCounters)
    decision: AccountDecision | None = None
    round: AccountRound | None = None
    consumers: dict[int, Consumer] = field(default_factory=dict)
    """Who took the nonce of a slot, as last found."""
    searched: dict[int, int] = field(default_factory=dict)
    """The height at which nobody was found to have taken the nonce of a slot."""
    unnamed: dict[int, int] = field(default_factory=dict)
    """The final block up to which the nonce of a slot was taken, by what nobody can show."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Why a slot's transaction reverted."""
    notes: dict[int, str] = field(default_factory=dict)
    """What was last done, or withheld, for a slot: the end of its sentence."""
    trouble: str | None = None
    """Why its last round failed in the journal, and that of other accounts did not."""
    capped: tuple[str, str] | None = None
    """Why nothing could be signed in the last round: a slug, and the sentence."""
    aftermath: dict[int, tuple[float, State, Level, str]] = field(default_factory=dict)
    """Slots that were closed badly, and until when that is told."""
    network_nonce: int | None = None
    """The next nonce by a quorum of references, as last seen."""
    asked_number: int | None = None
    """The network's height when the references were last asked."""
    asked_at: float | None = None
    is_urgent: bool = False
    """Something was sent or came in: the next round asks, whatever the height."""
    local_counts: tuple[int | Unseen, int | Unseen] | None = None
    """The next nonces, latest and pending, as its own node said them last."""
    inclusion: Inclusion | None = None
    """Whether blocks take what pays enough; None until the chain's profile is known."""
    exposed: tuple[int, int] | None = None
    """The slot that waited at the last head, and that head's height."""
    is_weak: bool = False
    budget_spent_wei: int = 0

    def put(self, slot: Slot) -> None:
        """A slot as the journal has it now; a closed one leaves."""
        if slot.closed_at is not None:
            self.drop(slot)
        else:
            self.slots[slot.nonce] = slot

    def fails(self, trouble: str) -> bool:
        """Its round failed in the journal; whether that is news, and not what was so before."""
        is_news = trouble != self.trouble
        self.trouble = trouble
        return is_news

    def drop(self, slot: Slot) -> None:
        """Forget a slot that is closed."""
        self.slots.pop(slot.nonce, None)
        found = (self.consumers, self.searched, self.unnamed)
        for memory in (self.counters, *found, self.reasons, self.notes):
            memory.pop(slot.id, None)

    def is_due(self, number: int | None, now: float) -> bool:
        """Whether the references are to be asked in this round."""
        if self.asked_at is None or self.is_urgent or now - self.asked_at >= IDLE_SECONDS:
            return True
        if not self.slots:
            return False
        if number is None:
            return now - self.asked_at >= BLIND_SECONDS
        return number != self.asked_number

    def counted(self, view: View) -> None:
        """The account's own node counts otherwise than before: the next round asks everybody.

        That is a transaction which no pool of it may ever have shown, as on a private fork.
        """
        counts = (view.nonce_latest, view.nonce_pending)
        if self.local_counts not in {None, counts}:
            self.is_urgent = True
        self.local_counts = counts

    @property
    def lowest(self) -> Slot | None:
        """The slot of the lowest nonce that the network has not used, as far as is known."""
        known = self.network_nonce or 0
        waiting = [nonce for nonce in self.slots if nonce >= known]
        return self.slots[min(waiting)] if waiting else None

    def question(
        self,
        number: int | None,
        final_number: int | None,
        believed: Callable[[int], Hash32 | None] = lambda number: None,
    ) -> Question:
        """What every endpoint is asked: the lowest nonce's hashes, and the receipts that are due.

        Later nonces are merely blocked: they cost nothing. `believed` is the hash that a majority
        names at a height, where it has named one lately.
        """
        lowest = self.lowest
        hashes = () if lowest is None else tuple(one.hash for one in lowest.attempts)
        mined: list[Hash32] = []
        for nonce in sorted(n for n in self.slots if n < (self.network_nonce or 0)):
            slot = self.slots[nonce]
            theirs = None if slot.mined_number is None else believed(slot.mined_number)
            is_gone = theirs not in {None, slot.mined_hash}
            if is_gone or self._is_receipt_due(slot, number, final_number):
                mined.extend(one.hash for one in slot.attempts)
            if len(mined) >= RECEIPTS_A_ROUND_MAX:
                break
        if lowest is not None and (lowest.mined_hash is not None or lowest.state in IN_BLOCK):
            mined.extend(hashes)
        return Question(self.account.address, hashes, tuple(dict.fromkeys(mined)))

    def mined_locally(self, view: View | Unseen | None) -> tuple[Hash32, ...]:
        """Hashes that its own node has in a block and the network does not: they cost nobody.

        On a private fork that may be many, and each of them is to be sent to the network.
        """
        if not isinstance(view, View) or not isinstance(view.nonce_latest, int):
            return ()
        known = self.network_nonce or 0
        there = [n for n in sorted(self.slots) if known <= n < view.nonce_latest]
        return tuple(
            attempt.hash
            for nonce in there[:RECEIPTS_A_ROUND_MAX]
            for attempt in self.slots[nonce].attempts
        )

    def _is_receipt_due(self, slot: Slot, number: int | None, final_number: int | None) -> bool:
        if slot.state not in IN_BLOCK or slot.mined_number is None or number is None:
            return True
        if final_number is not None and slot.mined_number <= final_number:
            return True
        depth = number - slot.mined_number
        return depth <= EARLY_DEPTH or depth % LATER_DEPTHS == 0

    def hashes_used_below(self, nonce: int, asked: Question) -> tuple[Hash32, ...]:
        """Hashes of slots that turn out to be used, and whose receipts were not asked yet."""
        wanted: list[Hash32] = []
        for used in sorted(n for n in self.slots if n < nonce):
            slot = self.slots[used]
            if slot.state not in IN_BLOCK:
                wanted.extend(one.hash for one in slot.attempts if one.hash not in asked.mined)
            if len(wanted) >= RECEIPTS_A_ROUND_MAX:
                break
        return tuple(wanted)

    def closed(self, slot: Slot, decision: Decision, now: float) -> None:
        """Forget a slot that is closed; what is bad about its end is told for a while."""
        self.drop(slot)
        if decision.level > Level.OK:
            summary = f"nonce {slot.nonce}: {decision.summary}"
            until = now + AFTERMATH_SECONDS
            self.aftermath[slot.id] = (until, decision.state, decision.level, summary)

    def told(self, now: float) -> AccountDecision | None:
        """The decision as people are told it: with what could not be signed, and with bad ends.

        A nonce that another payment took is closed in the moment it is certain: it must be told
        all the same.
        """
        decision = self.decision
        if decision is None:
            return None
        if self.capped is not None and decision.level in {Level.OK, Level.DEGRADED}:
            reason, summary = self.capped
            level = Level.FAILED if reason == "budget_exhausted" else Level.DEGRADED
            decision = replace(decision, level=level, reason=reason, summary=summary)
        self.aftermath = {key: end for key, end in self.aftermath.items() if now < end[0]}
        for _, state, level, summary in self.aftermath.values():
            if level > decision.level:
                decision = replace(decision, level=level, reason=state.value, summary=summary)
        return decision

    def restate(self, slot: Slot, decision: Decision) -> None:
        """More is known of a slot than its round could see: who took its nonce, why it reverted."""
        if self.decision is None:
            return
        told = replace(self.decision, slots={**self.decision.slots, slot.id: decision})
        if decision.level > told.level or decision.state.value == told.reason:
            summary = f"nonce {slot.nonce}: {decision.summary}"
            told = replace(told, level=max(told.level, decision.level), reason=decision.state.value)
            told = replace(told, summary=summary)
        self.decision = told

    def expose(self, number: int | None) -> None:
        """Fold the blocks since the last head: was what waits and pays enough taken by them?

        Only the lowest can be: it counts once for each block that could have taken it.
        """
        if self.inclusion is None or number is None or self.decision is None:
            return
        if self.exposed is not None and number > self.exposed[1]:
            slot_id, since = self.exposed
            decided = self.decision.slots.get(slot_id)
            is_taken = decided is not None and decided.state in IN_BLOCK | TERMINAL
            for _ in range(min(number - since, EXPOSED_BLOCKS_MAX) - 1):
                self.inclusion = self.inclusion.after_block(0, 1)
            self.inclusion = self.inclusion.after_block(int(is_taken), 1)
            self.exposed = None
        lowest = self.lowest
        decided = None if lowest is None else self.decision.slots.get(lowest.id)
        is_waiting = decided is not None and decided.state is State.PENDING
        if lowest is not None and is_waiting and self._is_pooled(lowest):
            self.exposed = (lowest.id, number)
        # Where nothing waits now, nothing is slow, whatever was before.
        is_slow = self.exposed is not None and self.inclusion.is_alarming
        if is_slow and self.decision.level is Level.OK:
            self.decision = replace(
                self.decision,
                level=Level.DEGRADED,
                reason=SLOW,
                summary=self.inclusion.summary,
            )

    def _is_pooled(self, slot: Slot) -> bool:
        """Whether a quorum of operators has it: what nobody was told of, no block can take."""
        if self.round is None:
            return False
        hashes = {attempt.hash for attempt in slot.attempts}
        holders = {
            view.operator
            for view in self.round.references
            if any(view.presence.get(hash_) in POOLED for hash_ in hashes)
        }
        return len(holders) >= self.round.need

    def facts(self, now: float) -> AccountFacts:
        """What the pages say of it."""
        decision = self.decision
        decided = {} if decision is None else decision.slots
        shown = sorted(
            (_slot_facts(slot, decided.get(slot.id), self.notes) for slot in self.slots.values()),
            key=lambda facts: (-facts.level, facts.nonce),
        )
        waiting = [s.first_seen_at for s in self.slots.values() if s.state not in IN_BLOCK]
        budget = self.rules.budget_a_day_wei
        return AccountFacts(
            alias=self.account.alias,
            network=self.network,
            node=self.account.node or "",
            round_at=self.asked_at,
            states=Counter(slot.state.value for slot in self.slots.values()),
            oldest_pending_seconds=max(0.0, now - min(waiting)) if waiting else None,
            nonces=self._nonces(),
            local_only=0 if decision is None else decision.local_only,
            is_local_stale=decision is not None and decision.is_local_stale,
            gap_nonces=0 if decision is None else len(decision.gap_nonces),
            is_evidence_weak=self.is_weak,
            budget_spent_wei=self.budget_spent_wei,
            budget_limit_wei=budget,
            slots=tuple(shown[:SLOTS_SHOWN_MAX]),
        )

    def _nonces(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        if self.round is None:
            return found
        views = [*self.round.references]
        if isinstance(self.round.local, View):
            views.append(self.round.local)
        for view in views:
            if isinstance(view.nonce_latest, int):
                found[view.label, "latest"] = view.nonce_latest
            if isinstance(view.nonce_pending, int):
                found[view.label, "pending"] = view.nonce_pending
        return found

    def adjust(self, decision: AccountDecision) -> None:
        """Take over what a round decided."""
        self.decision = decision
        self.is_weak = any(one.is_weak for one in decision.slots.values())
        self.account_counters = decision.counters
        for slot_id, one in decision.slots.items():
            self.counters[slot_id] = one.counters
        if decision.nonce_network is not None:
            self.network_nonce = decision.nonce_network

    def entered(self, slot: Slot, decision: Decision, now: float) -> Slot:
        """The slot in the state that was decided."""
        receipt = decision.receipt
        # As it is now: an attempt may have come in since the decision was made.
        slot = self.slots.get(slot.nonce, slot)
        moved = replace(
            slot,
            state=decision.state,
            since=slot.since if slot.state == decision.state else now,
            mined_number=slot.mined_number if receipt is None else receipt.number,
            mined_hash=slot.mined_hash if receipt is None else receipt.block_hash,
        )
        self.slots[slot.nonce] = moved
        return moved


def _slot_facts(slot: Slot, decision: Decision | None, notes: dict[int, str]) -> SlotFacts:
    newest = slot.newest
    summary = "not looked at yet" if decision is None else decision.summary
    note = notes.get(slot.id)
    return SlotFacts(
        nonce=slot.nonce,
        hash=None if newest is None else newest.hash,
        state=slot.state.value,
        level=Level.UNKNOWN if decision is None else decision.level,
        summary=summary if not note else f"{summary}; {note}",
        first_seen_at=slot.first_seen_at,
        since=slot.since,
        attempts=len(slot.attempts),
    )
