"""No order of faults and healings makes a verdict false: what holds for long enough is said.

What is true is known here, since the world is made here. In each round the node is *on the chain*
(its head is a block of the network's, fewer than the threshold behind every honest reference),
*off it* (another chain, at least the threshold behind every honest reference, or so many blocks of
its own that no reorganisation is as deep), or neither: silent, on its way from one to the other, or
above the network's head, of which headwatch only warns. A condition counts from the round in which
it has held for as many rounds as the fold takes to believe it, and one more.

The premise is a majority of operators that answer and have no fault; references that are at fault
lie each in its own way, since a majority that lies alike is the network for whoever asks it.
Without it nothing is claimed but what silence allows: where no majority answers at all, no verdict
passes, and none fails but for a chain that the profile itself knows to be another. A node that does
not answer is neither passed nor failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.judge.verdict import ENTER_COUNT, EXIT_COUNT
from tests.world import MAIN, WORLDS, Party, World

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


FAULTS: dict[str, Callable[[Party, World], None]] = {
    one.__name__: one for one in (lag, freeze, fork, elsewhere, silent, ahead, heal)
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
        }
        for name, is_so in conditions.items():
            self.lasted[name] = self.lasted[name] + 1 if is_so else 0

    def _is_on(self, node: Party, honest: Sequence[Party]) -> bool:
        if node.is_silent or node.is_elsewhere or node.ahead_blocks or self._own_blocks(node):
            return False
        behind = max(party.number for party in honest) - node.number
        return behind < self.world.policy.lag_blocks

    def _is_off(self, node: Party, honest: Sequence[Party]) -> bool:
        if node.is_silent:
            return False
        lowest = min(party.number for party in honest)
        shared = min(lowest, node.number)
        depth = shared - node.above if node.branch != MAIN else 0
        return (
            node.is_elsewhere
            or lowest - node.number >= self.world.policy.lag_blocks
            or depth >= self.world.policy.confirmations
        )

    @staticmethod
    def _own_blocks(node: Party) -> int:
        return 0 if node.branch == MAIN else max(0, node.number - node.above)


def play(world: World, moves: Sequence[Move], met: Counter[str]) -> None:
    """Let all this happen, and look at the verdict after every round."""
    truth = Truth(world)
    for _ in range(WARM_ROUNDS):
        world.step()
        truth.note()
    for move in moves:
        begin(world, truth, move)
        for _ in world.steps(move.blocks):
            truth.note()
            look(world, truth, moves, met)


def begin(world: World, truth: Truth, move: Move) -> None:
    if not move.whom:
        world.chain.is_quiet = move.fault == "quiet"
        return
    for name in move.whom:
        party = world.local if name == "n" else world.references[name]
        party.heal()
        FAULTS[move.fault](party, world)
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
        assert word != "fail" or world.local.is_elsewhere, story
    if truth.lasted["gone"] >= OFF_ROUNDS:
        met[f"gone: {word}"] += 1
        assert word == "inconclusive", story


def campaign(key: str, examples: int, moves: int, *, is_fixed: bool) -> Counter[str]:
    """Hypothesis looks for a false verdict; how often each true one was met."""
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


@pytest.mark.parametrize("key", PROFILES)
def test_verdict_is_true_whatever_happens_in_whatever_order(key: str) -> None:
    """And each word was said often enough, of nodes on and off the chain, to mean something."""
    met = campaign(key, examples=25, moves=6, is_fixed=True)
    assert all(met[case] >= CASES_COUNT_MIN for case in CASES), met


@pytest.mark.wide
@pytest.mark.parametrize("key", PROFILES)
def test_verdict_is_true_in_long_stories(key: str) -> None:
    """The same with other stories every time, and longer ones."""
    met = campaign(key, examples=120, moves=14, is_fixed=False)
    assert all(met[case] >= CASES_COUNT_MIN for case in CASES), met
