"""A chain followed from head to head: what links, what was replaced, what is remembered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.trace import (
    BLOCKS_COUNT_MAX,
    DEPTHS,
    REORGS_COUNT_MAX,
    Block,
    Link,
    ReorgSeen,
    doubtful,
    joined,
    link_of,
    marked,
)
from monitor.model import BlockNumber, Hash32, Head
from tests.judge.builders import NOW, TIP, block, hash_of


def remembered(
    *numbers: int, branch: str = "main", shared: bool | None = None
) -> tuple[Block, ...]:
    return tuple(Block(BlockNumber(n), hash_of(n, branch), shared) for n in numbers)


def followed(*numbers: int, shared: bool | None = None, final: int | None = None) -> ReorgSeen:
    chain = remembered(*numbers, shared=shared)
    return ReorgSeen(chain, final=None if final is None else BlockNumber(final))


def join(seen: ReorgSeen, head: Head, common: int | None, own_blocks: int = 2) -> ReorgSeen:
    number = None if common is None else BlockNumber(common)
    return joined(seen, head, number, NOW, own_blocks=own_blocks)


@pytest.mark.parametrize(
    ("head", "link"),
    [
        (block(TIP + 1), "linked"),
        (block(TIP), "known"),
        (block(TIP - 2), "known"),
        (block(TIP, "other", TIP - 1), "linked"),
        (block(TIP, "other", TIP - 2), "parted"),
        (block(TIP + 1, "other", TIP - 1), "parted"),
        (block(TIP + 2), "beyond"),
        (block(TIP - 5), "apart"),
    ],
    ids=["next", "same", "back", "rival", "rivals", "above-a-rival", "gap", "far-below"],
)
def test_link_of_a_head_says_how_it_hangs_together(head: Head, link: Link) -> None:
    """Only a head that contradicts, or lies beyond, is a question."""
    assert link_of(remembered(TIP - 2, TIP - 1, TIP), head) == link


def test_link_of_a_head_between_remembered_blocks_says_nothing() -> None:
    """Where neither it nor its parent is remembered, it may be either chain's."""
    assert link_of(remembered(TIP - 9, TIP), block(TIP - 4)) == "apart"
    assert link_of((), block(TIP)) == "first"


def test_doubtful_blocks_are_those_below_the_parent_highest_first() -> None:
    """The parent itself is refuted already, by the head that names it."""
    found = doubtful(remembered(5, 6, 7, 8), block(8, "other", 3))
    assert [one.number for one in found] == [6, 5]


def test_joined_head_that_links_replaces_nothing() -> None:
    """A chain that only grows has no reorg, and remembers the parents it was told of."""
    seen = join(followed(TIP), block(TIP + 1), TIP)
    seen = join(seen, block(TIP + 4), TIP + 1)
    assert [one.number for one in seen.chain] == [TIP, TIP + 1, TIP + 3, TIP + 4]
    assert (seen.total, seen.reorgs) == (0, ())


@pytest.mark.parametrize("depth", [1, 2, 7, 30])
def test_joined_head_of_another_branch_is_a_reorg_of_so_many_blocks(depth: int) -> None:
    """Depth is what the old chain lost; the new one may be shorter, longer or as long."""
    seen = followed(*range(TIP - 40, TIP + 1))
    common = TIP - depth
    seen = join(seen, block(TIP + 1, "other", common), common)
    (reorg,) = seen.reorgs
    assert (reorg.depth_blocks, reorg.old.number, reorg.new.number) == (depth, TIP, TIP + 1)
    assert reorg.common is not None
    assert reorg.common.number == common
    assert (seen.total, seen.blocks_total, sum(seen.depths)) == (1, depth, 1)
    assert seen.depths[next(i for i, bound in enumerate(DEPTHS) if depth <= bound)] == 1
    numbers = [one.number for one in seen.chain]
    assert numbers == [*range(TIP - 40, common + 1), TIP, TIP + 1]


def test_joined_head_without_a_common_block_replaces_all_that_is_remembered() -> None:
    """Deeper than what is remembered is at least so deep."""
    seen = join(followed(*range(TIP - 9, TIP + 1)), block(TIP + 1, "other"), None)
    (reorg,) = seen.reorgs
    assert (reorg.depth_blocks, reorg.common) == (10, None)
    assert [one.number for one in seen.chain] == [TIP, TIP + 1]


