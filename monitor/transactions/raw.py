"""Signed transactions as bytes: read strictly, hashed, rebuilt, and their sender found. Pure.

Bytes are taken from anybody (a program behind the tap, any endpoint), and sent on for others. So
what is accepted here is what nodes accept: one encoding for each transaction, a signature in the
lower half (EIP-2) that recovers a sender, nothing missing or left over. Everything else is a
RawError. The proofs of a blob transaction's sidecar are not verified, which takes a trusted setup;
its commitments are held against the hashes that were signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature

from monitor.model import Address, Hash32, Wei
from monitor.transactions import body, objects, rlp
from monitor.transactions.unsigned import (
    BLOB,
    BLOB_HASH_VERSION,
    FIELDS,
    LEGACY,
    PROTECTED_V,
    UNPROTECTED_V,
    RawError,
    Unsigned,
)
from monitor.transactions.words import Transaction

__all__ = ("RawError", "decode", "from_hex", "rebuild", "transaction_hash", "unsigned_of", "verify")

RAW_BYTES_MAX = 128 * 1024
"""No pool takes a longer one (geth, core/txpool/legacypool, txMaxSize; reth the same)."""
BLOB_RAW_BYTES_MAX = 1024 * 1024
"""The same with blobs (geth, core/txpool/blobpool, txMaxSize)."""
BLOB_BYTES, COMMITMENT_BYTES, PROOF_BYTES = 131_072, 48, 48
CELLS_A_BLOB = 128
"""Each with its proof (EIP-7594, CELLS_PER_EXT_BLOB)."""
CELLS_VERSION = b"\x01"
"""The second item of the network form of EIP-7594; that of EIP-4844 has none."""
WRAPPED, WRAPPED_CELLS = 4, 5
"""Items of the network form of a blob transaction: of EIP-4844, and of EIP-7594."""

CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Of secp256k1 (SEC 2, section 2.4.1)."""

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+")


@dataclass(frozen=True, slots=True)
class _Signed:
    """A transaction taken apart; whose signature it is has not been looked at."""

    hash: Hash32
    unsigned: Unsigned
    y_parity: int
    r: int
    s: int


def from_hex(text: object) -> bytes:
    """The bytes in a string of JSON-RPC: `0x`, and at least one pair of hexadecimal digits."""
    if isinstance(text, str) and len(text) > 2 * BLOB_RAW_BYTES_MAX + 2:
        message = f"more than {BLOB_RAW_BYTES_MAX} bytes, which no pool takes"
        raise RawError(message)
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        message = "not 0x and pairs of hexadecimal digits"
        raise RawError(message)
    return bytes.fromhex(text[2:])


def transaction_hash(raw: bytes) -> Hash32:
    """The hash by which nodes name it, whether or not it is otherwise in order.

    That of a blob transaction in its network form is the hash of it without the sidecar
    (EIP-4844), for which it is read. Raises RawError for no bytes, too many, and such a one.
    """
    if _type_of(raw) != BLOB:
        return _hash_of(raw)
    item, sidecar = _blob_parts(raw)
    return _hash_of(raw if sidecar is None else raw[:1] + rlp.encode(item))


def decode(raw: bytes) -> Transaction:
    """The transaction in these bytes (types 0 to 4), with the sender that its signature recovers.

    A blob transaction is taken with and without its sidecar. Raises RawError.
    """
    signed = _signed(raw)
    fields = signed.unsigned
    return Transaction(
        hash=signed.hash,
        type=fields.type,
        chain_id=fields.chain_id,
        sender=_sender(signed),
        nonce=fields.nonce,
        to=fields.to,
        value_wei=Wei(fields.value_wei),
        gas=fields.gas,
        fee_cap_wei=fields.fee_cap_wei,
        tip_cap_wei=fields.tip_cap_wei,
        blob_fee_cap_wei=fields.blob_fee_cap_wei,
        data=fields.data,
        blob_count=len(fields.blob_hashes),
        authorizations=len(fields.authorizations),
    )


def verify(
    raw: bytes,
    *,
    expected_hash: str | None = None,
    sender: str | None = None,
    chain_id: int | None = None,
) -> Transaction:
    """As `decode`, but raises RawError where hash, sender or chain are not these.

    One without replay protection is of any chain.
    """
    transaction = decode(raw)
    if expected_hash is not None and transaction.hash != expected_hash.lower():
        message = f"its hash is {transaction.hash}, not {expected_hash}"
        raise RawError(message)
    if sender is not None and transaction.sender != sender.lower():
        message = f"it was signed by {transaction.sender}, not by {sender}"
        raise RawError(message)
    if chain_id is not None and transaction.chain_id not in {None, chain_id}:
        message = f"it is for chain {transaction.chain_id}, not {chain_id}"
        raise RawError(message)
    return transaction


def rebuild(fields: Mapping[str, object]) -> bytes:
    """The signed bytes of a transaction object of JSON-RPC (types 0, 1, 2 and 4).

    Only bytes that have the object's `hash`, and are signed by its `from`, are given back; else
    RawError says what is missing, wrong or different.
    """
    claim = objects.claim_of(fields)
    raw = objects.encoded(fields)
    verify(raw, expected_hash=claim.hash, sender=claim.sender, chain_id=claim.chain_id)
    return raw


