"""One websocket of a client and one of the node, side by side.

Frames keep their order and their kind. One that sends waits until it is written down, and so does
what comes after it; a node's error waits until it is written down, too. Which answer is to which
send is told by the id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web

from monitor.transactions.tap.clerk import Clerk, NotEnteredError
from monitor.transactions.tap.http import TapLimits
from monitor.transactions.tap.judging import (
    Answer,
    Send,
    Verdict,
    answers_in,
    is_about_all,
    verdict,
)
from monitor.transactions.tap.looking import find_sends
from monitor.transactions.tap.reading import Call, Reading, error_answer
from monitor.transactions.tap.wording import (
    MESSAGE_CHARACTERS_MAX,
    NOT_ENTERED,
    NOT_ENTERED_OPEN,
    NOT_WRITTEN,
    NOTIFIED,
    OPEN,
    ours,
)
from monitor.url import Url
from monitor.wire import BROKEN

DATA = (WSMsgType.TEXT, WSMsgType.BINARY)
NULL = b"null"
"""An answer under this id is to what the node could not read."""

NodeSocket = aiohttp.ClientWebSocketResponse[Any]
ClientSocket = web.WebSocketResponse[Any]


@dataclass(frozen=True, slots=True)
class Farewell:
    """How a side closed, in a close frame (RFC 6455, section 5.5.1)."""

    code: int
    reason: bytes = b""


LEAVING = Farewell(WSCloseCode.GOING_AWAY)


@dataclass(frozen=True, slots=True)
class Means:
    """What every pair of a tap works with."""

    clerk: Clerk
    limits: TapLimits
    timer: Callable[[], float]
    on_send: Callable[[float], None]
    """Told of each send that was answered how long that took, in seconds."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call that sends and has no answer yet."""

    call: Call
    sends: tuple[Send, ...]
    is_batch: bool
    began: float


