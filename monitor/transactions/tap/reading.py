"""Finds the sends in a request, however it is spelled: what any node could read as one, is one.

Clients read JSON differently, and the tap must journal what *the node* will send. So a request
that cannot be a send is told by three searches; one that plainly is, is read strictly; and of
everything in between (a key twice or in other letters, more than one document, no JSON at all) each
run of hexadecimal digits that is long enough to be a transaction counts as one. What nodes do:

* go-ethereum and Erigon take keys in any letters, of a key that comes twice the last, and of a body
  the first document, whatever follows (Go, encoding/json; rpc/json.go, parseMessage);
* Nethermind reads one document after the other (JsonRpcProcessor.cs), takes hexadecimal digits
  without `0x`, and an odd number of them as if a zero led (Bytes.FromHexString);
* Besu takes them without `0x` (Bytes.fromHexString), reth and anvil bytes as an array of numbers
  (alloy-primitives, Bytes).

Methods that mean more than a send are left alone: a transaction that was sent privately
(`eth_sendPrivateTransaction`, bundles) or on conditions (ERC-7796) must not be sent in public.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Kind = Literal["raw", "sync", "signed_by_node"]
KINDS: dict[bytes, Kind] = {
    b"eth_sendrawtransaction": "raw",
    b"eth_sendrawtransactionsync": "sync",
    b"eth_sendtransaction": "signed_by_node",
}
"""Methods that send, in lower case. The second waits for the receipt (EIP-7966)."""
TELLING = (b"sendraw", b"sendtransaction")
"""In lower case: without either, and without an escape, no method above is named."""
BYTE = range(256)
DIGITS_MIN = 130
"""Of a transaction, where that has to be guessed: its signature alone has 65 bytes."""
ENTRIES_MAX = 10_000
"""Calls of a batch that are looked at one by one; most nodes take a thousand."""
INTERNAL_ERROR = -32603
"""JSON-RPC 2.0, section 5.1."""
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding raises: no JSON or not the shape, text that is not UTF-8, nested beyond reason."""

_WHITE = b" \t\r\n"
_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})")
_NOT_ASCII = re.compile(rb"[^\x00-\x7f]+")
_METHOD_KEY = re.compile(rb'"method"\s*:')
_PARAMS_KEY = re.compile(rb'"params"\s*:')
_DIGITS_OR_SPACE = bytes(byte if byte in b"0123456789abcdef" else 32 for byte in range(256))
"""Leaves the runs of digits in a folded text, without the `0` of a prefix."""
_LONG_S = "\u017f".encode()
"""The long s, which Go takes for an s in a key (encoding/json, foldFunc)."""


class _Call(msgspec.Struct, frozen=True):
    """What is read of a call; `Raw` is JSON as it came, empty where it did not come."""

    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"")
    id: msgspec.Raw = msgspec.Raw(b"")


class _Named(msgspec.Struct, frozen=True):
    """The id alone."""

    id: msgspec.Raw = msgspec.Raw(b"")


_batch: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_call: msgspec.json.Decoder[_Call] = msgspec.json.Decoder(_Call)
_named: msgspec.json.Decoder[_Named] = msgspec.json.Decoder(_Named)


@dataclass(frozen=True, slots=True)
class Call:
    """One call that sends, or may."""

    id: bytes | None
    """As `id_key` has it; None where the call has none, or cannot be read."""
    kind: Kind
    raws: tuple[bytes, ...]
    """What it would send: one where it was read, any number where that had to be guessed."""
    is_certain: bool = True
    """Whether every node reads it so."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a request sends, in its order."""

    calls: tuple[Call, ...] = ()
    is_batch: bool = False

    @property
    def raw_count(self) -> int:
        """Transactions that it would send."""
        return sum(len(call.raws) for call in self.calls)


NOTHING = Reading()


def is_harmless(body: bytes) -> bool:
    """Whether no reading of this can be a send; cheap, and True for nearly everything."""
    lowered = body.lower()
    return (
        not any(word in lowered for word in TELLING) and b"\\u" not in lowered and lowered.isascii()
    )


def read(body: bytes) -> Reading:
    """The sends in a body that is not `is_harmless`. Never raises; large bodies take their time."""
    folded = _folded(body)
    if not _tells(folded):
        return NOTHING
    if body.lstrip(_WHITE)[:1] != b"[":
        return Reading(tuple(_calls_of(body, folded)))
    try:
        entries = _batch.decode(body)
    except UNREADABLE:
        return Reading(tuple(_guess(folded, None)))
    if len(entries) > ENTRIES_MAX:
        return Reading(tuple(_guess(folded, None)), is_batch=True)
    texts = map(bytes, entries)
    calls = tuple(call for text in texts for call in _calls_of(text, _folded(text)))
    return Reading(calls, is_batch=True)


