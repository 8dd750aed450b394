"""The sidecar as its users run it: memory, processor, lateness, and its pages under load.

A process of its own watches one, two hundred and a thousand nodes, each polled every second. The
peers are web3.py's client, at what the same polls would cost it, and for the page
prometheus_client itself, which writes down as many plain gauges.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.children import answerer, child, cpu_seconds, memory_bytes, raise_open_files, tell
from benchmarks.contestants import OPERATORS, SCRAPE_SECONDS
from benchmarks.report import Result, Row, Say, Sizes, Target, p99

INTERVAL_SECONDS = 2
"""Of blocks; polls come twice in it."""
START_SECONDS_MAX = 60.0
HEALTH_PAUSE_SECONDS = 0.005
SCRAPE_PAUSE_SECONDS = 0.7
"""Longer than a drawn page is kept, so that every scrape is drawn anew."""
SCRAPED = 200
GO_PROBER_PERCENT = 51
PEER_POLLS = 50
RSS_MB_MAX = {1: 60, 1000: 130}
PAGE_MS_MAX = 20
STALL_MS_MAX = 50


@dataclass(slots=True)
class Reading:
    """What was seen of one process."""

    nodes: int
    memory_mb: float = 0.0
    cpu_percent: float = 0.0
    polls_a_second: float = 0.0
    round_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    overruns: float = 0.0
    quiet_ms: list[float] = field(default_factory=list)
    """Answers of `/-/healthy` while nobody scrapes."""
    scrape_ms: list[float] = field(default_factory=list)
    draw_ms: list[float] = field(default_factory=list)
    """As headwatch itself measured the drawing."""
    busy_ms: list[float] = field(default_factory=list)
    """Answers of `/-/healthy` while a page is drawn."""
    page: str = ""


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """One process after the other, then the peers."""
    if not Path("/proc/self/stat").exists():
        return [Result("fleet: needs /proc, which is not here", ())]
    raise_open_files()
    readings = []
    for nodes in sizes.fleets:
        say(f"fleet: {nodes} nodes")
        readings.append(await _watch(nodes, sizes))
    say("fleet: peers")
    poll_ms, peer_mb = await _web3_poll(sizes)
    tables = [_load(readings, poll_ms, peer_mb)]
    tables += [_pages(one) for one in readings if one.scrape_ms]
    return tables


async def _watch(nodes: int, sizes: Sizes) -> Reading:
    reading = Reading(nodes)
    async with (
        answerer(len(OPERATORS) + nodes, interval_seconds=INTERVAL_SECONDS) as urls,
        _sidecar(urls) as (pid, address),
        aiohttp.ClientSession(base_url=address) as session,
    ):
        await asyncio.sleep(sizes.warm_seconds)
        await _load_of(reading, pid, session, sizes.watch_seconds)
        if nodes == SCRAPED or len(sizes.fleets) == 1:
            await _pages_of(reading, session, sizes.scrapes)
    return reading


@asynccontextmanager
async def _sidecar(urls: Sequence[str]) -> AsyncIterator[tuple[int, str]]:
    """A running `headwatch run`, its pid and the address of its pages."""
    with tempfile.TemporaryDirectory(prefix="headwatch-bench-") as folder:
        config = Path(folder) / "headwatch.yaml"
        config.write_text(_yaml(urls), encoding="utf-8")
        async with child("-m", "monitor", "run", "-c", str(config)) as process:
            log = process.stderr or asyncio.StreamReader()
            async with asyncio.timeout(START_SECONDS_MAX):
                address = await _address_in(log)
            drained = asyncio.create_task(log.read())
            try:
                yield process.pid, address
            finally:
                drained.cancel()


async def _address_in(log: asyncio.StreamReader) -> str:
    """Of its pages, as the log names it; raises RuntimeError when the log ends before."""
    while line := (await log.readline()).decode():
        found = re.search(r"status page on (http://\S+?)/?\s", line)
        if found:
            return found[1]
    message = "headwatch ended before it was ready"
    raise RuntimeError(message)


def _yaml(urls: Sequence[str]) -> str:
    # A relative path is relative to the file, whose folder ends with the benchmark.
    lines = ["data_dir: state", "http: {listen: '127.0.0.1:0'}", "networks:", "  chain:"]
    lines.append(f"    profile: {{profile: dev, interval_seconds: {INTERVAL_SECONDS}}}")
    lines.append("    references:")
    for name, url in zip(OPERATORS, urls, strict=False):
        lines.append(f"      - {{name: {name}, url: '{url}', operator: {name}}}")
    lines.append("nodes:")
    for index, url in enumerate(urls[len(OPERATORS) :]):
        lines.append(f"  - {{name: node-{index}, network: chain, url: '{url}'}}")
    return "\n".join(lines) + "\n"


async def _load_of(
    reading: Reading, pid: int, session: aiohttp.ClientSession, seconds: float
) -> None:
    """Memory, and processor over a window in which a page is scraped as often as one would."""
    before, began, cpu_began = await _page(session), time.monotonic(), cpu_seconds(pid)
    left = seconds
    while left > 0:
        await asyncio.sleep(min(left, SCRAPE_SECONDS))
        left -= SCRAPE_SECONDS
        reading.page = await _page(session)
        _note(reading)
    took = time.monotonic() - began
    reading.cpu_percent = 100 * (cpu_seconds(pid) - cpu_began) / took
    reading.memory_mb = (memory_bytes(pid) or 0) / 2**20
    rounds = _value(reading.page, "headwatch_rounds_total") - _value(
        before, "headwatch_rounds_total"
    )
    reading.polls_a_second = reading.nodes * rounds / took
    reading.overruns = _value(reading.page, 'scheduler_events_total{event="overrun"}')


def _note(reading: Reading) -> None:
    reading.round_ms.append(1000 * _value(reading.page, "headwatch_round_duration_seconds"))
    reading.late_ms.append(1000 * _value(reading.page, "headwatch_scheduler_lag_seconds"))


async def _pages_of(reading: Reading, session: aiohttp.ClientSession, scrapes: int) -> None:
    """Scrape, while somebody else asks all the time whether the loop is alive."""
    health: list[tuple[float, float]] = []
    asking = asyncio.create_task(_ask_health(session, health))
    spans = []
    try:
        for _ in range(scrapes):
            await asyncio.sleep(SCRAPE_PAUSE_SECONDS)
            began = time.perf_counter()
            reading.page = await _page(session)
            ended = time.perf_counter()
            spans.append((began, ended))
            reading.scrape_ms.append(1000 * (ended - began))
            _note(reading)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    # A page carries the time that the drawing of the page before it took.
    reading.page = await _page(session)
    reading.draw_ms.append(1000 * _value(reading.page, "headwatch_scrape_duration_seconds"))
    for began, ended in health:
        scraped = any(began < stop and ended > start for start, stop in spans)
        (reading.busy_ms if scraped else reading.quiet_ms).append(1000 * (ended - began))


async def _ask_health(
    session: aiohttp.ClientSession, health: list[tuple[float, float]], *, count_max: int = 20_000
) -> None:
    for _ in range(count_max):
        began = time.perf_counter()
        async with session.get("/-/healthy") as response:
            await response.read()
        health.append((began, time.perf_counter()))
        await asyncio.sleep(HEALTH_PAUSE_SECONDS)


async def _page(session: aiohttp.ClientSession) -> str:
    async with session.get("/metrics") as response:
        response.raise_for_status()
        return (await response.read()).decode()


def _value(page: str, series: str) -> float:
    """The first sample of a series; 0 where there is none yet."""
    found = re.search(rf"(?m)^\w*{re.escape(series)}(?:{{[^}}]*}})? (\S+)$", page)
    return float(found[1]) if found else 0.0


async def _web3_poll(sizes: Sizes) -> tuple[float, float]:
    """CPU ms of a node-poll by web3.py, and the memory of its process."""
    cpu_ms = []
    async with (
        answerer(1) as urls,
        child("-m", "benchmarks.worker", "web3-round") as worker,
    ):
        await tell(worker, urls)
        for _ in range(sizes.repeats):
            said = await tell(worker, max(2, int(PEER_POLLS * sizes.scale)))
            cpu_ms.append(1000 * said["cpu_seconds"] / said["polls"])
        return statistics.median(cpu_ms), said["memory_bytes"] / 2**20


def _load(readings: Sequence[Reading], poll_ms: float, peer_mb: float) -> Result:
    rows = [Row("web3.py alone, 1 node", {"RSS MB": peer_mb})]
    targets = []
    for one in readings:
        peer_percent = one.polls_a_second * poll_ms / 10
        figures: dict[str, float | str | None] = {
            "RSS MB": one.memory_mb,
            "RSS × web3.py": one.memory_mb / peer_mb if peer_mb else None,
            "CPU % of a core": one.cpu_percent,
            "web3.py's CPU %": peer_percent,
            "× web3.py": peer_percent / one.cpu_percent if one.cpu_percent else None,
            "node-polls/s": one.polls_a_second,
            "round ms": statistics.median(one.round_ms),
            "late ms, worst": max(one.late_ms),
            "overruns": one.overruns,
        }
        rows.append(Row(f"headwatch run, {one.nodes} nodes", figures))
        limit = RSS_MB_MAX.get(one.nodes)
        if limit is not None:
            measured = f"{one.memory_mb:.0f} MB"
            what = f"RSS at {one.nodes} nodes"
            targets.append(Target(what, f"<= {limit} MB", measured, one.memory_mb <= limit))
        if one.nodes == max(RSS_MB_MAX):
            percent = f"{one.cpu_percent:.0f} % for {one.polls_a_second:.0f} polls/s"
            what, wanted = "1,000 nodes each second", f"< {GO_PROBER_PERCENT} % of a core"
            met = one.cpu_percent < GO_PROBER_PERCENT and one.polls_a_second > one.nodes * 0.97
            targets.append(Target(what, wanted, percent, met))
    note = "Each node polled every second, three references, a scrape every 15 s."
    return Result("fleet: the sidecar as a process", tuple(rows), note, tuple(targets))


def _pages(one: Reading) -> Result:
    plain_ms = plain_gauges_ms(one.page)
    page_ms = statistics.median(one.scrape_ms)
    rows = (
        Row("prometheus_client, as many plain gauges, drawn in process", {"median ms": plain_ms}),
        Row(
            "/metrics, drawn anew, over HTTP",
            {"median ms": page_ms, "p99 ms": p99(one.scrape_ms), "× peer": page_ms / plain_ms},
        ),
        Row("the same, as headwatch timed the drawing", {"median ms": one.draw_ms[-1]}),
        _health("/-/healthy while a page is drawn", one.busy_ms),
        _health("/-/healthy else", one.quiet_ms),
    )
    targets: tuple[Target, ...] = (
        Target(
            f"/metrics at {one.nodes} nodes, median",
            f"<= {PAGE_MS_MAX} ms",
            f"{page_ms:.0f} ms",
            page_ms <= PAGE_MS_MAX,
        ),
    )
    if one.busy_ms:
        stall = max(one.busy_ms)
        met = stall <= STALL_MS_MAX
        what = "longest wait for /-/healthy while a page is drawn"
        targets += (Target(what, f"<= {STALL_MS_MAX} ms", f"{stall:.0f} ms", met),)
    samples = one.page.count("\n") - one.page.count("# ")
    note = f"{samples} samples, {len(one.page) / 1024:.0f} KiB; wall time on a shared machine."
    return Result(f"fleet: pages at {one.nodes} nodes", rows, note, targets)


def _health(name: str, answers: Sequence[float]) -> Row:
    if not answers:
        return Row(name, {})
    return Row(
        name,
        {"median ms": statistics.median(answers), "p99 ms": p99(answers), "worst ms": max(answers)},
    )


def plain_gauges_ms(page: str, times: int = 5) -> float:
    """CPU of prometheus_client writing the same samples from gauges that hold them."""
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            name, labels = sample.name, sorted(sample.labels)
            if name not in gauges:
                gauges[name] = Gauge(name, family.documentation, labels, registry=registry)
            gauge = gauges[name].labels(**sample.labels) if labels else gauges[name]
            gauge.set(sample.value)
    costs = []
    for _ in range(times):
        began = time.process_time()
        generate_latest(registry)
        costs.append(1000 * (time.process_time() - began))
    return statistics.median(costs)