def unsigned_of(raw: bytes, *, chain_id: int | None = None) -> Unsigned:
    """What was signed, to be given other fees.

    One without replay protection gets that of `chain_id` (EIP-155). Raises RawError without it,
    where it names another chain, and for blob transactions.
    """
    unsigned = _signed(raw).unsigned
    if unsigned.type == BLOB:
        message = "blob transactions cannot be re-signed here"
        raise RawError(message)
    if unsigned.chain_id is None:
        if chain_id is None:
            message = "it names no chain, and nothing is signed for all of them"
            raise RawError(message)
        return replace(unsigned, chain_id=chain_id)
    if chain_id not in {None, unsigned.chain_id}:
        message = f"it is for chain {unsigned.chain_id}, not {chain_id}"
        raise RawError(message)
    return unsigned


def _hash_of(raw: bytes) -> Hash32:
    return Hash32(f"0x{keccak(raw).hex()}")


def _type_of(raw: bytes) -> int:
    """The type that the first byte names (EIP-2718), within the lengths that pools take."""
    if not raw:
        message = "there are no bytes"
        raise RawError(message)
    limit = BLOB_RAW_BYTES_MAX if raw[0] == BLOB else RAW_BYTES_MAX
    if len(raw) > limit:
        message = f"{len(raw)} bytes, where pools take up to {limit}"
        raise RawError(message)
    return LEGACY if raw[0] >= rlp.LIST else raw[0]


def _item(raw: bytes) -> rlp.Item:
    try:
        return rlp.decode(raw)
    except rlp.RlpError as error:
        message = f"RLP: {error}"
        raise RawError(message) from None


def _signed(raw: bytes) -> _Signed:
    kind = _type_of(raw)
    if kind not in FIELDS or raw[0] == LEGACY:
        # Type 0 is never written: a legacy transaction is a list with nothing before it.
        message = f"begins with {raw[:1].hex()}, which is no type that is known here, and no list"
        raise RawError(message)
    sidecar = None
    if kind == BLOB:
        item, sidecar = _blob_parts(raw)
    else:
        item = _item(raw if kind == LEGACY else raw[1:])
    fields, (v, r, s) = body.parts_of(item, kind)
    y_parity, chain_id = _legacy_v(v) if kind == LEGACY else (v, None)
    if y_parity > 1:
        message = f"yParity is {y_parity}, neither 0 nor 1"
        raise RawError(message)
    unsigned = body.unsigned_from(fields, kind, chain_id)
    if sidecar is not None:
        _check_sidecar(sidecar, unsigned.blob_hashes)
        raw = raw[:1] + rlp.encode(item)
    return _Signed(_hash_of(raw), unsigned, y_parity, r, s)


def _legacy_v(v: int) -> tuple[int, int | None]:
    """Parity and chain id (EIP-155); without one for 27 and 28."""
    if v in {UNPROTECTED_V, UNPROTECTED_V + 1}:
        return v - UNPROTECTED_V, None
    if v < PROTECTED_V:
        message = f"v is {v}, neither 27, 28 nor 35 and above (EIP-155)"
        raise RawError(message)
    chain_id, y_parity = divmod(v - PROTECTED_V, 2)
    return y_parity, chain_id


def _blob_parts(raw: bytes) -> tuple[rlp.Item, Sequence[rlp.Item] | None]:
    """The transaction of type 3 itself, and in the network form what comes with it."""
    item = _item(raw[1:])
    parts = body.list_of(item, "the transaction")
    if len(parts) not in {WRAPPED, WRAPPED_CELLS} or isinstance(parts[0], bytes):
        return item, None
    return parts[0], parts[1:]


def _check_sidecar(sidecar: Sequence[rlp.Item], hashes: Sequence[Hash32]) -> None:
    """The blobs, commitments and proofs are as many and as long as they should be.

    A commitment's hash is one that was signed (EIP-4844, kzg_to_versioned_hash).
    """
    proofs_a_blob = 1
    if len(sidecar) == WRAPPED_CELLS - 1:
        if sidecar[0] != CELLS_VERSION:
            message = "the version of the sidecar is not 1 (EIP-7594)"
            raise RawError(message)
        sidecar, proofs_a_blob = sidecar[1:], CELLS_A_BLOB
    count = len(hashes)
    blobs = body.list_of(sidecar[0], "blobs", count)
    commitments = body.list_of(sidecar[1], "commitments", count)
    proofs = body.list_of(sidecar[2], "proofs", count * proofs_a_blob)
    for blob in blobs:
        body.bytes_of(blob, "a blob", BLOB_BYTES)
    for proof in proofs:
        body.bytes_of(proof, "a proof", PROOF_BYTES)
    for commitment, expected in zip(commitments, hashes, strict=True):
        digest = hashlib.sha256(body.bytes_of(commitment, "a commitment", COMMITMENT_BYTES))
        if BLOB_HASH_VERSION + digest.hexdigest()[2:] != expected:
            message = "a commitment is not that of the blob's signed hash"
            raise RawError(message)


def _sender(signed: _Signed) -> Address:
    """Who signed it. Raises RawError for a signature that nodes refuse (EIP-2)."""
    r, s = signed.r, signed.s
    if not 0 < r < CURVE_ORDER or not 0 < s < CURVE_ORDER:
        message = "the signature's r or s is zero or beyond the curve's order"
        raise RawError(message)
    if s > CURVE_ORDER // 2:
        message = "the signature's s is in the upper half of the curve's order (EIP-2)"
        raise RawError(message)
    try:
        signature = Signature(vrs=(signed.y_parity, r, s))
        key = signature.recover_public_key_from_msg_hash(signed.unsigned.signing_hash())
    except BadSignature:
        message = "the signature is nobody's"
        raise RawError(message) from None
    return Address(key.to_address())
