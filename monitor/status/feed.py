"""Reading a running sidecar over HTTP: its state, anew whenever its stream of events ticks.

Another of its documents is read once. Every read has a deadline and a limit. What goes wrong is
said in words that name no path and no key: an address may carry one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from monitor.url import Url
from monitor.wire import BROKEN, connection_text

ANSWER_BYTES_MAX = 32 << 20
LINE_BYTES_MAX = 64 << 10
"""Of one line of the stream of events."""
STATE_PATH = "/api/v1/state"
EVENTS_PATH = "/api/v1/events"
WITHOUT_STREAM = (404, 503)
"""An older sidecar, or one with as many listeners as it takes: its state is asked for instead."""


class LostError(Exception):
    """The sidecar cannot be reached, or says nothing that can be read; the text says why."""


class StatusError(LostError):
    """It answered with an HTTP status that is none of an answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered with status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is waited, in seconds."""

    answer: float = 10.0
    """For a whole document, however it drips in, and for the stream to begin."""
    silence: float = 40.0
    """Between two lines of the stream; the sidecar sends one every 15 s at the latest."""
    between: float = 0.25
    """At least, between two documents."""
    refresh: float = 10.0
    """At most, between two documents, so that a state in which nothing happens is confirmed."""
    poll: float = 2.0
    """Between two documents where there is no stream."""
    retry_max: float = 5.0
    """Between two attempts; the first comes after a fifth of it."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is lost, and tried again."""

    attempt: int
    """From 1 on."""
    reason: str


class Place:
    """Where a sidecar is asked. Raises ValueError, with a text that repeats no part of the URL."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.origin = Url(url).origin
        """Host and port, which is all that is ever shown."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            message = "expected http:// or https://"
            raise ValueError(message)
        if token is not None and parts.username is not None:
            message = "a user in the URL and a token exclude each other"
            raise ValueError(message)
        self._start = parts._replace(path=parts.path.rstrip("/"), query="", fragment="").geturl()
        self.headers = {"Accept-Encoding": "identity", "User-Agent": "headwatch"}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"

    def reveal(self, path: str) -> str:
        """The whole URL of one of its routes, for the client that dials it."""
        return self._start + path


class Ticks:
    """The names of a stream's events (HTML, Server-sent events), however they are cut up."""

    def __init__(self) -> None:
        self._rest = b""
        self._name = ""
        self._has_data = False

    def feed(self, chunk: bytes) -> list[str]:
        """The events that this chunk completes. Raises LostError when a line has no end."""
        names = []
        *lines, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            field, _, value = line.partition(b":")
            if not line:
                if self._has_data:
                    names.append(self._name or "message")
                self._name, self._has_data = "", False
            elif field == b"event":
                self._name = value.strip().decode(errors="replace")
            elif field == b"data":
                self._has_data = True
        if len(self._rest) > LINE_BYTES_MAX:
            message = f"a line of its events is longer than {LINE_BYTES_MAX >> 10} KiB"
            raise LostError(message)
        return names


class Feed:
    """One sidecar, as it is asked over one session."""

    def __init__(self, place: Place, session: aiohttp.ClientSession, pace: Pace) -> None:
        self._place = place
        self._session = session
        self._pace = pace

    async def state(self) -> bytes:
        """The state document of this moment. Raises LostError."""
        return await self.document(STATE_PATH)

    async def document(self, path: str) -> bytes:
        """What one of its routes answers. Raises LostError, and StatusError of another than 200."""
        limits = aiohttp.ClientTimeout(total=self._pace.answer)
        async with self._get(path, limits) as response:
            if response.status != 200:  # noqa: PLR2004
                raise StatusError(response.status)
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    message = f"its answer is larger than {ANSWER_BYTES_MAX >> 20} MiB"
                    raise LostError(message)
        return bytes(body)

    async def follow(self) -> AsyncGenerator[bytes | Lost, None]:
        """State documents as they change, for ever; a `Lost` for every attempt that failed."""
        attempt = 0
        while True:
            changed = asyncio.Event()
            listening = asyncio.create_task(self._listen(changed))
            try:
                while True:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), self._pace.refresh)
                    changed.clear()
                    if listening.done():
                        await listening
                    body = await self.state()
                    attempt = 0
                    yield body
                    await asyncio.sleep(self._pace.between)
            except LostError as error:
                attempt += 1
                yield Lost(attempt, str(error))
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
            await asyncio.sleep(min(1.0, attempt / 5) * self._pace.retry_max)

    async def _listen(self, changed: asyncio.Event) -> None:
        """Sets `changed` when the stream begins and at each of its ticks; raises LostError."""
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=self._pace.answer, sock_read=self._pace.silence
        )
        try:
            async with self._get(EVENTS_PATH, limits) as response:
                if response.status in WITHOUT_STREAM:
                    await self._tick_by_itself(changed)
                if response.status != 200:  # noqa: PLR2004
                    raise StatusError(response.status)
                changed.set()
                ticks = Ticks()
                async for chunk in response.content.iter_any():
                    if "tick" in ticks.feed(chunk):
                        changed.set()
            message = "the stream of its events ended"
            raise LostError(message)
        finally:
            changed.set()

    async def _tick_by_itself(self, changed: asyncio.Event) -> None:
        while True:
            changed.set()
            await asyncio.sleep(self._pace.poll)

    @asynccontextmanager
    async def _get(
        self, path: str, limits: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One answer; whatever breaks below HTTP becomes a LostError.

        No redirect is followed: the token is for this place alone.
        """
        try:
            async with self._session.get(
                self._place.reveal(path), timeout=limits, allow_redirects=False
            ) as response:
                yield response
        except TimeoutError:
            message = "no answer in time"
            raise LostError(message) from None
        except BROKEN as error:
            raise LostError(connection_text(error)) from None
        except ValueError:
            # aiohttp's words for a broken answer repeat parts of it.
            message = "its answer cannot be read"
            raise LostError(message) from None


@asynccontextmanager
async def open_feed(place: Place, pace: Pace) -> AsyncIterator[Feed]:
    """A feed with a session of its own."""
    async with aiohttp.ClientSession(
        headers=place.headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield Feed(place, session, pace)