def _folded(text: bytes) -> bytes:
    """In lower case, escapes written out, and without what some nodes pass over in names."""
    if b"\\" in text:
        text = _ESCAPE.sub(lambda m: chr(int(m[1], 16)).encode("utf-8", "surrogatepass"), text)
    if not text.isascii():
        text = _NOT_ASCII.sub(b"", text.replace(_LONG_S, b"s"))
    return text.lower()


def _tells(folded: bytes) -> bool:
    return any(word in folded for word in TELLING)


def _calls_of(text: bytes, folded: bytes) -> Iterator[Call]:
    """The sends in one call, which is none, one, or what it may be."""
    if not _tells(folded):
        return
    try:
        call = _call.decode(text)
    except UNREADABLE:
        yield from _guess(folded, _id_of(text))
        return
    id_ = id_key(bytes(call.id))
    method = _folded(call.method.encode())
    if not method or len(_METHOD_KEY.findall(folded)) > 1 or len(_PARAMS_KEY.findall(folded)) > 1:
        yield from _guess(folded, id_)
        return
    kind = KINDS.get(method.strip())
    if kind is None:
        return
    if kind == "signed_by_node":
        yield Call(id_, kind, ())
        return
    raw = _raw_in(bytes(call.params))
    if raw:
        yield Call(id_, kind, (raw,))
    else:
        yield from _guess(folded, id_)


def _guess(folded: bytes, id_: bytes | None) -> Iterator[Call]:
    """Everything in this text that may be a transaction."""
    if TELLING[0] not in folded:
        return
    runs = folded.translate(_DIGITS_OR_SPACE).split()
    found = dict.fromkeys(run for run in runs if len(run) >= DIGITS_MIN)
    raws = tuple(raw for run in found if (raw := _bytes_of(run.decode())))
    if raws:
        kind: Kind = "sync" if b"sendrawtransactionsync" in folded else "raw"
        yield Call(id_, kind, raws, is_certain=False)


def _raw_in(params: bytes) -> bytes | None:
    """The transaction among the parameters: the first, or the one that can be one."""
    try:
        given: Any = msgspec.json.decode(params)
    except UNREADABLE:
        return None
    if isinstance(given, dict):
        return next((raw for raw in map(_bytes_of, given.values()) if raw), None)
    if isinstance(given, list):
        return _bytes_of(given[0]) if given else None
    return _bytes_of(given)


def _bytes_of(value: object) -> bytes | None:
    """The bytes that a node may see in a parameter; None where no node sees any."""
    if isinstance(value, list):
        is_bytes = all(type(one) is int and one in BYTE for one in value)
        return bytes(value) if is_bytes else None
    if not isinstance(value, str):
        return None
    digits = value.strip()
    digits = digits[2:] if digits[:2] in {"0x", "0X"} else digits
    try:
        return binascii.unhexlify("0" * (len(digits) % 2) + digits)
    except ValueError:
        return None


def id_key(raw: bytes) -> bytes | None:
    """An id, brought to one spelling, so that it can be found in an answer; None for none."""
    if not raw:
        return None
    try:
        value: Any = msgspec.json.decode(raw)
    except UNREADABLE:
        return raw
    if isinstance(value, float) and value.is_integer():
        return str(int(value)).encode()
    return msgspec.json.encode(value)


def _id_of(text: bytes) -> bytes | None:
    try:
        return id_key(bytes(_named.decode(text).id))
    except UNREADABLE:
        return None


def error_answer(body: bytes, message: str, code: int = INTERNAL_ERROR) -> bytes:
    """A JSON-RPC answer that says this to every call of a request, or in place of every answer.

    One with the id null where no id can be read, so that nobody waits.
    """
    is_batch = body.lstrip(_WHITE)[:1] == b"["
    try:
        entries = [bytes(entry) for entry in _batch.decode(body)] if is_batch else [body]
    except UNREADABLE:
        is_batch, entries = False, []
    ids = []
    for entry in entries:
        try:
            ids.append(bytes(_named.decode(entry).id))
        except UNREADABLE:
            ids.append(b"null")
    error = msgspec.json.encode({"code": code, "message": message})
    parts = [b'{"jsonrpc":"2.0","id":%s,"error":%s}' % (id_, error) for id_ in ids if id_]
    if is_batch and parts:
        return b"[" + b",".join(parts) + b"]"
    return parts[0] if parts else b'{"jsonrpc":"2.0","id":null,"error":%s}' % error
