"""Lists of releases and advisories, in the formats of those who publish them."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from monitor.releases.decode import ITEMS_COUNT_MAX, MalformedFeed, advisories_of, releases_of
from tests.releases.atom import ADVISORY, atom, release

AT = "2026-11-03T11:01:02Z"
SECONDS = datetime.datetime(2026, 11, 3, 11, 1, 2, tzinfo=datetime.UTC).timestamp()


def test_atom_names_finished_releases_and_when() -> None:
    """A pre-release is known by its tag; one that is no version is left out; tags hold slashes."""
    body = atom({"v1.16.7": AT, "v1.17.0-rc1": AT, "nightly-1": AT, "op-node/v1.2": AT})
    found = releases_of(body)
    assert [(one.name, one.at) for one in found] == [
        ("v1.16.7", SECONDS),
        ("op-node/v1.2", SECONDS),
    ]
    assert found[0].version.numbers == (1, 16, 7, 0)


def test_atom_prefers_when_it_was_published() -> None:
    """An edit of the notes makes no release younger."""
    body = atom({"v1.0.0": "2026-11-20T00:00:00Z"})
    body = body.replace(
        b"    <updated>", f"    <published>{AT}</published>\n    <updated>".encode()
    )
    assert releases_of(body)[0].at == SECONDS


def test_api_names_finished_releases_and_when() -> None:
    """Drafts and pre-releases say so themselves; what is not read may be anything."""
    body = [
        release("v1.16.7", AT),
        release("v1.16.6", AT, prerelease=True),
        release("v1.16.5", None, draft=True),
        release("v1.16.4", None),
        release("latest", AT),
    ]
    found = releases_of(b" \n" + json.dumps(body).encode())
    assert [(one.name, one.at) for one in found] == [("v1.16.7", SECONDS)]


LAUGHS = b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>'
SPELT_OTHERWISE = atom({"v1.0": AT}).partition(b"\n")[2].replace(b"<feed ", LAUGHS + b"<feed ")
"""Declarations, for the encodings that a parser knows without being told."""
NESTED = b'[{"x":' + b"[" * 100_000


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "malformed|truncated"),
        (b"not found", "malformed"),
        (b"{}", "Expected `array`, got `object`"),
        (b"[]", "no finished release is in it"),
        (b'[{"tag_name": "v1.0"}]', "missing required field"),
        (json.dumps([release("v1.0", "yesterday")]).encode(), "Invalid RFC3339"),
        (json.dumps([release("v1.0", "2026-11-03T11:01:02")]).encode(), "has no zone"),
        (json.dumps([release("v1.0", AT)] * (ITEMS_COUNT_MAX + 1)).encode(), "more than 1000"),
        (b'[{"tag_name": "\xff"}]', "malformed|invalid|utf-8"),
        (b"<html><body>404</body></html>", "expected an Atom feed, found html"),
        (b"<feed", "unclosed token"),
        (atom({}), "no finished release is in it"),
        (atom({"v1.0-rc1": AT}), "no finished release is in it"),
        (atom({"v1.0": "today"}), "Invalid RFC3339"),
        (atom({"v1.0": "2026-11-03T11:01:02"}), "and a time"),
        (atom({"v1.0": AT}).replace(b"Repository/15452919/", b""), "an entry without tag"),
        (atom({"v1.0": AT}).replace(b"<feed ", LAUGHS + b"<feed "), "declares a document type"),
        (SPELT_OTHERWISE.decode().encode("utf-16-le"), "it holds NULs"),
        (SPELT_OTHERWISE.decode().encode("utf-16-be"), "malformed"),
        (SPELT_OTHERWISE.decode().encode("utf-16"), "malformed"),
        (NESTED, "recursion depth"),
        (atom(dict.fromkeys(map(str, range(ITEMS_COUNT_MAX + 1)), AT)), "more than 1000 items"),
    ],
    ids=range(22),
)
def test_list_that_is_something_else_is_malformed(body: bytes, said: str) -> None:
    """Never an empty list: nothing newer is another thing than nothing read. One line says why."""
    with pytest.raises(MalformedFeed, match=f"(?i){said}") as refused:
        releases_of(body)
    assert "\n" not in str(refused.value)


def test_list_of_the_largest_size_is_read() -> None:
    """The limit is the last size that is accepted."""
    body = json.dumps([release("v1.0", AT)] * ITEMS_COUNT_MAX).encode()
    assert len(releases_of(body)) == ITEMS_COUNT_MAX


def test_advisories_are_read_and_match_what_they_are_about() -> None:
    """By their expression, as geth's own `version-check` does."""
    (found,) = advisories_of(json.dumps([ADVISORY]).encode())
    assert (found.uid, found.severity, found.fixed) == ("GETH-2022-01", "Low", "v1.10.17")
    assert found.check.is_in("Geth/v1.10.16-stable-20356e57/linux-amd64/go1.17.5")
    assert not found.check.is_in("Geth/v1.10.17-stable-25c9b49f/linux-amd64/go1.18")
    assert advisories_of(b"[]") == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"check": "(a"}, "check of GETH-2022-01: a ( without its )"),
        ({"check": None}, "Expected `str`, got `null`"),
        ({"uid": "X\nY", "check": "\\b"}, "check of X Y: "),
    ],
)
def test_advisory_that_cannot_be_read_is_not_left_out(change: dict[str, Any], said: str) -> None:
    """Nobody would know that it was not looked for."""
    body = json.dumps([ADVISORY, ADVISORY | change]).encode()
    with pytest.raises(MalformedFeed) as refused:
        advisories_of(body)
    assert said in str(refused.value)
    less = {key: value for key, value in ADVISORY.items() if key != "check"}
    with pytest.raises(MalformedFeed, match="missing required field `check`"):
        advisories_of(json.dumps([less]).encode())


def test_advisories_nested_beyond_reason_are_malformed() -> None:
    """What escaped would be kept by nobody, and read again by every probe."""
    with pytest.raises(MalformedFeed, match="recursion depth"):
        advisories_of(NESTED)


def test_words_of_a_list_are_cut_and_on_one_line() -> None:
    """They are shown on pages and terminals."""
    changed = ADVISORY | {"name": "a\x1b[31m\n" + "b" * 500}
    (found,) = advisories_of(json.dumps([changed]).encode())
    assert found.name.startswith("a [31m bbb")
    assert len(found.name) == 200
