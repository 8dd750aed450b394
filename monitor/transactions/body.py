"""The fields of a transaction, read off the items that its bytes encode. Pure.

Strict as nodes are: the right number of items, numbers without leading zeros and within 256 bits,
addresses and hashes of their length. What a field may be beyond that, `Unsigned` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.model import Address, Hash32
from monitor.transactions import rlp
from monitor.transactions.unsigned import (
    BLOB,
    FIELDS,
    AccessList,
    Authorization,
    RawError,
    Unsigned,
)

SIGNATURE_ITEMS = 3
"""What follows the fields: v or yParity, r, s."""
WORD_BYTES = 32
ENTRY_ITEMS, AUTHORIZATION_ITEMS = 2, 6


def parts_of(item: rlp.Item, kind: int) -> tuple[Mapping[str, rlp.Item], tuple[int, int, int]]:
    """The fields of a transaction of this type by name, and its v (or yParity), r and s."""
    names = FIELDS[kind]
    items = list_of(item, "the transaction", len(names) + SIGNATURE_ITEMS)
    v, r, s = (
        number_of(each, name) for name, each in zip("vrs", items[-SIGNATURE_ITEMS:], strict=True)
    )
    return dict(zip(names, items, strict=False)), (v, r, s)


def unsigned_from(fields: Mapping[str, rlp.Item], kind: int, chain_id: int | None) -> Unsigned:
    """What was signed. `chain_id` is that of a legacy transaction, whose `v` holds it."""

    def number(name: str) -> int:
        return number_of(fields[name], name)

    has_price = "gasPrice" in fields
    return Unsigned(
        type=kind,
        chain_id=number("chainId") if "chainId" in fields else chain_id,
        nonce=number("nonce"),
        to=None if fields["to"] == b"" else _address(fields["to"], "to"),
        value_wei=number("value"),
        data=bytes_of(fields["input"], "input"),
        gas=number("gas"),
        fee_cap_wei=number("gasPrice" if has_price else "maxFeePerGas"),
        tip_cap_wei=number("gasPrice" if has_price else "maxPriorityFeePerGas"),
        access_list=_access_list(fields.get("accessList", [])),
        authorizations=_authorizations(fields.get("authorizationList", [])),
        blob_fee_cap_wei=number("maxFeePerBlobGas") if kind == BLOB else None,
        blob_hashes=_hashes(fields.get("blobVersionedHashes", []), "blobVersionedHashes"),
    )


def number_of(item: rlp.Item, name: str) -> int:
    """A whole number of up to 256 bits."""
    digits = bytes_of(item, name)
    if len(digits) > WORD_BYTES:
        message = f"{name}: a number of {len(digits)} bytes"
        raise RawError(message)
    if digits[:1] == b"\x00":
        message = f"{name}: a number with leading zeros"
        raise RawError(message)
    return int.from_bytes(digits, "big")


def bytes_of(item: rlp.Item, name: str, length: int | None = None) -> bytes:
    """A string of bytes, of this length if one is given."""
    if not isinstance(item, bytes):
        message = f"{name}: a list where bytes should be"
        raise RawError(message)
    if length not in {None, len(item)}:
        message = f"{name}: {len(item)} bytes where {length} should be"
        raise RawError(message)
    return item


def list_of(item: rlp.Item, name: str, count: int | None = None) -> Sequence[rlp.Item]:
    """A list, of so many items if that is given."""
    if isinstance(item, bytes):
        message = f"{name}: bytes where a list should be"
        raise RawError(message)
    if count not in {None, len(item)}:
        message = f"{name}: {len(item)} items where {count} should be"
        raise RawError(message)
    return item


def _address(item: rlp.Item, name: str) -> Address:
    return Address(f"0x{bytes_of(item, name, 20).hex()}")


def _hashes(item: rlp.Item, name: str) -> tuple[Hash32, ...]:
    return tuple(
        Hash32(f"0x{bytes_of(each, name, WORD_BYTES).hex()}") for each in list_of(item, name)
    )


def _access_list(item: rlp.Item) -> AccessList:
    entries = []
    for each in list_of(item, "accessList"):
        address, keys = list_of(each, "an entry of accessList", ENTRY_ITEMS)
        entries.append((_address(address, "accessList"), _hashes(keys, "storageKeys")))
    return tuple(entries)


def _authorizations(item: rlp.Item) -> tuple[Authorization, ...]:
    given = []
    for each in list_of(item, "authorizationList"):
        chain_id, address, nonce, *signature = list_of(
            each, "an entry of authorizationList", AUTHORIZATION_ITEMS
        )
        y_parity, r, s = (number_of(number, "an authorization's signature") for number in signature)
        given.append(
            Authorization(
                chain_id=number_of(chain_id, "an authorization's chainId"),
                address=_address(address, "an authorization's address"),
                nonce=number_of(nonce, "an authorization's nonce"),
                y_parity=y_parity,
                r=r,
                s=s,
            )
        )
    return tuple(given)
