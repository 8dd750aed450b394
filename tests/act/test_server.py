from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.act import server
from monitor.model import Snapshot, Url
from tests.act import snapshots
from tests.act.conftest import Serve, Stage

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "gate.schema.json").read_text(encoding="utf-8")
)
ROUTES = (
    "/",
    "/?refresh=0",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/-/synced",
    "/-/synced?node=local",
    "/api/v1/verdict",
    "/probe?target=local",
    "/probe?target=local&debug=1",
    "/probe?target=ethereum/a",
    "/probe?target=ethereum/a&debug=1",
    "/static/headwatch.css",
)


@pytest.mark.parametrize("route", [*ROUTES, "/nowhere", "/probe?target=nobody", "/-/reload"])
async def test_headers_on_every_answer_are_strict(route: str, serve: Serve) -> None:
    """Pages and errors alike forbid scripts, frames, sniffing and referrers."""
    client = await serve(Stage())
    async with client.get(route) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Server"] == "headwatch"


@pytest.mark.parametrize("route", ROUTES)
async def test_head_answers_as_get_without_a_body(route: str, serve: Serve) -> None:
    """HEAD works wherever GET does."""
    client = await serve(Stage())
    async with client.head(route) as answer:
        assert answer.status == 200
        assert await answer.read() == b""


@pytest.mark.parametrize("route", ROUTES)
async def test_url_with_a_key_never_appears(route: str, serve: Serve) -> None:
    """A provider's key is in the path of its URL; no route shows any part of it."""
    url = Url(f"https://rpc.example.org/v3/{snapshots.KEY}?token={snapshots.KEY}")
    healthy = snapshots.healthy()
    shown = replace(healthy, endpoints=tuple(replace(e, url=str(url)) for e in healthy.endpoints))
    client = await serve(Stage(shown))
    async with client.get(route) as answer:
        assert snapshots.KEY not in await answer.text()


@pytest.mark.parametrize(
    ("method", "route", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/static/status.html.j2", 404),
        ("GET", "/static/..%2fserver.py", 404),
        ("POST", "/metrics", 405),
        ("GET", "/-/reload", 405),
        ("GET", "/probe", 400),
        ("GET", "/probe?target=" + "x" * 201, 400),
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
    client = await serve(Stage())
    async with client.request(method, route) as answer:
        assert answer.status == status
        assert list(await answer.json()) == ["error"]


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


async def test_metrics_fifty_scrapes_at_once_draw_one_page(serve: Serve) -> None:
    """However many ask at the same moment, the snapshot is looked at once."""
    stage = Stage(snapshots.fleet(20))
    client = await serve(stage)

    async def scrape() -> bytes:
        async with client.get("/metrics") as answer:
            return await answer.read()

    bodies = await asyncio.gather(*(scrape() for _ in range(50)))
    assert stage.looks == 1
    assert len(set(bodies)) == 1


async def test_metrics_after_half_a_second_are_drawn_anew(serve: Serve) -> None:
    """A page is kept for a moment only, and the second one tells how long the first took."""
    stage = Stage()
    client = await serve(stage)
    async with client.get("/metrics") as answer:
        assert "headwatch_scrape_duration_seconds" not in await answer.text()
    stage.now += server.KEEP_SECONDS
    async with client.get("/metrics") as answer:
        assert "headwatch_scrape_duration_seconds 0.0" in await answer.text()
    assert stage.looks == 2


async def test_metrics_formats_are_kept_apart(serve: Serve) -> None:
    """One scraper's OpenMetrics is not handed to the next one that wants Prometheus' text."""
    client = await serve(Stage())
    async with client.get("/metrics", headers={"Accept": "application/openmetrics-text"}) as one:
        assert (await one.text()).endswith("# EOF\n")
        assert one.headers["Content-Type"].startswith("application/openmetrics-text")
    async with client.get("/metrics") as other:
        assert "# EOF" not in await other.text()


async def test_metrics_are_packed_for_those_who_unpack(serve: Serve) -> None:
    """The gzip page is the same page; who does not accept it gets it plain."""
    client = await serve(Stage())
    accept = {"Accept-Encoding": "gzip"}
    async with client.get("/metrics", headers=accept) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        text = await packed.text()
    async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as plain:
        assert "Content-Encoding" not in plain.headers
        assert await plain.text() == text
    assert len(gzip.compress(text.encode())) < len(text)


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
async def test_healthy_never_depends_on_the_chain(situation: str, serve: Serve) -> None:
    """Liveness is the loop's: no state of any chain restarts a sidecar."""
    stage = Stage(snapshots.SITUATIONS[situation])
    client = await serve(stage)
    async with client.get("/-/healthy") as answer:
        assert answer.status == 200
    stage.is_alive = False
    async with client.get("/-/healthy") as answer:
        assert answer.status == 503


async def test_ready_after_the_first_round(serve: Serve) -> None:
    """Not ready before every network was asked once; ready from then on, whatever was found."""
    stage = Stage(snapshots.beginning())
    client = await serve(stage)
    async with client.get("/-/ready") as answer:
        assert answer.status == 503
    stage.snapshot = snapshots.split()
    async with client.get("/-/ready") as answer:
        assert answer.status == 200


async def test_reload_off_is_refused(serve: Serve) -> None:
    """It is off by default."""
    stage = Stage()
    client = await serve(stage)
    async with client.post("/-/reload") as answer:
        assert answer.status == 403
    assert stage.reloads == 0


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("Bearer wrong", 401),
        ("Bearer ", 401),
        ("Basic the-token", 401),
        ("Bearer thé-token", 401),
        ("Bearer the-token", 200),
        ("bearer the-token", 200),
    ],
)
async def test_reload_with_a_token_asks_for_it(
    authorization: str | None, status: int, serve: Serve
) -> None:
    """Only who bears the token reloads."""
    stage = Stage()
    client = await serve(stage, reload=True, token="the-token")  # noqa: S106 - of this test
    headers = {"Authorization": authorization} if authorization else {}
    async with client.post("/-/reload", headers=headers) as answer:
        assert answer.status == status
        assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert stage.reloads == (status == 200)


