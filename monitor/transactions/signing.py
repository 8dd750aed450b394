"""Other bytes at the same nonce: what would be signed, at which price, and by whom.

A replacement is the same payment with higher fees; a cancellation and a filler are transfers of
nothing to the sender itself. The nonce is always the slot's. What is signed is verified by the
signer's room, and durable in the journal before it is handed back to be sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.judge.quorum import client_family
from monitor.model import Hash32, Unseen
from monitor.transactions import fees
from monitor.transactions import raw as raws
from monitor.transactions.fees import CapBlocks, Fees, Free
from monitor.transactions.journal import (
    BROKEN_JOURNAL,
    Journal,
    JournalError,
    OverBudgetError,
    Reservation,
)
from monitor.transactions.looking import Scene
from monitor.transactions.orders import CappedError, OrderError
from monitor.transactions.proposal import Proposal
from monitor.transactions.signers import Signer, SignerError
from monitor.transactions.unsigned import RawError, Unsigned, cancellation_of
from monitor.transactions.ward import Ward, day_of
from monitor.transactions.words import Act, AttemptKind, Decision, Market, Slot

log = logging.getLogger("headwatch")

KINDS: Mapping[Act, AttemptKind] = {
    Act.REPLACE: "replace",
    Act.CANCEL: "cancel",
    Act.FILL: "fill",
}
"""What may be signed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be signed, with the fees it offers."""

    unsigned: Unsigned
    fees: Fees

    @property
    def cost_max_wei(self) -> int:
        """What its gas may cost."""
        return self.unsigned.gas * self.fees.fee_cap_wei


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, durable in the journal."""

    hash: Hash32
    raw: bytes
    offer: Offer


