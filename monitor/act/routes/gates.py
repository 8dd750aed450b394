"""`/api/v1/gate/NAME`: a gate of the configuration, for delivery tools that ask by HTTP.

Argo Rollouts reads a boolean of the document (GET, `jsonPath: {$.data.ok}`); Flagger goes on after
a 200 and shows the body of anything else (POST). Both only look: nothing is changed.
"""

from __future__ import annotations

import difflib

from aiohttp import web

from monitor import __version__
from monitor.act.answers import json_answer, problem
from monitor.act.report import gate_json
from monitor.act.rulings import ruling_headline
from monitor.act.view import View
from monitor.act.words import plain
from monitor.model import Verdict
from monitor.policy.evaluation import Ruling

NONE_CONFIGURED = "no gate is configured: name one under `gate` in the configuration"
NAME_CHARACTERS_MAX = 63


class Gates:
    """`/api/v1/gate/NAME`, for those who read and those who only look at the status."""

    def __init__(self, view: View) -> None:
        self._view = view

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/v1/gate/{name}", self.document)
        router.add_post("/api/v1/gate/{name}", self.go_on)

    async def document(self, request: web.Request) -> web.Response:
        """The gate's document of this moment: 200, whatever the verdict."""
        judged = await self._judged(request)
        if isinstance(judged, web.Response):
            return judged
        verdict, ruling = judged
        return json_answer(gate_json(verdict, version=__version__, ruling=ruling))

    async def go_on(self, request: web.Request) -> web.Response:
        """200 for a pass; else 503, and the reason in one line. What was sent is not read."""
        judged = await self._judged(request)
        if isinstance(judged, web.Response):
            return judged
        verdict, ruling = judged
        sentence = f"{ruling.word}: {plain(ruling_headline(verdict, ruling))}\n"
        return web.Response(text=sentence, status=200 if ruling.word == "pass" else 503)

    async def _judged(self, request: web.Request) -> tuple[Verdict, Ruling] | web.Response:
        name, gates = request.match_info["name"], self._view.gates
        if gates is None or not gates.names:
            return problem(NONE_CONFIGURED, 404)
        if name not in gates.names:
            near = difflib.get_close_matches(name[:NAME_CHARACTERS_MAX], gates.names, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            return problem(f"gate: there is none of this name in the configuration{hint}", 404)
        return await gates.judge(name)
