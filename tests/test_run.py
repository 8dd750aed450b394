"""The loop: rounds at the pace of each chain, counted, reloaded, hastened, and drained."""

from __future__ import annotations

import asyncio
import datetime
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import aiohttp
import pytest

from monitor.config import ConfigError, Http, Problem, Settings, read_token
from monitor.garbage import COLLECTOR_THRESHOLDS
from monitor.judge.verdict import STALE_SECONDS
from monitor.model import Action
from monitor.run import ALIVE_SECONDS, Loop, run, serving
from monitor.sidecar import Sidecar
from monitor.watch import Watch
from tests.rpc.canned import (
    GENESIS_TIMESTAMP,
    Canned,
    Chain,
    Clock,
    Hang,
    Sockets,
    network_of,
    node_of,
    nothing_unheard,
    settings_of,
)
from tests.rpc.canned import serving as listening

FAST_SECONDS = 0.2
"""Polls every 0.1 s, the shortest there is."""
SLOW_SECONDS = 12.0
"""Polls every 6 s: what happens sooner was not waited for."""
WAIT_SECONDS_MAX = 20.0
SOON_SECONDS = 3.0
DEADLINE_SECONDS = 0.4
DEFAULT_THRESHOLDS = (700, 10, 10)


class World:
    """Canned references and two nodes."""

    def __init__(self) -> None:
        self.chain = Chain(100)
        self.references = {name: Canned(self.chain) for name in "abc"}
        self.nodes = [Canned(self.chain) for _ in range(2)]

    def settings(
        self,
        *names: str,
        interval_seconds: float = FAST_SECONDS,
        deadline_seconds: float = 5.0,
        websocket: str = "",
    ) -> Settings:
        """A network for each name, with one node of that name."""
        network = network_of(self.references, interval_seconds=interval_seconds)
        nodes = [
            node_of(name, one, f"net-{name}", websocket)
            for name, one in zip(names, self.nodes, strict=False)
        ]
        networks = {node.network: network for node in nodes}
        return settings_of(networks, *nodes, deadline_seconds=deadline_seconds)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Nodes that listen; whatever a test does, nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with listening(*world.references.values(), *world.nodes):
            yield world


