"""What comes back from a signer is exactly what was asked for, or it is nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from monitor.transactions.signers.verified import SignerError, refuse_unsignable, verified
from tests.transactions import signing
from tests.transactions.signers.fakes import OTHER, SELF, TAMPERED, asked, priced
from tests.transactions.signing import GWEI, KINDS, STRANGER, sign

FIELDS = signing.dynamic(nonce=7)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "unprotected"])
def test_signature_of_what_was_asked_is_handed_on(kind: str) -> None:
    """The same bytes, of every kind."""
    raw = sign(KINDS[kind](nonce=7, data="0xdeadbeef")).raw
    assert verified(raw, asked(kind), SELF) == raw


@pytest.mark.parametrize("name", TAMPERED)
def test_signature_of_something_else_is_refused_with_what_differs(name: str) -> None:
    """Each field that is not as it was asked for is named, with both values."""
    tamper, words = TAMPERED[name]
    fields = dict(FIELDS)
    tamper(fields)
    with pytest.raises(SignerError, match=f"it signed something else: {words}"):
        verified(sign(fields).raw, asked(), SELF)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (signing.dynamic(nonce=7, maxFeePerGas=5 * GWEI), "fee cap in wei 5000000000, not 4"),
        (signing.dynamic(nonce=7, maxPriorityFeePerGas=1), "tip cap in wei 1, not 1000000000"),
        (signing.legacy(nonce=7, data="0xdeadbeef", gasPrice=4 * GWEI), "type 0, not 2; tip cap"),
        (signing.unprotected(nonce=7), "type 0, not 2; chain None, not 31337"),
        (signing.dynamic(nonce=7, accessList=signing.ACCESS), "other lists"),
        (signing.set_code(nonce=7, gas=30_000), "type 4, not 2$"),
        (signing.blob(nonce=7), "type 3, not 2$"),
    ],
)
def test_signature_with_other_fees_or_of_another_type_is_refused(
    fields: signing.Fields, words: str
) -> None:
    """Fees in either direction, a type that can do less or more, lists that nobody asked for."""
    with pytest.raises(SignerError, match=words):
        verified(sign(fields).raw, asked(), SELF)


def test_signature_over_other_lists_is_refused() -> None:
    """Neither an access list nor an authorization may be dropped or exchanged."""
    listed = asked("listed")
    with pytest.raises(SignerError, match="other lists"):
        verified(sign(signing.listed(nonce=7, data="0xdeadbeef", accessList=[])).raw, listed, SELF)
    given = sign(signing.set_code(nonce=7, authorizationList=[signing.authorization(1)])).raw
    with pytest.raises(SignerError, match="other lists"):
        verified(given, asked("set_code"), SELF)


def test_signature_by_another_key_is_refused_with_both_addresses() -> None:
    """The sender is what the signature recovers, whatever the signer says."""
    with pytest.raises(SignerError, match=f"sender {OTHER}, not {SELF}"):
        verified(sign(FIELDS, STRANGER).raw, asked(), SELF)


def test_signature_with_several_differences_names_them_all() -> None:
    """Whoever has to find the mistake sees all of it, on one line."""
    raw = sign(FIELDS | {"nonce": 6, "gas": 21_000}, STRANGER).raw
    words = f"nonce 6, not 7; gas 21000, not 30000; sender {OTHER}, not {SELF}"
    with pytest.raises(SignerError, match=words):
        verified(raw, asked(), SELF)


@pytest.mark.parametrize("raw", [b"", b"\x02", b"garbage", bytes(100), sign(FIELDS).raw[:-1]])
def test_signature_that_is_no_transaction_is_refused(raw: bytes) -> None:
    """Whatever it is, it goes no further."""
    with pytest.raises(SignerError, match="what it signed is no transaction"):
        verified(raw, asked(), SELF)


def test_old_transaction_signed_again_is_refused() -> None:
    """The bytes that were to be replaced are no replacement."""
    with pytest.raises(SignerError, match="fee cap in wei 4000000000, not 9000000000"):
        verified(sign(FIELDS).raw, priced(asked()), SELF)


def test_nobody_is_asked_to_sign_for_every_chain_or_with_blobs() -> None:
    """Neither can be made good by a verification afterwards."""
    refuse_unsignable(asked())
    bare: Any = replace(asked("legacy"), chain_id=None)
    with pytest.raises(SignerError, match="names no chain"):
        refuse_unsignable(bare)
    hashes = tuple(signing.blob()["blobVersionedHashes"])
    blob = replace(asked(), type=3, blob_hashes=hashes, blob_fee_cap_wei=1)
    with pytest.raises(SignerError, match="blob transactions cannot be re-signed here"):
        refuse_unsignable(blob)
