"""Gates by name: the rules of a configuration, and what a running sidecar says of them.

The sidecar remembers what the rules of its gates speak of, bounded, and nothing where it has no
gate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.config import Settings
from monitor.config.gate_rules import rules_of
from monitor.gate import Asked
from monitor.model import Finding, Verdict
from monitor.policy.evaluation import Ruling, evaluate, verdict_word
from monitor.policy.presets import Thresholds
from monitor.policy.rules import Rule
from monitor.sampling import Sampler, read_stores
from monitor.sidecar import Sidecar, policy_of
from monitor.watch import Watch


def thresholds_of(settings: Settings) -> Mapping[str, Thresholds]:
    """What presets are made from, by network that has a node."""
    watched = dict.fromkeys(node.network for node in settings.nodes)
    policies = {name: policy_of(settings, name) for name in watched}
    return {
        name: Thresholds(
            lag_blocks=policy.lag_blocks,
            confirmations=policy.confirmations,
            interval_seconds=policy.profile.interval_seconds,
            stall_seconds=policy.stall_seconds,
        )
        for name, policy in policies.items()
    }


def gates_of(settings: Settings) -> Mapping[str, tuple[Rule, ...]]:
    """The rules of every gate, by its name."""
    thresholds = thresholds_of(settings) if settings.gate else {}
    return {name: rules_of(gate, thresholds) for name, gate in settings.gate.items()}


def asked_of(settings: Settings, name: str, directory: Path) -> Asked:
    """What `headwatch gate --gate NAME` holds the nodes against. Raises KeyError."""
    rules = gates_of(settings)[name]
    return Asked(name, rules, lambda now: read_stores(rules, settings, directory, now))


class Gatekeeper:
    """Holds the rules of every gate against what its sidecar remembers."""

    def __init__(self, sidecar: Sidecar, directory: Path | None) -> None:
        """Without a `directory` there is no journal and no ledger to read."""
        self._sidecar = sidecar
        self._directory = directory
        self._reading = asyncio.Lock()
        """Stores are read by one at a time: no number of askers takes all threads."""
        self._gates = gates_of(sidecar.settings)
        self._sampler = self._sampler_of(sidecar.settings)
        sidecar.on_round = self._rounded

    def _sampler_of(self, settings: Settings) -> Sampler:
        rules = (rule for rules in self._gates.values() for rule in rules)
        return Sampler(rules, settings, self._sidecar.clock())

    def _rounded(self, watch: Watch, findings: Sequence[Finding]) -> None:
        self._sampler.rounded(watch, findings, self._sidecar.clock())

    def apply(self, settings: Settings) -> None:
        """Judge by these settings; samples start anew where the rules of any gate have changed."""
        gates = gates_of(settings)
        if self._gates == gates:
            self._sampler.apply(settings, self._sidecar.clock())
        else:
            self._gates = gates
            self._sampler = self._sampler_of(settings)

    @property
    def names(self) -> tuple[str, ...]:
        """The gates there are."""
        return tuple(self._gates)

    async def judge(self, name: str) -> tuple[Verdict, Ruling]:
        """What this gate says now. Raises KeyError where there is none of this name."""
        rules, sidecar, directory = self._gates[name], self._sidecar, self._directory
        if directory is not None and any(rule.measure.kind == "stored" for rule in rules):
            settings = sidecar.settings
            async with self._reading:
                found = await asyncio.to_thread(
                    read_stores, rules, settings, directory, sidecar.clock()
                )
            for stored in found:
                self._sampler.samples.put(stored)
        now = sidecar.clock()
        results = tuple(evaluate(rule, self._sampler.samples, now) for rule in rules)
        verdict = sidecar.snapshot().verdict
        return verdict, Ruling(name, verdict_word(verdict.word, results), results)
