"""One network's optional checks, asked beside its rounds and each at its own pace.

A round waits for none of them: what they find is judged in the rounds that follow. What speaks
against the present state is asked again in the next round, so that nothing is confirmed by the
same answer twice. References are asked once for all the nodes that are compared with them.

When something is due follows from what was written down, so that a reload asks nothing anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from monitor.checks import Check
from monitor.endpoint import Endpoint, append
from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.model import (
    Key,
    Observation,
    Reference,
    Unseen,
    reference_label,
    subject_of,
)
from monitor.probes.asked import Asked, Member, Panel
from monitor.rpc.errors import RpcError
from monitor.rpc.node import LANE

BESIDE = "beside"
"""The lane of their calls: none travels with those of a round."""
KEPT_COUNT = 40
"""Observations of each probe that are remembered."""
NODES_AT_ONCE = 16
PROBE_SECONDS_MAX = 60.0
"""Of a probe of many calls, each of which has a deadline of its own."""
UNSUPPORTED_SECONDS = 600.0
"""How often a node is asked again for a method that it says it does not have."""
RETRY_SECONDS = 60.0
"""What could not be seen is asked again after so long at the latest, however seldom it is due."""
NOTHING_TO_COMPARE = Unseen("no_quorum", "no block that it shares with a majority of references")
FAILED = Unseen("internal_error", "headwatch itself failed here; its log has the traceback")

Histories = dict[str, list[Observation[Any]]]
"""By probe, oldest first."""
Mistake = Callable[[str, Exception], None]
"""Told of a probe that crashed: the name of its check, and what it raised."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """Who is asked about: a node, or the references of the network together."""

    label: str
    heads: Sequence[Observation[HeadSeen]]
    kept: Histories

    @property
    def is_seen(self) -> bool:
        """Whether its newest head is one."""
        return bool(self.heads) and isinstance(self.heads[-1].seen, HeadSeen)

    def was_gone_since(self, at: float) -> bool:
        """Whether its head was not seen at this time or later: what it said then is of the past."""
        for one in reversed(self.heads):
            if one.at < at:
                return False
            if isinstance(one.seen, Unseen):
                return True
        return False


class Survey:
    """Asks what is due; `histories` is what the judges read."""

    def __init__(
        self,
        network: str,
        policy: Policy,
        rows: Sequence[Check[Any]],
        clock: Callable[[], float],
        on_mistake: Mistake,
        *,
        probe_seconds_max: float = PROBE_SECONDS_MAX,
    ) -> None:
        self.contested: frozenset[Key] = frozenset()
        """Where the fold holds proposals that speak against the present state."""
        self.of_quorum: Histories = {}
        """What was asked for the references together."""
        self._label = reference_label(network)
        self._policy = policy
        self._rows = tuple(rows)
        self._paces = {row.asks: row.every_seconds for row in rows}
        for row in rows:
            self._paces[row.asks] = min(self._paces[row.asks], row.every_seconds)
        self._clock = clock
        self._on_mistake = on_mistake
        self._probe_seconds_max = probe_seconds_max
        self._judged_at: dict[tuple[str, str], float] = {}
        self._trail: Sequence[Observation[HeadSeen]] = ()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """By the label of who is asked about."""
        self._panels: list[Panel] = []
        """Those of which somebody may still be asking."""
        self._turns = asyncio.Semaphore(NODES_AT_ONCE)
        self._is_stopped = False

    def resume(self, before: Survey, nodes: Iterable[Endpoint]) -> None:
        """Go on with what is known, but for what is not asked any more."""
        self.of_quorum = before.of_quorum
        _keep(self.of_quorum, self._paces)
        for node in nodes:
            _keep(node.surveys, {row.asks for row in self._rows if _has(node, row)})

    def keys(self, nodes: Iterable[Endpoint]) -> Iterator[Key]:
        """Everything that its checks may speak of, each by its check and its subject."""
        quorum = subject_of(self._label)
        yield from ((row.name, quorum) for row in self._rows if "quorum" in row.scopes)
        rows = [row for row in self._rows if "node" in row.scopes]
        for node in nodes:
            yield from ((row.name, subject_of(node.label)) for row in rows if _has(node, row))

    async def begin(
        self,
        round_: Round,
        nodes: Sequence[Endpoint],
        references: Sequence[Endpoint],
        trail: Sequence[Observation[HeadSeen]],
    ) -> None:
        """Write down what needs no asking, and begin to ask what is due; waits for no answer."""
        self._trail = trail
        if self._is_stopped or not self._rows:
            return
        panel = Panel(tuple(_members(round_, references)))
        self._panels = [*(one for one in self._panels if one.is_asking), panel]
        rows = [row for row in self._rows if "node" in row.scopes]
        for node in nodes:
            subject = _Subject(node.label, node.heads, node.surveys)
            due = self._due([row for row in rows if _has(node, row)], subject)
            if due:
                await self._survey(due, subject, self._asked(node, panel, round_, node.heads))
        voter = _voter(round_, references)
        if voter is not None:
            subject = _Subject(self._label, trail, self.of_quorum)
            due = self._due([row for row in self._rows if "quorum" in row.scopes], subject)
            if due:
                await self._survey(due, subject, self._asked(voter, panel, round_, trail))

    async def done(self) -> None:
        """Wait for what is under way, as a gate does: it has no next round to judge it in."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def stop(self) -> tuple[asyncio.Task[Any], ...]:
        """End what is under way, and begin no more; the tasks, for whoever waits for their end."""
        self._is_stopped = True
        tasks: list[asyncio.Task[Any]] = list(self._tasks.values())
        tasks += [task for panel in self._panels for task in panel.tasks]
        for task in tasks:
            task.cancel()
        return tuple(tasks)

    @property
    def newest(self) -> tuple[Observation[Any], ...]:
        """What was written down last for the references together, of each probe."""
        return tuple(one for history in self.of_quorum.values() for one in history[-1:])

    def histories(
        self, check: Check[Any], nodes: Iterable[Endpoint]
    ) -> Iterator[Sequence[Observation[Any]]]:
        """What is there to be judged of a check in this round, each history oldest first.

        Whoever is not seen in this round is not vouched for by what was said before, then or
        later. What is contested waits for a fresh answer.
        """
        subjects: list[_Subject] = []
        if "node" in check.scopes:
            subjects += [_Subject(node.label, node.heads, node.surveys) for node in nodes]
        if "quorum" in check.scopes:
            subjects.append(_Subject(self._label, self._trail, self.of_quorum))
        for subject in subjects:
            history: Sequence[Observation[Any]] = subject.kept.get(check.asks, ())
            if history and check.methods:
                history = _vouched(history, subject)
            if history and self._is_fresh(check, history[-1]):
                yield history

    def _is_fresh(self, check: Check[Any], newest: Observation[Any]) -> bool:
        if self._clock() - newest.at > 2 * (self._pause(newest) + self._probe_seconds_max):
            return False  # Nobody asks any more, by a mistake of ours; silence makes it UNKNOWN.
        key = (check.name, newest.node)
        before = self._judged_at.get(key, -inf)
        self._judged_at[key] = newest.at
        return newest.at > before or (check.name, subject_of(newest.node)) not in self.contested

    def _asked(
        self,
        endpoint: Endpoint,
        panel: Panel,
        round_: Round,
        heads: Sequence[Observation[HeadSeen]],
    ) -> Asked[Any]:
        return Asked(
            node=endpoint.node,
            panel=panel,
            round=round_,
            policy=self._policy,
            heads=tuple(heads),  # Later rounds write on while this is asked.
            before=(),
            clock=self._clock,
            subscription=endpoint.subscription,
            beacon=endpoint.beacon,
        )

    # -- what is due -----------------------------------------------------------------------------

    def _due(self, rows: Sequence[Check[Any]], subject: _Subject) -> tuple[Check[Any], ...]:
        """The rows whose probes are to be asked now, one of those that share a probe."""
        may_ask = subject.is_seen and subject.label not in self._tasks
        now = self._clock()
        due: dict[str, Check[Any]] = {}
        for row in rows:
            if row.methods and not may_ask:
                continue
            if not row.methods or self._is_due(row, subject, now):
                due.setdefault(row.asks, row)
        return tuple(due.values())

    def _is_due(self, row: Check[Any], subject: _Subject, now: float) -> bool:
        history = subject.kept.get(row.asks)
        if not history or subject.was_gone_since(history[-1].at):
            return True
        newest = history[-1]
        if now >= newest.at - newest.took_seconds + self._pause(newest):
            return True
        is_contested = bool(self.contested) and (
            (row.name, subject_of(subject.label)) in self.contested
        )
        # An answer that was not judged yet may settle it.
        return is_contested and self._judged_at.get((row.name, subject.label), -inf) >= newest.at

    def _pause(self, newest: Observation[Any]) -> float:
        """How long after this was asked it is asked again."""
        pace, seen = self._paces[newest.check], newest.seen
        if not isinstance(seen, Unseen):
            return pace
        if seen == NOTHING_TO_COMPARE:
            return 0.0  # Nobody was asked.
        if seen.reason == "unsupported":
            return max(pace, UNSUPPORTED_SECONDS)
        return min(pace, RETRY_SECONDS)

    # -- asking ----------------------------------------------------------------------------------

    async def _survey(
        self, due: Sequence[Check[Any]], subject: _Subject, asked: Asked[Any]
    ) -> None:
        for row in due:
            if not row.methods:
                await self._ask(row, subject, asked)
        rows = [row for row in due if row.methods]
        if rows:
            task = asyncio.create_task(self._ask_all(rows, subject, asked))
            self._tasks[subject.label] = task
            task.add_done_callback(lambda _: self._tasks.pop(subject.label, None))

    async def _ask_all(
        self, rows: Sequence[Check[Any]], subject: _Subject, asked: Asked[Any]
    ) -> None:
        LANE.set(BESIDE)
        async with self._turns:
            await asyncio.gather(*(self._ask(row, subject, asked) for row in rows))

    async def _ask(self, row: Check[Any], subject: _Subject, asked: Asked[Any]) -> None:
        began = self._clock()
        history = subject.kept.setdefault(row.asks, [])
        seen: Any
        try:
            if row.compares and asked.pinned is None:
                seen = NOTHING_TO_COMPARE
            else:
                async with asyncio.timeout(self._probe_seconds_max):
                    seen = await row.probe(asked.with_history(history))
        except RpcError as error:
            seen = error.unseen()
        except TimeoutError:
            seen = Unseen("timeout", f"no answer within {self._probe_seconds_max:g} s")
        except Exception as error:  # noqa: BLE001 - the sidecar logs and counts it
            self._on_mistake(row.name, error)
            seen = FAILED
        now = self._clock()
        append(history, Observation(subject.label, row.asks, now, now - began, seen), KEPT_COUNT)


