from __future__ import annotations

import pytest

from tests.act import snapshots
from tests.act.conftest import Serve, Stage


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


async def test_synced_says_yes_or_why_not(serve: Serve) -> None:
    """200 for a node on its network's chain, 503 with the reasons for one that is not."""
    client = await serve(Stage(snapshots.stalled()))
    async with client.get("/-/synced?node=spare") as answer:
        assert (answer.status, (await answer.json())["synced"]) == (200, True)
    async with client.get("/-/synced?node=local") as answer:
        assert answer.status == 503
        (node,) = (await answer.json())["nodes"]
        assert {reason["check"] for reason in node["reasons"]} == {"stall", "head"}
    async with client.get("/-/synced") as answer:
        assert answer.status == 503
