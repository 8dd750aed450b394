"""A signed transaction is read as the chain reads it."""

from __future__ import annotations

import pytest
from eth_account import Account

from monitor.lab.anvil import Anvil
from tests.transactions.fakepool.payments import (
    CHAIN_ID,
    GWEI,
    account,
    address,
    blobs,
    delegation,
    legacy,
    payment,
)
from tests.transactions.fakepool.signed import UndecodableError, UnsignedError, decode

KEYS = [{"address": "0x" + "22" * 20, "storageKeys": ["0x" + "33" * 32]}]
KINDS = {
    "unprotected": lambda: legacy(0, chainId=None),
    "legacy": lambda: legacy(0),
    "access list": lambda: legacy(0, type=1, accessList=KEYS, gas=30_000),
    "dynamic": lambda: payment(0, data="0x00ff"),
    "creation": lambda: payment(0, to=None, data="0x00", gas=60_000),
    "set code": lambda: delegation(0, authority=1, authority_nonce=0),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_transaction_of_a_kind_is_read_as_anvil_reads_it(kind: str, anvil: Anvil) -> None:
    """Its hash is the chain's, and its JSON is what the chain shows of it while it is pending."""
    raw = KINDS[kind]()
    transaction = decode(raw)
    assert await anvil.rpc("eth_sendRawTransaction", raw) == transaction.hash
    shown = await anvil.rpc("eth_getTransactionByHash", transaction.hash)
    ours = transaction.as_json()
    # While it is pending anvil shows the price it would pay now, others the cap.
    differ = {key for key in shown if key != "gasPrice" and shown[key] != ours.get(key)}
    assert differ == set()


def test_blob_transaction_with_a_sidecar_has_the_hash_of_the_one_without() -> None:
    """EIP-4844: the sidecar is not part of what is signed and mined."""
    pooled, light = decode(blobs(3)), decode(blobs(3, has_sidecar=False))
    assert pooled.has_sidecar
    assert not light.has_sidecar
    assert pooled.hash == light.hash
    assert (pooled.sender, pooled.nonce) == (address(0), 3)
    assert pooled.as_json()["maxFeePerBlobGas"] == hex(GWEI)
    assert pooled.cost_wei == 1 + 21_000 * 20 * GWEI + 131_072 * GWEI


def test_authorizations_name_their_signers() -> None:
    """Who delegates is recovered from the authorization, not from the transaction."""
    transaction = decode(delegation(0, authority=2, authority_nonce=5))
    assert transaction.sender == address(0)
    assert transaction.authorities == (address(2),)


def test_signature_that_is_not_shown_is_zero() -> None:
    """As some relays show what they have: every other field is there."""
    transaction = decode(payment(0))
    hidden = transaction.as_json(zero_signature=True)
    assert {hidden[name] for name in ("v", "r", "s", "yParity")} == {"0x0"}
    assert hidden["hash"] == transaction.hash


@pytest.mark.parametrize("raw", ["", "0x", "0xzz", "0x02c0", "0x" + "ff" * 20, "0x02" + "ab" * 20])
def test_bytes_that_are_no_transaction_are_undecodable(raw: str) -> None:
    """Too short, not hexadecimal, too few fields, no list."""
    with pytest.raises(UndecodableError):
        decode(raw)


def test_signature_of_nobody_is_no_sender() -> None:
    """A signature whose r is out of range gives no key."""
    raw = payment(0)
    r = decode(raw).as_json()["r"][2:]
    with pytest.raises(UnsignedError):
        decode(raw.replace(r, "f" * 64))


@pytest.mark.parametrize(
    ("raw", "intrinsic", "floor"),
    [
        (lambda: payment(0), 21_000, 21_000),
        (lambda: payment(0, data="0x00"), 21_004, 21_010),
        (lambda: payment(0, data="0xff"), 21_016, 21_040),
        (lambda: payment(0, to=None, data="0x00"), 53_006, 21_010),
        (lambda: legacy(0, type=1, accessList=KEYS), 25_300, 21_000),
        (lambda: delegation(0, authority=1, authority_nonce=0), 46_000, 21_000),
    ],
)
def test_gas_that_is_needed_at_least_is_the_protocols(
    raw: object, intrinsic: int, floor: int
) -> None:
    """EIP-2028, 3860, 2930, 7702 and, the floor, 7623."""
    assert callable(raw)
    transaction = decode(raw())
    assert (transaction.intrinsic_gas, transaction.floor_gas) == (intrinsic, floor)


def test_price_and_tip_follow_the_base_fee() -> None:
    """EIP-1559: never more than the cap; below the base fee the tip is negative."""
    transaction = decode(payment(0, fee_cap_wei=20, tip_cap_wei=5))
    assert [transaction.price_wei(base) for base in (0, 14, 15, 16, 21)] == [5, 19, 20, 20, 20]
    assert [transaction.tip_wei(base) for base in (0, 14, 15, 16, 21)] == [5, 5, 5, 4, -1]


def test_dev_accounts_are_those_of_the_lab() -> None:
    """The first five dev accounts of the lab's mnemonic, and no others."""
    assert account(0).address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert Account.recover_transaction(payment(0, sender=4)).lower() == address(4)
    assert decode(payment(0)).chain_id == CHAIN_ID
    with pytest.raises(AssertionError, match="traffic"):
        account(5)
