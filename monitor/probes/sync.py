"""sync: what the node says of its own synchronisation, in the dialect of its client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from monitor.judge.sync import METHOD, Remaining, Stage, SyncingSeen, pace_of
from monitor.model import Head, Reference
from monitor.probes.asked import Asked
from monitor.rpc import dialects
from monitor.rpc.dialects import RawSyncing, Written, number
from monitor.rpc.errors import CallRejected

NO_PEERS_TEXT = "no peer available for synchronization"


async def probe(asked: Asked[SyncingSeen]) -> SyncingSeen:
    """`eth_syncing`: `false`, an object of any client, or `true`, as some proxies say.

    Raises RpcError; that of EthereumJS which says that it has no peers is an answer.
    """
    reference = asked.round.reference
    lag_head = reference.lag_head if isinstance(reference, Reference) else None
    try:
        said = await asked.node.ask(METHOD, (), dialects.syncing, is_answer=_is_without_peers)
    except CallRejected as error:
        if not _is_without_peers(error):
            raise
        return SyncingSeen("no_peers", asked.head, lag_head)
    if isinstance(said, RawSyncing):
        seen = _read(said, asked.head, lag_head)
    else:
        seen = SyncingSeen("syncing" if said else "synced", asked.head, lag_head)
    return replace(seen, pace=pace_of(asked.before, seen, asked.clock()))


def _read(said: RawSyncing, head: Head | None, reference: Head | None) -> SyncingSeen:
    """The object as one value, beside the heads of the round it was asked in."""
    if not said.is_syncing:
        return SyncingSeen("synced", head, reference)
    return SyncingSeen(
        said="syncing",
        head=head,
        reference=reference,
        current=_optional(said.current_block),
        highest=_optional(said.highest_block),
        stages=tuple(_stages(said)),
        remaining=tuple(_remaining(said)),
        mode="" if said.sync_mode is None else str(said.sync_mode),
    )


def _is_without_peers(error: CallRejected) -> bool:
    return NO_PEERS_TEXT in str(error)


def _optional(written: Written | None) -> int | None:
    return None if written is None else number(written)


def _stages(said: RawSyncing) -> Iterator[Stage]:
    if isinstance(said.stages, dict):
        for name, written in said.stages.items():
            yield Stage(name, number(written))
        return
    for stage in said.stages or ():
        yield Stage(stage.label, number(stage.reached))


def _remaining(said: RawSyncing) -> Iterator[Remaining]:
    """What is left besides blocks: what geth indexes and heals, besu pulls, nitro reads."""
    counted = (
        ("blocks of the transaction index", said.tx_index_remaining_blocks, None),
        ("blocks of the state history index", said.state_index_remaining, None),
        ("blocks of the trie node history index", said.trienode_index_remaining, None),
        ("trie nodes to heal", said.healing_trienodes, None),
        ("byte codes to heal", said.healing_bytecode, None),
        ("states to pull", said.known_states, said.pulled_states),
        ("messages", said.max_message_count, said.msg_count),
        ("batches", said.batch_seen, said.batch_processed),
    )
    for what, written, done in counted:
        left = (_optional(written) or 0) - (_optional(done) or 0)
        if written is not None and left > 0:
            yield Remaining(what, left)
