"""What is said of reorgs: of the chain, of a node that went along, of a node that was alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.chains import POLYGON
from monitor.judge.profiles import ETHEREUM_2018, Profile, policy
from monitor.judge.quorum import Round
from monitor.judge.reorg import HELD_CONFIRMATIONS, OFFERS, held_blocks, is_with_references, judge
from monitor.judge.trace import Block, Reorg, ReorgSeen
from monitor.model import BlockNumber, Finding, Level, Observation, Unseen, reference_label
from tests.judge.builders import (
    NETWORK,
    NOW,
    POLICY,
    TIMEOUT,
    TIP,
    agreeing,
    hash_of,
    round_of,
    witness,
)

HERE = round_of(*agreeing())
LIMIT = POLICY.reorg_blocks
QUORUM = reference_label(NETWORK)


def at(number: int, branch: str = "main") -> Block:
    return Block(BlockNumber(number), hash_of(number, branch))


def reorg(
    depth: int, *, own: bool | None = False, final: bool = False, new: int = TIP, moment: float = 0
) -> Reorg:
    return Reorg(
        at=NOW + moment,
        depth_blocks=depth,
        old=at(new - 1, "old"),
        new=at(new),
        common=at(new - 1 - depth),
        is_final=final,
        is_own=own,
    )


def after(*reorgs: Reorg, branch: str = "main") -> ReorgSeen:
    chain = tuple(at(number, branch) for number in range(TIP - 5, TIP + 1))
    return ReorgSeen(chain, reorgs, total=len(reorgs))


def judged(seen: ReorgSeen | Unseen, context: Round = HERE, *, node: str = "local") -> Finding:
    (finding,) = judge([Observation(node, "reorg", NOW, 0.1, seen)], context, POLICY, NOW)
    return finding


def test_reorg_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], HERE, POLICY, NOW) == ()


def test_reorg_that_could_not_be_looked_for_is_unknown() -> None:
    """Not seen is not "none"."""
    assert (judged(TIMEOUT).level, judged(TIMEOUT).reason) == (Level.UNKNOWN, "timeout")


@pytest.mark.parametrize("node", ["local", QUORUM])
def test_reorg_that_never_was_is_ok_with_depth_zero(node: str) -> None:
    """A rule that asks for the depth finds a number."""
    finding = judged(after(), node=node)
    assert (finding.level, finding.reason, finding.measured) == (Level.OK, "no_reorg", 0.0)
    assert finding.limit == LIMIT
    assert judged(ReorgSeen(), node=node).reason == "no_reorg"


def test_reorg_of_the_chain_without_a_quorum_is_unknown() -> None:
    """There is no chain to speak of; of a node what it did itself is still known."""
    alone = round_of(*(witness(name, TIMEOUT) for name in "abc"))
    finding = judged(after(reorg(9)), alone, node=QUORUM)
    assert (finding.level, finding.reason, finding.measured) == (Level.UNKNOWN, "no_quorum", None)
    assert judged(after(reorg(9, own=True)), alone).reason == "own_reorg"


@pytest.mark.parametrize(
    ("depth", "level", "reason"),
    [
        (LIMIT - 1, Level.OK, "reorg"),
        (LIMIT, Level.DEGRADED, "deep_reorg"),
        (LIMIT + 1, Level.DEGRADED, "deep_reorg"),
    ],
)
def test_reorg_of_the_chain_is_told_from_the_depth_of_the_profile(
    depth: int, level: Level, reason: str
) -> None:
    """What happens less than once in 30 days is worth a word; what is usual is counted."""
    finding = judged(after(reorg(depth)), node=QUORUM)
    assert (finding.level, finding.reason, finding.measured) == (level, reason, depth)
    assert finding.evidence[0].threshold is not None
    assert "less than once in 30 days" in finding.evidence[0].threshold


@pytest.mark.parametrize(
    ("depth", "own", "level", "reason"),
    [
        (LIMIT - 1, True, Level.OK, "reorg"),
        (LIMIT, True, Level.DEGRADED, "own_reorg"),
        (LIMIT, False, Level.OK, "chain_reorg"),
        (LIMIT, None, Level.OK, "unplaced_reorg"),
        (9, True, Level.DEGRADED, "own_reorg"),
        (9, False, Level.OK, "chain_reorg"),
    ],
)
def test_reorg_of_a_node_accuses_it_only_of_what_it_had_alone(
    depth: int, level: Level, reason: str, *, own: bool | None
) -> None:
    """The same blocks gone at the references are the chain's doing, and unseen is no guilt."""
    finding = judged(after(reorg(depth, own=own)))
    assert (finding.level, finding.reason) == (level, reason)


