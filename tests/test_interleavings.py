"""No order of faults and healings makes a verdict false: what holds for long enough is said.

What is true is known here, since the world is made here. In each round the node is *on the chain*
(its head is a block of the network's, fewer than the threshold behind every honest reference),
*off it* (another chain, at least the threshold behind what all honest references have, or so many
blocks of its own that no reorganisation is as deep), or neither: silent, on its way from one to the
other, or above the network's head, of which headwatch only warns. A condition counts from the round
in which it has held for as many rounds as the fold takes to believe it, and one more.

The premise is a majority of operators that answer and have no fault; references that are at fault
lie each in its own way, since a majority that lies alike is the network for whoever asks it.
Without it nothing is claimed but what silence allows: where no majority answers at all, no verdict
passes, and none fails but for a chain that the profile itself knows to be another. A node that does
not answer is neither passed nor failed.

The checks `reorg` and `finality` are asked as well, by their own probes, in stories where tags lie
and forks are left again. They remember, so that what is claimed with them is claimed of the node
alone: on the chain it fails none, whatever it has left behind; and one that calls a block of
another chain final never passes, wherever its head is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.checks.chain import FINALITY, REORG
from monitor.judge.profiles import Profile
from monitor.judge.quorum import Round
from monitor.judge.verdict import ENTER_COUNT, EXIT_COUNT
from monitor.model import Finding, Head, Level, Unseen, node_subject
from monitor.rpc.decode import RawHeader
from monitor.rpc.errors import ConnectionRefused
from monitor.rpc.node import Node
from monitor.survey import Survey
from tests.world import LOCAL, MAIN, NETWORK, WORLDS, Party, World

OFF_ROUNDS = ENTER_COUNT + 1
"""So long off the chain: no verdict passes."""
ON_ROUNDS = EXIT_COUNT + 1
"""So long on the chain: no verdict fails."""
PROFILES = ("dev", "ethereum", "ethereum-2018", "gnosis", "bellecour", "arbitrum")
NEED = 2
WARM_ROUNDS = 6
BLOCKS_MAX = 12
CASES = (
    *("pass", "fail", "inconclusive", "on: pass", "off: fail"),
    *("deaf: inconclusive", "gone: inconclusive"),
)
"""Words, and words where something is claimed of them: each is to be met, or nothing is shown."""
CASES_COUNT_MIN = 20
FINAL_PROFILES = ("dev", "gnosis")
"""Blocks are final within a story on the first; the second promises how soon they are."""
FINAL_CASES = (
    *("on", "astray", "finality: in_order", "finality: finalized_differs"),
    *("reorg: no_reorg", "reorg: own_reorg"),
)
NO_TAGS = "unsupported"


class Voice:
    """An endpoint as the probes ask it: what its party says, at once."""

    def __init__(self, party: Party) -> None:
        self.label = party.endpoint.label
        self._party = party

    async def ask(
        self, method: str, params: Sequence[Any], decoder: object, **how: object
    ) -> RawHeader | None:
        """`eth_getBlockByNumber` alone."""
        del method, decoder, how
        party, which = self._party, params[0]
        if party.is_silent:
            message = "connection refused"
            raise ConnectionRefused(message)
        if which in {"safe", "finalized"}:
            block = party.final()
        else:
            number = party.number if which == "latest" else int(which, 16)
            block = next(iter(party.blocks([number])), None)
        return None if block is None else _raw(block)


def _raw(block: Head) -> RawHeader:
    return RawHeader(hex(block.number), block.hash, block.parent_hash, hex(block.timestamp))


class Whole(World):
    """The world with what is replaced and what is final, asked by the probes themselves.

    Each is asked in every round, and answers before it is judged, as for a gate.
    """

    def __init__(self, profile: Profile, seed: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(profile, seed)
        for party in self.parties:
            party.endpoint.node = cast("Node", Voice(party))
        rows = (replace(REORG, every_seconds=0.0), replace(FINALITY, every_seconds=0.0))
        self._rows = rows
        self._survey = Survey(NETWORK, self.policy, rows, lambda: self.now, _mistaken)
        self._loop = loop

    def found_beside(self, context: Round) -> list[Finding]:
        """Asked, and judged as `Sidecar.judge` does."""
        survey, nodes = self._survey, (self.local.endpoint,)
        survey.contested = frozenset(key for key, held in self.memory.items() if held.pressure)
        self._loop.run_until_complete(self._ask(context))
        return [
            finding
            for row in self._rows
            for history in survey.histories(row, nodes)
            if not (isinstance(history[-1].seen, Unseen) and history[-1].seen.reason == NO_TAGS)
            for finding in row.judge(history, context, self.policy, self.now)
        ]

    async def _ask(self, context: Round) -> None:
        references = tuple(party.endpoint for party in self.references.values())
        await self._survey.begin(context, (self.local.endpoint,), references, self.trail)
        await self._survey.done()


def _mistaken(check: str, error: Exception) -> None:
    del check
    raise error


def lag(party: Party, world: World) -> None:
    party.lag_blocks = 2 * world.policy.lag_blocks


def freeze(party: Party, world: World) -> None:
    party.freeze()


def fork(party: Party, world: World) -> None:
    """Each on a branch of its own: liars that agree are a majority of another kind."""
    party.part(f"{party.endpoint.label}'s")


def elsewhere(party: Party, world: World) -> None:
    party.is_elsewhere = True


def silent(party: Party, world: World) -> None:
    party.is_silent = True


def ahead(party: Party, world: World) -> None:
    party.ahead_blocks = 3 * world.policy.lag_blocks


def heal(party: Party, world: World) -> None:
    party.heal()


def other_final(party: Party, world: World) -> None:
    """Its head is the network's, and what it calls final is not; each its own."""
    party.final_branch = f"{party.endpoint.label}'s final"


