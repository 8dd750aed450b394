"""HTTP as a client: what a session keeps of nobody, and the words for what goes wrong below it."""

from __future__ import annotations

import errno
import ssl
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from monitor.wire import BROKEN, connection_text, open_session

KEY: Any = SimpleNamespace(host="secret.example", port=443, is_ssl=True, ssl=True)
"""Stands for aiohttp's connection key, from which its own texts take the address."""


def _expired() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "certificate has expired"
    return error


def _wrong_version() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(errno.ECONNREFUSED, "x")),
            "connection refused",
        ),
        (
            aiohttp.ClientConnectorError(KEY, OSError(errno.EHOSTUNREACH, "secret.example")),
            "no route to host",
        ),
        (
            aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "secret.example")),
            "the host name cannot be resolved",
        ),
        (UnicodeError("label empty or too long"), "the host name cannot be resolved"),
        (
            aiohttp.ClientConnectorCertificateError(KEY, _expired()),
            "TLS: certificate not trusted: certificate has expired",
        ),
        (aiohttp.ClientConnectorSSLError(KEY, _wrong_version()), "TLS: wrong version number"),
        (aiohttp.ClientConnectorSSLError(KEY, OSError(1, "?")), "TLS: permissionerror"),
        (aiohttp.ServerDisconnectedError(), "the connection was closed before an answer came"),
        (ConnectionResetError(errno.ECONNRESET, "x"), "connection reset by peer"),
        (OSError("https://secret.example/"), "the exchange broke off (OSError)"),
        (
            aiohttp.ClientPayloadError("https://secret.example/"),
            "the exchange broke off (ClientPayloadError)",
        ),
        (
            aiohttp.InvalidURL("https://secret.example/"),
            "the exchange broke off (InvalidURL)",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_connection_text_says_what_happened_and_not_where(error: Exception, text: str) -> None:
    """Each way to break has its words, and none of them names the address."""
    assert isinstance(error, BROKEN)
    assert connection_text(error) == text


async def test_session_says_of_itself_what_it_is_told_and_no_more() -> None:
    """A heartbeat is no JSON-RPC request, and nobody's cookie is sent to anybody."""
    async with open_session() as calls, open_session({}) as plain:
        assert calls.headers["Content-Type"] == "application/json"
        assert set(plain.headers) == {"User-Agent"}
        plain.cookie_jar.update_cookies({"a": "b"})
        assert len(plain.cookie_jar) == 0
