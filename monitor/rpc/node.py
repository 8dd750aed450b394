"""One endpoint over HTTP: a thin JSON-RPC client that does no more than is needed.

All calls made in one tick of the event loop travel as one batch; the one that the loop
wants as its latency sample travels alone. Every exchange has a deadline and a limit on its body.
A failing call fails alone: its neighbours in the batch keep their answers.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import aiohttp
import msgspec
import yarl

from monitor.rpc import decode
from monitor.rpc.budget import Budget
from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
    Throttled,
    is_absent,
    is_throttled,
)
from monitor.rpc.host import HostClock, read_body
from monitor.rpc.tally import Tally
from monitor.url import Url
from monitor.wire import BROKEN, connection_text

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
RETRY_AFTER_SECONDS_MAX = 60.0
"""A node that asks for silence gets it, up to this long."""
EXCHANGE_BYTES_KEPT = 4096
SINGLE_CALLS_AT_ONCE = 8
LANE: ContextVar[str] = ContextVar("lane", default="")
"""Calls of one tick travel together only where this is the same: what is asked beside the rounds
may take long, and must not take a head past its deadline. Tasks inherit it."""
HTTP_OK, HTTP_TOO_MANY, HTTP_UNAVAILABLE = 200, 429, 503
INVALID_REQUEST = -32600
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding raises: no JSON or not the shape, text that is not UTF-8, nested beyond reason."""


class Decoder(Protocol[T_co]):
    """What turns the JSON of a result into a value (msgspec's decoders do).

    It is given a view of the answer, which `bytes` copies.
    """

    def decode(self, raw: msgspec.Raw, /) -> T_co: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may cost."""

    deadline_seconds: float = 5.0
    body_bytes_max: int = 8 * 2**20
    batch_calls_max: int = 100


@dataclass(slots=True)
class _Call:
    id: int
    method: str
    params: Sequence[object]
    decoder: Decoder[Any]
    answer: asyncio.Future[Any]
    is_answer: Callable[[CallRejected], bool]
    sent_at: float = 0.0
    """By the loop's clock."""


