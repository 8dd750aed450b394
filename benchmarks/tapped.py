"""The taps that `tap` asks, and what they are compared with, in a process of their own.

`python -m benchmarks.tapped FOLDER`, with the node's URL as the first line of JSON on stdin. It
says the ports: of a relay that copies bytes and reads none of them, of a tap whose journal does
nothing, and of one whose journal is a file in FOLDER that is written and synced. Each further line
is a number of commits to make to such a file, answered by how many milliseconds each took. Ends
when stdin does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from benchmarks.children import raise_open_files
from monitor.garbage import tune_collector
from monitor.model import Hash32
from monitor.transactions.tap import Ledger, Tap, TapLimits, open_session
from monitor.url import Url


class Nothing:
    """A journal that costs nothing."""

    async def arrive(self, raw: bytes, hash_: Hash32, *, source: str, at: float) -> None:
        del raw, hash_, source, at

    async def answered(self, hash_: Hash32, outcome: str, message: str, at: float) -> None:
        del hash_, outcome, message, at


class Synced:
    """A journal that is a file: every call is written and synced before it returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    async def arrive(self, raw: bytes, hash_: Hash32, *, source: str, at: float) -> None:
        """Write it down, in a thread, as the journal's own writer is one."""
        del hash_, source, at
        await asyncio.to_thread(self.commit, raw)

    async def answered(self, hash_: Hash32, outcome: str, message: str, at: float) -> None:
        del hash_, outcome, message, at
        raise AssertionError  # Nobody is refused here.

    def commit(self, raw: bytes) -> None:
        """Write and sync."""
        self._file.write(raw)
        os.fsync(self._file.fileno())

    def commits_ms(self, count: int) -> list[float]:
        """What as many commits took, one after the other."""
        took = []
        for _ in range(count):
            began = time.perf_counter()
            self.commit(b"x" * 110)
            took.append(1000 * (time.perf_counter() - began))
        return took


class _Onward(asyncio.Protocol):
    """One end of the relay."""

    def __init__(self) -> None:
        self.other: asyncio.Transport | None = None
        self.early: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.early.append(data)
        else:
            self.other.write(data)


class _Client(_Onward):
    """The client's end: it dials the node for every connection."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._address = (host, port)
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._dialling = asyncio.get_running_loop().create_task(self._dial(transport))

    async def _dial(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        self.other, node = await loop.create_connection(_Onward, *self._address)
        node.other = transport
        for data in self.early:
            self.other.write(data)


async def serve(folder: Path) -> None:
    """Relay, tap, and answer until stdin ends."""
    raise_open_files()
    loop = asyncio.get_running_loop()
    url: str = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    node = urlsplit(url)
    host, port = node.hostname or "", node.port or 0
    relay = await loop.create_server(lambda: _Client(host, port), "127.0.0.1", 0)
    synced = Synced(folder / "journal")
    async with open_session() as session:
        taps = [_tap(url, ledger, session) for ledger in (Nothing(), synced)]
        ports = [relay.sockets[0].getsockname()[1]]
        ports += [(await tap.start("127.0.0.1", 0))[1] for tap in taps]
        tune_collector()  # As `headwatch run` does.
        _say(ports)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            _say(await asyncio.to_thread(synced.commits_ms, json.loads(line)))
        for tap in taps:
            await tap.stop()


def _tap(url: str, ledger: Ledger, session: aiohttp.ClientSession) -> Tap:
    return Tap(
        upstream=Url(url),
        websocket=None,
        ledger=ledger,
        session=session,
        token=None,
        limits=TapLimits(),
        clock=time.time,
        on_sent=lambda sent: None,
    )


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
