"""`headwatch maintenance`: through the running sidecar, or in its history where none runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.act.instruments import Instruments
from monitor.act.server import application
from monitor.act.view import View
from monitor.config import History as HistorySettings
from monitor.config import Http, Network, NodeSettings, ProfileRef, ReferenceSettings, Settings
from monitor.config.settings import MaintenanceWindow
from monitor.history import History
from monitor.history.claim import Claim
from monitor.url import Url
from monitor.windows import Desk, UnreachableError, WindowError, line, operator
from tests.act import snapshots
from tests.stack import free_port

TOKEN = "a-bearer-token"  # noqa: S105 - of a server of this test
ASKED = {"duration_seconds": 3600, "nodes": ["local"], "reason": "update", "actor": "me"}


def settings_for(directory: Path, port: int, token_file: Path | None = None) -> Settings:
    """The configuration of one node, `local`, whose sidecar listens on this port."""
    http = Http(listen=f"127.0.0.1:{port}", token_file=token_file)
    node = Url("http://127.0.0.1:8545")
    reference = ReferenceSettings(name="a", url=Url("http://127.0.0.1:8645"))
    return Settings(
        data_dir=directory,
        http=http,
        networks={"dev": Network(profile=ProfileRef(profile="dev"), references=(reference,))},
        nodes=(NodeSettings(name="local", network="dev", url=node),),
    )


@pytest.fixture
async def sidecar(tmp_path: Path) -> AsyncIterator[tuple[Desk, History]]:
    """A server over a history, which wants a token, and a desk that knows it."""
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")
    history = History(None, settings=HistorySettings(), clock=lambda: snapshots.NOW)
    await history.open()
    view = View(
        snapshot=snapshots.healthy,
        alive=lambda: True,
        reload=None,
        token=TOKEN,
        instruments=Instruments(),
        history=history,
    )
    server = TestServer(application(view))
    await server.start_server()
    assert server.port is not None
    yield Desk(settings_for(tmp_path, server.port, token_file), {}), history
    await server.close()
    await history.close()


async def asked(question: Callable[[], Any]) -> Any:
    """A desk waits for its answer; the server is on this loop."""
    return await asyncio.to_thread(question)


async def test_window_is_added_and_ended_through_the_sidecar(
    sidecar: tuple[Desk, History],
) -> None:
    """The sidecar is asked with its token, and its history has the window."""
    desk, history = sidecar
    added = await asked(lambda: desk.add({**ASKED, "starts_at": snapshots.NOW}))
    assert added["nodes"] == ["local"]
    assert [window.id for window in await history.windows(past=True)] == [added["id"]]
    assert not (desk.settings.data_dir or Path()).joinpath("history.sqlite").exists()
    ended = await asked(lambda: desk.end(added["id"], "somebody else"))
    assert ended["ended_by"] == "somebody else"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"duration_seconds": 1}, "duration_seconds: found 1"),
        ({"nodes": ["locale"]}, "nodes: found 'locale', expected one of local"),
        ({"reason": ""}, "reason: found ''"),
        ({"starts_at": "soon"}, "starts_at: found 'soon'"),
    ],
)
async def test_refused_window_says_which_field_is_wrong(
    sidecar: tuple[Desk, History], tmp_path: Path, change: dict[str, object], said: str
) -> None:
    """The reason is the same line, whether the sidecar refuses or the history does."""
    for desk in (sidecar[0], Desk(settings_for(tmp_path, free_port()), {})):
        with pytest.raises(WindowError, match=said.replace("[", r"\[")):
            await asked(partial(desk.add, {**ASKED, **change}))


async def test_window_of_nobody_cannot_be_ended(
    sidecar: tuple[Desk, History], tmp_path: Path
) -> None:
    """A name that is none is a mistake of the operator's, said in one line."""
    for desk in (sidecar[0], Desk(settings_for(tmp_path, free_port()), {})):
        with pytest.raises(WindowError, match="there is no"):
            await asked(partial(desk.end, "w9", "me"))


async def test_wrong_token_is_refused(sidecar: tuple[Desk, History], tmp_path: Path) -> None:
    """Who may not change anything learns so; the token is in no text."""
    desk, _ = sidecar
    (tmp_path / "token").write_text("another-token")
    with pytest.raises(WindowError, match="the sidecar refused: expected a bearer token") as caught:
        await asked(lambda: desk.add(ASKED))
    assert "another-token" not in str(caught.value)
    (tmp_path / "token").unlink()
    with pytest.raises(WindowError, match=r"http\.token_file cannot be read: No such file"):
        await asked(lambda: desk.add(ASKED))


