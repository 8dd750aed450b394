"""A whole network on the ground: real chains, fake pools before them, and somebody who mines.

    async with Ground("nethermind", {"a": "geth", "b": "besu"}) as ground:
        ground.isolate_local()
        hash_ = await ground.send(ground.local, payment(0))
        await ground.miner.mine(3)
        assert (await ground.who_has(hash_))["a"] == "absent"

A client dials `seat.url`. Behind it, in this order: `seat.pool.mischief` (what goes wrong on the
way), `seat.pool.rpc.lies` (what it claims), `seat.pool` (its switches, `settings` and peers),
`seat.pool.upstream` (a frozen view), `seat.lab.proxy` (the lab's faults of the chain) and
`seat.lab` (stall, lag, fork). What is in the blocks is up to `ground.miner`.

- `signed.py`, `payments.py`: transactions, read and made.
- `refusals.py`, `texts.py`, `dialects.py`: why and in which words each client refuses, its methods.
- `checks.py`, `replacement.py`, `admission.py`, `contents.py`, `pool.py`: a pool. Pure.
- `upstream.py`, `node.py`: a pool upon a chain, among peers.
- `rpc.py`, `lies.py`, `front.py`, `mischief.py`, `server.py`: that node as its clients see it.
- `miner.py`, this file: the network.
- `situations.py`: for each refusal, what brings it about.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Literal, Self

import aiohttp

from monitor.lab.follower import LabNode
from monitor.lab.network import LOCAL, LabNetwork
from tests.transactions.fakepool import payments
from tests.transactions.fakepool.contents import Place
from tests.transactions.fakepool.miner import Miner
from tests.transactions.fakepool.node import connect, isolate
from tests.transactions.fakepool.refusals import Client
from tests.transactions.fakepool.server import FakePool

REFERENCES: Mapping[str, Client] = MappingProxyType({"a": "geth", "b": "nethermind", "c": "reth"})
RECEIPT_BLOCKS_MAX = 5
CLIENT_SECONDS_MAX = 20.0

Whereabouts = Place | Literal["mined", "absent"]


class RpcRefused(Exception):
    """A node's JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """One node of the network, as its clients are given it."""

    name: str
    operator: str
    pool: FakePool
    lab: LabNode
    """The chain behind it: it stalls, lags and forks by the lab's own switches."""

    @property
    def url(self) -> str:
        return self.pool.url

    @property
    def ws_url(self) -> str:
        return self.pool.ws_url


class Ground:
    """The local node, its references and the miner; an async context manager.

    Everybody is everybody's peer. Blocks come when they are told to (`miner.mine_one()`), or by
    themselves every `interval_seconds`.
    """

    def __init__(
        self,
        local: Client = "geth",
        references: Mapping[str, Client] = REFERENCES,
        *,
        interval_seconds: float | None = None,
        seed: int = 0,
        binary: Path | None = None,
    ) -> None:
        self._clients: dict[str, Client] = {LOCAL: local, **references}
        self._interval_seconds = interval_seconds
        self._seed = seed
        self._stack = AsyncExitStack()
        self.seats: dict[str, Seat] = {}
        self.net = LabNetwork(tuple(references), seed=seed, binary=binary)

    @property
    def local(self) -> Seat:
        return self.seats[LOCAL]

    @property
    def references(self) -> dict[str, Seat]:
        return {name: seat for name, seat in self.seats.items() if name != LOCAL}

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._stack.aclose)
            await self._start()
            undo.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        enter = self._stack.enter_async_context
        await enter(self.net)
        self.net.quiet()
        await self.net.wait_blocks(0)
        self.session = await enter(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=CLIENT_SECONDS_MAX),
            )
        )
        behind = {LOCAL: self.net.local, **self.net.reference}
        for index, (name, client) in enumerate(self._clients.items()):
            node = behind[name]
            pool = await enter(
                FakePool(name, client, node.url, session=self.session, seed=self._seed + index)
            )
            self.seats[name] = Seat(name, f"operator-{name}", pool, node)
        for one, other in combinations(self.seats.values(), 2):
            await connect(one.pool, other.pool)
        builders = [seat.pool for seat in self.references.values()]
        nodes = [(seat.pool, seat.lab) for seat in self.seats.values()]
        self.miner = Miner(self.net, builders, nodes)
        if self._interval_seconds is not None:
            await enter(self._mining(self._interval_seconds))

    async def twin(self, seat: Seat) -> FakePool:
        """Another backend of the same provider: the same chain, a pool of its own, no peers."""
        client = seat.pool.dialect.client
        pool = FakePool(f"{seat.name}-twin", client, seat.lab.url, session=self.session)
        return await self._stack.enter_async_context(pool)

    @contextlib.asynccontextmanager
    async def _mining(self, interval_seconds: float) -> AsyncIterator[None]:
        """Blocks by themselves; their failure is the test's."""
        task = asyncio.create_task(self.miner.run(interval_seconds), name="miner")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # -- what a client does ----------------------------------------------------------------------

    async def ask(self, seat: Seat, method: str, *params: Any) -> Any:
        """The result of one call over HTTP; raises RpcRefused for an error."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        async with self.session.post(seat.url, json=body) as response:
            response.raise_for_status()
            answer = await response.json()
        if "error" in answer:
            raise RpcRefused(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    async def send(self, seat: Seat, raw: str) -> str:
        """`eth_sendRawTransaction`; the hash that is returned."""
        return str(await self.ask(seat, "eth_sendRawTransaction", raw))

    async def nonce(self, sender: int, seat: Seat | None = None, tag: str = "latest") -> int:
        """A dev account's next nonce, as a node says it; by default the first reference."""
        seat = seat or next(iter(self.references.values()))
        found = await self.ask(seat, "eth_getTransactionCount", payments.address(sender), tag)
        return int(found, 16)

    # -- what is true ----------------------------------------------------------------------------

    async def receipt(self, hash_: str, blocks_max: int = RECEIPT_BLOCKS_MAX) -> Any:
        """The receipt on the network's chain, mining until it is there; None after `blocks_max`."""
        for mined in range(blocks_max + 1):
            found = await self.net.leader.anvil.rpc("eth_getTransactionReceipt", hash_)
            if found is not None or mined == blocks_max:
                return found
            await (self.miner.mine_one() if self._is_manual else self.net.wait_blocks(1))
        return None

    async def who_has(self, hash_: str) -> dict[str, Whereabouts]:
        """How each node has a transaction, whatever it says of it."""
        found: dict[str, Whereabouts] = {}
        for name, seat in self.seats.items():
            in_block = await seat.lab.anvil.rpc("eth_getTransactionReceipt", hash_)
            place = seat.pool.pool.place(hash_)
            found[name] = place or ("mined" if in_block else "absent")
        return found

    async def reorganise(self, depth: int) -> None:
        """Take the newest blocks off the chain, and put one more than they were upon the rest.

        Their transactions are back in the pools of those who reinject.
        """
        await self.net.leader.anvil.rpc("anvil_rollback", depth)
        await self.miner.mine(depth + 1)

    def isolate_local(self) -> None:
        """The local node has no peers any more."""
        isolate(self.local.pool)

    @property
    def _is_manual(self) -> bool:
        return self._interval_seconds is None
