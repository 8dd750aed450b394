"""One HTTP request: passed on as it is, or, where it sends, written down first and judged after."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import aiohttp
import yarl
from aiohttp import web
from multidict import CIMultiDict

from monitor.transactions.reactions import Outcome
from monitor.transactions.tap import headers
from monitor.transactions.tap.clerk import Clerk, NotEnteredError
from monitor.transactions.tap.judging import Send, Verdict, answers_in, judge
from monitor.transactions.tap.looking import unpack
from monitor.transactions.tap.packing import PackedError
from monitor.transactions.tap.reading import Reading
from monitor.transactions.tap.wording import (
    BAD_GATEWAY,
    MESSAGE_CHARACTERS_MAX,
    NOT_ENTERED,
    NOT_ENTERED_OPEN,
    NOT_WRITTEN,
    NOTIFIED,
    OK,
    OPEN,
    problem,
)
from monitor.url import Url
from monitor.wire import BROKEN, connection_text

TOO_LONG = "the node's answer is larger than the tap takes"
SMALL_BYTES = 64 * 1024
"""An answer of at most so much is read as a whole, and travels in one write."""
LARGE_BYTES = 2**20
"""A request body from which on the library wants a stream."""
REQUEST_TIMEOUT, TOO_MANY = 408, 429
REFUSING = range(300, 500)
"""HTTP statuses by which a node or gateway says that it has not looked at the request."""
NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, UnicodeError)
"""What is raised before there is a connection: not a byte of the request has left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapLimits:
    """What one tap may be asked for, and how long it waits."""

    body_bytes_max: int = 16 * 2**20
    """Of a request, as it came and unpacked. go-ethereum takes 5 MiB, reth 15 MB."""
    answer_bytes_max: int = 2**30
    """Of an answer that is passed on bit by bit."""
    kept_bytes_max: int = 64 * 2**20
    """Of an answer to a send, which is read as a whole before it is passed on."""
    sends_max: int = 1000
    """Transactions in one request."""
    requests_at_once_max: int = 256
    """Under way; of one websocket, sends that wait for their answer."""
    sockets_at_once_max: int = 256
    message_bytes_max: int = 64 * 2**20
    """Of a websocket message, either way, unpacked."""
    connect_seconds: float = 5.0
    deadline_seconds: float = 60.0
    """Of a send, for the whole answer; of anything else, between two bits of it."""
    idle_seconds: float = 3600.0
    """A websocket on which neither side has said anything for so long is closed."""
    stop_seconds: float = 5.0
    """What is under way when the tap is stopped may take so long."""


