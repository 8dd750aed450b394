"""HTTP as a client: the session, and what goes wrong below HTTP, in words that name no address."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

import aiohttp

BROKEN = (aiohttp.ClientError, OSError, UnicodeError)
"""What an exchange raises below HTTP; UnicodeError is of a host name that cannot be looked up."""


JSON_RPC = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
"""What every JSON-RPC request says of itself. A node next door is faster than its packing."""


def open_session(headers: Mapping[str, str] = JSON_RPC) -> aiohttp.ClientSession:
    """An HTTP session; must be opened and closed inside the running loop.

    Deadlines are the callers'. Nothing is remembered of a server but its address, for a minute.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=16, ttl_dns_cache=60),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={**headers, "User-Agent": "headwatch"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def connection_text(error: Exception) -> str:
    """What went wrong, for a person, from whatever of `BROKEN` was raised."""
    cause: BaseException | None = error
    if isinstance(error, aiohttp.ClientConnectorDNSError | UnicodeError):
        return "the host name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"TLS: {_tls_text(error.certificate_error)}"
    if isinstance(error, aiohttp.ClientSSLError):
        return f"TLS: {_tls_text(error.os_error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before an answer came"
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno).lower()
    name = type(error).__name__
    return f"the exchange broke off ({name})"


def _tls_text(error: Exception) -> str:
    """Why a handshake failed: OpenSSL numbers its errors as it likes, they are no `errno`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {error.verify_message}"
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return (reason or type(error).__name__).replace("_", " ").lower()
