"""Feeds from files and from the web: read when due, bounded, and never old for new."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from monitor.checks import CHECKS
from monitor.config import ReleaseFeed
from monitor.judge.release import Feed
from monitor.model import Unseen
from monitor.releases.feeds import BYTES_MAX, CHECK, REDIRECTS_MAX, RETRY_FACTOR, Feeds
from monitor.url import Url
from tests.releases.atom import ADVISORY, atom, release

AT = "2026-11-03T11:01:02Z"
ATOM = atom({"v1.16.7": AT})
EVERY_SECONDS = 100.0
NESTED = "maximum recursion depth exceeded while deserializing an object"


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


class Publisher:
    """A web server that publishes what a test wants."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.body, self.status = ATOM, 200
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path.startswith("/turn/"):
            left = int(request.path.rsplit("/", 1)[1])
            raise web.HTTPFound(f"/turn/{left - 1}" if left else "/key0123456789abcdef/feed")
        return web.Response(body=self.body, status=self.status)


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    publisher = Publisher()
    app = web.Application()
    app.router.add_get("/{path:.*}", publisher.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    publisher.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield publisher
    await runner.cleanup()


def wanted(feed: Url | Path, **more: object) -> ReleaseFeed:
    return ReleaseFeed.model_validate(
        {"client": "geth", "feed": feed, "every_seconds": EVERY_SECONDS, **more}
    )


def releases(feed: Feed | None) -> list[str] | Unseen:
    assert feed is not None
    return feed.releases if isinstance(feed.releases, Unseen) else [r.name for r in feed.releases]


async def test_file_is_read_when_it_is_due(
    tmp_path: Path, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """Offline as well: somebody else brings it. What changes is seen after the pause."""
    path, advisories = tmp_path / "geth.atom", tmp_path / "vulnerabilities.json"
    path.write_bytes(ATOM)
    advisories.write_text(json.dumps([ADVISORY]))
    more = {"advisories": advisories, "supported": ">=1.16", "releases_max": 1, "days_max": 2.0}
    feeds = Feeds([wanted(path, **more)], session, clock)
    feed = await feeds.of("geth")
    assert feed is not None
    assert releases(feed) == ["v1.16.7"]
    assert not isinstance(feed.advisories, Unseen)
    assert [one.uid for one in feed.advisories] == ["GETH-2022-01"]
    assert (feed.supported, feed.releases_max, feed.days_max) == (">=1.16", 1, 2.0)
    path.write_text(json.dumps([release("v1.16.8", AT)]))
    clock.now += EVERY_SECONDS - 0.1
    assert await feeds.of("geth") is feed
    clock.now += 0.1
    assert releases(await feeds.of("geth")) == ["v1.16.8"]
    assert await feeds.of("reth") is None


async def test_file_that_is_gone_is_unseen_and_looked_for_sooner(
    tmp_path: Path, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """What was read before does not stand for it."""
    path = tmp_path / "geth.atom"
    path.write_bytes(ATOM)
    feeds = Feeds([wanted(path)], session, clock)
    assert releases(await feeds.of("geth")) == ["v1.16.7"]
    path.unlink()
    clock.now += EVERY_SECONDS
    assert releases(await feeds.of("geth")) == Unseen(
        "refused", f"{path}: No such file or directory"
    )
    path.write_bytes(ATOM)
    clock.now += EVERY_SECONDS * RETRY_FACTOR - 0.1
    assert isinstance(releases(await feeds.of("geth")), Unseen)
    clock.now += 0.1
    assert releases(await feeds.of("geth")) == ["v1.16.7"]


async def test_file_that_is_none_or_too_large_is_malformed(
    tmp_path: Path, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """Nobody waits for a pipe, and nothing fills the memory."""
    path = tmp_path / "large"
    path.write_bytes(ATOM + b" " * (BYTES_MAX - len(ATOM)))
    assert releases(await Feeds([wanted(path)], session, clock).of("geth")) == ["v1.16.7"]
    with path.open("ab") as file:
        file.write(b" ")
    for source, said in ((path, f"more than {BYTES_MAX} bytes"), (tmp_path, "not a file")):
        found = releases(await Feeds([wanted(source)], session, clock).of("geth"))
        assert found == Unseen("malformed", f"{source}: {said}")


async def test_web_is_asked_once_for_all_nodes(
    publisher: Publisher, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """Many nodes that ask at once are one request; a redirection is followed, within bounds."""
    feeds = Feeds([wanted(Url(f"{publisher.url}/turn/{REDIRECTS_MAX - 1}"))], session, clock)
    found = await asyncio.gather(*(feeds.of("geth") for _ in range(5)))
    assert [releases(one) for one in found] == [["v1.16.7"]] * 5
    assert publisher.asked.count("/key0123456789abcdef/feed") == 1
    feeds = Feeds([wanted(Url(f"{publisher.url}/turn/{REDIRECTS_MAX}"))], session, clock)
    assert isinstance(releases(await feeds.of("geth")), Unseen)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"", "HTTP status 404"),
        (200, b"<html/>", "expected an Atom feed, found html"),
        (200, ATOM + b" " * BYTES_MAX, f"more than {BYTES_MAX} bytes"),
        (200, b'[{"x":' + b"[" * 100_000, NESTED),
    ],
    ids=["status", "page", "size", "depth"],
)
async def test_web_that_answers_something_else_is_malformed_and_no_key_is_said(
    status: int, body: bytes, said: str, publisher: Publisher, session: aiohttp.ClientSession
) -> None:
    """A path may hold a key: only host and port are shown. It is asked again when it is due."""
    clock = Clock()
    publisher.status, publisher.body = status, body
    source = Url(f"{publisher.url}/key0123456789abcdef/feed")
    feeds = Feeds([wanted(source)], session, clock)
    found = [releases(await feeds.of("geth")) for _ in range(2)]
    assert found == [Unseen("malformed", f"{publisher.url}/***: {said}")] * 2
    assert publisher.asked == ["/key0123456789abcdef/feed"]


async def test_web_that_is_not_there_is_refused(
    clock: Clock, session: aiohttp.ClientSession
) -> None:
    """In one line, without the address."""
    found = releases(
        await Feeds([wanted(Url("http://127.0.0.1:1/a/key0123456789"))], session, clock).of("geth")
    )
    assert found == Unseen("refused", "http://127.0.0.1:1/***: connection refused")


async def test_rows_are_without_the_check_where_no_feed_is_configured(
    tmp_path: Path, clock: Clock, session: aiohttp.ClientSession
) -> None:
    """It would only ever say that it knows nothing."""
    names = [row.name for row in CHECKS]
    assert CHECK in names
    none = Feeds([], session, clock).rows(CHECKS)
    assert [row.name for row in none] == [name for name in names if name != CHECK]
    some = Feeds([wanted(tmp_path)], session, clock).rows(CHECKS)
    assert [row.name for row in some] == names
    assert [a.name for a, b in zip(some, CHECKS, strict=True) if a is not b] == [CHECK]