def open_session() -> aiohttp.ClientSession:
    """The session of a tap: it adds nothing of its own to a request, and unpacks no answer.

    Must be opened and closed inside the running loop. Limits are the tap's.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its body."""

    request: web.Request
    body: bytes
    """As it came: what is forwarded."""
    text: bytes
    """Unpacked: what is looked into."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that was read as a whole."""

    status: int
    reason: str | None
    headers: CIMultiDict[str]
    body: bytes
    """As it came, packed or not."""

    def response(self) -> web.Response:
        return web.Response(
            status=self.status, reason=self.reason, headers=self.headers, body=self.body
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Nothing came back that the sender could be given."""

    outcome: Outcome
    message: str


class Http:
    """The way of HTTP requests to the node and back."""

    def __init__(
        self,
        clerk: Clerk,
        session: aiohttp.ClientSession,
        limits: TapLimits,
        *,
        upstream: Callable[[], Url],
    ) -> None:
        self._clerk = clerk
        self._session = session
        self._limits = limits
        self._upstream = upstream
        self._patience = aiohttp.ClientTimeout(
            total=None, sock_connect=limits.connect_seconds, sock_read=limits.deadline_seconds
        )
        self._deadline = aiohttp.ClientTimeout(
            total=limits.deadline_seconds, sock_connect=limits.connect_seconds
        )

    async def pass_on(self, asked: Asked) -> web.StreamResponse:
        """Forward what sends nothing, and hand the answer on as it comes."""
        upstream = self._upstream()
        given = headers.onward(asked.request.headers)
        try:
            async with self._ask(asked, upstream, given, self._patience) as answer:
                length = answer.content_length
                if length is not None and length > self._limits.answer_bytes_max:
                    return problem(BAD_GATEWAY, TOO_LONG, asked.text)
                if length is not None and length <= SMALL_BYTES:
                    return await _in_one(asked.request, answer)
                return await self._bit_by_bit(asked.request, answer)
        except TimeoutError:
            return problem(BAD_GATEWAY, f"the node did not answer: {self._silence()}", asked.text)
        except BROKEN as error:
            why = upstream.scrub(connection_text(error))
            return problem(BAD_GATEWAY, f"the node did not answer: {why}", asked.text)

    async def send(self, asked: Asked, reading: Reading) -> tuple[bool, web.Response]:
        """Write down what the request sends, forward it, judge the answer, then hand it on.

        False where it was not forwarded. To be shielded from the client's leaving: what is in the
        journal counts as sent.
        """
        try:
            sends = await self._clerk.enter(reading.calls)
        except NotEnteredError as error:
            if error.is_open:
                return False, problem(BAD_GATEWAY, NOT_ENTERED_OPEN.format(error=error), asked.text)
            return False, problem(OK, NOT_ENTERED.format(error=error), asked.text)
        upstream = self._upstream()
        answer = await self._exchange(asked, upstream)
        if isinstance(answer, Whole):
            judged = await self._judged(sends, answer, upstream, is_batch=reading.is_batch)
        else:
            judged = answer
        if isinstance(judged, Failure):
            verdicts = _all(sends, judged.outcome, judged.message)
            response = problem(BAD_GATEWAY, judged.message, asked.text)
        else:
            verdicts, response = judged
        if not await self._clerk.settle(verdicts):
            response = problem(BAD_GATEWAY, NOT_WRITTEN, asked.text)
        return True, response

    async def _exchange(self, asked: Asked, upstream: Url) -> Whole | Failure:
        given = headers.onward(asked.request.headers)
        # The answer must be read here: a coding that only the client knows would hide it.
        given["Accept-Encoding"] = _readable(given.get("Accept-Encoding", ""))
        try:
            async with self._ask(asked, upstream, given, self._deadline) as answer:
                whole = await self._whole(answer)
        except NEVER_LEFT as error:
            text = f"the node cannot be reached: {_why_never(upstream, error)}; nothing was sent"
            return Failure("refused", text)
        except TimeoutError:
            return Failure("unanswered", f"the node did not answer: {self._silence()}; {OPEN}")
        except BROKEN as error:
            why = upstream.scrub(connection_text(error))
            return Failure("unanswered", f"the node did not answer: {why}; {OPEN}")
        return whole or Failure("unanswered", f"{TOO_LONG}; {OPEN}")

    def _ask(
        self,
        asked: Asked,
        upstream: Url,
        given: CIMultiDict[str],
        timeout: aiohttp.ClientTimeout,
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.request(
            asked.request.method,
            yarl.URL(upstream.reveal()),
            data=_payload(asked),
            headers=given,
            allow_redirects=False,
            timeout=timeout,
            auto_decompress=False,
        )

    async def _judged(
        self, sends: Sequence[Send], whole: Whole, upstream: Url, *, is_batch: bool
    ) -> tuple[list[Verdict], web.Response] | Failure:
        coding = ", ".join(whole.headers.getall("Content-Encoding", ()))
        try:
            text = await unpack(whole.body, coding, self._limits.kept_bytes_max)
        except PackedError as error:
            return Failure("unanswered", f"the node's answer cannot be read: {error}; {OPEN}")
        answers = answers_in(text)
        if answers is not None:
            verdicts = judge(sends, answers, is_batch=is_batch)
        elif whole.status in REFUSING and whole.status not in {REQUEST_TIMEOUT, TOO_MANY}:
            verdicts = _all(sends, "refused", f"HTTP {whole.status}")
        elif whole.status < REFUSING.start and _are_notifications(sends):
            verdicts = _all(sends, "unanswered", NOTIFIED)
        else:
            why = f"HTTP {whole.status} without JSON-RPC"
            return Failure("unanswered", f"the node did not answer: {why}; {OPEN}")
        scrubbed = [
            replace(one, message=upstream.scrub(one.message, MESSAGE_CHARACTERS_MAX))
            for one in verdicts
        ]
        return scrubbed, whole.response()

    async def _whole(self, answer: aiohttp.ClientResponse) -> Whole | None:
        """The answer as a whole; None where it is larger than it may be."""
        chunks: list[bytes] = []
        left = self._limits.kept_bytes_max
        async for chunk in answer.content.iter_any():
            left -= len(chunk)
            if left < 0:
                answer.close()
                return None
            chunks.append(chunk)
        kept = headers.back(answer.headers)
        return Whole(answer.status, answer.reason, kept, b"".join(chunks))

    async def _bit_by_bit(
        self, request: web.Request, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            status=answer.status, reason=answer.reason, headers=headers.back(answer.headers)
        )
        response.content_length = answer.content_length
        await response.prepare(request)
        left = self._limits.answer_bytes_max
        try:
            async for chunk in answer.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    _cut(request)
                    return response
                await response.write(chunk)
            await response.write_eof()
        except (TimeoutError, *BROKEN):
            # Too late for words: the client must see that the answer is not whole.
            _cut(request)
        return response

    def _silence(self) -> str:
        return f"no whole answer within {self._limits.deadline_seconds:g} s"


def _payload(asked: Asked) -> bytes | io.BytesIO | None:
    """The body for the library, which writes a large one bit by bit if it is a stream."""
    if len(asked.body) > LARGE_BYTES:
        return io.BytesIO(asked.body)
    return asked.body if asked.body or asked.request.body_exists else None


async def _in_one(request: web.Request, answer: aiohttp.ClientResponse) -> web.Response:
    kept = headers.back(answer.headers)
    if request.method == "HEAD" and answer.content_length is not None:
        kept["Content-Length"] = str(answer.content_length)
    body = await answer.read()
    return web.Response(status=answer.status, reason=answer.reason, headers=kept, body=body)


def _cut(request: web.Request) -> None:
    """End the client's connection without the end of the answer."""
    if request.transport is not None:
        request.transport.abort()


def _readable(accepted: str) -> str:
    return "gzip" if "gzip" in accepted.lower() else "identity"


def _why_never(upstream: Url, error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    return upstream.scrub(connection_text(error))


def _are_notifications(sends: Sequence[Send]) -> bool:
    return all(send.call.id is None and send.call.is_certain for send in sends)


def _all(sends: Sequence[Send], outcome: Outcome, message: str) -> list[Verdict]:
    return [Verdict(send, outcome, message, send.hash) for send in sends]
