"""One network's optional checks, asked beside its rounds and each at its own pace.

A round waits for none of them: what they find is judged in the rounds that follow. What speaks
against the present state is asked again in the next round, so that nothing is confirmed by the
same answer twice. References are asked once for all the nodes that are compared with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
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

KEPT_COUNT = 40
"""Observations of each probe that are remembered."""
NODES_AT_ONCE = 16
PROBE_SECONDS_MAX = 60.0
"""Of a probe of many calls, each of which has a deadline of its own."""
UNSUPPORTED_SECONDS = 600.0
"""How often a node is asked again for a method that it says it does not have."""
NOTHING_TO_COMPARE = Unseen("no_quorum", "no block that it shares with a majority of references")

Rows = tuple[Check[Any], ...]
Mistake = Callable[[str, Exception], None]
"""Told of a probe that crashed: the name of its check, and what it raised."""


class Survey:
    """Asks what is due; `histories` is what the judges read."""

    def __init__(
        self,
        network: str,
        policy: Policy,
        rows: Sequence[Check[Any]],
        clock: Callable[[], float],
        on_mistake: Mistake,
    ) -> None:
        self.rows: Rows = tuple(rows)
        self.contested: frozenset[Key] = frozenset()
        """Where the fold holds proposals that speak against the present state."""
        self.of_quorum: dict[str, list[Observation[Any]]] = {}
        """By probe: what was asked for the references together."""
        self._label = reference_label(network)
        self._policy = policy
        self._clock = clock
        self._on_mistake = on_mistake
        self._due_at: dict[tuple[str, str], float] = {}
        self._judged_at: dict[tuple[str, str], float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        """By the label of who is asked about."""
        self._turns = asyncio.Semaphore(NODES_AT_ONCE)

    async def begin(
        self,
        round_: Round,
        nodes: Sequence[Endpoint],
        references: Sequence[Endpoint],
        trail: Sequence[Observation[HeadSeen]],
    ) -> None:
        """Write down what needs no asking, and begin to ask what is due; waits for no answer."""
        panel = Panel(tuple(_members(round_, references)))
        for node in nodes:
            asked: Asked[Any] = Asked(
                node=node.node,
                panel=panel,
                round=round_,
                policy=self._policy,
                heads=node.heads,
                before=(),
                clock=self._clock,
                subscription=node.subscription,
            )
            rows = [row for row in self.rows if "node" in row.scopes and _has(node, row)]
            await self._survey(node.label, asked, rows, node.surveys)
        voter = _voter(round_, references)
        if voter is not None:
            asked = Asked(
                node=voter.node,
                panel=panel,
                round=round_,
                policy=self._policy,
                heads=trail,
                before=(),
                clock=self._clock,
            )
            rows = [row for row in self.rows if "quorum" in row.scopes]
            await self._survey(self._label, asked, rows, self.of_quorum)

    async def done(self) -> None:
        """Wait for what is under way, as a gate does: it has no next round to judge it in."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def stop(self) -> tuple[asyncio.Task[None], ...]:
        """End what is under way; the tasks, for whoever waits until they have."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        return tasks

    @property
    def newest(self) -> tuple[Observation[Any], ...]:
        """What was written down last for the references together, of each probe."""
        return tuple(one for history in self.of_quorum.values() for one in history[-1:])

    def histories(
        self, check: Check[Any], nodes: Iterable[Endpoint]
    ) -> Iterator[Sequence[Observation[Any]]]:
        """What is there to be judged of a check in this round, each history oldest first.

        A node that is not seen in this round is not vouched for by what it said before. What is
        contested waits for a fresh answer.
        """
        if "node" in check.scopes:
            for node in nodes:
                history: Sequence[Observation[Any]] = node.surveys.get(check.asks, ())
                newest = node.heads[-1] if node.heads else None
                if history and check.methods and newest and isinstance(newest.seen, Unseen):
                    gone: Observation[Any] = Observation(
                        node.label, check.asks, newest.at, 0.0, newest.seen
                    )
                    history = (*history, gone)
                if self._is_fresh(check, history):
                    yield history
        if "quorum" in check.scopes:
            history = self.of_quorum.get(check.asks, ())
            if self._is_fresh(check, history):
                yield history

    def _is_fresh(self, check: Check[Any], history: Sequence[Observation[Any]]) -> bool:
        if not history:
            return False
        newest = history[-1]
        key = (check.name, newest.node)
        before = self._judged_at.get(key)
        self._judged_at[key] = newest.at
        is_contested = (check.name, subject_of(newest.node)) in self.contested
        return not is_contested or before is None or newest.at > before

    async def _survey(
        self,
        label: str,
        asked: Asked[Any],
        rows: Sequence[Check[Any]],
        kept: dict[str, list[Observation[Any]]],
    ) -> None:
        now = self._clock()
        for row in rows:
            if not row.methods:
                await self._ask(row, label, asked, kept)
        if label in self._tasks or asked.head is None:
            return
        due = [row for row in rows if row.methods and self._is_due(row, label, now)]
        if due:
            task = asyncio.create_task(self._ask_all(due, label, asked, kept))
            self._tasks[label] = task
            task.add_done_callback(lambda _: self._tasks.pop(label, None))

    def _is_due(self, row: Check[Any], label: str, now: float) -> bool:
        is_contested = (row.name, subject_of(label)) in self.contested
        return is_contested or now >= self._due_at.get((row.asks, label), 0.0)

    async def _ask_all(
        self,
        rows: Sequence[Check[Any]],
        label: str,
        asked: Asked[Any],
        kept: dict[str, list[Observation[Any]]],
    ) -> None:
        async with self._turns:
            ended = await asyncio.gather(
                *(self._ask(row, label, asked, kept) for row in rows), return_exceptions=True
            )
        for row, ending in zip(rows, ended, strict=True):
            if isinstance(ending, Exception):
                # What it said before vouches for nothing: the check becomes stale, and UNKNOWN.
                kept.pop(row.asks, None)
                self._on_mistake(row.name, ending)

    async def _ask(
        self,
        row: Check[Any],
        label: str,
        asked: Asked[Any],
        kept: dict[str, list[Observation[Any]]],
    ) -> None:
        began = self._clock()
        history = kept.setdefault(row.asks, [])
        seen: Any
        if row.compares and asked.pinned is None:
            seen = NOTHING_TO_COMPARE
        else:
            try:
                async with asyncio.timeout(PROBE_SECONDS_MAX):
                    seen = await row.probe(asked.with_history(history))
            except RpcError as error:
                seen = error.unseen()
            except TimeoutError:
                seen = Unseen("timeout", f"no answer within {PROBE_SECONDS_MAX:g} s")
        now = self._clock()
        append(history, Observation(label, row.asks, now, now - began, seen), KEPT_COUNT)
        is_unsupported = isinstance(seen, Unseen) and seen.reason == "unsupported"
        pause = max(row.every_seconds, UNSUPPORTED_SECONDS if is_unsupported else 0.0)
        self._due_at[row.asks, label] = began + pause


def _has(node: Endpoint, row: Check[Any]) -> bool:
    """Whether a node is configured with what the check needs."""
    return row.needs != "websocket" or node.subscription is not None


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
