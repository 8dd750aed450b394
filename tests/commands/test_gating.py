"""`headwatch gate` beside nodes that say what they are told to say."""

from __future__ import annotations

import asyncio
import hashlib
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
from monitor.passed import read
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
    assert await gate(*verb, "-c", config, "--timeout", "60s") == 0


@pytest.mark.parametrize("verb", [(), ("wait",)], ids=["at once", "wait"])
async def test_gate_with_no_time_at_all_ends_at_once(
    verb: tuple[str, ...], world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A limit of 0 is a limit, and not the one of somebody who names none."""
    assert await gate(*verb, "-c", configured(world, tmp_path), "--timeout", "0") == 3
    assert "the time of 0 s was over" in capsys.readouterr().err
    assert world.node.methods == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--max-age", "5s"), "--max-age is of `headwatch gate --sidecar URL`"),
        (("--max-age", "0"), "--max-age is of `headwatch gate --sidecar URL`"),
        (("wait", "--max-age", "5s"), "--max-age is of `headwatch gate --sidecar URL`"),
        (("--state", "none/state.json"), "--state none/state.json: "),
        (("--output", "junit=none/x.xml"), "--output junit=none/x.xml: No such file or directory"),
    ],
)
async def test_mistake_is_told_before_any_node_is_asked(
    arguments: tuple[str, ...],
    said: str,
    *,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one line, with exit code 2: nothing is watched for an hour in vain."""
    monkeypatch.chdir(tmp_path)
    assert await gate(*arguments, "-c", configured(world, tmp_path)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"headwatch: {said}")
    assert world.node.methods == []


@pytest.mark.parametrize("more", [("--sidecar", "http://127.0.0.1:1"), ("--max-age", "5s")])
async def test_conformance_takes_no_option_of_a_sidecar(
    more: tuple[str, ...], world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Vectors are put to a node, whatever a sidecar says."""
    node = ("--vectors", tmp_path, "--node", world.node.url)
    assert await gate("conformance", *node, *more) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"headwatch: {more[0]} ")
    assert world.node.methods == []


async def test_pass_is_remembered_beside_a_report_that_cannot_be_written(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The node has passed; the pipeline does not go on without what it asked for."""
    config, state, report = configured(world, tmp_path), tmp_path / "s.json", tmp_path / "a.json"
    outputs = ("--output", "junit=/dev/full", "--output", f"json={report}")
    assert await gate("-c", config, "--state", state, *outputs) == 2
    said = capsys.readouterr()
    assert said.out.startswith("PASS  ")
    assert "--output junit=/dev/full: No space left on device" in said.err
    passed = read(state).nodes["local"]
    assert passed.report == "sha256:" + hashlib.sha256(report.read_bytes()).hexdigest()
