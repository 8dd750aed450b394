"""Is the node on its references' chain: where it is compared, how deep, and who else parted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.judge.fork import (
    SEARCH_BLOCKS_MAX,
    Comparison,
    SearchRange,
    compare,
    is_current,
    judge,
    points,
    search_range,
)
from monitor.judge.profiles import ETHEREUM_2018, policy
from monitor.judge.quorum import Round
from monitor.judge.seen import Ancestor, ForkSeen, HeadSeen
from monitor.model import BlockNumber, Finding, Level, Observation, Reference, Unseen
from tests.judge.builders import (
    NOW,
    POLICY,
    TIMEOUT,
    TIP,
    agreeing,
    block,
    fork_seen,
    hash_of,
    round_of,
    run,
    said,
    seen_head,
    without_hashes,
    witness,
)

DEEP = policy(ETHEREUM_2018)
"""Forked from 5 blocks, so that there is room between the levels."""


def judged(seen: ForkSeen | Unseen, context: Round) -> Finding:
    observation: Observation[ForkSeen] = Observation("local", "fork", NOW, 0.1, seen)
    (finding,) = judge([observation], context, DEEP, NOW)
    assert finding.key == ("fork", "node:local")
    return finding


def forked(depth: int, *, number: int = TIP, client: str = "", known: bool = True) -> ForkSeen:
    """A node whose chain parted `depth` blocks below `number`, and whether that was found out."""
    seen = fork_seen(run(number, 9, branch="mine", above=number - depth), client=client)
    ancestor = Ancestor(BlockNumber(number - depth), BlockNumber(0)) if known else None
    return replace(seen, ancestor=ancestor)


def pair(number: int, *, differs: bool) -> Comparison:
    return Comparison(
        BlockNumber(number), hash_of(number, "mine" if differs else "main"), hash_of(number)
    )


def test_fork_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_fork_of_a_node_that_was_not_seen_is_unknown() -> None:
    """Not seen is not the same chain."""
    finding = judged(TIMEOUT, round_of(*agreeing()))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


def test_fork_without_a_quorum_is_unknown() -> None:
    """Nothing to compare with, nothing compared."""
    context = round_of(*(witness(n, TIMEOUT) for n in "abc"))
    finding = judged(forked(0), context)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")
    assert compare(seen_head(TIP), forked(0).chain, context) == ()


def test_fork_where_no_hash_was_seen_is_unknown() -> None:
    """A head without any hash that both name is no same chain."""
    finding = judged(without_hashes(seen_head(TIP)), round_of(*agreeing()))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "hash_unseen")
    far = judged(fork_seen([said(seen_head(TIP - 500))]), round_of(*agreeing()))
    assert far.reason == "hash_unseen"


@pytest.mark.parametrize("number", [TIP - 5, TIP - 1, TIP, TIP + 1, TIP + 4])
def test_fork_of_a_node_on_the_same_chain_is_none(number: int) -> None:
    """Before, at and after the references' head, the same hashes are the same chain."""
    finding = judged(fork_seen(run(number, 9)), round_of(*agreeing()))
    assert (finding.level, finding.reason, finding.measured) == (Level.OK, "same_chain", 0.0)
    assert finding.as_of == block(number).stamp


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (seen_head(TIP), (TIP, TIP - 1, TIP - 2)),
        (seen_head(TIP + 9), (TIP, TIP - 1, TIP - 2)),
        (seen_head(TIP - 9), (TIP - 9, TIP - 10, TIP - 11)),
        (seen_head(1), (1, 0)),
        (seen_head(0), (0,)),
        (seen_head(TIP, final=TIP - 64), (TIP, TIP - 1, TIP - 2, TIP - 64)),
        (seen_head(TIP, final=TIP), (TIP, TIP - 1, TIP - 2)),
        (seen_head(TIP + 9, final=TIP), (TIP, TIP - 1, TIP - 2)),
        (seen_head(TIP + 9, final=TIP + 1), (TIP, TIP - 1, TIP - 2)),
    ],
)
def test_points_of_a_head_are_common_two_below_and_final(
    seen: HeadSeen, expected: tuple[int, ...]
) -> None:
    """The node's finalized block counts as soon as the references have reached it."""
    reference = round_of(*agreeing()).reference
    assert isinstance(reference, Reference)
    assert points(seen, reference) == expected


