"""One network, asked: a round puts the same questions to every node and reference at one moment.

What comes out is a `Round` and the histories that the judges read. Nothing here decides anything;
`sidecar` judges. References cost money, so they are asked within their budget of the day, and what
follows from headers already seen is not asked again.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from monitor.checks import REQUIRED_CHECKS, Check
from monitor.endpoint import NEWEST_COUNT, Endpoint, append, shortened
from monitor.judge.fork import SearchRange, compare, is_current, search_range
from monitor.judge.head import is_jump
from monitor.judge.profiles import Policy
from monitor.judge.quorum import (
    CONTESTED_DEPTH,
    Round,
    Witness,
    admit,
    believed_hash,
    elect_identity,
    heights_to_ask,
    hold_round,
)
from monitor.judge.seen import ForkSeen, HeadSeen, IdentitySeen, chain_of
from monitor.judge.verdict import Memory
from monitor.model import Key, Observation, Unseen
from monitor.probes import fork, head, identity
from monitor.rpc.errors import RpcError
from monitor.survey import Survey

S = TypeVar("S")
HEIGHTS_COUNT_MAX = 64
TURN_NODES = 16
"""So many nodes of a network are asked in one tick of the event loop."""
SPREAD_SECONDS_MAX = 0.5
"""The first and the last node of a round are asked at most this far apart, far below any skew."""
CALLS_USUAL_MAX = 2 * head.CALLS
"""What a round costs a reference in the course of things: its heads, and a hash or two."""
ANCESTOR_SECONDS = 30.0
"""How long the parting point of a fork is believed before it is looked for again."""
IDENTITY_SECONDS = 3600.0
"""How often a reference is asked again which chain it serves, when nothing gives cause to."""
SAMPLED_METHODS = tuple(
    dict.fromkeys(method for check in REQUIRED_CHECKS for method in check.methods)
)
"""One of them in each round travels alone to each node: the latency sample."""


class Watch:
    """One network: its references, its nodes and the policy they are judged by."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        references: Sequence[Endpoint],
        nodes: Sequence[Endpoint],
        clock: Callable[[], float],
        *,
        survey: Survey | None = None,
    ) -> None:
        """Without a survey only the required checks are made."""
        self.name = name
        self.policy = policy
        self.references = tuple(references)
        self.nodes = tuple(nodes)
        self.rounds_total = 0
        self.round_at: float | None = None
        self.round_seconds = 0.0
        self.is_asking = False
        self.trail: tuple[Observation[HeadSeen], ...] = ()
        self.round: Round | None = None
        self.survey = survey
        self._clock = clock
        self._began = 0.0

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.references + self.nodes

    async def ask(self) -> Round:
        """Put this round's questions, remember the answers, and hold the election.

        Every endpoint that fails becomes an `Unseen` of its own; nothing is raised but
        cancellation and our own mistakes.
        """
        self.is_asking = True
        try:
            return await self._ask()
        finally:
            self.is_asking = False

    async def _ask(self) -> Round:
        began = self._began = self._clock()
        asked = [reference for reference in self.references if began >= reference.due_at]
        for reference in self.references:
            reference.calls_before = reference.node.calls_total
        await asyncio.gather(
            *(self._unhurried(r, partial(self._ask_reference, r, began)) for r in asked),
            *(self._in_turn(index, node) for index, node in enumerate(self.nodes)),
        )
        await self._ask_hashes()
        now = self._clock()
        round_ = hold_round(self.name, self._witnesses(), self.policy, now, self.trail)
        self.trail = shortened(round_.trail)
        searches = [(node, self._search_due(node, round_)) for node in self.nodes]
        await asyncio.gather(*(self._search(n, due, round_) for n, due in searches if due))
        for reference in self.references:
            reference.calls_made += reference.node.calls_total - reference.calls_before
        for reference in asked:
            self._plan(reference, began)
        self.round = round_
        if self.survey is not None:
            await self.survey.begin(round_, self.nodes, self.references, self.trail)
        self.rounds_total += 1
        self.round_at = self._clock()
        self.round_seconds = self.round_at - began
        return round_

    async def surveyed(self) -> None:
        """Wait for the optional checks that are being asked."""
        if self.survey is not None:
            await self.survey.done()

    def surveyed_keys(self) -> Iterator[Key]:
        """Everything that an optional check may speak of here."""
        if self.survey is not None:
            yield from self.survey.keys(self.nodes)

    def contest(self, memory: Memory) -> None:
        """Let what speaks against the present state be asked again in the next round."""
        if self.survey is not None:
            self.survey.contested = frozenset(
                key
                for key, held in memory.items()
                if held.pressure and held.finding.network == self.name
            )

    def resume(self, before: Watch) -> None:
        """Go on where another watch of the same network ends, which asks no more."""
        if before.policy == self.policy:
            self.trail, self.rounds_total = before.trail, before.rounds_total
        if self.survey is not None and before.survey is not None:
            self.survey.resume(before.survey, self.nodes)

    def stop_survey(self) -> None:
        """Ask no more: another watch has taken over the endpoints."""
        if self.survey is not None:
            self.survey.stop()

    async def close(self) -> None:
        """End the optional checks that are being asked."""
        if self.survey is not None:
            await asyncio.gather(*self.survey.stop(), return_exceptions=True)

    def histories(self, check: Check[Any]) -> Iterator[Sequence[Observation[Any]]]:
        """What a check judges this round: one history a subject, each oldest first."""
        if not check.required:
            if self.survey is not None:
                yield from self.survey.histories(check, self.nodes)
            return
        if "node" in check.scopes:
            for node in self.nodes:
                yield node.history(check.asks)
        if "reference" in check.scopes:
            for reference in self.references:
                # Its newest head may be too old to compare with, which only the round knows.
                yield (*reference.heads[:-1], self._usable_head(reference))
        if "quorum" in check.scopes:
            yield self.trail

    async def _observe(
        self, endpoint: Endpoint, check: str, ask: Callable[[], Awaitable[S]]
    ) -> Observation[S]:
        # Called here: a round that is ended before it begins leaves no probe that nobody awaits.
        began = self._clock()
        seen: S | Unseen
        try:
            seen = await ask()
        except RpcError as error:
            seen = error.unseen()
        now = self._clock()
        return Observation(endpoint.label, check, now, now - began, seen)

    async def _in_turn(self, index: int, node: Endpoint) -> None:
        """Ask a node; in a large fleet a moment later than the ones before it.

        All at once they would keep the loop from everything else for as long as they take.
        """
        turn = index // TURN_NODES
        if turn:
            turns = len(self.nodes) // TURN_NODES
            spread_seconds = min(SPREAD_SECONDS_MAX, self.policy.poll_seconds / 2)
            await asyncio.sleep(spread_seconds * turn / (turns + 1))
        await self._unhurried(node, partial(self._ask_node, node))

    async def _unhurried(
        self, endpoint: Endpoint, ask: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Ask, and wait for the answer, unless this endpoint let its last deadline pass.

        One that hangs costs the others one slow round, not every round: from then on it is asked
        beside the rounds and stays Unseen until it answers.
        """
        if not endpoint.is_hanging:
            await ask()
        elif endpoint.asking is None or endpoint.asking.done():
            before, endpoint.asking = endpoint.asking, None
            if before is not None:
                before.result()  # Nobody else would hear of a mistake of ours in there.
            endpoint.asking = asyncio.create_task(ask())

    async def _ask_node(self, node: Endpoint) -> None:
        node.node.sample(SAMPLED_METHODS[self.rounds_total % len(SAMPLED_METHODS)])
        seen_head, seen_identity = await asyncio.gather(
            self._observe(node, "head", partial(head.probe, node.node)),
            self._observe(node, "identity", partial(identity.probe, node.node)),
        )
        node.remember_head(seen_head)
        append(node.identities, seen_identity, NEWEST_COUNT)
        if isinstance(seen_identity.seen, IdentitySeen):
            node.version = seen_identity.seen.client_version
        if node.subscription is not None and isinstance(seen_head.seen, HeadSeen):
            node.subscription.canary(seen_head.seen.head)

    async def _ask_reference(self, reference: Endpoint, now: float) -> None:
        if now >= reference.identity_due_at:
            seen_head, seen_identity = await asyncio.gather(
                self._observe(reference, "head", partial(head.probe, reference.node)),
                self._observe(reference, "identity", partial(identity.probe, reference.node)),
            )
            append(reference.identities, seen_identity, NEWEST_COUNT)
            if isinstance(seen_identity.seen, IdentitySeen):
                reference.version = seen_identity.seen.client_version
                reference.identity_due_at = now + IDENTITY_SECONDS
        else:
            seen_head = await self._observe(reference, "head", partial(head.probe, reference.node))
        reference.remember_head(seen_head)
        if isinstance(seen_head.seen, Unseen) or is_jump(reference.heads, self.policy):
            reference.identity_due_at = 0.0

    def _plan(self, reference: Endpoint, began: float) -> None:
        """When this reference is asked again: at the next round, or as its budget allows.

        A round that cost many calls (a fork was searched) is no reason to be blind for minutes:
        what it cost is gone from the budget already, as is what optional checks ask. Pauses are
        powers of two of the poll and end at times that all references share, so that those that
        are asked seldom are asked together: heads of different moments cannot be compared.
        """
        calls, reference.calls_made = reference.calls_made, 0
        budget, poll = reference.node.budget, self.policy.poll_seconds
        usual = min(max(calls, head.CALLS), CALLS_USUAL_MAX)
        spacing = 0.0 if budget is None else budget.spacing_seconds(usual)
        # A spent budget is asked for as well: the refusal is free, and is what must be shown.
        spent = budget is not None and budget.calls_a_day - budget.spent < head.CALLS
        if spent or spacing <= poll:
            reference.due_at = began
            return
        pause = poll * 2 ** math.ceil(math.log2(spacing / poll))
        reference.due_at = (began // pause + 1) * pause

    def _usable_head(self, reference: Endpoint) -> Observation[HeadSeen]:
        """Its newest head, unless the budget has let it grow too old to compare with.

        However long this round takes, what was asked in it is compared with what was asked in it.
        """
        newest = reference.heads[-1]
        age = self._began - newest.at
        oldest = 2 * max(self.policy.poll_seconds, self.policy.profile.interval_seconds)
        if age <= oldest or isinstance(newest.seen, Unseen):
            return newest
        calls = reference.node.budget.calls_a_day if reference.node.budget else 0
        detail = f"last asked {age:.0f} s ago: its {calls} calls a day do not allow more"
        return replace(newest, seen=Unseen("budget", detail))

    def _witnesses(self) -> tuple[Witness, ...]:
        return tuple(
            Witness(
                name=reference.name,
                operator=reference.operator,
                client=reference.client,
                head=self._usable_head(reference),
                identity=reference.identities[-1] if reference.identities else None,
                chain=chain_of(reference.heads, reference.vouched(self._began), reference.known),
            )
            for reference in self.references
        )

    async def _ask_hashes(self) -> None:
        """Ask for the hashes that this round compares and that no link of headers proves."""
        witnesses = self._witnesses()
        need = len({witness.operator for witness in witnesses}) // 2 + 1
        admitted, _ = admit(witnesses, elect_identity(witnesses, self.policy, need))
        heads = [node.heads[-1].seen for node in self.nodes]
        heights = heights_to_ask(admitted, need, [h for h in heads if isinstance(h, HeadSeen)])
        chains = {witness.name: witness.chain for witness in admitted}
        questions: list[Awaitable[None]] = []
        for reference in self.references:
            chain = chains.get(reference.name)
            if chain is not None:
                missing = [n for n in heights if n not in chain.hashes][:HEIGHTS_COUNT_MAX]
                if missing:
                    questions.append(self._ask_blocks(reference, missing))
        top = heights[0] if heights else None
        now = self._clock()
        for node in self.nodes:
            wanted = self._wanted(node, top)
            seen = self._linked(node, wanted)
            if seen is None:
                questions.append(self._ask_fork(node, wanted))
            else:
                append(node.forks, Observation(node.label, "fork", now, 0.0, seen), NEWEST_COUNT)
        await asyncio.gather(*questions)

    def _wanted(self, node: Endpoint, top: int | None) -> tuple[int, ...]:
        """The heights at which this node's own hashes are compared."""
        newest = node.newest_head
        if top is None or newest is None:
            return ()
        common = min(newest.number, top)
        return (common, max(0, common - CONTESTED_DEPTH))

    def _linked(self, node: Endpoint, wanted: Sequence[int]) -> ForkSeen | Unseen | None:
        """What need not be asked: a node that was not seen, or one whose links prove it all."""
        newest = node.heads[-1].seen
        if isinstance(newest, Unseen):
            return newest
        return fork.from_links(node.heads, wanted, known=node.known, client=node.client)

    async def _ask_blocks(self, reference: Endpoint, missing: Sequence[int]) -> None:
        answer = await self._observe(
            reference, "fork", partial(fork.blocks_at, reference.node, missing)
        )
        if not isinstance(answer.seen, Unseen):
            reference.remember_blocks(answer.seen, answer.at)

    async def _ask_fork(self, node: Endpoint, wanted: Sequence[int]) -> None:
        probe = partial(fork.probe, known=node.known, client=node.client)
        ask = partial(probe, node.node, node.heads, wanted)
        observation = await self._observe(node, "fork", ask)
        append(node.forks, observation, NEWEST_COUNT)
        if isinstance(observation.seen, ForkSeen):
            heads = observation.seen.chain.heads
            node.remember_known(heads[number] for number in wanted if number in heads)

    def _search_due(self, node: Endpoint, round_: Round) -> SearchRange | None:
        """Where this node's chain parts from the references', if it does."""
        seen = node.forks[-1].seen
        if not isinstance(seen, ForkSeen):
            return None
        search = search_range(compare(seen.head, seen.chain, round_), round_)
        if search is None:
            node.ancestor = None
        return search

    async def _search(self, node: Endpoint, search: SearchRange, round_: Round) -> None:
        """Find out where the chains part; an answer that still fits serves a while."""
        newest = node.forks[-1]
        if not isinstance(newest.seen, ForkSeen):
            return
        now = self._clock()
        if (
            node.ancestor is None
            or now - node.ancestor[1] > ANCESTOR_SECONDS
            or not is_current(node.ancestor[0], search)
        ):
            other = self._believed(round_, search.highest)
            if other is None:
                return
            ask = partial(fork.ancestor, node.node, other.node, search)
            found = await self._observe(node, "fork", ask)
            if isinstance(found.seen, Unseen):
                return
            node.ancestor = (found.seen, now)
        node.forks[-1] = replace(newest, seen=replace(newest.seen, ancestor=node.ancestor[0]))

    def _believed(self, round_: Round, number: int) -> Endpoint | None:
        """A reference that names the believed hash at this height."""
        believed = believed_hash(round_, number)
        for witness in round_.admitted:
            if believed is not None and witness.chain.hashes.get(number) == believed:
                return next(r for r in self.references if r.name == witness.name)
        return None
