"""One canned chain of contributions, whose logs are asked for: `-m benchmarks.logged BLOCKS`.

It says its port as one line of JSON and ends when its stdin does. Three to seven logs a block, each
a pool's `Contribute`; they are rendered before it answers, so that an answer is a join.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import msgspec

from benchmarks.answerer import Chain, Connection, Request
from monitor.model import Address

ADDRESS = Address("0xd7b9a9b2f665849c4071ad5af77d8c76aa30fb32")
"""The pool that emits all of them."""
TOPIC = bytes.fromhex("1593a9a000265660fd299c9f8c9bbacfeb4d428861542e6c44b68615324225d4")
"""`Contribute(address indexed woid, address indexed worker, bytes32 resultHash)`."""
FIRST = 5_700_000
WORKERS = 10_000
COUNTS = (3, 7, 4, 5, 6, 5, 4, 6, 5)
"""Logs of one block after the other: no range of them is a round number for long."""


def shown(block: int, index: int) -> dict[str, object]:
    """A log as a node shows it (execution-apis, `Log`)."""
    word, worker = f"{block:08x}{index:08x}", (7 * block + index) % WORKERS
    return {
        "address": ADDRESS,
        "topics": [f"0x{TOPIC.hex()}", f"0x{block:064x}", f"0x{worker:064x}"],
        "data": f"0x{word * 4}",
        "blockNumber": hex(block),
        "transactionHash": f"0x{word * 4}",
        "transactionIndex": hex(index),
        "blockHash": f"0xb1{block:062x}",
        "logIndex": hex(index),
        "removed": False,
    }


def count_of(blocks: int) -> int:
    """Logs of so many blocks."""
    whole, rest = divmod(blocks, len(COUNTS))
    return whole * sum(COUNTS) + sum(COUNTS[:rest])


class Contributions(Chain):
    """A chain whose head stands still."""

    def __init__(self, blocks: int) -> None:
        super().__init__(0, int(time.time()))
        self.head = FIRST + blocks - 1
        self._logs = [
            b",".join(
                json.dumps(shown(FIRST + number, index), separators=(",", ":")).encode()
                for index in range(COUNTS[number % len(COUNTS)])
            )
            for number in range(blocks)
        ]

    def result(self, call: Request) -> bytes | None:
        """The JSON of a call's result; any filter but a range of blocks is taken as it is."""
        if call.method != "eth_getLogs":
            return super().result(call)
        wanted = call.params[0]
        first, last = (int(wanted[name], 16) - FIRST for name in ("fromBlock", "toBlock"))
        return b"[" + b",".join(self._logs[max(0, first) : last + 1]) + b"]"


async def serve(blocks: int) -> None:
    """Answer until stdin ends."""
    loop = asyncio.get_running_loop()
    chain = Contributions(blocks)
    decoder = msgspec.json.Decoder(list[Request] | Request)
    server = await loop.create_server(lambda: Connection(chain, decoder), "127.0.0.1", 0)
    sys.stdout.write(json.dumps(server.sockets[0].getsockname()[1]) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