async def test_without_a_sidecar_the_history_keeps_the_window(tmp_path: Path) -> None:
    """What is planned while nothing runs is there at the next start."""
    desk = Desk(settings_for(tmp_path, free_port()), {})
    added = await asked(lambda: desk.add(ASKED))
    history = History(tmp_path / "history.sqlite", settings=HistorySettings())
    await history.open()
    assert [window.reason for window in await history.windows()] == ["update"]
    await history.close()
    ended = await asked(lambda: desk.end(added["id"], "me"))
    assert ended["id"] == added["id"]
    assert await asked(lambda: desk.all(past=False)) == []
    assert [w["id"] for w in await asked(lambda: desk.all(past=True))] == [added["id"]]


async def test_list_shows_what_is_configured_as_well(tmp_path: Path) -> None:
    """One list answers who is silenced, and when next."""
    weekly = MaintenanceWindow.model_validate(
        {"name": "weekly", "cron": "0 3 * * 1", "duration_seconds": 3600, "reason": "update"}
    )
    settings = settings_for(tmp_path, free_port()).model_copy(update={"maintenance": (weekly,)})
    shown = await asked(lambda: Desk(settings, {}).all(past=False))
    assert [window["id"] for window in shown] == ["weekly"]


async def test_sidecar_that_does_not_answer_is_told_from_none(tmp_path: Path) -> None:
    """Where something listens and says nothing of use, the history is left alone."""

    async def cut(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cut)
    server = TestServer(app)
    await server.start_server()
    assert server.port is not None
    desk = Desk(settings_for(tmp_path, server.port), {})
    with pytest.raises(UnreachableError, match="does not answer"):
        await asked(lambda: desk.add(ASKED))
    await server.close()
    assert not (tmp_path / "history.sqlite").exists()


ODD = {
    "no HTTP": b"\x00\xff garbage\r\n\r\n",
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "other JSON": b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"ok": 1}',
    "deep JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"[" * 99_999,
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{",
    "closed at once": b"",
}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
async def test_what_listens_and_is_no_headwatch_is_said_so(tmp_path: Path, said: bytes) -> None:
    """Its word is not taken for a window, and its port is not taken for a free one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    desk = Desk(settings_for(tmp_path / "data", port), {})
    async with server:
        for question in (
            partial(desk.all, past=False),
            partial(desk.add, ASKED),
            partial(desk.end, "w1", "me"),
        ):
            with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}"):
                await asked(question)
    assert not (tmp_path / "data").exists()


async def test_history_that_cannot_be_used_is_not_an_empty_one(tmp_path: Path) -> None:
    """Without a sidecar: nobody is told that there are no windows, or that one is kept."""
    (tmp_path / "data").write_text("a file")
    desk = Desk(settings_for(tmp_path / "data", free_port()), {})
    for question in (
        partial(desk.all, past=False),
        partial(desk.add, ASKED),
        partial(desk.end, "w1", "me"),
    ):
        with pytest.raises(UnreachableError, match="data"):
            await asked(question)


async def test_history_of_another_sidecar_is_not_written_behind_its_back(tmp_path: Path) -> None:
    """One that runs, and listens elsewhere than the configuration says by now."""
    claim = Claim(tmp_path)
    claim.take()
    desk = Desk(settings_for(tmp_path, free_port()), {})
    with pytest.raises(UnreachableError, match="another headwatch uses"):
        await asked(partial(desk.add, ASKED))
    claim.release()
    assert (await asked(partial(desk.add, ASKED)))["id"] == "w1"


async def test_looking_leaves_no_file_behind(tmp_path: Path) -> None:
    """Who looks may be root, and the sidecar could not write a file of root's."""
    desk = Desk(settings_for(tmp_path / "data", free_port()), {})
    assert await asked(partial(desk.all, past=True)) == []
    assert not (tmp_path / "data").exists()


def test_line_of_a_window_says_what_a_person_asks() -> None:
    """Which, since when, of whom, why and by whom; nothing in it can move a terminal's cursor."""
    window = {
        "id": "w1",
        "active": True,
        "starts_at": "2026-11-24T02:00:00.000Z",
        "ends_at": "2026-11-24T04:00:00.000Z",
        "networks": [],
        "nodes": ["local", "other"],
        "reason": "a new\x1b[2J disk",
        "actor": "me",
        "ended_by": "",
    }
    shown = line(window)
    assert shown.startswith("w1  active  2026-11-24T02:00:00.000Z to 2026-11-24T04:00:00.000Z")
    assert "node local, node other" in shown
    assert "(me)" in shown
    assert "\x1b" not in shown
    assert "everything" in line({**window, "nodes": [], "active": False})
    assert "ended by you" in line({**window, "ended_by": "you"})


def test_operator_is_who_is_at_the_keyboard() -> None:
    """Behind sudo the person counts, not root."""
    assert operator({"SUDO_USER": "ada"}) == "ada"
    assert operator({}) != ""
