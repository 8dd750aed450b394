"""A server over a snapshot that the test may change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from monitor.act.instruments import Instruments
from monitor.act.live import Live
from monitor.act.server import application
from monitor.act.view import Gates, View
from monitor.history import History
from monitor.maintenance import Window, windows_of
from monitor.model import NodeFacts, Snapshot
from monitor.transactions.journal import Reader
from monitor.transactions.orders import Orders
from tests.act import snapshots

Client = TestClient[Request, Application]


@dataclass
class Stage:
    """What the server looks at, and how often it did."""

    snapshot: Snapshot = field(default_factory=snapshots.healthy)
    is_alive: bool = True
    looks: int = 0
    now: float = 0.0
    """Of the server's clock; pages that were drawn are kept until it moves on."""
    instruments: Instruments = field(default_factory=Instruments)
    problem: str | None = None
    reloads: int = 0
    history: History | None = None
    windows: tuple[Window, ...] = ()
    live: Live = field(default_factory=Live)
    orders: Orders | None = None
    journal: Reader | None = None
    ledger_report: Callable[[str], Path] | None = None
    gates: Gates | None = None
    has_eip2159: bool = False

    def look(self) -> Snapshot:
        self.looks += 1
        return self.snapshot

    def exchange(self, facts: NodeFacts) -> tuple[str, str] | None:
        """As the sidecar, which scrubs it when it is asked for."""
        return facts.last_exchange

    async def reload(self) -> str | None:
        self.reloads += 1
        return self.problem

    async def reread_windows(self) -> None:
        """As the sidecar does when a window was added or ended."""
        assert self.history is not None
        self.windows = windows_of((), await self.history.windows(), self.snapshot.at)


def view_of(stage: Stage, *, reload: bool = False, token: str | None = None) -> View:
    """A view of the stage, as a server gets it."""
    return View(
        snapshot=stage.look,
        alive=lambda: stage.is_alive,
        reload=stage.reload if reload else None,
        token=token,
        instruments=stage.instruments,
        history=stage.history,
        windows=lambda: stage.windows,
        windows_changed=stage.reread_windows,
        live=stage.live,
        exchange=stage.exchange,
        page_url=lambda: "http://127.0.0.1:9845",
        orders=stage.orders,
        journal=stage.journal,
        ledger_report=stage.ledger_report,
        gates=stage.gates,
        has_eip2159=stage.has_eip2159,
    )


Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server for a stage; all are closed at the end."""
    clients: list[Client] = []

    async def start(stage: Stage, *, reload: bool = False, token: str | None = None) -> Client:
        view = view_of(stage, reload=reload, token=token)
        client = TestClient(TestServer(application(view, clock=lambda: stage.now)))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()
