"""Transactions of every kind, signed by eth_account: what the code under test is held against."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, TypeAlias

from eth_account import Account
from eth_account.datastructures import SignedSetCodeAuthorization
from eth_account.signers.local import LocalAccount

from monitor.transactions import rlp

Fields: TypeAlias = dict[str, Any]
"""A transaction as eth_account takes it."""

CHAIN_ID = 31337
MNEMONIC = "test test test test test test test test test test test junk"
Account.enable_unaudited_hdwallet_features()


def account(index: int = 0) -> LocalAccount:
    """One of the accounts that anvil has funded."""
    signer: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return signer


SENDER = account()
STRANGER = account(1)
TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
GWEI = 10**9
INIT_CODE = "0x600160005560016000f3"
"""Stores one word and deploys one byte."""
BLOB = b"\x01" + bytes(131_071)
COMMITMENT = bytes.fromhex(
    "a70477b56251e8770969c83eaed665d3ab99b96b72270a41009f2752b5c06a06"
    "bd089ad48952c12b1dbf83dccd9d373f"
)
"""Of that blob: a point of the curve, so that nodes take it."""
ACCESS = [
    {"address": TO, "storageKeys": ["0x" + "00" * 31 + "01", "0x" + "ff" * 32]},
    {"address": "0x" + "5" * 40, "storageKeys": []},
]


def authorization(nonce: int = 0, chain_id: int = CHAIN_ID) -> SignedSetCodeAuthorization:
    """The leave of another account to run code as its own."""
    asked = {"chainId": chain_id, "address": TO, "nonce": nonce}
    signed: Any = STRANGER.sign_authorization(asked)
    assert isinstance(signed, SignedSetCodeAuthorization)
    return signed


def legacy(**more: Any) -> Fields:
    whole = {"to": TO, "value": 5, "gas": 30_000, "gasPrice": 3 * GWEI, "nonce": 0, "data": "0x"}
    return {**whole, "chainId": CHAIN_ID, **more}


def unprotected(**more: Any) -> Fields:
    """Before EIP-155."""
    fields = legacy(**more)
    del fields["chainId"]
    return fields


def listed(**more: Any) -> Fields:
    return legacy(**{"type": 1, "accessList": ACCESS, "gas": 60_000, **more})


def dynamic(**more: Any) -> Fields:
    fields = legacy(type=2, maxFeePerGas=4 * GWEI, maxPriorityFeePerGas=GWEI)
    del fields["gasPrice"]
    return {**fields, "data": "0xdeadbeef", **more}


def creation(**more: Any) -> Fields:
    return dynamic(**{"data": INIT_CODE, "to": b"", "gas": 100_000, "value": 0, **more})


def old_creation(**more: Any) -> Fields:
    return legacy(**{"data": INIT_CODE, "to": b"", "gas": 100_000, "value": 0, **more})


def set_code(**more: Any) -> Fields:
    fields = {"type": 4, "authorizationList": [authorization()], "gas": 100_000, **more}
    return dynamic(**fields)


def blob(count: int = 1, **more: Any) -> Fields:
    """Without its sidecar, which `wrapped` and `wrapped_cells` put around it."""
    hashes = ["0x01" + hashlib.sha256(COMMITMENT).hexdigest()[2:]] * count
    return dynamic(**{"type": 3, "maxFeePerBlobGas": GWEI, "blobVersionedHashes": hashes, **more})


@dataclass(frozen=True, slots=True)
class Signed:
    """What eth_account has signed."""

    raw: bytes
    hash: str
    v: int
    r: int
    s: int


def sign(fields: Mapping[str, Any], signer: LocalAccount = SENDER) -> Signed:
    done = signer.sign_transaction(dict(fields))
    name = "0x" + bytes(done.hash).hex()
    return Signed(bytes(done.raw_transaction), name, done.v, done.r, done.s)


@cache
def proofs() -> tuple[bytes, tuple[bytes, ...]]:
    """The proof of that blob (EIP-4844), and those of its cells (EIP-7594)."""
    ckzg: Any = import_module("ckzg")
    place = files("eth_account").joinpath("typed_transactions/blob_transactions")
    setup = ckzg.load_trusted_setup(str(place.joinpath("kzg_trusted_setup.txt")), 0)
    _, cells = ckzg.compute_cells_and_kzg_proofs(BLOB, setup)
    return ckzg.compute_blob_kzg_proof(BLOB, COMMITMENT, setup), tuple(cells)


def wrapped(body: bytes, count: int = 1, proof: bytes = bytes(48)) -> bytes:
    """The network form of a blob transaction as EIP-4844 has it."""
    inner = rlp.decode(body[1:])
    return b"\x03" + rlp.encode([inner, [BLOB] * count, [COMMITMENT] * count, [proof] * count])


def wrapped_cells(
    body: bytes, count: int = 1, cells: Sequence[bytes] = (bytes(48),) * 128
) -> bytes:
    """The network form of a blob transaction as EIP-7594 has it."""
    inner = rlp.decode(body[1:])
    sidecar: list[rlp.Item] = [[BLOB] * count, [COMMITMENT] * count, [*cells] * count]
    return b"\x03" + rlp.encode([inner, b"\x01", *sidecar])


def shown(fields: Mapping[str, Any], signed: Signed, signer: LocalAccount = SENDER) -> Fields:
    """The object that a node makes of it, once it is mined."""
    kind = fields.get("type", 0)
    written: Fields = {"type": hex(kind), "hash": signed.hash, "from": signer.address.lower()}
    for name in ("chainId", "nonce", "gas", "value", "maxFeePerGas", "maxPriorityFeePerGas"):
        if name in fields:
            written[name] = hex(fields[name])
    # Of the newer types it is what a unit of gas has cost, which was not signed.
    written["gasPrice"] = hex(fields.get("gasPrice", 7))
    written["to"] = fields["to"].lower() if fields["to"] else None
    written["input"] = fields["data"]
    written |= {"v": hex(signed.v), "r": hex(signed.r), "s": hex(signed.s)}
    if kind:
        written |= {"accessList": fields.get("accessList", []), "yParity": hex(signed.v)}
    if kind == 4:
        written["authorizationList"] = [
            {
                "chainId": hex(each.chain_id),
                "address": "0x" + each.address.hex(),
                "nonce": hex(each.nonce),
                "yParity": hex(each.y_parity),
                "r": hex(each.r),
                "s": hex(each.s),
            }
            for each in fields["authorizationList"]
        ]
    return written | {"blockHash": "0x" + "b" * 64, "blockNumber": "0x1", "transactionIndex": "0x0"}


KINDS: dict[str, Callable[..., Fields]] = {
    "legacy": legacy,
    "unprotected": unprotected,
    "old_creation": old_creation,
    "listed": listed,
    "dynamic": dynamic,
    "creation": creation,
    "set_code": set_code,
}
"""Every kind that can be rebuilt from its object."""
