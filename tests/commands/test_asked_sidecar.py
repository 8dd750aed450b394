"""What a sidecar answers is told as it is, in time, and by nobody else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.act.report import gate_json
from monitor.cli import parser
from monitor.commands import UnseenError, UsageError
from monitor.commands.asked_sidecar import sidecar_command
from monitor.judge.verdict import verdict_of
from monitor.model import Finding, Level
from monitor.policy.evaluation import Result, Ruling, verdict_word
from monitor.status.feed import Pace
from tests.act import snapshots
from tests.act.rulings import BLIND, BROKEN, HELD, WARNED
from tests.status.stage import DEADLINE_SECONDS

KEY = "s3cretKey0123456789"
HEALTHY = snapshots.healthy("local").verdict.findings
FEW_PEERS = snapshots.finding("peers", "node:local", Level.DEGRADED, "few_peers")
BEHIND = snapshots.finding("head", "node:local", Level.FAILED, "behind")


class Sidecar:
    """What answers every path with one document, and remembers which were asked."""

    def __init__(self, body: str = "", status: int = 200, location: str = "") -> None:
        self.body, self.status, self.location = body, status, location
        self.paths: list[str] = []

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.paths.append(request.path)
        headers = {"Location": self.location} if self.location else {}
        return web.Response(text=self.body, status=self.status, headers=headers)

    @asynccontextmanager
    async def at(self) -> AsyncIterator[str]:
        """Its address while it runs."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        async with TestServer(app) as server:
            yield str(server.make_url("/")).rstrip("/")


def document(findings: Sequence[Finding], *results: Result) -> str:
    """What a sidecar says of a gate of these findings and rules."""
    verdict = verdict_of(findings, snapshots.NOW)
    ruling = None
    if results:
        ruling = Ruling("deploy", verdict_word(verdict.word, results), results)
    return json.dumps(gate_json(verdict, version="1.2.3", ruling=ruling))


async def asked(url: str, *more: str, pace: Pace | None = None) -> int:
    """The exit code of `headwatch gate --sidecar`, at the time of its verdict."""
    chosen = parser().parse_args(("gate", "--sidecar", url, *more))
    return await asyncio.to_thread(sidecar_command, chosen, (), lambda: snapshots.NOW, pace)


@pytest.mark.parametrize(
    ("findings", "results", "code", "said"),
    [
        (HEALTHY, (), 0, "PASS  node local is on the network's chain ("),
        (HEALTHY, (HELD,), 0, "PASS  node local is on the network's chain; 1 rules ("),
        (HEALTHY, (BROKEN,), 1, "FAIL  1 of 1 rules failed: rpc.error_ratio < 1% (is 2.5%)\n"),
        (HEALTHY, (BLIND,), 3, "INCONCLUSIVE  1 of 1 rules could not be judged: ledger."),
        ((*HEALTHY, FEW_PEERS), (HELD, BROKEN), 1, "FAIL  1 of 2 rules failed: rpc.error_ratio"),
        ((*HEALTHY[1:], BEHIND), (HELD,), 1, "FAIL  node local FAILED: head; 1 rules"),
        ((*HEALTHY[1:], BEHIND), (BROKEN,), 1, "FAIL  node local FAILED: head; 1 of 1 rules fail"),
    ],
)
async def test_headline_names_what_decides_of_checks_and_of_rules(
    findings: Sequence[Finding],
    results: Sequence[Result],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A rule that is broken says nothing of the checks, whose word is their own."""
    async with Sidecar(document(findings, *results)).at() as url:
        gate = ("--gate", "deploy") if results else ()
        assert await asked(url, *gate) == code
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ((), "FAIL  node local DEGRADED, which fails a strict gate: peers"),
        ((WARNED,), "FAIL  node local DEGRADED, which fails a strict gate: peers; 1 rules, 1"),
    ],
)
async def test_strict_gate_fails_for_what_is_degraded(
    results: Sequence[Result], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only where somebody asked for it."""
    async with Sidecar(document((*HEALTHY, FEW_PEERS), *results)).at() as url:
        assert await asked(url) == 0
        assert "strict" not in capsys.readouterr().out
        assert await asked(url, "--strict") == 1
    assert capsys.readouterr().out.startswith(said)


async def test_redirect_is_not_followed() -> None:
    """Another place is not the one that somebody named."""
    elsewhere = Sidecar(document(HEALTHY))
    async with elsewhere.at() as other:
        named = Sidecar(status=302, location=f"{other}/api/v1/verdict")
        async with named.at() as url:
            with pytest.raises(UnseenError, match="cannot be read: it answered with status 302"):
                await asked(f"{url}/{KEY}")
    assert named.paths == [f"/{KEY}/api/v1/verdict"]
    assert elsewhere.paths == []


async def test_answer_that_drips_is_given_up_in_time() -> None:
    """The deadline is of the whole answer: each byte alone comes soon enough."""
    gone = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not reader.at_eof():
                    writer.write(b" ")
                    await asyncio.sleep(0.01)
        finally:
            writer.close()
            gone.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnseenError, match="cannot be read: no answer in time") as caught:
            await asked(f"http://127.0.0.1:{port}/{KEY}", pace=Pace(answer=0.2))
        await gone.wait()
    assert KEY not in str(caught.value)


async def test_nobody_there_is_said_as_status_says_it() -> None:
    """In the words of the house, without the number of an error and without the path."""
    with pytest.raises(UnseenError) as caught:
        await asked(f"http://127.0.0.1:1/{KEY}")
    assert str(caught.value) == "the sidecar at 127.0.0.1:1 cannot be read: connection refused"


@pytest.mark.parametrize("status", [404, 500])
async def test_gate_that_is_not_there_is_a_mistake_and_another_status_is_not(status: int) -> None:
    """Who misspells a gate is told so; whoever stands before the sidecar may answer with 500."""
    async with Sidecar(status=status).at() as url:
        error = UsageError if status == 404 else UnseenError
        with pytest.raises(error):
            await asked(url, "--gate", "a/b")
        with pytest.raises(UnseenError, match=f"status {status}"):
            await asked(url)


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://[::1", "127.0.0.1:1"])
async def test_address_that_is_none_is_a_mistake(url: str) -> None:
    """In one line, before anybody is asked."""
    with pytest.raises(UsageError, match="--sidecar: "):
        await asked(url)


async def test_verdict_that_is_too_old_says_nothing_of_now() -> None:
    """Older than is allowed, or of a clock that differs; 0 allows none at all."""
    old = verdict_of(HEALTHY, snapshots.NOW - 61)
    async with Sidecar(json.dumps(gate_json(old, version="1"))).at() as url:
        with pytest.raises(UnseenError, match="is 61 s old, and 60 s are allowed"):
            await asked(url)
        assert await asked(url, "--max-age", "61") == 0
        with pytest.raises(UnseenError, match="and 0 s are allowed"):
            await asked(url, "--max-age", "0")


async def test_verdict_that_is_not_that_of_its_findings_is_refused() -> None:
    """A newer version may judge otherwise: what this one cannot follow is not believed."""
    wrong = json.loads(document(HEALTHY)) | {"verdict": "fail"}
    async with Sidecar(json.dumps(wrong)).at() as url:
        with pytest.raises(UnseenError, match="it says fail, and its checks and rules"):
            await asked(url)