async def until(condition: Callable[[], object]) -> None:
    """Ask until it is so."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not condition():
            await asyncio.sleep(0.005)


def events(sidecar: Sidecar) -> dict[str, float]:
    """What became of the scheduler's jobs."""
    return {
        sample.labels["event"]: sample.value
        for metric in sidecar.instruments.scheduler_events.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


def job_names(loop: Loop) -> set[str]:
    return {job.id for job in loop._scheduler.get_jobs()}


def seconds_until(loop: Loop, name: str) -> float:
    """How long until the job runs again."""
    at: float = loop._scheduler.get_job(name).next_run_time.timestamp()
    return at - time.time()


# -- the schedule --------------------------------------------------------------------------------


async def test_rounds_begin_at_once_and_networks_are_spread(world: World) -> None:
    """The first network is asked now and not one interval later; the next half a poll after."""
    settings = world.settings("one", "two", interval_seconds=SLOW_SECONDS)
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        assert 2.0 < seconds_until(loop, "net-two") <= 3.0
        async with asyncio.timeout(SOON_SECONDS - 1.0):
            await world.nodes[0].asked.wait()
        assert world.nodes[1].requests == []
        await until(lambda: sidecar.watches["net-one"].rounds_total == 1)
        await loop.stop()


async def test_jobs_are_one_a_network_and_the_beat(world: World) -> None:
    """Not one for each node and check."""
    settings = world.settings("one", interval_seconds=SLOW_SECONDS)
    both = settings_of(
        dict(settings.networks), *settings.nodes, node_of("second", world.nodes[1], "net-one")
    )
    async with Sidecar(both) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        assert job_names(loop) == {"beat", "net-one"}
        await loop.stop()


async def test_rounds_go_on_at_the_pace_of_the_chain(world: World) -> None:
    """Two polls a block, none of them missed or late enough to be dropped."""
    async with Sidecar(world.settings("one")) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        await until(lambda: sidecar.watches["net-one"].rounds_total >= 5)
        await loop.stop()
        assert sidecar.verdict.word == "pass"
        assert events(sidecar)["missed"] == events(sidecar)["error"] == 0
        assert sidecar.instruments.scheduler_lag_seconds.value is not None


async def test_round_longer_than_a_poll_is_counted_as_overrun(world: World) -> None:
    """It is not begun twice, and that it was due is not lost unseen."""
    settings = world.settings("one", deadline_seconds=DEADLINE_SECONDS)
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        world.nodes[0].respond = hang = Hang()
        loop.start()
        await until(lambda: events(sidecar)["overrun"] >= 1)
        assert sidecar.watches["net-one"].rounds_total <= 1
        await until(lambda: sidecar.watches["net-one"].rounds_total >= 2)
        await loop.stop()
        hang.released.set()


async def test_round_that_raises_is_counted_as_error_and_the_rounds_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler swallows exceptions into a log line: here they are a number."""
    async with Sidecar(world.settings("one")) as sidecar:
        loop = Loop(sidecar)

        async def crash(watch: Watch) -> tuple[Action, ...]:
            message = "ours"
            raise ZeroDivisionError(message)

        with monkeypatch.context() as patch:
            patch.setattr(sidecar, "round", crash)
            loop.start()
            await until(lambda: events(sidecar)["error"] >= 2)
        await until(lambda: sidecar.watches["net-one"].rounds_total >= 1)
        await loop.stop()


# -- the beat ------------------------------------------------------------------------------------


async def test_beat_lets_what_is_stale_expire_in_the_loop(world: World) -> None:
    """Between rounds too, and where everything else happens: not in a thread beside it."""
    clock = Clock(GENESIS_TIMESTAMP + 1201.0)
    threads: list[threading.Thread] = []

    def tell(actions: Sequence[Action]) -> None:
        threads.append(threading.current_thread())

    settings = world.settings("one", interval_seconds=SLOW_SECONDS)
    async with Sidecar(settings, clock=clock) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        await until(lambda: sidecar.verdict.word == "pass")
        sidecar.listeners.append(tell)
        clock.now += STALE_SECONDS + 1
        await until(lambda: threads)
        assert {finding.reason for finding in sidecar.verdict.findings} == {"stale"}
        assert threads == [threading.current_thread()]
        await loop.stop()


async def test_loop_that_does_not_beat_is_not_alive(world: World) -> None:
    """Alive says that the loop turns, and nothing of any chain."""
    clock, stopwatch = Clock(1000.0), Clock(5.0)
    async with Sidecar(world.settings("one"), clock=clock) as sidecar:
        loop = Loop(sidecar, stopwatch=stopwatch)
        alive = [loop.is_alive]
        clock.now -= 3600
        stopwatch.now += ALIVE_SECONDS
        alive.append(loop.is_alive)
        assert alive == [True, False]
        for one in (*world.references.values(), *world.nodes):
            await one.port.unplug()
        loop.start()
        await until(lambda: loop.is_alive)
        await loop.stop()


@pytest.mark.parametrize("step_seconds", [-3600.0, 86_400.0])
async def test_clock_that_is_set_stops_no_rounds_and_no_beat(
    world: World, caplog: pytest.LogCaptureFixture, step_seconds: float
) -> None:
    """The scheduler plans by the clock: what was planned for a time that is far away now runs."""
    ahead = 0.0
    async with Sidecar(world.settings("one"), clock=lambda: time.time() + ahead) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        await until(lambda: sidecar.watches["net-one"].rounds_total)
        late = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        for job in loop._scheduler.get_jobs():
            job.modify(next_run_time=late)
        rounds, beat_at = sidecar.watches["net-one"].rounds_total, loop._beat_at
        ahead = step_seconds
        await until(lambda: sidecar.watches["net-one"].rounds_total > rounds + 1)
        await until(lambda: loop._beat_at > beat_at)
        assert "the clock was set by" in caplog.text
        await loop.stop()


# -- the end -------------------------------------------------------------------------------------


async def test_stop_waits_for_the_round_under_way_and_starts_no_more(world: World) -> None:
    """A round that hangs has a deadline of its own; it is not cut off, nor followed."""
    settings = world.settings("one", deadline_seconds=DEADLINE_SECONDS)
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        world.nodes[0].respond = hang = Hang()
        loop.start()
        await hang.holding.wait()
        assert sidecar.watches["net-one"].rounds_total == 0
        await loop.stop()
        assert sidecar.watches["net-one"].rounds_total == 1
        assert ("head", "node:one") in sidecar.memory
        asked = len(world.references["a"].requests)
        await asyncio.sleep(3 * FAST_SECONDS)
        assert len(world.references["a"].requests) == asked
        hang.released.set()


async def test_stop_right_after_start_leaves_nothing_running(world: World) -> None:
    """A round that was submitted in this very tick is waited for as well."""
    async with Sidecar(world.settings("one")) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        await asyncio.sleep(0)
        await loop.stop()
        assert loop._busy == set()
        assert not sidecar.watches["net-one"].is_asking


async def test_head_after_the_end_hastens_nothing(world: World) -> None:
    """A socket may still speak while everything is being closed."""
    async with Sidecar(world.settings("one")) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        await until(lambda: sidecar.watches["net-one"].rounds_total >= 1)
        await loop.stop()
        await asyncio.sleep(FAST_SECONDS)
        asked = len(world.nodes[0].requests)
        sidecar.on_head(sidecar.watches["net-one"])
        await asyncio.sleep(FAST_SECONDS)
        assert len(world.nodes[0].requests) == asked


# -- reload --------------------------------------------------------------------------------------


async def test_reload_without_a_file_says_so(world: World) -> None:
    """One-off use has nothing to read again."""
    async with Sidecar(world.settings("one")) as sidecar:
        assert await Loop(sidecar).reload() == "there is no file to reload"


async def test_reload_of_a_bad_file_keeps_the_old_configuration(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong is returned, logged and shown; the rounds go on as before."""

    def load() -> Settings:
        raise ConfigError([Problem("headwatch.yaml", 7, "nodes", "expected a list")])

    settings = world.settings("one")
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar, load)
        loop.start()
        sidecar.instruments.reloaded(at=5.0)
        watch = sidecar.watches["net-one"]
        told = await loop.reload()
        assert told is not None
        assert "expected a list" in told
        assert "expected a list" in caplog.text
        assert sidecar.settings is settings
        assert sidecar.watches["net-one"] is watch
        instruments = sidecar.instruments
        assert instruments.config_last_reload_successful.value == 0.0
        assert instruments.config_last_reload_success_timestamp_seconds.value == 5.0
        rounds = watch.rounds_total
        await until(lambda: watch.rounds_total > rounds)
        await loop.stop()


