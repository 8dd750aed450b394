"""What the proof of an account proves. Real ones are tried with the check of the state."""

from __future__ import annotations

import json

import msgspec
import pytest
from eth_hash.auto import keccak

from monitor.model import Hash32
from monitor.probes.proofs import PROOF, Account, Proof
from monitor.probes.trie import EMPTY_ROOT, ProofError
from monitor.transactions import rlp
from monitor.transactions.rlp import Item

ADDRESS = "0x" + "ab" * 20
KEY = keccak(bytes.fromhex(ADDRESS[2:]))
HASH_A, HASH_B = b"\xaa" * 32, b"\xbb" * 32
FIELDS: list[Item] = [b"\x07", b"\x01\x00", HASH_A, HASH_B]
SAID = Account(7, 256, int.from_bytes(HASH_A, "big"), int.from_bytes(HASH_B, "big"))


def tree_of(value: bytes) -> tuple[Hash32, bytes]:
    """The root of a state with this one account, and its only node."""
    node = rlp.encode([b"\x20" + KEY, value])
    return Hash32("0x" + keccak(node).hex()), node


def proof(*nodes: bytes, balance: str = "0x100") -> Proof:
    told = {
        "address": ADDRESS,
        "balance": balance,
        "nonce": "0x7",
        "storageHash": "0x" + HASH_A.hex(),
        "codeHash": "0x" + HASH_B.hex(),
        "accountProof": ["0x" + node.hex() for node in nodes],
        "storageProof": [],
    }
    return PROOF.decode(msgspec.Raw(json.dumps(told).encode()))


def test_proof_says_what_the_account_is_whatever_is_said_beside_it() -> None:
    """The four fields are read from the tree."""
    root, node = tree_of(rlp.encode(FIELDS))
    found = proof(node, balance="0x101")
    assert found.account(root) == SAID
    assert found.said.balance == 257
    assert found.root_shown(root) == int(root, 16)


def test_proof_that_there_is_no_account_is_none() -> None:
    """An empty state has nobody."""
    assert proof().account(Hash32("0x" + EMPTY_ROOT.hex())) is None


def test_proof_of_another_root_shows_where_it_begins() -> None:
    """Nodes of chains with the same other tree show the same."""
    _, node = tree_of(rlp.encode(FIELDS))
    other = Hash32("0x" + "11" * 32)
    with pytest.raises(ProofError):
        proof(node).account(other)
    assert proof(node).root_shown(other) == int.from_bytes(keccak(node), "big")
    assert proof().root_shown(other) == 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (rlp.encode(FIELDS[:3]), "no account"),
        (rlp.encode([*FIELDS, b"\x01"]), "no account"),
        (rlp.encode([*FIELDS, [b"\x01"]]), "no account"),
        (rlp.encode(b"four"), "no account"),
        (b"\xf8", "no RLP"),
    ],
    ids=["three_fields", "five_fields", "a_list_more", "text", "broken"],
)
def test_proof_of_what_is_no_account_is_refused(value: bytes, words: str) -> None:
    """It begins at the right root and proves nothing: it shows 0, which no root is."""
    root, node = tree_of(value)
    with pytest.raises(ProofError, match=words):
        proof(node).account(root)
    assert proof(node).root_shown(root) == 0


def test_proof_of_more_nodes_than_a_path_has_is_refused() -> None:
    """A path has 64 nibbles."""
    proof(*[b"\x80"] * 65)
    with pytest.raises(msgspec.ValidationError):
        proof(*[b"\x80"] * 66)
