"""`/api/v1/ledger`: the ledgers, and the report of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.act.conftest import Client, Stage
from tests.act.ledgers import NAME, OTHER, two_ledgers

Serve = Callable[..., Awaitable[Client]]


@pytest.fixture
def kept_stage(tmp_path: Path) -> Stage:
    """Two ledgers, of which one has a report."""
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "report.json").write_text('{"schema":"headwatch.ledger/1"}')
    return Stage(snapshot=two_ledgers(), ledger_report=lambda name: tmp_path / name / "report.json")


async def test_ledgers_are_listed(serve: Serve, kept_stage: Stage) -> None:
    """Every ledger of the configuration, by name."""
    client = await serve(kept_stage)
    answer = await client.get("/api/v1/ledger")
    assert [one["name"] for one in (await answer.json())["ledgers"]] == [NAME, OTHER]


async def test_ledgers_where_none_is_configured_are_not_found(serve: Serve) -> None:
    """The answer says what is to be configured."""
    answer = await (await serve(Stage())).get("/api/v1/ledger")
    assert answer.status == 404
    assert "under `ledgers`" in (await answer.json())["error"]


async def test_report_of_a_ledger_is_served_as_it_was_written(
    serve: Serve, kept_stage: Stage
) -> None:
    """The whole report, byte for byte."""
    answer = await (await serve(kept_stage)).get(f"/api/v1/ledger/{NAME}")
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert await answer.read() == b'{"schema":"headwatch.ledger/1"}'


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (OTHER, "no report"),
        ("nobody", "none of this name"),
        ("..%2Fworkerdrops", "none of this name"),
    ],
    ids=["not compared yet", "unknown", "a path"],
)
async def test_report_that_is_not_there_is_said_to_be_missing(
    serve: Serve, kept_stage: Stage, name: str, says: str
) -> None:
    """A name is looked for among the configured ones: no path leads elsewhere."""
    answer = await (await serve(kept_stage)).get(f"/api/v1/ledger/{name}")
    assert answer.status == 404
    assert says in (await answer.json())["error"]
