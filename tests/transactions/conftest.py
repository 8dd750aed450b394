"""Nodes to ask about accounts: canned ones, and a real anvil."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from monitor.endpoint import Endpoint
from monitor.lab.anvil import Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import Canned, Clock, nothing_unheard, serving

Dial = Callable[[str], Endpoint]


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

    def endpoint(url: str) -> Endpoint:
        limits = Limits(deadline_seconds=5.0)
        return Endpoint(Node("n", Url(url), session, clock=Clock(0.0), limits=limits))

    return endpoint


@pytest.fixture
async def anvil(anvil_path: Path) -> AsyncIterator[Anvil]:
    """A real node that mines when it is told to."""
    chain = AnvilChain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as node:
        yield node
