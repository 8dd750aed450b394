"""The contracts of PoCo, and one small history of theirs that many tests look at."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.poco.blocks import Blocks
from monitor.lab.poco.lab import PocoLab
from tests.lab.poco.history import History, history_of


@pytest.fixture
async def blocks(anvil_path: Path) -> AsyncIterator[Blocks]:
    """An empty chain, opened."""
    chain = Chain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as anvil:
        blocks = Blocks(anvil)
        await blocks.open()
        yield blocks


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def small(anvil_path: Path, poco_path: Path) -> AsyncIterator[History]:
    """8 workers, 4 work orders and every trap; nobody changes it."""
    async with PocoLab(anvil_path, seed=3, artifacts=poco_path) as lab:
        yield await history_of(lab, workers=8, orders=4)