def test_joined_head_at_genesis_has_no_parent_to_remember() -> None:
    """Block 0 names a parent that there is not."""
    assert [one.number for one in join(ReorgSeen(), block(0), None).chain] == [0]


@pytest.mark.parametrize(
    ("final", "is_final"), [(None, False), (TIP - 3, False), (TIP - 2, True), (TIP, True)]
)
def test_joined_head_knows_whether_a_final_block_was_replaced(
    final: int | None, *, is_final: bool
) -> None:
    """The lowest replaced block is `TIP - 2`: at or below the final one, or not."""
    seen = followed(*range(TIP - 9, TIP + 1), final=final)
    seen = join(seen, block(TIP, "other", TIP - 3), TIP - 3)
    assert seen.reorgs[0].is_final is is_final
    assert seen.final is None


@pytest.mark.parametrize(
    ("marks", "is_own"),
    [
        ((None, None, None), None),
        ((False, None, None), None),
        ((False, False, None), True),
        ((False, False, False), True),
        ((True, False, False), False),
        ((True, None, None), False),
    ],
)
def test_joined_head_knows_whose_blocks_were_replaced(
    marks: tuple[bool | None, ...], *, is_own: bool | None
) -> None:
    """Once the references had one of them it is the chain's; so many they had not, the node's."""
    gone = tuple(
        Block(BlockNumber(TIP - 2 + index), hash_of(index, "mine"), mark)
        for index, mark in enumerate(marks)
    )
    seen = ReorgSeen((*remembered(TIP - 3), *gone))
    assert join(seen, block(TIP + 1), TIP - 3).reorgs[0].is_own is is_own


def test_joined_heads_are_remembered_and_counted_within_bounds() -> None:
    """However long it is followed: the counts grow, and nothing else does."""
    seen = ReorgSeen()
    for number in range(1, 2 * BLOCKS_COUNT_MAX):
        seen = join(seen, block(number, f"{number}", number - 1), number - 1)
        seen = join(seen, block(number, f"again {number}", number - 1), number - 1)
    assert len(seen.chain) == BLOCKS_COUNT_MAX
    assert len(seen.reorgs) == REORGS_COUNT_MAX
    assert seen.total == 2 * BLOCKS_COUNT_MAX - 1


def test_joined_head_far_deeper_than_the_buckets_is_counted_in_the_last() -> None:
    """Between two remembered blocks there may be thousands."""
    seen = join(followed(1, 5000), block(5001, "other"), None)
    assert seen.depths[-1] == 1


def test_marked_blocks_stay_shared_once_they_were() -> None:
    """A reference that goes back does not make a node's block its own."""
    seen = followed(1, 2, 3)
    seen = marked(seen, {1: hash_of(1), 2: hash_of(2, "other")})
    assert [one.is_shared for one in seen.chain] == [True, False, None]
    seen = marked(seen, {1: hash_of(1, "other"), 2: hash_of(2)})
    assert [one.is_shared for one in seen.chain] == [True, True, None]
    assert marked(seen, {}) is seen


@given(st.lists(st.integers(1, 12), max_size=20))
def test_joined_heads_of_any_reorgs_count_each_once_with_its_depth(depths: list[int]) -> None:
    """The counts are the reorgs that there were, and their blocks, whatever came between."""
    number, branch = 40, "main"
    seen = ReorgSeen(remembered(*range(number + 1)))
    for turn, depth in enumerate(depths):
        common, branch = number - depth, f"branch {turn}"
        for above in range(common + 1, number + 2):
            # The first of them is recognised by its parent, as heads that link are.
            head = block(above, branch, common)
            head = Head(head.number, head.hash, seen_hash(seen, above - 1), head.timestamp)
            seen = join(seen, head, above - 1)
        number += 1
    assert seen.total == len(depths)
    assert seen.blocks_total == sum(depths)
    assert sum(seen.depths) == len(depths)


def seen_hash(seen: ReorgSeen, number: int) -> Hash32:
    return next(one.hash for one in seen.chain if one.number == number)
