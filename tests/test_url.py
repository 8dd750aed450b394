"""What a URL never shows."""

from __future__ import annotations

import base64
import traceback
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.url import SECRET_LENGTH_MIN, Url, masked

HOST = "rpc.example.org"
secrets = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_characters="*…"),
    min_size=SECRET_LENGTH_MIN,
    max_size=40,
)
PLACES = (
    "https://{host}/v3/{secret}",
    "https://{host}/{secret}/eth",
    "https://{host}:8545/rpc?apikey={secret}",
    "https://{host}/rpc?a=1&{secret}",
    "https://{host}/?x={secret}&y=2",
    "wss://{secret}@{host}/ws",
    "ws://user:{secret}@{host}:8546",
    "http://{secret}:word@{host}",
    "https://{host}/#{secret}",
)


@pytest.mark.parametrize(
    ("text", "shown", "origin"),
    [
        ("http://node.example", "http://node.example:80", "node.example:80"),
        ("https://Node.Example/", "https://node.example:443", "node.example:443"),
        ("ws://10.0.0.1:8546", "ws://10.0.0.1:8546", "10.0.0.1:8546"),
        ("wss://node.example/ws", "wss://node.example:443/***", "node.example:443"),
        ("http://[::1]:8545", "http://[::1]:8545", "[::1]:8545"),
        ("http://u@node.example", "http://node.example:80/***", "node.example:80"),
        ("http://u:p@node.example", "http://node.example:80/***", "node.example:80"),
        ("http://:p@node.example", "http://node.example:80/***", "node.example:80"),
        ("http://node.example?k=v", "http://node.example:80/***", "node.example:80"),
    ],
)
def test_url_shown_is_scheme_host_and_port(text: str, shown: str, origin: str) -> None:
    """Nothing else of a URL is ever shown; that there is more is."""
    url = Url(text)
    assert (str(url), repr(url), url.origin) == (shown, f"Url({shown})", origin)
    assert f"{url}" == shown
    assert url.reveal() == text
    assert url.scheme == text.split(":", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://[::1/s3cr3t", "not a URL"),
        ("http://node.example:s3cr3t/", "not a URL"),
        ("http://node.example:65536/s3cr3t", "not a URL"),
        ("ftp://node.example/s3cr3t", "expected http://, https://, ws:// or wss://"),
        ("s3cr3t", "expected http://, https://, ws:// or wss://"),
        ("http:///s3cr3t", "the URL names no host"),
        ("http://node.example:0/s3cr3t", "port 0 cannot be dialled"),
    ],
)
def test_url_that_cannot_be_dialled_is_refused_without_repeating_it(
    text: str, message: str
) -> None:
    """The error says what is wrong and repeats no part of the URL, not even in its traceback."""
    with pytest.raises(ValueError, match=f"^{message}$") as raised:
        Url(text)
    told = "".join(traceback.format_exception(raised.value))
    told = "\n".join(line for line in told.splitlines() if not line.startswith("    "))
    assert "s3cr3t" not in told
    assert "node.example" not in told


def test_url_equality_is_that_of_the_whole_text() -> None:
    """Two keys at one host are two URLs; a text is no URL."""
    one, same, other = (Url(f"https://{HOST}/{key}") for key in ("k1", "k1", "k2"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != one.reveal()


@pytest.mark.parametrize("place", PLACES)
@given(secret=secrets, before=st.text(max_size=20), after=st.text(max_size=20))
def test_url_with_a_secret_anywhere_never_shows_it(
    place: str, secret: str, before: str, after: str
) -> None:
    """No part of path, query, user or fragment survives str, repr or scrub, encoded or not."""
    raw = quote(secret, safe="")
    url = Url(place.format(host=HOST, secret=raw))
    shown = str(url)
    for form in (raw, secret):
        assume(form not in shown)
        assert form not in repr(url)
        scrubbed = url.scrub(f"{before}{form}{after}", limit=1000)
        assert form not in scrubbed
        assert raw not in scrubbed
        assert form not in url.scrub(f"{url.reveal()} said {form}")


@pytest.mark.parametrize(("key", "survives"), [("abc", True), ("abcd", False), ("abcde", False)])
def test_scrub_of_a_short_word_leaves_it(key: str, *, survives: bool) -> None:
    """Parts under four characters are words: hiding them would take sentences with them."""
    assert (key in Url(f"https://{HOST}/{key}").scrub(f"no {key} here")) is survives


def test_scrub_of_one_secret_within_another_hides_both() -> None:
    """The longer one goes first, so that no rest of it stays."""
    url = Url(f"https://{HOST}/abcd/abcdefgh")
    assert url.scrub("abcdefgh abcd") == "*** ***"


def test_scrub_of_a_text_that_spells_the_key_across_lines_hides_it() -> None:
    """Joining lines does not put together what was apart."""
    url = Url(f"https://{HOST}/?k=open%20sesame")
    assert url.scrub("said open\n\tsesame") == "said ***"


def test_scrub_of_a_text_keeps_one_printable_line() -> None:
    """Whatever a node answers fits into a log line."""
    assert Url(f"https://{HOST}").scrub("a\x00b\n c\r\n\x1b[31md") == "a b c [31md"


@pytest.mark.parametrize(("length", "kept"), [(9, 9), (10, 10), (11, 10)])
def test_scrub_of_a_long_text_is_cut_at_the_limit(length: int, kept: int) -> None:
    """The limit is the length of what is kept, the sign of the cut included."""
    scrubbed = Url(f"https://{HOST}").scrub("x" * length, limit=10)
    assert len(scrubbed) == kept
    assert scrubbed.endswith("…") is (length > kept)


def test_scrub_hides_the_user_part_as_an_authorization_header_shows_it() -> None:
    """The base64 of user and password is as good as both."""
    url = Url("https://user:pa55word@example.org/")
    header = base64.b64encode(b"user:pa55word").decode()
    assert header not in url.scrub(f"refused: Authorization: Basic {header}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invalid choice: 'http://h/v3/k3y' (choose from a, b)", "'http://h:80/***' (choose"),
        ("unrecognized arguments: --node=https://h/k3y?a=k3y --x", "--node=https://h:443/*** --x"),
        (
            "two: wss://u:k3y@h.example and ws://h/k3y.",
            "two: wss://h.example:443/*** and ws://h:80/***.",
        ),
        ("found ftp://h/k3y", "found ftp://***"),
        ("found json+http://:k3y@h.example/", "json+http://h.example:80/***"),
        ("found ://k3y", "found ://***"),
        ("found http:// k3y-less", "found http:// k3y-less"),
        ("expected http:// or https://, found x", "expected http:// or https://, found x"),
        ("such as slack://… or more", "such as slack://… or more"),
        ("http://[::1]:8545: connection refused", "http://[::1]:8545: connection refused"),
        ("line\nhttp://h:1/k3y\nline", "line\nhttp://h:1/***\nline"),
        ("http://h:1/***: no answer", "http://h:1/***: no answer"),
    ],
)
def test_masked_sentence_holds_no_key(text: str, shown: str) -> None:
    """What was typed in the wrong place is repeated, and its key is not."""
    assert shown in masked(text)
    assert "k3y" not in masked(text).replace("k3y-less", "")
    assert masked(masked(text)) == masked(text)
