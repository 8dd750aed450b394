from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from monitor.status.feed import (
    ANSWER_BYTES_MAX,
    LINE_BYTES_MAX,
    Feed,
    Lost,
    LostError,
    Pace,
    Place,
    Ticks,
    open_feed,
)
from tests.act import snapshots
from tests.status.stage import DEADLINE_SECONDS, QUICK, Stage, body_of

KEY = "k3y-of-the-proxy"


@asynccontextmanager
async def feed_of(
    stage: Stage, pace: Pace = QUICK, token: str | None = None
) -> AsyncIterator[Feed]:
    async with asyncio.timeout(DEADLINE_SECONDS), stage.server() as server:
        async with open_feed(Place(str(server.make_url("/")), token), pace) as feed:
            yield feed
        stage.ended.set()


async def test_state_is_the_document_as_it_came() -> None:
    """Nothing is changed between the sidecar and whoever reads."""
    stage = Stage()
    async with feed_of(stage, token="word") as feed:  # noqa: S106
        assert await feed.state() == stage.body
    assert stage.tokens == ["Bearer word"]


@pytest.mark.parametrize("status", [302, 401, 404, 500])
async def test_state_with_another_status_is_lost(status: int) -> None:
    """Only a 200 is a state; a redirect is not followed, since the token is for this place."""
    stage = Stage(status=status)
    async with feed_of(stage) as feed:
        with pytest.raises(LostError, match=f"status {status}"):
            await feed.state()
    assert stage.asked == 1


async def test_state_beyond_the_limit_is_lost() -> None:
    """A stranger at the address cannot fill the memory."""
    async with feed_of(Stage(body=b" " * (ANSWER_BYTES_MAX + 1))) as feed:
        with pytest.raises(LostError, match="larger than 32 MiB"):
            await feed.state()


async def test_state_that_never_ends_is_lost_in_time() -> None:
    """A server that accepts and says nothing costs the deadline and no more."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = Place(f"http://127.0.0.1:{silent.getsockname()[1]}/{KEY}")
        async with open_feed(place, replace(QUICK, answer=0.05)) as feed:
            with pytest.raises(LostError, match="no answer in time"):
                await feed.state()


async def test_nobody_there_is_lost_in_words_without_the_path() -> None:
    """What is said names no part of the URL but host and port."""
    place = Place(f"http://127.0.0.1:1/{KEY}")
    async with open_feed(place, QUICK) as feed:
        with pytest.raises(LostError) as caught:
            await feed.state()
    assert str(caught.value) == "connection refused"
    assert place.origin == "127.0.0.1:1"
    assert place.reveal("/api/v1/state") == f"http://127.0.0.1:1/{KEY}/api/v1/state"


async def test_follow_tells_the_first_state_and_then_every_tick() -> None:
    """One document at the beginning, and one after each tick; nothing between."""
    stage = Stage()
    async with feed_of(stage) as feed, aclosing(feed.follow()) as news:
        assert await anext(news) == stage.body
        for snapshot in (snapshots.stalled(), snapshots.split()):
            waiting = asyncio.ensure_future(anext(news))
            await stage.tick(snapshot)
            assert await waiting == body_of(snapshot)
        assert stage.asked == 3


async def test_follow_many_ticks_at_once_are_one_document() -> None:
    """A burst is read once, and not once a tick."""
    stage = Stage()
    async with feed_of(stage, replace(QUICK, between=0.2)) as feed, aclosing(feed.follow()) as news:
        await anext(news)
        waiting = asyncio.ensure_future(anext(news))
        for _ in range(50):
            await stage.tick()
        await waiting
        assert stage.asked == 2


async def test_follow_without_ticks_confirms_the_state_now_and_then() -> None:
    """What nobody confirms is not shown for ever."""
    pace = replace(QUICK, refresh=0.05)
    async with feed_of(Stage(), pace) as feed, aclosing(feed.follow()) as news:
        assert isinstance(await anext(news), bytes)
        assert isinstance(await anext(news), bytes)


async def test_follow_stream_that_ends_is_lost_and_found_again() -> None:
    """A restart of the sidecar is told, and the state comes back by itself."""
    stage = Stage()
    async with feed_of(stage) as feed, aclosing(feed.follow()) as news:
        await anext(news)
        await stage.until(lambda: bool(stage.listeners))
        await stage.drop()
        assert await anext(news) == Lost(1, "the stream of its events ended")
        assert await anext(news) == stage.body


async def test_follow_silence_of_the_stream_is_lost() -> None:
    """A connection that is open and dead is noticed, since the sidecar sends keep-alives."""
    pace = replace(QUICK, silence=0.05)
    async with feed_of(Stage(), pace) as feed, aclosing(feed.follow()) as news:
        await anext(news)
        assert await anext(news) == Lost(1, "no answer in time")


async def test_follow_counts_its_attempts_until_it_works() -> None:
    """Each failure is told with its number; success begins anew."""
    stage = Stage(events_status=500)
    async with feed_of(stage) as feed, aclosing(feed.follow()) as news:
        assert await anext(news) == Lost(1, "it answered with status 500")
        assert await anext(news) == Lost(2, "it answered with status 500")
        stage.events_status = 200
        while isinstance(lost := await anext(news), Lost):
            assert lost.attempt > 2
        stage.status = 500
        await stage.tick()
        assert await anext(news) == Lost(1, "it answered with status 500")


@pytest.mark.parametrize("status", [404, 503])
async def test_follow_without_a_stream_asks_for_the_state(status: int) -> None:
    """A sidecar that has no stream, or no room for one more, is asked every now and then."""
    stage = Stage(events_status=status)
    async with feed_of(stage) as feed, aclosing(feed.follow()) as news:
        assert [await anext(news) for _ in range(3)] == [stage.body] * 3


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_ticks_are_read_however_they_are_cut_up(size: int) -> None:
    """Lines end where they end, and not where a packet does; comments are no events."""
    stream = (
        b": keep-alive\n\nevent: tick\r\ndata: {}\r\n\r\nevent: other\ndata: 1\ndata: 2\n\n"
        b"event: tick\n\ndata: nameless\n\n"
    )
    ticks = Ticks()
    names = [
        name
        for start in range(0, len(stream), size)
        for name in ticks.feed(stream[start : start + size])
    ]
    assert names == ["tick", "other", "message"]


def test_ticks_line_without_an_end_is_lost() -> None:
    """A stream that is no stream of events does not grow in memory."""
    ticks = Ticks()
    ticks.feed(b"x" * LINE_BYTES_MAX)
    with pytest.raises(LostError, match="longer than 64 KiB"):
        ticks.feed(b"x")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"ws://h.example/{KEY}", "expected http:// or https://"),
        (f"{KEY}", "expected http"),
        (f"http:///{KEY}", "names no host"),
        (f"http://user:{KEY}@h.example/", "exclude each other"),
    ],
)
def test_place_that_cannot_be_asked_is_refused_without_repeating_it(url: str, said: str) -> None:
    """An address may carry a key, also a wrong one."""
    with pytest.raises(ValueError, match=said) as caught:
        Place(url, "token")
    assert KEY not in str(caught.value)


def test_place_of_an_ipv6_address_keeps_its_brackets() -> None:
    """The routes come below the path that was given, whatever the host is."""
    place = Place("http://[::1]:9845/behind/a/proxy/?x=1")
    assert place.reveal("/api/v1/state") == "http://[::1]:9845/behind/a/proxy/api/v1/state"
    assert place.origin == "[::1]:9845"
