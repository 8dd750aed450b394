"""The gate: rounds until the state is settled, then one verdict with a reason.

The same rounds as the sidecar's, ended by certainty instead of a signal: health is believed in one
round, an accusation must be repeated, blindness gets a second look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from monitor.config import Settings
from monitor.judge.verdict import EXIT_COUNT, REQUIRED, Memory, verdict_of
from monitor.model import Finding, Key, Level, Verdict, node_subject
from monitor.sidecar import Sidecar
from monitor.watch import Watch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the gate found."""

    verdict: Verdict
    rounds: int
    timed_out: bool
    """The time was over before the state was settled; what is missing is UNKNOWN."""


def is_settled(memory: Memory, watches: Iterable[Watch]) -> bool:
    """Whether every required check of every node has a level that nothing speaks against."""
    if any(held.pressure or not held.settled for held in memory.values()):
        return False
    return all(key in memory for watch in watches for key in _wanted(watch))


def _wanted(watch: Watch) -> Iterator[Key]:
    """What has to be judged before anything can be said of a network."""
    for node in watch.nodes:
        for check in REQUIRED:
            if check != "references":
                yield (check, node_subject(node.name))


async def gate(
    settings: Settings,
    *,
    window_seconds: float = 0.0,
    timeout_seconds: float = 300.0,
    strict: bool = False,
    remembered: Callable[[float], Iterable[Finding]] = lambda now: (),
    progress: Callable[[Verdict, float], None] = lambda verdict, seconds: None,
) -> Outcome:
    """Judge every configured node once, or for as long as a window lasts.

    With a window every finding counts at its worst: a node that failed and recovered within it
    has failed. Past `timeout_seconds` the verdict is what is known by then. `remembered` gives what
    was found by others, who were there before: it is asked at the end, with the time. `progress` is
    called after every round with the verdict so far and the seconds since the beginning.
    """
    async with Sidecar(settings) as sidecar:
        began = sidecar.clock()
        worst: dict[Key, Finding] = {}
        timed_out = False
        rounds = 0

        async def watch_one(watch: Watch) -> None:
            nonlocal rounds
            quiet_rounds = 0
            while True:
                started = sidecar.clock()
                await sidecar.round(watch)
                rounds += 1
                quiet_rounds += 1
                passed_seconds = sidecar.clock() - began
                settled = is_settled(sidecar.memory, (watch,))
                if settled and window_seconds:
                    _keep_worst(worst, sidecar.verdict.findings, watch.name)
                progress(sidecar.verdict, passed_seconds)
                sure = sidecar.verdict.word == "pass" or quiet_rounds >= EXIT_COUNT
                if settled and sure and passed_seconds >= window_seconds:
                    return
                pause = watch.policy.poll_seconds - (sidecar.clock() - started)
                await asyncio.sleep(max(0.0, pause))

        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.gather(*(watch_one(w) for w in sidecar.watches.values()))
        except TimeoutError:
            timed_out = True
        for finding in sidecar.verdict.findings:
            if finding.key not in worst:
                worst[finding.key] = finding
        for watch in sidecar.watches.values():
            for key in _wanted(watch):
                worst.setdefault(key, _not_judged(key, watch.name, timeout_seconds))
        worst |= {finding.key: finding for finding in remembered(sidecar.clock())}
        verdict = verdict_of(
            worst.values(), sidecar.clock(), sidecar.verdict.skipped, strict=strict
        )
        return Outcome(verdict, rounds, timed_out)


def _keep_worst(worst: dict[Key, Finding], findings: Iterable[Finding], network: str) -> None:
    for finding in findings:
        before = worst.get(finding.key)
        if finding.network == network and (before is None or finding.level >= before.level):
            worst[finding.key] = finding


def _not_judged(key: Key, network: str, timeout_seconds: float) -> Finding:
    """What stands in the place of a finding there was no time for: the others do not vouch."""
    return Finding(
        check=key[0],
        subject=key[1],
        network=network,
        level=Level.UNKNOWN,
        reason="not_judged",
        summary=f"not judged when the {timeout_seconds:g} s were over",
    )
