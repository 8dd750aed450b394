"""Does what was planned: sends the same bytes again, has others signed, or proposes them.

Each step is in the journal before it is done. A replacement takes the slot's nonce, is signed under
a lease, verified, and its bytes are durable before they leave: a crash between any two of these
leaves at most one more known hash of the same nonce.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.endpoint import Endpoint
from monitor.model import Hash32, Unseen
from monitor.transactions.journal import Journal, Past
from monitor.transactions.looking import Scene
from monitor.transactions.orders import CappedError, Delivery, Ordered, OrderError
from monitor.transactions.plan import Step
from monitor.transactions.proposal import Proposals
from monitor.transactions.reactions import Reaction
from monitor.transactions.sending import Sending, Sent
from monitor.transactions.signing import KINDS, Offer, Signing
from monitor.transactions.ward import Ward, day_of
from monitor.transactions.words import Act, Decision, Presence, Slot, View

REMEMBERED_MAX = 10_000
KNOWN_SECONDS = 60.0
"""How long a reference that said it knows a transaction counts as having it, whatever it shows."""


class Acting:
    """The acting side of one network."""

    def __init__(
        self,
        journal: Journal,
        sending: Sending,
        signing: Signing,
        *,
        clock: Callable[[], float],
        proposals: Callable[[], Proposals | None],
    ) -> None:
        self.signing = signing
        self._journal = journal
        self.sending = sending
        self._clock = clock
        self._proposals = proposals
        self._knows: dict[tuple[str, Hash32], float] = {}
        self._proposed: dict[int, tuple[str, Hash32 | None]] = {}
        """What was last proposed for a slot: the state and the attempt it would replace."""

    def with_known(self, view: View) -> View:
        """A reference's view, with what it said to know when the bytes were sent to it.

        References behind a private relay know a transaction and do not show it.
        """
        now = self._clock()
        told: dict[Hash32, Presence | Unseen] = {
            hash_: "pending"
            for hash_, has in view.presence.items()
            if has == "absent" and now - self._knows.get((view.label, hash_), 0.0) < KNOWN_SECONDS
        }
        return replace(view, presence={**view.presence, **told}) if told else view

    async def past(self, slot: Slot) -> Past:
        """What was done for a slot before."""
        now = self._clock()
        return await self._journal.past_of(slot.id, now, day_of(now))

    async def do(self, ward: Ward, slot: Slot, step: Step, decision: Decision, scene: Scene) -> str:
        """Do one step; a few words of what came of it, for people. Raises JournalError."""
        try:
            if step.act in KINDS:
                offer = await self.signing.offer(ward, slot, step.act, scene)
                ordered = await self.sign(ward, slot, step.act, offer, scene)
                return ordered.summary
            if step.act == Act.PROPOSE:
                return await self._propose_once(ward, slot, decision, scene)
            ordered = await self.send_again(ward, slot, step.act, targets(step, ward, scene))
        except CappedError as error:
            ward.capped = (error.reason, str(error))
            return str(error)
        except OrderError as error:
            return str(error)
        return ordered.summary

    async def send_again(
        self, ward: Ward, slot: Slot, act: Act, endpoints: Sequence[Endpoint]
    ) -> Ordered:
        """Send the newest attempt's bytes, unchanged. Raises OrderError, JournalError."""
        newest = slot.newest
        raw = None if newest is None else await self._journal.raw_of(newest.hash)
        if newest is None or raw is None:
            message = f"nonce {slot.nonce}: its bytes cannot be had, so that nobody can send it"
            raise OrderError(message, "refused")
        return await self._deliver(ward, slot, act, endpoints, hash_=newest.hash, raw=raw)

    async def sign(self, ward: Ward, slot: Slot, act: Act, offer: Offer, scene: Scene) -> Ordered:
        """Have it signed and send it to everybody. Raises OrderError, JournalError."""
        signed = await self.signing.sign(ward, slot, act, offer)
        everybody = (*(scene.references or scene.watch.references), *own_nodes(ward, scene))
        return await self._deliver(
            ward, slot, act, everybody, hash_=signed.hash, raw=signed.raw, offer=offer
        )

    async def _deliver(
        self,
        ward: Ward,
        slot: Slot,
        act: Act,
        endpoints: Sequence[Endpoint],
        *,
        hash_: Hash32,
        raw: bytes,
        offer: Offer | None = None,
    ) -> Ordered:
        sent = await asyncio.gather(
            *(self.sending.send(endpoint, hash_, raw, act) for endpoint in endpoints)
        )
        self._prune()
        for one in sent:
            if one.reaction == Reaction.KNOWN:
                self._knows[one.label, hash_] = self._clock()
            if one.reaction == Reaction.REPLACE_UNDERPRICED:
                self.signing.unmoved.update((one.label, held.hash) for held in slot.attempts)
        return Ordered(
            act=act.value,
            network=ward.network,
            alias=ward.account.alias,
            nonce=slot.nonce,
            hash=hash_,
            deliveries=tuple(Delivery(s.label, s.reaction.value, s.message) for s in sent),
            fee_cap_wei=None if offer is None else offer.fees.fee_cap_wei,
            tip_cap_wei=None if offer is None else offer.fees.tip_cap_wei,
            summary=_said(act, sent),
        )

    def _prune(self) -> None:
        """What is remembered of the past has an end."""
        since = self._clock() - KNOWN_SECONDS
        self._knows = {key: at for key, at in self._knows.items() if at >= since}
        for remembered in (self._proposed, self.signing.unmoved):
            if len(remembered) > REMEMBERED_MAX:
                remembered.clear()

    async def _propose_once(self, ward: Ward, slot: Slot, decision: Decision, scene: Scene) -> str:
        newest = slot.newest
        mark = (decision.state.value, None if newest is None else newest.hash)
        proposals = self._proposals()
        if proposals is None or self._proposed.get(slot.id) == mark:
            return ""
        proposal = await self.signing.proposal(ward, slot, decision, scene)
        problem = await proposals.post(proposal.as_json())
        if problem:
            return f"the proposal was not taken: {problem}"
        self._proposed[slot.id] = mark
        return "a replacement was proposed"


def own_nodes(ward: Ward, scene: Scene) -> tuple[Endpoint, ...]:
    """The node that the account's program sends through, as long as it is configured."""
    return tuple(node for node in scene.watch.nodes if node.name == ward.account.node)


def targets(step: Step, ward: Ward, scene: Scene) -> tuple[Endpoint, ...]:
    """Whom a step sends to: admitted references; where there are none, all of them."""
    own = own_nodes(ward, scene)
    references = scene.references or scene.watch.references
    if step.targets == "local":
        return own
    return references if step.targets == "references" else (*references, *own)


def _said(act: Act, sent: Sequence[Sent]) -> str:
    """`rebroadcast to dev/a (accepted), dev/b (known)`."""
    verb = {Act.REBROADCAST: "sent again", Act.RESEND: "sent again"}.get(act, act.value)
    if not sent:
        return f"{verb} to nobody: no endpoint is there"
    return f"{verb} to " + ", ".join(f"{one.label} ({one.reaction.value})" for one in sent)
