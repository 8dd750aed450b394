"""`/api/v1/gate/NAME`: for delivery tools that ask by HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.model import Verdict
from monitor.policy.evaluation import Ruling
from tests.act import snapshots
from tests.act.conftest import Serve, Stage
from tests.act.rulings import BLIND, BROKEN, HELD, ruling

SCHEMA = Path(__file__).parents[3] / "docs" / "gate.schema.json"
CANARY = {"name": "app", "namespace": "prod", "phase": "Progressing", "metadata": {}}
"""What Flagger sends."""


@dataclass
class Kept:
    """Gates whose rulings are known."""

    rulings: dict[str, Ruling] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.rulings)

    async def judge(self, name: str) -> tuple[Verdict, Ruling]:
        return snapshots.healthy().verdict, self.rulings[name]


def stage_of(**rulings: Ruling) -> Stage:
    return Stage(gates=Kept(rulings))


@pytest.mark.parametrize(
    ("given", "ok"),
    [
        (ruling("pass", HELD), True),
        (ruling("fail", HELD, BROKEN), False),
        (ruling("inconclusive", BLIND), False),
    ],
)
async def test_gate_is_told_as_a_document(serve: Serve, given: Ruling, *, ok: bool) -> None:
    """200 whatever the verdict: who reads the document finds one boolean in it."""
    client = await serve(stage_of(deploy=given))
    async with client.get("/api/v1/gate/deploy") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        document = await answer.json()
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert (document["data"], document["verdict"]) == ({"ok": ok}, given.word)


@pytest.mark.parametrize(
    ("given", "status", "sentence"),
    [
        (ruling("pass", HELD), 200, "pass: "),
        (
            ruling("fail", HELD, BROKEN),
            503,
            "fail: 1 of 2 rules failed: rpc.error_ratio < 1% (is 2.5%)\n",
        ),
        (
            ruling("inconclusive", BLIND),
            503,
            (
                "inconclusive: 1 of 1 rules could not be judged: ledger.differences.count == 0 "
                "(never reconciled)\n"
            ),
        ),
    ],
)
async def test_gate_that_is_posted_to_answers_by_status_and_says_why(
    serve: Serve, given: Ruling, status: int, sentence: str
) -> None:
    """Only a pass goes on; the reason is the body, on one line, for whoever reads the event."""
    # A token is asked of what changes something, and this does not.
    client = await serve(stage_of(deploy=given), token="of-the-changes")  # noqa: S106
    async with client.post("/api/v1/gate/deploy", json=CANARY) as answer:
        assert (answer.status, answer.content_type) == (status, "text/plain")
        text = await answer.text()
    assert text.startswith(sentence)
    assert text.count("\n") == 1


@pytest.mark.parametrize("method", ["get", "post"])
async def test_gate_that_there_is_not_is_not_found(serve: Serve, method: str) -> None:
    """With what may be meant; a gate that is misspelt never passes."""
    client = await serve(stage_of(deploy=ruling("pass", HELD)))
    for name, hint in (("deplay", "; did you mean deploy?"), ("zebra", ""), ("z" * 4000, "")):
        async with client.request(method, f"/api/v1/gate/{name}") as answer:
            assert answer.status == 404
            said = f"gate: there is none of this name in the configuration{hint}"
            assert (await answer.json())["error"] == said


@pytest.mark.parametrize("stage", [Stage(), stage_of()], ids=["nobody", "none"])
async def test_gate_where_none_is_configured_is_not_found(serve: Serve, stage: Stage) -> None:
    """The answer says what is to be configured."""
    client = await serve(stage)
    async with client.get("/api/v1/gate/deploy") as answer:
        assert answer.status == 404
        assert "under `gate`" in (await answer.json())["error"]
