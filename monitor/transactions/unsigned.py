"""What is signed of a transaction: its fields without the signature, and their one encoding. Pure.

A replacement is the same payment with other fees: `Unsigned.with_fees` is the only way to make one,
and it changes nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from eth_hash.auto import keccak

from monitor.model import Address, Hash32
from monitor.transactions import rlp

LEGACY, ACCESS_LIST, DYNAMIC_FEE, BLOB, SET_CODE = range(5)
"""Types of transactions: EIP-155, EIP-2930, EIP-1559, EIP-4844, EIP-7702."""

_ACCESS = ("chainId", "nonce", "gasPrice", "gas", "to", "value", "input", "accessList")
_DYNAMIC = (
    *("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas"),
    *("gas", "to", "value", "input", "accessList"),
)
FIELDS = {
    LEGACY: ("nonce", "gasPrice", "gas", "to", "value", "input"),
    ACCESS_LIST: _ACCESS,
    DYNAMIC_FEE: _DYNAMIC,
    BLOB: (*_DYNAMIC, "maxFeePerBlobGas", "blobVersionedHashes"),
    SET_CODE: (*_DYNAMIC, "authorizationList"),
}
"""The fields of each type in the order in which they are encoded, as execution-apis name them."""

CHAIN_ID_MAX = NONCE_END = GAS_MAX = 2**64 - 1
"""Nonces end below it (EIP-2681); clients hold the other two in 64 bits."""
WORD_MAX = 2**256 - 1
ADDRESS = re.compile(r"0x[0-9a-f]{40}")
BLOB_HASH_VERSION = "0x01"
"""What a versioned hash of a blob begins with (EIP-4844, VERSIONED_HASH_VERSION_KZG)."""
UNPROTECTED_V, PROTECTED_V = 27, 35
"""What is added to the parity in `v` of a legacy transaction; the latter besides 2 × chain id."""
TRANSFER_GAS = 21_000
"""What a transfer costs (Yellow Paper, G_transaction); some second layers take more."""

AccessList: TypeAlias = tuple[tuple[Address, tuple[Hash32, ...]], ...]
"""Addresses, each with its storage keys (EIP-2930)."""


class RawError(ValueError):
    """Not a transaction that can be used; one line: what is wrong and where, never the bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The leave of an account to run the code at an address as its own, signed by it (EIP-7702)."""

    chain_id: int
    """0: on any chain."""
    address: Address
    nonce: int
    y_parity: int
    r: int
    s: int

    def __post_init__(self) -> None:
        _check("an authorization's chainId", self.chain_id, WORD_MAX)
        _check("an authorization's nonce", self.nonce, GAS_MAX)
        _check("an authorization's yParity", self.y_parity, 255)
        _check("an authorization's r", self.r, WORD_MAX)
        _check("an authorization's s", self.s, WORD_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A transaction without its signature. RawError where no chain would take such a one."""

    type: int
    chain_id: int | None
    """None for a legacy transaction without replay protection."""
    nonce: int
    to: Address | None
    """None for a contract creation."""
    value_wei: int
    data: bytes
    gas: int
    fee_cap_wei: int
    """The most a unit of gas may cost: maxFeePerGas, or gasPrice."""
    tip_cap_wei: int
    """maxPriorityFeePerGas, or gasPrice."""
    access_list: AccessList = ()
    authorizations: tuple[Authorization, ...] = ()
    blob_fee_cap_wei: int | None = None
    """maxFeePerBlobGas of a blob transaction, else None."""
    blob_hashes: tuple[Hash32, ...] = ()

    def __post_init__(self) -> None:
        if self.type not in FIELDS:
            message = f"transactions of type {self.type} are not known here"
            raise RawError(message)
        self._check_chain()
        if self.to is not None and not ADDRESS.fullmatch(self.to):
            message = "to: expected 0x and 40 lower-case hexadecimal digits"
            raise RawError(message)
        _check("nonce", self.nonce, NONCE_END - 1)
        _check("gas", self.gas, GAS_MAX)
        _check("value", self.value_wei, WORD_MAX)
        _check("the fee cap", self.fee_cap_wei, WORD_MAX)
        _check("the tip cap", self.tip_cap_wei, WORD_MAX)
        if self.has_price and self.fee_cap_wei != self.tip_cap_wei:
            message = f"type {self.type} has one price, and no tip beside it"
            raise RawError(message)
        self._check_lists()

    @property
    def has_price(self) -> bool:
        """Whether it names one gasPrice instead of two caps."""
        return self.type in {LEGACY, ACCESS_LIST}

    def with_fees(self, *, fee_cap_wei: int, tip_cap_wei: int) -> Unsigned:
        """The same payment with other caps, and nothing else changed; `gas` least of all.

        Where there is one price (types 0 and 1) it is `fee_cap_wei`. Raises RawError for a tip
        above the cap, which no pool takes, and for blob transactions.
        """
        if self.type == BLOB:
            message = "blob transactions cannot be re-signed here"
            raise RawError(message)
        if tip_cap_wei > fee_cap_wei:
            message = f"a tip of {tip_cap_wei} wei above the cap of {fee_cap_wei} wei"
            raise RawError(message)
        tip = fee_cap_wei if self.has_price else tip_cap_wei
        return replace(self, fee_cap_wei=fee_cap_wei, tip_cap_wei=tip)

    def signing_hash(self) -> bytes:
        """The 32 bytes that are signed (EIP-155 for type 0, else as the type's EIP has it)."""
        items = self._items()
        if self.chain_id is not None and self.type == LEGACY:
            items += [rlp.encode_number(self.chain_id), b"", b""]
        return keccak(self._prefix + rlp.encode(items))

    def signed(self, y_parity: int, r: int, s: int) -> bytes:
        """The bytes with this signature, without the sidecar of a blob transaction."""
        v = y_parity
        if self.type == LEGACY:
            chain_id = self.chain_id
            v += UNPROTECTED_V if chain_id is None else PROTECTED_V + 2 * chain_id
        signature: list[rlp.Item] = [rlp.encode_number(number) for number in (v, r, s)]
        return self._prefix + rlp.encode(self._items() + signature)

    def as_json(self, sender: Address | None = None) -> dict[str, object]:
        """The object of `eth_signTransaction` (execution-apis), with `from` where it is given.

        Quantities are hexadecimal, addresses have their checksum (EIP-55), a contract creation has
        no `to`, and an empty access list is written only where its type is told by it. The input
        is under `data`, the one name that every signer knows.
        """
        written: dict[str, object] = {"type": hex(self.type)}
        if sender is not None:
            written["from"] = checksummed(sender)
        if self.chain_id is not None:
            written["chainId"] = hex(self.chain_id)
        written["nonce"] = hex(self.nonce)
        if self.to is not None:
            written["to"] = checksummed(self.to)
        written |= {"value": hex(self.value_wei), "data": f"0x{self.data.hex()}"}
        written["gas"] = hex(self.gas)
        if self.has_price:
            written["gasPrice"] = hex(self.fee_cap_wei)
        else:
            written["maxFeePerGas"] = hex(self.fee_cap_wei)
            written["maxPriorityFeePerGas"] = hex(self.tip_cap_wei)
        if self.access_list or self.type == ACCESS_LIST:
            written["accessList"] = [
                {"address": checksummed(address), "storageKeys": list(keys)}
                for address, keys in self.access_list
            ]
        if self.authorizations:
            written["authorizationList"] = [_authorization_json(a) for a in self.authorizations]
        return written

    @property
    def _prefix(self) -> bytes:
        return b"" if self.type == LEGACY else bytes([self.type])

    def _items(self) -> list[rlp.Item]:
        number = rlp.encode_number
        items: dict[str, rlp.Item] = {
            "chainId": number(self.chain_id or 0),
            "nonce": number(self.nonce),
            "gasPrice": number(self.fee_cap_wei),
            "maxPriorityFeePerGas": number(self.tip_cap_wei),
            "maxFeePerGas": number(self.fee_cap_wei),
            "gas": number(self.gas),
            "to": b"" if self.to is None else _bytes(self.to),
            "value": number(self.value_wei),
            "input": self.data,
            "accessList": [
                [_bytes(address), [_bytes(key) for key in keys]]
                for address, keys in self.access_list
            ],
            "maxFeePerBlobGas": number(self.blob_fee_cap_wei or 0),
            "blobVersionedHashes": [_bytes(each) for each in self.blob_hashes],
            "authorizationList": [
                [
                    *(number(each.chain_id), _bytes(each.address), number(each.nonce)),
                    *(number(each.y_parity), number(each.r), number(each.s)),
                ]
                for each in self.authorizations
            ],
        }
        return [items[name] for name in FIELDS[self.type]]

    def _check_chain(self) -> None:
        if self.chain_id is None:
            if self.type != LEGACY:
                message = f"type {self.type} without a chain id"
                raise RawError(message)
        elif not 1 <= self.chain_id <= CHAIN_ID_MAX:
            message = f"chain id {self.chain_id}, which is none"
            raise RawError(message)

    def _check_lists(self) -> None:
        """What the EIPs of the types say beside the ranges of the numbers."""
        if self.access_list and self.type == LEGACY:
            message = "a legacy transaction with an access list"
            raise RawError(message)
        if self.to is None and self.type in {BLOB, SET_CODE}:
            message = f"type {self.type} cannot create a contract"
            raise RawError(message)
        if bool(self.authorizations) != (self.type == SET_CODE):
            message = f"type {self.type} with {len(self.authorizations)} authorizations (EIP-7702)"
            raise RawError(message)
        if bool(self.blob_hashes) != (self.type == BLOB):
            message = f"type {self.type} with {len(self.blob_hashes)} blobs (EIP-4844)"
            raise RawError(message)
        if (self.blob_fee_cap_wei is None) != (self.type != BLOB):
            message = f"type {self.type}, and maxFeePerBlobGas {self.blob_fee_cap_wei}"
            raise RawError(message)
        _check("maxFeePerBlobGas", self.blob_fee_cap_wei or 0, WORD_MAX)
        if any(not each.startswith(BLOB_HASH_VERSION) for each in self.blob_hashes):
            message = f"a blob's hash that does not begin with {BLOB_HASH_VERSION} (EIP-4844)"
            raise RawError(message)