@pytest.mark.parametrize(
    ("site", "status"), [(None, 200), ("none", 200), ("same-origin", 200), ("cross-site", 403)]
)
async def test_reload_without_a_token_is_not_for_other_sites(
    site: str | None, status: int, serve: Serve
) -> None:
    """A page open in a browser on this machine cannot ask for it."""
    stage = Stage()
    client = await serve(stage, reload=True)
    headers = {"Sec-Fetch-Site": site} if site else {}
    async with client.post("/-/reload", headers=headers) as answer:
        assert answer.status == status
    assert stage.reloads == (status == 200)


async def test_reload_that_fails_says_why(serve: Serve) -> None:
    """The old configuration stays, and the answer is the reason."""
    stage = Stage(problem="headwatch.yaml:7: nodes: expected a list")
    client = await serve(stage, reload=True)
    async with client.post("/-/reload") as answer:
        assert answer.status == 422
        assert (await answer.json())["error"] == stage.problem


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
async def test_verdict_fits_the_schema_of_the_gate(situation: str, serve: Serve) -> None:
    """The API answers with the gate's own document, 200 whatever the verdict."""
    client = await serve(Stage(snapshots.SITUATIONS[situation]))
    async with client.get("/api/v1/verdict") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        assert list(Draft202012Validator(SCHEMA).iter_errors(await answer.json())) == []


def test_assets_on_the_page_are_those_that_are_served() -> None:
    """Every file of the folder but the template is served, and the table names no other."""
    folder = files("monitor.act").joinpath("web")
    there = {entry.name for entry in folder.iterdir()}
    assert there == {*server.ASSETS, "status.html.j2"}


async def test_assets_have_their_types_and_may_be_kept(serve: Serve) -> None:
    """Under nosniff a wrong type would leave the page without its style."""
    client = await serve(Stage())
    for name, kind in server.ASSETS.items():
        async with client.get(f"/static/{name}") as answer:
            assert (answer.status, answer.content_type) == (200, kind)
            assert "max-age" in answer.headers["Cache-Control"]