@pytest.mark.parametrize(
    ("depth", "level", "reason"),
    [
        (1, Level.OK, "tip_differs"),
        (3, Level.OK, "tip_differs"),
        (4, Level.DEGRADED, "reorg_or_fork"),
        (5, Level.FAILED, "forked"),
        (6, Level.FAILED, "forked"),
    ],
)
@pytest.mark.parametrize("names", ["abc", "a"])
def test_fork_at_a_depth_is_judged_by_the_confirmations(
    depth: int, level: Level, reason: str, names: str
) -> None:
    """The threshold itself is a fork; below it, what a month's reorgs do not reach, a warning.

    One reference alone only ever warns.
    """
    finding = judged(forked(depth), round_of(*agreeing(names=names)))
    expected = min(level, Level.DEGRADED) if names == "a" else level
    assert (finding.level, finding.reason) == (expected, reason)
    assert (finding.measured, finding.limit) == (depth, 5)
    assert f"the last common block is {TIP - depth}" in finding.summary
    assert "op-a" in finding.evidence[0].said


@pytest.mark.parametrize(("behind", "apart"), [(0, 3), (4, 7), (-2, 5)])
def test_fork_depth_counts_on_the_longer_chain(behind: int, apart: int) -> None:
    """A node that forked and fell behind is as far away as the references have gone on."""
    number = TIP - behind
    seen = forked(3 - min(0, behind), number=number)
    assert judged(seen, round_of(*agreeing())).measured == apart


def test_fork_whose_ancestor_was_not_found_counts_what_is_certain() -> None:
    """The lowest height that differed, when the search gave no answer this round."""
    finding = judged(forked(9, known=False), round_of(*agreeing()))
    assert (finding.measured, finding.level) == (3, Level.DEGRADED)
    assert f"they part at block {TIP - 2} or below" in finding.summary


def test_fork_without_any_common_block_counts_from_the_floor() -> None:
    """Nothing in common as far down as was looked."""
    seen = replace(forked(9), ancestor=Ancestor(None, BlockNumber(TIP - 256)))
    finding = judged(seen, round_of(*agreeing()))
    assert (finding.measured, finding.level) == (256, Level.FAILED)
    assert f"no common block down to {TIP - 256}" in finding.summary


@pytest.mark.parametrize(
    ("final", "branch", "level", "reason"),
    [
        (TIP - 3, "mine", Level.OK, "tip_differs"),
        (TIP - 2, "mine", Level.FAILED, "finalized_differs"),
        (TIP - 1, "mine", Level.FAILED, "finalized_differs"),
        (TIP - 9, "elsewhere", Level.FAILED, "finalized_differs"),
    ],
)
def test_fork_at_a_block_that_the_node_calls_final_is_said_at_once(
    final: int, branch: str, level: Level, reason: str
) -> None:
    """However shallow: a difference at or below finality cannot heal by itself.

    The node parted above `TIP - 3`; its final block is of its own branch from there on.
    """
    seen = forked(3)
    finalized = block(final, branch, -1 if branch == "elsewhere" else TIP - 3)
    seen = replace(seen, head=replace(seen.head, finalized=finalized))
    witnesses = [witness(name, run(TIP), asked=[block(final)]) for name in "abc"]
    finding = judged(seen, round_of(*witnesses))
    assert (finding.level, finding.reason) == (level, reason)


@pytest.mark.parametrize(
    ("depth", "client", "allies", "level", "reason"),
    [
        (6, "geth", ["geth"], Level.UNKNOWN, "client_split"),
        (4, "geth", ["geth"], Level.UNKNOWN, "client_split"),
        (3, "geth", ["geth"], Level.OK, "tip_differs"),
        (6, "reth", ["geth"], Level.FAILED, "forked"),
        (6, "", ["geth"], Level.FAILED, "forked"),
        (6, "", [""], Level.FAILED, "forked"),
        (6, "besu", ["geth"], Level.FAILED, "forked"),
    ],
)
def test_fork_together_with_a_reference_of_its_client_blames_nobody(
    depth: int, client: str, allies: Sequence[str], level: Level, reason: str
) -> None:
    """A second witness of its own family turns a stray node into a possible bug of that client.

    Blocks in flight that both happened to see first do not.
    """
    others = [witness(n, run(TIP, 9), client="besu") for n in "xyz"]
    branch = run(TIP, 9, branch="mine", above=TIP - depth)
    same = [witness(f"r{i}", branch, client=family) for i, family in enumerate(allies)]
    finding = judged(forked(depth, client=client), round_of(*others, *same))
    assert (finding.level, finding.reason) == (level, reason)


