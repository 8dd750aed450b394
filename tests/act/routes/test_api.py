from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.maintenance import Window
from tests.act import pasts, snapshots
from tests.act.conftest import Serve, Stage

DOCS = Path(__file__).parents[3] / "docs"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((DOCS / name).read_text(encoding="utf-8")))


async def remembered() -> Stage:
    """A node that was well, stood still for a while, was well, and stands still again."""
    well = snapshots.healthy("local", "spare")
    history = await pasts.history_at()
    chapters = [(1.0, well), (0.5, snapshots.stalled()), (0.5, well), (0.1, snapshots.stalled())]
    pasts.live_through(history, chapters)
    await history.flush()
    return Stage(snapshots.stalled(), history=history)


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
@pytest.mark.parametrize(
    ("route", "schema"),
    [("/api/v1/verdict", "gate.schema.json"), ("/api/v1/state", "state.schema.json")],
)
async def test_documents_fit_their_schemas(
    route: str, schema: str, situation: str, serve: Serve
) -> None:
    """The API answers as its documentation says, 200 whatever the verdict."""
    client = await serve(Stage(snapshots.SITUATIONS[situation]))
    async with client.get(route) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        assert list(validator(schema).iter_errors(await answer.json())) == []


async def test_incidents_are_told_with_their_steps(serve: Serve) -> None:
    """The open ones are there, and each edge with what was seen at it."""
    client = await serve(await remembered())
    async with client.get("/api/v1/incidents") as answer:
        incidents = (await answer.json())["incidents"]
    told = [(i["check"], i["closed_at"] is None, i["worst"]) for i in incidents]
    assert sorted(told) == [
        ("head", False, "failed"),
        ("head", True, "failed"),
        ("stall", False, "failed"),
        ("stall", True, "failed"),
    ]
    closed = next(i for i in incidents if i["check"] == "stall" and i["closed_at"])
    assert [step["kind"] for step in closed["steps"]] == ["opened", "closed"]
    assert closed["steps"][0]["evidence"][0]["source"] == "local"
    head = next(i for i in incidents if i["check"] == "head")
    assert head["because"] == {"check": "stall", "subject": "node:local"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("node=local", 4),
        ("node=spare", 0),
        ("network=ethereum", 4),
        ("network=other", 0),
        ("limit=1", 1),
        ("limit=0", 1),
    ],
)
async def test_incidents_are_chosen_by_node_and_network(
    query: str, count: int, serve: Serve
) -> None:
    """Only what was asked for, and no more than was asked for."""
    client = await serve(await remembered())
    async with client.get(f"/api/v1/incidents?{query}") as answer:
        assert len((await answer.json())["incidents"]) == count


async def test_history_is_columns_of_one_length(serve: Serve) -> None:
    """What a chart is drawn from: time, head and lag, minute by minute, with the limit."""
    client = await serve(await remembered())
    async with client.get("/api/v1/history?node=local&hours=1") as answer:
        found = await answer.json()
    assert (found["node"], found["limit_blocks"], found["hours"]) == ("local", 2, 1)
    columns = [found[name] for name in ("at", "head", "lag_blocks", "network_head")]
    assert len({len(column) for column in columns}) == 1
    assert 55 <= len(found["at"]) <= 62
    assert found["at"] == sorted(found["at"])
    assert (found["lag_blocks"][0], found["lag_blocks"][-1]) == (9, 9)
    assert 0 in found["lag_blocks"]


async def test_history_of_nothing_is_not_found(serve: Serve) -> None:
    """Without a history there is no past to be asked for, and the answer says so."""
    client = await serve(Stage())
    for route in ("/api/v1/history?node=local", "/api/v1/incidents"):
        async with client.get(route) as answer:
            assert answer.status == 404
            assert "history" in (await answer.json())["error"]


async def test_state_is_never_older_than_what_was_told(serve: Serve) -> None:
    """Who asks because of a tick, or after a window began, gets what is new, however soon."""
    stage = Stage(snapshots.healthy("local", "spare"))
    client = await serve(stage)
    looks = []
    for _ in range(2):
        async with client.get("/api/v1/state") as answer:
            assert (await answer.json())["verdict"] == "pass"
        looks.append(stage.looks)
    assert looks[1] - looks[0] < looks[0], "kept for a moment where nothing happened"
    stalled = snapshots.stalled()
    verdict = replace(stalled.verdict, at=stage.snapshot.verdict.at + 0.1)
    stage.snapshot = replace(stalled, verdict=verdict)
    async with client.get("/api/v1/state") as answer:
        assert (await answer.json())["verdict"] == "fail"
    window = Window("w1", snapshots.NOW - 60, snapshots.NOW + 60, (), ("local",), "x", "alice")
    stage.windows = (window,)
    async with client.get("/api/v1/state") as answer:
        assert [each["id"] for each in (await answer.json())["windows"]] == ["w1"]


async def test_state_names_who_is_silenced(serve: Serve) -> None:
    """Programs see maintenance as people do."""
    snapshot = replace(snapshots.stalled(), silenced=frozenset({"node:local"}))
    client = await serve(Stage(snapshot))
    async with client.get("/api/v1/state") as answer:
        nodes = (await answer.json())["nodes"]
    assert {node["name"]: node["silenced"] for node in nodes} == {"local": True, "spare": False}
