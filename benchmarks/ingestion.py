"""How fast logs are taken in over HTTP: ours, web3.py and cryo from one server in one run.

The server has its answers rendered and only joins them. Each contestant is a process of its own, in
turn with the others; what is compared is processor time, of all threads.
"""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.children import child, hear, tell
from benchmarks.logged import count_of
from benchmarks.report import Result, Row, Say, Sizes, Target, median_ratio

BLOCKS, BLOCKS_OF_WEB3 = 100_000, 4_000
REPEATS_MAX = 3
NAMES = {
    "web3": "web3.py, get_logs and process_log",
    "cryo": "cryo, to Parquet",
    "headwatch": "headwatch, checked, to Parquet",
    "nothing": "the bytes alone, by aiohttp",
}


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """Every contestant as often as there are repeats."""
    blocks = {name: int(BLOCKS * sizes.scale) for name in NAMES}
    blocks["web3"] = max(200, int(BLOCKS_OF_WEB3 * sizes.scale))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    async with child("-m", "benchmarks.logged", str(max(blocks.values()))) as server:
        url = f"http://127.0.0.1:{await hear(server)}"
        for repeat in range(min(REPEATS_MAX, sizes.repeats)):
            for name in NAMES:
                say(f"ingestion: {name}, {repeat + 1}")
                one = await _taken(name, url, blocks[name])
                assert one["logs"] == count_of(blocks[name]), f"{name} took {one['logs']} logs"
                found[name].append(one)
    return [_table(found, count_of(blocks["headwatch"]))]


async def _taken(name: str, url: str, blocks: int) -> dict[str, Any]:
    async with child("-m", "benchmarks.ingested", name, url, str(blocks)) as process:
        while "ready" not in await hear(process):
            pass
        said: dict[str, Any] = await tell(process, "begin")
    return said


def _table(found: dict[str, list[dict[str, Any]]], logs: int) -> Result:
    costs = {
        name: [one["cpu_seconds"] / one["logs"] for one in many] for name, many in found.items()
    }
    rows = []
    for name, many in found.items():
        walls = [one["wall_seconds"] / one["logs"] for one in many]
        figures = {
            "logs/s of a core": 1 / statistics.median(costs[name]),
            "× web3.py": median_ratio(costs["web3"], costs[name]),
            "× cryo": median_ratio(costs["cryo"], costs[name]),
            "logs/s, wall": 1 / statistics.median(walls),
            "MB": statistics.median(one["megabytes"] for one in many),
        }
        rows.append(Row(NAMES[name], figures))
    ratio = median_ratio(costs["cryo"], costs["headwatch"])
    memory = {
        name: statistics.median(one["megabytes"] for one in found[name])
        for name in ("cryo", "headwatch")
    }
    share = memory["headwatch"] / memory["cryo"]
    targets = (
        Target("logs a second of a core", ">= 1 × cryo", f"{ratio:.2f} × cryo", ratio >= 1),
        Target("memory", "<= half of cryo's", f"{share:.2f} of cryo's", share <= 0.5),
    )
    return Result(f"ingestion: {logs:,} logs over HTTP", tuple(rows), "", targets)
