"""Small histories on real nodes, the jobs that look at them, and doors that lie on the way."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from monitor.lab.errors import LabError
from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.lab import PocoLab
from monitor.lab.tools import find_anvil, find_poco
from monitor.ledger.job import Job, Seat
from monitor.rpc.node import Limits
from monitor.url import Url
from monitor.wire import open_session
from tests.ledger.relay import Relay
from tests.rpc.canned import Json, as_calls, reply

SECRET = "k3y-of-an-operator"  # noqa: S105 - what must never be shown
LIMITS = Limits(deadline_seconds=20.0, body_bytes_max=64 << 20)
Change: TypeAlias = Callable[[str, list[Json], Json], Json]
"""What is made of a result on its way: of (method, parameters, result)."""


@asynccontextmanager
async def lab_of(seed: int = 3) -> AsyncIterator[PocoLab]:
    """The contracts on a node of their own; without the tools it skips, but in CI it fails."""
    try:
        binary, artifacts = find_anvil(), find_poco()
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    async with PocoLab(binary, seed=seed, artifacts=artifacts) as lab:
        yield lab


def seat_of(url: str, label: str = "node", operator: str = "") -> Seat:
    """An endpoint whose URL carries a key."""
    return Seat(label, Url(f"{url}/?key={SECRET}"), operator)


def job_of(
    deployment: Deployment, url: str | None = None, *, references: tuple[str, ...] = (), **more: Any
) -> Job:
    """What is to be done with a deployment's ledger, through its own node or another URL."""
    seats = tuple(seat_of(one, f"ref{at}", f"operator {at}") for at, one in enumerate(references))
    asked: dict[str, Any] = {"limits": LIMITS, "references": seats, **more}
    node = seat_of(url or deployment.blocks.anvil.url)
    return Job("drop", "poco-v1", deployment.hub, node, **asked)


class Door(Relay):
    """A relay that may also change what the real node answered."""

    change: Change | None = None

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        answered = await super()._serve(request)
        change = self.change
        if change is None or not isinstance(answered, web.Response):
            return answered
        assert isinstance(answered.body, bytes)
        message = json.loads(answered.body)
        asked = json.loads(await request.read())
        calls = {call["id"]: call for call in as_calls(asked)}
        for answer in as_calls(message):
            call = calls.get(answer["id"])
            if call is not None and "result" in answer:
                answer["result"] = change(call["method"], call["params"], answer["result"])
        return reply(message)


@asynccontextmanager
async def door(upstream: str) -> AsyncIterator[Door]:
    """Such a door, open until the end of the block."""
    async with open_session() as session:
        opened = Door(upstream, session)
        await opened.port.open()
        try:
            yield opened
        finally:
            await opened.port.close()


def cut_at(logs: int) -> Change:
    """A node that gives so many logs at once and says nothing of the others."""

    def change(method: str, params: list[Json], result: Json) -> Json:
        return result[:logs] if method == "eth_getLogs" else result

    return change


def other_hash(number: int, *, after: int) -> Change:
    """A block that has another hash after it was asked for so many times: it was reorganised."""
    asked = 0

    def change(method: str, params: list[Json], result: Json) -> Json:
        nonlocal asked
        if method == "eth_getBlockByNumber" and result and int(result["number"], 16) == number:
            asked += 1
            if asked > after:
                return result | {"hash": "0x" + "ab" * 32}
        return result

    return change


def ranges_of(relay: Relay) -> list[tuple[int, int]]:
    """The ranges of blocks that logs were asked for, in order."""
    filters = [call["params"][0] for call in relay.calls if call["method"] == "eth_getLogs"]
    return [(int(one["fromBlock"], 16), int(one["toBlock"], 16)) for one in filters]
