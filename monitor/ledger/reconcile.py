"""Three ways, one block: what the rules predict, what was emitted, and what the contracts hold.

The block is pinned, the events are brought here up to it, the rules are replayed, the getters are
read at its hash, and in the end it is still the same block. What differs is doubted before it is
told (`confirming`): a node that is behind, forked or pruned, or that leaves something out, makes
the result inconclusive, and is never taken for a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.ledger.confirming import confirm_logs, confirm_values
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.job import Job, Step, Tell
from monitor.ledger.pinning import still
from monitor.ledger.plain import PlainError, dump, load
from monitor.ledger.remedies import BAD_LOGS
from monitor.ledger.report import Report, report_of
from monitor.ledger.store import Store
from monitor.ledger.sync import Ground, Synced, opened, silent, stored, sync
from monitor.ledger.v1.ledger import (
    Course,
    Kept,
    Known,
    Predicted,
    Reading,
    kept_json,
    kept_of,
    known_json,
    known_of,
)
from monitor.ledger.v1.reads import read_stored
from monitor.poco.difference import Difference
from monitor.poco.v1.compare import asked_of, compare
from monitor.poco.v1.laws import check

KNOWN, DOUBTED = "known", "doubted"
"""Documents of the store: what was read, and which differences were doubted and stood."""


@dataclass(frozen=True, slots=True)
class Doubted:
    """Differences that were there still when the logs had been asked for again."""

    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """What a reconciliation came to, whole."""

    synced: Synced
    predicted: Predicted
    differences: tuple[Difference, ...]

    def report(self) -> Report:
        """As it is handed out."""
        return report_of(
            self.predicted.state,
            self.differences,
            chain_id=self.synced.chain_id,
            block=self.synced.block,
            verdict="fail" if self.differences else "pass",
        )


async def reconcile(job: Job, tell: Tell = silent) -> Report:
    """`headwatch ledger reconcile`. Raises CouldNotSee, NotAHub and BrokenStore."""
    return (await compared(job, tell)).report()


async def compared(job: Job, tell: Tell = silent) -> Compared:
    """The whole of it. Raises CouldNotSee, NotAHub and BrokenStore."""
    async with opened(job, tell) as ground:
        with stored(job, ground) as store:
            new = await sync(ground, store, tell)
            known, kept = known_of(store.facts(KNOWN)), _kept(ground, store)
            is_fresh = kept is None and known == Known()
            before = None if kept is None else kept.events
            predicted = await predict(ground, store, tell, known=known, kept=kept)
            found = await _differing(ground, predicted, tell)
            stood = _stood(store, found)
            if found and not stood:
                await confirm_logs(ground, store, tell)
                if not is_fresh:
                    # Nothing that was kept may be to blame either.
                    known = Known()
                    predicted = await predict(ground, store, tell, known=known)
                    found = await _differing(ground, predicted, tell)
                await confirm_values(ground, predicted.state, found)
            await still(ground.node, ground.referees, ground.at)
            if ground.is_final and not (before == predicted.events and stood):
                _keep(ground, store, known, predicted, found)
            synced = Synced(ground.chain_id, ground.at, predicted.events, new)
            return Compared(synced, predicted, found)


async def predict(
    ground: Ground,
    store: Store,
    tell: Tell = silent,
    *,
    known: Known,
    kept: Kept | None = None,
) -> Predicted:
    """The ledger at the pinned block, as the rules make it of the events that are held."""
    start = None
    if kept is not None:
        snapshot = store.snapshot()
        start = None if snapshot is None else snapshot.block + 1
    course = Course(Reading(ground.node, ground.contracts, ground.at), known, kept, tell=tell)
    try:
        return await course.follow(store.batches(start, ground.at.number))
    except CouldNotSee as error:
        if error.reason == BAD_LOGS:
            # Logs that make no sense are most likely not all of them.
            await confirm_logs(ground, store, tell)
        raise


async def _differing(ground: Ground, predicted: Predicted, tell: Tell) -> tuple[Difference, ...]:
    """Where the events, the getters and the laws are not what the rules predict."""

    def told(done: int, total: int) -> None:
        tell(Step("reading what the contracts hold", done, total, "calls"))

    state = predicted.state
    questions = asked_of(state)
    stored_ = await read_stored(ground.node, ground.contracts, questions, ground.at, progress=told)
    return (*predicted.differences, *compare(state, stored_), *check(state, stored_))


def _kept(ground: Ground, store: Store) -> Kept | None:
    """The ledger that a former run kept, if it is not after the pinned block.

    It is of this chain, as all is that the store holds after a sync.
    """
    snapshot = store.snapshot()
    if snapshot is None or snapshot.block > ground.at.number:
        return None
    return kept_of(snapshot.body)


def _keep(
    ground: Ground,
    store: Store,
    known: Known,
    predicted: Predicted,
    found: Sequence[Difference],
) -> None:
    """For the next run: what was read, the ledger, and what was doubted."""
    at = ground.at
    former = store.snapshot()
    if former is not None and former.block > at.number:
        return
    store.put_facts(KNOWN, known_json(known), block=at.number)
    store.put_facts(DOUBTED, dump(Doubted, Doubted(tuple(found))), block=at.number)
    store.put_snapshot(at.number, at.hash, kept_json(predicted))


def _stood(store: Store, found: Sequence[Difference]) -> bool:
    """Whether these, and no others, were doubted before and stood."""
    raw = store.facts(DOUBTED)
    try:
        doubted = Doubted() if raw is None else load(Doubted, raw)
    except PlainError:
        return False
    return tuple(found) == doubted.differences
