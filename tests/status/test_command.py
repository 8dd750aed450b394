"""`headwatch status` as its users run it: a process, real HTTP, and a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from monitor.act.instruments import Instruments
from monitor.act.live import Live
from monitor.act.server import View, application
from monitor.model import Snapshot
from tests.act import snapshots
from tests.status.stage import DEADLINE_SECONDS, Stage, body_of

ROOT = Path(__file__).resolve().parents[2]
KEY = "k3y-of-the-proxy"
PROGRAM = """
import sys, json
from monitor.cli import main
from monitor import cli
from monitor.status.command import status_command
from monitor.status.feed import Pace
wish = json.loads(sys.argv[1])
pace = Pace(between=0.02, poll=0.05, retry_max=0.1)
class Parser:
    def parse_args(self, arguments):
        chosen = type("Chosen", (), {})()
        chosen.command = lambda chosen: status_command(pace=pace, **wish)
        return chosen
cli.parser = Parser
sys.exit(main([]))
"""


def command(**wish: object) -> tuple[str, ...]:
    """The command below the real entry, hurried so that a test need not wait."""
    asked = {"as_json": False, "once": False, "node": None, "colour": False, **wish}
    return (sys.executable, "-c", PROGRAM, json.dumps(asked))


@dataclass
class Run:
    """A process that is read line by line."""

    process: asyncio.subprocess.Process

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode()

    async def end(self) -> tuple[int, str, str]:
        """Exit code, and what is left of both outputs."""
        out, err = await self.process.communicate()
        return self.process.returncode or 0, out.decode(), err.decode()


@dataclass
class Sidecar:
    """The server that a sidecar has, over a snapshot that the test may change."""

    snapshot: Snapshot = field(default_factory=snapshots.healthy)
    live: Live = field(default_factory=lambda: Live(interval_seconds=0.01))

    def server(self) -> TestServer:
        view = View(
            snapshot=lambda: self.snapshot,
            alive=lambda: True,
            reload=None,
            token=None,
            instruments=Instruments(),
            live=self.live,
        )
        return TestServer(application(view), host="127.0.0.1")

    def change(self, snapshot: Snapshot) -> None:
        """What a round does: something else is judged, at a later time."""
        at = self.snapshot.verdict.at + 1.0
        self.snapshot = replace(snapshot, at=at, verdict=replace(snapshot.verdict, at=at))
        self.live.publish(at=at, verdict=snapshot.verdict.word, rounds=1)


@asynccontextmanager
async def running(stage: Stage | Sidecar | None, **wish: object) -> AsyncIterator[Run]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        server = stage.server() if stage is not None else None
        wish = {"url": f"http://127.0.0.1:1/{KEY}", **wish}
        if server is not None:
            await server.start_server()
            wish["url"] = str(server.make_url("/"))
        process = await asyncio.create_subprocess_exec(
            *command(**wish),
            cwd=ROOT,
            env={**os.environ, "FORCE_COLOR": "1"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        try:
            yield Run(process)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            if isinstance(stage, Stage):
                stage.ended.set()
            if server is not None:
                await server.close()


@pytest.mark.parametrize(
    ("snapshot", "code"),
    [(snapshots.healthy(), 0), (snapshots.stalled(), 1), (snapshots.split(), 3)],
    ids=["pass", "fail", "inconclusive"],
)
async def test_once_exits_with_the_verdict(snapshot: Snapshot, code: int) -> None:
    """The exit codes are the gate's, and the text has no escape sequences in a file."""
    stage = Stage(body=body_of(snapshot))
    async with running(stage, once=True) as run:
        ended, out, err = await run.end()
    assert (ended, err) == (code, "")
    assert out.startswith(f" {snapshot.verdict.word.upper()} ")
    assert "\x1b" not in out
    assert "NOT OK" in out


async def test_once_json_is_one_document_on_one_line() -> None:
    """What a script gets is what the sidecar said, and nothing beside it."""
    stage = Stage()
    async with running(stage, once=True, as_json=True) as run:
        code, out, err = await run.end()
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert json.loads(out) == json.loads(stage.body)


