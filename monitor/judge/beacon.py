"""beacon: does the consensus client lead the node along the chain?

An execution client goes nowhere by itself: what its consensus client does not tell it, it does not
have. The two are asked separately, so that one that is dead, syncing, optimistic (its head not
verified by any execution client: consensus-specs, sync/optimistic.md) or cut off from the node is
told as what it is. It is never a failure: where the node is, its own head says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.judge.answer import Word, spoken, unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Finding, Level, Observation, Unseen

CHECK = "beacon"
METHOD = "GET /eth/v1/node/syncing"
BEHIND_SLOTS_MAX = 4
"""A slot or two may be empty, and one is under way."""
APART_SLOTS_MAX = 3
"""The two are asked within seconds, and one may be a block ahead, after an empty slot or two."""
FINALITY_EPOCHS_MAX = 4
"""consensus-specs, `MIN_EPOCHS_TO_INACTIVITY_PENALTY`: with more the chain is in a leak."""


@dataclass(frozen=True, slots=True)
class BeaconSeen:
    """What a consensus client says of itself; slots are numbers, and None is what is not known."""

    version: str
    head_slot: int
    sync_distance: int
    """Slots between its head and the slot of its own clock."""
    is_syncing: bool
    is_optimistic: bool | None
    el_offline: bool | None
    finalized_epoch: int | None
    peers: int | None
    clock_slot: int
    """The slot of our clock."""
    reference_slot: int | None
    """Of the references' head."""
    execution_slot: int | None
    """Of the node's own head."""
    epoch_slots: int
    genesis_time: int
    slot_seconds: float

    @property
    def behind_slots(self) -> int:
        """Behind the references' head; without one, behind our clock."""
        goal = self.clock_slot if self.reference_slot is None else self.reference_slot
        return max(0, goal - self.head_slot)

    @property
    def apart_slots(self) -> int | None:
        """How far the node's head is ahead of its consensus client's; negative is behind."""
        return None if self.execution_slot is None else self.execution_slot - self.head_slot

    @property
    def finality_delay_epochs(self) -> int | None:
        """`get_finality_delay` of the consensus-specs: the epoch before this one, less the final.

        This one is that of the client's head: an old head is another trouble.
        """
        if self.finalized_epoch is None:
            return None
        return max(0, self.head_slot // self.epoch_slots - 1 - self.finalized_epoch)


def _float(value: int | None) -> float | None:
    return None if value is None else float(value)


OFFERS: tuple[Offer[BeaconSeen], ...] = (
    Offer(
        "beacon.sync_distance_slots",
        "slots",
        "Slots between the consensus client's head and its clock",
        lambda seen: float(seen.sync_distance),
    ),
    Offer(
        "beacon.apart_slots",
        "slots",
        "Slots by which the node's head is ahead of its consensus client's; negative is behind",
        lambda seen: _float(seen.apart_slots),
    ),
    Offer(
        "beacon.finality_delay_epochs",
        "epochs",
        "Epochs from the finalized checkpoint to the epoch before the consensus client's head",
        lambda seen: _float(seen.finality_delay_epochs),
    ),
    Offer(
        "beacon.peers_count",
        "peers",
        "Peers that the consensus client is connected with",
        lambda seen: _float(seen.peers),
    ),
)


def judge(
    history: Sequence[Observation[BeaconSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding: the first of its troubles, from what causes others to what follows."""
    del policy, now
    if not history:
        return ()
    newest = history[-1]
    if isinstance(newest.seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    word = next(_troubles(newest.seen), None) or _well(newest.seen)
    return (spoken(CHECK, newest, context, METHOD, word, _said(newest.seen)),)


def _well(seen: BeaconSeen) -> Word:
    summary = f"{seen.version}: its head is of slot {seen.head_slot}, verified"
    return Word(Level.OK, "in_sync", summary, float(seen.behind_slots), BEHIND_SLOTS_MAX, "slots")


def _troubles(seen: BeaconSeen) -> Iterator[Word]:
    """What is wrong, the deepest first: what is behind may be so for any of the earlier ones."""
    if seen.el_offline:
        yield Word(
            Level.DEGRADED, "el_offline", "the consensus client cannot reach its execution client"
        )
    distance = seen.sync_distance
    if distance > seen.epoch_slots:
        summary = f"the consensus client is syncing: {distance} slots behind its clock"
        yield Word(
            Level.DEGRADED, "cl_syncing", summary, float(distance), float(seen.epoch_slots), "slots"
        )
    if seen.is_optimistic:
        yield Word(
            Level.DEGRADED,
            "optimistic",
            "no execution client has verified the consensus client's head",
        )
    if seen.behind_slots > BEHIND_SLOTS_MAX:
        goal = "our clock" if seen.reference_slot is None else "the references' head"
        summary = f"the consensus client is {seen.behind_slots} slots behind {goal}"
        measured, limit = float(seen.behind_slots), float(BEHIND_SLOTS_MAX)
        yield Word(Level.DEGRADED, "cl_behind", summary, measured, limit, "slots")
    apart = seen.apart_slots
    if apart is not None and abs(apart) > APART_SLOTS_MAX:
        where = "ahead of" if apart > 0 else "behind"
        summary = (
            f"the node is {abs(apart)} slots {where} its consensus client: another one may lead it"
        )
        yield Word(Level.DEGRADED, "apart", summary, float(apart), float(APART_SLOTS_MAX), "slots")
    delay = seen.finality_delay_epochs
    if delay is not None and delay > FINALITY_EPOCHS_MAX:
        summary = f"nothing was finalized for {delay} epochs before the last one"
        yield Word(
            Level.DEGRADED,
            "finality_behind",
            summary,
            float(delay),
            float(FINALITY_EPOCHS_MAX),
            "epochs",
        )


def _said(seen: BeaconSeen) -> str:
    peers = "" if seen.peers is None else f", {seen.peers} peers"
    final = "" if seen.finalized_epoch is None else f", epoch {seen.finalized_epoch} is final"
    return (
        f"{seen.version}: head slot {seen.head_slot}, {seen.sync_distance} from its clock's"
        f"{final}{peers}"
    )
