"""What may be changed from outside: the configuration read again, and maintenance windows."""

from __future__ import annotations

import json
from dataclasses import asdict

from aiohttp import web

from monitor.act.answers import json_answer, not_allowed, parameter, problem, refused
from monitor.act.report import Json
from monitor.act.state import window_json
from monitor.act.view import View
from monitor.history.record import HistoryError
from monitor.maintenance import ACTOR_CHARACTERS_MAX, CONFIGURATION, Window, one_off

NO_HISTORY = "one-off windows need the history, and there is none here"


class Changes:
    """`/-/reload` and `/api/v1/maintenance`."""

    def __init__(self, view: View) -> None:
        self._view = view

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_post("/-/reload", self.reload)
        router.add_get("/api/v1/maintenance", self.windows)
        router.add_post("/api/v1/maintenance", self.add_window)
        router.add_delete("/api/v1/maintenance/{id}", self.end_window)

    async def reload(self, request: web.Request) -> web.Response:
        """Reads the configuration again; 422 and the reason when it cannot be used."""
        if self._view.reload is None:
            return problem("reload is off: set http.reload, or send SIGHUP", 403)
        refusal = not_allowed(request, self._view.token)
        if refusal is not None:
            return refusal
        trouble = await self._view.reload()
        if trouble is not None:
            return problem(trouble, 422)
        return json_answer({"reloaded": True})

    async def windows(self, request: web.Request) -> web.Response:
        """The windows that are active and planned; with `past=1` the one-offs that are over too."""
        past = parameter(request, "past") or "0"
        if past not in {"0", "1", "false", "true"}:
            return problem("past: expected 0, 1, false or true", 400)
        windows = self._view.windows()
        if past in {"1", "true"} and self._view.history is not None:
            shown = {window.id for window in windows}
            older = await self._view.history.windows(past=True)
            windows = (*windows, *(window for window in older if window.id not in shown))
        return json_answer({"windows": [self._window(window) for window in windows]})

    async def add_window(self, request: web.Request) -> web.Response:
        """Adds a one-off window; 422 and one line where the document asks for none."""
        refusal = refused(request, self._view.token)
        if refusal is not None:
            return refusal
        if request.content_type != "application/json":
            return problem("Content-Type: expected application/json", 415)
        history = self._view.history
        if history is None:
            return problem(NO_HISTORY, 503)
        snapshot = self._view.snapshot()
        try:
            asked = one_off(
                _document(await request.read()),
                now=snapshot.at,
                networks={network.name for network in snapshot.networks},
                nodes={facts.name for facts in snapshot.endpoints if facts.kind == "node"},
            )
        except ValueError as error:
            return problem(str(error), 422)
        try:
            window = await history.add_window(**asdict(asked))
        except HistoryError as error:
            return problem(str(error), 503)
        await self._view.windows_changed()
        return json_answer(self._window(window), 201)

    async def end_window(self, request: web.Request) -> web.Response:
        """Ends a one-off before its time; `?actor=` says who did."""
        refusal = refused(request, self._view.token)
        if refusal is not None:
            return refusal
        actor = (parameter(request, "actor") or "").strip()
        if not 1 <= len(actor) <= ACTOR_CHARACTERS_MAX or not actor.isprintable():
            most = ACTOR_CHARACTERS_MAX
            return problem(f"actor: expected one line of 1 to {most} printable characters", 422)
        name = request.match_info["id"]
        if any(w.id == name and w.actor == CONFIGURATION for w in self._view.windows()):
            return problem(f"{name} comes from the configuration: change it there", 409)
        history = self._view.history
        try:
            window = None if history is None else await history.end_window(name, actor=actor)
        except HistoryError as error:
            return problem(str(error), 503)
        if window is None:
            return problem("id: there is no such window that is planned or active", 404)
        await self._view.windows_changed()
        return json_answer(self._window(window))

    def _window(self, window: Window) -> Json:
        return window_json(window, self._view.snapshot().at)


def _document(body: bytes) -> object:
    """JSON as it came. Raises ValueError with one line."""
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        message = "body: expected a JSON object"
        raise ValueError(message) from None
    return document
