"""One node-poll: what it costs web3.py, our client, and our whole path, on the same questions."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from benchmarks.children import answerer, child, tell
from benchmarks.report import Result, Row, Say, Sizes, Target, median_ratio
from monitor.lab.anvil import Anvil, Chain

REFERENCES = 3
FLEET = 200
FULL_BLOCK = 600
TARGET_RATIO = 20
UPSTREAMS = ("anvil", "light", "600 tx")
PATH = f"path, {FLEET} nodes, export"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to be: who polls, how many nodes, how often in one repeat."""

    name: str
    contestant: str
    polls: int
    nodes: int = 1


ROUND = (
    Entry("web3.py, one by one", "web3-round", 50),
    Entry("web3.py batch_requests", "web3-batch-round", 100),
    Entry("our client alone", "client-round", 800),
    Entry("path, 1 node, export", "path-export", 150),
    Entry(f"path, {FLEET} nodes", "path", FLEET * 10, FLEET),
    Entry(PATH, "path-export", FLEET * 30, FLEET),
)
SIX = (
    Entry("web3.py, one by one", "web3-six", 50),
    Entry("web3.py batch_requests", "web3-batch-six", 100),
    Entry("our client alone", "client-six", 800),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one contestant used in the repeats, in order."""

    cpu_ms: tuple[float, ...]
    """A node-poll."""
    wall_ms: tuple[float, ...]
    memory_mb: float


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """Both sets of questions, against every upstream; at the smallest a part of one."""
    if sizes.repeats == 1:
        return [await _of("a round's five calls", ROUND[::2], ("light",), sizes, say)]
    return [
        await _of("a round's five calls", ROUND, UPSTREAMS, sizes, say),
        await _of("the six classical calls", SIX, UPSTREAMS, sizes, say),
    ]


async def _of(
    title: str, entries: Sequence[Entry], upstreams: Sequence[str], sizes: Sizes, say: Say
) -> Result:
    costs: dict[str, Mapping[str, Cost]] = {}
    for upstream in upstreams:
        say(f"probe: {title}, {upstream}")
        nodes = max(entry.nodes for entry in entries)
        async with _upstream(upstream, REFERENCES + nodes) as urls:
            costs[upstream] = await _contest(entries, urls, sizes)
    return _table(title, entries, costs)


@asynccontextmanager
async def _upstream(name: str, count: int) -> AsyncIterator[list[str]]:
    """So many URLs of one chain."""
    if name != "anvil":
        async with answerer(count, transactions=FULL_BLOCK if "tx" in name else 0) as urls:
            yield urls
        return
    chain = Chain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain) as anvil:
        await anvil.rpc("anvil_mine", "0x40")
        # One process answers them all; the query makes each a node of its own.
        yield [f"{anvil.url}/?{index}" for index in range(count)]


async def _contest(
    entries: Sequence[Entry], urls: Sequence[str], sizes: Sizes
) -> Mapping[str, Cost]:
    """Every entry in a process of its own, asked in turn, so that all see the same weather."""
    heard: dict[str, list[dict[str, float]]] = {entry.name: [] for entry in entries}
    async with AsyncExitStack() as stack:
        workers = {
            entry.name: await stack.enter_async_context(
                child("-m", "benchmarks.worker", entry.contestant)
            )
            for entry in entries
        }
        await asyncio.gather(
            *(tell(workers[each.name], urls[: REFERENCES + each.nodes]) for each in entries)
        )
        for repeat in range(sizes.repeats + 1):
            for entry in entries:
                polls = max(2 * min(entry.nodes, 2), int(entry.polls * sizes.scale))
                said = await tell(workers[entry.name], polls)
                if repeat:  # the first one warms up
                    heard[entry.name].append(said)
    return {
        name: Cost(
            tuple(1000 * said["cpu_seconds"] / said["polls"] for said in many),
            tuple(1000 * said["wall_seconds"] / said["polls"] for said in many),
            many[-1]["memory_bytes"] / 2**20,
        )
        for name, many in heard.items()
    }


def _table(title: str, entries: Sequence[Entry], costs: Mapping[str, Mapping[str, Cost]]) -> Result:
    peer = entries[0].name
    rows = []
    for entry in entries:
        figures: dict[str, float | str | None] = {}
        for upstream, cost in costs.items():
            mine, theirs = cost[entry.name], cost[peer]
            figures[f"{upstream}: CPU ms"] = statistics.median(mine.cpu_ms)
            figures[f"{upstream}: × web3.py"] = median_ratio(theirs.cpu_ms, mine.cpu_ms)
        light = costs["light"][entry.name]
        figures["light: polls/s/core"] = 1000 / statistics.median(light.cpu_ms)
        figures["wall ms"] = statistics.median(light.wall_ms)
        figures["RSS MB"] = light.memory_mb
        rows.append(Row(entry.name, figures))
    targets = []
    for upstream, cost in costs.items():
        if PATH in cost:
            ratio = median_ratio(cost[peer].cpu_ms, cost[PATH].cpu_ms)
            what = f"whole path with export against web3.py's client alone, {upstream}"
            wanted = f">= {TARGET_RATIO} x"
            targets.append(Target(what, wanted, f"{ratio:.1f} x", ratio >= TARGET_RATIO))
    note = (
        "CPU of the asking process only, a node-poll, median of the repeats. A path asks three "
        "references as well; export is one metrics page in 15 rounds."
    )
    return Result(f"probe: one node-poll, {title}", tuple(rows), note, tuple(targets))