def cancellation_of(
    *, chain_id: int, sender: Address, nonce: int, is_legacy: bool, gas: int = TRANSFER_GAS
) -> Unsigned:
    """A transfer of nothing to oneself, which fills a nonce and does no more, to be given fees.

    `is_legacy` makes it of type 0, for chains without EIP-1559.
    """
    return Unsigned(
        type=LEGACY if is_legacy else DYNAMIC_FEE,
        chain_id=chain_id,
        nonce=nonce,
        to=sender,
        value_wei=0,
        data=b"",
        gas=gas,
        fee_cap_wei=0,
        tip_cap_wei=0,
    )


def checksummed(address: Address) -> str:
    """An address with the case of its digits as checksum (EIP-55)."""
    digits = address[2:]
    mask = keccak(digits.encode()).hex()
    pairs = zip(digits, mask, strict=False)
    return "0x" + "".join(digit.upper() if m >= "8" else digit for digit, m in pairs)


def _check(name: str, value: int, limit: int) -> None:
    if not 0 <= value <= limit:
        message = f"{name}: {value} is not from 0 to {limit}"
        raise RawError(message)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _authorization_json(authorization: Authorization) -> dict[str, str]:
    return {
        "chainId": hex(authorization.chain_id),
        "address": checksummed(authorization.address),
        "nonce": hex(authorization.nonce),
        "yParity": hex(authorization.y_parity),
        "r": hex(authorization.r),
        "s": hex(authorization.s),
    }
