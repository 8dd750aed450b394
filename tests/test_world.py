"""Whole worlds, judged: health opens nothing, each fault opens its findings and closes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from monitor.judge.profiles import ETHEREUM_2018
from monitor.model import Level
from tests.world import WORLDS, Fault, World
from tests.world_faults import (
    FAULTS,
    FORKS,
    LAGS,
    LIARS,
    LOCAL_SUBJECT,
    QUIET,
    SILENCES,
    STALLS,
    TWO_AND_TWO,
    WARM_BLOCKS,
    expect,
)

SEEDS = range(5)
FAULT_SEEDS = (11, 12)
HEALTHY_BLOCKS = 200
AFTER_BLOCKS = 12
"""How long a fault lasts on after everything expected was seen, and health after it is back."""
PATIENCE_BLOCKS = 60
RECORD_EMPTY_SLOTS = 7
OK, DEGRADED = Level.OK, Level.DEGRADED

OFTEN = ("dev", "dev/0.25s", "ethereum", "ethereum-2018")
"""Worlds that are drawn with every seed; the others follow with the first."""


def each_world(seeds: Sequence[int]) -> pytest.MarkDecorator:
    """Every world, by key and seed."""
    drawn = [(key, seed) for key in WORLDS for seed in (seeds if key in OFTEN else seeds[:1])]
    return pytest.mark.parametrize(("key", "seed"), drawn)


def warm(key: str, seed: int, clients: Sequence[str] = ("", "", "")) -> World:
    """A world that has been healthy for a while."""
    world = World(WORLDS[key], seed, clients=clients)
    world.pass_blocks(WARM_BLOCKS)
    assert world.is_healthy, world.story
    assert world.actions == [], world.story
    return world


def strike(world: World, fault: Fault) -> int:
    """Let a fault begin and be seen as expected; the blocks that the references had meanwhile."""
    fault.begin(world)
    before = world.reference_number
    blocks = PATIENCE_BLOCKS
    if fault is QUIET:
        blocks += math.ceil(world.policy.stall_seconds / world.profile.interval_seconds)
    if fault is FORKS:
        blocks += world.policy.confirmations
    for _ in world.steps(blocks):
        if all(world.level(key) == level for key, level in fault.findings):
            return world.reference_number - before
    pytest.fail(f"not seen: {fault.name}\n{world.story}")


# -- health --------------------------------------------------------------------------------------


@each_world(SEEDS)
@pytest.mark.parametrize(
    "clients", [("", "", ""), TWO_AND_TWO], ids=lambda clients: str(len(clients))
)
def test_world_that_is_healthy_opens_nothing(key: str, seed: int, clients: Sequence[str]) -> None:
    """200 blocks with late arrivals, missed slots and rivals at the tip: not one finding."""
    world = World(WORLDS[key], seed, clients=clients, client=clients[0])
    world.pass_blocks(HEALTHY_BLOCKS)
    assert world.actions == [], world.story
    assert world.is_healthy, world.story
    assert world.verdict.word == "pass"


@pytest.mark.parametrize("seed", SEEDS)
def test_world_with_deeper_reorgs_warns_of_the_fork_at_most(seed: int) -> None:
    """Proof of work reorganises two blocks deep every few hours: a warning, never a failure."""
    world = World(ETHEREUM_2018, seed, reorg_depth_max=3)
    for _ in world.steps(HEALTHY_BLOCKS):
        assert world.verdict.word == "pass" or not world.actions, world.story
    opened = {(a.key, a.finding.level) for _, a in world.actions if a.kind == "opened"}
    assert opened <= expect(("fork", LOCAL_SUBJECT, DEGRADED)), world.story


@pytest.mark.parametrize("key", [key for key in WORLDS if WORLDS[key].model == "slots"])
@pytest.mark.parametrize("seed", FAULT_SEEDS)
def test_world_with_a_run_of_empty_slots_says_nothing_of_the_node(key: str, seed: int) -> None:
    """Seven in a row, the most on mainnet's record, are the network's silence and nobody's lag."""
    world = warm(key, seed)
    world.chain.skip(RECORD_EMPTY_SLOTS)
    for _ in world.steps(WARM_BLOCKS):
        levels = {h.finding.level for k, h in world.memory.items() if k[1] == LOCAL_SUBJECT}
        assert levels == {OK}, world.story
        assert world.verdict.word == "pass", world.story
    opened = {(a.key, a.finding.level) for _, a in world.actions if a.kind == "opened"}
    assert opened <= QUIET.findings, world.story
    assert world.is_healthy, world.story


