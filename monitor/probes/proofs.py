"""What a node says of an account with its proof (EIP-1186), and what that proves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from eth_hash.auto import keccak

from monitor.model import Hash32
from monitor.probes.receipts import HexAddress, HexBytes
from monitor.probes.trie import ProofError, proven
from monitor.rpc.decode import HexHash, Quantity
from monitor.transactions import rlp
from monitor.transactions.rlp import RlpError

ACCOUNT_FIELDS = 4
HASH_HEX = 64
"""A path has no more nibbles, and a proof no more nodes."""
Nodes = Annotated[list[HexBytes], msgspec.Meta(max_length=HASH_HEX + 1)]


@dataclass(frozen=True, slots=True)
class Account:
    """An account's four fields (Yellow Paper, section 4.1), the hashes as numbers."""

    nonce: int
    balance: int
    storage_root: int
    code_hash: int


@dataclass(frozen=True, slots=True)
class Proof:
    """An account as it is said to be, and the nodes that are to prove it, root first."""

    said: Account
    key: bytes
    nodes: tuple[bytes, ...]

    def account(self, root: Hash32) -> Account | None:
        """The account that is proven under this root, None where it is proven that there is none.

        Raises ProofError.
        """
        raw = proven(bytes.fromhex(root.removeprefix("0x")), self.key, self.nodes)
        if raw is None:
            return None
        try:
            fields = rlp.decode(raw)
        except RlpError as error:
            message = f"an account that is no RLP: {error}"
            raise ProofError(message) from None
        numbers = [int.from_bytes(one, "big") for one in fields if isinstance(one, bytes)]
        if not isinstance(fields, list) or len(numbers) != ACCOUNT_FIELDS or fields[4:]:
            message = "what is proven is no account"
            raise ProofError(message)
        return Account(*numbers)

    def root_shown(self, root: Hash32) -> int:
        """This root as a number where it proves anything under it; else where it begins, or 0."""
        wanted = int(root, 16)
        try:
            self.account(root)
        except ProofError:
            begins = int.from_bytes(keccak(self.nodes[0]), "big") if self.nodes else 0
            return 0 if begins == wanted else begins
        return wanted


class _RawProof(msgspec.Struct, rename="camel", frozen=True):
    """`AccountProof` of execution-apis, without storage."""

    address: HexAddress
    balance: Quantity
    nonce: Quantity
    code_hash: HexHash
    storage_hash: HexHash
    account_proof: Nodes


_raw: msgspec.json.Decoder[_RawProof] = msgspec.json.Decoder(_RawProof)


class _ProofDecoder:
    def decode(self, raw: msgspec.Raw, /) -> Proof:
        """A proof, not yet looked through; raises what msgspec raises."""
        one = _raw.decode(raw)
        return Proof(
            Account(
                int(one.nonce, 16),
                int(one.balance, 16),
                int(one.storage_hash, 16),
                int(one.code_hash, 16),
            ),
            keccak(bytes.fromhex(one.address.removeprefix("0x"))),
            tuple(bytes.fromhex(node.removeprefix("0x")) for node in one.account_proof),
        )


PROOF: Final = _ProofDecoder()
