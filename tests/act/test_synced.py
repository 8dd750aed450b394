from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.act.synced import synced
from monitor.act.target import find
from monitor.model import Level, Snapshot
from tests.act import snapshots
from tests.act.conftest import Serve, Stage


def _with(check: str, subject: str, level: Level, reason: str = "because") -> Snapshot:
    changed = snapshots.finding(check, subject, level, reason)
    return snapshots.with_finding(snapshots.healthy("local", "spare"), changed)


@pytest.mark.parametrize(
    ("snapshot", "status", "against"),
    [
        (snapshots.healthy("local", "spare"), 200, []),
        (_with("head", "node:local", Level.DEGRADED), 200, []),
        (_with("head", "node:local", Level.FAILED), 503, ["head"]),
        (_with("fork", "node:local", Level.UNKNOWN), 503, ["fork"]),
        (_with("peers", "node:local", Level.UNKNOWN), 200, []),
        (_with("peers", "node:local", Level.FAILED), 503, ["peers"]),
        (_with("head", "node:spare", Level.FAILED), 200, []),
        (_with("references", "reference:ethereum/a", Level.UNKNOWN), 200, []),
        (_with("references", "reference:ethereum/a", Level.DEGRADED), 200, []),
        (_with("references", "reference:ethereum/quorum", Level.UNKNOWN), 503, ["references"]),
        (_with("stall", "reference:ethereum/quorum", Level.DEGRADED), 200, []),
        (snapshots.stalled(), 503, ["head", "stall"]),
        (snapshots.unreachable(), 503, ["fork", "head", "identity", "stall"]),
    ],
)
async def test_synced_judges_the_node_and_its_quorum(
    snapshot: Snapshot, status: int, against: list[str], serve: Serve
) -> None:
    """Anything failed or a required check unseen speaks against it; nothing else does."""
    client = await serve(Stage(snapshot))
    async with client.get("/-/synced?node=local") as answer:
        assert answer.status == status
        found = await answer.json()
    assert found["synced"] == (status == 200)
    assert sorted(reason["check"] for reason in found["nodes"][0]["reasons"]) == against


async def test_synced_before_the_first_round_is_not(serve: Serve) -> None:
    """What was never judged is not well: a startup probe must not pass too early."""
    client = await serve(Stage(snapshots.beginning()))
    async with client.get("/-/synced?node=local") as answer:
        assert answer.status == 503
        reasons = (await answer.json())["nodes"][0]["reasons"]
    assert {reason["reason"] for reason in reasons} == {"not_judged"}
    assert {reason["check"] for reason in reasons} == {
        "identity", "head", "stall", "fork", "references"
    }  # fmt: skip


async def test_synced_without_a_name_asks_for_all(serve: Serve) -> None:
    """One node that is not synced is enough; the others still say that they are."""
    client = await serve(Stage(_with("head", "node:spare", Level.FAILED)))
    async with client.get("/-/synced") as answer:
        assert answer.status == 503
        nodes = {node["node"]: node["synced"] for node in (await answer.json())["nodes"]}
    assert nodes == {"local": True, "spare": False}


async def test_synced_without_any_node_is_not(serve: Serve) -> None:
    """Nothing watched is nothing known."""
    client = await serve(Stage(replace(snapshots.healthy(), endpoints=())))
    async with client.get("/-/synced") as answer:
        assert answer.status == 503


def test_synced_reason_names_what_the_finding_says() -> None:
    """Who is refused learns which check, about what, and why."""
    snapshot = snapshots.stalled()
    facts = find(snapshot, "local")
    assert facts is not None
    answer = synced(snapshot, facts)
    assert not answer.is_synced
    assert answer.reasons[0] == {
        "check": "head",
        "subject": "node:local",
        "level": "failed",
        "reason": "behind",
        "summary": "block 21000114, 9 blocks (108 s) behind the references at 21000123",
    }
