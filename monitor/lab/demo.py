"""The main job on an embedded default: a lab network, watched while its local node goes astray.

One leader, two references that hold its chain and one local node, all real anvil processes. The
local node is healthy, stalls, recovers, goes off on a private fork, and recovers; the loop that
watches it is the real one, and the page it serves is the real page.
"""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.config import Settings
from monitor.herald import Herald
from monitor.judge.verdict import Memory
from monitor.lab.acts import LEDGER_KEY, lost_payments, wrong_number
from monitor.lab.commands import COLOURS, line
from monitor.lab.events import Event
from monitor.lab.network import LOCAL, LabNetwork
from monitor.lab.scenarios import LOCAL_SUBJECT, NETWORK
from monitor.lab.timeline import Watched, is_healthy, lab_settings, watched
from monitor.model import Level
from monitor.run import Loop, serving

if TYPE_CHECKING:
    from rich.console import RenderableType

INTERVAL_SECONDS = 0.5
HEALTHY_BLOCKS = 10
LOOK_BLOCKS = 10
"""Blocks that a fault stays in force after it was found, for people to look at."""
LINES_SHOWN = 14
FRAMES_A_SECOND = 4
CLOSED = frozenset({"stall", "fork", "ledger"})
"""Checks whose end the summary tells."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One fault of the demo: what happens, and the finding that must tell of it."""

    title: str
    fault: Callable[[LabNetwork], None]
    check: str


PHASES = (
    Phase("the local node stops importing blocks", lambda net: net.local.stall(), "stall"),
    Phase("the local node goes on with blocks of its own", lambda net: net.local.fork(), "fork"),
)


@dataclass(slots=True)
class Screen:
    """What the terminal shows: events as they come, and on a terminal a live picture above."""

    as_json: bool
    address: str = ""
    phase: str = "starting"
    view: Watched | None = None
    events: list[Event] = field(default_factory=list)

    def event(self, event: Event) -> None:
        """Take an event; where there is no live picture, print it at once."""
        self.events.append(event)
        if self.as_json:
            print(json.dumps(event.to_json()), flush=True)
        elif not sys.stdout.isatty():
            print(line(event), flush=True)

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.panel import Panel
        from rich.text import Text

        told = [
            Text(line(event), style=COLOURS.get(event.what, ""), overflow="ellipsis", no_wrap=True)
            for event in self.events[-LINES_SHOWN:]
        ]
        title = f"headwatch demo — {self.phase}"
        page = Text(f"status page: {self.address}/   metrics: {self.address}/metrics", style="dim")
        return Group(Panel(self._nodes(), title=title, subtitle=self._verdict()), *told, page)

    def _verdict(self) -> str:
        if self.view is None:
            return ""
        word = self.view.sidecar.verdict.word
        style = {"pass": "bold green", "fail": "bold red"}.get(word, "bold yellow")
        return f"[{style}]{word.upper()}[/]"

    def _nodes(self) -> RenderableType:
        from rich.table import Table

        table = Table(box=None, expand=True)
        for column in ("", "block", "hash", "lag", "findings"):
            table.add_column(column, justify="right" if column in {"block", "lag"} else "left")
        if self.view is None:
            return table
        sidecar = self.view.sidecar
        watch = sidecar.watches[NETWORK]
        top = self.view.net.leader_number
        for endpoint in watch.endpoints:
            newest = endpoint.newest_head
            bad = [
                f"{key[0]} {held.finding.level.word}"
                for key, held in sidecar.memory.items()
                if key[1].endswith(f"{endpoint.label}") and held.finding.level != Level.OK
            ]
            table.add_row(
                "local node" if endpoint.label == LOCAL else f"reference {endpoint.name}",
                "-" if newest is None else str(newest.number),
                "-" if newest is None else newest.hash[:14],
                "-" if newest is None else str(top - newest.number),
                f"[red]{', '.join(bad)}[/]" if bad else "[green]ok[/]",
            )
        return table


@asynccontextmanager
async def _page(settings: Settings, view: Watched, loop: Loop) -> AsyncIterator[str]:
    """The real status page; on another port when the usual one is taken."""
    try:
        async with serving(view.sidecar, loop, None) as address:
            yield address
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        host = settings.http.address[0]
        http = settings.http.model_copy(update={"listen": f"{host}:0"})
        view.sidecar.settings = settings.model_copy(update={"http": http})
        async with serving(view.sidecar, loop, None) as address:
            yield address


