"""txpool: does the node hear of transactions?

A node whose pool stays empty while the network's blocks are full hears of none: its P2P is deaf, or
it was told to keep no pool. What is sent through it still goes out, or does not; its fee estimates
and its pending state are of nothing.

How unlikely an empty pool is follows from the blocks. A transaction waits for half an interval at
least, in the mean, so that with n transactions a block n/2 of them wait at any moment (Little's
law), and none of them with probability exp(-n/2). Over samples at different blocks that is
exp(-sum/2). Nine transactions in ten may come to the producers by ways of their own and never be
public: with `HEARD_SHARE` of them heard, `MINED_MIN` of them leave one chance in a million.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from monitor.judge.answer import unseen
from monitor.judge.offer import Offer
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

CHECK = "txpool"
METHOD = "txpool_status"
DEAF_SECONDS = 600.0
"""So long it must have been empty in every sample: a node that starts fills its pool in less."""
DEAF_SAMPLES = 10
DEAF_P = 1e-6
HEARD_SHARE = 0.1
MINED_MIN = math.ceil(-2 * math.log(DEAF_P) / HEARD_SHARE)
"""Transactions in the blocks that were looked at while the pool was empty."""


@dataclass(frozen=True, slots=True)
class MinedBlock:
    """A block of the network, and how many transactions it has."""

    number: int
    transactions: int


@dataclass(frozen=True, slots=True)
class TxpoolSeen:
    """How many transactions wait at the node (go-ethereum, `txpool_status`)."""

    pending: int
    """That could be mined now; of besu all."""
    queued: int | None
    """That wait for an earlier one; None where they are not told apart (besu)."""
    block: MinedBlock | None
    """One that the references agree on, as the node has it; None where it was not seen."""

    @property
    def is_empty(self) -> bool:
        return not self.pending and not self.queued


def _queued(seen: TxpoolSeen) -> float | None:
    return None if seen.queued is None else float(seen.queued)


OFFERS: tuple[Offer[TxpoolSeen], ...] = (
    Offer(
        "txpool.pending_count",
        "transactions",
        "Transactions in the node's pool that could be mined now",
        lambda seen: float(seen.pending),
    ),
    Offer(
        "txpool.queued_count",
        "transactions",
        "Transactions in the node's pool that wait for an earlier one; no sample where the client "
        "does not tell them apart",
        _queued,
    ),
)


@dataclass(frozen=True, slots=True)
class Silence:
    """The run of empty samples up to the newest."""

    samples: int
    seconds: float
    mined: int
    """Transactions in the blocks that were looked at, each block once."""

    @property
    def is_deaf(self) -> bool:
        return (
            self.seconds >= DEAF_SECONDS
            and self.samples >= DEAF_SAMPLES
            and self.mined >= MINED_MIN
        )


def silence_of(history: Sequence[Observation[TxpoolSeen]]) -> Silence:
    """How long the pool has been empty; samples that were not seen say nothing either way."""
    empty: list[float] = []
    mined: dict[int, int] = {}
    for one in reversed(history):
        seen = one.seen
        if isinstance(seen, Unseen):
            continue
        if not seen.is_empty:
            break
        empty.append(one.at)
        if seen.block is not None:
            mined.setdefault(seen.block.number, seen.block.transactions)
    return Silence(len(empty), empty[0] - empty[-1] if empty else 0.0, sum(mined.values()))


def judge(
    history: Sequence[Observation[TxpoolSeen]], context: Round, policy: Policy, now: float
) -> tuple[Finding, ...]:
    """One finding; measured is what waits.

    DEGRADED at worst, and never on a chain of one sequencer (the model `traffic`), which has no
    public pool.
    """
    del now
    if not history:
        return ()
    newest = history[-1]
    seen = newest.seen
    if isinstance(seen, Unseen):
        return (unseen(CHECK, newest, context, METHOD),)
    waiting = f"{seen.pending} pending"
    if seen.queued is not None:
        waiting += f", {seen.queued} queued"
    well = Finding(
        check=CHECK,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.OK,
        reason="hears",
        summary=waiting,
        measured=float(seen.pending),
        unit="transactions",
        evidence=(Evidence(newest.node, METHOD, waiting, newest.at),),
    )
    if policy.profile.model == "traffic":
        summary = f"{waiting}; this chain has no public pool"
        return (replace(well, reason="no_public_pool", summary=summary),)
    if not seen.is_empty:
        return (well,)
    silence = silence_of(history)
    if not silence.is_deaf:
        return (replace(well, reason="empty"),)
    return (_deaf(well, newest, silence),)


def _deaf(well: Finding, newest: Observation[TxpoolSeen], silence: Silence) -> Finding:
    summary = (
        f"its pool has been empty for {silence.seconds:.0f} s, while blocks that it was looked at "
        f"with carried {silence.mined} transactions"
    )
    threshold = (
        f"empty in {DEAF_SAMPLES} samples over {DEAF_SECONDS:.0f} s with {MINED_MIN} transactions "
        f"mined (p <= {DEAF_P:g} where one in {1 / HEARD_SHARE:.0f} is public)"
    )
    evidence = Evidence(
        source=newest.node,
        method="eth_getBlockTransactionCountByHash",
        said=f"{silence.mined} transactions in blocks of {silence.samples} samples",
        at=newest.at,
        threshold=threshold,
        p_value=math.exp(-silence.mined * HEARD_SHARE / 2),
    )
    return replace(
        well,
        level=Level.DEGRADED,
        reason="deaf_pool",
        summary=summary,
        evidence=(*well.evidence, evidence),
    )
