"""Real nodes for the tests of the lab: skipped where there is no anvil, except in CI."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.network import LabNetwork
from monitor.lab.proxy import FaultProxy

Ask = Callable[..., Awaitable[Any]]
MINED_AT_START = 20
INTERVAL_SECONDS = 0.1


@pytest.fixture
def chain() -> Chain:
    """A chain that began an hour ago, so that blocks have room for their timestamps."""
    return Chain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client's connections, with a deadline on everything."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture
def ask(session: aiohttp.ClientSession) -> Ask:
    """Post one call, or a list of calls as a batch, and return the parsed answer."""

    async def post(url: str, method: str | list[tuple[Any, ...]], *params: Any) -> Any:
        calls = [(method, *params)] if isinstance(method, str) else method
        messages = [
            {"jsonrpc": "2.0", "id": index, "method": call[0], "params": list(call[1:])}
            for index, call in enumerate(calls, 1)
        ]
        body = messages[0] if isinstance(method, str) else messages
        async with session.post(url, json=body) as response:
            return await response.json()

    return post


@pytest.fixture
async def node(anvil_path: Path, chain: Chain) -> AsyncIterator[Anvil]:
    """A node with 20 blocks, which makes more only when told."""
    async with Anvil(chain, binary=anvil_path) as anvil:
        await anvil.rpc("anvil_mine", hex(MINED_AT_START))
        yield anvil


@pytest.fixture
async def proxy(node: Anvil) -> AsyncIterator[FaultProxy]:
    """A proxy in front of that node."""
    proxy = FaultProxy({"node": node.url}, seed=7)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def net(anvil_path: Path) -> AsyncIterator[LabNetwork]:
    """A network of four nodes with a block every 0.1 s."""
    network = LabNetwork(interval_seconds=INTERVAL_SECONDS, seed=5, binary=anvil_path)
    async with network:
        yield network
