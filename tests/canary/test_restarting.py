"""A restart, by a command of the operator's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitor.canary.comparison import Comparison
from monitor.canary.restarting import restart
from tests.canary.staged import chain_of, staged
from tests.rpc.canned import Canned, Chain, Refusal

NOTHING = (sys.executable, "-c", "pass")
SECONDS = 1.0


class Ticking:
    """Time that passes by a quarter of the deadline at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += SECONDS / 4
        return self.now


async def restarted(after: Chain | None, command: tuple[str, ...] = NOTHING) -> Comparison:
    """A candidate at block 100 that comes back with this chain, or not at all."""
    other = Canned(Chain(100))
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
        return await restart(pair, command, deadline_seconds=SECONDS, clock=Ticking())


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
    async with staged(Canned(), other) as pair:
        found = await restart(pair, NOTHING, deadline_seconds=30.0, clock=Ticking())
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
