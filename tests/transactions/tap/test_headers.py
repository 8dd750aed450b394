"""Which headers pass, either way."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from monitor.transactions.tap.headers import back, onward, onward_of_socket


def of(*pairs: tuple[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(pairs)


def test_headers_onward_keep_what_is_the_clients() -> None:
    """Spelling, order and repetition are kept."""
    given = of(
        ("Content-Type", "application/json"),
        ("user-agent", "web3j"),
        ("X-Trace", "1"),
        ("x-trace", "2"),
        ("Accept-Encoding", "gzip"),
        ("Content-Encoding", "gzip"),
        ("Cookie", "a=b"),
    )
    assert list(onward(given).items()) == list(given.items())


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "UPGRADE",
        "Host",
        "Authorization",
        "content-length",
        "Expect",
    ],
)
def test_header_of_one_connection_does_not_go_on(name: str) -> None:
    """RFC 9110, 7.6.1; and host, credentials and length are the node's own."""
    assert list(onward(of((name, "x"), ("Accept", "*/*")))) == ["Accept"]


def test_headers_named_by_connection_do_not_pass() -> None:
    """A connection may name further headers as its own, either way."""
    given = of(("Connection", "close, X-Hop , x-other"), ("X-Hop", "1"), ("X-Other", "2"))
    given["X-Kept"] = "3"
    assert list(onward(given)) == ["X-Kept"]
    assert "X-Hop" not in back(given)
    assert list(onward(of(("Connection", "keep-alive"), ("Keep-Alive", "5"), ("A", "1")))) == ["A"]


def test_headers_of_a_websocket_are_each_sides_own() -> None:
    """The handshake is made anew, everything else goes on."""
    given = of(
        ("Sec-WebSocket-Key", "x"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Extensions", "permessage-deflate"),
        ("Sec-WebSocket-Protocol", "a"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Host", "here"),
        ("Authorization", "Bearer x"),
        ("User-Agent", "geth"),
    )
    assert list(onward_of_socket(given).items()) == [("User-Agent", "geth")]


def test_headers_back_lead_nobody_past_the_tap() -> None:
    """A redirect would take the next send to the node itself, and may show its key."""
    given = of(
        ("Content-Type", "text/html"),
        ("Location", "https://node.example.org/key"),
        ("Alt-Svc", 'h3=":443"'),
        ("Content-Length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
        ("Vary", "Origin"),
    )
    assert list(back(given).items()) == [
        ("Content-Type", "text/html"),
        ("Set-Cookie", "a=b"),
        ("Set-Cookie", "c=d"),
        ("Vary", "Origin"),
        ("Server", "headwatch"),
    ]


def test_header_of_the_nodes_server_is_kept() -> None:
    """The node's own name is passed on."""
    assert back(of(("server", "Kestrel"))).getall("Server") == ["Kestrel"]
