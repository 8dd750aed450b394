"""The fields of a transaction, read off what its bytes encode."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.transactions import body, rlp
from monitor.transactions.unsigned import FIELDS, RawError
from tests.transactions import signing
from tests.transactions.signing import CHAIN_ID, KINDS, sign


def opened(raw: bytes) -> tuple[Any, int]:
    """The items of a transaction, which a test may change, and its type."""
    kind = raw[0] if raw[0] < 0x80 else 0
    return rlp.decode(raw[1:] if kind else raw), kind


def read(items: Any, kind: int) -> object:
    fields, signature = body.parts_of(items, kind)
    return body.unsigned_from(fields, kind, CHAIN_ID), signature


SAMPLES = {**KINDS, "blob": signing.blob}


@pytest.mark.parametrize("kind", SAMPLES)
def test_body_of_every_kind_is_read_whole(kind: str) -> None:
    """Every field is where its type's EIP has it, and none is lost on the way back."""
    signed = sign(SAMPLES[kind]())
    items, number = opened(signed.raw)
    fields, (v, r, s) = body.parts_of(items, number)
    assert tuple(fields) == FIELDS[number]
    assert (v, r, s) == (signed.v, signed.r, signed.s)
    again = body.unsigned_from(fields, number, CHAIN_ID)
    names = {"nonce": again.nonce, "value": again.value_wei, "gas": again.gas}
    asked = SAMPLES[kind]()
    assert names == {name: asked[name] for name in names}
    assert "0x" + again.data.hex() == asked["data"]
    assert again.fee_cap_wei == asked.get("maxFeePerGas", asked.get("gasPrice"))
    assert again.tip_cap_wei == asked.get("maxPriorityFeePerGas", asked.get("gasPrice"))


def test_body_lists_are_read_in_their_order() -> None:
    """Access lists with their keys, authorizations with their signatures, hashes of blobs."""
    items, kind = opened(sign(signing.listed()).raw)
    fields, _ = body.parts_of(items, kind)
    shown = [(str(a["address"]).lower(), tuple(a["storageKeys"])) for a in signing.ACCESS]
    assert body.unsigned_from(fields, kind, None).access_list == tuple(shown)
    items, kind = opened(sign(signing.set_code()).raw)
    fields, _ = body.parts_of(items, kind)
    (leave,) = body.unsigned_from(fields, kind, None).authorizations
    one = signing.authorization()
    assert (leave.chain_id, leave.nonce, leave.address) == (CHAIN_ID, 0, signing.TO.lower())
    assert (leave.y_parity, leave.r, leave.s) == (one.y_parity, one.r, one.s)
    items, kind = opened(sign(signing.blob(count=2)).raw)
    fields, _ = body.parts_of(items, kind)
    blob = body.unsigned_from(fields, kind, None)
    assert list(blob.blob_hashes) == signing.blob(count=2)["blobVersionedHashes"]
    assert blob.blob_fee_cap_wei == signing.GWEI


@pytest.mark.parametrize("kind", SAMPLES)
def test_body_with_an_item_more_or_less_is_refused(kind: str) -> None:
    """Nothing missing and nothing left over."""
    items, number = opened(sign(SAMPLES[kind]()).raw)
    for wrong in (items[:-1], [*items, b""], []):
        with pytest.raises(RawError, match=f"{len(wrong)} items where {len(items)} should be"):
            read(wrong, number)
    with pytest.raises(RawError, match="the transaction: bytes where a list should be"):
        read(b"", number)


@pytest.mark.parametrize(
    ("place", "item", "words"),
    [
        (0, b"\x00\x01", "chainId: a number with leading zeros"),
        (1, b"\x00", "nonce: a number with leading zeros"),
        (1, b"\x01" * 33, "nonce: a number of 33 bytes"),
        (2, [], "maxPriorityFeePerGas: a list where bytes should be"),
        (3, b"\x00\x00", "maxFeePerGas: a number with leading zeros"),
        (4, b"\x01" * 33, "gas: a number of 33 bytes"),
        (5, b"\x01" * 19, "to: 19 bytes where 20 should be"),
        (5, b"\x01" * 21, "to: 21 bytes where 20 should be"),
        (5, [], "to: a list where bytes should be"),
        (6, b"\x00", "value: a number with leading zeros"),
        (7, [b"\x01"], "input: a list where bytes should be"),
        (8, b"", "accessList: bytes where a list should be"),
        (8, [b""], "an entry of accessList: bytes where a list should be"),
        (8, [[b"\x01" * 20]], "an entry of accessList: 1 items where 2 should be"),
        (8, [[b"\x01" * 20, [], []]], "an entry of accessList: 3 items where 2 should be"),
        (8, [[b"\x01" * 19, []]], "accessList: 19 bytes where 20 should be"),
        (8, [[b"\x01" * 20, b""]], "storageKeys: bytes where a list should be"),
        (8, [[b"\x01" * 20, [b"\x01" * 31]]], "storageKeys: 31 bytes where 32 should be"),
        (8, [[b"\x01" * 20, [[]]]], "storageKeys: a list where bytes should be"),
        (9, [], "authorizationList|v: a list where bytes should be"),
        (9, b"\x00", "authorizationList|v: a number with leading zeros"),
        (-2, b"\x00" * 32, "r: a number with leading zeros"),
        (-1, b"\x01" * 33, "s: a number of 33 bytes"),
    ],
)
@pytest.mark.parametrize("kind", ["dynamic", "set_code"])
def test_body_with_a_field_of_another_form_is_refused(
    kind: str, place: int, item: Any, words: str
) -> None:
    """The field is named, and what is wrong with it."""
    items, number = opened(sign(SAMPLES[kind]()).raw)
    items[place] = item
    if (kind, place, item) == ("set_code", 9, []):
        words = "type 4 with 0 authorizations"
    with pytest.raises(RawError, match=words):
        read(items, number)


@pytest.mark.parametrize(
    ("place", "item", "words"),
    [
        (0, b"\x00", "an authorization's chainId: a number with leading zeros"),
        (1, b"\x01" * 19, "an authorization's address: 19 bytes where 20 should be"),
        (2, b"\x01" * 9, "an authorization's nonce: 18519084246547628289 is not from 0"),
        (3, b"\x01" * 2, "an authorization's yParity: 257 is not from 0 to 255"),
        (4, b"\x01" * 33, "an authorization's signature: a number of 33 bytes"),
        (5, [], "an authorization's signature: a list where bytes should be"),
    ],
)
def test_body_with_an_authorization_of_another_form_is_refused(
    place: int, item: Any, words: str
) -> None:
    """EIP-7702 bounds every number of it."""
    items, number = opened(sign(signing.set_code()).raw)
    items[9][0][place] = item
    with pytest.raises(RawError, match=words):
        read(items, number)


def test_body_with_an_authorization_of_other_length_is_refused() -> None:
    """Six items, neither five nor seven."""
    for change in (lambda entry: entry[:-1], lambda entry: [*entry, b""]):
        items, number = opened(sign(signing.set_code()).raw)
        items[9][0] = change(items[9][0])
        with pytest.raises(RawError, match=r"authorizationList: [57] items where 6"):
            read(items, number)


def test_body_with_a_blob_hash_of_other_length_is_refused() -> None:
    """32 bytes, and nothing else."""
    items, number = opened(sign(signing.blob()).raw)
    items[10] = [b"\x01" * 31]
    with pytest.raises(RawError, match="blobVersionedHashes: 31 bytes where 32 should be"):
        read(items, number)
