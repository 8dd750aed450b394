"""`headwatch gate wait`: rounds until the nodes are ready, or a deadline is over.

What a start-up probe or a step of a rollout asks: not what is wrong now, but when it is right. A
verdict counts from the moment it became a pass; whatever came before it is forgiven.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace

from monitor.config import Settings
from monitor.gate import NOTHING, Asked, Outcome, all_of, is_settled, ruling_of, versions_of
from monitor.judge.verdict import verdict_of
from monitor.model import Finding, Verdict
from monitor.sampling import Sampler
from monitor.sidecar import Sidecar
from monitor.watch import Watch


async def wait(
    settings: Settings,
    *,
    hold_seconds: float = 0.0,
    timeout_seconds: float = 300.0,
    strict: bool = False,
    asked: Asked = NOTHING,
    remembered: Callable[[float], Iterable[Finding]] = lambda now: (),
    accepted: Callable[[Verdict], Verdict] = lambda verdict: verdict,
    progress: Callable[[Verdict, float], None] = lambda verdict, seconds: None,
) -> Outcome:
    """Judge again and again until the verdict is pass and has been for `hold_seconds`.

    Past `timeout_seconds` the outcome is what is known by then, and has timed out. Rules are held
    against the samples of the whole wait, each over its own time. `remembered` gives what was found
    by others, who were there before: it is asked after every round, with the time. `accepted` sees
    each verdict before it counts; `progress` is called after every round, with the seconds since
    the beginning.
    """
    async with Sidecar(settings, is_gate=True) as sidecar:
        began = sidecar.clock()
        sampler = Sampler(asked.rules, settings, began)
        sidecar.on_round = lambda watch, found: sampler.rounded(watch, found, sidecar.clock())
        rounds = 0
        since: float | None = None

        def known(why: str) -> Outcome:
            now = sidecar.clock()
            found = all_of(sidecar, {}, why)
            found |= {finding.key: finding for finding in remembered(now)}
            skipped = sidecar.verdict.skipped
            verdict = accepted(verdict_of(found.values(), now, skipped, strict=strict))
            ruling = ruling_of(asked, sampler, verdict, now, strict=strict)
            versions = versions_of(sidecar)
            return Outcome(verdict, rounds, timed_out=False, ruling=ruling, versions=versions)

        async def until_ready() -> Outcome:
            nonlocal rounds, since
            while True:
                started = sidecar.clock()
                watches = tuple(sidecar.watches.values())
                await asyncio.gather(*(sidecar.round(w, is_patient=True) for w in watches))
                rounds += len(watches)
                outcome, now = known("it was asked"), sidecar.clock()
                progress(outcome.verdict, now - began)
                is_ready = outcome.word == "pass" and is_settled(sidecar.memory, watches)
                since = (since if since is not None else now) if is_ready else None
                if since is not None and now - since >= hold_seconds:
                    return outcome
                await asyncio.sleep(max(0.0, _poll_seconds(watches) - (now - started)))

        try:
            async with asyncio.timeout(timeout_seconds):
                return await until_ready()
        except TimeoutError:
            outcome = known(f"the {timeout_seconds:g} s were over")
            if outcome.word == "pass":
                outcome = _not_held(outcome)
            return replace(outcome, timed_out=True)


def _not_held(outcome: Outcome) -> Outcome:
    """A pass that had not lasted when the time was over: nothing is wrong, and nothing certain."""
    verdict = replace(outcome.verdict, word="inconclusive")
    ruling = outcome.ruling and replace(outcome.ruling, word="inconclusive")
    return replace(outcome, verdict=verdict, ruling=ruling)


def _poll_seconds(watches: tuple[Watch, ...]) -> float:
    """Between two rounds of all: the pace of the quickest network."""
    return min(watch.policy.poll_seconds for watch in watches)
