from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from monitor.act.answers import PARAMETER_CHARACTERS_MAX
from monitor.model import Snapshot
from monitor.url import Url
from tests.act import pasts, snapshots
from tests.act.conftest import Serve, Stage

ROUTES = (
    "/",
    "/?refresh=0",
    "/node/local",
    "/incidents",
    "/incidents?network=ethereum&node=local",
    "/runbook",
    "/runbook/HeadwatchNodeStalled",
    "/badge.svg",
    "/badge/local.svg",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/-/synced",
    "/-/synced?node=local",
    "/api/v1/verdict",
    "/api/v1/state",
    "/api/v1/incidents",
    "/api/v1/history?node=local",
    "/api/v1/maintenance",
    "/probe?target=local",
    "/probe?target=local&debug=1",
    "/probe?target=ethereum/a",
    "/probe?target=ethereum/a&debug=1",
    "/static/headwatch.css",
    "/static/live.js",
)
END_SECONDS_MAX = 10.0
LIVE = "/api/v1/events"
"""Its body never ends: only its head is asked for in a row with others."""


async def staged() -> Stage:
    """A stage with a past."""
    history = await pasts.history_at()
    pasts.live_through(history, [(0.2, snapshots.healthy()), (0.1, snapshots.unreachable())])
    await history.flush()
    return Stage(snapshots.unreachable(), history=history)


@pytest.mark.parametrize("route", [*ROUTES, "/nowhere", "/probe?target=nobody", "/-/reload"])
async def test_headers_on_every_answer_are_strict(route: str, serve: Serve) -> None:
    """Pages and errors alike take scripts and styles from here only, and no frames or sniffing."""
    client = await serve(await staged())
    async with client.get(route) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        is_badge = route.startswith("/badge")
        shared = answer.headers["Cross-Origin-Resource-Policy"]
        assert shared == ("cross-origin" if is_badge else "same-origin")
        may_be_kept = is_badge or route.startswith("/static/")
        assert (answer.headers["Cache-Control"] == "no-store") is not may_be_kept
        assert answer.headers["Server"] == "headwatch"


@pytest.mark.parametrize("route", [*ROUTES, LIVE])
async def test_head_answers_as_get_without_a_body(route: str, serve: Serve) -> None:
    """HEAD works wherever GET does."""
    stage = await staged()
    stage.snapshot = snapshots.healthy()
    client = await serve(stage)
    async with client.head(route) as answer:
        assert answer.status == 200
        assert await answer.read() == b""


@pytest.mark.parametrize("route", ROUTES)
async def test_url_with_a_key_never_appears(route: str, serve: Serve) -> None:
    """A provider's key is in the path of its URL; no route shows any part of it."""
    url = Url(f"https://rpc.example.org/v3/{snapshots.KEY}?token={snapshots.KEY}")
    stage = await staged()
    endpoints = tuple(replace(e, url=str(url)) for e in stage.snapshot.endpoints)
    stage.snapshot = replace(stage.snapshot, endpoints=endpoints)
    client = await serve(stage)
    async with client.get(route) as answer:
        assert snapshots.KEY not in await answer.text()


@pytest.mark.parametrize(
    ("method", "route", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/layout.html.j2", 404),
        ("GET", "/static/..%2fserver.py", 404),
        ("GET", "/static/vendor%2fuPlot.min.css", 404),
        ("GET", "/node/nobody", 404),
        ("GET", "/node/a", 404),
        ("GET", "/node/ethereum%2fa", 404),
        ("GET", "/badge/nobody.svg", 404),
        ("GET", "/badge/..%2f.svg", 404),
        ("GET", "/runbook/Nothing", 404),
        ("GET", "/runbook/..%2f..%2fREADME", 404),
        ("GET", "/incidents?network=nowhere", 404),
        ("GET", "/incidents?node=nobody", 404),
        ("GET", "/incidents?node=local&node=local", 400),
        ("GET", "/incidents?refresh=soon", 400),
        ("GET", "/api/v1/incidents?limit=101", 400),
        ("GET", "/api/v1/history", 404),
        ("GET", "/api/v1/history?node=nobody", 404),
        ("GET", "/api/v1/history?node=local&hours=745", 400),
        ("GET", "/api/v1/history?node=local&hours=-1", 400),
        ("GET", "/api/v1/maintenance?past=yes", 400),
        ("PUT", "/api/v1/maintenance", 405),
        ("POST", "/metrics", 405),
        ("GET", "/-/reload", 405),
        ("GET", "/probe", 400),
        ("GET", "/probe?target=" + "x" * (PARAMETER_CHARACTERS_MAX + 1), 400),
        ("GET", "/probe?target=local&target=spare", 400),
        ("GET", "/probe?target=local&debug=yes", 400),
        ("GET", "/probe?target=nobody", 404),
        ("GET", "/probe?target=http://127.0.0.1:8545", 404),
        ("GET", "/-/synced?node=nobody", 404),
        ("GET", "/-/synced?node=ethereum/a", 404),
        ("GET", "/?refresh=-1", 400),
        ("GET", "/?refresh=3601", 400),
        ("GET", "/?refresh=%D9%A3", 400),
    ],
)
async def test_request_that_makes_no_sense_is_refused_in_json(
    method: str, route: str, status: int, serve: Serve
) -> None:
    """What is not there or not understood is refused with one sentence, never with a traceback."""
    client = await serve(await staged())
    async with client.request(method, route) as answer:
        assert answer.status == status
        assert list(await answer.json()) == ["error"]
        assert ("Allow" in answer.headers) is (status == 405)


async def test_server_that_ends_lets_open_pages_go(serve: Serve) -> None:
    """A line of news never ends by itself: the process would wait for it until it is killed."""
    stage = Stage()
    client = await serve(stage)
    async with client.get(LIVE) as answer:
        await answer.content.readline()
        async with asyncio.timeout(END_SECONDS_MAX):
            await client.server.close()
            await answer.content.read()
    assert stage.live.clients == 0


async def test_mistake_of_ours_is_counted_and_tells_nothing(serve: Serve) -> None:
    """A crash in a handler is a 500 without detail, and a count that an alert can watch."""
    stage = Stage()

    def crash() -> Snapshot:
        message = "secret detail"
        raise RuntimeError(message)

    stage.look = crash  # type: ignore[method-assign]
    client = await serve(stage)
    async with client.get("/api/v1/verdict") as answer:
        assert answer.status == 500
        assert "secret" not in await answer.text()
    counted = stage.instruments.internal_errors.labels(place="http")
    assert counted._value.get() == 1.0
