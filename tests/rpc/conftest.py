"""One session, real and canned nodes, and an eye on what fails unheard."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from monitor.lab.anvil import Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.lab.proxy import FaultProxy
from monitor.wire import open_session
from tests.rpc.canned import Canned, nothing_unheard, serving

MINED_AT_START = 20


@pytest.fixture(autouse=True)
async def unheard() -> AsyncIterator[None]:
    """Whatever a test does: no exception is left that nobody fetched."""
    with nothing_unheard():
        yield


@pytest.fixture
async def session(unheard: None) -> AsyncIterator[aiohttp.ClientSession]:
    """The session of the process, as the sidecar opens it."""
    async with open_session() as session:
        yield session


@pytest.fixture
async def server() -> AsyncIterator[Canned]:
    """A canned node."""
    async with serving(Canned()) as (server,):
        yield server


@pytest.fixture
async def anvil(anvil_path: Path) -> AsyncIterator[Anvil]:
    """A real node with 20 blocks, which makes more when told."""
    chain = AnvilChain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as anvil:
        await anvil.rpc("anvil_mine", hex(MINED_AT_START))
        yield anvil


@pytest.fixture
async def proxy(anvil: Anvil) -> AsyncIterator[FaultProxy]:
    """A fault proxy in front of the real node."""
    proxy = FaultProxy({"node": anvil.url}, seed=7)
    await proxy.start()
    yield proxy
    await proxy.stop()
