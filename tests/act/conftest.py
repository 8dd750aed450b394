"""A server over a snapshot that the test may change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from monitor.act.metrics import Instruments
from monitor.act.server import View, application
from monitor.model import Snapshot
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

    def look(self) -> Snapshot:
        self.looks += 1
        return self.snapshot

    async def reload(self) -> str | None:
        self.reloads += 1
        return self.problem


Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server for a stage; all are closed at the end."""
    clients: list[Client] = []

    async def start(stage: Stage, *, reload: bool = False, token: str | None = None) -> Client:
        view = View(
            snapshot=stage.look,
            alive=lambda: stage.is_alive,
            reload=stage.reload if reload else None,
            token=token,
            instruments=stage.instruments,
        )
        client = TestClient(TestServer(application(view, clock=lambda: stage.now)))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()
