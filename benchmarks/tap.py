"""What a request through the tap takes longer than one to the node itself.

One client with one connection to each, which asks the node, a relay of bare asyncio that copies
bytes and reads none, and the taps, some requests each, in turn; so that what the machine does
besides falls on all alike. A commit is what the disk takes to write and sync a few bytes, measured
in the same turns.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import tempfile
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from benchmarks.children import answerer, child, tell
from benchmarks.report import Figure, Result, Row, Say, Sizes, Target, median_ratio, p99

TURNS = 40
REQUESTS_A_TURN = 50
COMMITS_A_TURN = 5
PATH_MS_MAX = 0.3
ANSWER_BYTES_MAX = 65_536
NODE, RELAY, COMMIT = "the node itself", "a relay that reads nothing", "a commit of the disk"
SYNCED = "tap, a send, a synced file"
CALL = (
    b'{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":'
    b'"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","data":"0x70a08231%s"},"latest"]}' % (b"0" * 64)
)
SEND = b'{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02f86b%s"]}' % (
    b"5a" * 108
)


class Connection:
    """A connection that stays open, as a client with a pool has it; it blocks."""

    def __init__(self, port: int, body: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = (
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: benchmark\r\n"
            b"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )

    def ask_ms(self, count: int) -> list[float]:
        """What as many requests took, one after the other."""
        took = []
        for _ in range(count):
            began = time.perf_counter()
            self._socket.sendall(self._request)
            answer = b""
            while not answer.endswith(b"}"):
                answer += self._socket.recv(ANSWER_BYTES_MAX)
            took.append(1000 * (time.perf_counter() - began))
            assert b'"result"' in answer, answer
        return took

    def close(self) -> None:
        self._socket.close()


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """All of them, in turn."""
    turns = max(1, int(sizes.repeats * TURNS * sizes.scale / 5))
    with tempfile.TemporaryDirectory(prefix="headwatch-bench-") as folder:
        async with answerer(1) as (url,), child("-m", "benchmarks.tapped", folder) as process:
            relay, nothing, synced = await tell(process, url)
            node = urlsplit(url).port or 0
            asked = {
                NODE: (node, CALL),
                RELAY: (relay, CALL),
                "tap, a call": (nothing, CALL),
                "tap, a send, no journal": (nothing, SEND),
                SYNCED: (synced, SEND),
            }
            connections = {name: Connection(*pair) for name, pair in asked.items()}
            took: dict[str, list[list[float]]] = {name: [] for name in (*asked, COMMIT)}
            for turn in range(turns + 1):
                say(f"tap: {turn} of {turns}")
                for name, connection in connections.items():
                    count = COMMITS_A_TURN if name == SYNCED else REQUESTS_A_TURN
                    took[name].append(await asyncio.to_thread(connection.ask_ms, count))
                took[COMMIT].append(await tell(process, COMMITS_A_TURN))
            for connection in connections.values():
                connection.close()
    # The first turn warms up.
    return [_table({name: many[1:] for name, many in took.items()})]


def _table(took: Mapping[str, list[list[float]]]) -> Result:
    medians = {name: [statistics.median(turn) for turn in turns] for name, turns in took.items()}
    over = {
        name: statistics.median(a - b for a, b in zip(turns, medians[NODE], strict=True))
        for name, turns in medians.items()
    }
    rows = []
    for name, turns in medians.items():
        whole = [one for turn in took[name] for one in turn]
        figures: dict[str, Figure] = {"median ms": statistics.median(whole), "p99 ms": p99(whole)}
        if name not in {NODE, COMMIT}:
            figures["over the node, ms"] = over[name]
            figures["× the node"] = median_ratio(turns, medians[NODE])
            figures["× the relay, over the node"] = over[name] / over[RELAY]
        rows.append(Row(name, figures))
    call = over["tap, a call"]
    # What the disk and the thread take is told apart by the tap whose journal does nothing.
    pairs = zip(medians[SYNCED], medians["tap, a send, no journal"], strict=True)
    commits = median_ratio([synced - nothing for synced, nothing in pairs], medians[COMMIT])
    targets = (
        Target(
            "a call through the tap, over the node itself",
            f"<= {PATH_MS_MAX} ms",
            f"{call:.2f} ms",
            call <= PATH_MS_MAX,
        ),
        Target(
            "what the journal adds to a send", "<= 1 commit", f"{commits:.2f} commits", commits <= 1
        ),
    )
    note = "The relay is the least that any process of Python between two others takes."
    return Result("tap: a request through it", tuple(rows), note, targets)
