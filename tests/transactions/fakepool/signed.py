"""A signed transaction as a pool sees it: its fields, what it costs, its JSON.

Decoded with the public `rlp` and `eth_keys` and with nothing of the watchdog's own, so that the
watchdog's decoder is never checked against itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import rlp  # type: ignore[import-untyped]
from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

Fields: TypeAlias = list[Any]
"""What RLP holds: bytes, or lists of the same."""

LEGACY, ACCESS_LIST, DYNAMIC, BLOB, SET_CODE = range(5)
"""EIP-2718 types: none and EIP-155, EIP-2930, EIP-1559, EIP-4844, EIP-7702."""

BLOB_GAS = 131_072
"""Gas of one blob (EIP-4844, GAS_PER_BLOB)."""
_AUTHORITY_MAGIC = b"\x05"
_ITEMS = {LEGACY: 9, ACCESS_LIST: 11, DYNAMIC: 12, BLOB: 14, SET_CODE: 13}


class UndecodableError(ValueError):
    """These bytes are no transaction."""


class UnsignedError(ValueError):
    """The signature gives no sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """One transaction, with whom it is from."""

    raw: str
    """As it was sent, 0x-hex; of type 3 with or without its sidecar."""
    hash: str
    type: int
    chain_id: int | None
    """None: unprotected, before EIP-155."""
    sender: str
    nonce: int
    to: str | None
    value_wei: int
    gas: int
    fee_cap_wei: int
    tip_cap_wei: int
    blob_fee_cap_wei: int | None
    data: bytes
    access_list: tuple[tuple[str, tuple[str, ...]], ...]
    blob_hashes: tuple[str, ...]
    authorizations: tuple[dict[str, str], ...]
    authorities: tuple[str, ...]
    """Who signed the authorizations (EIP-7702)."""
    has_sidecar: bool
    v: int
    """As given for type 0, else the parity."""
    r: int
    s: int

    @property
    def cost_wei(self) -> int:
        """What the sender must have: value and gas at its cap, blobs included."""
        blobs = len(self.blob_hashes) * BLOB_GAS * (self.blob_fee_cap_wei or 0)
        return self.value_wei + self.gas * self.fee_cap_wei + blobs

    @property
    def size_bytes(self) -> int:
        return len(self.raw) // 2 - 1

    def price_wei(self, base_fee_wei: int) -> int:
        """What a unit of gas costs in a block with this base fee (EIP-1559)."""
        return min(self.fee_cap_wei, base_fee_wei + self.tip_cap_wei)

    def tip_wei(self, base_fee_wei: int) -> int:
        """What the block's producer gets for a unit of gas; negative below the base fee."""
        return min(self.tip_cap_wei, self.fee_cap_wei - base_fee_wei)

    @property
    def intrinsic_gas(self) -> int:
        """EIP-2, 2028, 2930, 3860 and 7702."""
        zeros = self.data.count(0)
        gas = 21_000 + 4 * zeros + 16 * (len(self.data) - zeros)
        if self.to is None:
            gas += 32_000 + 2 * ((len(self.data) + 31) // 32)
        gas += 2_400 * len(self.access_list)
        gas += 1_900 * sum(len(keys) for _, keys in self.access_list)
        return gas + 25_000 * len(self.authorizations)

    @property
    def floor_gas(self) -> int:
        """EIP-7623."""
        zeros = self.data.count(0)
        return 21_000 + 10 * (zeros + 4 * (len(self.data) - zeros))

    def as_json(self, *, zero_signature: bool = False) -> dict[str, Any]:
        """The transaction object of one that is in no block (execution-apis)."""
        signature = (0, 0, 0) if zero_signature else (self.v, self.r, self.s)
        fields: dict[str, Any] = {
            "blockHash": None,
            "blockNumber": None,
            "transactionIndex": None,
            "from": self.sender,
            "to": self.to,
            "hash": self.hash,
            "nonce": hex(self.nonce),
            "type": hex(self.type),
            "value": hex(self.value_wei),
            "gas": hex(self.gas),
            "gasPrice": hex(self.fee_cap_wei),
            "input": "0x" + self.data.hex(),
            **dict(zip("vrs", map(hex, signature), strict=True)),
        }
        if self.chain_id is not None:
            fields["chainId"] = hex(self.chain_id)
        if self.type >= ACCESS_LIST:
            fields["yParity"] = fields["v"]
            fields["accessList"] = [
                {"address": address, "storageKeys": list(keys)}
                for address, keys in self.access_list
            ]
        if self.type >= DYNAMIC:
            fields["maxFeePerGas"] = hex(self.fee_cap_wei)
            fields["maxPriorityFeePerGas"] = hex(self.tip_cap_wei)
        if self.blob_fee_cap_wei is not None:
            fields["maxFeePerBlobGas"] = hex(self.blob_fee_cap_wei)
            fields["blobVersionedHashes"] = list(self.blob_hashes)
        if self.type == SET_CODE:
            fields["authorizationList"] = list(self.authorizations)
        return fields


@lru_cache(maxsize=4096)
def decode(raw: str) -> Signed:
    """The transaction in these 0x-hex bytes.

    Raises UndecodableError for bytes that are none, UnsignedError where nobody can have signed it.
    """
    try:
        body = bytes.fromhex(raw.removeprefix("0x"))
    except ValueError:
        message = "not hexadecimal"
        raise UndecodableError(message) from None
    kind = body[0] if body[:1] and body[0] <= SET_CODE else LEGACY
    try:
        fields: Fields = rlp.decode(body if kind == LEGACY else body[1:])
    except rlp.exceptions.DecodingError as error:
        raise UndecodableError(str(error)) from None
    has_sidecar = kind == BLOB and bool(fields) and isinstance(fields[0], list)
    if has_sidecar:
        fields = fields[0]
    if len(fields) != _ITEMS[kind] or not all(isinstance(item, bytes) for item in fields[:7]):
        message = f"type {kind} has {_ITEMS[kind]} fields"
        raise UndecodableError(message)
    return _signed(raw, kind, fields, has_sidecar=has_sidecar)


def _signed(raw: str, kind: int, fields: Fields, *, has_sidecar: bool) -> Signed:
    v, r, s = (_int(item) for item in fields[-3:])
    chain_id: int | None = None if kind == LEGACY else _int(fields[0])
    if kind == LEGACY and v >= 35:
        chain_id = (v - 35) // 2
    # From here on all types have: nonce, tip, cap, gas, to, value, data.
    middle = fields[:-3] if kind == LEGACY else fields[1:-3]
    if kind in {LEGACY, ACCESS_LIST}:
        middle = [middle[0], middle[1], *middle[1:]]
    nonce, tip, cap, gas, to, value, data = middle[:7]
    unsigned = fields[:-3]
    if kind == LEGACY and chain_id is not None:
        unsigned = [*unsigned, chain_id, b"", b""]
    parity = (v - 27 if chain_id is None else (v - 35) % 2) if kind == LEGACY else v
    authorizations = middle[8] if kind == SET_CODE else []
    return Signed(
        raw=raw,
        hash=_hex(keccak(_envelope(kind, fields))),
        type=kind,
        chain_id=chain_id,
        sender=_signer(_envelope(kind, unsigned), parity, r, s),
        nonce=_int(nonce),
        to=_hex(to) if to else None,
        value_wei=_int(value),
        gas=_int(gas),
        fee_cap_wei=_int(cap),
        tip_cap_wei=_int(tip),
        blob_fee_cap_wei=_int(middle[8]) if kind == BLOB else None,
        data=data,
        access_list=tuple(
            (_hex(address), tuple(_hex(key) for key in keys))
            for address, keys in (middle[7] if kind >= ACCESS_LIST else [])
        ),
        blob_hashes=tuple(_hex(one) for one in (middle[9] if kind == BLOB else [])),
        authorizations=tuple(_authorization(one) for one in authorizations),
        authorities=tuple(_authority(one) for one in authorizations),
        has_sidecar=has_sidecar,
        v=v,
        r=r,
        s=s,
    )


def _authorization(fields: Sequence[bytes]) -> dict[str, str]:
    chain_id, address, nonce, parity, r, s = fields
    return {
        "chainId": hex(_int(chain_id)),
        "address": _hex(address),
        "nonce": hex(_int(nonce)),
        "yParity": hex(_int(parity)),
        "r": hex(_int(r)),
        "s": hex(_int(s)),
    }


def _authority(fields: Sequence[bytes]) -> str:
    """Who signed keccak(0x05 ‖ rlp([chain_id, address, nonce])) (EIP-7702)."""
    parity, r, s = (_int(one) for one in fields[3:])
    return _signer(_AUTHORITY_MAGIC + rlp.encode(list(fields[:3])), parity, r, s)


def _signer(message: bytes, parity: int, r: int, s: int) -> str:
    try:
        signature = Signature(vrs=(parity, r, s))
        return signature.recover_public_key_from_msg(message).to_address()
    except (BadSignature, ValidationError) as error:
        raise UnsignedError(str(error)) from None


def _envelope(kind: int, fields: Fields) -> bytes:
    """EIP-2718."""
    prefix = b"" if kind == LEGACY else bytes((kind,))
    return prefix + bytes(rlp.encode(fields))


def _int(item: bytes) -> int:
    return int.from_bytes(item, "big")


def _hex(item: bytes) -> str:
    return "0x" + item.hex()
