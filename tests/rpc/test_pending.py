"""`newPendingTransactions`: who is announced, and what is done with a node that tells hashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.rpc.pending import PendingSubscription
from monitor.url import Url
from monitor.wire import open_session
from tests.transactions.fakepool import payments
from tests.transactions.fakepool.ground import Ground


@pytest.fixture
async def ground(anvil_path: Path) -> AsyncIterator[Ground]:
    async with Ground(binary=anvil_path) as ground:
        yield ground


async def test_announcement_of_a_transaction_names_its_sender_or_nobody(ground: Ground) -> None:
    """A node that tells hashes only tells of somebody; one that tells objects tells of whom."""
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with open_session() as session:
        subscription = PendingSubscription(
            Url(ground.local.ws_url), session, heard.put_nowait, clock=lambda: 0.0
        )
        task = asyncio.create_task(subscription.run())
        try:
            async with asyncio.timeout(20):
                while subscription.state != "live":
                    await asyncio.sleep(0.01)
                await ground.send(ground.local, payments.payment(0))
                told = await heard.get()
        finally:
            task.cancel()
    assert told in {None, payments.address(0)}
