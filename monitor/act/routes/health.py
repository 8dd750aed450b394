"""For those who start, stop and route to things: is it alive, ready, on the chain?"""

from __future__ import annotations

from aiohttp import web

from monitor.act.answers import json_answer, parameter, problem
from monitor.act.synced import synced
from monitor.act.view import View


class Health:
    """`/-/healthy`, `/-/ready` and `/-/synced`."""

    def __init__(self, view: View) -> None:
        self._view = view

    def add(self, router: web.UrlDispatcher) -> None:
        router.add_get("/-/healthy", self.healthy)
        router.add_get("/-/ready", self.ready)
        router.add_get("/-/synced", self.synced)

    async def healthy(self, request: web.Request) -> web.Response:
        """200 while the loop turns. Never depends on a chain."""
        del request
        if self._view.alive():
            return web.Response(text="the loop is alive\n")
        return web.Response(text="the loop stands still\n", status=503)

    async def ready(self, request: web.Request) -> web.Response:
        """200 once every network has finished its first round."""
        del request
        if self._view.snapshot().ready:
            return web.Response(text="ready\n")
        return web.Response(text="the first round is not finished\n", status=503)

    async def synced(self, request: web.Request) -> web.Response:
        """200 when the node, or without `?node=` every one, is on its network's chain; else 503."""
        name = parameter(request, "node")
        snapshot = self._view.snapshot()
        nodes = [facts for facts in snapshot.endpoints if facts.kind == "node"]
        if name is not None:
            nodes = [facts for facts in nodes if facts.name == name]
            if not nodes:
                return problem("node: there is none of this name in the configuration", 404)
        answers = [synced(snapshot, facts) for facts in nodes]
        is_synced = bool(answers) and all(answer.is_synced for answer in answers)
        document = {
            "synced": is_synced,
            "nodes": [
                {
                    "node": answer.node,
                    "network": answer.network,
                    "synced": answer.is_synced,
                    "reasons": list(answer.reasons),
                }
                for answer in answers
            ],
        }
        return json_answer(document, 200 if is_synced else 503)
