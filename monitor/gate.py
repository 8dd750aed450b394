"""The gate: rounds until the state is settled, then one verdict with a reason.

The same rounds as the sidecar's, ended by certainty instead of a signal: health is believed in one
round, an accusation must be repeated, blindness gets a second look.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from monitor.config import Settings
from monitor.judge.verdict import EXIT_COUNT, REQUIRED, Memory, verdict_of
from monitor.model import Finding, Key, Level, Verdict, VerdictWord, node_subject
from monitor.policy.evaluation import Ruling, evaluate, verdict_word
from monitor.policy.rules import Rule
from monitor.policy.samples import Stored
from monitor.sampling import Sampler
from monitor.sidecar import Sidecar
from monitor.watch import Watch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the gate found."""

    verdict: Verdict
    rounds: int
    timed_out: bool
    """The time was over before the state was settled; what is missing is UNKNOWN."""
    ruling: Ruling | None = None
    """What came of the rules; None where there were none."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """The client version of each node, by its name; without those that were not seen."""

    @property
    def word(self) -> VerdictWord:
        """Of the verdict, and of the rules with it."""
        return self.verdict.word if self.ruling is None else self.ruling.word


@dataclass(frozen=True, slots=True)
class Asked:
    """What a gate asks for beside the checks."""

    name: str = ""
    """The gate's; empty where there is none, and no rules."""
    rules: tuple[Rule, ...] = ()
    stored: Callable[[float], tuple[Stored, ...]] = lambda now: ()
    """What journal and ledgers hold, asked at the end, with the time."""

    @property
    def over_seconds(self) -> float:
        """So long must be watched before each rule can be judged."""
        return max((rule.options.over_seconds or 0.0 for rule in self.rules), default=0.0)

    @property
    def rounds(self) -> int:
        """So many rounds bring every rule the samples it wants, one in each."""
        return max((rule.samples_needed for rule in self.rules), default=0)


NOTHING = Asked()


@dataclass(slots=True)
class _Progress:
    """How far a gate has come."""

    worst: dict[Key, Finding] = field(default_factory=dict)
    rounds: int = 0
    abort: asyncio.Event = field(default_factory=asyncio.Event)


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
    asked: Asked = NOTHING,
    remembered: Callable[[float], Iterable[Finding]] = lambda now: (),
    accepted: Callable[[Verdict], Verdict] = lambda verdict: verdict,
    progress: Callable[[Verdict, float], None] = lambda verdict, seconds: None,
) -> Outcome:
    """Judge every configured node once, or for as long as a window lasts.

    With a window every finding counts at its worst: a node that failed and recovered within it
    has failed. Rules make it last until they have what they want. Past `timeout_seconds` the
    verdict is what is known by then. `remembered` gives what was found by others, who were there
    before: it is asked at the end, with the time. `progress` is called after every round with the
    verdict so far and the seconds since the beginning.
    """
    window_seconds = max(window_seconds, asked.over_seconds)
    async with Sidecar(settings, is_gate=True) as sidecar:
        began = sidecar.clock()
        sampler = Sampler(asked.rules, settings, began)
        sidecar.on_round = lambda watch, found: sampler.rounded(watch, found, sidecar.clock())
        aborting = [rule for rule in asked.rules if rule.options.abort_on_fail]
        so_far = _Progress()

        async def watch_one(watch: Watch) -> None:
            quiet_rounds = 0
            while not so_far.abort.is_set():
                started = sidecar.clock()
                await sidecar.round(watch, is_patient=True)
                so_far.rounds += 1
                quiet_rounds += 1
                passed_seconds = sidecar.clock() - began
                settled = is_settled(sidecar.memory, (watch,))
                if settled and window_seconds:
                    _keep_worst(so_far.worst, sidecar.verdict.findings, watch.name)
                progress(sidecar.verdict, passed_seconds)
                sure = sidecar.verdict.word == "pass" or quiet_rounds >= EXIT_COUNT
                fed = quiet_rounds >= asked.rounds
                if settled and sure and fed and passed_seconds >= window_seconds:
                    return
                if _any_broken(aborting, sampler, sidecar.clock()):
                    so_far.abort.set()
                pause = watch.policy.poll_seconds - (sidecar.clock() - started)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, pause)):
                        await so_far.abort.wait()

        timed_out = False
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.gather(*(watch_one(w) for w in sidecar.watches.values()))
        except TimeoutError:
            timed_out = True
        why = (
            "a rule had failed" if so_far.abort.is_set() else f"the {timeout_seconds:g} s were over"
        )
        worst = all_of(sidecar, so_far.worst, why)
        now = sidecar.clock()
        worst |= {finding.key: finding for finding in remembered(now)}
        found = verdict_of(worst.values(), now, sidecar.verdict.skipped, strict=strict)
        verdict = accepted(found)
        ruling = ruling_of(asked, sampler, verdict, now, strict=strict)
        if ruling is not None:
            ruling = replace(ruling, is_aborted=so_far.abort.is_set())
        return Outcome(verdict, so_far.rounds, timed_out, ruling, versions_of(sidecar))


def ruling_of(
    asked: Asked, sampler: Sampler, verdict: Verdict, now: float, *, strict: bool
) -> Ruling | None:
    """What comes of the rules, stores read as well; None where there are none."""
    if not asked.name:
        return None
    for stored in asked.stored(now):
        sampler.samples.put(stored)
    results = tuple(evaluate(rule, sampler.samples, now) for rule in asked.rules)
    return Ruling(asked.name, verdict_word(verdict.word, results, strict=strict), results)


def versions_of(sidecar: Sidecar) -> Mapping[str, str]:
    """The client version of each node, by its name; without those that were not seen."""
    nodes = (node for watch in sidecar.watches.values() for node in watch.nodes)
    return {node.name: node.version for node in nodes if node.version}


def _any_broken(rules: Iterable[Rule], sampler: Sampler, now: float) -> bool:
    return any(evaluate(rule, sampler.samples, now).word == "fail" for rule in rules)


def all_of(sidecar: Sidecar, worst: dict[Key, Finding], why: str) -> dict[Key, Finding]:
    """What was kept of the window, what is known now, and what nobody got to judge."""
    found = dict(worst)
    for finding in sidecar.verdict.findings:
        found.setdefault(finding.key, finding)
    for watch in sidecar.watches.values():
        for key in _wanted(watch):
            found.setdefault(key, _not_judged(key, watch.name, why))
    return found


def _keep_worst(worst: dict[Key, Finding], findings: Iterable[Finding], network: str) -> None:
    for finding in findings:
        before = worst.get(finding.key)
        if finding.network == network and (before is None or finding.level >= before.level):
            worst[finding.key] = finding


def _not_judged(key: Key, network: str, why: str) -> Finding:
    """What stands in the place of a finding there was no time for: the others do not vouch."""
    return Finding(
        check=key[0],
        subject=key[1],
        network=network,
        level=Level.UNKNOWN,
        reason="not_judged",
        summary=f"not judged when {why}",
    )
