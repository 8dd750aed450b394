"""`headwatch gate --baseline --candidate` beside nodes that say what they are told to say."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.canary.comparison import TITLES
from monitor.cli import main
from monitor.passed import read
from tests.canary.staged import serves_blocks
from tests.rpc.canned import Canned, Chain, Hang, Refusal, nothing_unheard, serving

KEY = "s3cretKey0123456789"
OLD, NEW = "Geth/v1.16.7-stable/linux-amd64/go1.25.1", "Geth/v1.17.0-stable/linux-amd64/go1.25.3"


class Two:
    """A baseline and a candidate of one chain that stands still."""

    def __init__(self) -> None:
        self.nodes = [Canned(Chain(100), version=version) for version in (OLD, NEW)]
        for node in self.nodes:
            serves_blocks(node)

    @property
    def candidate(self) -> Canned:
        return self.nodes[1]

    async def gate(self, *more: str | Path) -> int:
        """The exit code of `headwatch gate` on the two."""
        baseline, candidate = (f"{node.url}/{KEY}" for node in self.nodes)
        flags = ("--baseline", baseline, "--candidate", candidate, *map(str, more))
        pace = ("--network", "dev", "--interval-seconds", "0.1")
        return await asyncio.to_thread(main, ("gate", *flags, *pace))


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    """Both, listening; nothing fails unheard."""
    two = Two()
    with nothing_unheard():
        async with serving(*two.nodes):
            yield two


async def test_candidate_that_passed_is_remembered(two: Two, tmp_path: Path) -> None:
    """Its version, and the digest of the very report; only on a pass."""
    state, report = tmp_path / "state.json", tmp_path / "verdict.json"
    said = ("--state", state, "--output", f"json={report}")
    assert await two.gate(*said) == 0
    passed = read(state).nodes
    assert {name: one.version for name, one in passed.items()} == {"candidate": NEW}
    digest = "sha256:" + hashlib.sha256(report.read_bytes()).hexdigest()
    assert passed["candidate"].report == digest
    two.candidate.chain_id = "0x2"
    assert await two.gate(*said) == 1
    assert read(state).nodes == passed


async def test_candidate_without_a_version_is_not_remembered_as_one(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It answered at first, and has passed; of what is not known nothing is written down."""
    state = tmp_path / "state.json"
    first = [NEW]

    def version(params: object) -> object:
        del params
        return first.pop() if first else Refusal("not now", -32000)

    two.candidate.answers["web3_clientVersion"] = version
    assert await two.gate("--state", state) == 0
    assert read(state).nodes == {}
    assert f"{state} does not say that candidate passed" in capsys.readouterr().err


async def test_state_file_that_is_none_is_told_beforehand(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before an hour's soak, and not after it."""
    state = tmp_path / "state.json"
    state.write_text("{}")
    assert await two.gate("--state", state) == 2
    assert "not a state file" in capsys.readouterr().err
    assert await two.gate("--state", tmp_path / "none" / "state.json") == 2
    assert await two.gate("--output", f"json={tmp_path}/none/x.json") == 2
    assert not any(node.calls for node in two.nodes)


async def test_canary_whose_time_is_over_is_inconclusive(
    two: Two, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every check says that it is not known, in every report, and nothing is remembered."""
    state, report = tmp_path / "state.json", tmp_path / "verdict.json"
    hang = two.candidate.respond = Hang("web3_clientVersion")
    said = ("--state", state, "--output", f"json={report}")
    assert await two.gate("--timeout", "1s", *said) == 3
    hang.released.set()
    assert capsys.readouterr().out.startswith("INCONCLUSIVE  ")
    found = json.loads(report.read_text())["comparisons"]
    assert [(one["check"], one["outcome"], one["reason"]) for one in found] == [
        (check, "unknown", "timed_out") for check in TITLES
    ]
    assert "not known when the 1 s of --timeout were over" in found[0]["summary"]
    assert not state.exists()


async def test_canary_with_time_enough_is_none_the_worse(two: Two) -> None:
    """A limit that is not reached changes nothing; one of 0 is reached at once."""
    assert await two.gate("--timeout", "1h") == 0
    assert await two.gate("--timeout", "0") == 3


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--sidecar", "http://127.0.0.1:1"), "--sidecar does not go with --baseline"),
        (("--max-age", "5s"), "--max-age is of `headwatch gate --sidecar URL`"),
    ],
)
async def test_option_of_a_sidecar_is_refused(
    flags: tuple[str, ...], said: str, two: Two, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, before any node is asked."""
    assert await two.gate(*flags) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not any(node.calls for node in two.nodes)


async def test_transaction_without_an_end_is_refused(
    two: Two, capsys: pytest.CaptureFixture[str]
) -> None:
    """No more of a file is read than a transaction may have."""
    assert await two.gate("--transaction", "/dev/zero") == 2
    assert "--transaction /dev/zero: more than " in capsys.readouterr().err
