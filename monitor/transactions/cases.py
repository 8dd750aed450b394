"""One slot before the decision table: its signals, its age, its rounds. Pure.

The table (`decide`) asks a `Case` questions; here is what the words in its conditions mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.model import Unseen
from monitor.transactions.rules import Rules
from monitor.transactions.signals import AccountSignals, SlotSignals, in_a_row
from monitor.transactions.words import Attempt, Counters, Market, Slot, State, Transaction

STILL_IN_BLOCK = frozenset(
    {State.MINED, State.REVERTED, State.LOCAL_LAG, State.REORG_RUNNING, State.EVIDENCE_WEAK}
)
"""States of a slot with a block, after which nothing has said that the block is gone."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The lowest nonce below a slot, and from the network's next on, of which nothing is live."""

    nonce: int
    has_raw: bool
    """Whether the journal has bytes for it: then it is sent again, and the gap closes."""


@dataclass(frozen=True, slots=True)
class Case:
    """One slot in one round. N is its nonce."""

    slot: Slot
    rules: Rules
    account: AccountSignals
    signals: SlotSignals
    counters: Counters
    """With this round counted."""
    gap: Gap | None = None
    """Below N."""
    is_lowest: bool = False
    """Whether no live slot has a lower nonce that the network has not used."""
    is_followed: bool = False
    """Whether transactions of later nonces wait for this one."""

    # -- the nonce -------------------------------------------------------------------------------

    @property
    def is_next(self) -> bool:
        """nl_R = N: the only nonce that a block can take now."""
        return self.account.nonce == self.slot.nonce

    @property
    def is_later(self) -> bool:
        """nl_R < N."""
        return self.account.nonce is not None and self.account.nonce < self.slot.nonce

    @property
    def is_used(self) -> bool:
        """nl_R > N: a quorum has a transaction of this nonce in the chain."""
        return self.account.nonce is not None and self.account.nonce > self.slot.nonce

    @property
    def is_free(self) -> bool:
        """nl_R ≤ N, known to be so."""
        return self.is_next or self.is_later

    # -- the block -------------------------------------------------------------------------------

    @property
    def is_final(self) -> bool:
        """Whether a quorum's receipt lies at or below the highest final block."""
        final, receipt = self.account.round_.final_number, self.signals.receipt
        return receipt is not None and final is not None and receipt.number <= final

    @property
    def is_as_before(self) -> bool:
        """Whether it was in a block, its nonce is still used, and nobody was asked this round.

        A mined slot is not asked about at every head; that is no news of it.
        """
        was_in = self.slot.mined_hash is not None and self.slot.state in STILL_IN_BLOCK
        return was_in and self.is_used and not self.signals.is_asked

    @property
    def depth(self) -> int:
        """Blocks that its block is deep by the agreed head: 1 in the newest; 0 without either."""
        receipt, head = self.signals.receipt, self.account.round_.head
        number = self.slot.mined_number if receipt is None else receipt.number
        return 0 if head is None or number is None else max(0, head.number - number + 1)

    def outside_from(self, number: int) -> int:
        """How many operators say, at this height or above it, that it is in no block."""
        return sum(height >= number for height in self.signals.outside.values())

    # -- the pools -------------------------------------------------------------------------------

    @property
    def is_unknown_to_references(self) -> bool:
        """P_R = 0: a quorum says that it does not have it, and nobody says that it has."""
        return not self.signals.holders and len(self.signals.absentees) >= self.account.round_.need

    @property
    def is_known_to_references(self) -> bool:
        """P_R ≥ 1."""
        return bool(self.signals.holders)

    @property
    def is_pooled_by_quorum(self) -> bool:
        """Whether a quorum has the attempt whose fees count: what one says signs nothing."""
        attempt = self.attempt
        held = 0 if attempt is None else self.signals.pooled.get(attempt.hash, 0)
        return held >= self.account.round_.need

    @property
    def attempt(self) -> Attempt | None:
        """The attempt whose fees count: the newest that most operators could mine.

        That is the newest in the pools of a quorum; else the newest in any reference's pool; else
        the one that would be sent.
        """
        pooled = self.signals.pooled
        for at_least in (self.account.round_.need, 1):
            for attempt in reversed(self.slot.attempts):
                if pooled.get(attempt.hash, 0) >= at_least:
                    return attempt
        return self.slot.newest

    # -- the fees --------------------------------------------------------------------------------

    @property
    def transaction(self) -> Transaction | None:
        """Of the attempt whose fees count; None where its bytes were never seen."""
        return None if self.attempt is None else self.attempt.transaction

    @property
    def market(self) -> Market | None:
        """B and the recent tips; None where they could not be seen."""
        market = self.account.round_.market
        return None if isinstance(market, Unseen) else market

    @property
    def is_cap_low(self) -> bool:
        """F < B, both known."""
        paid, market = self.transaction, self.market
        return paid is not None and market is not None and paid.fee_cap_wei < market.base_fee_wei

    @property
    def tip_effective_wei(self) -> int | None:
        """min(T, F - B): what a block's producer would get for a unit of gas; None if F < B."""
        paid, market = self.transaction, self.market
        if paid is None or market is None or self.is_cap_low:
            return None
        return min(paid.tip_cap_wei, paid.fee_cap_wei - market.base_fee_wei)

    @property
    def is_tip_low(self) -> bool:
        """F ≥ B, and the effective tip is below the 10th percentile of recent ones."""
        tip, market = self.tip_effective_wei, self.market
        return tip is not None and market is not None and tip < market.tip_low_wei

    @property
    def cost_least_wei(self) -> int | None:
        """What must be on the account for any attempt; None where one could not be decoded."""
        costs = [
            None if attempt.transaction is None else attempt.transaction.cost_max_wei
            for attempt in self.slot.attempts
        ]
        known = [cost for cost in costs if cost is not None]
        return min(known) if known and len(known) == len(costs) else None

    # -- the age ---------------------------------------------------------------------------------

    @property
    def age_seconds(self) -> float:
        return max(0.0, self.account.round_.at - self.slot.first_seen_at)

    @property
    def age_blocks(self) -> float:
        """Blocks since it was first seen; reckoned from seconds where the height is not known."""
        head, first = self.account.round_.head, self.slot.first_seen_number
        if head is not None and first is not None:
            return head.number - first
        return self.age_seconds / self.account.round_.interval_seconds

    # -- what is counted -------------------------------------------------------------------------

    @property
    def is_absent(self) -> bool | None:
        """Row 17: nl_R = N, and absent at the local node and at the references; None: unknown."""
        has_any = self.is_known_to_references or self.signals.local not in {None, "absent"}
        if not self.slot.attempts or self.is_used or has_any:
            return False
        is_seen = self.is_unknown_to_references and self.signals.local == "absent"
        return (self.is_next and is_seen) or None

    @property
    def is_taken(self) -> bool | None:
        """Row 7: a quorum says that the nonce is used, and by no known attempt; None: unknown."""
        if self.is_free or self.signals.receipt is not None:
            return False
        return (self.is_used and self.signals.outside_used >= self.account.round_.need) or None

    @property
    def is_unmined(self) -> bool | None:
        """Row 6: had a block, and a quorum that is as high has it in none; None: unknown."""
        if self.slot.mined_hash is None or self.signals.receipt is not None or self.is_used:
            return False
        outside = self.outside_from(self.slot.mined_number or 0)
        return (self.is_free and outside >= self.account.round_.need) or None

    @property
    def is_forked(self) -> bool | None:
        """Row 4: in a block at L, nl_R ≤ N, and a quorum as high has it in none; None: unknown."""
        number = self.signals.local_number
        if self.is_used or self.signals.receipt is not None:
            return False
        if number is None:
            return None if self.signals.local is None else False
        return (self.is_free and self.outside_from(number) >= self.account.round_.need) or None


def counted(case: Case) -> Counters:
    """The counters of a case with this round; on weak evidence nothing is counted."""
    before, head = case.counters, case.account.round_.head
    if case.account.is_blind or head is None:
        return before
    is_new = head.number > before.counted_number
    return Counters(
        counted_number=max(head.number, before.counted_number),
        absent_rounds=in_a_row(before.absent_rounds, is_so=case.is_absent, is_new=is_new),
        taken_rounds=in_a_row(before.taken_rounds, is_so=case.is_taken, is_new=is_new),
        unmined_rounds=in_a_row(before.unmined_rounds, is_so=case.is_unmined, is_new=is_new),
        forked_rounds=in_a_row(before.forked_rounds, is_so=case.is_forked, is_new=is_new),
    )
