"""The transaction objects of JSON-RPC, turned back into the bytes that were signed. Pure.

`txpool_content*`, `eth_getTransactionByHash` and blocks with full transactions show the same
objects (execution-apis, `TransactionInfo`). They come from anybody: some endpoints leave out
fields, MEV Blocker sets the signature to zero, and `gasPrice` of a mined one is what was paid, not
what was signed. So nothing here is believed: `raw.rebuild` compares hash and sender afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.transactions import rlp
from monitor.transactions.unsigned import BLOB, FIELDS, LEGACY, RawError

DIGITS_MAX = 2 * 128 * 1024
"""Hexadecimal digits of the longest input: no pool takes a transaction above 128 KiB."""
LIST_MAX = 8192
"""Entries of a list; 128 KiB hold fewer."""

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
SHOWN_MAX = 40
"""Of a value that is not what was expected, so many characters are shown."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an object says that its bytes must show."""

    hash: str
    sender: str
    chain_id: int | None
    """None where it says nothing, as of legacy transactions with some clients."""


def claim_of(fields: Mapping[str, object]) -> Claim:
    """Its `hash`, `from` and `chainId`; raises RawError without the former two."""
    return Claim(
        hash=f"0x{_bytes(_present(fields, 'hash'), 'hash', 32).hex()}",
        sender=f"0x{_bytes(_present(fields, 'from'), 'from', 20).hex()}",
        chain_id=None if fields.get("chainId") is None else _integer(fields, "chainId"),
    )


def encoded(fields: Mapping[str, object]) -> bytes:
    """The bytes of a transaction object, of types 0, 1, 2 and 4.

    Raises RawError for a field that is missing or not of its kind, for an object without a
    signature, and for blob transactions, whose objects come without what must be sent with them.
    """
    kind = _integer(fields, "type") if fields.get("type") is not None else LEGACY
    if kind == BLOB:
        message = "a blob transaction's object is without its blobs, and cannot be sent again"
        raise RawError(message)
    if kind not in FIELDS:
        message = f"transactions of type {kind} are not known here"
        raise RawError(message)
    if "input" in fields and "data" in fields and fields["input"] != fields["data"]:
        message = "input and data differ"
        raise RawError(message)
    items = [_READERS.get(name, _quantity)(fields, name) for name in FIELDS[kind]]
    items += _signature(fields, is_typed=kind != LEGACY)
    prefix = b"" if kind == LEGACY else bytes([kind])
    return prefix + rlp.encode(items)


def _signature(fields: Mapping[str, object], *, is_typed: bool) -> list[rlp.Item]:
    """V (or yParity), r and s."""
    r, s = _integer(fields, "r"), _integer(fields, "s")
    if r == 0 or s == 0:
        message = "its signature is zero: the endpoint hides it"
        raise RawError(message)
    v = _parity(fields) if is_typed else _integer(fields, "v")
    return [rlp.encode_number(number) for number in (v, r, s)]


def _parity(fields: Mapping[str, object]) -> int:
    """The parity of a typed transaction: under `yParity`, or `v` where that is older (EIP-2718)."""
    said = {_integer(fields, name) for name in ("yParity", "v") if fields.get(name) is not None}
    if len(said) != 1:
        message = "yParity and v differ" if said else "neither yParity nor v"
        raise RawError(message)
    return said.pop()


def _integer(fields: Mapping[str, object], name: str) -> int:
    value = _present(fields, name)
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        message = f"{name}: expected a quantity, found {_shown(value)}"
        raise RawError(message)
    return int(value, 16)


def _quantity(fields: Mapping[str, object], name: str) -> rlp.Item:
    return rlp.encode_number(_integer(fields, name))


def _bytes(value: object, name: str, length: int | None = None) -> bytes:
    """Hexadecimal digits as bytes: of this length, or any up to the longest input."""
    digits_max = DIGITS_MAX if length is None else 2 * length
    is_fine = isinstance(value, str) and len(value) <= digits_max + 2 and _DATA.fullmatch(value)
    if not isinstance(value, str) or not is_fine or length not in {None, len(value) // 2 - 1}:
        kind = "hexadecimal bytes" if length is None else f"{length} hexadecimal bytes"
        message = f"{name}: expected {kind}, found {_shown(value)}"
        raise RawError(message)
    return bytes.fromhex(value[2:])


def _to(fields: Mapping[str, object], name: str) -> rlp.Item:
    """The recipient. Of a contract creation it is null, left out, or empty."""
    value = fields.get(name)
    return b"" if value in (None, "", "0x") else _bytes(value, name, 20)


def _input(fields: Mapping[str, object], name: str) -> rlp.Item:
    return _bytes(_present(fields, name if name in fields else "data"), name)


def _access_list(fields: Mapping[str, object], name: str) -> rlp.Item:
    return [
        [
            _bytes(_present(entry, "address"), f"{name}: address", 20),
            [_bytes(key, "storageKeys", 32) for key in _sequence(entry, "storageKeys")],
        ]
        for entry in _entries(fields, name)
    ]


def _authorizations(fields: Mapping[str, object], name: str) -> rlp.Item:
    return [
        [
            _quantity(entry, "chainId"),
            _bytes(_present(entry, "address"), f"{name}: address", 20),
            _quantity(entry, "nonce"),
            rlp.encode_number(_parity(entry)),
            _quantity(entry, "r"),
            _quantity(entry, "s"),
        ]
        for entry in _entries(fields, name)
    ]


_READERS: dict[str, Callable[[Mapping[str, object], str], rlp.Item]] = {
    "to": _to,
    "input": _input,
    "accessList": _access_list,
    "authorizationList": _authorizations,
}
"""Every field that is not a quantity."""


def _present(fields: Mapping[str, object], name: str) -> object:
    if fields.get(name) is None:
        message = f"there is no {name}"
        raise RawError(message)
    return fields[name]


def _sequence(fields: Mapping[str, object], name: str) -> list[object]:
    value = _present(fields, name)
    if not isinstance(value, list) or len(value) > LIST_MAX:
        message = f"{name}: expected a list of up to {LIST_MAX} entries"
        raise RawError(message)
    return value


def _entries(fields: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    entries = _sequence(fields, name)
    if not all(isinstance(entry, Mapping) for entry in entries):
        message = f"{name}: expected a list of objects"
        raise RawError(message)
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _shown(value: object) -> str:
    """A value that was not expected, printable and cut short."""
    text = repr(value) if isinstance(value, str | int | bool | None) else type(value).__name__
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"
