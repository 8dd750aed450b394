"""Who may use the tap: whoever bears the token, or, without one, no page in a browser.

A tap on 127.0.0.1 is open to every program of the machine, and so to every page that a browser
there shows: a page may post to any address, and by DNS rebinding a name of its own may come to mean
127.0.0.1. Browsers name the page in `Origin` and the name in `Host`, and cannot do otherwise.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

UNAUTHORIZED, FORBIDDEN = 401, 403


@dataclass(frozen=True, slots=True)
class Door:
    """What a request must carry."""

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    """Names beside `localhost` and addresses under which the tap may be asked, in lower case."""

    def refusal(self, headers: Mapping[str, str]) -> tuple[int, str] | None:
        """HTTP status and reason for which this request may not pass; None where it may."""
        if self.token is not None:
            return None if self._bears(headers) else (UNAUTHORIZED, "expected its bearer token")
        if "Origin" in headers or headers.get("Sec-Fetch-Site", "none") != "none":
            return FORBIDDEN, "not from a page in a browser, unless a token is configured"
        if not self._is_ours(headers.get("Host", "")):
            return FORBIDDEN, "asked under a name that is not configured: use the address"
        return None

    def _bears(self, headers: Mapping[str, str]) -> bool:
        """Takes as long whether it nearly does or not."""
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        token = (self.token or "").encode()
        same = hmac.compare_digest(given.strip().encode(errors="replace"), token)
        return same and scheme.lower() == "bearer"

    def _is_ours(self, named: str) -> bool:
        # What sends no name is no browser.
        host = named if named.endswith("]") or ":" not in named else named.rsplit(":", 1)[0]
        host = host.strip("[]").rstrip(".").lower()
        return host in {"", "localhost"} or host in self.hosts or _is_address(host)


@lru_cache(maxsize=64)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
