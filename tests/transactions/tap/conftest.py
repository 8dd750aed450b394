"""A tap between a client and a node that both belong to the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from monitor.transactions.tap import Tap, TapLimits, open_session
from monitor.url import Url
from tests.rpc.canned import Clock, nothing_unheard
from tests.transactions.tap import socketnode
from tests.transactions.tap.ledger import BrokenLedgerError, FakeLedger, hash_of
from tests.transactions.tap.socketnode import SocketNode
from tests.transactions.tap.tapped import Tapped
from tests.transactions.tap.upstream import Upstream, listening

NOW = 1_700_000_000.0


@pytest.fixture
async def unheard() -> AsyncIterator[None]:
    """Whatever a test does: no exception is left that nobody fetched."""
    with nothing_unheard():
        yield


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
async def upstream(unheard: None) -> AsyncIterator[Upstream]:
    """The node."""
    async with listening(Upstream()) as upstream:
        yield upstream


@pytest.fixture
async def client(unheard: None) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that takes answers as they come."""
    async with aiohttp.ClientSession(
        auto_decompress=False, timeout=aiohttp.ClientTimeout(total=20)
    ) as session:
        yield session


@pytest.fixture
async def tapped(upstream: Upstream, ledger: FakeLedger) -> AsyncIterator[Tapped]:
    """Makes taps in front of the node, and stops them."""
    async with open_session() as session:
        made = Tapped(ledger=ledger)

        def build(given: dict[str, Any]) -> Tap:
            settings: dict[str, Any] = {
                "upstream": Url(upstream.url),
                "websocket": None,
                "ledger": ledger,
                "session": session,
                "token": None,
                "limits": TapLimits(deadline_seconds=5, stop_seconds=1),
                "clock": Clock(NOW),
                "on_sent": made.sent.append,
                "on_request": lambda kind, took: made.kinds.append(kind),
                "journal_error": BrokenLedgerError,
                "hash_of": hash_of,
            }
            return Tap(**settings | given)

        made.build = build
        yield made
        await made.stop()


@pytest.fixture
async def tap(tapped: Tapped) -> str:
    """The URL of a tap with no settings of its own."""
    return await tapped()


@pytest.fixture
async def node(unheard: None) -> AsyncIterator[SocketNode]:
    """The node's websocket."""
    async with socketnode.listening(SocketNode()) as node:
        yield node


@pytest.fixture
async def socket(
    tapped: Tapped, node: SocketNode, client: aiohttp.ClientSession
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A client's websocket through a tap with no settings of its own."""
    tap = await tapped(websocket=Url(node.url))
    async with client.ws_connect(tap) as socket:
        await node.opened_so_many(1)
        yield socket
