"""Requests in, answers out: what all routes read and write in the same way."""

from __future__ import annotations

import gzip
import hmac
import ipaddress
import json
from dataclasses import dataclass

from aiohttp import web

PARAMETER_CHARACTERS_MAX = 200
GZIP_LEVEL = 1
"""The least effort: pages shrink to a fifth or less, and somebody is waiting."""
PACKED_BYTES_MIN = 1024
"""What is smaller travels in one piece anyway."""
NOT_FROM_HERE = (
    "without http.token_file only a program on this machine may do this, "
    "asking localhost and through no proxy"
)


@dataclass(frozen=True, slots=True)
class Packed:
    """One answer, both ways a client may take it."""

    body: bytes
    packed: bytes
    """The same, gzip."""
    content_type: str
    """With its charset."""

    @classmethod
    def of(cls, body: bytes, content_type: str) -> Packed:
        return cls(body, gzip.compress(body, GZIP_LEVEL, mtime=0), content_type)


def packed_answer(
    request: web.Request, page: Packed, *, vary: str = "Accept-Encoding", keep_seconds: int = 0
) -> web.Response:
    """The page as the client takes it; 0 seconds: it may not be kept."""
    headers = {"Content-Type": page.content_type, "Vary": vary}
    if keep_seconds:
        headers["Cache-Control"] = f"public, max-age={keep_seconds}"
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=page.body, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return web.Response(body=page.packed, headers=headers)


def json_answer(
    document: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A document as JSON, indented: people read it too."""
    text = json.dumps(document, indent=2, allow_nan=False) + "\n"
    return web.Response(text=text, status=status, headers=headers, content_type="application/json")


def packed_json(request: web.Request, document: object) -> web.Response:
    """A document that may be long: one value a line would double it, and gzip makes it small."""
    body = json.dumps(document, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    if len(body) < PACKED_BYTES_MIN:
        return web.Response(body=body, headers={"Content-Type": "application/json"})
    return packed_answer(request, Packed.of(body, "application/json"))


def problem(sentence: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    """What is wrong, in one sentence, as JSON."""
    return json_answer({"error": sentence}, status, headers)


def parameter(request: web.Request, name: str) -> str | None:
    """A query parameter. Raises HTTPBadRequest when it is given twice or is too long."""
    values = request.query.getall(name, [])
    if len(values) > 1 or any(len(value) > PARAMETER_CHARACTERS_MAX for value in values):
        raise web.HTTPBadRequest(
            reason=f"{name}: expected once, of at most {PARAMETER_CHARACTERS_MAX} characters"
        )
    return values[0] if values else None


def whole(request: web.Request, name: str, unit: str, default: int, most: int) -> int:
    """A query parameter that is a whole number from 0 to `most`. Raises HTTPBadRequest."""
    text = parameter(request, name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise web.HTTPBadRequest(reason=f"{name}: expected {unit} from 0 to {most}")
    return int(text)


def bears(request: web.Request, token: str) -> bool:
    """Whether the request carries the token; takes as long whether it nearly does or not."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return same and scheme.lower() == "bearer"


def not_allowed(request: web.Request, token: str | None) -> web.Response | None:
    """Why this request may not change anything; None when it may.

    With a token, whoever bears it may. Without one any page that is open in a browser on this
    machine could ask, so a request that a browser made for another site may not.
    """
    if token is not None:
        if not bears(request, token):
            return problem("expected a bearer token", 401, {"WWW-Authenticate": "Bearer"})
    elif request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        return problem("not from another site", 403)
    return None


def refused(request: web.Request, token: str | None) -> web.Response | None:
    """As `not_allowed`; and without a token only programs on this machine may."""
    refusal = not_allowed(request, token)
    if refusal is None and token is None and not is_from_here(request):
        return problem(NOT_FROM_HERE, 403)
    return refusal


def is_from_here(request: web.Request) -> bool:
    """Whether a program on this machine asks, by an address that no name server could lend.

    A name in `Host` may be another site's that now points here, and a proxy's request is that of
    whoever stands behind it.
    """
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    # Not `request.host`, which would ask for this machine's name where the header is missing.
    named = request.headers.get("Host", "")
    host = named if named.endswith("]") else named.rsplit(":", 1)[0]
    return _is_loopback(request.remote or "") and (
        host == "localhost" or _is_loopback(host.strip("[]"))
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
