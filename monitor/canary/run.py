"""The twelve checks in their order: what comes first decides what is worth asking after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.canary import disk, lags
from monitor.canary.answering import examine
from monitor.canary.asking import Pair, opened, scrubbed
from monitor.canary.comparison import NOT_ASKED, TITLES, Comparison
from monitor.canary.consensus import consensus
from monitor.canary.identifying import identity, upgrades
from monitor.canary.pacing import PAIRS, TIMED, latency
from monitor.canary.restarting import restart
from monitor.canary.sending import transaction
from monitor.canary.soaking import soak
from monitor.canary.traffic import Request
from monitor.judge.profiles import Policy
from monitor.model import Hash32
from monitor.url import Url

SENT_SECONDS_MIN = 60.0
SENT_BLOCKS = 5
"""So many blocks are waited for a transaction, and `SENT_SECONDS_MIN` at least."""
RESTART_SECONDS = 300.0
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a canary run is to do."""

    baseline: Url
    candidate: Url
    policy: Policy
    references: Mapping[str, Url] = field(default_factory=dict)
    """By name."""
    soak_seconds: float = 0.0
    """Heads are watched for so long; a few polls where it is 0."""
    traffic: Iterable[Request] = ()
    """Recorded requests, read as they are put."""
    candidate_data: Path | None = None
    raw: bytes | None = None
    """A signed transaction to send through the candidate, and its hash."""
    raw_hash: Hash32 | None = None
    restart_command: Sequence[str] | None = None
    restart_seconds: float = RESTART_SECONDS
    latency_pairs: int = PAIRS


async def compare(
    plan: Plan,
    *,
    clock: Callable[[], float] = time.time,
    progress: Progress = lambda check, seconds: None,
) -> tuple[Comparison, ...]:
    """All twelve checks, each at least once, in the order of `TITLES`.

    Raises TrafficError where a line of the recorded traffic is none. `progress` is told of the
    check that begins, and of the seconds of the soak.
    """
    async with opened(plan.baseline, plan.candidate, plan.references, clock=clock) as pair:
        progress("identity", 0.0)
        first = await identity(pair)
        if first.outcome != "pass":
            rest = [_not_made(check, first) for check in TITLES if check != "identity"]
            return tuple(scrubbed(pair, one) for one in (first, *rest))
        found = [first, await upgrades(pair, plan.policy.poll_seconds)]
        found += await _blocks(pair, plan, progress)
        found += await _over_time(pair, plan, clock, progress)
        progress("transaction", 0.0)
        deadline = max(SENT_SECONDS_MIN, SENT_BLOCKS * plan.policy.profile.interval_seconds)
        found.append(
            await transaction(pair, plan.raw, plan.raw_hash, deadline_seconds=deadline, clock=clock)
        )
        progress("restart", 0.0)
        command, limit = plan.restart_command, plan.restart_seconds
        found.append(await restart(pair, command, deadline_seconds=limit, clock=clock))
        return tuple(scrubbed(pair, one) for one in found)


async def _blocks(pair: Pair, plan: Plan, progress: Progress) -> list[Comparison]:
    """What follows from blocks that both have."""
    progress("consensus", 0.0)
    agreed = await consensus(pair, plan.policy.poll_seconds)
    if agreed.pin is None:
        rest = [_not_made(check, agreed.comparison) for check in ("methods", "answers", "latency")]
        return [agreed.comparison, *rest]
    progress("answers", 0.0)
    pause = plan.policy.poll_seconds
    book, found = await examine(pair, agreed.pin, plan.traffic, pause_seconds=pause)
    progress("latency", 0.0)
    async with opened(plan.baseline, plan.candidate, {}, limits=TIMED) as timed:
        paced = await latency(timed, book.worth_timing, plan.latency_pairs)
    return [agreed.comparison, *found, paced]


async def _over_time(
    pair: Pair, plan: Plan, clock: Callable[[], float], progress: Progress
) -> list[Comparison]:
    """What only the soak shows."""
    before = await disk.read(plan.candidate_data, clock)
    samples = await soak(
        pair,
        seconds=plan.soak_seconds,
        poll_seconds=plan.policy.poll_seconds,
        clock=clock,
        progress=lambda seconds: progress("head", seconds),
    )
    after = await disk.read(plan.candidate_data, clock)
    return [
        lags.head(samples, plan.policy),
        lags.peers(samples),
        lags.sync(samples, plan.policy),
        disk.growth(before, after),
    ]


def _not_made(check: str, because: Comparison) -> Comparison:
    """What stands in the place of a check that another one made pointless."""
    said = f"not asked: {because.check} came to {because.reason.replace('_', ' ')}"
    return Comparison(check, "unknown", NOT_ASKED, said)
