"""Transactions of the lab's dev accounts, signed: the first five have no traffic of their own."""

from __future__ import annotations

from functools import cache
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_hash.auto import keccak
from eth_typing import Hash32

from monitor.lab.anvil import Chain

GWEI = 10**9
CHAIN_ID = 31337
FEE_CAP_WEI = 20 * GWEI
TIP_CAP_WEI = 2 * GWEI
TRANSFER_GAS = 21_000
ACCOUNTS = 5


@cache
def account(index: int) -> LocalAccount:
    """One of the dev accounts that the lab leaves alone."""
    assert 0 <= index < ACCOUNTS, f"account {index} has the lab's own traffic"
    Account.enable_unaudited_hdwallet_features()
    path = f"m/44'/60'/0'/0/{index}"
    mnemonic = Chain(chain_id=CHAIN_ID, genesis_timestamp=0).mnemonic
    signer: LocalAccount = Account.from_mnemonic(mnemonic, account_path=path)
    return signer


def address(index: int) -> str:
    """Lower case, as the pools keep it."""
    return account(index).address.lower()


def payment(
    nonce: int,
    *,
    sender: int = 0,
    fee_cap_wei: int = FEE_CAP_WEI,
    tip_cap_wei: int = TIP_CAP_WEI,
    **fields: Any,
) -> str:
    """A signed EIP-1559 transfer of 1 wei, raw; fields as in eth_account, None takes one away."""
    transaction = {
        "type": 2,
        "chainId": CHAIN_ID,
        "nonce": nonce,
        "to": account((sender + 1) % ACCOUNTS).address,
        "value": 1,
        "gas": TRANSFER_GAS,
        "maxFeePerGas": fee_cap_wei,
        "maxPriorityFeePerGas": tip_cap_wei,
    } | fields
    return signed({key: value for key, value in transaction.items() if value is not None}, sender)


def legacy(nonce: int, *, price_wei: int = FEE_CAP_WEI, **fields: Any) -> str:
    """The same with a gas price; `chainId=None` leaves it unprotected."""
    caps: dict[str, Any] = {"maxFeePerGas": None, "maxPriorityFeePerGas": None, "type": None}
    return payment(nonce, gasPrice=price_wei, **{**caps, **fields})


def signed(transaction: dict[str, Any], sender: int) -> str:
    """These fields, signed by a dev account, raw."""
    return "0x" + account(sender).sign_transaction(transaction).raw_transaction.hex()


def delegation(nonce: int, *, authority: int, authority_nonce: int, **fields: Any) -> str:
    """An EIP-7702 transaction in which another account names a delegate."""
    signer = account(authority)
    named = {"chainId": CHAIN_ID, "address": "0x" + "22" * 20, "nonce": authority_nonce}
    authorization = signer.sign_authorization(named)
    return payment(nonce, type=4, gas=100_000, authorizationList=[authorization], **fields)


def blobs(
    nonce: int,
    *,
    sender: int = 0,
    fee_cap_wei: int = FEE_CAP_WEI,
    tip_cap_wei: int = TIP_CAP_WEI,
    blob_fee_cap_wei: int = GWEI,
    has_sidecar: bool = True,
) -> str:
    """An EIP-4844 transaction in its pooled form, with one blob that no proof belongs to.

    The pools here check no proof; a real node would. Computing one takes seconds.
    """
    signer = account(sender)
    to = bytes.fromhex(account((sender + 1) % ACCOUNTS).address[2:])
    fees = [tip_cap_wei, fee_cap_wei, TRANSFER_GAS]
    hashes = [b"\x01" + bytes(31)]
    fields = [CHAIN_ID, nonce, *fees, to, 1, b"", [], blob_fee_cap_wei, hashes]
    signature = signer.unsafe_sign_hash(Hash32(keccak(b"\x03" + rlp.encode(fields))))
    inner = [*fields, signature.v - 27, signature.r, signature.s]
    body = [inner, [b"blob"], [b"commitment"], [b"proof"]] if has_sidecar else inner
    return "0x03" + bytes(rlp.encode(body)).hex()
