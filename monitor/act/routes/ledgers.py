"""The ledgers: what is known of each, and the whole report of one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from monitor.act.answers import json_answer, problem
from monitor.act.ledgers import ledgers_json
from monitor.act.view import View

PATH = "/api/v1/ledger"
JSON = "application/json"
NONE_CONFIGURED = "no ledger is configured: name one under `ledgers` in the configuration"
NO_REPORT = "it was not compared whole yet: there is no report"


class Ledgers:
    """`/api/v1/ledger` and what is below it."""

    def __init__(self, view: View) -> None:
        self._view = view

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get(PATH, self.all)
        router.add_get(f"{PATH}/{{name}}", self.one)

    async def all(self, request: web.Request) -> web.Response:
        """Every ledger: its finding, the block, what it comes to."""
        del request
        snapshot = self._view.snapshot()
        if not snapshot.ledgers:
            return problem(NONE_CONFIGURED, 404)
        return json_answer(ledgers_json(snapshot))

    async def one(self, request: web.Request) -> web.StreamResponse:
        """The report of the last comparison, whole: `docs/ledger.schema.json`."""
        name = request.match_info["name"]
        known = {facts.name for facts in self._view.snapshot().ledgers}
        if name not in known or self._view.ledger_report is None:
            return problem("ledger: there is none of this name in the configuration", 404)
        path: Path = self._view.ledger_report(name)
        if not await asyncio.to_thread(path.is_file):
            return problem(NO_REPORT, 404)
        return web.FileResponse(path, headers={"Content-Type": JSON})
