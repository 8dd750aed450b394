"""A reconciliation in a process of its own: a request in, one outcome out, nothing between."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.plant import Field, choose, plant
from monitor.lab.poco.tally import Summary
from monitor.ledger.child import lines, main
from monitor.ledger.job import (
    BROKEN_STORE,
    CHILD,
    NOT_A_HUB,
    Job,
    Outcome,
    Request,
    Step,
    outcome_of,
    request_json,
)
from monitor.ledger.store import Identity, Store
from monitor.model import Address
from tests.ledger.drops import SECRET, cut_at, door, job_of, lab_of, seat_of

Played = tuple[Deployment, Summary]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of() as lab:
        yield lab.deployment, await lab.workerdrop(workers=8, orders=4)


async def asked(written: bytes) -> tuple[int | None, bytes, str]:
    """What the child answers: its exit code, its output and what it said beside."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", CHILD), stdin=pipe, stdout=pipe, stderr=pipe
    )
    out, told = await asyncio.wait_for(process.communicate(written), 50)
    return process.returncode, out, told.decode()


async def outcome(job: Job, report: Path | None = None) -> Outcome:
    """The outcome of a job, from a process that ended well and told no key."""
    code, out, told = await asked(request_json(Request(job, report)))
    assert code == 0, told
    assert out.endswith(b"\n")
    assert SECRET not in told
    assert SECRET.encode() not in out
    return outcome_of(out)


async def test_child_of_an_honest_history_passes_with_totals_and_report(
    played: Played, tmp_path: Path
) -> None:
    """Verdict, block, events, totals; and the whole report where it was asked for."""
    deployment, summary = played
    report = tmp_path / "report.json"
    found = await outcome(job_of(deployment, folder=tmp_path / "ledger"), report)
    assert (found.verdict, found.reason, found.differences_count) == ("pass", None, 0)
    assert found.block is not None
    assert found.block.number >= summary.last_block
    assert found.events == found.events_new > 300
    assert found.totals is not None
    assert found.totals.work_orders["completed"] == summary.completed
    assert found.totals.contributions["accurate"] == summary.accurate
    written = json.loads(report.read_bytes())
    assert written["verdict"] == "pass"
    assert set(written["tasks"]) == set(summary.work_orders)
    again = await outcome(job_of(deployment, folder=tmp_path / "ledger"))
    assert again == replace(found, events_new=0)


async def test_child_of_planted_numbers_fails_with_each_of_them(tmp_path: Path) -> None:
    """Counts by kind, and the differences themselves; also where no report can be written."""
    async with lab_of() as lab:
        await lab.workerdrop(workers=8, orders=4)
        wrongs = await choose(lab.deployment, fields=(Field.SCORE, Field.STAKE))
        planted = await plant(lab.deployment, *wrongs)
        found = await outcome(job_of(lab.deployment))
        assert found.verdict == "fail"
        assert found.differences_count == 2
        assert found.differences_by_kind == {"score": 1, "stake": 1}
        assert {(one.kind, one.account, one.delta) for one in found.differences} == {
            (one.kind, one.account, one.delta) for one in planted
        }
        assert await outcome(job_of(lab.deployment), tmp_path / "gone" / "report.json") == found


async def test_child_of_truncated_logs_is_inconclusive_and_leaves_the_report(
    played: Played, tmp_path: Path
) -> None:
    """Where nothing can be said, what was said last stays there."""
    deployment, _ = played
    report = tmp_path / "report.json"
    report.write_text("before")
    async with door(deployment.blocks.anvil.url) as relay:
        relay.change = cut_at(137)
        found = await outcome(job_of(deployment, relay.url), report)
    assert (found.verdict, found.reason) == ("inconclusive", "logs_truncated")
    assert found.detail
    assert report.read_text() == "before"


async def test_child_of_no_hub_names_the_address(played: Played) -> None:
    """An address of something else is the operator's to correct."""
    deployment, _ = played
    found = await outcome(replace(job_of(deployment), contract=deployment.rlc))
    assert (found.verdict, found.reason) == ("inconclusive", NOT_A_HUB)
    assert deployment.rlc in found.detail


async def test_child_of_a_broken_store_names_the_file(played: Played, tmp_path: Path) -> None:
    """A damaged file, and a folder that another writes into, are both said."""
    deployment, _ = played
    job = job_of(deployment, folder=tmp_path)
    with Store.open(tmp_path, Identity(31337, "poco-v1", deployment.hub)):
        found = await outcome(job)
        assert (found.verdict, found.reason) == ("inconclusive", BROKEN_STORE)
        assert "one writer at a time" in found.detail
    (tmp_path / "state.sqlite").write_bytes(b"not a database" * 100)
    found = await outcome(job)
    assert found.reason == BROKEN_STORE
    assert "state.sqlite" in found.detail


async def test_child_that_cannot_write_its_report_says_so(played: Played, tmp_path: Path) -> None:
    """A report that has no place is not silently left out."""
    deployment, _ = played
    found = await outcome(job_of(deployment), tmp_path / "gone" / "report.json")
    assert (found.verdict, found.reason) == ("inconclusive", BROKEN_STORE)
    assert "report.json" in found.detail


@pytest.mark.parametrize("written", [b"", b"{}", b'{"job": 1, "report": null}', b"\xff" * 9])
async def test_child_of_no_request_ends_with_2_and_one_line(written: bytes) -> None:
    """What is no request is our mistake, and answered by nothing."""
    code, out, told = await asked(written)
    assert (code, out) == (2, b"")
    assert told.startswith("no request: ")
    assert told.count("\n") == 1


def test_main_of_a_request_with_a_bad_url_tells_no_key() -> None:
    """A request that cannot be read is not repeated."""
    job = job_of_nobody()
    written = request_json(Request(job)).replace(b"http:", b"gopher:")
    out, told = io.BytesIO(), io.StringIO()
    assert main(io.BytesIO(written), out, told) == 2
    assert out.getvalue() == b""
    assert SECRET not in told.getvalue()


def job_of_nobody() -> Job:
    """A job through a node that nobody runs."""
    return Job("x", "poco-v1", Address("0x" + "1" * 40), seat_of("http://127.0.0.1:9"))


def test_lines_are_one_for_each_thing_that_is_done() -> None:
    """However often it is told how far it has come."""
    out = io.StringIO()
    tell = lines(out)
    for done in range(3):
        tell(Step("fetching", done, 3, "blocks"))
    tell(Step("reading"))
    tell(Step("fetching"))
    assert out.getvalue().splitlines() == ["fetching", "reading", "fetching"]
