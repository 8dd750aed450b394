"""`headwatch gate` beside nodes that say what they are told to say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.config import show
from monitor.config.ledgers import Ledger
from monitor.ledger.configured import LEDGERS
from monitor.ledger.job import Outcome
from monitor.ledger.last import Last, put_last
from monitor.model import Address
from monitor.poco.difference import Difference
from tests.rpc.canned import nothing_unheard, serving
from tests.test_gate import World

LEDGER = Ledger(name="drops", network="dev", node="local", address=Address("0x" + "0d" * 20))
WRONG = Outcome(
    "fail",
    differences_count=2,
    differences_by_kind={"stake": 2},
    differences=(Difference(kind="stake", why="predicted 1, stored 2", delta=1),),
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Three references and a node, in step; nothing fails unheard."""
    world = World()
    with nothing_unheard():
        async with serving(*world.references.values(), world.node):
            yield world


async def gate(*arguments: str | Path) -> int:
    """The exit code of `headwatch gate`, beside nodes that this loop keeps alive."""
    return await asyncio.to_thread(main, ("gate", *map(str, arguments)))


def configured(world: World, folder: Path, **changed: object) -> Path:
    """A configuration of that node, whose data directory is in the folder."""
    settings = world.settings().model_copy(update={"data_dir": folder / "data", **changed})
    path = folder / "headwatch.yaml"
    path.write_text(show(settings))
    return path


@pytest.mark.parametrize("verb", [(), ("wait",)], ids=["at once", "wait"])
async def test_gate_fails_for_a_ledger_that_differs(
    verb: tuple[str, ...], world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the sidecar has found is on disk, and counts whether the gate waits or not."""
    config = configured(world, tmp_path, ledgers=(LEDGER,))
    folder = tmp_path / "data" / LEDGERS / LEDGER.name
    put_last(folder, Last(time.time(), LEDGER.address, WRONG))
    assert await gate(*verb, "-c", config, "--timeout", "2s") == 1
    assert "ledger drops FAILED: ledger" in capsys.readouterr().out
    put_last(folder, Last(time.time(), LEDGER.address, Outcome("pass")))
    assert await gate(*verb, "-c", config, "--timeout", "20s") == 0


@pytest.mark.parametrize("verb", [(), ("wait",)], ids=["at once", "wait"])
async def test_gate_with_no_time_at_all_ends_at_once(
    verb: tuple[str, ...], world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A limit of 0 is a limit, and not the one of somebody who names none."""
    assert await gate(*verb, "-c", configured(world, tmp_path), "--timeout", "0") == 3
    assert "the time of 0 s was over" in capsys.readouterr().err
    assert world.node.methods == []
