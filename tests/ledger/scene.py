"""A canned node with contracts: what each call returns is told, how it heeds a block hash too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from monitor.ledger.abi import Getter
from monitor.ledger.calls import Call, Pace
from monitor.model import Address, BlockNumber, BlockStamp, Hash32
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    SECONDS_A_BLOCK,
    Canned,
    Chain,
    Clock,
    Json,
    Refusal,
    serving,
)

HEAD = 100
AT_NUMBER = 90
TWICE = Pace(pauses_seconds=(0.0,))
"""Two attempts, without a pause."""
NO_HEADER = Refusal("header not found", -32000)
REVERTED = Refusal("execution reverted", 3)
UNMARSHAL = Refusal(
    "invalid argument 1: json: cannot unmarshal object into Go value of type string", -32602
)
"""What geth says of an object before 1.9.6."""

Heeding = Literal["heeds", "refuses", "ignores"]
"""Whether a node takes a block hash, says that it does not, or answers of its latest block."""


def stamp_of(chain: Chain, number: int = AT_NUMBER) -> BlockStamp:
    """The block of a canned chain at a height."""
    timestamp = GENESIS_TIMESTAMP + number * SECONDS_A_BLOCK
    return BlockStamp(BlockNumber(number), Hash32(chain.hash(number)), timestamp)


def words(*values: int | str) -> str:
    """Values as the words of an answer; addresses and hashes as they are written."""
    numbers = (int(value, 16) if isinstance(value, str) else value for value in values)
    return "0x" + "".join(f"{number:064x}" for number in numbers)


@dataclass(slots=True)
class Scene:
    """One canned node, and our side of it."""

    canned: Canned
    node: Node
    said: dict[tuple[str, str], Json] = field(default_factory=dict)
    """(contract, calldata) -> what it returns, or a Refusal; anything else has no code."""
    heeding: Heeding = "heeds"
    prune: Refusal | None = None
    """What it says instead of any state."""

    def __post_init__(self) -> None:
        self.canned.answers["eth_call"] = self._call

    @property
    def at(self) -> BlockStamp:
        return stamp_of(self.canned.chain)

    def says(self, to: str, getter: Getter, *arguments: Address | int, returns: Json) -> None:
        """Let a contract answer a getter."""
        self.said[to, "0x" + getter.calldata(*arguments).hex()] = returns

    def _call(self, params: list[Json]) -> Json:
        call, block = params
        if isinstance(block, dict) and self.heeding == "refuses":
            return UNMARSHAL
        if isinstance(block, dict) and self.heeding == "heeds":
            known = {self.canned.chain.hash(n) for n in range(self.canned.chain.head + 1)}
            if block["blockHash"] not in known:
                return NO_HEADER
        if isinstance(block, str) and int(block, 16) > self.canned.chain.head:
            return NO_HEADER
        if self.prune is not None:
            return self.prune
        said = self.said.get((call["to"], call["data"]), "0x")
        return said() if callable(said) else said


@asynccontextmanager
async def scene(
    chain: Chain | None = None, *, label: str = "local", deadline_seconds: float = 5.0
) -> AsyncIterator[Scene]:
    """A scene that listens, until the end of the block."""
    async with serving(Canned(chain or Chain(HEAD))) as (canned,), open_session() as session:
        limits = Limits(deadline_seconds=deadline_seconds)
        node = Node(label, Url(canned.url), session, clock=Clock(0.0), limits=limits)
        yield Scene(canned, node)
        await node.close()


def calls_of(count: int, to: str = "0x" + "aa" * 20) -> list[Call]:
    """So many different calls of one contract."""
    return [Call(Address(to), number.to_bytes(4)) for number in range(count)]
