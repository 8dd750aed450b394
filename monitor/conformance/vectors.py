"""The `.io` files of execution-apis' tests: round trips of JSON-RPC, a line each. Pure.

    // what it is about
    // speconly: client response is only checked for schema validity.
    >> {"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}
    << {"jsonrpc":"2.0","id":1,"result":"0x2d"}

Source: ethereum/execution-apis, `tests/README.md`; ethereum/hive, `rpc-compat/testload.go`, which
takes `speconly:` from the comments before the first request only, and lets lines be empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

BYTES_MAX = 32 * 2**20
"""Of a file; hive reads lines of as many, since some receipts take more than twenty."""
SPECONLY = "speconly:"
ASKS, ANSWERS, COMMENT = ">>", "<<", "//"


class VectorError(Exception):
    """A file that is no vector; `str()` names the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to be answered: one of the two."""

    result: bytes | None = None
    """JSON, as it is written."""
    code: int | None = None
    """Of an error object, whose words are nobody's to compare."""


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One request, and what is to be answered."""

    method: str
    params: bytes
    """JSON, as it is written: a list, or an object; `[]` where there are none."""
    expected: Expected
    line: int
    """Of the request in its file, from 1."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One file."""

    notes: tuple[str, ...]
    """The comments before the first request, without their slashes."""
    is_speconly: bool
    """Whether only the shape of the answers is promised: values differ from client to client."""
    trips: tuple[RoundTrip, ...]
    """In their order; at least one."""


class _Request(msgspec.Struct, frozen=True):
    method: str
    params: msgspec.Raw = msgspec.Raw(b"[]")


class _Error(msgspec.Struct, frozen=True):
    code: int


class _Response(msgspec.Struct, frozen=True):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Error | None = None


_requests = msgspec.json.Decoder(_Request)
_responses = msgspec.json.Decoder(_Response)
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding raises; DecodeError is a ValidationError's parent."""


def parse(written: bytes) -> Vector:
    """The vector of a file. Raises VectorError."""
    if len(written) > BYTES_MAX:
        message = f"it is larger than {BYTES_MAX // 2**20} MiB"
        raise VectorError(message)
    notes: list[str] = []
    trips: list[RoundTrip] = []
    asked: tuple[int, _Request] | None = None
    for number, kind, text in _lines(written):
        if kind == COMMENT:
            # What is said between round trips is about them, and promises nothing of the file.
            if asked is None and not trips:
                notes.append(text)
        elif kind == ASKS:
            if asked is not None:
                raise _wrong(number, f"the request of line {asked[0]} has no answer")
            asked = number, _request(number, text)
        else:
            if asked is None:
                raise _wrong(number, "this answer has no request")
            line, request = asked
            params = bytes(request.params)
            trips.append(RoundTrip(request.method, params, _expected(number, text), line))
            asked = None
    if asked is not None:
        raise _wrong(asked[0], "the request has no answer")
    if not trips:
        message = "it holds no request"
        raise VectorError(message)
    is_speconly = any(note.startswith(SPECONLY) for note in notes)
    return Vector(tuple(notes), is_speconly, tuple(trips))


def _lines(written: bytes) -> Iterator[tuple[int, str, str]]:
    """(line number, what it begins with, the rest) of every line that is not empty."""
    # Not splitlines: other line ends than this may stand inside of a JSON text.
    for number, raw in enumerate(written.split(b"\n"), 1):
        try:
            line = raw.decode().strip()
        except UnicodeDecodeError:
            raise _wrong(number, "it is not UTF-8") from None
        if not line:
            continue
        kind, text = line[:2], line[2:].strip()
        if kind not in {ASKS, ANSWERS, COMMENT}:
            raise _wrong(number, f"expected a line that begins with {ASKS}, {ANSWERS} or {COMMENT}")
        yield number, kind, text


def _request(number: int, text: str) -> _Request:
    try:
        found = _requests.decode(text)
    except UNREADABLE as error:
        raise _wrong(number, f"it is no request: {_said(error)}") from None
    if not found.method:
        raise _wrong(number, "the request has no method")
    if bytes(found.params)[:1] not in {b"[", b"{"}:
        raise _wrong(number, "its params are neither a list nor an object")
    return found


def _expected(number: int, text: str) -> Expected:
    try:
        found = _responses.decode(text)
    except UNREADABLE as error:
        raise _wrong(number, f"it is no answer: {_said(error)}") from None
    result = bytes(found.result)
    if found.error is not None and result in {b"", b"null"}:
        return Expected(code=found.error.code)
    if found.error is None and result:
        return Expected(result=result)
    raise _wrong(number, "the answer needs a result or an error, and not both")


def _said(error: Exception) -> str:
    return "nested beyond reason" if isinstance(error, RecursionError) else str(error)


def _wrong(number: int, text: str) -> VectorError:
    return VectorError(f"line {number}: {text}")