async def test_reload_watches_what_the_file_says_now(world: World) -> None:
    """Networks come and go with their jobs; a new one is asked at once."""
    after = world.settings("uno", "two")
    async with Sidecar(world.settings("one")) as sidecar:
        loop = Loop(sidecar, lambda: after)
        loop.start()
        await until(lambda: sidecar.watches["net-one"].rounds_total >= 1)
        assert await loop.reload() is None
        assert job_names(loop) == {"beat", "net-uno", "net-two"}
        assert sidecar.instruments.config_last_reload_successful.value == 1.0
        await until(lambda: sidecar.watches["net-two"].rounds_total >= 1)
        await until(lambda: sidecar.watches["net-uno"].rounds_total >= 1)
        await loop.stop()
        assert "node:one" not in {key[1] for key in sidecar.memory}


async def test_reload_under_a_round_lets_it_end_and_goes_on(world: World) -> None:
    """The round of before finds nothing to say of what is gone, and the next one comes."""
    before = world.settings("one", deadline_seconds=DEADLINE_SECONDS)
    async with Sidecar(before) as sidecar:
        loop = Loop(sidecar, lambda: before)
        world.nodes[0].respond = hang = Hang()
        loop.start()
        await hang.holding.wait()
        assert await loop.reload() is None
        hang.released.set()
        world.nodes[0].respond = None
        await until(lambda: sidecar.watches["net-one"].rounds_total >= 2)
        await until(lambda: sidecar.verdict.word == "pass")
        await loop.stop()
        assert events(sidecar)["error"] == 0


