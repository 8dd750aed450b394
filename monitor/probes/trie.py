"""The Merkle Patricia tree: its root over a list, and what a proof proves. Pure.

Yellow Paper, appendix D; the keys of a list are the RLP of its indices (section 4.3.1), those of
the state the hashes of its addresses. Only what is needed to check an answer, and no database.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_hash.auto import keccak

from monitor.transactions import rlp
from monitor.transactions.rlp import Item, RlpError

HASH_BYTES = 32
BRANCH_ITEMS, SHORT_ITEMS = 17, 2
IS_LEAF, IS_ODD = 2, 1
"""The flags in the first nibble of a compact path (appendix C)."""

Nibbles = tuple[int, ...]


class ProofError(ValueError):
    """Not a proof of anything under the root it is for; one line, without the bytes."""


def ordered_root(values: Sequence[bytes]) -> bytes:
    """The root of the tree of these values, none of them empty, each under its index."""
    leaves = sorted(
        (_nibbles(rlp.encode(rlp.encode_number(index))), value)
        for index, value in enumerate(values)
    )
    return keccak(rlp.encode(_node(leaves, 0) if leaves else b""))


def proven(root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes | None:
    """The value under a key in the tree with this root; None where the nodes prove its absence.

    The nodes come root first, as in EIP-1186. Raises ProofError where they do not hang together,
    end too early, or go on.
    """
    path, left = _nibbles(key), list(nodes)
    reference: Item = root
    if root == EMPTY_ROOT and not left:
        return None
    while True:
        node = _resolved(reference, left)
        if not node:
            return _ended(None, left)
        step = _step(node, path)
        if step is None:
            return _ended(None, left)
        reference, path, is_value = step
        if is_value:
            if not isinstance(reference, bytes):
                message = "a list where a value should be"
                raise ProofError(message)
            return _ended(reference or None, left)


def _ended(value: bytes | None, left: Sequence[bytes]) -> bytes | None:
    if left:
        message = f"{len(left)} nodes follow the end of the path"
        raise ProofError(message)
    return value


def _resolved(reference: Item, left: list[bytes]) -> Item:
    """The node that is meant: it stands there itself, or its hash does and it comes next."""
    if not isinstance(reference, bytes) or not reference:
        return reference
    if not left:
        message = "the nodes end before the path does"
        raise ProofError(message)
    raw = left.pop(0)
    if keccak(raw) != reference:
        message = "a node whose hash is not the one that leads to it"
        raise ProofError(message)
    try:
        return rlp.decode(raw)
    except RlpError as error:
        message = f"a node that is no RLP: {error}"
        raise ProofError(message) from None


def _step(node: Item, path: Nibbles) -> tuple[Item, Nibbles, bool] | None:
    """One node down the path: what is there, what is left, and whether it is the value.

    None where the path leads nowhere.
    """
    items = node if isinstance(node, list) else []
    if len(items) == BRANCH_ITEMS:
        return (items[path[0]], path[1:], False) if path else (items[-1], (), True)
    compact = items[0] if len(items) == SHORT_ITEMS else b""
    if not isinstance(compact, bytes) or not compact:
        message = "neither a branch nor a leaf nor an extension"
        raise ProofError(message)
    flag, *rest = _nibbles(compact)
    own = tuple(rest if flag & IS_ODD else rest[1:])
    if path[: len(own)] != own or (flag & IS_LEAF and path != own):
        return None
    return items[1], path[len(own) :], bool(flag & IS_LEAF)


def _node(leaves: Sequence[tuple[Nibbles, bytes]], depth: int) -> list[Item]:
    """The node above leaves, sorted, that share their first `depth` nibbles; no key begins another.

    RLP tells where it ends, so that the keys of a list are of that kind.
    """
    first, last = leaves[0][0], leaves[-1][0]
    if len(leaves) == 1:
        return [_compact(first[depth:], IS_LEAF), leaves[0][1]]
    shared = depth
    while first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_compact(first[depth:shared], 0), _reference(_node(leaves, shared))]
    branch: list[Item] = []
    for nibble in range(BRANCH_ITEMS - 1):
        below = [leaf for leaf in leaves if leaf[0][depth] == nibble]
        branch.append(_reference(_node(below, depth + 1)) if below else b"")
    return [*branch, b""]


def _reference(node: list[Item]) -> Item:
    """How a node is named in the one above it: short ones stand there themselves."""
    raw = rlp.encode(node)
    return node if len(raw) < HASH_BYTES else keccak(raw)


def _nibbles(raw: bytes) -> Nibbles:
    return tuple(nibble for byte in raw for nibble in (byte >> 4, byte & 0x0F))


def _compact(path: Nibbles, flag: int) -> bytes:
    nibbles = (flag | IS_ODD, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(16 * high + low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


EMPTY_ROOT = ordered_root(())
"""Of a tree without a value: `0x56e8…b421`."""