def _vouched(history: Sequence[Observation[Any]], subject: _Subject) -> Sequence[Observation[Any]]:
    """What still counts of what was answered: nothing that was said before its head was unseen."""
    newest = history[-1]
    if isinstance(newest.seen, Unseen) and newest.seen.reason == "unsupported":
        return history  # It has nothing to say, seen or not.
    if not subject.is_seen and subject.heads:
        head = subject.heads[-1]
        return (*history, Observation(subject.label, newest.check, head.at, 0.0, head.seen))
    return () if subject.was_gone_since(newest.at) else history


def _keep(kept: Histories, asked: Collection[str]) -> None:
    for asks in [asks for asks in kept if asks not in asked]:
        del kept[asks]


def _has(node: Endpoint, row: Check[Any]) -> bool:
    """Whether a node is configured with what the check needs."""
    if row.needs == "websocket":
        return node.subscription is not None
    return row.needs != "beacon" or node.beacon is not None


def _members(round_: Round, references: Iterable[Endpoint]) -> Iterator[Member]:
    admitted = {witness.name for witness in round_.admitted}
    for reference in references:
        if reference.name in admitted and not reference.is_hanging:
            yield Member(reference.node, reference.operator, reference.client)


def _voter(round_: Round, references: Iterable[Endpoint]) -> Endpoint | None:
    """A reference that voted for the head and is asked on behalf of all; None without a quorum."""
    if not isinstance(round_.reference, Reference):
        return None
    voters = round_.reference.voters
    return next((one for one in references if one.operator in voters and not one.is_hanging), None)
