"""What is signed: its encoding, its JSON, and that other fees are all that may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Address, Hash32
from monitor.transactions.raw import unsigned_of
from monitor.transactions.unsigned import (
    Authorization,
    RawError,
    Unsigned,
    cancellation_of,
    checksummed,
)
from tests.transactions import signing
from tests.transactions.signing import CHAIN_ID, GWEI, KINDS, SENDER, TO, sign

SELF = Address(SENDER.address.lower())
ADDRESSES = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
)
"""The examples of EIP-55."""
LEAVE = Authorization(chain_id=0, address=SELF, nonce=0, y_parity=0, r=1, s=1)
BLOB_HASH = Hash32("0x01" + "0" * 62)


def unsigned(**more: Any) -> Unsigned:
    return replace(unsigned_of(sign(signing.dynamic()).raw), **more)


@pytest.mark.parametrize("address", ADDRESSES)
def test_address_gets_the_checksum_of_eip_55(address: str) -> None:
    """The examples of the EIP."""
    assert checksummed(Address(address.lower())) == address


@pytest.mark.parametrize("kind", KINDS)
def test_unsigned_of_a_transaction_signs_and_encodes_to_it_again(kind: str) -> None:
    """The hash that is signed and the bytes are those that eth_account makes of every kind."""
    fields = KINDS[kind]()
    signed = sign(fields)
    again = unsigned_of(signed.raw, chain_id=CHAIN_ID)
    if kind == "unprotected":
        again = replace(again, chain_id=None)
    y_parity = (signed.v + 1) % 2 if again.type == 0 else signed.v
    assert again.signed(y_parity, signed.r, signed.s) == signed.raw
    digest: Any = again.signing_hash()
    signature = SENDER.unsafe_sign_hash(digest)
    assert (signature.r, signature.s) == (signed.r, signed.s)


def test_unsigned_as_json_of_each_type_is_the_object_that_signers_take() -> None:
    """Hexadecimal quantities, addresses with checksum, one price or two caps, lists where due."""
    shared = {
        "chainId": "0x7a69",
        "nonce": "0x0",
        "to": TO,
        "value": "0x5",
        "data": "0x",
        "gas": "0x7530",
    }
    legacy = unsigned_of(sign(signing.legacy()).raw)
    assert legacy.as_json() == {"type": "0x0", **shared, "gasPrice": "0xb2d05e00"}
    caps = {"maxFeePerGas": "0xee6b2800", "maxPriorityFeePerGas": "0x3b9aca00"}
    assert unsigned().as_json(SELF) == {
        "type": "0x2",
        "from": SENDER.address,
        **shared,
        "data": "0xdeadbeef",
        **caps,
    }
    listed = unsigned_of(sign(signing.listed()).raw).as_json()
    five = {"address": "0x" + "5" * 40, "storageKeys": []}
    assert listed["accessList"] == [signing.ACCESS[0], five]
    assert "gasPrice" in listed
    given = unsigned_of(sign(signing.set_code()).raw).as_json()
    one = signing.authorization()
    assert given["authorizationList"] == [
        {
            "chainId": "0x7a69",
            "address": TO,
            "nonce": "0x0",
            "yParity": hex(one.y_parity),
            "r": hex(one.r),
            "s": hex(one.s),
        }
    ]
    assert given.keys() >= caps.keys()
    assert "gasPrice" not in given


def test_unsigned_as_json_leaves_out_what_tells_another_type() -> None:
    """No `to` of a creation; an access list that is empty only where the type is told by it."""
    assert "to" not in unsigned_of(sign(signing.creation()).raw).as_json()
    empty = unsigned_of(sign(signing.listed(accessList=[])).raw)
    assert empty.as_json()["accessList"] == []
    assert "accessList" not in unsigned().as_json()
    assert "accessList" in unsigned(access_list=((SELF, ()),)).as_json()
    bare = replace(unsigned_of(sign(signing.legacy()).raw), chain_id=None)
    assert "chainId" not in bare.as_json()


@given(
    kind=st.sampled_from(sorted(KINDS)),
    cap=st.integers(0, 2**256 - 1),
    tip=st.integers(0, 2**256 - 1),
)
def test_unsigned_with_fees_changes_nothing_else(kind: str, cap: int, tip: int) -> None:
    """Whatever the fees: recipient, value, input, gas, nonce and lists stay what they were."""
    before = unsigned_of(sign(KINDS[kind]()).raw, chain_id=CHAIN_ID)
    cap, tip = max(cap, tip), min(cap, tip)
    after = before.with_fees(fee_cap_wei=cap, tip_cap_wei=tip)
    assert after.fee_cap_wei == cap
    assert after.tip_cap_wei == (cap if before.has_price else tip)
    old: dict[str, Any] = {"fee_cap_wei": before.fee_cap_wei, "tip_cap_wei": before.tip_cap_wei}
    assert replace(after, **old) == before


def test_unsigned_with_fees_that_no_pool_takes_is_refused() -> None:
    """A tip above its cap, a number beyond 256 bits, a negative one."""
    equal = unsigned().with_fees(fee_cap_wei=5, tip_cap_wei=5)
    assert (equal.fee_cap_wei, equal.tip_cap_wei) == (5, 5)
    with pytest.raises(RawError, match="a tip of 6 wei above the cap of 5 wei"):
        unsigned().with_fees(fee_cap_wei=5, tip_cap_wei=6)
    with pytest.raises(RawError, match="the fee cap"):
        unsigned().with_fees(fee_cap_wei=2**256, tip_cap_wei=0)
    with pytest.raises(RawError, match="the tip cap"):
        unsigned().with_fees(fee_cap_wei=0, tip_cap_wei=-1)


def test_unsigned_of_a_blob_transaction_gets_no_other_fees() -> None:
    """Its sidecar would have to go with it."""
    blob = unsigned(type=3, blob_fee_cap_wei=1, blob_hashes=(BLOB_HASH,))
    with pytest.raises(RawError, match="blob transactions cannot be re-signed here"):
        blob.with_fees(fee_cap_wei=2, tip_cap_wei=1)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"type": 5}, "type 5 are not known"),
        ({"type": -1}, "type -1 are not known"),
        ({"chain_id": None}, "type 2 without a chain id"),
        ({"chain_id": 0}, "chain id 0, which is none"),
        ({"chain_id": 2**64}, "chain id 18446744073709551616, which is none"),
        ({"nonce": -1}, "nonce"),
        ({"nonce": 2**64 - 1}, "nonce"),
        ({"gas": 2**64}, "gas"),
        ({"value_wei": 2**256}, "value"),
        ({"to": "0x" + "A" * 40}, "to: expected 0x and 40 lower-case"),
        ({"to": "0x" + "a" * 39}, "to: expected 0x and 40 lower-case"),
        ({"type": 0}, "type 0 has one price"),
        ({"type": 1}, "type 1 has one price"),
        ({"type": 3, "to": None}, "type 3 cannot create a contract"),
        ({"type": 4, "to": None}, "type 4 cannot create a contract"),
        ({"type": 4}, "type 4 with 0 authorizations"),
        ({"authorizations": (LEAVE,)}, "type 2 with 1 authorizations"),
        ({"type": 3, "blob_fee_cap_wei": 1}, "type 3 with 0 blobs"),
        ({"blob_hashes": (BLOB_HASH,)}, "type 2 with 1 blobs"),
        ({"type": 3, "blob_hashes": (BLOB_HASH,)}, "maxFeePerBlobGas None"),
        ({"blob_fee_cap_wei": 0}, "maxFeePerBlobGas 0"),
        ({"type": 3, "blob_hashes": (BLOB_HASH,), "blob_fee_cap_wei": 2**256}, "maxFeePerBlobGas"),
        (
            {"type": 3, "blob_hashes": (Hash32("0x02" + "0" * 62),), "blob_fee_cap_wei": 1},
            "does not begin with 0x01",
        ),
    ],
)
def test_unsigned_that_no_chain_takes_is_refused(more: dict[str, Any], words: str) -> None:
    """Just beyond every limit, and every list where it does not belong."""
    with pytest.raises(RawError, match=words):
        unsigned(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"chain_id": 1},
        {"chain_id": 2**64 - 1},
        {"nonce": 2**64 - 2},
        {"gas": 2**64 - 1},
        {"value_wei": 2**256 - 1},
        {"to": None},
        {"type": 4, "authorizations": (LEAVE,)},
        {"type": 3, "blob_hashes": (BLOB_HASH,), "blob_fee_cap_wei": 0},
    ],
)
def test_unsigned_at_the_limit_is_one(more: dict[str, Any]) -> None:
    """The last value of each range, and each list where it belongs."""
    assert replace(unsigned(**more), **more) == unsigned(**more)


def test_unsigned_of_type_0_takes_no_access_list() -> None:
    """It has no place for one."""
    legacy = unsigned_of(sign(signing.legacy()).raw)
    with pytest.raises(RawError, match="a legacy transaction with an access list"):
        replace(legacy, access_list=((SELF, ()),))


@pytest.mark.parametrize(
    "more",
    [
        {"chain_id": 2**256},
        {"nonce": 2**64},
        {"y_parity": 256},
        {"r": 2**256},
        {"s": 2**256},
        {"s": -1},
    ],
)
def test_authorization_beyond_the_bounds_of_eip_7702_is_refused(more: dict[str, Any]) -> None:
    """The bounds under which a transaction of type 4 is valid at all."""
    with pytest.raises(RawError, match="an authorization's"):
        replace(LEAVE, **more)


@pytest.mark.parametrize("is_legacy", [False, True])
def test_cancellation_is_a_transfer_of_nothing_to_oneself(*, is_legacy: bool) -> None:
    """21000 gas, no value, no input, the slot's chain and nonce, and only fees to be given."""
    plain = cancellation_of(chain_id=100, sender=SELF, nonce=7, is_legacy=is_legacy)
    assert plain == Unsigned(
        type=0 if is_legacy else 2,
        chain_id=100,
        nonce=7,
        to=SELF,
        value_wei=0,
        data=b"",
        gas=21_000,
        fee_cap_wei=0,
        tip_cap_wei=0,
    )
    paid = plain.with_fees(fee_cap_wei=3 * GWEI, tip_cap_wei=GWEI)
    assert paid.fee_cap_wei == 3 * GWEI
    assert (paid.gas, paid.nonce, paid.to) == (21_000, 7, SELF)


def test_cancellation_takes_the_gas_of_a_chain_that_asks_for_more() -> None:
    """Some second layers add the cost of their data."""
    dear = cancellation_of(chain_id=1, sender=SELF, nonce=0, is_legacy=False, gas=60_000)
    assert dear.gas == 60_000
