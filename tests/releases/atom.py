"""Lists of releases as GitHub writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def atom(tags: Mapping[str, str]) -> bytes:
    """`releases.atom` of a repository: tag -> when."""
    entries = "".join(
        "  <entry>\n"
        f"    <id>tag:github.com,2008:Repository/15452919/{tag}</id>\n"
        f"    <updated>{at}</updated>\n"
        f'    <link rel="alternate" type="text/html" href="https://example.org/releases/{tag}"/>\n'
        f"    <title>A name ({tag})</title>\n"
        '    <content type="html">&lt;p&gt;Notes &amp;amp; more&lt;/p&gt;</content>\n'
        "    <author><name>somebody</name></author>\n"
        "  </entry>\n"
        for tag, at in tags.items()
    )
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
        'xml:lang="en-US">\n'
        "  <id>tag:github.com,2008:https://example.org/releases</id>\n"
        "  <title>Release notes</title>\n"
        "  <updated>2026-11-03T11:01:02Z</updated>\n"
    )
    return f"{head}{entries}</feed>\n".encode()


def release(tag: str, at: str | None, **more: Any) -> dict[str, Any]:
    """One item of `GET /repos/OWNER/NAME/releases`, with some of what is not read."""
    return {
        "id": 1,
        "tag_name": tag,
        "name": f"A name ({tag})",
        "draft": False,
        "prerelease": False,
        "published_at": at,
        "assets": [],
        "body": "Notes",
    } | more


ADVISORY: dict[str, Any] = {
    "name": "DoS via malicious p2p message",
    "uid": "GETH-2022-01",
    "summary": "A vulnerable node can crash.",
    "description": "Several\n\nlines.",
    "links": ["https://example.org/advisory"],
    "introduced": "v1.10.0",
    "fixed": "v1.10.17",
    "published": "2022-05-11",
    "severity": "Low",
    "CVE": "CVE-2022-29177",
    "check": r"(Geth\/v1\.10\.(0|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16)-.*)$",
}
"""As go-ethereum's cmd/geth/testdata/vcheck has them."""
