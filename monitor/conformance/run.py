"""Vectors, put to a node: each file in its order, several files at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from monitor.canary.asking import WHOLE, answer_of
from monitor.canary.differences import Answer, Difference
from monitor.canary.traffic import is_safe
from monitor.conformance.compare import compare
from monitor.conformance.finding import Place, Skip, load, skip_of
from monitor.conformance.masking import MASK, masked
from monitor.conformance.outcome import ABSENT, LEFT_OUT, Conformance, Outcome, Tried
from monitor.conformance.vectors import RoundTrip, VectorError
from monitor.model import Hash32
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, RpcError
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session

AT_ONCE = 8
LIMITS = Limits(deadline_seconds=20.0, body_bytes_max=64 * 2**20, batch_calls_max=1)
"""Each call travels alone, as in the file; traces and proofs are large and slow."""
UNSEEN_MAX = 16
"""So many calls in a row without an answer, and no more are made: nobody is there."""
SAID_MAX = 200
GONE = "not asked: the node had stopped answering"
Differences = tuple[Difference, ...]
Progress = Callable[[int, int], None]
"""Told of how many files are done, and of how many there are."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is put to which node."""

    folder: Path
    url: Url
    places: Sequence[Place]
    head: Hash32 | None = None
    """The hash of the block that the node has to be on; None where nobody knows."""
    skips: Sequence[Skip] = ()
    limits: Limits = LIMITS


async def run(
    plan: Plan,
    *,
    clock: Callable[[], float] = time.time,
    progress: Progress = lambda done, total: None,
) -> Conformance:
    """All files, or none where no answer would mean anything. Raises VectorError.

    Every file is read before any is put, so that one that is broken leaves nothing half done.
    """
    alone = {place for place in plan.places if _changes(place)}
    async with open_session() as session:
        node = Node("node", plan.url, session, clock=clock, limits=plan.limits)
        try:
            found = await _begun(plan, node)
            if found.blind:
                return found
            bench = _Bench(node, plan, progress)
            await bench.put([place for place in plan.places if place not in alone], AT_ONCE)
            # What may change something goes last, one by one, so that nobody else sees it half.
            await bench.put([place for place in plan.places if place in alone], 1)
            return replace(found, files=tuple(bench.came(place) for place in plan.places))
        finally:
            await node.close()


def _changes(place: Place) -> bool:
    """Whether a file asks for anything that is not known to read, and no more."""
    return not all(is_safe(trip.method) for trip in load(place).trips)


async def _begun(plan: Plan, node: Node) -> Conformance:
    """Who answers, and on which chain it is."""
    found = Conformance(str(plan.folder))
    try:
        version = await node.ask("web3_clientVersion", (), decode.text)
    except CallRejected:
        version = ""
    except RpcError as error:
        return replace(found, blind=f"the node cannot be asked: {error}")
    found = replace(found, client=node.url.scrub(version, SAID_MAX))
    if plan.head is None:
        return found
    try:
        return await _on_chain(node, plan.head, found)
    except RpcError as error:
        return replace(found, blind=f"whether it is on the vectors' chain cannot be seen: {error}")


async def _on_chain(node: Node, head: Hash32, found: Conformance) -> Conformance:
    """A block that is known may still lie on a branch that was left: its height has to name it."""
    block = await node.ask("eth_getBlockByHash", (head, False), decode.header)
    if block is None:
        blind = f"the node is on another chain, or not yet there: it has no block {head}"
        return replace(found, blind=blind)
    number = block.head().number
    there = await node.ask("eth_getBlockByNumber", (hex(number), False), decode.header)
    if there is None or there.head().hash != head:
        said = "none" if there is None else there.head().hash
        blind = f"the node is on another chain: block {number} is {said} and not {head}"
        return replace(found, blind=blind)
    latest = await node.ask("eth_getBlockByNumber", ("latest", False), decode.header)
    beyond = 0 if latest is None else latest.head().number - number
    chain = f"its head is the vectors', block {number}"
    if beyond > 0:
        blocks = f"{beyond} block{'s' * (beyond != 1)}"
        chain = f"its head is {blocks} beyond the vectors', block {number}"
    return replace(found, chain=chain)


