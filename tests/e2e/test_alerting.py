"""From a fault to the person who must know, through the real tools: one stall, told and taken back.

The rules and the configuration of Alertmanager are the shipped ones; only their waiting times are
shortened, and their receivers are a server of the test. `--log-cli-level=info` shows what was
measured.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from ruamel.yaml import YAML

from monitor.config import Alerting, Settings, show
from monitor.config.settings import Alertmanager as Receiver
from monitor.config.settings import Heartbeat
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, lab_settings
from monitor.url import Url
from tests.e2e.processes import SECONDS_MAX, sidecar, until_status
from tests.stack import Alertmanager, Prometheus, prometheus_config

log = logging.getLogger(__name__)

ALERTS = Path(__file__).parents[2] / "alerts"
SCRAPE = "200ms"
HURRY = 60
"""A minute of the shipped files is a second here."""
PACE_SECONDS = 1.25
"""How often the dead man's switch is told then, at the least."""
SILENT_PACES = 5
"""So many of its paces are the patience of the receiver: nothing must come in them."""


@dataclass
class Hooks:
    """What the receivers of an Alertmanager got: (when, receiver, message)."""

    url: str = ""
    beats: int = 0
    got: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        message = await request.json()
        async with self.changed:
            self.got.append((time.monotonic(), request.match_info["receiver"], message))
            self.changed.notify_all()
        return web.Response()

    async def beat(self, request: web.Request) -> web.Response:
        async with self.changed:
            self.beats += 1
            self.changed.notify_all()
        return web.Response()

    def told(self, receiver: str, name: str, status: str) -> list[float]:
        """When this receiver was told that an alert of this name has this status."""
        return [
            at
            for at, to, message in self.got
            if to == receiver
            for alert in message["alerts"]
            if alert["labels"]["alertname"] == name and alert["status"] == status
        ]

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a message that fulfils a condition."""
        try:
            async with asyncio.timeout(SECONDS_MAX), self.changed:
                await self.changed.wait_for(condition)
        except TimeoutError:
            names = [(to, message["groupLabels"]) for _, to, message in self.got]
            pytest.fail(f"not told within {SECONDS_MAX:g} s: {what}; told were {names}")


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    """A server that receives what an Alertmanager sends."""
    hooks = Hooks()
    app = web.Application()
    app.router.add_post("/{receiver}", hooks.take)
    app.router.add_get("/beat", hooks.beat)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    hooks.url = f"http://{host}:{port}"
    yield hooks
    await runner.cleanup()


@dataclass(frozen=True)
class Programs:
    """What a lab and a way to people are made of."""

    anvil: Path
    prometheus: Path
    alertmanager: Path


@pytest.fixture
def programs(anvil_path: Path, prometheus: Path, alertmanager: Path) -> Programs:
    return Programs(anvil_path, prometheus, alertmanager)


def yaml_of(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def hurried(duration: str) -> str:
    """A duration of Prometheus, `HURRY` times as short."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    parts = re.findall(r"(\d+)([smhd])", duration)
    assert "".join(number + unit for number, unit in parts) == duration
    seconds = sum(int(number) * units[unit] for number, unit in parts)
    return f"{seconds * 1000 // HURRY}ms"