async def test_once_with_nobody_there_is_one_line_without_the_key() -> None:
    """3, and a sentence that names host and port only."""
    async with running(None, once=True) as run:
        code, out, err = await run.end()
    assert (code, out) == (3, "")
    assert err == ("headwatch: the sidecar at 127.0.0.1:1 cannot be read: connection refused\n")


async def test_once_with_a_stranger_there_is_one_line() -> None:
    """Another server at the address is not a verdict."""
    async with running(Stage(body=b"<html>"), once=True) as run:
        code, _, err = await run.end()
    assert (code, err.count("\n")) == (3, 1)
    assert "the answer is not JSON" in err


async def test_once_node_is_judged_alone() -> None:
    """Of two nodes the healthy one passes; a mistyped name is a usage error."""
    for node, code in (("spare", 0), ("local", 1), ("lokal", 2)):
        stage = Stage(body=body_of(snapshots.stalled()))
        async with running(stage, once=True, node=node) as run:
            ended, out, err = await run.end()
        assert ended == code, (node, out, err)
    assert err == "headwatch: --node: there is no node lokal; there are local, spare\n"


async def test_url_that_is_none_is_a_usage_error() -> None:
    """The sentence repeats no part of it."""
    async with running(None, url=f"ftp://h.example/{KEY}") as run:
        code, _, err = await run.end()
    assert code == 2
    assert err.startswith("headwatch: --url: expected")
    assert KEY not in err


async def test_json_streams_a_document_a_change() -> None:
    """Each change is a line at once, although the output is a pipe."""
    stage = Stage()
    async with running(stage, as_json=True) as run:
        assert json.loads(await run.line())["verdict"] == "pass"
        await stage.tick(snapshots.stalled())
        assert json.loads(await run.line())["verdict"] == "fail"
        run.process.send_signal(signal.SIGINT)
        code, out, err = await run.end()
    assert (code, out) == (130, "")
    assert "Traceback" not in err


async def test_text_tells_edges_and_says_when_the_connection_is_lost() -> None:
    """A log of what changed, each with its time; losses go to stderr, and it goes on."""
    stage = Stage()
    async with running(stage) as run:
        assert re.match(r"\S+Z  PASS  ", await run.line())
        await stage.tick(snapshots.stalled())
        assert re.match(r"\S+Z  FAIL  .*FAILED: stall", await run.line())
        assert "head  node local (was ok)" in await run.line()
        assert "stall  node local (was ok)" in await run.line()
        stage.listeners.clear()
        await stage.drop()
        await stage.until(lambda: bool(stage.listeners))
        await stage.tick(snapshots.split())
        assert "INCONCLUSIVE" in await run.line()
        run.process.send_signal(signal.SIGINT)
        code, out, err = await run.end()
    assert code == 130
    assert "\x1b" not in out + err
    assert "connection lost, trying again (1): the stream of its events ended" in err


async def test_reader_that_goes_away_ends_it() -> None:
    """`headwatch status --json | head -1` ends, without a traceback."""
    stage = Stage()
    async with running(stage, as_json=True) as run:
        await run.line()
        assert run.process.stdout is not None
        transport = run.process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]
        transport.close()
        await stage.tick()
        assert await run.process.wait() == 130
        assert run.process.stderr is not None
        err = (await run.process.stderr.read()).decode()
    assert "Traceback" not in err


@pytest.mark.parametrize("clients_max", [64, 0], ids=["its stream", "no room in its stream"])
async def test_sidecar_s_own_server_is_followed(clients_max: int) -> None:
    """What the tests above play, the real server does; with no room it is asked instead."""
    sidecar = Sidecar(live=Live(interval_seconds=0.01, clients_max=clients_max))
    async with running(sidecar, as_json=True) as run:
        assert json.loads(await run.line())["verdict"] == "pass"
        assert sidecar.live.clients == (1 if clients_max else 0)
        sidecar.change(snapshots.stalled())
        while (told := json.loads(await run.line()))["verdict"] == "pass":
            assert not clients_max
        assert told["verdict"] == "fail"
        run.process.send_signal(signal.SIGINT)
        assert (await run.end())[0] == 130