async def test_reload_with_other_http_settings_says_when_they_count(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A server does not move while it serves."""
    settings = world.settings("one")
    moved = settings.model_copy(update={"http": Http(listen="127.0.0.1:1")})
    caplog.set_level(logging.WARNING, "headwatch")
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar, lambda: moved)
        assert await loop.reload() is None
        assert "take effect at the next start" in caplog.text


# -- heads ---------------------------------------------------------------------------------------


@pytest.fixture
async def sockets() -> AsyncIterator[Sockets]:
    """A websocket beside the canned nodes."""
    sockets = Sockets()
    await sockets.port.open()
    yield sockets
    await sockets.port.close()


async def test_head_that_comes_in_hastens_the_round(world: World, sockets: Sockets) -> None:
    """The next round is now, and not at the end of a poll of six seconds."""
    clock = Clock(GENESIS_TIMESTAMP + 1201.0)
    settings = world.settings("one", interval_seconds=SLOW_SECONDS, websocket=sockets.url)
    async with Sidecar(settings, clock=clock) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        watch = sidecar.watches["net-one"]
        await until(lambda: watch.rounds_total == 1 and sockets.open)
        assert seconds_until(loop, "net-one") > SOON_SECONDS
        clock.now += SLOW_SECONDS
        world.chain.head += 1
        async with asyncio.timeout(SOON_SECONDS):
            await sockets.announce(world.chain)
            await until(lambda: watch.rounds_total == 2)
        assert watch.nodes[0].newest_head is not None
        assert watch.nodes[0].newest_head.number == 101
        await loop.stop()


async def test_head_right_after_a_round_hastens_nothing(world: World) -> None:
    """A chain of many small blocks, or a socket that repeats itself, costs no more rounds."""
    clock = Clock(GENESIS_TIMESTAMP + 1201.0)
    settings = world.settings("one", interval_seconds=SLOW_SECONDS)
    async with Sidecar(settings, clock=clock) as sidecar:
        loop = Loop(sidecar)
        loop.start()
        watch = sidecar.watches["net-one"]
        await until(lambda: watch.rounds_total == 1)
        clock.now += watch.policy.poll_seconds / 2 - 0.1
        sidecar.on_head(watch)
        assert seconds_until(loop, "net-one") > SOON_SECONDS
        clock.now += 0.1
        sidecar.on_head(watch)
        assert seconds_until(loop, "net-one") <= 0
        await loop.stop()


async def test_head_during_a_round_hastens_nothing(world: World) -> None:
    """The round that is under way asks for it anyway."""
    settings = world.settings("one", interval_seconds=SLOW_SECONDS)
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        world.nodes[0].respond = hang = Hang()
        loop.start()
        await hang.holding.wait()
        sidecar.on_head(sidecar.watches["net-one"])
        assert seconds_until(loop, "net-one") > SOON_SECONDS
        hang.released.set()
        await loop.stop()


async def test_pace_is_once_a_block_while_a_live_socket_tells_of_heads(
    world: World, sockets: Sockets
) -> None:
    """Polls are halved where every head is announced, and doubled again when the socket goes."""
    settings = world.settings("one", interval_seconds=2.0, websocket=sockets.url)
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        (node,) = sidecar.watches["net-one"].nodes
        await until(lambda: node.facts("net-one").subscription == "live")
        loop.start()
        await until(lambda: loop._pace["net-one"] == 2.0)
        assert 1.0 < seconds_until(loop, "net-one") <= 2.0
        await sockets.port.unplug()
        await until(lambda: node.facts("net-one").subscription == "down")
        await until(lambda: loop._pace["net-one"] == 1.0)
        await loop.stop()


async def test_pace_is_quicker_while_something_speaks_against_the_state(
    world: World, sockets: Sockets
) -> None:
    """An accusation is confirmed within half a block, also where heads are announced."""
    settings = world.settings("one", interval_seconds=2.0, websocket=sockets.url)
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        (node,) = sidecar.watches["net-one"].nodes
        await until(lambda: node.facts("net-one").subscription == "live")
        loop.start()
        await until(lambda: loop._pace["net-one"] == 2.0)
        world.nodes[0].chain = Chain(50)
        await until(lambda: loop._pace["net-one"] == 1.0)
        assert node.facts("net-one").subscription == "live"
        await until(lambda: sidecar.verdict.word == "fail")
        await loop.stop()


# -- the program ---------------------------------------------------------------------------------


async def get(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def test_serving_yields_the_address_it_listens_on(world: World) -> None:
    """Port 0 lets the system choose; the pages are up, and ready after the first round."""
    settings = world.settings("one").model_copy(update={"http": Http(listen="127.0.0.1:0")})
    async with Sidecar(settings) as sidecar:
        loop = Loop(sidecar)
        async with serving(sidecar, loop, None) as address:
            assert await get(f"{address}/-/healthy") == 200
            assert await get(f"{address}/-/ready") == 503
            await sidecar.round(sidecar.watches["net-one"])
            assert await get(f"{address}/-/ready") == 200
            taken = settings.model_copy(update={"http": Http(listen=address[len("http://") :])})
            async with Sidecar(taken) as second:
                with pytest.raises(OSError, match="address already in use"):
                    async with serving(second, Loop(second), None):
                        pytest.fail("two servers on one port")
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(f"{address}/-/healthy")


@pytest.mark.parametrize(
    ("written", "said"),
    [(None, "cannot be read"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff", "UTF-8")],
    ids=["missing", "empty", "blank", "binary"],
)
def test_token_file_that_holds_no_token_is_refused(
    tmp_path: Path, written: bytes | None, said: str
) -> None:
    """An empty token would admit everybody."""
    path = tmp_path / "token"
    if written is not None:
        path.write_bytes(written)
    with pytest.raises(ConfigError, match=said):
        read_token(path)


def test_token_is_read_without_the_space_around_it(tmp_path: Path) -> None:
    """Editors end files with a newline."""
    path = tmp_path / "token"
    path.write_text(" s3cret\n", encoding="utf-8")
    assert read_token(path) == "s3cret"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_run_reloads_when_hung_up_on_and_ends_when_told(
    world: World, number: signal.Signals
) -> None:
    """SIGHUP reads the configuration again; SIGTERM and SIGINT end it, rounds drained."""
    settings = world.settings("one").model_copy(update={"http": Http(listen="127.0.0.1:0")})
    addresses: asyncio.Queue[str] = asyncio.Queue()
    loads = threading.Semaphore(0)

    def load() -> Settings:
        loads.release()
        return settings

    gc.set_threshold(*DEFAULT_THRESHOLDS)
    task = asyncio.create_task(run(settings, load, addresses.put_nowait))
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        address = await addresses.get()
        assert gc.get_threshold() == COLLECTOR_THRESHOLDS
        gc.set_threshold(*DEFAULT_THRESHOLDS)
        gc.unfreeze()
        await until(lambda: world.nodes[0].requests)
        assert await get(f"{address}/-/healthy") == 200
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: loads.acquire(blocking=False))
        asked = len(world.nodes[0].requests)
        await until(lambda: len(world.nodes[0].requests) > asked)
        os.kill(os.getpid(), number)
        await task
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(f"{address}/-/healthy")


async def test_run_on_a_taken_address_raises_and_asks_nobody(world: World) -> None:
    """Whoever cannot be looked at should not start."""
    here = world.references["a"].port.number
    settings = world.settings("one").model_copy(update={"http": Http(listen=f"127.0.0.1:{here}")})
    with pytest.raises(OSError, match="address already in use"):
        await run(settings, None, lambda _: pytest.fail("it listens"))
    assert world.nodes[0].requests == []
