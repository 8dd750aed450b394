"""Unpacks bodies to look inside; what is forwarded is always what came, packed as it was."""

from __future__ import annotations

import zlib

READABLE = frozenset({"identity", "gzip", "x-gzip"})
"""Content codings that can be looked into (RFC 9110, section 8.4.1)."""
GZIP = 16 + zlib.MAX_WBITS
"""zlib: with gzip's header and check sum."""
MEMBERS_MAX = 16
"""Parts of one body, each a gzip of its own: every further one is a copy of what is left."""


class PackedError(ValueError):
    """It cannot be unpacked; one line, in which no byte of it is."""


class UnknownCodingError(PackedError):
    """A coding that is not read here."""


class TooLargeError(PackedError):
    """More than may be, unpacked."""


def unpacked(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """What the body says; `coding` is the whole Content-Encoding, empty for none.

    Raises PackedError for another coding than gzip, for what is not gzip or ends early, and for
    more than `limit_bytes`: a few bytes can unpack to gigabytes.
    """
    named = coding.strip().lower()
    if named and named not in READABLE:
        message = f"content coding {named[:40]!a} is not read here, only gzip"
        raise UnknownCodingError(message)
    if named in {"", "identity"} or not body:
        return body
    parts: list[bytes] = []
    size = 0
    while body:
        if len(parts) == MEMBERS_MAX:
            message = f"its gzip is of more than {MEMBERS_MAX} parts"
            raise PackedError(message)
        # Members one after the other are one body (RFC 1952, section 2.2).
        member = zlib.decompressobj(GZIP)
        try:
            part = member.decompress(body, limit_bytes - size + 1)
        except zlib.error:
            message = "it is not gzip, as its header says"
            raise PackedError(message) from None
        size += len(part)
        if size > limit_bytes:
            message = f"it is larger than {limit_bytes} bytes when unpacked"
            raise TooLargeError(message)
        if not member.eof:
            message = "its gzip ends early"
            raise PackedError(message)
        parts.append(part)
        body = member.unused_data
    return b"".join(parts)