@pytest.mark.parametrize(
    ("branch", "own", "level", "reason"),
    [
        ("mine", False, Level.FAILED, "finalized_reorged"),
        ("mine", True, Level.FAILED, "finalized_reorged"),
        ("main", True, Level.DEGRADED, "finalized_reorged"),
        ("main", None, Level.DEGRADED, "finalized_reorged"),
        ("main", False, Level.OK, "chain_reorg"),
    ],
)
def test_reorg_below_finality_fails_a_node_while_it_is_not_on_the_references_chain(
    branch: str, level: Level, reason: str, *, own: bool | None
) -> None:
    """Where it came back from a chain of its own it answers rightly now, and is not failed."""
    finding = judged(after(reorg(9, own=own, final=True), branch=branch))
    assert (finding.level, finding.reason) == (level, reason)


def test_reorg_below_finality_that_was_not_the_last_says_nothing_of_where_the_node_is() -> None:
    """The chain it is on came of the reorg after it."""
    seen = after(reorg(9, final=True), reorg(LIMIT - 1), branch="mine")
    assert judged(seen).level == Level.OK


def test_reorg_below_finality_at_the_references_fails_the_network() -> None:
    """Whoever relied on finality has relied on nothing; with one reference that is one opinion."""
    seen = after(reorg(9, final=True))
    assert judged(seen, node=QUORUM).level == Level.FAILED
    single = round_of(*agreeing(names="a"))
    assert judged(seen, single, node=QUORUM).level == Level.DEGRADED
    assert judged(after(reorg(9, final=True), branch="mine"), single).level == Level.DEGRADED


@pytest.mark.parametrize(("back", "is_told"), [(0, True), (29, True), (30, False)])
def test_reorg_is_told_for_ten_times_the_confirmations(back: int, *, is_told: bool) -> None:
    """Three confirmations on Ethereum: thirty blocks later it is history."""
    assert held_blocks(POLICY) == HELD_CONFIRMATIONS * POLICY.confirmations == 30
    finding = judged(after(reorg(9, new=TIP - back)), node=QUORUM)
    assert (finding.level == Level.DEGRADED) is is_told
    assert finding.measured == (9.0 if is_told else 0.0)


def test_reorg_that_is_worst_is_told_whatever_came_after() -> None:
    """A shallow one does not hide the deep one before it; the number is the deepest's."""
    finding = judged(after(reorg(5, own=True), reorg(8, moment=1), reorg(1, moment=2)))
    assert (finding.reason, finding.measured) == ("own_reorg", 8.0)
    assert finding.summary == (
        "5 blocks up to 999 gave way to the chain of block 1000; the references never had them"
    )


def test_reorg_of_one_block_is_said_in_the_singular() -> None:
    """People read it."""
    finding = judged(after(reorg(1)))
    assert finding.summary == "1 block up to 999 gave way to the chain of block 1000"
    nothing = replace(reorg(9), common=None)
    said = judged(after(nothing), node=QUORUM).evidence[0].said
    assert said.endswith("the last common block is none that is remembered")


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (POLYGON, "more than is usual on this chain"),
        (ETHEREUM_2018, "less than once in 30 days"),
        (replace(POLYGON, fork_rate=0.0), "makes no reorgs of its own"),
    ],
)
def test_reorg_says_where_its_limit_comes_from(profile: Profile, words: str) -> None:
    """A threshold without a reason is a guess."""
    rules = policy(profile)
    seen = [Observation("local", "reorg", NOW, 0.1, after(reorg(99, own=True)))]
    (finding,) = judge(seen, HERE, rules, NOW)
    assert finding.evidence[0].threshold is not None
    assert words in finding.evidence[0].threshold


def test_chain_is_compared_below_its_tip_where_the_references_name_a_block() -> None:
    """A block in flight decides nothing; where no height is named, nobody can say."""
    main = tuple(at(n) for n in range(TIP - 5, TIP + 1))
    rival = (*main[:-1], at(TIP, "mine"))
    assert is_with_references(main, HERE) is True
    assert is_with_references(rival, HERE) is True
    assert is_with_references((at(TIP, "mine"),), HERE) is False
    assert is_with_references((at(TIP + 50), at(TIP + 60)), HERE) is None


def test_offers_are_of_the_node_and_of_the_chain() -> None:
    """One number of each, under names of their own."""
    assert [(one.metric, one.subjects) for one in OFFERS] == [
        ("headwatch_reorg_deepest_blocks", "node"),
        ("headwatch_reorg_chain_deepest_blocks", "quorum"),
    ]
