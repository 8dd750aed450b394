"""Real chains for the fake pools: skipped where there is no anvil, except in CI."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from monitor.lab.anvil import Anvil, Chain
from tests.transactions.fakepool.checks import Settings
from tests.transactions.fakepool.ground import Ground
from tests.transactions.fakepool.payments import CHAIN_ID
from tests.transactions.fakepool.refusals import Client
from tests.transactions.fakepool.server import FakePool

MINED_AT_START = 8


class Open(Protocol):
    """The `open_pool` fixture."""

    def __call__(
        self, client: Client = "geth", settings: Settings | None = None
    ) -> Awaitable[FakePool]:
        """A fake pool before the chain, closed with the test."""


@pytest.fixture
async def anvil(anvil_path: Path) -> AsyncIterator[Anvil]:
    """A chain of eight blocks, which makes more only when told."""
    chain = Chain(chain_id=CHAIN_ID, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as node:
        await node.rpc("anvil_mine", hex(MINED_AT_START))
        yield node


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client's connections, with a deadline on everything."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture
async def open_pool(anvil: Anvil, session: aiohttp.ClientSession) -> AsyncIterator[Open]:
    """Opens fake pools of any client before that chain."""
    async with AsyncExitStack() as stack:

        async def opened(client: Client = "geth", settings: Settings | None = None) -> FakePool:
            pool = FakePool(client, client, anvil.url, session=session, settings=settings)
            return await stack.enter_async_context(pool)

        yield opened


@pytest.fixture
async def ground(anvil_path: Path) -> AsyncIterator[Ground]:
    """A geth of ours, three references of three clients, and a miner that waits to be told."""
    async with Ground(binary=anvil_path) as ground:
        yield ground
