"""Nodes to probe: canned ones, and a real one behind a fault proxy."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from monitor.lab.anvil import Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.lab.proxy import FaultProxy
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import Canned, Clock, nothing_unheard, serving

MINED_AT_START = 20
Dial = Callable[[str], Node]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """The session of the process; whatever a test does, nothing fails unheard."""
    with nothing_unheard():
        async with open_session() as session:
            yield session


@pytest.fixture
async def server() -> AsyncIterator[Canned]:
    """A canned node."""
    async with serving(Canned()) as (server,):
        yield server


@pytest.fixture
def dial(session: aiohttp.ClientSession) -> Dial:
    """Our side of any address."""

    def node(url: str) -> Node:
        return Node("n", Url(url), session, clock=Clock(0.0), limits=Limits(deadline_seconds=5.0))

    return node


@pytest.fixture
def node(server: Canned, dial: Dial) -> Node:
    """Our side of the canned node."""
    return dial(server.url)


@pytest.fixture
async def proxy(anvil_path: Path) -> AsyncIterator[FaultProxy]:
    """A proxy in front of a real node with 20 blocks."""
    chain = AnvilChain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as anvil:
        await anvil.rpc("anvil_mine", hex(MINED_AT_START))
        proxy = FaultProxy({"node": anvil.url}, seed=7)
        await proxy.start()
        yield proxy
        await proxy.stop()


@pytest.fixture
def real(proxy: FaultProxy, dial: Dial) -> Node:
    """Our side of that proxy."""
    return dial(proxy.url)
