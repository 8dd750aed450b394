from __future__ import annotations

import gzip
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from monitor.act.answers import (
    PACKED_BYTES_MIN,
    Packed,
    bears,
    is_from_here,
    packed_answer,
    packed_json,
    parameter,
    refused,
    whole,
)


def request(path: str = "/", remote: str = "127.0.0.1", **headers: str) -> web.Request:
    """A request as aiohttp would make it of these bytes."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    named.setdefault("Host", "127.0.0.1:9845")
    transport = Mock()
    transport.get_extra_info.side_effect = lambda name, default=None: (
        (remote, 50_000) if name == "peername" else default
    )
    return make_mocked_request("GET", path, headers=named, transport=transport)


@pytest.mark.parametrize(
    ("remote", "host", "is_here"),
    [
        ("127.0.0.1", "127.0.0.1:9845", True),
        ("127.0.0.1", "localhost:9845", True),
        ("127.0.0.1", "localhost", True),
        ("::1", "[::1]:9845", True),
        ("::1", "[::1]", True),
        ("127.0.0.9", "127.0.0.9:80", True),
        ("127.0.0.1", "evil.example.org:9845", False),
        ("127.0.0.1", "localhost.example.org", False),
        ("127.0.0.1", "10.0.0.7:9845", False),
        ("10.0.0.7", "127.0.0.1:9845", False),
        ("10.0.0.7", "localhost", False),
    ],
)
def test_request_is_from_here_by_both_ends(remote: str, host: str, is_here: bool) -> None:
    """The client is on this machine, and asked for it by a name that nobody else could lend."""
    assert is_from_here(request(remote=remote, Host=host)) is is_here


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded"])
def test_request_through_a_proxy_is_not_from_here(header: str) -> None:
    """A proxy on this machine asks for somebody who may be anywhere."""
    assert not is_from_here(request(**{header: "for=198.51.100.7"}))


@pytest.mark.parametrize(
    ("given", "is_right"),
    [("Bearer the-token", True), ("bearer  the-token ", True), ("Bearer the", False), ("", False)],
)
def test_token_is_borne_or_not(given: str, is_right: bool) -> None:
    """The scheme in any case, the token to the letter."""
    assert bears(request(Authorization=given), "the-token") is is_right


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (None, {}, None),
        (None, {"Sec_Fetch_Site": "cross-site"}, 403),
        (None, {"Host": "evil.example.org"}, 403),
        (None, {"X_Forwarded_For": "198.51.100.7"}, 403),
        (None, {"Authorization": "Bearer the-token", "Host": "evil.example.org"}, 403),
        ("the-token", {}, 401),
        ("the-token", {"Authorization": "Bearer another"}, 401),
        ("the-token", {"Authorization": "Bearer the-token", "Host": "evil.example.org"}, None),
    ],
)
def test_who_may_change_something_bears_the_token_or_is_here(
    token: str | None, headers: dict[str, str], status: int | None
) -> None:
    """With a token, its bearer, from anywhere; without one, programs on this machine."""
    refusal = refused(request(**headers), token)
    assert (None if refusal is None else refusal.status) == status


def test_parameters_are_read_once_and_within_limits() -> None:
    """Nothing is guessed from a parameter that is given twice or is no number in range."""
    assert parameter(request("/?a=1"), "a") == "1"
    assert parameter(request("/"), "a") is None
    assert whole(request("/"), "n", "things", 7, 10) == 7
    assert whole(request("/?n=0"), "n", "things", 7, 10) == 0
    assert whole(request("/?n=10"), "n", "things", 7, 10) == 10
    for query in ("n=11", "n=-1", "n=1.5", "n=٣", "n=1&n=2"):
        with pytest.raises(web.HTTPBadRequest):
            whole(request(f"/?{query}"), "n", "things", 7, 10)


def test_answer_travels_as_the_client_takes_it() -> None:
    """Packed for who unpacks, plain for who does not, and caches know that there are two."""
    page = Packed.of(b"x" * 5000, "text/html; charset=utf-8")
    plain = packed_answer(request(), page)
    packed = packed_answer(request(Accept_Encoding="br, gzip"), page, keep_seconds=60)
    assert plain.body == b"x" * 5000
    assert gzip.decompress(packed.body) == plain.body  # type: ignore[arg-type]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Cache-Control"] == "public, max-age=60"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def test_json_that_is_short_is_not_packed() -> None:
    """Packing what fits into one packet would cost and bring nothing."""
    asked = request(Accept_Encoding="gzip")
    assert "Content-Encoding" not in packed_json(asked, {"a": 1}).headers
    long = packed_json(asked, {"a": "b" * PACKED_BYTES_MIN})
    assert long.headers["Content-Encoding"] == "gzip"


def test_json_never_holds_what_json_has_no_word_for() -> None:
    """A NaN would make the whole document unreadable to everybody else."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        packed_json(request(), {"a": float("nan")})
