"""Which headers pass through, either way: all but those of one connection (RFC 9110, 7.6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from multidict import CIMultiDict

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
OURS_ONWARD = HOP_BY_HOP | {"host", "authorization", "content-length", "expect"}
"""Written anew for the node: its own name, its own credentials, the length of what is sent."""
OURS_BACK = HOP_BY_HOP | {"content-length", "location", "alt-svc"}
"""The last two would lead a client past the tap, and may hold the node's URL with its key."""
HANDSHAKE = frozenset(
    {
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-version",
    }
)
"""Each side of a websocket has its own (RFC 6455, section 4)."""


def onward(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """A client's headers, as the node gets them."""
    return _without(headers, OURS_ONWARD)


def onward_of_socket(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The same of a websocket's opening."""
    return _without(headers, OURS_ONWARD | HANDSHAKE)


def back(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """A node's headers, as the client gets them."""
    kept = _without(headers, OURS_BACK)
    # Else the library writes its own.
    kept.setdefault("Server", "headwatch")
    return kept


def _without(headers: Mapping[str, str], dropped: frozenset[str]) -> CIMultiDict[str]:
    named = headers.get("Connection", "")
    if named and named.lower() not in {"keep-alive", "close"}:
        dropped |= {name.strip().lower() for name in named.split(",")}
    pairs: Iterable[tuple[str, str]] = headers.items()
    return CIMultiDict((name, value) for name, value in pairs if name.lower() not in dropped)
