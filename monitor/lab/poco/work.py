"""The script of one work order, from the purchase to its end."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from monitor.lab.poco.accounts import enclave, result_of
from monitor.lab.poco.blocks import Receipt, Tx
from monitor.lab.poco.calls import (
    NOBODY,
    UNSIGNED,
    allow,
    buy,
    call,
    contribute,
    finalize,
    result_hash,
    reverting,
)
from monitor.lab.poco.plan import Ending, Offer, Part, Share, Task, happens
from monitor.lab.poco.scripts import Script, Step
from monitor.lab.poco.stage import Pool, Stage, only
from monitor.model import Address

CONSENSUS_CLOCKS = 10
REVEAL_CLOCKS = 2
"""`WorkerPool.CONSENSUS_DURATION_RATIO` and `REVEAL_PERIOD_DURATION_RATIO`."""
RETRIES = 0.05
"""How often somebody sends again what has already been done, and fails."""


@dataclass(frozen=True, slots=True)
class Work:
    """A work order that was bought."""

    stage: Stage
    pool: Pool
    woid: Address
    task: Task
    clock_seconds: int
    timeout: int
    """`consensusTimeout`: the last second in which the pool still listens."""

    def contribution(self, share: Share, result: bytes) -> Tx:
        """A commitment, signed by the enclave where one was asked for."""
        signature = UNSIGNED
        if share.is_enclave:
            self.stage.enclaves += 1
            signature = enclave(self.stage.seed, "enclave").sign(result, share.worker)
        return contribute(share.worker, self.pool.address, self.woid, result, signature)

    def result(self, name: str) -> bytes:
        """What the computation comes to, by the one who calls it so."""
        return result_of(self.stage.seed, f"{self.woid} {name}")

    def consensus(self, result: bytes) -> Tx:
        signature = "revealConsensus(address,bytes32)"
        return call(self.pool.owner, self.pool.address, signature, self.woid, result_hash(result))

    def reveal(self, worker: Address, result: bytes) -> Tx:
        return call(worker, self.pool.address, "reveal(address,bytes32)", self.woid, result)

    def finalize(self) -> Tx:
        return finalize(self.pool.owner, self.pool.address, self.woid, f"task {self.task.number}")

    def claim(self) -> Tx:
        signature = "claimFailedConsensus(address)"
        return call(self.task.requester, self.stage.hub, signature, self.woid)


def work_order(stage: Stage, offer: Offer, index: int, task: Task) -> Script:
    """Buy, authorise, contribute, and come to the task's ending if the workers let it."""
    pool = stage.pools[offer.pool]
    terms = stage.terms(task.app, task.dataset)
    receipts = yield Step([buy(stage.hub, task.requester, pool.address, index, terms)])
    clock = stage.clock_seconds(offer.category)
    work = Work(
        stage=stage,
        pool=pool,
        woid=only(stage.work_orders(receipts)),
        task=task,
        clock_seconds=clock,
        timeout=stage.now + CONSENSUS_CLOCKS * clock,
    )
    shares = yield from _authorise(work)
    if task.ending is Ending.REOPENED:
        yield from _reopened(work, shares)
    else:
        yield from _straight(work, shares)


def _authorise(work: Work) -> Generator[Step, Sequence[Receipt], list[Share]]:
    """Those that still belong to the pool, in one call for the enclaves and one for the others."""
    stage = work.stage
    may = set(stage.authorise(work.pool, [share.worker for share in work.task.shares]))
    shares = [share for share in work.task.shares if share.worker in may]
    steps = []
    for is_enclave in (False, True):
        workers = [share.worker for share in shares if share.is_enclave is is_enclave]
        challenge = enclave(stage.seed, "enclave").challenge if is_enclave else NOBODY
        if workers:
            steps.append(allow(work.pool.owner, work.pool.address, work.woid, workers, challenge))
    yield Step(steps)
    return shares


def _contribute(
    work: Work, shares: Sequence[Share], right: str
) -> Generator[Step, Sequence[Receipt], None]:
    """Commitments in random order; `right` names the result of those that are right or silent."""
    stage = work.stage
    for piece in stage.pieces(shares):
        steps = []
        for share in piece:
            name = f"wrong {stage.rng.randrange(2)}" if share.part is Part.WRONG else right
            commitment = work.contribution(share, work.result(name))
            steps.append(commitment)
            if happens(stage.rng, RETRIES):
                steps.append(reverting(commitment))
        yield Step(steps)


def _straight(work: Work, shares: Sequence[Share]) -> Script:
    """At most one consensus."""
    ending, stage = work.task.ending, work.stage
    yield from _contribute(work, _of(shares, Part.RIGHT, Part.SILENT, Part.WRONG), "right")
    winners = _of(shares, Part.RIGHT, Part.SILENT)
    if ending is Ending.LEFT and happens(stage.rng, 0.5):
        return
    if ending is Ending.CLAIMED or not winners:
        yield from _claim(work)
        return
    yield Step([work.consensus(work.result("right"))])
    reveal_date = stage.now + REVEAL_CLOCKS * work.clock_seconds
    provers = _of(winners, Part.RIGHT)
    if ending in {Ending.CLAIMED_REVEALING, Ending.LEFT}:
        provers = provers[: (len(provers) + 1) // 2]
    yield from _reveal(work, provers, "right")
    if ending is Ending.LEFT:
        return
    if ending is Ending.CLAIMED_REVEALING or not provers:
        yield from _claim(work)
    elif len(provers) == len(winners):
        yield Step([work.finalize()])
    else:
        # The first second in which the scheduler need not wait for the silent any longer.
        yield Step([work.finalize()], at=max(reveal_date, stage.now + 1))


def _reopened(work: Work, shares: Sequence[Share]) -> Script:
    """A consensus that nobody reveals; then another, sometimes on the same result."""
    stage, pool = work.stage, work.pool
    late = _of(shares, Part.RIGHT)
    silent = _of(shares, Part.SILENT)
    if not late or not silent:
        yield from _straight(work, shares)
        return
    yield from _contribute(work, _of(shares, Part.SILENT, Part.WRONG), "first")
    first = work.result("first")
    yield Step([work.consensus(first)])
    reveal_date = stage.now + REVEAL_CLOCKS * work.clock_seconds
    too_late = reverting(work.reveal(silent[0].worker, first))
    reopen = call(pool.owner, pool.address, "reopen(address)", work.woid)
    yield Step([too_late, reopen], at=max(reveal_date, stage.now + 1))
    name = stage.rng.choice(("right", "first"))
    yield from _contribute(work, late, name)
    yield Step([work.consensus(work.result(name))])
    yield from _reveal(work, late, name)
    yield Step([work.finalize()])


def _reveal(
    work: Work, shares: Sequence[Share], name: str
) -> Generator[Step, Sequence[Receipt], None]:
    for piece in work.stage.pieces(shares):
        yield Step([work.reveal(share.worker, work.result(name)) for share in piece])


def _claim(work: Work) -> Script:
    """The requester has its money back: not in the last second of the timeout, but in the next."""
    stage = work.stage
    if stage.now < work.timeout and happens(stage.rng, 0.3):
        yield Step([reverting(work.claim())], at=work.timeout)
    yield Step([work.claim()], at=max(work.timeout, stage.now) + 1)


def _of(shares: Sequence[Share], *parts: Part) -> list[Share]:
    return [share for share in shares if share.part in parts]
