"""beacon: what the node's consensus client says of itself, and where the two are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from monitor.judge.beacon import BeaconSeen
from monitor.model import Reference
from monitor.probes.asked import Asked
from monitor.rpc.beacon import Slots
from monitor.rpc.errors import CallRejected, MethodAbsent


async def probe(asked: Asked[BeaconSeen]) -> BeaconSeen:
    """The Beacon API's word on sync, finality and peers; how time is counted is asked once.

    What a client refuses while it is syncing (finality, in some) is not known. Raises RpcError.
    """
    beacon = asked.beacon
    if beacon is None:
        message = "no consensus client is configured"
        raise MethodAbsent(message, 0)
    syncing, version = await asyncio.gather(beacon.syncing(), beacon.version())
    finalized, peers = await asyncio.gather(
        _known(beacon.finalized_epoch()), _known(beacon.peers_count())
    )
    last = asked.last
    if last is None:
        slots = await beacon.slots()
    else:
        slots = Slots(last.genesis_time, last.slot_seconds, last.epoch_slots)
    reference, head = asked.round.reference, asked.head
    elected = reference.head if isinstance(reference, Reference) else None
    return BeaconSeen(
        version=version,
        head_slot=syncing.head_slot,
        sync_distance=syncing.sync_distance,
        is_syncing=syncing.is_syncing,
        is_optimistic=syncing.is_optimistic,
        el_offline=syncing.el_offline,
        finalized_epoch=finalized,
        peers=peers,
        clock_slot=slots.at(asked.clock()),
        reference_slot=None if elected is None else slots.at(elected.timestamp),
        execution_slot=None if head is None else slots.at(head.timestamp),
        epoch_slots=slots.epoch_slots,
        genesis_time=slots.genesis_time,
        slot_seconds=slots.slot_seconds,
    )


async def _known(answer: Awaitable[int]) -> int | None:
    """The answer, or None where the client answered that it gives none."""
    try:
        return await answer
    except CallRejected:
        return None
