"""The configured feeds: each read when it is due, once for all nodes, and never while one waits.

What could not be read is `Unseen`, and not what was read before: an old list says that nothing is
newer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from monitor.checks import Check
from monitor.config import ReleaseFeed
from monitor.judge.release import Feed
from monitor.model import Unseen
from monitor.releases.decode import MalformedFeed, advisories_of, releases_of
from monitor.url import Url
from monitor.wire import BROKEN, connection_text

T = TypeVar("T")
BYTES_MAX = 8 * 2**20
DEADLINE_SECONDS = 15.0
REDIRECTS_MAX = 3
"""As many are followed; aiohttp counts the one that it refuses as well."""
RETRY_FACTOR = 0.1
CHECK = "version"
HEADERS = {"Accept": "application/json, application/atom+xml"}


class Feeds:
    """What is known of each client."""

    def __init__(
        self,
        wanted: Sequence[ReleaseFeed],
        session: aiohttp.ClientSession,
        clock: Callable[[], float],
    ) -> None:
        self._wanted = {feed.client: feed for feed in wanted}
        self._session = session
        self._clock = clock
        self._kept: dict[str, tuple[float, Feed]] = {}
        """By client: until when it is as good as new."""
        self._locks = {client: asyncio.Lock() for client in self._wanted}

    def rows(self, rows: Sequence[Check[Any]]) -> tuple[Check[Any], ...]:
        """The checks, the one of versions with its feeds; without it where there are none."""
        if not self._wanted:
            return tuple(row for row in rows if row.name != CHECK)
        return tuple(
            replace(row, probe=partial(row.probe, known=self.of)) if row.name == CHECK else row
            for row in rows
        )

    async def of(self, client: str) -> Feed | None:
        """What is known of a client; None where no feed of it is configured."""
        wanted = self._wanted.get(client)
        if wanted is None:
            return None
        async with self._locks[client]:
            until, feed = self._kept.get(client, (0.0, None))
            now = self._clock()
            if feed is None or now >= until:
                feed = await self._read(wanted)
                is_whole = not any(isinstance(p, Unseen) for p in (feed.releases, feed.advisories))
                pause = wanted.every_seconds * (1.0 if is_whole else RETRY_FACTOR)
                self._kept[client] = (now + pause, feed)
        return feed

    async def _read(self, wanted: ReleaseFeed) -> Feed:
        releases = await self._part(wanted.feed, releases_of)
        advisories = (
            () if wanted.advisories is None else await self._part(wanted.advisories, advisories_of)
        )
        return Feed(
            wanted.client,
            releases,
            advisories,
            wanted.supported or "",
            wanted.releases_max,
            wanted.days_max,
        )

    async def _part(self, source: Url | Path, decoded: Callable[[bytes], T]) -> T | Unseen:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                if isinstance(source, Url):
                    body = await self._fetched(source)
                else:
                    body = await asyncio.to_thread(_content, source)
        except TimeoutError:
            return Unseen("timeout", f"{source}: no answer within {DEADLINE_SECONDS:g} s")
        except BROKEN as error:
            return Unseen("refused", f"{source}: {_reason(error)}")
        except MalformedFeed as error:
            return Unseen("malformed", f"{source}: {error}")
        try:
            return await asyncio.to_thread(decoded, body)
        except MalformedFeed as error:
            return Unseen("malformed", f"{source}: {error}")

    async def _fetched(self, url: Url) -> bytes:
        async with self._session.get(
            url.reveal(), headers=HEADERS, max_redirects=REDIRECTS_MAX + 1
        ) as answer:
            if answer.status != 200:  # noqa: PLR2004 - HTTP's own number
                message = f"HTTP status {answer.status}"
                raise MalformedFeed(message)
            body = bytearray()
            async for part in answer.content.iter_any():
                body += part
                if len(body) > BYTES_MAX:
                    message = f"more than {BYTES_MAX} bytes"
                    raise MalformedFeed(message)
            return bytes(body)


def _content(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        message = "not a file"  # A pipe would be waited for, by a thread that nobody can end.
        raise MalformedFeed(message)
    with path.open("rb") as file:
        body = file.read(BYTES_MAX + 1)
    if len(body) > BYTES_MAX:
        message = f"more than {BYTES_MAX} bytes"
        raise MalformedFeed(message)
    return body


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, aiohttp.ClientError):
        return error.strerror or type(error).__name__
    return connection_text(error)
