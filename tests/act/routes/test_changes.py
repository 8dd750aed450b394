from __future__ import annotations

import pytest

from monitor.history.history import WINDOWS_MAX
from monitor.maintenance import CONFIGURATION, Window
from tests.act.conftest import Serve, Stage
from tests.act.pasts import history_at
from tests.act.snapshots import NOW

PATH = "/api/v1/maintenance"
WANTED = {"duration_seconds": 3600, "nodes": ["local"], "reason": "update", "actor": "alice"}


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
    ("site", "status"),
    [(None, 200), ("none", 200), ("same-origin", 200), ("same-site", 403), ("cross-site", 403)],
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


async def test_window_is_added_seen_and_ended(serve: Serve) -> None:
    """From the request to the pages and back: who, why, until when, and who ended it."""
    stage = Stage(history=await history_at())
    client = await serve(stage)
    async with client.post(PATH, json=WANTED) as answer:
        assert answer.status == 201
        window = await answer.json()
    assert (window["id"], window["active"], window["nodes"]) == ("w1", True, ["local"])
    assert (window["reason"], window["actor"]) == ("update", "alice")
    async with client.get(PATH) as answer:
        assert (await answer.json())["windows"] == [window]
    async with client.get(f"{PATH}?past=1") as answer:
        assert (await answer.json())["windows"] == [window], "what still holds is told once"
    async with client.get("/?refresh=0") as answer:
        assert "by alice" in await answer.text()
    async with client.delete(f"{PATH}/w1?actor=bob") as answer:
        assert (answer.status, (await answer.json())["ended_by"]) == (200, "bob")
    async with client.get(PATH) as answer:
        assert (await answer.json())["windows"] == []
    async with client.get(f"{PATH}?past=1") as answer:
        (over,) = (await answer.json())["windows"]
        assert (over["id"], over["ended_by"]) == ("w1", "bob")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"nodes": ["nobody"]}, "nodes"),
        ({"networks": ["nowhere"]}, "networks"),
        ({"duration_seconds": 5}, "duration_seconds"),
        ({"reason": ""}, "reason"),
        ({"actor": "two\nlines"}, "actor"),
        ({"starts_at": "yesterday"}, "starts_at"),
        ({"why": "no such field"}, "field"),
    ],
)
async def test_window_that_cannot_be_is_refused_in_one_line(
    change: dict[str, object], named: str, serve: Serve
) -> None:
    """422, the field, what was found and what was expected; nothing is added."""
    stage = Stage(history=await history_at())
    client = await serve(stage)
    async with client.post(PATH, json={**WANTED, **change}) as answer:
        assert answer.status == 422
        said = (await answer.json())["error"]
    assert named in said
    assert "expected" in said
    assert "\n" not in said
    assert stage.history is not None
    assert await stage.history.windows() == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"a"', b"[" * 60_000, b"\xff\xfe"])
async def test_window_body_that_is_no_object_is_refused(body: bytes, serve: Serve) -> None:
    """However broken or deep it is, the answer is one line."""
    client = await serve(Stage(history=await history_at()))
    headers = {"Content-Type": "application/json"}
    async with client.post(PATH, data=body, headers=headers) as answer:
        assert answer.status == 422
        assert "object" in (await answer.json())["error"]


async def test_window_body_that_is_not_encoded_as_it_says_is_refused(serve: Serve) -> None:
    """Who sends it is told, and it is no mistake of ours."""
    stage = Stage(history=await history_at())
    client = await serve(stage)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with client.post(PATH, data=b'{"reason": "plain"}', headers=headers) as answer:
        assert answer.status == 400
        assert "encoded" in (await answer.json())["error"]
    counter = stage.instruments.internal_errors.labels(place="http")
    assert sum(sample.value for metric in counter.collect() for sample in metric.samples) == 0


async def test_window_body_has_a_limit_and_a_type(serve: Serve) -> None:
    """A form of another site is not JSON, and a body of any size is not read."""
    client = await serve(Stage(history=await history_at()))
    async with client.post(PATH, data={"reason": "a form"}) as answer:
        assert answer.status == 415
    async with client.post(PATH, json={**WANTED, "reason": "x" * 70_000}) as answer:
        assert answer.status == 413
        assert list(await answer.json()) == ["error"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "headwatch.example.org"}, 403),
        ({"X-Forwarded-For": "198.51.100.7"}, 403),
    ],
)
async def test_window_without_a_token_is_for_this_machine_alone(
    headers: dict[str, str], status: int, serve: Serve
) -> None:
    """Neither another site in a browser here, nor a name that points here, nor a proxy's client."""
    stage = Stage(history=await history_at())
    client = await serve(stage)
    async with client.post(PATH, json=WANTED, headers=headers) as answer:
        assert answer.status == status
    async with client.delete(f"{PATH}/w1?actor=bob", headers=headers) as answer:
        assert answer.status == (200 if status == 201 else 403)


async def test_window_with_a_token_asks_for_it(serve: Serve) -> None:
    """Whoever bears the token may, from anywhere; whoever does not may not, also from here."""
    stage = Stage(history=await history_at())
    client = await serve(stage, token="the-token")  # noqa: S106 - of this test
    async with client.post(PATH, json=WANTED) as answer:
        assert answer.status == 401
    async with client.delete(f"{PATH}/w1?actor=bob") as answer:
        assert answer.status == 401
    bearer = {"Authorization": "Bearer the-token", "Host": "headwatch.example.org"}
    async with client.post(PATH, json=WANTED, headers=bearer) as answer:
        assert answer.status == 201
    async with client.get(PATH) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("route", "status"),
    [
        (f"{PATH}/w1", 422),
        (f"{PATH}/w1?actor=%20", 422),
        (f"{PATH}/w1?actor=" + "x" * 64, 422),
        (f"{PATH}/w7?actor=bob", 404),
        (f"{PATH}/nothing?actor=bob", 404),
        (f"{PATH}/weekly?actor=bob", 409),
    ],
)
async def test_window_that_cannot_be_ended_stays(route: str, status: int, serve: Serve) -> None:
    """Nobody ends a window without saying who he is, nor one that the configuration wants."""
    weekly = Window("weekly", NOW - 60, NOW + 60, (), (), "update", CONFIGURATION)
    client = await serve(Stage(history=await history_at(), windows=(weekly,)))
    async with client.delete(route) as answer:
        assert answer.status == status
        assert list(await answer.json()) == ["error"]


async def test_window_without_a_history_cannot_be(serve: Serve) -> None:
    """A window that nobody would remember is not promised."""
    client = await serve(Stage())
    async with client.post(PATH, json=WANTED) as answer:
        assert answer.status == 503
    closed = await history_at()
    await closed.close()
    client = await serve(Stage(history=closed))
    async with client.post(PATH, json=WANTED) as answer:
        assert answer.status == 503
        assert "cannot be written" in (await answer.json())["error"]


async def test_windows_have_a_number_beyond_which_they_are_refused(serve: Serve) -> None:
    """A script that runs wild does not fill the page."""
    stage = Stage(history=await history_at())
    client = await serve(stage)
    for _ in range(WINDOWS_MAX):
        async with client.post(PATH, json=WANTED) as answer:
            assert answer.status == 201
    async with client.post(PATH, json=WANTED) as answer:
        assert answer.status == 503
        assert str(WINDOWS_MAX) in (await answer.json())["error"]