@asynccontextmanager
async def _remembering(view: Watched, loop: Loop) -> AsyncIterator[None]:
    """Bars, incidents and live pages, as a sidecar has them; nothing of it outlives the demo."""
    herald = loop.herald = Herald(view.sidecar, None)
    await herald.open()
    try:
        yield
    finally:
        loop.herald = None
        await herald.close()


async def _play(screen: Screen, listen: str, *, keep: bool) -> list[str]:
    problems: list[str] = []
    async with LabNetwork(("a", "b"), INTERVAL_SECONDS) as net:
        settings = lab_settings(net, INTERVAL_SECONDS, listen=listen)
        async with (
            watched(net, settings, screen.event) as (view, loop),
            _remembering(view, loop),
            _page(settings, view, loop) as address,
        ):
            screen.view, screen.address = view, address
            view.note("up", f"a leader, two references and a local node; page on {address}/")
            problems += await _healthy(screen, view, net)
            for phase in PHASES:
                problems += await _astray(screen, view, net, phase)
            problems += await _further(screen, view)
            if keep:
                screen.phase = "kept up; Ctrl-C ends it"
                view.note("end", f"the network stays up; page on {address}/; Ctrl-C ends it")
                await _interrupted()
    return problems


async def _healthy(screen: Screen, view: Watched, net: LabNetwork) -> list[str]:
    screen.phase = "healthy"
    if not await view.until(is_healthy, INTERVAL_SECONDS):
        return ["the network did not become healthy"]
    view.note("healthy", "every check is ok")
    await net.wait_blocks(HEALTHY_BLOCKS)
    return []


async def _astray(screen: Screen, view: Watched, net: LabNetwork, phase: Phase) -> list[str]:
    screen.phase = phase.title
    view.note("fault", phase.title)
    phase.fault(net)
    key = (phase.check, LOCAL_SUBJECT)

    def is_found(memory: Memory) -> bool:
        return key in memory and memory[key].finding.level == Level.FAILED

    if not await view.until(is_found, INTERVAL_SECONDS):
        return [f"{phase.title}: not found"]
    await net.wait_blocks(LOOK_BLOCKS)
    screen.phase = "healing"
    view.note("heal", "it follows the network again")
    net.local.follow()
    if not await view.until(is_healthy, INTERVAL_SECONDS):
        return [f"{phase.title}: did not heal"]
    screen.phase = "healthy"
    await net.wait_blocks(HEALTHY_BLOCKS)
    return []


async def _further(screen: Screen, view: Watched) -> list[str]:
    """The acts on networks of their own; the first one stays up, and its page with it."""
    began = view.passed_seconds

    def later(event: Event) -> None:
        screen.event(replace(event, seconds=began + event.seconds))

    def found(text: str, level: Level) -> None:
        view.tell("opened" if level else "closed", text, LEDGER_KEY, level)

    screen.phase = "payments to a node that is alone"
    problems = await lost_payments(later)
    screen.phase = "the ledger of a workerdrop"
    return problems + await wrong_number(view.note, found)


async def _interrupted() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _summary(events: list[Event], problems: list[str], seconds: float) -> str:
    """What was seen, fault by fault: blocks and seconds until it was found and until it closed."""
    lines = [""]
    fault: Event | None = None
    heal: Event | None = None
    for event in events:
        if event.what == "fault":
            fault, heal = event, None
        elif event.what == "heal":
            heal = event
        elif event.level == Level.FAILED and event.because is None and fault and not heal:
            blocks, took = event.block - fault.block, event.seconds - fault.seconds
            lines.append(f"  {fault.text}")
            lines.append(f"      found after {blocks} blocks, {took:.1f} s: {event.text}")
        elif (
            event.what == "closed"
            and heal
            and event.key
            and event.key[0] in {"stall", "fork", "ledger"}
        ):
            lines.append(f"      closed {event.seconds - heal.seconds:.1f} s after it healed")
    lines.extend(f"  NOT as expected: {problem}" for problem in problems)
    end = "every fault was found and closed again" if not problems else "something is wrong"
    return "\n".join([*lines, f"\ndemo: {end} ({seconds:.0f} s)"])


def demo(*, listen: str, keep: bool, as_json: bool) -> int:
    """Play the demo; 0 when every fault was found and closed again, else 1."""
    screen = Screen(as_json=as_json)
    began = time.monotonic()
    with ExitStack() as stack:
        if sys.stdout.isatty() and not as_json:
            from rich.live import Live

            stack.enter_context(
                Live(get_renderable=lambda: screen, refresh_per_second=FRAMES_A_SECOND)
            )
        problems = asyncio.run(_play(screen, listen, keep=keep))
    if not as_json:
        print(_summary(screen.events, problems, time.monotonic() - began))
    return 1 if problems else 0