def old_final(party: Party, world: World) -> None:
    """What it calls final stands, and its head does not."""
    party.freeze_final()


FAULTS: dict[str, Callable[[Party, World], None]] = {
    one.__name__: one for one in (lag, freeze, fork, elsewhere, silent, ahead, heal)
}
FINAL_FAULTS: dict[str, Callable[[Party, World], None]] = {
    one.__name__: one for one in (other_final, old_final)
}


@dataclass(frozen=True, slots=True)
class Move:
    """Something that begins for somebody, and how many blocks pass before the next."""

    fault: str
    """Of `FAULTS`, or `quiet` and `loud` of the network as a whole."""
    whom: str
    """Names of references, or `n` for the node."""
    blocks: int


MOVES = st.one_of(
    st.builds(Move, st.sampled_from(list(FAULTS)), st.just("n"), st.integers(1, BLOCKS_MAX)),
    st.builds(
        Move,
        st.sampled_from(list(FAULTS)),
        st.sampled_from(["a", "b", "c", "ab", "bc", "abc"]),
        st.integers(1, BLOCKS_MAX),
    ),
    st.builds(Move, st.sampled_from(["quiet", "loud"]), st.just(""), st.integers(1, BLOCKS_MAX)),
    # Seldom drawn by itself, and much is claimed of it.
    st.builds(
        Move, st.just("silent"), st.sampled_from(["n", "ab", "abc"]), st.integers(4, BLOCKS_MAX)
    ),
)


EPISODES = st.builds(
    lambda fault, blocks, after: [Move(fault, "n", blocks), Move("heal", "n", after)],
    st.sampled_from(["fork", "fork", "lag", "ahead", "elsewhere", *FINAL_FAULTS]),
    st.integers(8, BLOCKS_MAX),
    st.integers(4, BLOCKS_MAX),
)
"""Of the node, and long enough for blocks to become final meanwhile, which it then leaves."""
FINAL_MOVES = st.one_of(
    EPISODES,
    st.builds(
        lambda fault, whom, blocks: [Move(fault, whom, blocks)],
        st.sampled_from([*FAULTS, *FINAL_FAULTS]),
        st.sampled_from(["n", "a", "b", "c", "ab", "bc", "abc"]),
        st.integers(1, BLOCKS_MAX),
    ),
)


