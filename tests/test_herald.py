"""What follows from the state: it is written down, told and shown, and can undo nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import web

from monitor.config import Alerting, History, Settings
from monitor.config.settings import Channel, MaintenanceWindow
from monitor.herald import FLUSH_SECONDS, Herald
from monitor.history import HistoryError
from monitor.judge.verdict import NODE_CHECKS, STALE_SECONDS
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
DAY_SECONDS = 86_400
BEYOND_CALENDARS_SECONDS = 1e12
"""The year 33658."""
FOREVER_SECONDS = 7 * DAY_SECONDS


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

    def mistakes(self, sidecar: Sidecar) -> dict[str, float]:
        """Mistakes of ours that were counted, by their places."""
        return {
            sample.labels["place"]: sample.value
            for metric in sidecar.instruments.internal_errors.collect()
            for sample in metric.samples
            if sample.name.endswith("_total") and sample.value
        }

    def written_spent(self) -> dict[str, int]:
        """The calls of the first day, as they are in the file."""
        with closing(sqlite3.connect(self.directory / "history.sqlite")) as connection:
            rows = connection.execute(
                "SELECT reference, calls FROM spent WHERE day = (SELECT min(day) FROM spent)"
            )
            return dict(rows.fetchall())

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


def lost_of(sidecar: Sidecar) -> float:
    """What the metric says."""
    (family,) = sidecar.instruments.history_lost.collect()
    return family.samples[0].value


async def test_history_that_was_lost_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap in the past is no secret: what too much was waiting for is a metric."""
    monkeypatch.setattr("monitor.history.history.EDGES_MAX", 2)
    async with world.watching(world.settings()) as (sidecar, herald):
        await world.rounds(sidecar, herald, 2)
        finding = sidecar.verdict.findings[0]
        edge = Action("opened", finding.key, sidecar.clock(), finding, Level.OK)
        herald.history.record([edge] * 5, lambda _finding: False)
        assert herald.history.lost_total >= 3
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while lost_of(sidecar) < herald.history.lost_total:
                await world.rounds(sidecar, herald, 1)


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
        before = herald.live._newest
        await herald.reread_windows()
        assert herald.live._newest is not before, "open pages show the window"
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
            await second.history.flush()
            assert "another headwatch uses" in second.history.problem
            now = world.clock.now
            with pytest.raises(HistoryError, match="another headwatch uses"):
                await second.history.add_window(
                    starts_at=now, ends_at=now + 60, networks=(), nodes=(), reason="two", actor="me"
                )
        assert await first.history.windows() == ()
    async with world.watching(world.settings()):
        assert caplog.text.count("another headwatch uses") == 1


async def test_sidecar_that_replaces_another_goes_on_with_its_history(world: World) -> None:
    """A new one that is started before the old one ends takes over once it may."""
    async with AsyncExitStack() as old:
        sidecar, first = await old.enter_async_context(world.watching(world.settings()))
        await world.node.port.unplug()
        await world.rounds(sidecar, first, 4)
        async with world.watching(world.settings()) as (other, second):
            await world.rounds(other, second, 4)
            await second.history.flush()
            now = world.clock.now
            await first.history.add_window(
                starts_at=now, ends_at=now + 3600, networks=(), nodes=(), reason="r", actor="me"
            )
            await old.aclose()
            assert second.history.problem
            await second.history.flush()
            assert not second.history.problem
            await world.rounds(other, second, 4)
            await second.history.flush()
            await second.reread_windows()
            assert [window.reason for window in other.windows] == ["r"]
            found = await second.history.incidents(subject="node:local", limit=10)
            opened = sorted((one.check, one.closed_at) for one in found if one.check in NODE_CHECKS)
            assert opened == [(name, None) for name in ("fork", "head", "identity", "stall")]
            (bar,) = (await second.history.bars(["node:local"], span_seconds=3600, count=1))[
                "node:local"
            ]
            assert bar is not None
            # What both saw is counted once.
            assert bar.seconds <= 8 * POLL_SECONDS


async def test_history_is_written_on_after_the_clock_was_set_back(world: World) -> None:
    """A clock that was a day ahead must not cost the next day."""
    async with world.watching(world.settings()) as (sidecar, herald):
        await world.rounds(sidecar, herald, 2)
        world.clock.now += DAY_SECONDS
        herald.beat()
        world.clock.now -= DAY_SECONDS
        await world.rounds(sidecar, herald, 2)
        spent = {label: budget.spent for label, budget in sidecar.budgets().items()}
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while world.written_spent() != spent:
                await asyncio.sleep(0.01)
                herald.beat()


async def test_clock_beyond_every_calendar_is_counted_and_ends_nothing(world: World) -> None:
    """What fails in one part of a beat, or in writing, keeps no other from its work."""
    always = MaintenanceWindow.model_validate(
        {"name": "hourly", "cron": "0 * * * *", "duration_seconds": 600, "reason": "a lab"}
    )
    async with world.watching(world.settings(maintenance=(always,))) as (sidecar, herald):
        await world.rounds(sidecar, herald, 2)
        now, world.clock.now = world.clock.now, BEYOND_CALENDARS_SECONDS
        herald.beat()
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while world.mistakes(sidecar) != {"notify": 1.0, "history": 1.0}:
                await asyncio.sleep(0.01)
        world.clock.now = now
        await world.rounds(sidecar, herald, 2)
        assert [window.id for window in sidecar.windows][:1] == ["hourly"]
    assert world.written_spent()


async def test_one_off_outlives_a_restart(world: World) -> None:
    """Whoever restarts the sidecar in a window is not woken by that."""
    async with world.watching(world.settings()) as (_, herald):
        now = world.clock.now
        await herald.history.add_window(
            starts_at=now, ends_at=now + 3600, networks=(), nodes=(), reason="move", actor="me"
        )
    async with world.watching(world.settings()) as (sidecar, _):
        assert [window.reason for window in sidecar.windows] == ["move"]


async def test_edge_between_rounds_is_news_for_open_pages(world: World) -> None:
    """What a beat lets expire is shown at once, not at the next round or poll."""
    async with world.watching(world.settings()) as (sidecar, herald):
        await world.rounds(sidecar, herald, 3)
        before = herald.live._newest
        sidecar.fold()
        assert herald.live._newest is before
        world.clock.now += STALE_SECONDS + 1
        sidecar.fold()
        newest = herald.live._newest
        assert newest is not None
        assert newest.verdict == "inconclusive"


async def test_reload_reaches_the_history(world: World) -> None:
    """How long the past is kept is as the file says now."""
    async with world.watching(world.settings()) as (_, herald):
        shorter = History(retention_days=2.0)
        herald.apply(world.settings(history=shorter))
        assert herald.history.settings == shorter


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
        assert sum(s.value for m in counter.collect() for s in m.samples) >= 1