class Pair:
    """Joins two open websockets until either closes; `run` closes both."""

    def __init__(self, means: Means, client: ClientSocket, node: NodeSocket, upstream: Url) -> None:
        self._means = means
        self._client = client
        self._node = node
        self._upstream = upstream
        self._waiting: dict[bytes, list[_Waiting]] = {}
        self._answered = asyncio.Event()
        """Set while nothing waits for an answer."""
        self._answered.set()
        self._ending = asyncio.Event()
        self._frames = 0

    def end(self) -> None:
        """Close both sides: the tap stops."""
        self._ending.set()

    async def run(self, cut: Callable[[], None]) -> None:
        """Go on until a side closes; `cut` ends the client's connection without a farewell."""
        up = asyncio.create_task(self._upwards())
        down = asyncio.create_task(self._downwards())
        ending = asyncio.create_task(self._ending.wait())
        idling = asyncio.create_task(self._watch_idleness())
        tasks = (up, down, ending, idling)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if down.done() and not up.done():
                await self._part_from_client(down.result(), cut)
            elif up.done():
                await self._part_from_node(up.result(), down, ending)
            else:
                await self._client.close(code=LEAVING.code)
                await self._node.close(code=LEAVING.code)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await self._settle_the_rest()
        mistakes = [end for end in ends if isinstance(end, Exception)]
        if mistakes:
            raise mistakes[0]

    async def _part_from_client(self, farewell: Farewell | None, cut: Callable[[], None]) -> None:
        """The node has closed: so does the client's side, in the same way."""
        await self._settle_the_rest()
        if farewell is None:
            cut()
        else:
            await self._client.close(code=farewell.code, message=farewell.reason)
            await self._node.close(code=farewell.code)

    async def _part_from_node(
        self, farewell: Farewell | None, *until: asyncio.Task[Farewell | None] | asyncio.Task[bool]
    ) -> None:
        """The client has left: its sends are still to be answered, then the node's side closes."""
        if farewell is not None:
            await self._client.close(code=farewell.code, message=farewell.reason)
        answered = asyncio.create_task(self._answered.wait())
        await asyncio.wait(
            (*until, answered),
            timeout=self._means.limits.deadline_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        answered.cancel()
        parting = farewell or LEAVING
        await self._node.close(code=parting.code, message=parting.reason)

    async def _watch_idleness(self) -> None:
        """Ends after an idle while: at least `idle_seconds`, at most twice that."""
        seen = -1
        while seen != self._frames:
            seen = self._frames
            await asyncio.sleep(self._means.limits.idle_seconds)

    # -- from the client ---------------------------------------------------------------------------

    async def _upwards(self) -> Farewell | None:
        """Until the client closes; None where it left without a farewell, or the node is gone."""
        while True:
            message = await self._client.receive()
            self._frames += 1
            try:
                if message.type in DATA:
                    await self._forward(message.data, message.type)
                elif message.type is WSMsgType.PING:
                    await self._node.ping(message.data)
                elif message.type is WSMsgType.PONG:
                    await self._node.pong(message.data)
                else:
                    return _farewell(message)
            except BROKEN:
                # One side is gone, and says so itself where it is listened to.
                continue

    async def _forward(self, text: bytes, kind: WSMsgType) -> None:
        """One frame to the node, once what it sends is written down."""
        reading = await find_sends(text)
        if not reading.calls:
            await self._node.send_frame(text, kind)
            return
        began = self._means.timer()
        sends = await self._enter(text, kind, reading)
        if not sends:
            return
        silent: list[Send] = []
        for call in reading.calls:
            mine = tuple(send for send in sends if send.call is call)
            if call.id is None and call.is_certain:
                silent += mine
                continue
            entry = _Waiting(call, mine, reading.is_batch, began)
            self._waiting.setdefault(call.id or NULL, []).append(entry)
            self._answered.clear()
        await self._node.send_frame(text, kind)
        if silent:
            await self._means.clerk.settle(_all(silent, NOTIFIED))

    async def _enter(self, text: bytes, kind: WSMsgType, reading: Reading) -> Sequence[Send]:
        """Write down what a frame sends; where that cannot be, its sender is told, and no sends."""
        limits = self._means.limits
        count = sum(map(len, self._waiting.values()))
        if reading.raw_count > limits.sends_max:
            problem = f"not forwarded: more than {limits.sends_max} transactions in one message"
        elif count + len(reading.calls) > limits.requests_at_once_max:
            problem = f"not forwarded: {count} sends wait for their answer already"
        else:
            try:
                return await self._means.clerk.enter(reading.calls)
            except NotEnteredError as error:
                wording = NOT_ENTERED_OPEN if error.is_open else NOT_ENTERED
                problem = wording.format(error=error)
        await self._client.send_frame(error_answer(text, ours(problem)), kind)
        return ()

    # -- from the node -----------------------------------------------------------------------------

    async def _downwards(self) -> Farewell | None:
        """Until the node closes; None where it left without a farewell."""
        while True:
            message = await self._node.receive()
            self._frames += 1
            if message.type not in (*DATA, WSMsgType.PING, WSMsgType.PONG):
                return _farewell(message)
            data = await self._judged(message.data) if self._waiting else message.data
            try:
                if message.type in DATA:
                    await self._client.send_frame(data, message.type)
                elif message.type is WSMsgType.PING:
                    await self._client.ping(message.data)
                else:
                    await self._client.pong(message.data)
            except BROKEN:
                # The client is gone, and says so itself; its sends are still to be answered.
                continue

    async def _judged(self, text: bytes) -> bytes:
        """A frame of the node as the client may have it: what it says of sends is written down."""
        answers = answers_in(text)
        if answers is None:
            return text
        matched = list(self._matched(answers))
        verdicts = [
            replace(one, message=self._upstream.scrub(one.message, MESSAGE_CHARACTERS_MAX))
            for _, many in matched
            for one in many
        ]
        is_settled = not verdicts or await self._means.clerk.settle(verdicts)
        now = self._means.timer()
        for entry, _ in matched:
            self._means.on_send(now - entry.began)
        if not self._waiting:
            self._answered.set()
        return text if is_settled else error_answer(text, ours(NOT_WRITTEN))

    def _matched(self, answers: Sequence[Answer]) -> Iterator[tuple[_Waiting, list[Verdict]]]:
        """The calls that these answer, which wait no longer, and what became of their sends."""
        of_all = is_about_all(answers)
        for answer in answers:
            if not answer.is_result and answer.error is None:
                continue
            entries = self._waiting.pop(answer.id or NULL, [])
            if of_all:
                entries += self._take_batches()
            elif answer.is_result and len(entries) > 1:
                entries = self._claim(answer, entries)
            for entry in entries:
                shared = len(entry.sends) > 1
                yield (
                    entry,
                    [verdict(send, [answer], is_shared=shared) for send in entry.sends],
                )

    def _claim(self, answer: Answer, entries: list[_Waiting]) -> list[_Waiting]:
        """Of several calls with one id, that which the result is to; the others wait on."""
        for mine in entries:
            if any(send.hash is not None and answer.names(send.hash) for send in mine.sends):
                break
        else:
            mine = entries[0]
        self._waiting[answer.id or NULL] = [entry for entry in entries if entry is not mine]
        return [mine]

    def _take_batches(self) -> list[_Waiting]:
        taken = []
        for id_, entries in tuple(self._waiting.items()):
            taken += [entry for entry in entries if entry.is_batch]
            left = [entry for entry in entries if not entry.is_batch]
            if left:
                self._waiting[id_] = left
            else:
                del self._waiting[id_]
        return taken

    async def _settle_the_rest(self) -> None:
        """The sides have parted: whether the node has what still waits is unknown."""
        waiting, self._waiting = self._waiting, {}
        self._answered.set()
        sends = [send for many in waiting.values() for entry in many for send in entry.sends]
        if sends:
            await self._means.clerk.settle(_all(sends, f"the node closed the websocket; {OPEN}"))


def _farewell(message: aiohttp.WSMessage) -> Farewell | None:
    """How the side closed that this message is the last of; None for a connection that broke."""
    if message.type is WSMsgType.CLOSE:
        # A farewell without a code cannot be sent as one (section 7.1.5).
        return Farewell(message.data or WSCloseCode.OK, (message.extra or "").encode())
    if message.type is WSMsgType.ERROR and isinstance(message.data, aiohttp.WebSocketError):
        return Farewell(message.data.code)
    return None


def _all(sends: Sequence[Send], message: str) -> list[Verdict]:
    return [Verdict(send, "unanswered", message, send.hash) for send in sends]
