"""What a decision cannot know from a round's answers: who took a nonce, and why it reverted."""

from __future__ import annotations

import logging
from dataclasses import replace

from monitor.judge.quorum import believed_hash
from monitor.rpc.errors import RpcError
from monitor.transactions import autopsy
from monitor.transactions.decide import CONSUMED, consumed, consumed_unnamed
from monitor.transactions.looking import Looking, Scene
from monitor.transactions.ward import Ward
from monitor.transactions.words import Act, Consumer, Decision, Slot

log = logging.getLogger("headwatch")

SEARCH_BLOCKS = 16
"""Blocks between two searches for who took a nonce, when nobody could be found."""


class Explaining:
    """Asks what explains a decision, and says it in the decision."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking

    async def explained(self, ward: Ward, slot: Slot, decision: Decision, scene: Scene) -> Decision:
        """The decision, with the consumer of the nonce and the reason of a revert."""
        if Act.FIND_CONSUMER in decision.acts and scene.head is not None:
            found = await self._consumer(ward, slot, scene)
            if found is not None:
                decision = self._with_consumer(slot, decision, found, scene)
                ward.restate(slot, decision)
            elif number := await self._taken_before(ward, slot, decision, scene):
                decision = _unnamed(slot, decision, number)
                ward.unnamed[slot.id] = number
                ward.restate(slot, decision)
            return decision
        if Act.EXPLAIN_REVERT in decision.acts and decision.receipt is not None:
            reason = ward.reasons.get(slot.id)
            attempt = next((a for a in slot.attempts if a.hash == decision.receipt.hash), None)
            if reason is None and attempt is not None and attempt.transaction is not None:
                for reference in scene.references:
                    try:
                        reason = await autopsy.revert_reason(
                            reference.node, attempt.transaction, decision.receipt
                        )
                    except RpcError as error:
                        log.info("%s cannot say why it reverted: %s", reference.label, error)
                        continue
                    ward.reasons[slot.id] = reason
                    break
            if reason is not None:
                decision = replace(decision, summary=f"{decision.summary}; reason: {reason}")
                ward.restate(slot, decision)
        return decision

    async def _consumer(self, ward: Ward, slot: Slot, scene: Scene) -> Consumer | None:
        """Who took the nonce of a slot: as found before, unless that is gone or about to count.

        What a slot is closed by is looked up anew: its block may have been reorganised away.
        """
        found = ward.consumers.get(slot.id)
        number, final = scene.head.number if scene.head else 0, scene.final_number
        if found is not None:
            theirs = believed_hash(scene.round, found.number)
            is_last = final is not None and found.number <= final
            if theirs in {None, found.block_hash} and not is_last:
                return found
        elif number - ward.searched.get(slot.id, -SEARCH_BLOCKS) < SEARCH_BLOCKS:
            return None
        found = await self._looking.consumer(ward, slot.nonce, scene)
        if found is None:
            ward.consumers.pop(slot.id, None)
            ward.searched[slot.id] = number
        else:
            ward.consumers[slot.id] = found
        return found

    async def _taken_before(
        self, ward: Ward, slot: Slot, decision: Decision, scene: Scene
    ) -> int | None:
        """The final block up to which the nonce was used, where nobody can be asked by whom.

        None while it may still be found, and where it is not sure that no attempt was mined: the
        last rounds of this process must have said so.
        """
        number = 0 if scene.head is None else scene.head.number
        if scene.final_number is None or ward.searched.get(slot.id) != number:
            return None
        is_sure = decision.counters.taken_rounds >= ward.rules.taken_rounds
        before = min(scene.final_number, number - autopsy.SEARCH_BLOCKS_MAX)
        if decision.is_weak or not is_sure or before <= 0:
            return None
        is_used = await self._looking.was_used(ward, slot.nonce, before, scene)
        return before if is_used else None

    def _with_consumer(
        self, slot: Slot, decision: Decision, found: Consumer, scene: Scene
    ) -> Decision:
        """What the transaction that took the nonce makes of the slot; terminal once it is final."""
        state = consumed(slot, found)
        if state not in CONSUMED:
            return decision  # An attempt of its own: the receipt decides.
        decision = replace(decision, level=CONSUMED[state])
        summary = (
            f"nonce {slot.nonce} was taken by {found.transaction.hash} in block {found.number}: "
            f"{state.value.replace('_', ' ')}"
        )
        is_final = scene.final_number is not None and found.number <= scene.final_number
        if is_final and not decision.is_weak:
            return replace(decision, state=state, summary=summary)
        return replace(decision, summary=summary)


def _unnamed(slot: Slot, decision: Decision, number: int) -> Decision:
    """The end of a slot whose nonce was taken up to this final block, by what is not known."""
    state = consumed_unnamed(slot)
    summary = (
        f"nonce {slot.nonce} was taken by a transaction that nobody can show any more, in block "
        f"{number} or before: none of the known ones is in a block"
    )
    return replace(decision, state=state, level=CONSUMED[state], summary=summary)
