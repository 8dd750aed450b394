"""The HTTP session, and what goes wrong below JSON-RPC, in words that name no address."""

from __future__ import annotations

import os
import ssl

import aiohttp

BROKEN = (aiohttp.ClientError, OSError, UnicodeError)
"""What an exchange raises below HTTP; UnicodeError is of a host name that cannot be looked up."""


def open_session() -> aiohttp.ClientSession:
    """The one HTTP session of a process; must be opened and closed inside the running loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=16, ttl_dns_cache=60),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "headwatch",
        },
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
