"""Roots and proofs, against each other, against known roots, and against whoever cheats."""

from __future__ import annotations

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.probes.trie import EMPTY_ROOT, ProofError, ordered_root, proven
from monitor.transactions import rlp
from monitor.transactions.rlp import Item


def branch(**children: Item) -> list[Item]:
    """A branch with these children, by their nibble: `n10` is the one at 10; `value` its own."""
    items: list[Item] = [children.get(f"n{nibble}", b"") for nibble in range(16)]
    return [*items, children.get("value", b"")]


def test_root_of_nothing_is_the_known_one() -> None:
    """What every empty block has in its header."""
    known = "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert ordered_root([]).hex() == known
    assert known == EMPTY_ROOT.hex()


def test_root_of_one_value_is_the_hash_of_its_leaf() -> None:
    """Index 0 is 0x80 as RLP, which is two nibbles: a leaf with the path 8, 0."""
    assert ordered_root([b"v" * 40]) == keccak(rlp.encode([b"\x20\x80", b"v" * 40]))


def test_root_of_two_values_is_a_branch_by_the_first_nibble() -> None:
    """Index 1 is 0x01: they part at the first nibble, and short leaves stand there themselves."""
    expected = branch(n8=[b"\x30", b"a"], n0=[b"\x31", b"b"])
    assert ordered_root([b"a", b"b"]) == keccak(rlp.encode(expected))


@pytest.mark.parametrize(("size", "is_hashed"), [(28, False), (29, True)])
def test_root_names_a_node_of_32_bytes_by_its_hash(size: int, *, is_hashed: bool) -> None:
    """The leaf is three bytes longer than its value; one byte less and it stands there itself."""
    leaf: Item = [b"\x30", b"v" * size]
    assert len(rlp.encode(leaf)) == size + 3
    named: Item = keccak(rlp.encode(leaf)) if is_hashed else leaf
    expected = branch(n8=named, n0=[b"\x31", b"b"])
    assert ordered_root([b"v" * size, b"b"]) == keccak(rlp.encode(expected))


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=40))
@settings(max_examples=50, deadline=None)
def test_root_changes_with_every_value_its_place_and_its_absence(values: list[bytes]) -> None:
    """Nothing that is said can be changed without the root."""
    root = ordered_root(values)
    assert ordered_root([*values, b"more"]) != root
    for index, value in enumerate(values[:3]):
        assert ordered_root([*values[:index], value + b"!", *values[index + 1 :]]) != root
        assert ordered_root([*values[:index], *values[index + 1 :]]) != root


def test_root_of_many_values_is_found_whatever_their_number() -> None:
    """Beyond 127 an index is two bytes as RLP: the tree has extensions and deep branches."""
    roots = {ordered_root([b"x"] * count) for count in range(300)}
    assert len(roots) == 300


KEY = bytes.fromhex("1abca0")
LEAF: Item = [b"\x20\xa0", b"v" * 40]
BELOW = branch(n12=keccak(rlp.encode(LEAF)))
MIDDLE: Item = [b"\x00\xab", keccak(rlp.encode(BELOW))]
TOP = branch(n1=keccak(rlp.encode(MIDDLE)), n2=[b"\x3f", b"short"], n3=b"")
ROOT = keccak(rlp.encode(TOP))
NODES = [rlp.encode(node) for node in (TOP, MIDDLE, BELOW, LEAF)]
"""A branch, an extension over two nibbles, a branch, a leaf; and a leaf in the first branch."""


def test_proof_leads_through_branch_extension_and_leaf_to_the_value() -> None:
    """Nodes that are named by their hash come next, short ones stand in the one above."""
    assert proven(ROOT, KEY, NODES) == b"v" * 40
    assert proven(ROOT, bytes.fromhex("2f"), NODES[:1]) == b"short"


@pytest.mark.parametrize(
    ("key", "count"),
    [("3fffff", 1), ("1acca0", 2), ("1ab0a0", 3), ("1abcb0", 4), ("2e", 1)],
    ids=["empty_child", "other_extension", "empty_child_below", "other_leaf", "other_short_leaf"],
)
def test_proof_of_absence_ends_where_the_path_leads_nowhere(key: str, count: int) -> None:
    """That there is nothing is proven like that there is something."""
    assert proven(ROOT, bytes.fromhex(key), NODES[:count]) is None


def test_proof_of_absence_in_an_empty_tree_needs_no_node() -> None:
    """Some clients send the encoding of nothing all the same."""
    assert proven(EMPTY_ROOT, KEY, []) is None
    assert proven(EMPTY_ROOT, KEY, [b"\x80"]) is None


def test_proof_of_a_value_in_a_branch_is_that_of_a_key_that_ends_there() -> None:
    """No list and no state has one; a tree may."""
    top = branch(value=b"here")
    assert proven(keccak(rlp.encode(top)), b"", [rlp.encode(top)]) == b"here"


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([], "end before"),
        (NODES[:3], "end before"),
        ([*NODES, NODES[0]], "1 nodes follow"),
        ([NODES[0], NODES[2], NODES[3]], "not the one that leads to it"),
        ([NODES[0], NODES[1], NODES[2], NODES[3] + b"!"], "not the one that leads to it"),
        ([b"\x80"], "not the one that leads to it"),
    ],
    ids=["none", "cut_off", "one_too_many", "one_missing", "altered", "another_root"],
)
def test_proof_that_does_not_hang_together_is_refused(nodes: list[bytes], words: str) -> None:
    """Whoever cheats must find another node of the same hash."""
    with pytest.raises(ProofError, match=words):
        proven(ROOT, KEY, nodes)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ([b"", b"x"], "neither a branch"),
        ([[b"a"], b"x"], "neither a branch"),
        ([b"a"], "neither a branch"),
        ([b"\x20" + KEY, [b"x"]], "a list where a value"),
        (b"text", "neither a branch"),
    ],
    ids=["no_path", "path_of_lists", "one_item", "list_as_value", "string"],
)
def test_proof_of_nodes_that_are_none_is_refused(node: Item, words: str) -> None:
    """A hash that fits is not enough."""
    raw = rlp.encode(node)
    with pytest.raises(ProofError, match=words):
        proven(keccak(raw), KEY, [raw])


def test_proof_of_bytes_that_are_no_rlp_is_refused() -> None:
    """Anybody can hash anything."""
    with pytest.raises(ProofError, match="no RLP"):
        proven(keccak(b"\xf8"), KEY, [b"\xf8"])
