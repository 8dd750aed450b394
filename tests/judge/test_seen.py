"""How a chain of hashes is read from headers that were seen one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.seen import LINK_DEPTH_MAX, HeadSeen, chain_of
from monitor.model import Hash32, Head, Unseen
from tests.judge.builders import TIMEOUT, TIP, block, hash_of, run, said, seen_head


def by_hash(*heads: Head) -> dict[Hash32, Head]:
    return {head.hash: head for head in heads}


def test_chain_without_history_is_empty() -> None:
    """Who has said nothing vouches for nothing."""
    assert chain_of([]).hashes == {}
    assert chain_of([]).heads == {}


def test_chain_of_an_unseen_head_holds_only_what_was_asked() -> None:
    """Older headers prove nothing about a head that was not seen; a named block still counts."""
    history = [*run(10), said(TIMEOUT)]
    assert chain_of(history).hashes == {}
    named = chain_of(history, [block(7)])
    assert named.hashes == {7: hash_of(7), 6: hash_of(6)}
    assert named.heads == {7: block(7)}


def test_chain_of_one_header_holds_its_parent_too() -> None:
    """A header names its parent's hash; the parent itself was not seen."""
    chain = chain_of([said(seen_head(10))])
    assert chain.hashes == {10: hash_of(10), 9: hash_of(9)}
    assert set(chain.heads) == {10}


@pytest.mark.parametrize("number", [0, 1])
def test_chain_at_genesis_ends_there(number: int) -> None:
    """Nothing lies below block 0, whose parent hash is no block's."""
    assert set(chain_of([said(seen_head(number))]).hashes) == set(range(number + 1))
    assert set(chain_of([], [block(number)]).hashes) == set(range(number + 1))


@pytest.mark.parametrize(
    ("count", "lowest"),
    [
        (LINK_DEPTH_MAX - 1, TIP - LINK_DEPTH_MAX + 1),
        (LINK_DEPTH_MAX, TIP - LINK_DEPTH_MAX),
        (LINK_DEPTH_MAX + 1, TIP - LINK_DEPTH_MAX),
        (LINK_DEPTH_MAX + 9, TIP - LINK_DEPTH_MAX),
    ],
)
def test_chain_of_linked_headers_reaches_as_far_as_links_go(count: int, lowest: int) -> None:
    """Each header seen proves one hash below it, down to the depth that is followed and no more."""
    chain = chain_of(run(TIP, count))
    assert set(chain.hashes) == set(range(lowest, TIP + 1))
    assert all(chain.hashes[number] == hash_of(number) for number in chain.hashes)


def test_chain_with_a_gap_ends_at_the_gap() -> None:
    """A header that was missed breaks the proof."""
    history = [*run(8, 3), said(seen_head(10))]
    assert set(chain_of(history).hashes) == {10, 9}


def test_chain_with_a_gap_is_bridged_by_a_known_block() -> None:
    """A block named earlier counts again where a link from the head confirms it."""
    history = [*run(8, 3), said(seen_head(10))]
    chain = chain_of(history, (), by_hash(block(9)))
    assert set(chain.hashes) == {10, 9, 8, 7, 6, 5}
    assert set(chain.heads) == {10, 9, 8, 7, 6}


def test_chain_with_a_known_block_of_another_branch_ignores_it() -> None:
    """What was named before a reorg is not vouched for after it."""
    chain = chain_of([said(seen_head(10))], (), by_hash(block(9, "other"), block(5)))
    assert chain.hashes == {10: hash_of(10), 9: hash_of(9)}


def test_chain_after_a_reorg_follows_the_newest_head() -> None:
    """Headers of the abandoned branch and of greater heights are passed over."""
    other = [said(seen_head(n, branch="other", above=8)) for n in (9, 10, 11)]
    history = [*run(8, 3), *other, said(seen_head(9)), said(TIMEOUT), said(seen_head(10))]
    chain = chain_of(history)
    assert [chain.hashes[n] for n in (10, 9, 8)] == [hash_of(10), hash_of(9), hash_of(8)]


def test_chain_whose_older_header_differs_stops_before_it() -> None:
    """A header of the right height and another hash is not the parent."""
    history = [said(seen_head(9, branch="other")), said(seen_head(10))]
    assert set(chain_of(history).heads) == {10}


def test_chain_of_asked_blocks_counts_without_links() -> None:
    """What was named by number this round counts where no link reaches it."""
    chain = chain_of([said(seen_head(100))], [block(50), block(40)])
    assert set(chain.hashes) == {100, 99, 50, 49, 40, 39}
    assert set(chain.heads) == {100, 50, 40}


def test_chain_where_answers_disagree_believes_the_links() -> None:
    """The newest head's own history outranks what was named beside it."""
    chain = chain_of(run(10), [block(8, "other"), block(10, "other")])
    assert chain.hashes[8] == hash_of(8)
    assert chain.hashes[10] == hash_of(10)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.lists(st.integers(0, 40)))
def test_chain_of_any_polls_names_only_true_hashes(
    polled: Sequence[int], known: Sequence[int]
) -> None:
    """In whatever order one chain's headers were seen, no hash of another is made up."""
    history = [said(seen_head(number)) for number in polled]
    chain = chain_of(history, (), by_hash(*map(block, known)))
    newest = polled[-1]
    assert all(chain.hashes[number] == hash_of(number) for number in chain.hashes)
    assert set(chain.hashes) == set(range(min(chain.hashes), newest + 1))
    assert newest - min(chain.hashes) <= LINK_DEPTH_MAX


@pytest.mark.parametrize(
    ("finalized", "final"),
    [(None, None), (Unseen("rpc_error", "x"), None), (block(5), block(5))],
)
def test_final_is_the_finalized_block_only_where_one_was_seen(
    finalized: Head | Unseen | None, final: Head | None
) -> None:
    """No such tag and not seen are both no block."""
    assert HeadSeen(block(9), finalized).final == final