async def test_sidecar_s_own_server_is_printed_once() -> None:
    """The document of the real route is read, and the exit code is the verdict's."""
    async with running(Sidecar(snapshots.stalled()), once=True) as run:
        code, out, err = await run.end()
    assert (code, err) == (1, "")
    assert "node local FAILED: stall" in out


# -- the screen ----------------------------------------------------------------------------------


class Terminal:
    """A pseudo-terminal with a process in it, read until something is seen."""

    def __init__(self, process: asyncio.subprocess.Process, controller: int) -> None:
        self.process = process
        self.text = ""
        self._controller = controller
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(controller, self._read)

    def _read(self) -> None:
        try:
            self.text += os.read(self._controller, 1 << 16).decode(errors="replace")
        except OSError:  # the other end is closed
            asyncio.get_running_loop().remove_reader(self._controller)
        self._more.set()

    async def until(self, wanted: str) -> str:
        """Everything up to now, once this is part of it; then begins anew."""
        while wanted not in self.text:
            self._more.clear()
            await self._more.wait()
        seen, self.text = self.text, ""
        return seen

    def press(self, keys: bytes) -> None:
        os.write(self._controller, keys)


@asynccontextmanager
async def terminal(stage: Stage, **wish: object) -> AsyncIterator[Terminal]:
    async with asyncio.timeout(DEADLINE_SECONDS), stage.server() as server:
        controller, inside = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *command(url=str(server.make_url("/")), **wish),
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        shown = Terminal(process, controller)
        try:
            yield shown
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            asyncio.get_running_loop().remove_reader(controller)
            os.close(controller)
            stage.ended.set()


ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


async def test_screen_follows_the_state_and_leaves_the_terminal_as_it_was() -> None:
    """Alternate screen, a new picture at each tick, and q ends it with 0."""
    stage = Stage()
    async with terminal(stage, colour=True) as shown:
        seen = await shown.until("on the network's chain")
        assert ENTER in seen
        await stage.tick(snapshots.stalled())
        await shown.until("node local FAILED: stall")
        shown.press(b"q")
        seen = await shown.until(LEAVE)
        assert await shown.process.wait() == 0


async def test_screen_says_that_the_connection_is_lost_and_calls_the_state_old() -> None:
    """What is still shown is marked, and the new state replaces it when it comes."""
    stage = Stage()
    async with terminal(stage) as shown:
        await shown.until("on the network's chain")
        await stage.until(lambda: bool(stage.listeners))
        stage.status, stage.events_status = 500, 500
        await stage.drop()
        seen = await shown.until("trying again (2)")
        assert "What follows is OLD" in seen
        assert "was PASS" in seen
        stage.status = stage.events_status = 200
        await shown.until(" PASS ")
        shown.press(b"q")
        assert await shown.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_screen_interrupted_exits_130_and_leaves_the_screen(number: signal.Signals) -> None:
    """Ctrl-C is an end as well: no traceback, and the shell's own lines are back."""
    async with terminal(Stage()) as shown:
        await shown.until("on the network's chain")
        shown.process.send_signal(number)
        seen = await shown.until(LEAVE)
        assert await shown.process.wait() == 130
        assert "Traceback" not in seen


async def test_screen_of_nobody_is_a_usage_error_after_the_screen_is_left() -> None:
    """A mistyped node ends it with a sentence that stays readable."""
    async with terminal(Stage(), node="lokal") as shown:
        seen = await shown.until("there is no node lokal; there are local")
        assert seen.index(LEAVE) < seen.index("no node")
        assert await shown.process.wait() == 2


async def test_screen_without_colour_has_none() -> None:
    """NO_COLOR leaves the words, and no sequence that colours them."""
    stage = Stage(body=body_of(snapshots.stalled()))
    async with terminal(stage, colour=False) as shown:
        seen = await shown.until("node local FAILED: stall")
        shown.press(b"q")
        seen += await shown.until(LEAVE)
    assert not re.search(r"\x1b\[[0-9;]*m", seen)
