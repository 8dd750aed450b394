"""Recorded traffic, put to two nodes at once: how quickly, and in how much memory.

Two answerers that say the same, so that what is measured is the reading, the pinning, the asking
and the comparing. The file is read as it is asked: more requests must not take more memory.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.answerer import FIRST_HEAD
from benchmarks.children import answerer, memory_bytes
from benchmarks.report import Result, Row, Say, Sizes, Target
from monitor.canary.answering import Book, replay
from monitor.canary.asking import opened
from monitor.canary.traffic import Pin, read
from monitor.url import Url

REQUESTS = 10_000
GROWTH_BYTES_MAX = 20_000_000
PIN = Pin(FIRST_HEAD, f"0xb1{FIRST_HEAD:062x}")
MIX = ("eth_call", "eth_getBalance", "eth_getBlockByNumber", "eth_getTransactionReceipt")
WEIGHTS = (6, 2, 1, 3)
"""Roughly what a dapp's backend asks: calls, receipts, balances, now and then a block."""


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """A tenth, then all of it, then all of it again."""
    whole = max(20, int(REQUESTS * sizes.scale))
    rows, growth = [], 0
    born_at = int(time.time())
    async with answerer(1, born_at=born_at) as (first,), answerer(1, born_at=born_at) as (second,):
        with tempfile.TemporaryDirectory(prefix="headwatch-bench-") as folder:
            for count in (whole // 10, whole, whole):
                say(f"canary: {count} requests to each of two nodes")
                path = _recorded(Path(folder) / "traffic.jsonl", count)
                before = memory_bytes("self") or 0
                seconds, bytes_ = await _replayed(path, (first, second), count)
                growth = (memory_bytes("self") or 0) - before
                figures = {
                    "requests to each": float(count),
                    "a second": count / seconds,
                    "ms each": 1000 * seconds / count,
                    "file, MB": bytes_ / 1e6,
                    "memory more, MB": growth / 1e6,
                }
                rows.append(Row(f"{count} requests", figures))
    targets = (
        Target(
            f"memory that {whole} more requests take",
            f"<= {GROWTH_BYTES_MAX / 1e6:.0f} MB",
            f"{growth / 1e6:.1f} MB",
            growth <= GROWTH_BYTES_MAX,
        ),
    )
    note = "Both nodes answer from memory; a real node is what a replay waits for."
    return [Result("canary: recorded traffic, replayed", tuple(rows), note, targets)]


async def _replayed(path: Path, urls: tuple[str, str], count: int) -> tuple[float, int]:
    """The seconds of a replay, and the size of its file."""
    book = Book()
    async with opened(Url(urls[0]), Url(urls[1]), {}) as pair:
        began = time.perf_counter()
        with path.open(encoding="utf-8") as file:
            await replay(pair, read(file), PIN, book)
        seconds = time.perf_counter() - began
    assert sum(tally.asked for tally in book.tallies.values()) == count
    assert not book.suspects, book.suspects
    return seconds, path.stat().st_size


def _recorded(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for request in _requests(count):
            file.write(json.dumps(request) + "\n")
    return path


def _requests(count: int) -> Iterator[dict[str, object]]:
    draw = random.Random(1)
    for _ in range(count):
        method = draw.choices(MIX, WEIGHTS)[0]
        account = f"0x{draw.getrandbits(160):040x}"
        params: dict[str, list[object]] = {
            "eth_call": [{"to": account, "data": f"0x70a08231{draw.getrandbits(256):064x}"}],
            "eth_getBalance": [account, "latest"],
            "eth_getBlockByNumber": [hex(FIRST_HEAD - draw.randrange(100)), False],
            "eth_getTransactionReceipt": [f"0x{draw.getrandbits(256):064x}"],
        }
        yield {"method": method, "params": params[method]}
