"""What being read costs: drawing `/metrics`, and how long the loop waits while pages are drawn.

The server watches nobody meanwhile, so that what is measured is the drawing alone; `fleet` has the
sidecar at its whole work. The peer is prometheus_client, which writes as many plain gauges. Four
readers ask all the time; a page is kept for half a second, so it is drawn twice in each.
"""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp

from benchmarks.children import answerer, child, raise_open_files, tell
from benchmarks.contestants import OPERATORS
from benchmarks.fleet import PAGE_MS_MAX, SCRAPE_PAUSE_SECONDS, STALL_MS_MAX, plain_gauges_ms
from benchmarks.report import Figure, Result, Row, Say, Sizes, Target, median_ratio

READERS = 4
READER_PAUSE_SECONDS = 0.02
READS_MAX = 100_000
"""Of one reader, which is ended long before."""
PAGE_KB_MAX = 300
PATHS = {"nobody": None, "/metrics": "/metrics", "the page": "/", "/api/v1/state": "/api/v1/state"}


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """One server, all readings."""
    raise_open_files()
    nodes = sizes.fleets[-2] if len(sizes.fleets) > 1 else sizes.fleets[0]
    say(f"scrape: {nodes} nodes")
    async with (
        answerer(len(OPERATORS) + nodes) as urls,
        child("-m", "benchmarks.scraped") as server,
    ):
        address = (await tell(server, urls))["address"]
        async with aiohttp.ClientSession(base_url=address, auto_decompress=False) as session:
            text = (await _fetch(session, "/metrics", packed=False)).decode()
            ours, peer = [], []
            for _ in range(sizes.repeats):
                ours += await tell(server, {"draw": 1})
                peer.append(plain_gauges_ms(text, times=1))
            rows, targets = [], []
            for name, path in PATHS.items():
                say(f"scrape: {name}")
                row, stall_ms, kilobytes = await _read(sizes, server, session, (name, path))
                rows.append(row)
                if path in {"/metrics", "/"}:
                    targets.append(_stall(name, stall_ms))
                if path == "/":
                    targets.append(_size(name, kilobytes))
    return [_drawing(text, ours, peer, nodes), _waiting(rows, targets, nodes)]


async def _read(
    sizes: Sizes,
    server: asyncio.subprocess.Process,
    session: aiohttp.ClientSession,
    what: tuple[str, str | None],
) -> tuple[Row, float, float]:
    """What the loop waited, in ms, while this was read; and its size in kB."""
    name, path = what
    figures: dict[str, Figure] = {}
    kilobytes = 0.0
    readers = []
    if path is not None:
        anew_ms = [await _anew_ms(session, path) for _ in range(sizes.repeats)]
        kilobytes = len(await _fetch(session, path, packed=False)) / 1000
        packed = len(await _fetch(session, path, packed=True)) / 1000
        figures = {"anew, ms": statistics.median(anew_ms), "kB": kilobytes, "kB packed": packed}
        readers = [asyncio.create_task(_keep_reading(session, path)) for _ in range(READERS)]
    try:
        stalls = [
            await tell(server, {"watch": sizes.watch_seconds / sizes.repeats})
            for _ in range(sizes.repeats)
        ]
    finally:
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    own = max(stall["own"] for stall in stalls)
    figures |= {
        "late ms, p99": statistics.median(stall["own p99"] for stall in stalls),
        "longest, median": statistics.median(stall["own"] for stall in stalls),
        "longest": own,
        "with all else here": max(stall["wall"] for stall in stalls),
    }
    return Row(name, figures), own, kilobytes


async def _keep_reading(session: aiohttp.ClientSession, path: str) -> None:
    for _ in range(READS_MAX):
        await _fetch(session, path, packed=True)
        await asyncio.sleep(READER_PAUSE_SECONDS)


async def _fetch(session: aiohttp.ClientSession, path: str, *, packed: bool) -> bytes:
    headers = {"Accept-Encoding": "gzip" if packed else "identity"}
    async with session.get(path, headers=headers) as response:
        response.raise_for_status()
        return await response.read()


async def _anew_ms(session: aiohttp.ClientSession, path: str) -> float:
    """A page that nobody asked for lately."""
    await asyncio.sleep(SCRAPE_PAUSE_SECONDS)
    began = time.perf_counter()
    await _fetch(session, path, packed=True)
    return 1000 * (time.perf_counter() - began)


def _drawing(text: str, ours: list[float], peer: list[float], nodes: int) -> Result:
    samples = text.count("\n") - text.count("# ")
    ours_ms = statistics.median(ours)
    rows = (
        Row("prometheus_client, as many plain gauges", {"CPU ms": statistics.median(peer)}),
        Row(
            "/metrics, drawn and packed",
            {"CPU ms": ours_ms, "× less": median_ratio(peer, ours)},
        ),
    )
    target = Target(
        f"/metrics drawn at {nodes} nodes",
        f"<= {PAGE_MS_MAX} ms",
        f"{ours_ms:.0f} ms CPU",
        ours_ms <= PAGE_MS_MAX,
    )
    note = f"{samples} samples, {len(text) / 1000:.0f} kB."
    return Result(f"scrape: drawing at {nodes} nodes", rows, note, (target,))


def _waiting(rows: list[Row], targets: list[Target], nodes: int) -> Result:
    title = f"scrape: the loop while {READERS} readers ask, at {nodes} nodes"
    note = (
        "How late a timer of 2 ms came back in the serving process, as far as that process was at "
        "work; `with all else here` is wall time, in which the machine did other work as well."
    )
    return Result(title, tuple(rows), note, tuple(targets))


def _stall(name: str, stall_ms: float) -> Target:
    what = f"longest stall of the loop while {name} is read"
    measured = f"{stall_ms:.0f} ms"
    return Target(what, f"<= {STALL_MS_MAX} ms", measured, stall_ms <= STALL_MS_MAX)


def _size(name: str, kilobytes: float) -> Target:
    wanted, measured = f"<= {PAGE_KB_MAX} kB", f"{kilobytes:.0f} kB"
    return Target(f"size of {name}", wanted, measured, kilobytes <= PAGE_KB_MAX)
