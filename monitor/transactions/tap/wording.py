"""What the tap itself says to a client, in one line, and never with the node's URL."""

from __future__ import annotations

from aiohttp import web

from monitor.transactions.tap.reading import error_answer

NAME = "headwatch tap"
OPEN = "whether it has the transaction is unknown"
NOT_ENTERED = "not forwarded, because the journal cannot be written: {error}"
NOT_ENTERED_OPEN = NOT_ENTERED + "; whether it will be sent is unknown"
NOT_WRITTEN = (
    "what came of it cannot be written into the journal; whether it will be sent again is unknown"
)
NOTIFIED = "it was sent as a notification, without an id"
MESSAGE_CHARACTERS_MAX = 500
"""Of a node's error, as it is written down."""
OK, BAD_GATEWAY = 200, 502


def ours(message: str) -> str:
    """A message that says whose it is."""
    return f"{NAME}: {message}"


def problem(status: int, message: str, body: bytes = b"") -> web.Response:
    """An answer of ours to every call in a body."""
    said = error_answer(body, ours(message))
    headers = {"Content-Type": "application/json", "Server": "headwatch"}
    return web.Response(status=status, body=said, headers=headers)
