"""A restart, by a command of the operator's."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp import web

from monitor.canary.comparison import Comparison
from monitor.canary.restarting import restart
from tests.canary.staged import chain_of, staged
from tests.rpc.canned import Canned, Chain, Json, Refusal, as_calls, reply

NOTHING = (sys.executable, "-c", "pass")
SECONDS = 1.0


class Ticking:
    """Time that passes by a quarter of the deadline at every look, once this has happened."""

    def __init__(self, happened: asyncio.Event | None = None) -> None:
        self.now = 0.0
        self.happened = happened

    def __call__(self) -> float:
        if self.happened is None or self.happened.is_set():
            self.now += SECONDS / 4
        return self.now


class Away:
    """Answers the question whether it is there with HTTP 503, once; its blocks it always shows."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()

    async def __call__(self, request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        if self.happened.is_set() or as_calls(asked)[0]["method"] != "web3_clientVersion":
            return None
        self.happened.set()
        return reply(b"", 503)


async def restarted(
    after: Chain | None, command: tuple[str, ...] = NOTHING, *, away: Away | None = None
) -> Comparison:
    """A candidate at block 100 that goes and comes back with this chain, or not at all."""
    other = Canned(Chain(100))
    other.respond = away = away or Away()
    looks = 0

    def block(params: list[str]) -> object:
        nonlocal looks
        looks += 1
        chain = other.chain if looks == 1 else after
        if chain is None:
            return None
        return chain.block(chain.head if params[0] == "latest" else int(params[0], 16))

    other.answers["eth_getBlockByNumber"] = block
    async with staged(Canned(), other) as pair:
        clock = Ticking(away.happened)
        return await restart(pair, command, deadline_seconds=SECONDS, clock=clock)


@pytest.mark.parametrize(
    ("after", "outcome", "reason"),
    [
        (Chain(100), "pass", "head_kept"),
        (Chain(103), "pass", "head_kept"),
        (Chain(99), "fail", "head_lost"),
        (Chain(0), "fail", "head_lost"),
        (chain_of(103, parts_after=99), "fail", "other_chain"),
        (None, "fail", "not_back"),
    ],
)
async def test_candidate_comes_back_with_the_head_it_had(
    after: Chain | None, outcome: str, reason: str
) -> None:
    """Or a higher one, on the same chain, within the deadline."""
    found = await restarted(after)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize(
    "answer",
    [None, reply(b"", 429), reply("nonsense"), reply({"id": None, "error": {"code": -32000}})],
    ids=["well", "throttled", "nonsense", "error"],
)
@pytest.mark.parametrize(
    ("after", "outcome", "reason"),
    [
        (Chain(100), "unknown", "never_away"),
        (Chain(99), "fail", "head_lost"),
        (chain_of(103, parts_after=99), "fail", "other_chain"),
    ],
)
async def test_candidate_that_was_never_away_may_not_have_been_restarted(
    after: Chain, outcome: str, reason: str, answer: web.Response | None
) -> None:
    """The command `true` restarts nothing; one that passes the order on ends before it is done."""

    class Never(Away):
        async def __call__(
            self, request: web.BaseRequest, asked: Json
        ) -> web.StreamResponse | None:
            is_looked = as_calls(asked)[0]["method"] == "web3_clientVersion"
            if answer is None or not is_looked:
                return None
            return reply(answer.body or b"", answer.status)

    never = Never()
    never.happened.set()
    found = await restarted(after, away=never)
    assert (found.outcome, found.reason) == (outcome, reason)
    assert (outcome == "unknown") is ("was never seen away" in found.summary)


async def test_candidate_that_goes_after_the_command_has_ended_is_waited_for(
    tmp_path: Path,
) -> None:
    """As where the command only asks another to restart it."""
    ended = tmp_path / "ended"

    class Later(Away):
        async def __call__(
            self, request: web.BaseRequest, asked: Json
        ) -> web.StreamResponse | None:
            return await super().__call__(request, asked) if ended.exists() else None

    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).touch()"
    found = await restarted(Chain(100), (sys.executable, "-c", script, str(ended)), away=Later())
    assert (found.outcome, found.reason) == ("pass", "head_kept")


async def test_candidate_that_answers_late_is_waited_for() -> None:
    """Errors while it starts are no lost head."""
    other = Canned(Chain(100))
    starting = Refusal("starting", -32000)
    looks = 0

    def block(params: list[str]) -> object:
        nonlocal looks
        looks += 1
        # The head before the restart; no head; then a head without the block that is asked for.
        if looks in {2, 4}:
            return starting
        return other.chain.block(100 if params[0] == "latest" else int(params[0], 16))

    other.answers["eth_getBlockByNumber"] = block
    other.respond = away = Away()
    async with staged(Canned(), other) as pair:
        clock = Ticking(away.happened)
        found = await restart(pair, NOTHING, deadline_seconds=30.0, clock=clock)
    assert (found.outcome, found.reason) == ("pass", "head_kept")
    assert looks == 6


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((sys.executable, "-c", "raise SystemExit(7)"), "ended with exit code 7"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), "had not ended after 1 s"),
        (("/does/not/exist",), "could not be started: No such file"),
    ],
)
async def test_command_that_fails_is_told(command: tuple[str, ...], said: str) -> None:
    """A restart that did not happen proves nothing of the node's head."""
    found = await restarted(Chain(100), command)
    assert (found.outcome, found.reason) == ("fail", "command_failed")
    assert said in found.summary


async def test_command_is_run_without_a_shell(tmp_path: Path) -> None:
    """What a shell would expand or redirect is an argument as it is."""
    target = tmp_path / "made"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    found = await restarted(Chain(100), (sys.executable, "-c", script, str(target), "$HOME > x; y"))
    assert found.outcome == "pass"
    assert target.read_text() == "$HOME > x; y"


async def test_restart_that_was_not_asked_for_is_skipped_and_one_unseen_unknown() -> None:
    """A node whose head nobody knows is not restarted."""
    other = Canned()
    other.answers["eth_getBlockByNumber"] = None
    async with staged(Canned(), other) as pair:
        skipped = await restart(pair, None, deadline_seconds=SECONDS, clock=Ticking())
        blind = await restart(pair, NOTHING, deadline_seconds=SECONDS, clock=Ticking())
    assert skipped.outcome == "skipped"
    assert "--restart-command" in skipped.summary
    assert (blind.outcome, blind.reason) == ("unknown", "unseen")