def hasty_rules(directory: Path) -> Path:
    """The shipped rules; only that they wait less."""
    document = yaml_of(ALERTS / "headwatch.rules.yml")
    for group in document["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            for key in {"for", "keep_firing_for"} & set(rule):
                rule[key] = hurried(rule[key])
    path = directory / "headwatch.rules.yml"
    with path.open("w") as file:
        YAML().dump(document, file)
    return path


def hasty_routes(hooks: Hooks, directory: Path) -> str:
    """The shipped routes and inhibitions, hurried; every receiver is a webhook of ours."""
    document = yaml_of(ALERTS / "alertmanager.yml")

    def hurry(route: dict[str, Any]) -> None:
        for key in {"group_wait", "group_interval", "repeat_interval"} & set(route):
            route[key] = hurried(route[key])
        for below in route.get("routes", ()):
            hurry(below)

    hurry(document["route"])
    for receiver in document["receivers"]:
        name = receiver["name"]
        receiver.clear()
        hook = {"url": f"{hooks.url}/{name}", "send_resolved": name != "dead-man"}
        receiver.update(name=name, webhook_configs=[hook])
    path = directory / "routes.yml"
    with path.open("w") as file:
        YAML().dump(document, file)
    return path.read_text()


async def test_stall_is_told_through_prometheus_and_taken_back_and_the_dead_man_notices(
    programs: Programs,
    hooks: Hooks,
    tmp_path: Path,
) -> None:
    """A stalled node reaches the pager, its consequences do not, the heal takes it back.

    Meanwhile the dead man's switch is told again and again; when the sidecar is killed it is not,
    and the pager learns that nothing watches any more.
    """
    (tmp_path / "am").mkdir()
    routes = hasty_routes(hooks, tmp_path / "am")
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0")))
        async with sidecar(config) as (process, address):
            with Alertmanager(programs.alertmanager, tmp_path / "am", config=routes) as manager:
                scraping = prometheus_config(
                    targets={"headwatch": [address.removeprefix("http://")]},
                    alertmanagers=[manager.url.removeprefix("http://")],
                    rule_files=[hasty_rules(tmp_path)],
                    interval=SCRAPE,
                )
                with Prometheus(programs.prometheus, tmp_path / "prom", config=scraping) as server:
                    await _alive(hooks)
                    await _stall_told(net, hooks, manager, server)
                    process.kill()
                    await _dead(hooks)


async def _alive(hooks: Hooks) -> None:
    def told_twice() -> bool:
        return len(hooks.told("dead-man", "HeadwatchWatchdog", "firing")) >= 2

    await hooks.until(told_twice, "the dead man's switch, twice")
    assert not [to for _, to, _ in hooks.got if to == "pager"], "a healthy network wakes somebody"


async def _stall_told(
    net: LabNetwork,
    hooks: Hooks,
    manager: Alertmanager,
    server: Prometheus,
) -> None:
    net.local.stall()
    began = time.monotonic()
    blocks = net.leader_number
    await hooks.until(
        lambda: bool(hooks.told("pager", "HeadwatchNodeStalled", "firing")), "the stall"
    )
    at = hooks.told("pager", "HeadwatchNodeStalled", "firing")[0]
    passed = net.leader_number - blocks
    log.info("fault to webhook: %.2f s, %d blocks", at - began, passed)
    # The node falls behind by standing still: that fires as well, and nobody is told of it.
    await asyncio.to_thread(
        manager.wait,
        lambda: "suppressed" in states(manager, "HeadwatchNodeBehind"),
        SECONDS_MAX,
        "HeadwatchNodeBehind inhibited",
    )
    firing = {rule["name"] for rule in server.rules() if rule.get("state") == "firing"}
    assert {"HeadwatchNodeStalled", "HeadwatchNodeBehind", "HeadwatchWatchdog"} <= firing
    net.local.follow()
    began = time.monotonic()
    await hooks.until(
        lambda: bool(hooks.told("pager", "HeadwatchNodeStalled", "resolved")), "the heal"
    )
    at = hooks.told("pager", "HeadwatchNodeStalled", "resolved")[0]
    log.info("heal to webhook: %.2f s", at - began)
    assert not hooks.told("pager", "HeadwatchNodeBehind", "firing")


def states(manager: Alertmanager, name: str) -> set[str]:
    """The states of the alerts of this name: active, suppressed."""
    return {
        alert["status"]["state"]
        for alert in manager.alerts()
        if alert["labels"]["alertname"] == name
    }


async def _dead(hooks: Hooks) -> None:
    began = time.monotonic()
    await hooks.until(
        lambda: bool(hooks.told("pager", "HeadwatchScrapeFailed", "firing")),
        "that the sidecar cannot be scraped",
    )
    at = hooks.told("pager", "HeadwatchScrapeFailed", "firing")[0]
    log.info("death of the sidecar to webhook: %.2f s", at - began)
    # The last telling may be under way; after it there is none. Absence has no event to wait for.
    await asyncio.sleep(PACE_SECONDS)
    before = len(hooks.told("dead-man", "HeadwatchWatchdog", "firing"))
    await asyncio.sleep(SILENT_PACES * PACE_SECONDS)
    assert len(hooks.told("dead-man", "HeadwatchWatchdog", "firing")) == before


async def test_stall_is_told_without_prometheus_and_the_heartbeat_ends_with_the_sidecar(
    programs: Programs, hooks: Hooks, tmp_path: Path
) -> None:
    """Pushed by the sidecar itself, an alert takes the same routes, and is taken back.

    An address that hears from the sidecar as long as it lives hears nothing more when it is killed.
    """
    (tmp_path / "am").mkdir()
    routes = hasty_routes(hooks, tmp_path / "am")
    with Alertmanager(programs.alertmanager, tmp_path / "am", config=routes) as manager:
        async with LabNetwork() as net:
            settings = lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0")
            alerting = Alerting(
                alertmanagers=(Receiver(name="direct", url=Url(manager.url)),),
                heartbeats=(
                    Heartbeat(name="alive", url=Url(f"{hooks.url}/beat"), interval_seconds=5),
                ),
            )
            config = tmp_path / "headwatch.yaml"
            config.write_text(show_whole(settings.model_copy(update={"alerting": alerting})))
            async with sidecar(config) as (process, address):
                await hooks.until(lambda: hooks.beats > 0, "a heartbeat")
                await until_status(f"{address}/-/synced?node=local", 200)
                net.local.stall()
                began = time.monotonic()
                await hooks.until(
                    lambda: bool(hooks.told("pager", "HeadwatchNodeStalled", "firing")),
                    "the stall, pushed",
                )
                at = hooks.told("pager", "HeadwatchNodeStalled", "firing")[0]
                log.info("fault to webhook, pushed: %.2f s", at - began)
                net.local.follow()
                await hooks.until(
                    lambda: bool(hooks.told("pager", "HeadwatchNodeStalled", "resolved")),
                    "the heal, pushed",
                )
                beats = hooks.beats
                await hooks.until(lambda: hooks.beats > beats, "another heartbeat")
                process.kill()
                await process.wait()
                beats = hooks.beats
                await asyncio.sleep(6.0)  # Longer than an interval: absence has no event.
                assert hooks.beats == beats


def show_whole(settings: Settings) -> str:
    """The configuration as a file; nothing of a lab's addresses is secret."""
    return show(settings).replace("/***", "/beat")
