"""What watching many transactions costs: the journal's commits, and rounds over 10,000 live ones.

The journal is written by 1, 16 and 256 at once, beside a bare commit of the same disk in the same
run. The rounds are the keeper's own, against a node and three references that answer from memory;
their transactions wait, of which the lowest nonce of each account is asked about at every head. A
process of its own, so that memory is that of the watching alone.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.children import answerer, child, tell
from benchmarks.report import Figure, Result, Row, Say, Sizes, Target

ACCOUNTS, NONCES = 100, 100
ROUND_MS_MAX = 1000.0
"""A round of all of them must fit well into a block."""
COMMITS = {1: 200, 16: 100, 256: 20}
"""So many at once, so often."""
REFERENCES = 3


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """The journal, then the rounds."""
    with tempfile.TemporaryDirectory(prefix="headwatch-bench-") as folder:
        say("tracked: the journal")
        journal = await _journal(Path(folder), sizes)
        say("tracked: rounds")
        rounds = await _rounds(Path(folder) / "rounds", sizes)
    return [journal, rounds]


async def _journal(folder: Path, sizes: Sizes) -> Result:
    from monitor.model import Hash32
    from monitor.transactions.journal import Journal

    rows = []
    bare = [_bare_ms(folder / "bare") for _ in range(max(3, int(50 * sizes.scale)))]
    rows.append(Row("a bare commit", {"ms a commit": statistics.median(bare)}))
    journal = Journal(folder / "journal.sqlite")
    await journal.open()
    number = 0
    for at_once, times in COMMITS.items():
        took = []
        for _ in range(max(2, int(times * sizes.scale))):
            hashes = [Hash32(f"0x{number + index:064x}") for index in range(at_once)]
            number += at_once
            began = time.perf_counter()
            await asyncio.gather(
                *(journal.arrive(b"\x02" * 110, h, source="tap", at=0.0) for h in hashes)
            )
            took.append(1000 * (time.perf_counter() - began))
        figures: dict[str, Figure] = {
            "ms a commit": statistics.median(took),
            "transactions/s": 1000 * at_once / statistics.median(took),
            "× a bare commit": statistics.median(took) / statistics.median(bare),
        }
        rows.append(Row(f"{at_once} at once", figures))
    await journal.close()
    note = "What waits at the same moment shares one transaction and one fsync."
    return Result("tracked: transactions kept durably", tuple(rows), note)


def _bare_ms(path: Path) -> float:
    import os

    began = time.perf_counter()
    with path.open("ab") as file:
        file.write(b"\x02" * 110)
        file.flush()
        os.fsync(file.fileno())
    return 1000 * (time.perf_counter() - began)


async def _rounds(folder: Path, sizes: Sizes) -> Result:
    accounts = max(2, int(ACCOUNTS * min(1.0, sizes.scale * 2)))
    nonces = max(2, int(NONCES * min(1.0, sizes.scale * 2)))
    async with (
        answerer(1 + REFERENCES) as urls,
        child("-m", "benchmarks.tracking", str(folder), str(accounts), str(nonces)) as process,
    ):
        filled = await tell(process, urls)
        idle = [await tell(process, {"head": False}) for _ in range(sizes.repeats)]
        busy = [await tell(process, {"head": True}) for _ in range(sizes.repeats)]
    rows = [
        Row("filled from the journal", {"wall ms": filled["wall_ms"], "MB": filled["megabytes"]}),
        _row("a round between two heads", idle),
        _row("a round at a new head", busy),
    ]
    worst = max(one["wall_ms"] for one in busy)
    title = f"tracked: {accounts * nonces:,} live transactions of {accounts} accounts"
    target = Target(
        "a round at a new head", f"<= {ROUND_MS_MAX:g} ms", f"{worst:.0f} ms", worst <= ROUND_MS_MAX
    )
    return Result(title, tuple(rows), targets=(target,))


def _row(name: str, rounds: Iterable[dict[str, float]]) -> Row:
    many = list(rounds)
    return Row(
        name,
        {
            "wall ms": statistics.median(one["wall_ms"] for one in many),
            "CPU ms": statistics.median(one["cpu_ms"] for one in many),
            "MB": many[-1]["megabytes"],
        },
    )


def megabytes() -> float:
    """Resident memory at its highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
