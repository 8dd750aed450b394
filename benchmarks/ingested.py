"""One way to take logs in, in a process of its own.

`python -m benchmarks.ingested NAME URL BLOCKS`, where NAME is `headwatch`, `cryo`, `web3`, or
`nothing`, which fetches the same and throws it away. It is told to begin by a line on stdin, so
that imports are not in the figures, and answers with one.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks.logged import ADDRESS, FIRST, TOPIC
from benchmarks.tracked import megabytes
from monitor.garbage import seldom

SPAN = 2000
"""Blocks asked for at once: about 10,000 logs. Ours begins with as many and may change it."""
ABI: list[Any] = [
    {
        "type": "event",
        "name": "Contribute",
        "anonymous": False,
        "inputs": [
            {"name": "woid", "type": "address", "indexed": True},
            {"name": "worker", "type": "address", "indexed": True},
            {"name": "resultHash", "type": "bytes32", "indexed": False},
        ],
    }
]


async def headwatch(url: str, blocks: int, folder: Path) -> int:
    """Asked for, checked, sorted, and written as Parquet, a file a page."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from monitor.ledger.fetching import Fetcher
    from monitor.rpc.node import Node
    from monitor.url import Url
    from monitor.wire import open_session

    count = 0
    async with open_session() as session:
        node = Node("chain", Url(url), session, clock=time.monotonic)
        last = FIRST + blocks - 1
        async for page in Fetcher(node).pages([ADDRESS], [TOPIC], FIRST, last):
            count += page.logs.num_rows
            path = folder / f"{page.first}.parquet"
            pq.write_table(pa.Table.from_batches([page.logs]), path, compression="lz4")
        await node.close()
    return count


async def cryo(url: str, blocks: int, folder: Path) -> int:
    """The same by cryo, with all its threads: Parquet of lz4 is what it writes."""
    import pyarrow.parquet as pq
    from cryo import async_freeze

    await async_freeze(
        "logs",
        start_block=FIRST,
        end_block=FIRST + blocks,
        rpc=url,
        contract=[ADDRESS],
        topic0=[f"0x{TOPIC.hex()}"],
        output_dir=str(folder),
        inner_request_size=SPAN,
        chunk_size=SPAN,
        network_name="bench",
        verbose=False,
    )
    return sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))


async def web3(url: str, blocks: int, _: Path) -> int:
    """The same by web3.py: AttributeDicts, and every log decoded; nothing is written."""
    from web3 import AsyncHTTPProvider, AsyncWeb3

    chain = AsyncWeb3(AsyncHTTPProvider(url))
    address = chain.to_checksum_address(ADDRESS)
    decode = chain.eth.contract(address=address, abi=ABI).events.Contribute().process_log
    count = 0
    for first in range(FIRST, FIRST + blocks, SPAN):
        last = min(first + SPAN, FIRST + blocks) - 1
        topics = [f"0x{TOPIC.hex()}"]
        wanted: Any = {"address": address, "fromBlock": first, "toBlock": last, "topics": topics}
        for log in await chain.eth.get_logs(wanted):
            assert decode(log)["args"]["worker"]
            count += 1
    await chain.provider.disconnect()
    return count


async def nothing(url: str, blocks: int, _: Path) -> int:
    """The bytes of the same answers, unread: what fetching alone takes."""
    import aiohttp

    count = 0
    async with aiohttp.ClientSession() as session:
        for first in range(FIRST, FIRST + blocks, SPAN):
            last = min(first + SPAN, FIRST + blocks) - 1
            wanted = {"address": [ADDRESS], "fromBlock": hex(first), "toBlock": hex(last)}
            call = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
            async with session.post(url, json=call) as response:
                count += (await response.read()).count(b'"logIndex"')
    return count


CONTESTANTS: dict[str, Callable[[str, int, Path], Coroutine[Any, Any, int]]] = {
    one.__name__: one for one in (headwatch, cryo, web3, nothing)
}


def main(name: str, url: str, blocks: int) -> None:
    """Take them in, and say what it cost."""
    take = CONTESTANTS[name]
    with tempfile.TemporaryDirectory(prefix="headwatch-bench-") as folder:
        # Once for what is imported and compiled on the way.
        warm = Path(folder) / "warm"
        warm.mkdir()
        asyncio.run(take(url, 1, warm))
        _say({"ready": True})
        sys.stdin.readline()
        began, wall = _cpu_seconds(), time.perf_counter()
        with seldom() if name == "headwatch" else nullcontext():
            # As a reconciliation does.
            count = asyncio.run(take(url, blocks, Path(folder)))
        _say(
            {
                "logs": count,
                "cpu_seconds": _cpu_seconds() - began,
                "wall_seconds": time.perf_counter() - wall,
                "megabytes": megabytes(),
            }
        )


def _cpu_seconds() -> float:
    """Of all threads."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
