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
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.error import HTTPError
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
HISTORY = "history.sqlite"
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
            return self._shown(self._direct(directly)) if answer is None else answer
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
            return await history.windows(past=past)

        answer = self._asked("GET", f"{PATH}?past={int(past)}")
        if answer is not None:
            found: list[Json] = answer["windows"]
            return found
        kept = () if self._is_without_history() else self._direct(directly)
        coming = windows_of(self.settings.maintenance, kept, self.clock())
        named = {window.id for window in coming}
        shown = (*coming, *(window for window in kept if window.id not in named))
        return [self._shown(window) for window in shown]

    def _shown(self, window: Window) -> Json:
        from monitor.act.state import window_json

        return window_json(window, self.clock())

    @property
    def _directory(self) -> Path:
        return data_directory(self.settings, self.env)

    def _is_without_history(self) -> bool:
        """Whoever looks leaves no file behind: a sidecar could not write one of root's."""
        try:
            (self._directory / HISTORY).lstat()
        except FileNotFoundError:
            return True
        except OSError:
            return False  # The history says what is wrong.
        return False

    def _direct(self, action: Callable[[History], Awaitable[R]]) -> R:
        """What is done in the history itself. Raises UnreachableError where it cannot be used."""
        from monitor.history import History, HistoryError
        from monitor.history.claim import Claim

        claim = Claim(self._directory)

        async def act() -> R:
            path, settings = self._directory / HISTORY, self.settings.history
            history = History(path, settings=settings, clock=self.clock, claim=claim.take)
            await history.open()
            try:
                if history.problem:
                    raise UnreachableError(history.problem)
                return await action(history)
            except HistoryError as error:
                raise UnreachableError(str(error)) from None
            finally:
                await history.close()
                claim.release()

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
                found = _object(answer.read(ANSWER_BYTES_MAX))
        except HTTPError as error:
            message = f"the sidecar refused: {_refusal(error)}"
            raise WindowError(message) from None
        except (HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ConnectionRefusedError):
                return None
            if isinstance(error, HTTPException) and not isinstance(error, OSError):
                reason = "what it says is not HTTP"
            message = f"the sidecar at {http.listen} does not answer: {reason}"
            raise UnreachableError(message) from None
        if ("windows" if method == "GET" else "id") not in found:
            message = f"what listens at {http.listen} is no headwatch, or an older one"
            raise UnreachableError(message)
        return found


def _refusal(error: HTTPError) -> str:
    """Why a sidecar refuses, in its own words where they can be read."""
    try:
        said = _object(error.read(ANSWER_BYTES_MAX)).get("error")
    except (HTTPException, OSError):
        said = None
    return plain(str(said or error.reason))


def _object(body: bytes) -> Json:
    """A JSON object; an empty one where something else listens there."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
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
