"""How long a command takes to start: what a container's health check and a shell user wait for."""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.children import child
from benchmarks.report import Result, Row, Say, Sizes, Target, median_ratio
from monitor.config import INITIAL

PEER = "python -c pass"
HELP = "headwatch --help"
TARGET_MS = 150
RUNS_A_REPEAT = 3


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """Each command some times, in turn, with its processor time and its wall time."""
    with tempfile.TemporaryDirectory(prefix="headwatch-bench-") as folder:
        config = Path(folder) / "headwatch.yaml"
        config.write_text(INITIAL, encoding="utf-8")
        commands = {
            PEER: ("-c", "pass"),
            "import monitor.cli": ("-c", "import monitor.cli"),
            HELP: ("-m", "monitor", "--help"),
            "headwatch config check": ("-m", "monitor", "config", "check", "-c", str(config)),
            "import monitor.run": ("-c", "import monitor.run"),
            "import web3": ("-c", "import web3"),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for repeat in range(sizes.repeats * RUNS_A_REPEAT if sizes.repeats > 1 else 1):
            say(f"start: {repeat + 1}")
            for name, arguments in commands.items():
                spent[name].append(await _once(arguments))
    return [_table(spent)]


async def _once(arguments: Sequence[str]) -> tuple[float, float]:
    """Milliseconds of processor and of wall of one process, from fork to exit."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    async with child(*arguments) as process:
        await process.communicate()
        wall_ms = 1000 * (time.perf_counter() - began)
        if process.returncode:
            message = f"python {' '.join(arguments)} ended with {process.returncode}"
            raise RuntimeError(message)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1000 * cpu, wall_ms


def _table(spent: dict[str, list[tuple[float, float]]]) -> Result:
    bare_cpu = [cpu for cpu, _ in spent[PEER]]
    rows = []
    for name, many in spent.items():
        cpus, walls = [cpu for cpu, _ in many], [wall for _, wall in many]
        rows.append(
            Row(
                name,
                {
                    "CPU ms": statistics.median(cpus),
                    f"× {PEER}": median_ratio(cpus, bare_cpu),
                    "wall ms": statistics.median(walls),
                    "wall ms, best": min(walls),
                },
            )
        )
    wall = statistics.median(wall for _, wall in spent[HELP])
    target = Target(f"{HELP}, wall", f"<= {TARGET_MS} ms", f"{wall:.0f} ms", wall <= TARGET_MS)
    return Result("start: from fork to exit", tuple(rows), "", (target,))
