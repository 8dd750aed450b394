"""Everything that is watched, and the one evaluated state of it.

A round asks one network, judges what was seen and folds it into the state. `run` repeats rounds,
the gate counts them; metrics, page, API and terminal are drawn from the same snapshot.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import aiohttp

from monitor import checks
from monitor.act.instruments import Instruments
from monitor.config import Settings
from monitor.judge.offers import OPTIONAL_CHECKS
from monitor.judge.profiles import PROFILES, Policy, override, policy
from monitor.judge.quorum import Round
from monitor.judge.verdict import EMPTY, Memory, fold, forget, verdict_of, without_passed
from monitor.maintenance import Window, is_silenced
from monitor.model import (
    AccountFacts,
    Action,
    Finding,
    Key,
    LedgerFacts,
    Level,
    NetworkFacts,
    NodeFacts,
    Observation,
    Reference,
    Snapshot,
    TransactionsMode,
    Unseen,
    Verdict,
    account_subject,
    ledger_subject,
    reference_label,
    subject_of,
)
from monitor.releases.feeds import Feeds
from monitor.roster import Roster, rows_of
from monitor.rpc.budget import Budget
from monitor.survey import Survey
from monitor.watch import Watch
from monitor.wire import open_session

log = logging.getLogger("headwatch")

Clock = Callable[[], float]


def policy_of(settings: Settings, network: str) -> Policy:
    """The thresholds of a configured network."""
    chosen = settings.networks[network].profile
    profile = override(
        PROFILES[chosen.profile],
        interval_seconds=chosen.interval_seconds,
        speed=chosen.speed,
        chain_id=chosen.chain_id,
        genesis_hash=chosen.genesis_hash,
    )
    return policy(profile)


class Sidecar:
    """The watched networks and what is known of them.

    Use as an async context manager: the HTTP session and the subscriptions live in it.
    """

    def __init__(
        self, settings: Settings, *, clock: Clock = time.time, is_gate: bool = False
    ) -> None:
        """A gate makes no check that needs hours to say anything."""
        self.settings = settings
        self._is_gate = is_gate
        self.clock = clock
        self.instruments = Instruments()
        self.memory: Memory = EMPTY
        self.verdict: Verdict = verdict_of((), clock())
        self.watches: dict[str, Watch] = {}
        self.listeners: list[Callable[[Sequence[Action]], None]] = []
        """Told of edges, in this order; none of them may wait."""
        self.on_head: Callable[[Watch], None] = lambda watch: None
        self.on_round: Callable[[Watch, Sequence[Finding]], None] = lambda watch, findings: None
        """Told of what each round has proposed, before its latencies are taken."""
        self.accounts: Callable[[], tuple[AccountFacts, ...]] = tuple
        """What the watchdog of transactions knows of its accounts."""
        self.transactions_mode: Callable[[], TransactionsMode] = lambda: "off"
        self.ledgers: Callable[[], tuple[LedgerFacts, ...]] = tuple
        """What is known of the ledgers that are reconciled."""
        self.windows: tuple[Window, ...] = ()
        """Maintenance, active and planned: it keeps people from being told, and nothing else."""
        self._edges: dict[Key, Action] = {}
        self._skipped: dict[str, tuple[Key, ...]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._roster: Roster | None = None

    async def __aenter__(self) -> Self:
        self._session = open_session()
        self._roster = Roster(self._session, self.clock)
        self.apply(self.settings)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._roster is not None:
            await self._roster.close()
        for watch in self.watches.values():
            await watch.close()
            await asyncio.gather(*(endpoint.close() for endpoint in watch.endpoints))
        if self._session is not None:
            await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session of everything that is asked; only while the sidecar is open."""
        assert self._session is not None, "the sidecar is not open"
        return self._session

    # -- what is watched -------------------------------------------------------------------------

    def apply(self, settings: Settings) -> None:
        """Watch what these settings say; what did not change keeps its memory."""
        roster = self._roster
        assert roster is not None, "the sidecar is not open"
        old = {(e.label, e.node.url): e for w in self.watches.values() for e in w.endpoints}
        kept: set[str] = set()
        watches: dict[str, Watch] = {}
        feeds = Feeds(settings.releases, self.session, self.clock)
        for name, network in settings.networks.items():
            nodes = [n for n in settings.nodes if n.network == name]
            if not nodes:
                continue
            rules = policy_of(settings, name)
            references = [
                roster.endpoint(
                    old,
                    reference_label(name, r.name),
                    r,
                    settings,
                    r.calls_a_day or rules.profile.calls_a_day,
                )
                for r in network.references
            ]
            own = [roster.endpoint(old, n.name, n, settings, None) for n in nodes]
            survey = self._survey(name, rules, settings, feeds)
            watch = Watch(name, rules, references, own, self.clock, survey=survey)
            for endpoint in own:
                roster.listen(endpoint, watch, self._heard)
            before = self.watches.get(name)
            if before is not None:
                watch.resume(before)
            watches[name] = watch
            kept.update(subject_of(e.label) for e in watch.endpoints)
            kept.add(subject_of(reference_label(name)))
        roster.forget({n.name for n in settings.nodes})
        for watch in self.watches.values():
            watch.stop_survey()
        kept.update(account_subject(a.alias) for a in settings.transactions.accounts)
        kept.update(ledger_subject(ledger.name) for ledger in settings.ledgers)
        for (_, subject), held in self.memory.items():
            if held.finding.because is not None and held.finding.because[1] in kept:
                kept.add(subject)  # A transaction's finding stays with its account's.
        self.settings, self.watches = settings, watches
        self.memory = forget(self.memory, kept)
        self._edges = {key: edge for key, edge in self._edges.items() if key[1] in kept}
        self._skipped = {name: self._skipped.get(name, ()) for name in watches}
        asked = {key for watch in watches.values() for key in watch.surveyed_keys()}
        self.fold(ended=[k for k in self.memory if k[0] in OPTIONAL_CHECKS and k not in asked])

    def _survey(self, name: str, rules: Policy, settings: Settings, feeds: Feeds) -> Survey:
        rows = feeds.rows(rows_of(checks.CHECKS, settings.checks, is_gate=self._is_gate))
        return Survey(name, rules, rows, self.clock, self._mistaken)

    def _heard(self, watch: Watch) -> None:
        self.on_head(watch)

    def _mistaken(self, check: str, error: Exception) -> None:
        log.error("internal error in the probe of %s", check, exc_info=error)
        self.instruments.internal_errors.labels(place=f"probe_{check}").inc()

    # -- one round -------------------------------------------------------------------------------

    async def round(self, watch: Watch, *, is_patient: bool = False) -> tuple[Action, ...]:
        """Ask one network, judge it, fold it into the state; the edges that came of it.

        A patient round waits for its optional checks as well. Never raises but for cancellation: a
        mistake of ours makes the network UNKNOWN and is counted.
        """
        try:
            context = await watch.ask()
            if is_patient:
                await watch.surveyed()
            findings = self.judge(watch, context) if self._is_current(watch) else []
        except Exception:
            log.exception("internal error while asking %s", watch.name)
            self.instruments.internal_errors.labels(place="round").inc()
            findings = [
                _crashed(check, subject_of(node.label), watch.name)
                for check in ("head", "fork")
                for node in watch.nodes
            ]
        if not self._is_current(watch):
            return ()
        self.shielded("gate", partial(self.on_round, watch, findings))
        self._sample(watch)
        actions = self.fold(findings)
        watch.contest(self.memory)
        return actions

    def _is_current(self, watch: Watch) -> bool:
        """Whether the configuration is still the one this watch was made for.

        What a round found that outlived it may speak of subjects that are gone.
        """
        return self.watches.get(watch.name) is watch

    def judge(self, watch: Watch, context: Round) -> list[Finding]:
        """Every check's findings of this round; a check that crashes is UNKNOWN by itself."""
        now = self.clock()
        findings: list[Finding] = []
        skipped: list[Key] = []
        for check in checks.CHECKS:
            for history in watch.histories(check):
                if not check.required and _is_unsupported(history):
                    skipped.append((check.name, subject_of(history[-1].node)))
                    continue
                try:
                    findings.extend(check.judge(history, context, watch.policy, now))
                except Exception:
                    log.exception("internal error in the judge of %s", check.name)
                    self.instruments.internal_errors.labels(place=f"judge_{check.name}").inc()
                    subject = subject_of(history[-1].node)
                    findings.append(_crashed(check.name, subject, watch.name))
        self._skipped[watch.name] = tuple(skipped)
        return findings

    def fold(
        self, findings: Iterable[Finding] = (), *, ended: Iterable[Key] = ()
    ) -> tuple[Action, ...]:
        """Fold findings into the one state; without any, let what is stale expire.

        Nothing is kept of what is skipped, nor of what has `ended`.
        """
        skipped = tuple(key for keys in self._skipped.values() for key in keys)
        gone = {*skipped, *ended}
        self.memory, verdict, actions = fold(self.memory, tuple(findings), self.clock(), gone)
        self.verdict = replace(verdict, skipped=skipped)
        for action in actions:
            finding = action.finding
            self._edges[action.key] = action
            level = logging.INFO if action.kind == "closed" else logging.WARNING
            log.log(
                level, "%s %s %s: %s", action.kind, finding.subject, finding.check, finding.summary
            )
        for key in gone:
            self._edges.pop(key, None)
        self.memory = without_passed(self.memory)
        for listen in self.listeners if actions else ():
            self.shielded("edges", partial(listen, actions))
        return actions

    def shielded(self, place: str, call: Callable[[], None]) -> None:
        """Do something that follows from a round and must not undo it: a mistake is counted."""
        try:
            call()
        except Exception:
            log.exception("internal error in what follows from a round: %s", place)
            self.instruments.internal_errors.labels(place=place).inc()

    def _sample(self, watch: Watch) -> None:
        for endpoint in watch.endpoints:
            while endpoint.node.latencies:
                method, seconds = endpoint.node.latencies.popleft()
                self.instruments.rpc_call_seconds.labels(
                    node=endpoint.label, method=method
                ).observe(seconds)

    # -- what is shown ---------------------------------------------------------------------------

    def is_silenced(self, network: str, subject: str) -> bool:
        """Whether a maintenance window keeps people from being told of this subject now."""
        return is_silenced(self.windows, network, subject, self.clock())

    def _silenced(self) -> frozenset[str]:
        if not self.windows:
            return frozenset()
        subjects = [
            (watch.name, subject_of(label))
            for watch in self.watches.values()
            for label in (reference_label(watch.name), *(e.label for e in watch.endpoints))
        ]
        subjects += [
            (account.network or "", account_subject(account.alias))
            for account in self.settings.transactions.accounts
        ]
        subjects += [
            (ledger.network or "", ledger_subject(ledger.name)) for ledger in self.settings.ledgers
        ]
        return frozenset(subject for name, subject in subjects if self.is_silenced(name, subject))

    def snapshot(self) -> Snapshot:
        """The immutable value that every page is drawn from."""
        now = self.clock()
        active = sum(window.is_active(now) for window in self.windows)
        watches = self.watches.values()
        observations: list[Observation[object]] = []
        for watch in watches:
            for endpoint in watch.endpoints:
                observations.extend(endpoint.newest)
            observations.extend(() if watch.survey is None else watch.survey.newest)
        return Snapshot(
            at=now,
            verdict=self.verdict,
            observations=tuple(observations),
            networks=tuple(_network_facts(watch) for watch in watches),
            endpoints=tuple(e.facts(w.name) for w in watches for e in w.endpoints),
            ready=all(watch.rounds_total for watch in watches),
            edges=tuple(self._edges.values()),
            silenced=self._silenced(),
            windows_active=active,
            windows_planned=len(self.windows) - active,
            accounts=self.accounts(),
            transactions_mode=self.transactions_mode(),
            ledgers=self.ledgers(),
        )

    def budgets(self) -> dict[str, Budget]:
        """What each reference may be asked today, by its label."""
        endpoints = (e for watch in self.watches.values() for e in watch.references)
        return {e.label: e.node.budget for e in endpoints if e.node.budget is not None}

    def last_exchange(self, facts: NodeFacts) -> tuple[str, str] | None:
        """The last request and answer of an endpoint, without anything of its URL."""
        watch = self.watches.get(facts.network)
        if watch is None:
            return None
        endpoints = watch.nodes if facts.kind == "node" else watch.references
        return next((e.node.last_exchange for e in endpoints if e.name == facts.name), None)


def _is_unsupported(history: Sequence[Observation[Any]]) -> bool:
    newest = history[-1].seen if history else None
    return isinstance(newest, Unseen) and newest.reason == "unsupported"


def _crashed(check: str, subject: str, network: str) -> Finding:
    return Finding(
        check=check,
        subject=subject,
        network=network,
        level=Level.UNKNOWN,
        reason="internal_error",
        summary="headwatch itself failed here; its log has the traceback",
    )


def _network_facts(watch: Watch) -> NetworkFacts:
    reference = watch.round.reference if watch.round is not None else None
    return NetworkFacts(
        name=watch.name,
        profile=watch.policy.label,
        interval_seconds=watch.policy.profile.interval_seconds,
        lag_blocks=watch.policy.lag_blocks,
        stall_seconds=watch.policy.stall_seconds,
        confirmations=watch.policy.confirmations,
        reference=reference if isinstance(reference, Reference) else None,
        round_at=watch.round_at,
        round_seconds=watch.round_seconds,
        rounds_total=watch.rounds_total,
    )
