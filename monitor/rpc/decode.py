"""Strict at the edge: bytes in, frozen values out; a missing field is an error, not a default.

Past this file there is no dict and no `Any`. msgspec decodes only the fields that are declared
here, so that the hashes of a block's transactions cost nothing.
"""

from __future__ import annotations

import contextlib
from typing import Annotated

import msgspec

from monitor.model import BlockNumber, Hash32, Head

Quantity = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{1,64}\Z")]
"""A number as execution-apis write it; leading zeros, which several clients send, are tolerated."""
HexHash = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{64}\Z")]


class RawHeader(msgspec.Struct, rename="camel", frozen=True):
    """The fields of a block object that are needed (execution-apis, `Block`)."""

    number: Quantity
    hash: HexHash
    parent_hash: HexHash
    timestamp: Quantity

    def head(self) -> Head:
        return Head(
            number=BlockNumber(int(self.number, 16)),
            hash=Hash32(self.hash.lower()),
            parent_hash=Hash32(self.parent_hash.lower()),
            timestamp=int(self.timestamp, 16),
        )


class RawError(msgspec.Struct, frozen=True):
    """An error object. ganache leaves out the code, some proxies the message."""

    code: int = 0
    message: str = ""


class RawAnswer(msgspec.Struct, frozen=True):
    """One JSON-RPC response; which of the two fields came is decided by its reader."""

    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: RawError | str | None = None
    """A plain string is against the specification, and what some proxies send."""


class RawNotice(msgspec.Struct, frozen=True):
    """A websocket message: the answer to `eth_subscribe`, or a notification of it."""

    id: int | None = None
    result: str | None = None
    error: RawError | None = None
    params: RawParams | None = None


class RawParams(msgspec.Struct, frozen=True):
    """What a notification carries (go-ethereum, RPC pub/sub)."""

    subscription: str
    result: RawHeader


answers: msgspec.json.Decoder[list[RawAnswer] | RawAnswer] = msgspec.json.Decoder(
    list[RawAnswer] | RawAnswer
)
header: msgspec.json.Decoder[RawHeader | None] = msgspec.json.Decoder(RawHeader | None)
quantity: msgspec.json.Decoder[str] = msgspec.json.Decoder(Quantity)
text: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
notice: msgspec.json.Decoder[RawNotice] = msgspec.json.Decoder(RawNotice)
encode = msgspec.json.Encoder().encode
_entries: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_entry: msgspec.json.Decoder[RawAnswer] = msgspec.json.Decoder(RawAnswer)


def read_answers(body: bytes) -> list[RawAnswer] | RawAnswer:
    """The responses in a body, or the one that came alone.

    An entry of a batch that is no response (null, an error with a code in words) is left out, so
    that only its own call goes without. Raises what msgspec raises when the body is neither.
    """
    try:
        return answers.decode(body)
    except msgspec.ValidationError:
        if not body.lstrip().startswith(b"["):
            raise
    read = []
    for entry in _entries.decode(body):
        with contextlib.suppress(msgspec.ValidationError):
            read.append(_entry.decode(entry))
    return read