class Truth:
    """What is so, round by round, and for how long."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faulty: set[str] = set()
        self.lasted: Counter[str] = Counter()
        """Condition -> the rounds that it has held."""

    def note(self) -> None:
        """After a round."""
        world, node = self.world, self.world.local
        honest = [p for name, p in world.references.items() if name not in self.faulty]
        answering = [p for p in world.references.values() if not p.is_silent]
        is_led = len(honest) >= NEED
        conditions = {
            "on": is_led and self._is_on(node, honest),
            "off": is_led and self._is_off(node, honest),
            "deaf": len(answering) < NEED,
            "gone": node.is_silent,
            "home": not node.is_elsewhere,
            "astray": is_led and not node.is_silent and node.final_branch != MAIN,
        }
        for name, is_so in conditions.items():
            self.lasted[name] = self.lasted[name] + 1 if is_so else 0

    def _is_on(self, node: Party, honest: Sequence[Party]) -> bool:
        if node.is_silent or node.is_elsewhere or node.ahead_blocks or self._own_blocks(node):
            return False
        if node.final_branch != MAIN:
            return False
        behind = max(party.number for party in honest) - node.number
        return behind < self.world.policy.lag_blocks

    def _is_off(self, node: Party, honest: Sequence[Party]) -> bool:
        if node.is_silent:
            return False
        lowest = self._agreed(honest)
        shared = min(lowest, node.number)
        depth = shared - node.above if node.branch != MAIN else 0
        return (
            node.is_elsewhere
            or lowest - node.number >= self.world.policy.lag_blocks
            or depth >= self.world.policy.confirmations
        )

    @staticmethod
    def _agreed(honest: Sequence[Party]) -> int:
        """The highest block that all of them have: at the tip two may be new at once."""
        number = min(party.number for party in honest)
        while len({party.block(number).hash for party in honest}) > 1:
            number -= 1
        return number

    @staticmethod
    def _own_blocks(node: Party) -> int:
        return 0 if node.branch == MAIN else max(0, node.number - node.above)


Look = Callable[[World, "Truth", Sequence[Move], Counter[str]], None]


def play(world: World, moves: Sequence[Move], met: Counter[str], claim: Look | None = None) -> None:
    """Let all this happen, and look at the verdict after every round."""
    truth = Truth(world)
    for _ in range(WARM_ROUNDS):
        world.step()
        truth.note()
    for move in moves:
        begin(world, truth, move)
        for _ in world.steps(move.blocks):
            truth.note()
            (claim or look)(world, truth, moves, met)


def begin(world: World, truth: Truth, move: Move) -> None:
    if not move.whom:
        world.chain.is_quiet = move.fault == "quiet"
        return
    for name in move.whom:
        party = world.local if name == "n" else world.references[name]
        party.heal()
        (FAULTS | FINAL_FAULTS)[move.fault](party, world)
        if name != "n":
            truth.faulty -= {name}
            truth.faulty |= set() if move.fault == "heal" else {name}


def look(world: World, truth: Truth, moves: Sequence[Move], met: Counter[str]) -> None:
    """The claims."""
    word = world.verdict.word
    met[word] += 1
    story = f"{list(moves)}\n{truth.lasted}\n{world.story}"
    if truth.lasted["off"] >= OFF_ROUNDS:
        met[f"off: {word}"] += 1
        assert word != "pass", story
    if truth.lasted["on"] >= ON_ROUNDS:
        met[f"on: {word}"] += 1
        assert word != "fail", story
    if truth.lasted["deaf"] >= OFF_ROUNDS:
        met[f"deaf: {word}"] += 1
        assert word != "pass", story
        assert word != "fail" or truth.lasted["home"] < ON_ROUNDS, story
    if truth.lasted["gone"] >= OFF_ROUNDS:
        met[f"gone: {word}"] += 1
        assert word == "inconclusive", story


def look_at_the_node(world: World, truth: Truth, moves: Sequence[Move], met: Counter[str]) -> None:
    """What is final and what was replaced is claimed of the node alone.

    The references may all have been wrong, and have replaced what they called final, which is
    told of them for long.
    """
    mine = [f for f in world.verdict.findings if f.subject == node_subject(LOCAL)]
    told = {f.reason for f in mine if f.level == Level.FAILED}
    met.update(f"{one.check}: {one.reason}" for one in mine)
    story = f"{list(moves)}\n{truth.lasted}\n{world.story}"
    if truth.lasted["on"] >= ON_ROUNDS:
        met["on"] += 1
        assert not told, story
    if truth.lasted["astray"] >= OFF_ROUNDS:
        met["astray"] += 1
        assert world.verdict.word != "pass", story
        assert "finality" in {f.check for f in mine if f.level == Level.FAILED}, story


def campaign(key: str, examples: int, moves: int, *, is_fixed: bool) -> Counter[str]:
    """Hypothesis looks for a false verdict; how often each true one was met.

    Its fixed draws follow from the text of `played`: who edits that draws other stories.
    """
    met: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=is_fixed,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**16), st.lists(MOVES, min_size=3, max_size=moves))
    def played(seed: int, story: list[Move]) -> None:
        play(World(WORLDS[key], seed), story, met)

    played()
    return met


def whole_campaign(key: str, examples: int, moves: int, *, is_fixed: bool) -> Counter[str]:
    """The same, with tags that lie and what is replaced."""
    met: Counter[str] = Counter()
    loop = asyncio.new_event_loop()

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=is_fixed,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**16), st.lists(FINAL_MOVES, min_size=3, max_size=moves))
    def played(seed: int, stories: list[list[Move]]) -> None:
        story = [move for moves in stories for move in moves]
        play(Whole(WORLDS[key], seed, loop), story, met, look_at_the_node)

    try:
        played()
    finally:
        loop.close()
    return met


@pytest.mark.parametrize("key", PROFILES)
def test_verdict_is_true_whatever_happens_in_whatever_order(key: str) -> None:
    """And each word was said often enough, of nodes on and off the chain, to mean something."""
    met = campaign(key, examples=25, moves=6, is_fixed=True)
    assert all(met[case] >= CASES_COUNT_MIN for case in CASES), met


@pytest.mark.parametrize("key", FINAL_PROFILES)
def test_node_is_accused_of_nothing_that_its_chain_and_its_tags_are_not(key: str) -> None:
    """A node on the chain fails no check of it; one that calls another chain final never passes."""
    met = whole_campaign(key, examples=40, moves=6, is_fixed=True)
    assert all(met[case] >= CASES_COUNT_MIN for case in FINAL_CASES), met


@pytest.mark.wide
@pytest.mark.parametrize("key", PROFILES)
def test_verdict_is_true_in_long_stories(key: str) -> None:
    """The same with other stories every time, and longer ones."""
    met = campaign(key, examples=120, moves=14, is_fixed=False)
    assert all(met[case] >= CASES_COUNT_MIN for case in CASES), met


@pytest.mark.wide
@pytest.mark.parametrize("key", FINAL_PROFILES)
def test_node_is_accused_of_nothing_in_long_stories(key: str) -> None:
    """The same with other stories every time, and longer ones."""
    met = whole_campaign(key, examples=100, moves=14, is_fixed=False)
    assert all(met[case] >= CASES_COUNT_MIN for case in FINAL_CASES), met
