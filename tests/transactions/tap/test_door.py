"""Who may use the tap."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from monitor.transactions.tap.door import Door

BEARER = "a-token-of-the-operator"
OPEN = Door(hosts=frozenset({"headwatch"}))
LOCKED = Door(BEARER)


def of(**headers: str) -> CIMultiDict[str]:
    """Headers; an underscore stands for a hyphen."""
    return CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})


def status(door: Door, headers: CIMultiDict[str]) -> int | None:
    refused = door.refusal(headers)
    return None if refused is None else refused[0]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8547",
        "10.0.0.7:8547",
        "[::1]",
        "[::1]:8547",
        "[fe80::1%25eth0]:1",
        "localhost",
        "LocalHost:8547",
        "localhost.",
        "headwatch",
        "HEADWATCH:8547",
        "",
    ],
)
def test_host_that_no_name_server_could_lend_may_pass(host: str) -> None:
    """Addresses, localhost and configured names; and what sends no name is no browser."""
    assert OPEN.refusal(of(Host=host)) is None
    assert OPEN.refusal(of()) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org",
        "evil.example.org:8547",
        "127.0.0.1.example.org",
        "localhost.example.org",
        "headwatch.example.org",
        "127.1",
        "0x7f000001",
        "localhost:8547:x",
        "[evil]",
        "a@localhost",
    ],
)
def test_host_that_may_be_anybodys_is_refused(host: str) -> None:
    """A name that now points here is how a page gets past the browser's rules."""
    assert status(OPEN, of(Host=host)) == 403


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://127.0.0.1", ""])
def test_request_of_a_page_is_refused_without_a_token(origin: str) -> None:
    """Whatever origin: no page may send, not even one of this machine."""
    assert status(OPEN, of(Host="127.0.0.1", Origin=origin)) == 403


@pytest.mark.parametrize(
    ("site", "passes"), [("none", True), ("cross-site", False), ("same-origin", False)]
)
def test_request_that_a_browser_made_is_refused_without_a_token(site: str, *, passes: bool) -> None:
    """Some requests of pages have no Origin, but say where they come from."""
    refused = OPEN.refusal(of(Host="127.0.0.1", Sec_Fetch_Site=site))
    assert (refused is None) is passes


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_bearer_of_the_token_may_pass_from_anywhere(scheme: str) -> None:
    """A page that has the token was given it."""
    given = of(
        Authorization=f"{scheme} {BEARER}", Origin="https://a.example.org", Host="a.example.org"
    )
    assert LOCKED.refusal(given) is None
    assert LOCKED.refusal(of(Authorization=f"{scheme}  {BEARER} ")) is None


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        BEARER,
        f"Basic {BEARER}",
        f"Bearer {BEARER[:-1]}",
        f"Bearer {BEARER}x",
        f"Bearer {BEARER} {BEARER}",
        "Bearer \udcff",
        "Bearer é",
    ],
)
def test_request_without_the_token_is_refused_where_there_is_one(given: str | None) -> None:
    """Also from this machine: a token is for everybody."""
    headers = of(Host="127.0.0.1")
    if given is not None:
        headers["Authorization"] = given
    assert status(LOCKED, headers) == 401


def test_refusal_names_neither_token_nor_what_was_given() -> None:
    """A refusal is told to whoever asks."""
    refused = LOCKED.refusal(of(Authorization="Bearer wrong-secret"))
    assert refused is not None
    assert BEARER not in refused[1]
    assert "wrong-secret" not in refused[1]
