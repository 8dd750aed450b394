from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

from aiohttp import ClientResponse

from monitor.act.live import Live
from tests.act.conftest import Serve, Stage

EVENTS = "/api/v1/events"
DEADLINE_SECONDS = 10.0
KEPT_BYTES_MAX = 65_536
"""Beyond what may wait in both kernels and in the process, there is no room for one client."""


async def lines(answer: ClientResponse) -> AsyncIterator[str]:
    """The lines of a stream as they come; each is waited for with a deadline."""
    while True:
        async with asyncio.timeout(DEADLINE_SECONDS):
            line = await answer.content.readline()
        if not line:
            return
        yield line.decode().rstrip("\n")


async def until(live: Live, clients: int) -> None:
    """Waits until so many listen."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while live.clients != clients:
            await asyncio.sleep(0.01)


async def test_events_tell_of_a_tick_as_it_comes(serve: Serve) -> None:
    """A page that listens hears what was published: when, the verdict, how many rounds."""
    stage = Stage(live=Live(interval_seconds=0.0))
    client = await serve(stage)
    async with client.get(EVENTS) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        stream = lines(answer)
        assert (await anext(stream)).startswith("retry: ")
        await until(stage.live, 1)
        for rounds in (1, 2):
            stage.live.publish(at=5.0, verdict="pass", rounds=rounds)
            said = [line async for line in first(stream, 2) if line]
            assert said[0] == "event: tick"
            document = json.loads(said[1].removeprefix("data: "))
            assert document == {"at": 5.0, "verdict": "pass", "rounds": rounds}


async def first(stream: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    """So many lines that say something."""
    while count:
        line = await anext(stream)
        if line:
            count -= 1
            yield line


async def test_events_whoever_comes_later_hears_the_newest(serve: Serve) -> None:
    """A page that was drawn before a tick and listens after it does not miss it."""
    stage = Stage(live=Live(interval_seconds=0.0))
    client = await serve(stage)
    stage.live.publish(at=1.0, verdict="pass", rounds=1)
    stage.live.publish(at=2.0, verdict="fail", rounds=2)
    async with client.get(EVENTS) as answer:
        said = [line async for line in first(lines(answer), 3)]
    assert json.loads(said[2].removeprefix("data: "))["rounds"] == 2


async def test_events_of_one_interval_are_one(serve: Serve) -> None:
    """However much happens, a page is told once an interval, and of the newest."""
    stage = Stage(live=Live(interval_seconds=0.2))
    client = await serve(stage)
    async with client.get(EVENTS) as answer:
        stream = lines(answer)
        await anext(stream)
        await until(stage.live, 1)
        stage.live.publish(at=0.0, verdict="pass", rounds=0)
        assert '"rounds": 0' in [line async for line in first(stream, 2)][1]
        for rounds in range(1, 50):
            stage.live.publish(at=0.0, verdict="pass", rounds=rounds)
        assert '"rounds": 49' in [line async for line in first(stream, 2)][1]


async def test_events_without_news_keep_the_line_open(serve: Serve) -> None:
    """A comment comes now and then, so that neither side nor a proxy takes the line for dead."""
    stage = Stage(live=Live(keep_alive_seconds=0.05))
    client = await serve(stage)
    async with client.get(EVENTS) as answer:
        said = [line async for line in first(lines(answer), 3)]
    assert said[1:] == [": still here", ": still here"]


async def test_events_have_room_for_so_many(serve: Serve) -> None:
    """One more than the limit is refused and told so; when one goes, there is room again."""
    stage = Stage(live=Live(clients_max=2, keep_alive_seconds=0.05))
    client = await serve(stage)
    async with client.get(EVENTS), client.get(EVENTS):
        await until(stage.live, 2)
        async with client.get(EVENTS) as refused:
            assert refused.status == 503
            assert "2 pages listen already" in (await refused.json())["error"]
    await until(stage.live, 0)
    async with client.get(EVENTS) as answer:
        assert answer.status == 200


async def test_events_client_that_does_not_read_is_dropped(serve: Serve) -> None:
    """A page that takes nothing costs its few kilobytes for a while, and then its line is cut."""
    stage = Stage(live=Live(interval_seconds=0.0, send_seconds_max=0.2))
    client = await serve(stage)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, (client.host, client.port))
    await loop.sock_sendall(slow, f"GET {EVENTS} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    await until(stage.live, 1)
    async with asyncio.timeout(DEADLINE_SECONDS):
        rounds = 0
        while stage.live.clients:
            rounds += 1
            stage.live.publish(at=0.0, verdict="pass" * 100, rounds=rounds)
            await asyncio.sleep(0.001)
    sent = 0
    async with asyncio.timeout(DEADLINE_SECONDS):
        with contextlib.suppress(ConnectionResetError):
            while got := await loop.sock_recv(slow, 65_536):
                sent += len(got)
    slow.close()
    assert sent < KEPT_BYTES_MAX


async def test_events_end_with_the_server(serve: Serve) -> None:
    """Open pages do not hold up the end of the process, and hear nothing twice."""
    stage = Stage(live=Live(interval_seconds=0.0, keep_alive_seconds=0.05))
    client = await serve(stage)
    async with client.get(EVENTS) as answer:
        stream = lines(answer)
        await anext(stream)
        await until(stage.live, 1)
        stage.live.publish(at=5.0, verdict="pass", rounds=1)
        said = [line async for line in first(stream, 3)]
        assert '"rounds": 1' in said[1]
        assert said[2] == ": still here"
        stage.live.close()
        assert {line async for line in stream if line} <= {": still here"}
    await until(stage.live, 0)