def test_fork_that_only_some_of_its_client_share_is_its_own() -> None:
    """An operator of the same family that contradicts the node clears the client."""
    others = [witness(n, run(TIP, 9), client="besu") for n in "xyz"]
    with_it = witness("m", run(TIP, 9, branch="mine", above=TIP - 6), client="geth")
    against_it = witness("n", run(TIP, 9), client="geth")
    finding = judged(forked(6, client="geth"), round_of(*others, with_it, against_it))
    assert (finding.level, finding.reason) == (Level.FAILED, "forked")


@pytest.mark.parametrize(
    ("remembered", "apart"),
    [(TIP - 3, 1), (TIP - 2, 1), (TIP - 1, 1), (TIP, 1), (None, 1)],
)
def test_fork_beside_a_remembered_ancestor_believes_fresh_hashes(
    remembered: int | None, apart: int
) -> None:
    """The tip differs, the block below is equal: an older parting point is not used.

    Two blocks in flight in a row are not one deep fork.
    """
    number = None if remembered is None else BlockNumber(remembered)
    seen = replace(forked(1), ancestor=Ancestor(number, BlockNumber(TIP - 20)))
    finding = judged(seen, round_of(*agreeing()))
    assert finding.measured == apart


@pytest.mark.parametrize(
    ("number", "is_common", "expected"),
    [
        (97, True, False),
        (98, True, True),
        (99, True, True),
        (100, True, False),
        (97, False, True),
        (98, False, True),
        (100, False, False),
        (None, True, False),
        (None, False, True),
    ],
)
def test_ancestor_is_current_within_what_this_round_has_shown(
    number: int | None, *, is_common: bool, expected: bool
) -> None:
    """Below what differs, and not below what is known to be equal; a floor only bounds a search."""
    search = SearchRange(BlockNumber(100), BlockNumber(98), is_common=is_common)
    ancestor = Ancestor(None if number is None else BlockNumber(number), BlockNumber(50))
    assert is_current(ancestor, search) is expected


# -- where the ancestor is looked for ------------------------------------------------------------


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        ([], None),
        ([pair(100, differs=False), pair(98, differs=False)], None),
        (
            [pair(100, differs=True), pair(98, differs=False)],
            SearchRange(BlockNumber(100), BlockNumber(98), is_common=True),
        ),
        (
            [pair(100, differs=True), pair(98, differs=True), pair(36, differs=False)],
            SearchRange(BlockNumber(98), BlockNumber(36), is_common=True),
        ),
        (
            [pair(100, differs=True), pair(98, differs=True)],
            SearchRange(BlockNumber(98), BlockNumber(0), is_common=False),
        ),
        (
            [pair(1000, differs=True)],
            SearchRange(BlockNumber(1000), BlockNumber(1000 - SEARCH_BLOCKS_MAX), is_common=False),
        ),
        (
            [pair(100, differs=False), pair(98, differs=True)],
            SearchRange(BlockNumber(98), BlockNumber(0), is_common=False),
        ),
    ],
)
def test_search_range_lies_below_the_lowest_difference(
    compared: Sequence[Comparison], expected: SearchRange | None
) -> None:
    """Down to an equal hash, or as far as is looked on a chain without finality."""
    assert search_range(compared, round_of(*agreeing())) == expected


@pytest.mark.parametrize(
    ("finals", "floor"),
    [
        ((-1, -1, -1), 1000 - SEARCH_BLOCKS_MAX),
        ((936, 936, 936), 936),
        ((936, 937, 936), 936),
        ((936, 936, -1), 936),
        ((936, -1, -1), 1000 - SEARCH_BLOCKS_MAX),
        ((999, 936, 936), 936),
        ((1, 936, 936), 936),
        ((999, 999, 999), 999),
        ((1000, 1000, 1000), 1000 - SEARCH_BLOCKS_MAX),
        ((744, 744, 744), 744),
        ((700, 700, 700), 744),
    ],
)
def test_search_range_ends_at_what_a_majority_calls_final(
    finals: Sequence[int], floor: int
) -> None:
    """One reference that calls a high block final does not hide how deep a fork is."""
    witnesses = [witness(f"r{i}", seen_head(1000, final=f)) for i, f in enumerate(finals)]
    found = search_range([pair(1000, differs=True)], round_of(*witnesses))
    assert found == SearchRange(BlockNumber(1000), BlockNumber(floor), is_common=False)


def test_search_range_counts_an_operator_s_finality_once() -> None:
    """Three endpoints of one operator are one voice about finality, too."""
    big = [witness(f"l{i}", seen_head(1000, final=999), operator="big") for i in range(3)]
    others = [witness(n, seen_head(1000, final=900)) for n in "ab"]
    found = search_range([pair(1000, differs=True)], round_of(*big, *others))
    assert found == SearchRange(BlockNumber(1000), BlockNumber(900), is_common=False)
