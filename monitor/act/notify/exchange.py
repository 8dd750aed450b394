"""One HTTP request to somebody who is told, and what came of it, in words that hold no key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from monitor.url import Url
from monitor.wire import BROKEN, connection_text

ANSWER_BYTES_MAX = 4_096
UNSENT = (*BROKEN, ValueError)
"""What an exchange raises below HTTP; ValueError is of a URL or a header that cannot be sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request."""

    status: int
    """0 where there was none."""
    problem: str
    """One line for a person; empty where it was accepted."""
    is_reached: bool = True
    """Whether the receiver may have seen it."""

    @property
    def is_accepted(self) -> bool:
        return not self.problem


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whom."""

    url: Url
    """Its secrets are kept out of every word."""
    path: tuple[str, ...] = ()
    """Appended to the path of `url`, whose query is then left out."""
    body: bytes | None = None
    """JSON, posted; without one it is a GET."""
    token_file: Path | None = None
    """Read for each request, so that a token may be renewed."""
    headers: Mapping[str, str] = field(default_factory=dict)


async def send(
    session: aiohttp.ClientSession, request: Request, *, deadline_seconds: float
) -> Answer:
    """Ask once, within the deadline. Redirects are not followed: a token would go along."""
    try:
        async with asyncio.timeout(deadline_seconds):
            try:
                headers = await _headers(request)
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or "it holds no token of one printable line"
                return Answer(0, f"the token file cannot be used: {why}", is_reached=False)
            return await _exchange(session, request, headers)
    except TimeoutError:
        return Answer(0, f"no answer within {deadline_seconds:g} s")
    except UNSENT as error:
        is_reached = not isinstance(error, aiohttp.ClientConnectorError | ValueError)
        return Answer(0, connection_text(error), is_reached=is_reached)


async def _headers(request: Request) -> dict[str, str]:
    """Raises OSError, and ValueError for a file that holds no token."""
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    if request.token_file is not None:
        token = (await asyncio.to_thread(request.token_file.read_text, "utf-8")).strip()
        if not token.isascii() or not token.isprintable() or not token:
            raise ValueError
        headers["Authorization"] = f"Bearer {token}"
    return headers


async def _exchange(
    session: aiohttp.ClientSession, request: Request, headers: Mapping[str, str]
) -> Answer:
    url = URL(request.url.reveal())
    for part in request.path:
        url /= part
    if "Authorization" in headers:
        url = url.with_user(None)
    method = "GET" if request.body is None else "POST"
    async with session.request(
        method, url, data=request.body, headers=headers, allow_redirects=False
    ) as response:
        said = await response.content.read(ANSWER_BYTES_MAX)
        if HTTPStatus(200) <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            return Answer(response.status, "")
        problem = f"answered with HTTP {response.status}"
        if response.status < HTTPStatus.BAD_REQUEST:
            problem += ", a redirect, which is not followed: configure the address it leads to"
        else:
            words = request.url.scrub(said.decode("utf-8", "replace"))
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            words = words.replace(token, "***") if token else words
            problem += f": {words}" if words else ""
        return Answer(response.status, problem)
