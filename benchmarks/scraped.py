"""The server that `scrape` asks: a fleet that was watched for some rounds, and then stands still.

`python -m benchmarks.scraped`, with the URLs as the first line of JSON on stdin. It says the
address of its pages. Each further line is `{"draw": N}`, answered by what drawing `/metrics` cost,
or `{"watch": SECONDS}`, answered by how late the loop came to its timers in that time. Ends when
stdin does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from aiohttp import web

from benchmarks.children import raise_open_files
from benchmarks.contestants import draw, settings_of
from benchmarks.report import p99
from monitor.act.server import View, application
from monitor.garbage import tune_collector
from monitor.sidecar import Sidecar

ROUNDS = 6
"""Enough for every method to have travelled alone to every node."""
TICK_SECONDS = 0.002


async def watch(seconds: float) -> dict[str, float]:
    """How late a timer of 2 ms comes back: a stall is as long as the longest of these.

    `own` counts of a wait only as much as this process used its processor in that time, which
    leaves out what other work on the machine took.
    """
    late_ms, own_ms = [], []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        cpu_began = time.process_time()
        await asyncio.sleep(TICK_SECONDS)
        late = 1000 * (time.perf_counter() - began - TICK_SECONDS)
        late_ms.append(late)
        own_ms.append(min(late, 1000 * (time.process_time() - cpu_began)))
    return {"wall": max(late_ms), "own": max(own_ms), "own p99": p99(own_ms)}


def drawn(sidecar: Sidecar, times: int) -> list[float]:
    """CPU ms of each drawing of `/metrics`, packing included."""
    costs = []
    for _ in range(times):
        began = time.process_time()
        draw(sidecar)
        costs.append(1000 * (time.process_time() - began))
    return costs


async def serve() -> None:
    """Watch, serve, and answer until stdin ends."""
    logging.getLogger("headwatch").setLevel(logging.ERROR)
    raise_open_files()
    loop = asyncio.get_running_loop()
    urls: list[str] = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    async with Sidecar(settings_of(urls)) as sidecar:
        (only,) = sidecar.watches.values()
        for _ in range(ROUNDS):
            await sidecar.round(only)
        snapshot = sidecar.snapshot()
        view = View(
            snapshot=lambda: snapshot,
            alive=lambda: True,
            reload=None,
            token=None,
            instruments=sidecar.instruments,
        )
        runner = web.AppRunner(application(view))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        tune_collector()  # As `headwatch run` does.
        _say({"address": "http://{}:{}".format(*runner.addresses[0])})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asked = json.loads(line)
            if "watch" in asked:
                _say(await watch(asked["watch"]))
            else:
                _say(drawn(sidecar, asked["draw"]))
        await runner.cleanup()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
