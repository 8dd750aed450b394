"""Logs as a node writes them, and the node that answers `eth_getLogs` with them as providers do."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from monitor.ledger.logs import Log
from monitor.model import Address
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import Canned, Chain, Clock, Json, Refusal, serving

HUB, MARKET = Address("0x" + "a1" * 20), Address("0x" + "b2" * 20)
TOPICS = tuple(bytes([number]) * 32 for number in range(1, 4))
KEY = "abcdef0123456789"
"""In the path of the URL; nobody may see it."""


def block_hash(block: int) -> bytes:
    """The hash of a block."""
    return hashlib.sha256(f"block {block}".encode()).digest()


def log_of(
    block: int, index: int, address: Address = HUB, *topics: bytes, data: bytes = b""
) -> Log:
    """A log, with a transaction of its own."""
    transaction = hashlib.sha256(f"{block}/{index}".encode()).digest()
    raw = bytes.fromhex(address[2:])
    return Log(block, index, transaction, raw, topics or TOPICS[:1], data)


def logs_in(blocks: Iterable[int], a_block: int = 1, address: Address = HUB) -> list[Log]:
    """So many logs of a contract in each of these blocks."""
    return [log_of(block, index, address) for block in blocks for index in range(a_block)]


def wire(log: Log) -> Json:
    """A log object (execution-apis, `Log`), with the fields that nobody reads as well."""
    return {
        "address": "0x" + log.address.hex(),
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "blockNumber": hex(log.block),
        "blockHash": "0x" + block_hash(log.block).hex(),
        "blockTimestamp": "0x65",
        "transactionHash": "0x" + log.transaction.hex(),
        "transactionIndex": "0x0",
        "logIndex": hex(log.log_index),
        "removed": False,
    }


Twist = Callable[[list[Json]], Json]
"""What is done to the log objects of an answer."""
Refuse = Callable[[int, int, int], Refusal | None]
"""The refusal of a range, by its first and last block and how many logs it has; None: none."""


@dataclass(slots=True)
class Provider:
    """A node that has logs, and our side of it."""

    canned: Canned
    node: Node
    logs: list[Log] = field(default_factory=list)
    refuse: list[Refuse] = field(default_factory=list)
    """Asked in turn; the first refusal is the answer."""
    twists: list[Twist] = field(default_factory=list)
    """Of the next answers, one each."""
    asked: list[tuple[int, int]] = field(default_factory=list)
    """The ranges that were asked for."""
    filters: list[Json] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.canned.answers["eth_getLogs"] = self._logs

    async def sleep(self, seconds: float) -> None:
        """What the fetcher takes for sleep."""
        self.pauses.append(seconds)

    def _logs(self, params: list[Json]) -> Json:
        (asked,) = params
        first, last = int(asked["fromBlock"], 16), int(asked["toBlock"], 16)
        self.asked.append((first, last))
        self.filters.append(asked)
        found = [log for log in self.logs if first <= log.block <= last and _is_asked(log, asked)]
        for refuse in self.refuse:
            refusal = refuse(first, last, len(found))
            if refusal is not None:
                return refusal
        objects = [wire(log) for log in found]
        return self.twists.pop(0)(objects) if self.twists else objects


def _is_asked(log: Log, asked: Json) -> bool:
    if "0x" + log.address.hex() not in asked["address"]:
        return False
    for position, allowed in enumerate(asked.get("topics", [])):
        if allowed is None:
            continue
        if position >= len(log.topics) or "0x" + log.topics[position].hex() not in allowed:
            return False
    return True


def at_most(blocks: int, words: str = "block range too large", code: int = -32000) -> Refuse:
    """Refuses more than so many blocks at once."""
    refusal = Refusal(words, code)
    return lambda first, last, _: refusal if last - first + 1 > blocks else None


def at_most_logs(logs: int, words: str = "query returned more than 10000 results") -> Refuse:
    """Refuses ranges of more logs than this."""
    refusal = Refusal(words, -32005)
    return lambda _, __, count: refusal if count > logs else None


@asynccontextmanager
async def provider(
    logs: list[Log], *refuse: Refuse, limits: Limits | None = None
) -> AsyncIterator[Provider]:
    """A provider that listens, until the end of the block."""
    async with serving(Canned(Chain(10**6))) as (canned,), open_session() as session:
        url = Url(f"{canned.url}/v3/{KEY}")
        node = Node("local", url, session, clock=Clock(0.0), limits=limits or Limits())
        yield Provider(canned, node, logs, list(refuse))
        await node.close()
