"""One contestant in a process of its own, so that nobody pays for another's imports or garbage.

`python -m benchmarks.worker CONTESTANT`, with the URLs as the first line of JSON on stdin; every
further line is a number of node-polls to make, answered by what they cost. Ends when stdin does.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

import msgspec

from benchmarks.children import memory_bytes, raise_open_files
from benchmarks.contestants import CONTESTANTS, Turn
from monitor.rpc.node import Node
from monitor.url import Url
from monitor.wire import open_session

TURNS_A_BLOCK = 2
"""The head moves after every second turn: polls come twice a block."""
ANYTHING: msgspec.json.Decoder[object] = msgspec.json.Decoder()


async def measure(turn: Turn, chain: Node, polls_wanted: int) -> dict[str, float]:
    """Make at least so many node-polls; the time in which the head is moved does not count."""
    polls = turns = 0
    cpu_seconds = wall_seconds = 0.0
    while polls < polls_wanted:
        began, cpu_began = time.perf_counter(), time.process_time()
        for _ in range(TURNS_A_BLOCK):
            polls += await turn()
        cpu_seconds += time.process_time() - cpu_began
        wall_seconds += time.perf_counter() - began
        turns += TURNS_A_BLOCK
        await chain.ask("anvil_mine", (), ANYTHING)
    return {
        "polls": polls,
        "cpu_seconds": cpu_seconds,
        "wall_seconds": wall_seconds,
        "memory_bytes": memory_bytes("self") or 0,
    }


async def serve(name: str) -> None:
    """Measure as often as asked."""
    logging.getLogger("headwatch").setLevel(logging.ERROR)
    raise_open_files()
    loop = asyncio.get_running_loop()
    urls: list[str] = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    async with open_session() as session, CONTESTANTS[name](urls) as turn:
        chain = Node("chain", Url(urls[0]), session, clock=loop.time)
        _say({"ready": True})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            _say(await measure(turn, chain, int(line)))
        await chain.close()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
