"""The events of a ledger brought here, up to a believed block; nothing that is here is asked again.

Page by page: each is on the disk before the next is asked for, so that whatever ends a sync, the
next one goes on where it was. What a reorg took back is taken back here first. A page is of the
chain that the pinned block is on: its last log and its last block have the hashes that the node
names after the page has come, and in the end the pinned block is where it was.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from monitor.ledger.calls import FIRST, header_at
from monitor.ledger.errors import BrokenStore, CouldNotSee
from monitor.ledger.fetching import Fetcher, Reach
from monitor.ledger.job import FINALIZED, Job, Seat, Step, Tell
from monitor.ledger.pinning import Referee, pin, still
from monitor.ledger.remedies import BEHIND, FORKED, WRONG_CHAIN, unseen
from monitor.ledger.store import Identity, Store
from monitor.ledger.v1.discovery import Contracts, chain_of, discover, first_block
from monitor.ledger.v1.emitters import Emitters
from monitor.model import BlockStamp, Hash32, short
from monitor.rpc import decode
from monitor.rpc.node import Limits, Node
from monitor.wire import open_session

if TYPE_CHECKING:
    import pyarrow as pa

SCRATCH = "headwatch-ledger-"
"""How the folder is called that goes when the job is done."""
NARROW = "narrow"
"""The document that says how many blocks the node may be asked for at once, where it once left
something out of more."""
LOGS_SURE = 50
"""So many at once are given even by such a node."""


def silent(step: Step) -> None:
    """Tell nobody."""
    del step


class Ground(NamedTuple):
    """Whom a job asks, at which block, of which contracts: all of it believed."""

    node: Node
    referees: tuple[Referee, ...]
    chain_id: int
    at: BlockStamp
    final: int
    """The height up to which nothing is reorganised any more."""
    contracts: Contracts
    from_block: int | None

    @property
    def is_final(self) -> bool:
        return self.at.number <= self.final


@dataclass(frozen=True, slots=True)
class Synced:
    """What is here after a sync."""

    chain_id: int
    block: BlockStamp
    """All events up to this one are here."""
    events: int
    events_new: int
    """Of these, what was not here before."""


@asynccontextmanager
async def opened(
    job: Job, tell: Tell = silent, *, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Ground]:
    """Everybody who is asked, with the block pinned and the contracts found.

    Raises CouldNotSee and NotAHub.
    """
    async with seated(job.node, job.references, job.limits, clock) as (node, referees):
        tell(Step("looking for the block"))
        chain_id = await chain_of(node, job.chain_id, pace=FIRST)
        await require_one_chain(referees, chain_id)
        confirmations = job.confirmations
        at = await pin(node, job.at, referees, confirmations=confirmations)
        is_tag = job.at == FINALIZED
        final = at if is_tag else await pin(node, FINALIZED, (), confirmations=confirmations)
        contracts = await discover(node, job.contract, at)
        yield Ground(node, referees, chain_id, at, final.number, contracts, job.from_block)


@asynccontextmanager
async def seated(
    seat: Seat, references: Iterable[Seat], limits: Limits, clock: Callable[[], float]
) -> AsyncIterator[tuple[Node, tuple[Referee, ...]]]:
    """The node that is asked and those it is compared with, until the end of the block."""
    async with open_session() as session:
        seats = (seat, *references)
        nodes = [Node(each.label, each.url, session, clock=clock, limits=limits) for each in seats]
        operators = (each.operator or each.url.origin for each in seats)
        _, *referees = map(Referee, operators, nodes)
        try:
            yield nodes[0], tuple(referees)
        finally:
            for node in nodes:
                await node.close()


@contextmanager
def stored(job: Job, ground: Ground) -> Iterator[Store]:
    """The job's store, or one that goes with the block. Raises BrokenStore."""
    identity = Identity(ground.chain_id, job.protocol, ground.contracts.hub)
    if job.folder is not None:
        with Store.open(job.folder, identity) as store:
            yield store
        return
    try:
        scratch = tempfile.TemporaryDirectory(prefix=SCRATCH)
    except OSError as error:
        message = f"no temporary folder can be made ({error.strerror}): name one with --data-dir"
        raise BrokenStore(message) from None
    with scratch as folder, Store.open(Path(folder), identity) as store:
        yield store


