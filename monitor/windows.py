"""`headwatch maintenance`: windows through the running sidecar, or in its history when none runs.

A window that is added through the sidecar holds at once. With nothing listening at its address the
history of `data_dir` is written directly, and the next start finds the window there.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from monitor.act.words import plain
from monitor.config import Settings, data_directory
from monitor.maintenance import ACTOR_CHARACTERS_MAX, Window, one_off, windows_of

if TYPE_CHECKING:
    from monitor.history import History

ANSWER_SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 1 << 20
PATH = "/api/v1/maintenance"
R = TypeVar("R")
Json = Mapping[str, Any]


class WindowError(Exception):
    """The window was refused; the text is one line for a person."""


class UnreachableError(Exception):
    """Nobody can be asked: neither a sidecar nor its history; the text says why."""


class Desk:
    """Where windows are kept: with a sidecar, or in its history where none runs."""

    def __init__(
        self,
        settings: Settings,
        env: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.env = env
        self.clock = clock

    def add(self, document: Mapping[str, object]) -> Json:
        """The window that this document asks for, as added. Raises WindowError."""

        async def directly(history: History) -> Window:
            asked = one_off(
                dict(document),
                now=self.clock(),
                networks=set(self.settings.networks),
                nodes={node.name for node in self.settings.nodes},
            )
            return await history.add_window(**asdict(asked))

        try:
            answer = self._asked("POST", PATH, document)
            return answer or self._shown(self._direct(directly))
        except ValueError as error:
            raise WindowError(str(error)) from None

    def end(self, name: str, actor: str) -> Json:
        """The window of this name, ended before its time. Raises WindowError."""

        async def directly(history: History) -> Window | None:
            return await history.end_window(name, actor=actor)

        answer = self._asked("DELETE", f"{PATH}/{quote(name, safe='')}?actor={quote(actor)}")
        if answer is not None:
            return answer
        window = self._direct(directly)
        if window is None:
            message = f"there is no one-off window {name!r} that is planned or active"
            raise WindowError(message)
        return self._shown(window)

    def all(self, *, past: bool) -> list[Json]:
        """The windows that are active, then those that are planned; with `past` also the rest."""

        async def directly(history: History) -> Sequence[Window]:
            kept = await history.windows(past=past)
            now = self.clock()
            coming = windows_of(self.settings.maintenance, kept, now)
            named = {window.id for window in coming}
            return (*coming, *(window for window in kept if window.id not in named))

        answer = self._asked("GET", f"{PATH}?past={int(past)}")
        if answer is not None:
            found: list[Json] = answer["windows"]
            return found
        return [self._shown(window) for window in self._direct(directly)]

    def _shown(self, window: Window) -> Json:
        from monitor.act.state import window_json

        return window_json(window, self.clock())

    def _direct(self, action: Callable[[History], Awaitable[R]]) -> R:
        from monitor.history import History

        directory = data_directory(self.settings, self.env)

        async def act() -> R:
            path = directory / "history.sqlite"
            history = History(path, settings=self.settings.history, clock=self.clock)
            await history.open()
            try:
                return await action(history)
            finally:
                await history.close()

        return asyncio.run(act())

    def _asked(
        self, method: str, path: str, document: Mapping[str, object] | None = None
    ) -> Json | None:
        """The sidecar's answer; None where nothing listens.

        Raises WindowError with the reason when the sidecar refuses, UnreachableError when it does
        not answer.
        """
        http = self.settings.http
        body = None if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        if http.token_file is not None and method != "GET":
            headers["Authorization"] = f"Bearer {_token(http.token_file)}"
        url = f"{http.local_url}{path}"  # http, and ours
        asked = Request(url, body, headers, method=method)  # noqa: S310
        try:
            # Past any proxy: it is on this machine.
            opener = build_opener(ProxyHandler({}))
            with opener.open(asked, timeout=ANSWER_SECONDS_MAX) as answer:
                return _object(answer.read(ANSWER_BYTES_MAX))
        except HTTPError as error:
            said = _object(error.read(ANSWER_BYTES_MAX)).get("error")
            message = f"the sidecar refused: {said or error.reason}"
            raise WindowError(message) from None
        except (URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ConnectionRefusedError):
                return None
            message = f"the sidecar at {http.listen} does not answer: {reason}"
            raise UnreachableError(message) from None


def _object(body: bytes) -> Json:
    """A JSON object; an empty one where something else listens there."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"http.token_file cannot be read: {getattr(error, 'strerror', 'not UTF-8')}"
        raise WindowError(message) from None


def line(window: Json) -> str:
    """A window on one line: `w1  active  until 12:00:00Z  node local  update (me)`."""
    kind = "ended" if window["ended_by"] else "active" if window["active"] else "planned"
    covered = [f"node {name}" for name in window["nodes"]]
    covered += [f"network {name}" for name in window["networks"]]
    said = f"{window['reason']} ({window['actor']})"
    if window["ended_by"]:
        said += f", ended by {window['ended_by']}"
    return "  ".join(
        plain(text)
        for text in (
            window["id"],
            kind,
            f"{window['starts_at']} to {window['ends_at']}",
            ", ".join(covered) or "everything",
            said,
        )
    )


def operator(env: Mapping[str, str] = os.environ) -> str:
    """Who is at the keyboard, for the record: the user, also behind sudo."""
    try:
        name = env.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return name[:ACTOR_CHARACTERS_MAX]
