"""What follows from the state: it is written down, told and shown, and can undo nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from monitor.config import Alerting, Settings
from monitor.config.settings import Channel, MaintenanceWindow
from monitor.herald import FLUSH_SECONDS, Herald
from monitor.model import Action, Level
from monitor.sidecar import Sidecar
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    SECONDS_A_BLOCK,
    Canned,
    Chain,
    Clock,
    network_of,
    node_of,
    serving,
    settings_of,
)

START = 100
POLL_SECONDS = 6.0
WAIT_SECONDS_MAX = 20.0
FOREVER_SECONDS = 7 * 86_400


class World:
    """Three references and a node, in time that passes when it is told to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.chain = Chain(START)
        self.clock = Clock(GENESIS_TIMESTAMP + START * SECONDS_A_BLOCK + 1.0)
        self.references = {name: Canned(self.chain) for name in "abc"}
        self.node = Canned(self.chain)

    def settings(self, **more: object) -> Settings:
        made = settings_of({"dev": network_of(self.references)}, node_of("local", self.node))
        return made.model_copy(update=more)

    @asynccontextmanager
    async def watching(self, settings: Settings) -> AsyncIterator[tuple[Sidecar, Herald]]:
        """From start to end, as `run` does it."""
        async with Sidecar(settings, clock=self.clock) as sidecar:
            herald = Herald(sidecar, self.directory)
            await herald.open()
            await herald.begin("http://127.0.0.1:9845")
            try:
                yield sidecar, herald
            finally:
                await herald.close()

    async def rounds(self, sidecar: Sidecar, herald: Herald, count: int) -> None:
        """So many polls, with a block between every two of them and a beat after each."""
        for _ in range(count):
            self.clock.now += POLL_SECONDS
            self.chain.head = int(self.clock.now - GENESIS_TIMESTAMP) // SECONDS_A_BLOCK
            await sidecar.round(sidecar.watches["dev"])
            herald.rounded()
            herald.beat()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    async with serving(*world.references.values(), world.node):
        yield world


async def test_edges_and_bars_are_there_after_a_restart(world: World) -> None:
    """What was found is remembered: the incident with its end, and the time it lasted."""
    async with world.watching(world.settings()) as (sidecar, herald):
        await world.rounds(sidecar, herald, 3)
        await world.node.port.unplug()
        await world.rounds(sidecar, herald, 4)
        await world.node.port.plug()
        await world.rounds(sidecar, herald, 4)
    async with world.watching(world.settings()) as (_, herald):
        found = await herald.history.incidents(subject="node:local", limit=10)
        (incident,) = (one for one in found if one.check == "head")
        assert incident.worst == Level.UNKNOWN
        assert [step.kind for step in incident.steps] == ["opened", "closed"]
        (bar,) = (await herald.history.bars(["node:local"], span_seconds=3600, count=1))[
            "node:local"
        ]
        assert bar is not None
        assert bar.unknown_seconds > 0
        assert bar.ok_seconds > 0


async def test_calls_of_the_day_are_counted_on_after_a_restart(world: World) -> None:
    """A budget that began anew with every restart would be none."""
    async with world.watching(world.settings()) as (sidecar, herald):
        await world.rounds(sidecar, herald, 3)
        spent = {label: budget.spent for label, budget in sidecar.budgets().items()}
        assert all(spent.values())
    async with world.watching(world.settings()) as (sidecar, _):
        resumed = {label: budget.spent for label, budget in sidecar.budgets().items()}
        assert resumed == spent


async def test_history_is_written_while_it_runs(world: World) -> None:
    """What a kill takes is a few seconds, and the size on disk is a metric."""
    async with world.watching(world.settings()) as (sidecar, herald):
        await world.rounds(sidecar, herald, 1 + int(FLUSH_SECONDS / POLL_SECONDS) + 1)
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while sidecar.instruments.history_size_bytes.value is None:
                await asyncio.sleep(0.01)
        assert (world.directory / "history.sqlite").is_file()
        assert sidecar.instruments.history_size_bytes.value > 0