# -- faults --------------------------------------------------------------------------------------


@each_world(FAULT_SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_world_with_a_fault_opens_exactly_its_findings_and_closes_them(
    fault: Fault, key: str, seed: int
) -> None:
    """Nothing else opens but what names them as its cause, and all is told to have closed."""
    world = warm(key, seed, fault.clients)
    strike(world, fault)
    world.pass_blocks(AFTER_BLOCKS)
    assert world.verdict.word == fault.word, world.story
    expected = dict(fault.findings)
    for bad, held in world.memory.items():
        finding = held.finding
        if bad in expected:
            assert (finding.level, finding.because) == (expected[bad], None), world.story
        elif finding.level != OK:
            assert finding.because in expected, world.story
    opened = {action.key for _, action in world.actions}
    assert opened == {k for k, h in world.memory.items() if h.finding.level != OK}, world.story
    world.heal()
    world.pass_blocks(2 * AFTER_BLOCKS)
    assert world.is_healthy, world.story
    assert world.verdict.word == "pass", world.story
    assert {action.key for _, action in world.actions} == opened, world.story
    for one in opened:
        kinds = [action.kind for _, action in world.actions if action.key == one]
        assert [k for k in kinds if k != "changed"] == ["opened", "closed"], world.story


@each_world(FAULT_SEEDS)
@pytest.mark.parametrize("fault", LIARS, ids=lambda fault: fault.name)
def test_world_with_one_liar_of_three_moves_no_level_of_the_node(
    fault: Fault, key: str, seed: int
) -> None:
    """In no round, from the first lie to its end, is anything but ok said of the node."""
    world = warm(key, seed)
    fault.begin(world)
    for _ in world.steps(PATIENCE_BLOCKS):
        levels = {h.finding.level for k, h in world.memory.items() if k[1] == LOCAL_SUBJECT}
        assert levels == {OK}, world.story
        assert world.verdict.word == "pass", world.story


@each_world(FAULT_SEEDS)
@pytest.mark.parametrize("fault", SILENCES, ids=lambda fault: fault.name)
def test_world_without_a_quorum_is_inconclusive_and_never_passes(
    fault: Fault, key: str, seed: int
) -> None:
    """From the round in which the references are known to be none until they are back."""
    world = warm(key, seed, fault.clients)
    strike(world, fault)
    for _ in world.steps(AFTER_BLOCKS):
        assert world.verdict.word == "inconclusive", world.story
    world.heal()
    assert "pass" in {world.verdict.word for _ in world.steps(AFTER_BLOCKS)}, world.story


@each_world(range(20, 25))
@pytest.mark.parametrize("fault", [LAGS, STALLS, FORKS], ids=lambda fault: fault.name)
def test_world_with_a_faulty_node_is_told_within_two_blocks_of_the_threshold(
    fault: Fault, key: str, seed: int
) -> None:
    """Counted in the references' blocks since the fault.

    Slots come one at a time, two polls a block: at most two blocks beyond the threshold. Blocks
    drawn by work come in bursts, and those of fast chains more than one a poll, so that there it is
    rounds that are counted: the second round in which the threshold is passed tells at the latest,
    however many blocks came in between.
    """
    world = warm(key, seed)
    limit = world.policy.confirmations if fault is FORKS else world.policy.lag_blocks
    polls_a_block = world.profile.interval_seconds / world.policy.poll_seconds
    if world.profile.model == "slots" and polls_a_block >= 2:
        assert strike(world, fault) <= limit + 2, world.story
        return
    fault.begin(world)
    ((check, level),) = fault.findings
    rounds_beyond = 0
    for _ in world.steps(PATIENCE_BLOCKS + limit):
        rounds_beyond += world.is_beyond(check, limit)
        if world.level(check) == level:
            break
    assert rounds_beyond in {1, 2}, world.story
