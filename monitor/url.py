"""URLs that carry keys, and how they are shown: never whole. Standard library only."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote, unquote_plus, urlsplit

SECRET_LENGTH_MIN = 4
"""Shorter parts of a URL are words, not keys, and would take whole sentences with them."""

_WRITTEN = re.compile(r"(?<!\w)(\w*)://(\S*?)(?=['\",;:.…)>]*(?:\s|$))")
"""What may be a URL in a sentence: without the quote or the full stop behind it."""


class Url:
    """An RPC URL: `str()` and `repr()` mask it, `reveal()` is for the client that dials it.

    Providers put the key into the path, the query or the user part, so nothing but scheme, host
    and port is ever shown.
    """

    __slots__ = ("_parts", "_secrets", "_text")

    def __init__(self, text: str) -> None:
        """Raises ValueError, with a text that repeats no part of the URL."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            message = "not a URL"
            raise ValueError(message) from None
        if parts.scheme not in {"http", "https", "ws", "wss"}:
            message = "expected http://, https://, ws:// or wss://"
            raise ValueError(message)
        if not parts.hostname:
            message = "the URL names no host"
            raise ValueError(message)
        if port == 0:
            message = "port 0 cannot be dialled"
            raise ValueError(message)
        self._text = text
        self._parts = parts
        self._secrets = self._find_secrets()

    def reveal(self) -> str:
        return self._text

    @property
    def scheme(self) -> str:
        return self._parts.scheme

    @property
    def origin(self) -> str:
        """Host and port: the default operator of a reference."""
        default = 443 if self.scheme in {"https", "wss"} else 80
        host = self._parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        return f"{host}:{self._parts.port or default}"

    def _find_secrets(self) -> tuple[str, ...]:
        """Every part that may be a key, as written and decoded, the longest first."""
        parts = self._parts
        pairs = (pair.partition("=") for pair in parts.query.split("&"))
        written = [
            self._text,
            *(parts.path.strip("/"), *parts.path.split("/")),
            *(parts.query, *(value or name for name, _, value in pairs)),
            *(parts.username or "", parts.password or "", parts.fragment),
        ]
        decoded = [decode(part) for decode in (unquote, unquote_plus) for part in written]
        if parts.username:
            # As a gateway that echoes the Authorization header would show them (RFC 7617).
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            decoded.append(base64.b64encode(pair.encode()).decode())
        words = {part for part in written + decoded if len(part) >= SECRET_LENGTH_MIN}
        return tuple(sorted(words, key=len, reverse=True))

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def scrub(self, text: str, limit: int = 200) -> str:
        """`text` on one line, without any part of this URL that may be a key, cut at `limit`.

        A provider's error may echo the key that was used.
        """
        text = self._masked(text)
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        # Once more: lines that were joined may spell what none of them did.
        text = self._masked(text)
        return text if len(text) <= limit else text[: limit - 1] + "…"

    def __str__(self) -> str:
        parts = self._parts
        more = parts.path.strip("/") or parts.query or parts.username or parts.password
        return f"{self.scheme}://{self.origin}" + ("/***" if more else "")

    def __repr__(self) -> str:
        return f"Url({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Url) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


def masked(text: str) -> str:
    """`text` with every URL in it as `Url` shows it; of one that is none of ours, the scheme."""
    return _WRITTEN.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    if not found[2]:
        return found[0]  # `https://` alone: a sentence about URLs.
    try:
        return str(Url(found[0]))
    except ValueError:
        return f"{found[1]}://***"
