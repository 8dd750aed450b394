"""One network's accounts, round after round: look, file, decide, write down, act, tell.

A round of an account asks its own node and every admitted reference at one moment. What is decided
is in the journal before anything is done about it. Nothing here decides: `decide` says what is
true, `plan` what is done now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from monitor.endpoint import Endpoint
from monitor.judge.profiles import Profile
from monitor.model import Address, Hash32, Level, Unseen
from monitor.transactions.acting import Acting
from monitor.transactions.decide import decide
from monitor.transactions.explaining import Explaining
from monitor.transactions.filing import Filing
from monitor.transactions.inclusion import Inclusion, InclusionModel
from monitor.transactions.journal import BROKEN_JOURNAL, Change, Journal, JournalError, Note
from monitor.transactions.looking import Looking, Scene, scene_of
from monitor.transactions.orders import OrderError
from monitor.transactions.plan import Step, plan
from monitor.transactions.ward import Ward
from monitor.transactions.words import (
    DESTRUCTIVE,
    TERMINAL,
    AccountDecision,
    AccountRound,
    Act,
    Decision,
    Slot,
    State,
    View,
)
from monitor.watch import Watch

log = logging.getLogger("headwatch")

WARDS_AT_ONCE = 16
FOLLOWERS_MAX = 32
"""So many are sent along with the lowest."""
UNHEARD = frozenset(
    {
        State.DROPPED,
        State.REORGED_OUT,
        State.LOCAL_DESYNC,
        State.LOCAL_ONLY,
        State.LOCAL_FORK,
        State.NOT_PROPAGATED,
    }
)
"""States in which the network does not have it, and most likely not what follows it either."""
Mode = Literal["acting", "dry_run", "halted"]


@dataclass(frozen=True, slots=True)
class Events:
    """Told of what happens, for metrics and logs; each call returns at once."""

    included: Callable[[Ward, Slot, float], None]
    """A transaction was first seen in a block, so many seconds after it was first seen at all."""
    reorged: Callable[[Ward], None]
    closed: Callable[[Ward, Slot, State], None]


class Keeper:
    """Keeps the accounts of one network."""

    def __init__(
        self,
        wards: Sequence[Ward],
        journal: Journal,
        acting: Acting,
        looking: Looking,
        *,
        filing: Filing,
        clock: Callable[[], float],
        events: Events,
    ) -> None:
        self.wards = tuple(wards)
        self.filing = filing
        self.in_flight: Callable[[], frozenset[Hash32]] = frozenset
        """Hashes whose answer the tap still waits for: the sender has been told nothing yet."""
        self._journal = journal
        self.acting = acting
        self._looking = looking
        self._explaining = Explaining(looking)
        self._clock = clock
        self._events = events
        self.chain_id: int | None = None
        """Of the network, as its references agreed last; None before the first time."""
        self.is_stale = True
        """Its accounts are to be read from the journal before the next round."""
        self.is_over = False
        """Another configuration is in force: a round that is under way sends and tells nothing."""
        self._watch: Watch | None = None
        self._said: dict[tuple[int, str], str] = {}
        """What an endpoint last said of a slot, so that only news is written down."""

    @property
    def by_address(self) -> dict[Address, Ward]:
        return {ward.account.address: ward for ward in self.wards}

    async def round(self, watch: Watch, mode: Callable[[], Mode]) -> bool:
        """One round; whether anything was decided. Raises JournalError.

        `mode` is asked again before each step: a round may take longer than a halt may wait.
        """
        self._watch = watch
        round_ = watch.round
        if round_ is not None and round_.identity is not None:
            self.chain_id = round_.identity.chain_id
        if round_ is None or self.chain_id is None:
            return False

        def may() -> Mode:
            return "halted" if self.is_over else mode()

        now = self._clock()
        scene = scene_of(watch, round_, self.chain_id)
        nodes = {node.name: node for node in watch.nodes}
        endpoints = (*watch.nodes, *scene.references)
        await self.filing.arrivals(self.by_address, scene.place, endpoints, self.in_flight())
        due = [ward for ward in self.wards if ward.is_due(scene.number, now)]
        if any(ward.slots for ward in due):
            market = await self._looking.market(scene.references, scene.round.need)
            scene = replace(scene, market=market)
        for start in range(0, len(self.wards), WARDS_AT_ONCE):
            some = self.wards[start : start + WARDS_AT_ONCE]
            await self._each(some, due, nodes, scene, mode)
        return bool(due) and not self.is_over

    async def _each(
        self,
        wards: Sequence[Ward],
        due: Sequence[Ward],
        nodes: Mapping[str, Endpoint],
        scene: Scene,
        mode: Callable[[], Mode],
    ) -> None:
        """Some accounts at once. What one of them is told in vain is not the others' trouble.

        Raises JournalError where the journal itself is no good.
        """
        ended = await asyncio.gather(
            *(
                self._visit(ward, nodes[ward.account.node or ""], scene, mode)
                if ward in due
                else self._looking.glance(ward, nodes[ward.account.node or ""], scene)
                for ward in wards
            ),
            return_exceptions=True,
        )
        for ward, error in zip(wards, ended, strict=True):
            if isinstance(error, JournalError) and not isinstance(error, BROKEN_JOURNAL):
                if ward.fails(str(error)):
                    log.error("account %s: %s", ward.account.alias, error)
            elif isinstance(error, BaseException):
                raise error
            elif ward in due:
                ward.trouble = None

    async def stand(self) -> Scene:
        """What an order stands on now. Raises OrderError before the network was seen."""
        watch = self._watch
        if watch is None or watch.round is None or self.chain_id is None:
            message = "its network was not seen yet: ask again in a moment"
            raise OrderError(message, "unavailable")
        scene = scene_of(watch, watch.round, self.chain_id)
        market = await self._looking.market(scene.references, scene.round.need)
        return replace(scene, market=market)

    def decision_of(self, ward: Ward, slot: Slot) -> Decision:
        """What was decided last of a slot; nothing certain where that was not yet."""
        decided = None if ward.decision is None else ward.decision.slots.get(slot.id)
        return decided or Decision("", slot.state, Level.UNKNOWN, "not looked at yet", is_weak=True)

    async def _visit(
        self, ward: Ward, local: Endpoint, scene: Scene, mode: Callable[[], Mode]
    ) -> None:
        ward.is_urgent = False
        ward.asked_number, ward.asked_at = scene.number, self._clock()
        round_ = await self._looking.look(ward, local, scene)
        decision = decide(
            tuple(ward.slots.values()), ward.counters, ward.account_counters, round_, ward.rules
        )
        ward.round = round_
        ward.adjust(decision)
        if ward.inclusion is None:
            ward.inclusion = Inclusion.of(_model_of(scene.watch.policy.profile))
        ward.expose(scene.number)
        await self._open_gap(ward, decision, scene, mode)
        await self._note(ward, round_)
        decided = [
            (slot, await self._explaining.explained(ward, slot, decision.slots[slot.id], scene))
            for _, slot in sorted(ward.slots.items())
            if slot.id in decision.slots
        ]
        ward.capped = None
        for slot, one in await self._enter(ward, decided):
            await self._follow(ward, slot, one, scene, mode)
        ward.budget_spent_wei = await self.acting.signing.spent_wei(ward)

    async def _open_gap(
        self, ward: Ward, decision: AccountDecision, scene: Scene, mode: Callable[[], Mode]
    ) -> None:
        """Make a slot of the lowest missing nonce, where the policy lets it be filled.

        That is a nonce which the sender has handed out itself: later ones wait for it.
        """
        can = ward.rules.fill and mode() == "acting" and self.acting.signing.has_signer(ward)
        if not can or ward.is_weak or not decision.gap_nonces:
            return
        nonce = decision.gap_nonces[0]
        if nonce not in ward.slots:
            slot = await self._journal.fill_slot(
                network=ward.network,
                chain_id=scene.chain_id,
                alias=ward.account.alias,
                sender=ward.account.address,
                nonce=nonce,
                at=self._clock(),
            )
            ward.put(slot)

    # -- what follows ----------------------------------------------------------------------------

    async def _note(self, ward: Ward, round_: AccountRound) -> None:
        """Write down what each endpoint says of the lowest slot, where it is news."""
        slot = ward.lowest
        if slot is None:
            return
        views = [*round_.references]
        if isinstance(round_.local, View):
            views.append(round_.local)
        notes = []
        for view in views:
            said = ", ".join(
                f"{hash_}: {has.detail if isinstance(has, Unseen) else has}"
                for hash_, has in view.presence.items()
            )
            key = (slot.id, view.label)
            if said and self._said.get(key) != said:
                self._said[key] = said
                notes.append(Note(slot.id, view.label, said, view.head.number, view.at))
        if notes:
            await self._journal.seen(notes)

    async def _follow(
        self, ward: Ward, slot: Slot, decision: Decision, scene: Scene, mode: Callable[[], Mode]
    ) -> None:
        """Do what helps, or close what is final."""
        if decision.state in TERMINAL:
            await self._close(ward, slot, decision)
            return
        if not decision.acts:
            return
        past = await self.acting.past(slot)
        steps, withheld = plan(
            slot,
            decision,
            past,
            ward.rules,
            self._clock(),
            market=None if isinstance(scene.market, Unseen) else scene.market,
            number=scene.number,
            has_signer=self.acting.signing.has_signer(ward),
            dry_run=mode() == "dry_run",
            halted=mode() == "halted",
        )
        notes = [one.summary for one in withheld if one.reason != "backoff"]
        for step in steps:
            if decision.is_weak and step.act in DESTRUCTIVE:
                message = f"{step.act} was planned on weak evidence: {decision.summary}"
                raise AssertionError(message)
            if step.act != Act.PROPOSE and mode() != "acting":
                continue
            notes.append(await self.acting.do(ward, slot, step, decision, scene))
            ward.is_urgent = True
        ward.notes[slot.id] = "; ".join(note for note in notes if note)
        again = [step for step in steps if step.act in {Act.REBROADCAST, Act.RESEND}]
        if again and decision.state in UNHEARD:
            await self._send_followers(ward, slot, again, decision, scene=scene, mode=mode)

    async def _send_followers(
        self,
        ward: Ward,
        lowest: Slot,
        again: Sequence[Step],
        decision: Decision,
        *,
        scene: Scene,
        mode: Callable[[], Mode],
    ) -> None:
        """Send what waits behind the lowest along with it: whoever lost that has lost these.

        The bytes that their sender signed, in the order of nonces; one after the other, a wiped
        pool of hundreds would take hours to be known again.
        """
        now, rules = self._clock(), ward.rules
        for nonce in range(lowest.nonce + 1, lowest.nonce + 1 + FOLLOWERS_MAX):
            slot = ward.slots.get(nonce)
            if slot is None or not slot.has_raw or slot.mined_hash is not None:
                return
            past = await self.acting.past(slot)
            sent_at = past.last_sent_at
            is_due = sent_at is None or now - sent_at > rules.rebroadcast_seconds
            if is_due and past.sent_last_hour < rules.actions_an_hour_max and mode() == "acting":
                for step in again:
                    await self.acting.do(ward, slot, step, decision, scene)

    async def _enter(
        self, ward: Ward, decided: Sequence[tuple[Slot, Decision]]
    ) -> list[tuple[Slot, Decision]]:
        """Write down states that are new, and blocks that are others, all of them at once.

        The slots as they are then. What is terminal is written when it is closed.
        """
        now = self._clock()
        entered = [(ward.entered(slot, one, now), one) for slot, one in decided]
        pairs = [
            (slot, moved, one) for (slot, _), (moved, one) in zip(decided, entered, strict=True)
        ]
        news = [
            (slot, moved, one)
            for slot, moved, one in pairs
            if (slot.state, slot.mined_hash) != (moved.state, moved.mined_hash)
            and one.state not in TERMINAL
        ]
        if news:
            await self._journal.entered([_change(moved, one, now) for _, moved, one in news])
        for slot, moved, one in pairs:
            self._tell(ward, slot, moved, one)
        return entered

    def _tell(self, ward: Ward, slot: Slot, moved: Slot, decision: Decision) -> None:
        """What counts and logs hear of a slot that has entered a state."""
        if moved.state == slot.state:
            return
        if moved.mined_hash is not None and slot.mined_hash is None:
            self._events.included(ward, moved, max(0.0, self._clock() - moved.first_seen_at))
        elif moved.state == State.REORGED_OUT:
            self._events.reorged(ward)
        log.info(
            "%s nonce %d: %s -> %s: %s",
            *(ward.account.alias, slot.nonce, slot.state.value, moved.state.value),
            decision.summary,
        )

    async def _close(self, ward: Ward, slot: Slot, decision: Decision) -> None:
        consumer = ward.consumers.get(slot.id)
        receipt = decision.receipt
        block: tuple[Hash32 | None, int | None, Hash32 | None] = (None, None, None)
        if receipt is not None:
            block = (receipt.hash, receipt.number, receipt.block_hash)
        elif consumer is not None:
            block = (consumer.transaction.hash, consumer.number, consumer.block_hash)
        elif slot.id not in ward.unnamed:
            message = f"{decision.state} without a block that says so"
            raise AssertionError(message)
        await self._journal.close_slot(
            slot.id,
            decision.state,
            consumer_hash=block[0],
            number=block[1],
            block_hash=block[2],
            summary=decision.summary,
            at=self._clock(),
        )
        self._events.closed(ward, slot, decision.state)
        ward.closed(slot, decision, self._clock())
        self._said = {key: said for key, said in self._said.items() if key[0] != slot.id}


def _model_of(profile: Profile) -> InclusionModel:
    """What is healthy on this chain, for its inclusion."""
    return InclusionModel(
        interval_seconds=profile.interval_seconds,
        is_poisson=profile.model == "poisson",
        miss=profile.miss,
    )


def _change(slot: Slot, decision: Decision, at: float) -> Change:
    return Change(
        slot_id=slot.id,
        state=slot.state,
        at=at,
        row=decision.row,
        level=decision.level,
        summary=decision.summary,
        evidence=decision.evidence,
        mined_number=slot.mined_number,
        mined_hash=slot.mined_hash,
    )
