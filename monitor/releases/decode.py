"""Lists of releases and advisories, decoded strictly. Pure: bytes in, words of the house out.

Sources: GitHub's `REPOSITORY/releases.atom` (RFC 4287) and `GET /repos/OWNER/NAME/releases`;
geth's `vulnerabilities.json` (go-ethereum, cmd/geth/version_check.go).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import msgspec

from monitor.judge.pattern import Pattern
from monitor.judge.release import Advisory, Release, version_of

ATOM = "{http://www.w3.org/2005/Atom}"
ITEMS_COUNT_MAX = 1000
UNREADABLE = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What decoding raises: no JSON or not the shape, text that is not UTF-8, nested beyond reason."""
_DECLARATIONS = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class MalformedFeed(Exception):
    """Not what it should be; `str()` is one line."""


class RawRelease(msgspec.Struct):
    """What is read of one release of GitHub's API."""

    tag_name: str
    draft: bool
    prerelease: bool
    published_at: datetime.datetime | None
    """None of a draft."""


class RawAdvisory(msgspec.Struct):
    """What is read of one of geth's advisories."""

    name: str
    uid: str
    severity: str
    fixed: str
    check: str


def releases_of(body: bytes) -> tuple[Release, ...]:
    """The finished releases of a list, in either format. Raises MalformedFeed.

    Drafts, pre-releases and tags that are no version are left out: there is nothing to compare.
    """
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    found = tuple(_atom(body) if start == b"<" else _api(body))
    if not found:
        message = "no finished release is in it"
        raise MalformedFeed(message)
    return found


def advisories_of(body: bytes) -> tuple[Advisory, ...]:
    """The advisories of a list. Raises MalformedFeed, also where one alone cannot be read."""
    try:
        raw = msgspec.json.decode(body, type=list[RawAdvisory])
    except UNREADABLE as error:
        raise MalformedFeed(_line(error)) from None
    _bounded(len(raw))
    found = []
    for one in raw:
        try:
            check = Pattern(one.check)
        except ValueError as error:
            message = f"check of {_plain(one.uid)}: {error}"
            raise MalformedFeed(message) from None
        words = (_plain(one.uid), _plain(one.name), _plain(one.severity), _plain(one.fixed))
        found.append(Advisory(*words, check))
    return tuple(found)


def _api(body: bytes) -> Iterator[Release]:
    try:
        raw = msgspec.json.decode(body, type=list[RawRelease])
    except UNREADABLE as error:
        raise MalformedFeed(_line(error)) from None
    _bounded(len(raw))
    for one in raw:
        if not one.draft and not one.prerelease and one.published_at is not None:
            if one.published_at.tzinfo is None:
                message = f"published_at of {_plain(one.tag_name)} has no zone"
                raise MalformedFeed(message)
            yield from _release(one.tag_name, one.published_at.timestamp())


def _atom(body: bytes) -> Iterator[Release]:
    """Entries of Atom, which do not say what is a pre-release: its tag does."""
    # In UTF-16 what is looked for below is spelt otherwise; a character of XML is never NUL.
    if b"\0" in body:
        message = "it holds NULs: expected XML in UTF-8"
        raise MalformedFeed(message)
    # Entities that are made of entities fill the memory; a list of releases declares none.
    if _DECLARATIONS.search(body):
        message = "it declares a document type or entities"
        raise MalformedFeed(message)
    try:
        root = ET.fromstring(body)  # noqa: S314 - without declarations there are no entities
    except (ET.ParseError, ValueError, LookupError) as error:
        raise MalformedFeed(_line(error)) from None
    if root.tag != f"{ATOM}feed":
        message = f"expected an Atom feed, found {_plain(root.tag)}"
        raise MalformedFeed(message)
    entries = root.findall(f"{ATOM}entry")
    _bounded(len(entries))
    for entry in entries:
        # tag:github.com,2008:Repository/15452919/v1.16.7, and tags may hold slashes.
        found = (entry.findtext(f"{ATOM}id") or "").split("/", 2)
        updated = entry.findtext(f"{ATOM}published") or entry.findtext(f"{ATOM}updated") or ""
        try:
            at = msgspec.convert(updated.strip(), datetime.datetime, strict=False)
        except msgspec.ValidationError as error:
            raise MalformedFeed(_line(error)) from None
        if len(found) != 3 or at.tzinfo is None:  # noqa: PLR2004 - repository, number, tag
            message = "an entry without tag:github.com,…:Repository/NUMBER/TAG and a time"
            raise MalformedFeed(message)
        yield from _release(found[2], at.timestamp())


def _release(tag: str, at: float) -> Iterator[Release]:
    version = version_of(tag)
    if version is not None and version.is_finished:
        yield Release(_plain(tag), version, at)


def _bounded(count: int) -> None:
    if count > ITEMS_COUNT_MAX:
        message = f"more than {ITEMS_COUNT_MAX} items"
        raise MalformedFeed(message)


def _plain(text: str, limit: int = 200) -> str:
    """On one line and printable: strangers wrote it."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _line(error: Exception) -> str:
    return _plain(str(error))