async def sync_ledger(job: Job, tell: Tell = silent) -> Synced:
    """`headwatch ledger sync`. Raises CouldNotSee, NotAHub and BrokenStore."""
    async with opened(job, tell) as ground:
        with stored(job, ground) as store:
            new = await sync(ground, store, tell)
            await still(ground.node, ground.referees, ground.at)
            events = sum(batch.num_rows for batch in store.batches(last=ground.at.number))
            return Synced(ground.chain_id, ground.at, events, new)


async def sync(ground: Ground, store: Store, tell: Tell = silent) -> int:
    """Bring the store up to the pinned block; how many logs are new.

    Raises CouldNotSee and BrokenStore, and what came before is kept.
    """
    await realign(ground, store)
    first = await _next_block(ground, store)
    if first > ground.at.number:
        return 0
    emitters = Emitters(ground.contracts)
    for batch in store.batches():
        emitters.learn_of(batch)
    fetcher = Fetcher(ground.node, reach_of(store))
    start, new = first, 0
    while first <= ground.at.number:
        tell(Step("fetching events", first - start, ground.at.number - start + 1, "blocks"))
        page = await emitters.page(fetcher, first, ground.at.number)
        last_hash = await hash_at_end(ground, page.logs, page.last)
        store.add(page.logs, first=first, last=page.last, last_hash=last_hash)
        store.seal(min(ground.final, page.last))
        new += page.logs.num_rows
        first = page.last + 1
    return new


async def realign(ground: Ground, store: Store) -> None:
    """Take back what is held of blocks that the node's chain does not have.

    Raises CouldNotSee where the node merely has not come so far.
    """
    if store.held_to is None:
        return
    there = await header_at(ground.node, store.held_to)
    if there == store.hash_at_end:
        return
    is_short = there is None
    for mark in store.marks():
        there = await header_at(ground.node, mark.block)
        if there == mark.hash:
            if is_short:
                detail = (
                    f"{ground.node.label} has no block {store.held_to} yet, up to which events are "
                    "held"
                )
                raise unseen(BEHIND, detail)
            store.rollback(mark.block)
            return
        is_short = is_short and there is None
    store.rollback(-1)


async def hash_at_end(ground: Ground, logs: pa.RecordBatch, last: int) -> Hash32:
    """The hash of a page's last block, where its logs are of the same chain; else CouldNotSee."""
    ends = [last]
    if logs.num_rows:
        ends.append(logs.column(0)[-1].as_py())
    there = await asyncio.gather(*(header_at(ground.node, number) for number in ends))
    if there[0] is None:
        detail = f"{ground.node.label} has no block {last} any more"
        raise unseen(BEHIND, detail)
    if last == ground.at.number and there[0] != ground.at.hash:
        raise _forked(ground.node, last, ground.at.hash, there[0])
    if logs.num_rows:
        logged = Hash32("0x" + logs.column(2)[-1].as_py().hex())
        if there[1] != logged:
            raise _forked(ground.node, ends[1], logged, there[1])
    return there[0]


def reach_of(store: Store) -> Reach:
    """How much is asked for at once: less, where the node was once found to leave logs out."""
    narrow = store.facts(NARROW)
    blocks = int(narrow) if narrow is not None and narrow.isdigit() else 0
    return Reach(blocks=blocks, blocks_max=blocks, logs_wanted=LOGS_SURE) if blocks else Reach()


async def require_one_chain(referees: Iterable[Referee], chain_id: int) -> None:
    """Raises CouldNotSee where a reference serves another chain; one that is silent is let be."""
    those = tuple(referees)
    said = await asyncio.gather(
        *(one.node.ask("eth_chainId", (), decode.quantity) for one in those), return_exceptions=True
    )
    for (_, node), answer in zip(those, said, strict=True):
        if isinstance(answer, str) and int(answer, 16) != chain_id:
            detail = f"{node.label} serves chain {int(answer, 16)}, and the node chain {chain_id}"
            raise unseen(WRONG_CHAIN, detail)


async def _next_block(ground: Ground, store: Store) -> int:
    """The first block that is not here yet. A store that begins too late is begun anew."""
    wanted = ground.from_block
    if store.held_to is not None and store.held_from is not None:
        if wanted is None or store.held_from <= wanted:
            return store.held_to + 1
        store.rollback(-1)
    if wanted is not None:
        return wanted
    return await first_block(ground.node, ground.contracts.hub, ground.at)


def _forked(node: Node, number: int, one: Hash32, other: Hash32 | None) -> CouldNotSee:
    there = "no block" if other is None else short(other)
    detail = f"block {number} of {node.label} was {short(one)}, and is {there} now"
    return unseen(FORKED, detail)
