"""The benchmarks run and say what they promise; how long anything takes is not asserted here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import BENCHMARKS
from benchmarks.children import answerer, child, tell
from benchmarks.contestants import CONTESTANTS, OPERATORS
from benchmarks.report import Result, Row, Target, median_ratio, p99, show

ROOT = Path(__file__).resolve().parent.parent
SECONDS_MAX = 60.0


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_at_its_smallest_writes_rows_with_figures(name: str, tmp_path: Path) -> None:
    """Each runs to its end, shows its progress, and hands every row over as JSON."""
    path = tmp_path / "results.json"
    done = benchmarks(name, "--tiny", "--json", str(path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(name)
    written = json.loads(path.read_text(encoding="utf-8"))
    assert {"cores", "python", "web3", "date"} <= set(written["machine"])
    results = written["benchmarks"][name]
    assert results
    for result in results:
        assert result["title"] in done.stdout or result["title"].split(":")[0] in done.stdout
        assert len(result["rows"]) > 1
        assert any(row["figures"] for row in result["rows"])


@pytest.mark.parametrize("name", CONTESTANTS)
async def test_contestant_makes_the_polls_it_is_asked_for(name: str) -> None:
    """Every contestant, in the process it is measured in, answers with what its polls cost."""
    nodes = 2
    async with (
        asyncio.timeout(SECONDS_MAX),
        answerer(len(OPERATORS) + nodes, transactions=3) as urls,
        child("-m", "benchmarks.worker", name) as worker,
    ):
        assert await tell(worker, urls) == {"ready": True}
        said = await tell(worker, 2)
        assert said["polls"] >= 2
        assert said["cpu_seconds"] > 0
        assert said["wall_seconds"] > 0


async def test_answerer_names_the_same_blocks_everywhere_and_moves_when_told() -> None:
    """All ports are one chain: hashes agree, parents are linked, and the head moves on command."""
    import aiohttp

    async def ask(session: aiohttp.ClientSession, url: str, method: str, *params: object) -> Any:
        call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        async with session.post(url, json=[call, call]) as response:
            first, second = await response.json()
        assert first["id"] == second["id"] == 7
        return second.get("result")

    async with answerer(2, transactions=600) as urls, aiohttp.ClientSession() as session:
        before = await ask(session, urls[0], "eth_getBlockByNumber", "latest", False)
        await ask(session, urls[1], "anvil_mine")
        after = await ask(session, urls[1], "eth_getBlockByNumber", "latest", False)
        assert int(after["number"], 16) == int(before["number"], 16) + 2
        parent = hex(int(after["number"], 16) - 1)
        linked = await ask(session, urls[0], "eth_getBlockByNumber", parent, False)
        assert linked["hash"] == after["parentHash"]
        assert len(after["transactions"]) == 600
        assert await ask(session, urls[0], "eth_nothing") is None


async def test_child_that_ends_early_is_told_of() -> None:
    """A contestant that breaks ends the benchmark with an error, and not with a figure."""
    async with child("-c", "raise SystemExit(3)") as process:
        with pytest.raises(RuntimeError, match="ended early, with 3"):
            await tell(process, 1)


def test_unknown_name_is_refused_with_those_there_are() -> None:
    """A mistyped name measures nothing and says what could be meant."""
    done = benchmarks("prob")
    assert done.returncode == 2
    assert "no benchmark 'prob'; there are probe, fleet" in done.stderr


def test_ratio_is_the_median_of_pairs_that_ran_side_by_side() -> None:
    """One repeat in which the machine was busy moves no figure."""
    assert median_ratio([10, 20, 900], [1, 2, 3]) == 10
    assert p99([3.0, 1.0, 2.0]) == 3.0
    assert p99(list(range(1000))) == 990


def test_tables_show_missing_figures_and_missed_targets(capsys: pytest.CaptureFixture[str]) -> None:
    """A row may lack a figure, and a target that was missed is named as such."""
    rows = (Row("a", {"ms": 1234.5}), Row("b", {"x": 0.5}), Row("c", {"x": None, "ms": "many"}))
    target = Target("speed", ">= 20 x", "3 x", is_met=False)
    show([Result("words", rows, "a note", (target,))], {"cores": "2"})
    shown = capsys.readouterr().out
    assert "cores 2" in shown
    assert "1,234" in shown
    assert "many" in shown
    assert "–" in shown
    assert "MISSED speed: 3 x (target >= 20 x)" in shown