class Signing:
    """Prices and signs for the accounts of one network."""

    def __init__(
        self,
        journal: Journal,
        *,
        clock: Callable[[], float],
        signer_of: Callable[[str], Signer | None],
        on_signed: Callable[[Ward, Act, str], None],
    ) -> None:
        """`signer_of` an account, by alias.

        `on_signed` is told `signed`, `capped`, `over_budget` or `failed`.
        """
        self._journal = journal
        self._clock = clock
        self._signer_of = signer_of
        self._on_signed = on_signed
        self.unmoved: set[tuple[str, Hash32]] = set()
        """(label, hash) of attempts an endpoint refused to be replaced: Besu's rule is taken."""

    def has_signer(self, ward: Ward) -> bool:
        return self._signer_of(ward.account.alias) is not None

    async def spent_wei(self, ward: Ward) -> int:
        """Gas, at its cap, of what was or is being signed for the account on this day (UTC)."""
        day = day_of(self._clock())
        return await self._journal.spent_wei(ward.network, ward.account.address, day)

    async def offer(
        self, ward: Ward, slot: Slot, act: Act, scene: Scene, chosen: Fees | None = None
    ) -> Offer:
        """What would be signed now. Fees that a person has `chosen` are held to the caps as well.

        Raises OrderError where a cap, the bytes or the market stand against it.
        """
        market = _market(scene)
        unsigned = await self._unsigned(slot, act, scene, market)
        spent_wei = await self.spent_wei(ward)
        found = self._fees(ward, slot, unsigned, scene, market, spent_wei=spent_wei, chosen=chosen)
        if isinstance(found, Free):
            message = f"{act.value} of nonce {slot.nonce}: {found.summary}"
            raise OrderError(message, "refused")
        if isinstance(found, CapBlocks):
            is_budget = found.cap == "budget_a_day_wei"
            self._on_signed(ward, act, "over_budget" if is_budget else "capped")
            message = f"{act.value} of nonce {slot.nonce}: a cap blocks it: {found.summary}"
            raise CappedError(message, "budget_exhausted" if is_budget else "cap_blocks_bump")
        return _offer(unsigned, found)

    async def sign(self, ward: Ward, slot: Slot, act: Act, offer: Offer) -> Signed:
        """Have it signed, and keep it, where the day's budget holds it beside all others.

        Raises OrderError, JournalError.
        """
        signer = self._signer_of(ward.account.alias)
        if signer is None:
            message = f"account {ward.account.alias} has no signer"
            raise OrderError(message, "refused")
        lease = await self._lease(ward, slot, act, offer)
        try:
            raw = await signer.sign(offer.unsigned, slot.sender)
            transaction = await asyncio.to_thread(raws.decode, raw)
            ward.put(await self._journal.signed(lease, raw, transaction, self._clock()))
        except SignerError as error:
            self._on_signed(ward, act, "failed")
            await self._journal.release(lease, self._clock())
            message = f"the signer did not sign: {error}"
            raise OrderError(message, "unavailable") from None
        except BaseException:
            # What was not written down is not sent: it holds nothing of the budget.
            with contextlib.suppress(JournalError):
                await self._journal.release(lease, self._clock())
            raise
        self._on_signed(ward, act, "signed")
        log.warning(
            "%s nonce %d: %s signed, %s, at most %d wei for its gas",
            *(ward.account.alias, slot.nonce, act.value, transaction.hash, offer.cost_max_wei),
        )
        return Signed(transaction.hash, raw, offer)

    async def _lease(self, ward: Ward, slot: Slot, act: Act, offer: Offer) -> int:
        """The right to sign one. Raises OrderError while somebody else has it, or it is closed.

        What others have signed since the offer was made may have left too little of the budget.
        """
        reservation = Reservation(offer.cost_max_wei, ward.rules.budget_a_day_wei or 0)
        try:
            return await self._journal.lease(slot.id, KINDS[act], self._clock(), reservation)
        except OverBudgetError as error:
            self._on_signed(ward, act, "over_budget")
            message = f"{act.value} of nonce {slot.nonce}: a cap blocks it: {error}"
            raise CappedError(message, "budget_exhausted") from None
        except JournalError as error:
            if isinstance(error, BROKEN_JOURNAL):
                raise
            raise OrderError(str(error), "unavailable") from None

    async def proposal(self, ward: Ward, slot: Slot, decision: Decision, scene: Scene) -> Proposal:
        """The unsigned replacement for whoever has the key, by the formula and without our caps.

        Raises OrderError.
        """
        market = _market(scene)
        unsigned = await self._unsigned(
            slot, Act.REPLACE if slot.has_raw else Act.CANCEL, scene, market
        )
        wanted = fees.bump(
            highest_offer(slot) or Fees(0, 0),
            market,
            percent=ward.rules.bump_percent,
            is_blob=False,
            for_besu=self._is_besu(slot, scene),
            is_legacy=unsigned.has_price,
        )
        if isinstance(wanted, Free):
            raise OrderError(wanted.summary, "refused")
        offer = _offer(unsigned, wanted)
        return Proposal(
            ward.network, ward.account.alias, slot, decision, offer.unsigned, offer.fees
        )

    def _fees(
        self,
        ward: Ward,
        slot: Slot,
        unsigned: Unsigned,
        scene: Scene,
        market: Market,
        *,
        spent_wei: int,
        chosen: Fees | None,
    ) -> Fees | CapBlocks | Free:
        rules, gas = ward.rules, unsigned.gas
        old = highest_offer(slot)
        wanted: Fees | Free
        if chosen is not None:
            wanted, minimum = chosen, chosen
        elif old is None:
            return fees.fill_fees(market, rules, spent_today_wei=spent_wei, gas=gas)
        else:
            percent, for_besu = rules.bump_percent, self._is_besu(slot, scene)
            is_legacy = unsigned.has_price
            wanted = fees.bump(
                old,
                market,
                percent=percent,
                is_blob=False,
                for_besu=for_besu,
                is_legacy=is_legacy,
            )
            if isinstance(wanted, Free):
                return wanted
            minimum = fees.minimum_accepted(
                old,
                market,
                percent=percent,
                is_blob=False,
                for_besu=for_besu,
                is_legacy=is_legacy,
            )
        return fees.capped(wanted, minimum, gas, market, rules, spent_today_wei=spent_wei)

    async def _unsigned(self, slot: Slot, act: Act, scene: Scene, market: Market) -> Unsigned:
        if act != Act.REPLACE:
            return cancellation_of(
                chain_id=scene.chain_id,
                sender=slot.sender,
                nonce=slot.nonce,
                is_legacy=market.base_fee_wei == 0,
            )
        newest = slot.newest
        raw = None if newest is None else await self._journal.raw_of(newest.hash)
        if raw is None:
            message = f"nonce {slot.nonce}: its bytes cannot be had, so that it cannot be repeated"
            raise OrderError(message, "refused")
        try:
            return raws.unsigned_of(raw, chain_id=scene.chain_id)
        except RawError as error:
            raise OrderError(str(error), "refused") from None

    def _is_besu(self, slot: Slot, scene: Scene) -> bool:
        """Whether Besu's rule is to be met: a target is one, or refused a replacement before."""
        endpoints = (*scene.references, *scene.watch.nodes)
        return any(client_family(one.client) == "besu" for one in endpoints) or any(
            (one.label, attempt.hash) in self.unmoved
            for one in endpoints
            for attempt in slot.attempts
        )


def highest_offer(slot: Slot) -> Fees | None:
    """The highest fees of any attempt, since pools differ in which they hold; None if unknown."""
    known = [attempt.transaction for attempt in slot.attempts if attempt.transaction is not None]
    if not known:
        return None
    return Fees(max(one.fee_cap_wei for one in known), max(one.tip_cap_wei for one in known))


def _offer(unsigned: Unsigned, found: Fees) -> Offer:
    try:
        offered = unsigned.with_fees(fee_cap_wei=found.fee_cap_wei, tip_cap_wei=found.tip_cap_wei)
    except RawError as error:
        raise OrderError(str(error), "refused") from None
    return Offer(offered, found)


def _market(scene: Scene) -> Market:
    if isinstance(scene.market, Unseen):
        message = f"what inclusion costs could not be seen: {scene.market.detail}"
        raise OrderError(message, "unavailable")
    return scene.market