class Node:
    """One JSON-RPC endpoint, under the label by which it is shown. Its URL never leaves it."""

    def __init__(
        self,
        label: str,
        url: Url,
        session: aiohttp.ClientSession,
        *,
        clock: Callable[[], float],
        limits: Limits | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.label = label
        self.url = url
        self.budget = budget
        self.limits = limits or Limits()
        self.tally = Tally(clock)
        self.host_clock = HostClock()
        self._session = session
        self._clock = clock
        self._address = url.reveal()
        self._dialled = yarl.URL(self._address)
        self._ids = itertools.count(1)
        self._pending: defaultdict[str, list[_Call]] = defaultdict(list)
        """By lane."""
        self._flushes: set[asyncio.Task[None]] = set()
        self._takes_batches = True
        self._sampled_method = ""
        self._silent_until = 0.0
        self._last_exchange: tuple[bytes, bytes] | None = None

    @property
    def calls_total(self) -> int:
        return self.tally.calls_total

    @property
    def errors_total(self) -> Counter[str]:
        """By reason, of all methods."""
        return self.tally.errors_total

    @property
    def latencies(self) -> deque[tuple[str, float]]:
        """(method, seconds) of calls that travelled alone; the loop empties it."""
        return self.tally.latencies

    def sample(self, method: str) -> None:
        """Let the next call of this method travel alone, so that its latency is its own."""
        self._sampled_method = method

    def ask(
        self,
        method: str,
        params: Sequence[object],
        decoder: Decoder[T],
        *,
        is_answer: Callable[[CallRejected], bool] = lambda error: False,
    ) -> asyncio.Future[T]:
        """Put a call into this tick's batch; the future gets its result, decoded.

        It raises RpcError: every failure is one of `errors`, counted by its reason. Whoever asks
        must await it or cancel it. `asyncio.gather` takes such futures as they are, so that a
        round of many calls makes no tasks of its own. A rejection that `is_answer`, for it says
        that there is no such thing, is counted with what is unsupported. What is not asked, for
        the node wants silence, is neither counted nor paid for.
        """
        loop = asyncio.get_running_loop()
        call = _Call(next(self._ids), method, params, decoder, loop.create_future(), is_answer)
        silence = self._silence()
        if silence is not None:
            call.answer.set_exception(silence)
            return call.answer
        if self.budget is not None and not self.budget.take():
            message = f"its {self.budget.calls_a_day} calls of today (UTC) are spent"
            self._fail([call], BudgetSpent(message))
            return call.answer
        self.tally.calls_total += 1
        lane = LANE.get()
        if method == self._sampled_method and not lane:
            self._sampled_method = ""
            self._begin([call])
        else:
            if not self._pending[lane]:
                loop.call_soon(self._flush, lane)
            self._pending[lane].append(call)
        return call.answer

    @property
    def last_exchange(self) -> tuple[str, str] | None:
        """The last request and answer, without anything of the URL, cut to a few kilobytes."""
        if self._last_exchange is None:
            return None
        request, answer = self._last_exchange
        return self._shown(request), self._shown(answer)

    async def close(self) -> None:
        """End what is under way; callers that still wait see a CancelledError."""
        for call in (call for calls in self._pending.values() for call in calls):
            call.answer.cancel()
        self._pending.clear()
        for flush in tuple(self._flushes):
            flush.cancel()
        await asyncio.gather(*self._flushes, return_exceptions=True)

    def _kept(self, text: bytes) -> bytes:
        """What is kept of a request or an answer: so much more that no key need be halved."""
        return text[: EXCHANGE_BYTES_KEPT + len(self._address)]

    def _shown(self, kept: bytes) -> str:
        text = self.url.scrub(kept.decode(errors="replace"), len(kept))
        if len(kept) > EXCHANGE_BYTES_KEPT:
            # The end may be the first half of a key, which nothing has masked.
            text = text[: max(0, len(text) - len(self._address))]
        return text[:EXCHANGE_BYTES_KEPT]

    def _flush(self, lane: str) -> None:
        pending = [call for call in self._pending.pop(lane, []) if not call.answer.cancelled()]
        size = self.limits.batch_calls_max if self._takes_batches else 1
        for start in range(0, len(pending), size):
            self._begin(pending[start : start + size])

    def _begin(self, calls: list[_Call]) -> None:
        task = asyncio.get_running_loop().create_task(self._exchange(calls))
        self._flushes.add(task)
        task.add_done_callback(partial(self._ended, calls))

    def _ended(self, calls: list[_Call], task: asyncio.Task[None]) -> None:
        """Leave nobody waiting: neither when an exchange is cancelled nor for a mistake of ours."""
        self._flushes.discard(task)
        mistake = None if task.cancelled() else task.exception()
        for call in calls:
            if mistake is not None and not call.answer.done():
                call.answer.set_exception(mistake)
            call.answer.cancel()

    async def _exchange(self, calls: list[_Call]) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.deadline_seconds):
                began = loop.time()
                for call in calls:
                    call.sent_at = began
                await self._deliver(calls)
                if len(calls) == 1:
                    self.latencies.append((calls[0].method, loop.time() - began))
        except RpcError as error:
            self._fail(calls, error)
        except TimeoutError:
            self._fail(calls, CallTimeout(f"no answer within {self.limits.deadline_seconds:g} s"))
        except BROKEN as error:
            self._fail(calls, self._broken(error))

    def _broken(self, error: Exception) -> ConnectionRefused:
        return ConnectionRefused(self.url.scrub(connection_text(error)))

    async def _deliver(self, calls: list[_Call]) -> None:
        body = await self._post(calls)
        try:
            answered = decode.read_answers(body)
        except UNREADABLE as error:
            message = f"not a JSON-RPC answer: {self.url.scrub(str(error))}"
            raise MalformedAnswer(message) from None
        if isinstance(answered, decode.RawAnswer):
            if len(calls) > 1:
                await self._without_batches(calls, answered)
                return
            answered = [answered]
        by_id = {answer.id: answer for answer in answered}
        for call in calls:
            answer = by_id.get(call.id)
            if not call.answer.done():
                self._settle(call, answer, answered)

    def _fail(self, calls: Sequence[_Call], error: RpcError) -> None:
        for call in calls:
            if not call.answer.done():
                is_answer = isinstance(error, CallRejected) and call.is_answer(error)
                self.tally.failed(
                    call.method,
                    "unsupported" if is_answer else error.reason,
                    throttled=is_throttled(error),
                    seconds=self._took(call) if isinstance(error, CallTimeout) else None,
                )
                call.answer.set_exception(error)

    def _settle(
        self, call: _Call, answer: decode.RawAnswer | None, answered: Sequence[decode.RawAnswer]
    ) -> None:
        try:
            result = self._result(call, answer, answered)
        except RpcError as error:
            self._fail([call], error)
        else:
            self.tally.answered(call.method, self._took(call))
            call.answer.set_result(result)

    def _took(self, call: _Call) -> float:
        return asyncio.get_running_loop().time() - call.sent_at

    def _result(
        self, call: _Call, answer: decode.RawAnswer | None, answered: Sequence[decode.RawAnswer]
    ) -> Any:  # noqa: ANN401 - as the call's decoder makes it
        if answer is None:
            stray = answered[0] if len(answered) == 1 else None
            if stray is not None and stray.id is None and stray.error is not None:
                raise self._rejection(call.method, stray)
            ids = ", ".join(str(a.id) for a in answered[:5]) or "none"
            text = f"{call.method}: no answer with id {call.id}, the answers carry {ids}"
            raise MalformedAnswer(self.url.scrub(text))
        if answer.error is not None:
            raise self._rejection(call.method, answer)
        if not answer.result:
            text = f"{call.method}: neither result nor error"
            raise MalformedAnswer(text)
        try:
            return call.decoder.decode(answer.result)
        except UNREADABLE as error:
            message = f"{call.method}: {self.url.scrub(str(error))}"
            raise MalformedAnswer(message) from None

    def _rejection(self, method: str, answer: decode.RawAnswer) -> CallRejected:
        error = answer.error
        code, message = (
            (error.code, error.message) if isinstance(error, decode.RawError) else (0, "")
        )
        if isinstance(error, str):
            message = error
        text = f"{method}: error {code}: {self.url.scrub(message) or 'without a message'}"
        kind = MethodAbsent if is_absent(code, message) else CallRejected
        return kind(text, code)

    async def _without_batches(self, calls: list[_Call], answer: decode.RawAnswer) -> None:
        """One object answered a batch: an error of all, or the word that batches are not served."""
        error = answer.error
        message = error.message if isinstance(error, decode.RawError) else str(error)
        code = error.code if isinstance(error, decode.RawError) else 0
        if error is None or not ("batch" in message.lower() or code == INVALID_REQUEST):
            for call in calls:
                if not call.answer.done():
                    self._settle(call, None, [answer])
            return
        self._takes_batches = False
        for start in range(0, len(calls), SINGLE_CALLS_AT_ONCE):
            some = calls[start : start + SINGLE_CALLS_AT_ONCE]
            await asyncio.gather(*(self._deliver_alone(call) for call in some))

    async def _deliver_alone(self, call: _Call) -> None:
        """Deliver one of several calls whose failure is not the others'."""
        try:
            await self._deliver([call])
        except RpcError as error:
            self._fail([call], error)
        except BROKEN as error:
            self._fail([call], self._broken(error))

    def _silence(self) -> Throttled | None:
        """Why nothing is sent now; None where something may be."""
        left_seconds = self._silent_until - self._clock()
        if left_seconds <= 0:
            return None
        return Throttled(f"throttled: it asked for silence, {left_seconds:.0f} s left")

    async def _post(self, calls: list[_Call]) -> bytes:
        silence = self._silence()
        if silence is not None:
            raise silence  # An answer to another call has asked for it meanwhile.
        now = self._clock()
        requests = [
            {"jsonrpc": "2.0", "id": call.id, "method": call.method, "params": call.params}
            for call in calls
        ]
        request = decode.encode(requests if len(calls) > 1 else requests[0])
        async with self._session.post(
            self._dialled, data=request, allow_redirects=False
        ) as response:
            self.host_clock.take(response.headers, now, self._clock())
            body = await read_body(response, self.limits.body_bytes_max)
            self._last_exchange = (self._kept(request), self._kept(body))
            is_refused = response.status in (HTTP_TOO_MANY, HTTP_UNAVAILABLE)
            if is_refused or (response.status != HTTP_OK and not _is_json_rpc(body)):
                raise self._refusal(response)
            return body

    def _refusal(self, response: aiohttp.ClientResponse) -> ConnectionRefused:
        text = f"HTTP {response.status}"
        wait = response.headers.get("Retry-After", "")
        if wait.isdecimal():
            seconds = min(float(wait), RETRY_AFTER_SECONDS_MAX)
            self._silent_until = self._clock() + seconds
            return Throttled(f"{text}, asks for {seconds:g} s of silence")
        return (Throttled if response.status == HTTP_TOO_MANY else ConnectionRefused)(text)


def _is_json_rpc(body: bytes) -> bool:
    """Whether a body beside an HTTP error is an answer: gateways send JSON of their own too."""
    return body.lstrip().startswith((b"{", b"[")) and (b'"error"' in body or b'"result"' in body)
