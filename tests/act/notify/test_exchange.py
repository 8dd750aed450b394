"""One request, against receivers of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from monitor.act.notify.exchange import Answer, Request, send
from monitor.url import Url
from monitor.wire import open_session
from tests.act.notify.conftest import Receive, Receiver

KEY = "s3cr3t-key-of-a-path"
TOKEN = "s3cr3t-token"  # noqa: S105 - of nobody


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session({}) as opened:
        yield opened


async def ask(session: aiohttp.ClientSession, url: str, **more: object) -> Answer:
    request = Request(Url(url), **more)  # type: ignore[arg-type]
    return await send(session, request, deadline_seconds=0.5)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/api/v2/alerts"),
        ("/", "/api/v2/alerts"),
        ("/am", "/am/api/v2/alerts"),
        ("/am/?key=1", "/am/api/v2/alerts"),
    ],
)
async def test_path_is_appended(
    session: aiohttp.ClientSession, receiver: Receiver, path: str, expected: str
) -> None:
    """An Alertmanager may live below a prefix."""
    answer = await ask(session, receiver.url(path), path=("api", "v2", "alerts"), body=b"[]")
    assert answer == Answer(200, "")
    assert (receiver.got[0].method, receiver.got[0].path) == ("POST", expected)


async def test_get_keeps_path_and_query(session: aiohttp.ClientSession, receiver: Receiver) -> None:
    """A heartbeat's key is in them."""
    assert (await ask(session, receiver.url(f"/{KEY}?a=b"))).is_accepted
    assert (receiver.got[0].method, receiver.got[0].path) == ("GET", f"/{KEY}?a=b")


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500])
async def test_problem_names_status_and_no_key(
    session: aiohttp.ClientSession, receiver: Receiver, tmp_path: Path, status: int
) -> None:
    """Also where the receiver echoes what it was sent."""
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    receiver.status, receiver.answer = status, f"bad {KEY} and {TOKEN}"
    answer = await ask(session, receiver.url(f"/{KEY}"), body=b"[]", token_file=file)
    assert answer.status == status
    assert answer.is_reached
    assert f"HTTP {status}" in answer.problem
    assert KEY not in answer.problem
    assert TOKEN not in answer.problem


async def test_redirect_is_reported_and_not_followed(
    session: aiohttp.ClientSession, receive: Receive
) -> None:
    """Whoever moved must be configured anew."""
    here, there = await receive(), await receive()
    here.status, here.location = 302, there.url("/x")
    answer = await ask(session, here.url())
    assert "redirect" in answer.problem
    assert there.got == []


async def test_silence_ends_with_the_deadline(
    session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """What was sent may have been taken."""
    receiver.open.clear()
    answer = await ask(session, receiver.url())
    assert answer == Answer(0, "no answer within 0.5 s")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:1/x", "connection refused"),
        ("http://nobody.invalid/x", "the host name cannot be resolved"),
        ("http://a..b/x", ""),
    ],
)
async def test_unreachable_receiver_has_surely_seen_nothing(
    session: aiohttp.ClientSession, url: str, problem: str
) -> None:
    """That decides whether an end must be told."""
    answer = await send(session, Request(Url(url)), deadline_seconds=5.0)
    assert not answer.is_accepted
    assert not answer.is_reached
    assert problem in answer.problem


async def test_tls_failure_is_said_in_words(
    session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    """A plain port that is dialled with TLS."""
    answer = await ask(session, receiver.url(scheme="https"))
    assert answer.problem.startswith("TLS: ")


async def test_token_replaces_what_the_address_says_of_a_user(
    session: aiohttp.ClientSession, receiver: Receiver, tmp_path: Path
) -> None:
    """Both at once would be refused before anything is sent."""
    file = tmp_path / "token"
    file.write_text(f"  {TOKEN}\n", encoding="utf-8")
    url = f"http://user:pass@127.0.0.1:{receiver.port}/"
    assert (await ask(session, url, body=b"[]", token_file=file)).is_accepted
    assert receiver.got[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert (await ask(session, url, body=b"[]")).is_accepted
    assert receiver.got[1].headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize("text", ["", "two\nlines", "nicht-äscii", None])
async def test_token_file_that_holds_none_is_a_failure(
    session: aiohttp.ClientSession, receiver: Receiver, tmp_path: Path, text: str | None
) -> None:
    """Nothing is sent without it, and the file's text is not shown."""
    file = tmp_path / "token"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    answer = await ask(session, receiver.url(), body=b"[]", token_file=file)
    assert answer.problem.startswith("the token file cannot be used")
    assert not answer.is_reached
    assert receiver.got == []