class _Bench:
    """Where the files of a run are put, and what came of them."""

    def __init__(self, node: Node, plan: Plan, progress: Progress) -> None:
        self.done: dict[Place, Tried] = {}
        self._node = node
        self._plan = plan
        self._progress = progress
        self._unseen = 0
        """Calls in a row without an answer."""
        self._served: set[str] = set()
        """Methods that have answered with a result, or with the error that was expected."""
        self._absent: dict[Place, tuple[str, Tried]] = {}
        """Files whose method was said not to be there, and what they come to where it is."""

    def came(self, place: Place) -> Tried:
        """What came of a file, once all of them were put.

        A method that answered in one file is there, whatever the node says of it in another.
        """
        method, failed = self._absent.get(place, ("", None))
        return failed if failed is not None and method in self._served else self.done[place]

    async def put(self, places: Sequence[Place], at_once: int) -> None:
        """These files, so many at once."""
        waiting = iter(places)

        async def work() -> None:
            # All take from one iterator: whoever is free takes the next.
            for place in waiting:
                self.done[place] = await self._tried(place)
                self._progress(len(self.done), len(self._plan.places))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(places))):
                group.create_task(work())

    async def _tried(self, place: Place) -> Tried:
        skip = skip_of(place, self._plan.skips)
        if skip is not None:
            return _result(place, "skipped", LEFT_OUT, f"left out: {skip.why}")
        if self._unseen >= UNSEEN_MAX:
            return _result(place, "unknown", "not_asked", GONE)
        try:
            vector = load(place)
        except VectorError:
            return _result(place, "unknown", "changed", "it was read once, and can no longer be")
        for trip in vector.trips:
            answer = await self._answer(trip)
            tried = self._judged(place, trip, answer, is_speconly=vector.is_speconly)
            if tried.outcome != "pass":
                # What comes after it may rest on what it should have done.
                return tried
        count = len(vector.trips)
        shape = ", by their shape" if vector.is_speconly else ""
        return _result(
            place, "pass", "same", f"{count} answer{'s' * (count != 1)} as expected{shape}"
        )

    async def _answer(self, trip: RoundTrip) -> Answer:
        # Raw is written as it is: the parameters reach the node to the letter.
        params = msgspec.Raw(trip.params)
        try:
            answer = answer_of(await self._node.ask(trip.method, params, WHOLE))
        except RpcError as error:
            answer = answer_of(error)
        self._unseen = self._unseen + 1 if answer.unseen in {"timeout", "refused"} else 0
        return answer

    def _judged(self, place: Place, trip: RoundTrip, answer: Answer, *, is_speconly: bool) -> Tried:
        if answer.unseen == "malformed":
            said = f"{trip.method}: the answer is no JSON-RPC"
            return _result(place, "fail", "malformed", said, trip.line)
        if answer.unseen:
            said = f"{trip.method}: no answer ({answer.unseen})"
            return _result(place, "unknown", answer.unseen, said, trip.line)
        found = compare(trip.expected, answer, is_speconly=is_speconly)
        if answer.result is not None or not (found or answer.is_absent):
            self._served.add(trip.method)
        if not found:
            return _result(place, "pass", "same", "", trip.line)
        clean = self._clean(trip, answer, found, is_speconly=is_speconly)
        count, first = len(found), clean[0].path or "the answer"
        said = f"{trip.method}: {count} difference{'s' * (count != 1)}, the first at {first}"
        failed = _result(place, "fail", "differs", said, trip.line)
        failed = replace(failed, differences=clean)
        if answer.is_absent:
            self._absent[place] = trip.method, failed
            return _result(place, "skipped", ABSENT, f"not there: {trip.method}", trip.line)
        return failed

    def _clean(
        self, trip: RoundTrip, answer: Answer, found: Differences, *, is_speconly: bool
    ) -> Differences:
        """Without anything of the node's URL, which an answer may echo.

        The answer is masked, and not the values that are shown of it: cut, they may end with half
        of a key, which nothing would mask.
        """
        if answer.result is None:
            return found
        clean = masked(answer.result, self._node.url)
        if clean is None:
            return found
        hidden = (Difference("", "changed", MASK, MASK),)
        answer = replace(answer, result=clean)
        return compare(trip.expected, answer, is_speconly=is_speconly) or hidden


def _result(place: Place, outcome: Outcome, reason: str, summary: str, line: int = 1) -> Tried:
    return Tried(place.method, place.name, outcome, reason, summary, line)