class Receiver:
    """An apprise `json://` channel, and what it got."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[str] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        message = await request.json()
        self.got.put_nowait(f"{message['title']}\n{message['message']}")
        return web.Response()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Alerting]:
        app = web.Application()
        app.router.add_post("/", self.take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        channel = Channel.model_validate({"name": "people", "url": f"json://127.0.0.1:{port}/"})
        try:
            yield Alerting(channels=(channel,), group_seconds=0.0)
        finally:
            await runner.cleanup()

    async def next(self) -> str:
        return await asyncio.wait_for(self.got.get(), WAIT_SECONDS_MAX)


async def test_people_are_told_of_an_edge_and_of_its_end(world: World) -> None:
    """From a round to a message, through the real sender."""
    receiver = Receiver()
    async with (
        receiver.listening() as alerting,
        world.watching(world.settings(alerting=alerting)) as (sidecar, herald),
    ):
        await world.rounds(sidecar, herald, 3)
        await world.node.port.unplug()
        await world.rounds(sidecar, herald, 4)
        assert "node local" in await receiver.next()
        await world.node.port.plug()
        await world.rounds(sidecar, herald, 5)
        assert "node local" in await receiver.next()
        assert receiver.got.empty()


async def test_window_silences_people_and_is_known_at_once(world: World) -> None:
    """A one-off that was added is in force before the next round; its end is as well."""
    receiver = Receiver()
    async with (
        receiver.listening() as alerting,
        world.watching(world.settings(alerting=alerting)) as (sidecar, herald),
    ):
        await world.rounds(sidecar, herald, 3)
        now = world.clock.now
        window = await herald.history.add_window(
            starts_at=now, ends_at=now + 3600, networks=(), nodes=("local",), reason="u", actor="me"
        )
        await herald.reread_windows()
        assert sidecar.snapshot().silenced == {"node:local"}
        await world.node.port.unplug()
        await world.rounds(sidecar, herald, 4)
        assert sidecar.verdict.word == "inconclusive"
        assert receiver.got.empty()
        await herald.history.flush()
        found = await herald.history.incidents(subject="node:local", limit=10)
        assert found
        assert all(incident.silenced for incident in found)
        await herald.history.end_window(window.id, actor="me")
        await herald.reread_windows()
        assert sidecar.snapshot().silenced == frozenset()
        await world.rounds(sidecar, herald, 2)
        assert "node local" in await receiver.next()


async def test_second_sidecar_on_one_directory_leaves_its_history_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Two that wrote one history would each close the other's incidents: said, and measured on."""
    async with world.watching(world.settings()) as (_, first):
        async with world.watching(world.settings()) as (sidecar, second):
            assert "another headwatch uses" in caplog.text
            await world.rounds(sidecar, second, 2)
            now = world.clock.now
            await second.history.add_window(
                starts_at=now, ends_at=now + 60, networks=(), nodes=(), reason="two", actor="me"
            )
        assert await first.history.windows() == ()
    async with world.watching(world.settings()):
        assert caplog.text.count("another headwatch uses") == 1


async def test_one_off_outlives_a_restart(world: World) -> None:
    """Whoever restarts the sidecar in a window is not woken by that."""
    async with world.watching(world.settings()) as (_, herald):
        now = world.clock.now
        await herald.history.add_window(
            starts_at=now, ends_at=now + 3600, networks=(), nodes=(), reason="move", actor="me"
        )
    async with world.watching(world.settings()) as (sidecar, _):
        assert [window.reason for window in sidecar.windows] == ["move"]


async def test_configured_windows_follow_the_calendar_and_the_configuration(world: World) -> None:
    """What is configured needs no command; what is taken out of the file is gone."""
    always = MaintenanceWindow.model_validate(
        {
            "name": "always",
            "cron": "0 * * * *",
            "duration_seconds": FOREVER_SECONDS,
            "networks": ("dev",),
            "reason": "a lab",
        }
    )
    async with world.watching(world.settings(maintenance=(always,))) as (sidecar, herald):
        assert [window.id for window in sidecar.windows][:1] == ["always"]
        assert "reference:dev/quorum" in sidecar.snapshot().silenced
        sidecar.apply(world.settings())
        herald.apply(world.settings())
        assert sidecar.windows == ()


async def test_mistake_in_what_follows_is_counted_and_undoes_nothing(world: World) -> None:
    """Whoever is told may break: the state stands, the others are told, rounds go on."""
    told: list[Action] = []

    def break_down(actions: Sequence[Action]) -> None:
        message = f"a mistake of ours, with {len(actions)} edges"
        raise RuntimeError(message)

    async with world.watching(world.settings()) as (sidecar, herald):
        sidecar.listeners.insert(0, break_down)
        sidecar.listeners.append(told.extend)
        await world.rounds(sidecar, herald, 3)
        await world.node.port.unplug()
        await world.rounds(sidecar, herald, 3)
        assert sidecar.verdict.word == "inconclusive"
        assert [action.kind for action in told if action.key[0] == "head"] == ["opened"]
        counter = sidecar.instruments.internal_errors.labels(place="edges")
        assert sum(s.value for m in counter.collect() for s in m.samples) == 1
